"""Paired comparison of two methods on the same images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from her2path.domain.stats.paired import (
    bootstrap,
    drawn_sums,
    mcnemar_exact,
    non_inferiority,
    paired_difference,
    quantile_estimate,
)


def share(sums):
    with np.errstate(invalid="ignore"):
        return sums[..., 0] / sums[..., 1]


def images(rng, n, right):
    """Cells called right, and cells, of n images."""
    cells = rng.integers(50, 150, n)
    return np.column_stack([rng.binomial(cells, right), cells]).astype(float)


@pytest.mark.parametrize("seed", range(20))
def test_mcnemar_is_twice_the_smaller_tail_of_a_fair_coin(seed):
    """McNemar 1947: of the discordant pairs each side is as likely as the other."""
    first, second = np.random.default_rng(seed).integers(0, 30, 2).tolist()
    few, n = min(first, second), first + second
    tail = sum(math.comb(n, k) for k in range(few + 1)) / 2**n
    assert mcnemar_exact(first, second).p_value == pytest.approx(min(1.0, 2 * tail), abs=1e-9)


def test_methods_that_agree_on_every_call_do_not_differ():
    assert mcnemar_exact(0, 0).p_value == 1


def test_identical_methods_differ_by_nothing_and_are_not_inferior():
    one = images(np.random.default_rng(1), 12, 0.8)
    found = paired_difference(one, one, share, units="images")
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert non_inferiority(one, one, share, margin=0.01, more_is_better=True, units="images").is_shown


def test_a_method_worse_by_more_than_the_margin_is_not_shown_to_be_as_good():
    rng = np.random.default_rng(2)
    old, new = images(rng, 30, 0.9), images(rng, 30, 0.7)
    new[:, 1] = old[:, 1]
    test = non_inferiority(new, old, share, margin=0.03, more_is_better=True, units="images")
    assert not test.is_shown
    assert test.difference.high < -0.03


def test_a_figure_of_which_less_is_better_is_turned_round():
    old = np.array([[1.0, 100.0]] * 20)
    more_errors = old + np.array([5.0, 0.0])
    assert not non_inferiority(
        more_errors, old, share, margin=0.01, more_is_better=False, units="images"
    ).is_shown
    assert non_inferiority(
        old, more_errors, share, margin=0.01, more_is_better=False, units="images"
    ).is_shown


def test_a_small_loss_on_few_images_is_not_shown_to_be_within_the_margin():
    """Absence of evidence passes nothing: the interval is too wide."""
    rng = np.random.default_rng(3)
    old = images(rng, 6, 0.8)
    new = old - np.array([[30.0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]])
    assert not non_inferiority(new, old, share, margin=0.1, more_is_better=True, units="images").is_shown


def test_one_image_gives_a_value_without_an_interval_and_shows_nothing():
    one = np.array([[8.0, 10.0]])
    found = bootstrap(one, share, units="images")
    assert (found.value, found.low) == (0.8, None)
    assert found.why == "fewer than 5 images"
    assert not non_inferiority(one, one, share, margin=0.1, more_is_better=True, units="images").is_shown


def test_no_image_gives_no_value():
    assert bootstrap(np.zeros((0, 2)), share, units="images").value is None


def test_a_figure_that_nothing_was_counted_for_has_no_value():
    assert bootstrap(np.zeros((5, 2)), share, units="images").why == "nothing to count"


def test_a_figure_that_only_one_image_of_many_tells_of_has_no_interval():
    counts = np.zeros((30, 2))
    counts[0] = [5, 10]
    found = bootstrap(counts, share, units="images")
    assert found.value == 0.5
    assert not found.has_interval


def test_the_interval_of_the_mean_is_about_that_of_its_standard_error():
    rng = np.random.default_rng(4)
    values = rng.normal(10, 2, 200)
    found = bootstrap(np.column_stack([values, np.ones(200)]), share, units="images")
    half = 1.96 * values.std(ddof=1) / math.sqrt(200)
    assert found.low == pytest.approx(values.mean() - half, abs=0.05)
    assert found.high == pytest.approx(values.mean() + half, abs=0.05)


def test_two_arrays_of_the_same_images_are_drawn_alike():
    one = np.arange(12.0).reshape(6, 2)
    assert drawn_sums(one)[:, 0].tolist() == drawn_sums(one[:, :1])[:, 0].tolist()


def test_counts_of_other_images_are_refused():
    with pytest.raises(ValueError, match="same units"):
        paired_difference(np.ones((2, 2)), np.ones((3, 2)), share, units="images")


def test_a_margin_of_nothing_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        non_inferiority(np.ones((2, 2)), np.ones((2, 2)), share, margin=0, more_is_better=True, units="i")


def test_counts_below_zero_are_refused():
    with pytest.raises(ValueError, match=">= 0"):
        mcnemar_exact(-1, 2)


def test_a_quantile_of_one_value_has_no_interval_and_of_none_no_value():
    assert quantile_estimate(np.array([3.0]), 0.95, units="images").low is None
    assert quantile_estimate(np.zeros(0), 0.95, units="images").value is None


def test_the_interval_of_a_quantile_holds_it():
    found = quantile_estimate(np.random.default_rng(5).random(100), 0.95, units="images")
    assert found.low <= found.value <= found.high
