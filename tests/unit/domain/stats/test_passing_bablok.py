from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from her2path.domain.stats import passing_bablok as module
from her2path.domain.stats.passing_bablok import passing_bablok


def _as_in_the_paper(first, second):
    """Passing & Bablok 1983 word by word: slopes one by one, ranks from 1."""
    slopes = []
    for (x0, y0), (x1, y1) in combinations(zip(first, second, strict=True), 2):
        run, rise = x1 - x0, y1 - y0
        if run == 0 and rise == 0:
            continue
        slope = rise / run if run else math.copysign(math.inf, rise)
        if slope != -1:
            slopes.append(slope)
    slopes.sort()
    count, shift, n = len(slopes), sum(slope < -1 for slope in slopes), len(first)

    def ranked(rank):
        return slopes[rank - 1]

    if count % 2:
        slope = ranked((count + 1) // 2 + shift)
    else:
        slope = (ranked(count // 2 + shift) + ranked(count // 2 + 1 + shift)) / 2
    reach = stats.norm.ppf(0.975) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    first_rank = round((count - reach) / 2)
    low, high = ranked(first_rank + shift), ranked(count - first_rank + 1 + shift)
    intercepts = [float(np.median(second - of * first)) for of in (slope, high, low)]
    return (slope, low, high), tuple(intercepts)


def _cusum_as_in_the_paper(first, second, slope, intercept):
    residual = second - intercept - slope * first
    above, below = int((residual > 0).sum()), int((residual < 0).sum())
    total, greatest = 0.0, 0.0
    for at in np.argsort(second + first / slope, kind="stable"):
        if residual[at] > 0:
            total += math.sqrt(below / above)
        elif residual[at] < 0:
            total -= math.sqrt(above / below)
        greatest = max(greatest, abs(total))
    return greatest / math.sqrt(below + 1)


def _sample(seed, n=40):
    rng = np.random.default_rng(seed)
    true = rng.uniform(1, 10, n)
    return true + rng.normal(0, 0.5, n), 0.8 * true + 1 + rng.normal(0, 0.5, n)


@pytest.mark.parametrize("seed", range(20))
def test_line_and_bounds_equal_the_paper_taken_word_by_word(seed):
    first, second = _sample(seed)

    line = passing_bablok(second, first)

    slope, intercept = _as_in_the_paper(first, second)
    got = line.intercept_as_published
    assert (line.slope.value, line.slope.low, line.slope.high) == pytest.approx(slope, abs=1e-9)
    assert (got.value, got.low, got.high) == pytest.approx(intercept, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_tied_counts_equal_the_paper_taken_word_by_word(seed):
    # Whole numbers: many equal cases, upright pairs, and slopes of exactly -1.
    rng = np.random.default_rng(seed)
    first = rng.integers(1, 9, 30).astype(float)
    second = first + rng.integers(-2, 3, 30)

    line = passing_bablok(second, first)

    slope, intercept = _as_in_the_paper(first, second)
    assert (line.slope.value, line.slope.low, line.slope.high) == pytest.approx(slope, abs=1e-9)
    assert line.intercept.value == pytest.approx(intercept[0], abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_slope_equals_theil_and_sen_where_no_pair_falls_steeply(seed):
    rng = np.random.default_rng(seed)
    first = np.arange(30.0)
    second = 1.1 * first + rng.uniform(-0.5, 0.5, 30)

    expected = stats.theilslopes(second, first).slope

    assert passing_bablok(second, first).slope.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_linearity_check_equals_the_cusum_of_the_paper(seed):
    first, second = _sample(seed)

    line = passing_bablok(second, first)

    expected = _cusum_as_in_the_paper(first, second, line.slope.value, line.intercept.value)
    assert line.linearity.statistic == pytest.approx(expected, abs=1e-9)


def test_the_published_limit_of_the_cusum_is_the_five_per_cent_one():
    # 1.36 is the limit that the paper prints for 5 %.
    assert stats.kstwobign.sf(1.36) == pytest.approx(module.LINEARITY_LEVEL, abs=0.001)


def test_a_curved_relation_is_called_curved():
    first = np.linspace(1, 10, 60)
    second = first**2 + 0.1 * np.sin(np.arange(60))

    assert not passing_bablok(second, first).linearity.is_straight


def test_a_straight_relation_with_scatter_is_called_straight():
    assert passing_bablok(*_sample(2)).linearity.is_straight


def test_exchanged_methods_give_the_line_read_the_other_way_round():
    first, second = _sample(7, n=31)  # 465 slopes: one in the middle, so that no mean of two is taken

    one, other = passing_bablok(second, first), passing_bablok(first, second)

    assert other.slope.value == pytest.approx(1 / one.slope.value, abs=1e-9)
    assert other.slope.low == pytest.approx(1 / one.slope.high, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_interval_of_the_intercept_adds_the_scatter_of_the_median_at_the_slope(seed):
    # Distances of both parts, squared and summed (Zou & Donner, Stat Med 27:1693 (2008), method MOVER).
    first, second = _sample(seed)
    line = passing_bablok(second, first)
    value, paper = line.intercept.value, line.intercept_as_published
    rest = np.sort(second - line.slope.value * first)
    reach = stats.norm.ppf(0.975) / (2 * np.sqrt(len(rest)))
    below, above = (
        np.interp((0.5 + side) * (len(rest) - 1), range(len(rest)), rest) for side in (-reach, reach)
    )

    assert line.intercept.low == pytest.approx(
        value - np.sqrt((value - paper.low) ** 2 + (value - below) ** 2), abs=1e-9
    )
    assert line.intercept.high == pytest.approx(
        value + np.sqrt((paper.high - value) ** 2 + (above - value) ** 2), abs=1e-9
    )


def test_interval_of_the_intercept_holds_that_of_the_paper():
    line = passing_bablok(*_sample(8))

    assert line.intercept.low <= line.intercept_as_published.low
    assert line.intercept.high >= line.intercept_as_published.high


def test_points_on_a_line_have_no_width_and_no_side():
    first = np.arange(1.0, 12.0)

    line = passing_bablok(0.1 * first + 0.3, first)

    assert (line.slope.low, line.slope.high) == pytest.approx((0.1, 0.1), abs=1e-9)
    assert line.intercept.low == pytest.approx(line.intercept.high, abs=1e-9)
    assert line.linearity is None


def test_few_cases_have_a_line_without_interval():
    line = passing_bablok(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.5, 3.0]))

    assert line.slope.value == 1.0
    assert "too few" in line.slope.why
    assert not line.intercept.has_interval


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        pytest.param([], [], "3 cases", id="no case"),
        pytest.param([1.0], [2.0], "3 cases", id="one case"),
        pytest.param([2.0] * 9, list(range(9)), "same value", id="one method never changes"),
        pytest.param(list(range(9)), [2.0] * 9, "same value", id="the other never changes"),
        pytest.param(list(range(12)), list(range(0, -36, -3)), "rise together", id="one falls steeply"),
        pytest.param(list(range(12)), list(range(0, -12, -1)), "rise together", id="all slopes are -1"),
        pytest.param([0.0, 10, 20, 30], [3.0, 2, 1, 0], "rise together", id="one falls gently"),
    ],
)
def test_no_line_is_said_with_the_reason(first, second, why):
    line = passing_bablok(np.array(first, dtype=float), np.array(second, dtype=float))

    assert line.slope.value is None
    assert why in line.slope.why
    assert line.linearity is None


def test_more_cases_than_memory_holds_slopes_of_are_refused_with_a_remedy():
    many = np.arange(module.MOST_CASES + 1, dtype=float)

    assert "random part" in passing_bablok(many, many).slope.why


@pytest.mark.parametrize("second", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, np.nan]])
def test_measurements_that_are_no_pairs_are_refused(second):
    with pytest.raises(ValueError, match="pairs|length"):
        passing_bablok(np.arange(4.0), np.array(second))
