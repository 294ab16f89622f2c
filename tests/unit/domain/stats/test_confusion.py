"""Tables of two readers, and the share of cases on which they agree."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from statsmodels.stats.proportion import proportion_confint

from her2path.domain.stats.confusion import (
    confusion_table,
    exact_agreement,
    exact_agreement_clopper_pearson,
    higher_first,
    within_one_agreement,
)
from tests.unit.domain.stats.agreement_tables import random_tables

SCORES = np.array([[30, 4, 0, 0], [3, 25, 5, 1], [0, 2, 18, 2], [0, 0, 1, 9]])


def test_a_table_of_20_random_pairs_of_readers_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    for _ in range(20):
        first, second = rng.integers(0, 4, (2, 50))
        read = rng.random(50) < 0.8
        expected = confusion_matrix(first[read], second[read], labels=range(4))
        assert np.array_equal(confusion_table(first, second, read, categories=4), expected)


def test_a_case_that_one_reader_did_not_read_is_in_no_cell():
    nothing = confusion_table(np.array([7]), np.array([1]), np.array([False]), categories=4)
    assert nothing.sum() == 0


@pytest.mark.parametrize("code", [-1, 4], ids=["minus one is no category", "beyond the last category"])
def test_a_code_that_is_no_category_is_refused(code):
    with pytest.raises(ValueError, match="codes of read cases"):
        confusion_table(np.array([code]), np.array([0]), np.array([True]), categories=4)


def test_readers_of_different_numbers_of_cases_are_refused():
    with pytest.raises(ValueError, match="one length"):
        confusion_table(np.array([0, 1]), np.array([0]), np.array([True]), categories=4)


def test_agreement_on_20_random_tables_has_the_intervals_of_statsmodels():
    for table in random_tables():
        agreed, total = int(np.trace(table)), int(table.sum())
        for estimate, method in (
            (exact_agreement(table), "wilson"),
            (exact_agreement_clopper_pearson(table), "beta"),
        ):
            low, high = proportion_confint(agreed, total, method=method)
            assert estimate.value == pytest.approx(agreed / total, abs=1e-9)
            # statsmodels leaves rounding errors beside the exact 0 and 1.
            assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-9)


def test_a_difference_of_one_score_is_within_one_and_of_two_is_not():
    assert exact_agreement(SCORES).value == 0.82
    assert within_one_agreement(SCORES).value == 0.99


def test_who_scores_higher_is_told():
    assert higher_first(SCORES) == (6, 12)


def test_a_stratum_without_cases_has_no_agreement_and_says_so():
    empty = np.zeros((4, 4), np.int64)
    for estimate in (
        exact_agreement(empty),
        within_one_agreement(empty),
        exact_agreement_clopper_pearson(empty),
    ):
        assert estimate.value is None
        assert estimate.why == "no case was read by both"


def test_a_single_case_has_nearly_the_widest_interval():
    one = np.array([[1, 0], [0, 0]])
    estimate = exact_agreement(one)
    assert (estimate.value, estimate.high, estimate.n) == (1.0, 1.0, 1)
    assert estimate.low == pytest.approx(0.2065, abs=1e-4)


@pytest.mark.parametrize(
    "table",
    [np.ones((2, 3), np.int64), np.ones((1, 1), np.int64), np.array([[1, -1], [0, 1]])],
    ids=["not square", "one category", "fewer than no cases"],
)
def test_what_is_no_table_is_refused(table):
    with pytest.raises(ValueError, match="square table"):
        exact_agreement(table)
