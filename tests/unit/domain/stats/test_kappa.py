"""Cohen's and Fleiss' kappa against published examples and other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_of_statsmodels

from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.kappa import cohens_kappa, fleiss_kappa, kappa_of_tables
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting, agreement_weights
from tests.unit.domain.stats.agreement_tables import (
    four_raters,
    irrcac_tables,
    random_tables,
    tallies_of,
)

FEW = Drawing(draws=200)
NAMES = {Weighting.UNWEIGHTED: None, Weighting.LINEAR: "linear", Weighting.QUADRATIC: "quadratic"}


@pytest.mark.parametrize("weighting", list(NAMES))
def test_cohens_kappa_of_20_random_tables_is_that_of_scikit_learn(weighting):
    for table in random_tables():
        first, second = np.repeat(np.indices(table.shape).reshape(2, -1), table.ravel(), axis=1)
        expected = cohen_kappa_score(first, second, weights=NAMES[weighting], labels=range(len(table)))
        assert cohens_kappa(table, weighting, drawing=FEW).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weighting", list(Weighting))
def test_kappa_of_many_tables_at_once_is_that_of_each(weighting):
    tables = [table for table in random_tables() if len(table) == 3]
    at_once = kappa_of_tables(np.array(tables, np.float64), weighting)
    one_by_one = [cohens_kappa(table, weighting, drawing=FEW).value for table in tables]
    assert at_once.tolist() == pytest.approx(one_by_one, abs=1e-12)


def test_kappa_of_gwets_abstractors_is_the_published_one():
    # Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014): 100 pregnancies by two abstractors;
    # printed by the R package irrCAC (overview, cont3x3abstractors) as 0.7964094.
    table = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
    assert cohens_kappa(table, drawing=FEW).value == pytest.approx(0.7964094, abs=5e-8)


def test_fleiss_kappa_of_gwets_four_raters_is_the_published_one():
    # The same handbook, page 120, with missing reads; irrCAC prints 0.76117.
    estimate = fleiss_kappa(four_raters(), drawing=FEW)
    assert estimate.value == pytest.approx(0.76117, abs=5e-6)
    # The twelfth subject has one read: no pair.
    assert estimate.n == 11


def test_fleiss_kappa_of_20_random_sets_of_reads_with_missing_ones_is_that_of_irrcac():
    for table in irrcac_tables():
        assert fleiss_kappa(tallies_of(table), drawing=FEW).value == pytest.approx(
            table["Fleiss"][0], abs=1e-9
        )


def test_fleiss_kappa_of_20_random_sets_of_whole_reads_is_that_of_statsmodels():
    rng = np.random.default_rng(2)
    for _ in range(20):
        codes = np.clip(rng.integers(0, 4, 40)[:, None] + rng.integers(-1, 2, (40, 5)), 0, 3)
        counts = np.array([np.bincount(row, minlength=4) for row in codes])
        tallies = ReadTallies.of_reads(codes, np.ones(codes.shape, bool), categories=4)
        expected = fleiss_of_statsmodels(counts)
        assert fleiss_kappa(tallies, drawing=FEW).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weighting", list(Weighting))
def test_perfect_agreement_is_1_and_its_interval_still_has_a_width(weighting):
    estimate = cohens_kappa(np.diag([10, 10, 10, 10]), weighting)
    assert estimate.value == estimate.high == 1.0
    assert 0.5 < estimate.low < 0.99


def test_more_cases_in_perfect_agreement_are_better_evidence():
    few, many = (cohens_kappa(np.diag([n, n])) for n in (5, 100))
    assert few.low < many.low


@pytest.mark.parametrize("weighting", list(Weighting))
def test_one_category_leaves_kappa_undefined(weighting):
    estimate = cohens_kappa(np.diag([12, 0, 0, 0]), weighting)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 12)
    assert "one category" in estimate.why


def test_readers_who_each_use_one_category_but_not_the_same_agree_as_by_chance():
    estimate = cohens_kappa(np.array([[0, 12], [0, 0]]))
    assert estimate.value == 0.0


def test_an_empty_stratum_has_no_kappa():
    assert cohens_kappa(np.zeros((4, 4), np.int64)).why == "no case was read by both"


def test_one_case_tells_next_to_nothing():
    assert cohens_kappa(np.array([[1, 0], [0, 0]])).value is None
    differing = cohens_kappa(np.array([[0, 1], [0, 0]]))
    assert differing.value == 0.0
    assert differing.high - differing.low > 0.9


def test_several_readers_in_one_category_leave_fleiss_kappa_undefined():
    alike = ReadTallies.of_reads(np.zeros((9, 3), int), np.ones((9, 3), bool), categories=4)
    estimate = fleiss_kappa(alike)
    assert estimate.value is None
    assert "one category" in estimate.why


def test_one_reader_agrees_with_nobody():
    alone = ReadTallies.of_reads(np.array([[0], [1]]), np.ones((2, 1), bool), categories=4)
    assert fleiss_kappa(alone).why == "no case was read twice or more"


def test_no_reads_have_no_fleiss_kappa():
    nothing = ReadTallies.of_reads(np.zeros((3, 2), int), np.zeros((3, 2), bool), categories=4)
    assert fleiss_kappa(nothing).why == "no case was read twice or more"


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly_so():
    table = np.array([[20, 3], [2, 15]])
    first, again = cohens_kappa(table), cohens_kappa(table)
    other = cohens_kappa(table, drawing=Drawing(seed=1))
    assert first == again
    assert other != first
    assert (other.low, other.high) == pytest.approx((first.low, first.high), abs=0.05)


def test_more_confidence_widens_the_interval():
    table = np.array([[20, 3], [2, 15]])
    usual, wider = cohens_kappa(table), cohens_kappa(table, drawing=Drawing(confidence=0.99))
    assert wider.low < usual.low < usual.high < wider.high
    assert wider.confidence == 0.99


def test_the_order_of_the_cases_plays_no_part():
    rng = np.random.default_rng(3)
    codes, read = rng.integers(0, 4, (60, 4)), rng.random((60, 4)) < 0.8
    shuffled = rng.permutation(60)
    tallies = [ReadTallies.of_reads(codes[o], read[o], categories=4) for o in (slice(None), shuffled)]
    assert fleiss_kappa(tallies[0], drawing=FEW) == fleiss_kappa(tallies[1], drawing=FEW)


def test_weights_are_those_of_gwets_handbook():
    # Chapter 3 of the 4th edition; the R package prints the same for three categories.
    assert agreement_weights(Weighting.ORDINAL, 3)[0].round(4).tolist() == [1.0, 0.6667, 0.0]
    assert agreement_weights(Weighting.QUADRATIC, 3)[0].tolist() == [1.0, 0.75, 0.0]
    assert agreement_weights(Weighting.LINEAR, 3)[0].tolist() == [1.0, 0.5, 0.0]


def test_one_category_is_no_scale():
    with pytest.raises(ValueError, match="two categories"):
        agreement_weights(Weighting.LINEAR, 1)


@pytest.mark.parametrize("fields", [{"draws": 10}, {"seed": -1}, {"confidence": 1.0}])
def test_drawings_that_make_no_interval_are_refused(fields):
    with pytest.raises(ValueError, match="100 drawings"):
        Drawing(**fields)
