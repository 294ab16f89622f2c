"""Reads arranged as cases by readers: majorities, and why a case cannot be compared."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.read_matrix import ReadColumn, ReadMatrix, ReadStatus, left_out

VALUE, OPEN, FAILED, UNREAD = (
    ReadStatus.VALUE,
    ReadStatus.NO_VALUE,
    ReadStatus.NOT_EVALUABLE,
    ReadStatus.NOT_READ,
)


def matrix(rows, status=None):
    codes = np.array(rows, dtype=np.int8)
    found = np.full(codes.shape, VALUE) if status is None else np.array(status)
    return ReadMatrix(codes, found.astype(np.int8))


def column(*status):
    return ReadColumn(np.zeros(len(status), np.int8), np.array(status, dtype=np.int8))


def test_a_majority_is_more_than_half_of_those_who_read():
    reads = matrix([[0, 0, 1], [0, 1, 2], [3, 3, 3]])

    found = reads.majority([0, 1, 2], categories=4)

    assert found.has.tolist() == [True, False, True]
    assert found.codes.tolist() == [0, 0, 3]


def test_one_reader_is_no_majority_and_two_must_agree():
    reads = matrix([[2, 0], [2, 2], [1, 3]], [[VALUE, UNREAD], [VALUE, VALUE], [VALUE, VALUE]])

    assert reads.majority([0, 1], categories=4).has.tolist() == [False, True, False]


def test_the_majority_of_the_others_leaves_the_reader_out():
    reads = matrix([[0, 1, 1]])

    assert reads.majority([1, 2], categories=4).codes.tolist() == [1]
    assert reads.majority([0, 1], categories=4).status.tolist() == [OPEN]


def test_a_case_that_nobody_read_is_not_read_by_the_majority_either():
    reads = matrix([[0, 0]], [[UNREAD, UNREAD]])

    assert reads.majority([0, 1], categories=4).status.tolist() == [UNREAD]


def test_one_reader_of_a_matrix():
    reads = matrix([[0, 1], [2, 3]], [[VALUE, OPEN], [VALUE, VALUE]])

    assert reads.reader(1).codes.tolist() == [1, 3]
    assert reads.reader(1).has.tolist() == [False, True]


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        pytest.param(VALUE, UNREAD, "not_read_second", id="the second did not read it"),
        pytest.param(FAILED, VALUE, "not_evaluable_first", id="the software could not evaluate it"),
        pytest.param(OPEN, VALUE, "no_value_first", id="the first has no category yet"),
        pytest.param(OPEN, OPEN, "no_value_both", id="neither has one"),
        pytest.param(OPEN, FAILED, "not_evaluable_second", id="the one who lacks most gives the reason"),
    ],
)
def test_why_a_case_cannot_be_compared(first, second, reason):
    assert left_out(column(first), column(second), np.ones(1, bool)) == {reason: 1}


def test_cases_that_are_compared_or_that_neither_read_are_not_left_out():
    assert left_out(column(VALUE, UNREAD), column(VALUE, UNREAD), np.ones(2, bool)) == {}


def test_cases_of_another_stratum_are_not_looked_at():
    assert left_out(column(VALUE), column(UNREAD), np.zeros(1, bool)) == {}


def test_codes_and_reasons_have_one_shape():
    with pytest.raises(ValueError, match="cases by readers"):
        ReadMatrix(np.zeros((2, 2), np.int8), np.zeros((2, 3), np.int8))
