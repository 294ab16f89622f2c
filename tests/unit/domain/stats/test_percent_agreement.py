"""Positive, negative and overall percent agreement, and where sensitivity may be spoken of."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from her2path.domain.stats.confusion import exact_agreement
from her2path.domain.stats.percent_agreement import (
    EQUIVOCAL,
    NEGATIVE,
    POSITIVE,
    CallsAgainstReader,
    CallsAgainstReference,
    Equivocals,
)

FINAL = np.array([[90, 0, 4], [0, 0, 0], [6, 0, 40]])
"""Negative, equivocal, positive; rows the first reader.  No call was left open."""
OPEN = np.array([[4, 1, 1], [1, 1, 0], [0, 1, 3]])


def counts(shares) -> list[tuple[int, int]]:
    return [(share.agreed, share.of) for share in shares]


def measures(table, equivocals) -> list[tuple[int, int]]:
    found = CallsAgainstReader(table).percent_agreement(equivocals)
    return counts((found.positive, found.negative, found.overall))


@pytest.mark.parametrize("equivocals", list(Equivocals))
def test_without_equivocal_calls_their_treatment_plays_no_part(equivocals):
    assert measures(FINAL, equivocals) == [(40, 44), (90, 96), (130, 140)]


def test_each_measure_has_both_intervals():
    positive = CallsAgainstReader(FINAL).percent_agreement(Equivocals.AS_POSITIVE).positive
    assert positive.wilson.value == positive.clopper_pearson.value == pytest.approx(40 / 44)
    # Of 57 in 60 the two are published; here they must at least lie in one another as they always do.
    assert positive.clopper_pearson.low < positive.wilson.low
    assert positive.wilson.high < positive.clopper_pearson.high


def test_20_of_20_positive_cases_has_the_interval_of_the_norm():
    table = np.diag([20, 0, 20])
    found = CallsAgainstReader(table).percent_agreement(Equivocals.AS_NEGATIVE)
    assert round(100 * found.positive.wilson.low, 1) == 83.9
    assert round(100 * found.positive.clopper_pearson.low, 1) == 83.2


def test_equivocal_calls_are_counted_as_positive_and_as_negative():
    # First and second negative in 4 of 12; taken for positive, all others are positive on one side or both.
    as_positive = CallsAgainstReader(OPEN).percent_agreement(Equivocals.AS_POSITIVE)
    assert as_positive.table == ((5, 1), (2, 4))
    assert counts((as_positive.positive, as_positive.negative, as_positive.overall)) == [
        (5, 7),
        (4, 5),
        (9, 12),
    ]
    as_negative = CallsAgainstReader(OPEN).percent_agreement(Equivocals.AS_NEGATIVE)
    assert as_negative.table == ((3, 1), (1, 7))
    assert counts((as_negative.positive, as_negative.negative, as_negative.overall)) == [
        (3, 4),
        (7, 8),
        (10, 12),
    ]


def test_no_case_is_dropped_whatever_is_made_of_equivocal_calls():
    for equivocals in Equivocals:
        assert measures(OPEN, equivocals)[2][1] == OPEN.sum()


def test_least_and_most_are_those_of_all_readings_of_every_equivocal_call():
    final = (NEGATIVE, POSITIVE)
    rows = [cell for cell in product(range(3), repeat=2) for _ in range(OPEN[cell])]
    ways = [
        [(a, b) for a in (final if x == EQUIVOCAL else [x]) for b in (final if y == EQUIVOCAL else [y])]
        for x, y in rows
    ]
    values: list[list[float]] = [[], [], []]
    for reading in product(*ways):
        positive = [first == POSITIVE for first, second in reading if second == POSITIVE]
        negative = [first == NEGATIVE for first, second in reading if second == NEGATIVE]
        same = [first == second for first, second in reading]
        for found, cases in zip(values, (positive, negative, same), strict=True):
            found.append(sum(cases) / len(cases))
    for equivocals, extreme in ((Equivocals.LEAST, min), (Equivocals.MOST, max)):
        expected = [extreme(found) for found in values]
        assert [agreed / of for agreed, of in measures(OPEN, equivocals)] == pytest.approx(expected)


def test_on_20_random_tables_the_extremes_hold_both_treatments_between_them():
    rng = np.random.default_rng(5)
    for _ in range(20):
        table = rng.integers(0, 9, (3, 3)) + np.diag([1, 0, 1])
        least, most, *between = (
            np.array([agreed / of for agreed, of in measures(table, equivocals)])
            for equivocals in (
                Equivocals.LEAST,
                Equivocals.MOST,
                Equivocals.AS_POSITIVE,
                Equivocals.AS_NEGATIVE,
            )
        )
        assert all((least <= found + 1e-12).all() and (found <= most + 1e-12).all() for found in between)


def test_equivocal_calls_stand_as_a_third_answer_in_the_table_that_keeps_them():
    assert exact_agreement(OPEN).value == pytest.approx(8 / 12)
    assert CallsAgainstReader(OPEN).equivocal_cases == 4


def test_without_positive_cases_there_is_no_positive_agreement():
    found = CallsAgainstReader(np.diag([9, 0, 0])).percent_agreement(Equivocals.AS_NEGATIVE)
    assert found.positive.wilson.value is None
    assert found.positive.wilson.why == "no case was called positive by the second reader"
    assert found.negative.wilson.value == 1.0


def test_an_empty_stratum_has_none_of_the_three():
    found = CallsAgainstReader(np.zeros((3, 3), np.int64)).percent_agreement(Equivocals.AS_POSITIVE)
    assert [s.wilson.value for s in (found.positive, found.negative, found.overall)] == [None, None, None]


def test_one_case_is_a_share_of_one():
    found = CallsAgainstReader(np.diag([0, 0, 1])).percent_agreement(Equivocals.AS_POSITIVE)
    assert (found.positive.wilson.value, found.positive.wilson.n) == (1.0, 1)


def test_against_a_reader_there_is_no_sensitivity():
    assert not hasattr(CallsAgainstReader(FINAL), "accuracy")


@pytest.mark.parametrize("name", ["", "  "])
def test_a_reference_without_a_name_is_none(name):
    with pytest.raises(ValueError, match="reference standard with a name"):
        CallsAgainstReference(FINAL, name)


def test_against_a_named_reference_there_are_sensitivity_and_specificity():
    found = CallsAgainstReference(FINAL, "consensus of three").accuracy(Equivocals.AS_POSITIVE)
    assert found.reference == "consensus of three"
    assert counts((found.sensitivity, found.specificity)) == [(40, 44), (90, 96)]


def test_a_reference_without_positive_cases_gives_no_sensitivity():
    found = CallsAgainstReference(np.diag([9, 0, 0]), "FISH").accuracy(Equivocals.LEAST)
    assert found.sensitivity.wilson.why == "the reference calls no case positive"


def test_a_table_without_a_place_for_equivocal_calls_is_refused():
    with pytest.raises(ValueError, match="three by three"):
        CallsAgainstReader(np.diag([5, 5]))
