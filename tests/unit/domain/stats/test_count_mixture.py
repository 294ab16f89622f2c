"""One population of counts or two: what is told apart, and how often chance alone looks like it."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.count_mixture import draw_scattered, draw_skewed, fit_mixture, p_value

DIPLOID = [2] * 24 + [1] * 9 + [3] * 7


def test_the_threshold_lies_between_two_populations():
    mixture = fit_mixture([*DIPLOID, 10, 12, 13, 11, 15, 9])
    assert 4 <= mixture.threshold <= 9
    assert mixture.separation > 2


def test_a_clear_mixture_is_not_explained_by_chance():
    counts = [*DIPLOID, 10, 12, 13, 11, 15, 9]
    assert p_value(counts, fit_mixture(counts).gain) <= 0.01


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda rng, n: 1 + rng.poisson(8, n), id="Poisson"),
        pytest.param(lambda rng, n: 1 + rng.binomial(2, 0.5, n), id="diploid, cut by the section"),
        pytest.param(lambda rng, n: 1 + rng.negative_binomial(3, 3 / 15, n), id="amplified, scattered"),
    ],
)
def test_one_population_seldom_looks_like_two(draw):
    rng = np.random.default_rng(11)
    chances = []
    for _ in range(12):
        counts = draw(rng, 40).tolist()
        chances.append(p_value(counts, fit_mixture(counts).gain, draws=99))
    assert sum(chance <= 0.05 for chance in chances) <= 2


def test_counts_that_are_all_alike_are_one_population():
    assert fit_mixture([2] * 30) is None


def test_a_nucleus_without_a_signal_is_refused():
    with pytest.raises(ValueError, match="without a signal"):
        fit_mixture([2, 0, 3])


@pytest.mark.parametrize("counts", [DIPLOID, [6, 9, 12, 20, 30, 8, 10, 15] * 5, [1] * 20])
def test_drawn_counts_have_the_mean_of_those_given(counts):
    drawn = draw_scattered(np.random.default_rng(1), counts, 400)
    assert drawn.min() >= 1
    assert drawn.mean() == pytest.approx(np.mean(counts), rel=0.05)
    assert np.median(draw_skewed(np.random.default_rng(1), counts, 400)) == pytest.approx(
        np.exp(np.log(counts).mean()), abs=0.6
    )


def test_the_same_counts_have_the_same_p_value():
    counts = [*DIPLOID, 7, 8, 9, 10, 11]
    gain = fit_mixture(counts).gain
    assert p_value(counts, gain, draws=99) == p_value(counts, gain, draws=99)
