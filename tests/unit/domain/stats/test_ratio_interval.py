"""Fieller's interval, held against the t-test that it inverts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from her2path.domain.stats.ratio_interval import fieller_interval
from her2path.domain.verdict import NotEvaluable

HER2 = [6, 5, 8, 8, 7, 8, 11, 7, 8, 7, 8, 12, 6, 11, 10]
CEP17 = [2, 3, 2, 1, 1, 3, 1, 2, 3, 2, 1, 3, 3, 2, 3]


@pytest.mark.parametrize(("confidence", "p_value"), [(0.95, 0.05), (0.80, 0.20)])
def test_each_bound_is_the_ratio_that_a_t_test_of_the_differences_just_rejects(confidence, p_value):
    # An independent way to the same numbers: `scipy` tests HER2 - R CEP17 against 0 at each bound R.
    for bound in fieller_interval(HER2, CEP17, confidence=confidence):
        found = stats.ttest_1samp(np.array(HER2) - bound * np.array(CEP17), 0).pvalue
        assert found == pytest.approx(p_value, rel=1e-3)


def test_ratios_inside_are_not_rejected_and_ratios_outside_are():
    low, high = fieller_interval(HER2, CEP17)
    for ratio in np.linspace(low - 1, high + 1, 41):
        rejected = stats.ttest_1samp(np.array(HER2) - ratio * np.array(CEP17), 0).pvalue < 0.05
        assert rejected == (not low <= ratio <= high)


def test_a_mean_below_the_line_that_may_be_zero_gives_no_bounds():
    found = fieller_interval([4, 4, 5, 3], [0, 0, 1, 0])

    assert isinstance(found, NotEvaluable)
    assert found.code == "ratio_unbounded"


def test_pairs_in_one_proportion_have_an_interval_of_no_width():
    assert fieller_interval([2, 4, 6, 4], [1, 2, 3, 2]) == pytest.approx((2.0, 2.0))


@pytest.mark.parametrize(("above", "below"), [([1, 2, 3], [1, 2, 3]), ([1, 2, 3, 4], [1, 2, 3])])
def test_too_few_pairs_or_halves_of_pairs_are_refused(above, below):
    with pytest.raises(ValueError, match="pairs"):
        fieller_interval(above, below)
