from __future__ import annotations

import pytest

from her2path.domain.reclassification import NOT_EVALUABLE, Move, reclassify
from her2path.domain.verdict import State

PAIRS = [
    (State.POSITIVE, State.NEGATIVE),
    (State.POSITIVE, State.NEGATIVE),
    (State.POSITIVE, State.POSITIVE),
    (State.EQUIVOCAL, State.NEEDS_RECOUNT),
    (State.NEGATIVE, State.NEGATIVE),
    (NOT_EVALUABLE, State.NEGATIVE),
]


def test_cases_are_counted_over_both_results():
    found = reclassify("breast_2013", "breast_2018", PAIRS)

    assert (found.cases, found.unchanged) == (6, 2)
    assert found.counts[State.POSITIVE, State.NEGATIVE] == 2


def test_results_that_do_not_occur_have_no_row_and_no_column():
    found = reclassify("breast_2013", "breast_2018", PAIRS)

    assert found.rows == ("positive", "negative", "equivocal", "not_evaluable")
    assert found.columns == ("positive", "negative", "needs_recount")


def test_changes_are_listed_with_their_direction_the_most_frequent_first():
    assert reclassify("a", "b", PAIRS).moves == (
        Move("positive", "negative", 2),
        Move("equivocal", "needs_recount", 1),
        Move("not_evaluable", "negative", 1),
    )


def test_the_order_of_the_cases_changes_nothing():
    one, other = reclassify("a", "b", PAIRS), reclassify("a", "b", reversed(PAIRS))

    assert list(one.counts.items()) == list(other.counts.items())


def test_a_cohort_without_cases_has_no_changes():
    found = reclassify("a", "b", [])

    assert (found.cases, found.moves, found.rows) == (0, (), ())


def test_a_faulty_row_is_no_result():
    with pytest.raises(ValueError, match="faulty"):
        reclassify("a", "b", [("faulty", "positive")])
