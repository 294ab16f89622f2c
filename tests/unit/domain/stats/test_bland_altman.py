from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from her2path.domain.stats.bland_altman import Scale, bland_altman

# Peak expiratory flow by two meters, first measurement of each: Bland & Altman, Lancet 1:307 (1986), table I.
WRIGHT = np.array(
    [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427], dtype=float
)
MINI = np.array(
    [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451], dtype=float
)


def test_bias_of_the_flow_meters_as_published():
    # Printed: mean difference -2.1, SD 38.8, interval of the bias -22.0 to 17.8.
    result = bland_altman(WRIGHT, MINI)

    assert round(result.bias.value, 1) == -2.1
    assert round(result.sd, 1) == 38.8
    assert [round(bound, 1) for bound in (result.bias.low, result.bias.high)] == [-22.0, 17.8]


def test_limits_lie_1_96_sd_from_the_bias():
    result = bland_altman(WRIGHT, MINI)

    z = stats.norm.ppf(0.975)
    assert result.lower_limit.value == pytest.approx(result.bias.value - z * result.sd, abs=1e-9)
    assert result.upper_limit.value == pytest.approx(result.bias.value + z * result.sd, abs=1e-9)


def test_bound_of_a_limit_is_where_the_noncentral_t_test_turns():
    # The upper limit's interval holds each quantile that a one-sided test at 2.5 % does not reject.
    result = bland_altman(WRIGHT, MINI)
    n, z = result.n, stats.norm.ppf(0.975)

    for bound, tail in ((result.upper_limit.low, 0.025), (result.upper_limit.high, 0.975)):
        t = np.sqrt(n) * (bound - result.bias.value) / result.sd
        assert stats.nct.cdf(t, n - 1, z * np.sqrt(n)) == pytest.approx(tail, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_bias_and_slope_equal_scipy_on_random_pairs(seed):
    rng = np.random.default_rng(seed)
    first = rng.normal(5, 2, 40)
    second = first * 1.2 + rng.normal(0, 1, 40)

    result = bland_altman(second, first)

    expected = stats.ttest_rel(second, first).confidence_interval()
    assert (result.bias.low, result.bias.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    slope = np.polyfit((first + second) / 2, second - first, 1)[0]
    assert result.slope.value == pytest.approx(slope, abs=1e-9)


def test_log_ratio_limits_are_factors_and_do_not_depend_on_the_unit():
    rng = np.random.default_rng(1)
    first = rng.uniform(1, 20, 50)
    second = first * np.exp(rng.normal(0.1, 0.2, 50))

    result = bland_altman(second, first, scale=Scale.LOG_RATIO)
    other_unit = bland_altman(second * 1000, first * 1000, scale=Scale.LOG_RATIO)

    ratios = np.log(second / first)
    assert result.bias.value == pytest.approx(np.exp(ratios.mean()), abs=1e-9)
    assert result.upper_limit.value == pytest.approx(
        np.exp(ratios.mean() + stats.norm.ppf(0.975) * ratios.std(ddof=1)), abs=1e-9
    )
    assert other_unit.lower_limit.high == pytest.approx(result.lower_limit.high, abs=1e-9)


def test_second_method_reading_ever_higher_is_noticed():
    first = np.linspace(1, 10, 30)
    wobble = 0.1 * np.sin(np.arange(30))

    proportional = bland_altman(1.3 * first + wobble, first).slope
    constant = bland_altman(first + 2 + wobble, first).slope

    assert proportional.low > 0
    assert constant.low < 0 < constant.high


def test_equal_measurements_have_limits_of_zero_without_width():
    same = np.array([1.0, 2.0, 3.0])

    result = bland_altman(same, same)

    assert (result.lower_limit.low, result.upper_limit.high) == (0.0, 0.0)


def test_one_pair_has_a_difference_but_no_limits():
    result = bland_altman(np.array([3.0]), np.array([2.0]))

    assert result.bias.value == 1.0
    assert not result.bias.has_interval
    assert result.upper_limit.value is None
    assert result.sd is None
    assert not result.slope.has_interval


def test_no_pair_is_no_value_with_the_reason():
    result = bland_altman(np.array([]), np.array([]))

    assert result.bias.value is None
    assert "no pair" in result.bias.why


def test_a_count_of_zero_has_no_log_ratio():
    result = bland_altman(np.array([0.0, 2.0]), np.array([1.0, 2.0]), scale=Scale.LOG_RATIO)

    assert "logarithm" in result.bias.why


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param([1.0, 2.0], [1.0], id="a pair without its partner"),
        pytest.param([1.0, np.nan], [1.0, 2.0], id="a missing value"),
    ],
)
def test_measurements_that_are_no_pairs_are_refused(first, second):
    with pytest.raises(ValueError, match="pairs|length"):
        bland_altman(np.array(first), np.array(second))
