"""Gwet's AC1 and AC2 against the handbook and irrCAC, Gwet's own package as ported to Python."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.gwet import gwet_ac
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting
from tests.unit.domain.stats.agreement_tables import four_raters, irrcac_tables, tallies_of

FEW = Drawing(draws=200)
NAMES = {
    Weighting.UNWEIGHTED: "AC1",
    Weighting.LINEAR: "AC2 linear",
    Weighting.QUADRATIC: "AC2 quadratic",
    Weighting.ORDINAL: "AC2 ordinal",
}


@pytest.mark.parametrize("weighting", list(Weighting))
def test_20_random_sets_of_reads_with_missing_ones_give_what_irrcac_gives(weighting):
    for table in irrcac_tables():
        got = gwet_ac(tallies_of(table), weighting, drawing=FEW).value
        assert got == pytest.approx(table[NAMES[weighting]][0], abs=1e-9)


@pytest.mark.parametrize(
    ("weighting", "expected", "digits"),
    [
        pytest.param(Weighting.UNWEIGHTED, 0.77544, 5, id="AC1"),
        pytest.param(Weighting.LINEAR, 0.859, 3, id="AC2, linear"),
        pytest.param(Weighting.QUADRATIC, 0.914, 3, id="AC2, quadratic"),
        pytest.param(Weighting.ORDINAL, 0.899, 3, id="AC2, ordinal"),
    ],
)
def test_gwets_four_raters_have_the_published_coefficients(weighting, expected, digits):
    # Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), page 120; values as the package prints.
    assert round(gwet_ac(four_raters(), weighting, drawing=FEW).value, digits) == expected


def test_gwets_abstractors_have_the_published_coefficients():
    # The same handbook: 100 pregnancies, two abstractors, three categories.
    tallies = ReadTallies.of_table(np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]]))
    assert round(gwet_ac(tallies, drawing=FEW).value, 3) == 0.849
    assert round(gwet_ac(tallies, Weighting.QUADRATIC, drawing=FEW).value, 3) == 0.940


def test_rare_positives_do_not_take_the_agreement_away():
    # By hand: 97.2 % of the reads are in the first category, so that two guesses meet in 2 * 0.972 * 0.028
    # of the cases; 118 of 125 are agreed on.  Cohen's kappa is below 0.
    tallies = ReadTallies.of_table(np.array([[118, 5], [2, 0]]))
    assert round(gwet_ac(tallies, drawing=FEW).value, 4) == 0.9408


def test_all_reads_in_one_category_agree_but_have_no_interval():
    estimate = gwet_ac(ReadTallies.of_table(np.diag([12, 0, 0, 0])))
    assert (estimate.value, estimate.low) == (1.0, None)
    assert "one category" in estimate.why


def test_perfect_agreement_has_a_lower_bound_below_1():
    estimate = gwet_ac(ReadTallies.of_table(np.diag([20, 20])), Weighting.QUADRATIC)
    assert estimate.value == estimate.high == 1.0
    assert 0.8 < estimate.low < 0.98


def test_two_cases_tell_next_to_nothing():
    estimate = gwet_ac(ReadTallies.of_table(np.array([[1, 0], [1, 0]])))
    assert estimate.high - estimate.low > 1


@pytest.mark.parametrize("readers", [0, 1])
def test_without_a_second_read_there_is_no_coefficient(readers):
    tallies = ReadTallies.of_reads(np.zeros((5, 1), int), np.full((5, 1), readers == 1), categories=4)
    assert gwet_ac(tallies).why == "no case was read twice or more"


def test_a_category_that_nobody_chose_still_counts():
    # Guessing among four is less likely to agree than guessing among two.
    two, four = np.array([[20, 5], [5, 20]]), np.zeros((4, 4), np.int64)
    four[:2, :2] = two
    assert gwet_ac(ReadTallies.of_table(four)).value > gwet_ac(ReadTallies.of_table(two)).value


@pytest.mark.parametrize(
    ("patterns", "cases"),
    [([[0, 0]], [1]), ([[1, 1]], [0]), ([[2]], [1]), ([[1, 1]], [1, 1]), ([[-1, 3]], [1])],
    ids=["a case without reads", "no case of a pattern", "one category", "other lengths", "below none"],
)
def test_tallies_that_are_none_are_refused(patterns, cases):
    with pytest.raises(ValueError, match="pattern"):
        ReadTallies(np.array(patterns), np.array(cases))


@pytest.mark.parametrize("code", [-1, 4])
def test_a_read_that_is_no_category_is_refused(code):
    with pytest.raises(ValueError, match="codes of reads"):
        ReadTallies.of_reads(np.array([[code, 0]]), np.ones((1, 2), bool), categories=4)


def test_reads_and_mask_of_different_shape_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        ReadTallies.of_reads(np.zeros((2, 2), int), np.ones((2, 3), bool), categories=4)
