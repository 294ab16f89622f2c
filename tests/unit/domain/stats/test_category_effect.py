"""What differences of readers do to the clinical category."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.category_effect import CategoryChange, ReadCodes, differences

ZERO, ONE_PLUS, TWO_PLUS, THREE_PLUS = range(4)
NULL, ULTRALOW, LOW, POSITIVE = range(4)


def reads(*rows: tuple[int | None, int | None]) -> ReadCodes:
    """Score and category of each case; None = there is none."""
    columns = zip(*rows, strict=True)
    codes = []
    for column in columns:
        codes += [
            np.array([9 if c is None else c for c in column]),
            np.array([c is not None for c in column]),
        ]
    return ReadCodes(*codes)


def told(first: ReadCodes, second: ReadCodes):
    return [
        (d.first_score, d.second_score, d.first_category, d.second_category, d.change.value, d.cases.tolist())
        for d in differences(first, second)
    ]


def test_the_step_from_0_to_1_plus_changes_the_treatment_and_that_within_low_does_not():
    first = reads((ZERO, ULTRALOW), (ONE_PLUS, LOW), (ZERO, NULL))
    second = reads((ONE_PLUS, LOW), (TWO_PLUS, LOW), (ONE_PLUS, LOW))
    assert told(first, second) == [
        (ZERO, ONE_PLUS, NULL, LOW, "treatment", [2]),
        (ZERO, ONE_PLUS, ULTRALOW, LOW, "treatment", [0]),
        (ONE_PLUS, TWO_PLUS, LOW, LOW, "none", [1]),
    ]


def test_the_same_score_of_0_can_be_null_or_ultralow():
    assert told(reads((ZERO, NULL)), reads((ZERO, ULTRALOW))) == [
        (ZERO, ZERO, NULL, ULTRALOW, "treatment", [0])
    ]


def test_a_2_plus_without_ish_leaves_the_effect_open():
    assert told(reads((TWO_PLUS, None)), reads((THREE_PLUS, POSITIVE))) == [
        (TWO_PLUS, THREE_PLUS, None, POSITIVE, "open", [0])
    ]


def test_what_all_agree_on_or_one_did_not_read_is_no_difference():
    assert differences(reads((ZERO, NULL), (TWO_PLUS, None)), reads((ZERO, NULL), (None, None))) == ()


def test_a_call_without_score_is_compared_by_its_category():
    assert told(reads((None, POSITIVE)), reads((ONE_PLUS, LOW))) == [
        (None, ONE_PLUS, POSITIVE, LOW, "treatment", [0])
    ]


def test_frequent_differences_come_first_and_open_ones_after_those_that_change_the_treatment():
    first = reads((ONE_PLUS, LOW), (ONE_PLUS, LOW), (TWO_PLUS, None), (ZERO, NULL), (ONE_PLUS, LOW))
    second = reads((TWO_PLUS, LOW), (TWO_PLUS, LOW), (ONE_PLUS, LOW), (ONE_PLUS, LOW), (ZERO, NULL))
    changes = [(d.change, len(d.cases)) for d in differences(first, second)]
    assert changes == [
        (CategoryChange.TREATMENT, 1),
        (CategoryChange.TREATMENT, 1),
        (CategoryChange.OPEN, 1),
        (CategoryChange.NONE, 2),
    ]


def test_no_cases_have_no_differences():
    nothing = ReadCodes(*[np.zeros(0, kind) for kind in (int, bool, int, bool)])
    assert differences(nothing, nothing) == ()


def test_readers_of_other_cases_are_refused():
    with pytest.raises(ValueError, match="same cases"):
        differences(reads((ZERO, NULL)), reads((ZERO, NULL), (ZERO, NULL)))


def test_masks_of_another_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        ReadCodes(np.array([0]), np.array([True]), np.array([0, 1]), np.array([True, True]))
