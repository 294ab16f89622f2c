"""Counts by the program beside a first count: held against it, deciding nothing."""

from __future__ import annotations

import pytest

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.recount import checks_of

BREAST = GUIDELINES["breast_2023"]


def count(her2: int, cep17: int, nuclei: int = 20) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17))


FIRST = count(120, 61)


@pytest.mark.parametrize(
    ("counted", "agrees"),
    [
        pytest.param(count(121, 62), True, id="group 3 as the first count"),
        pytest.param(count(160, 40), False, id="group 1 beside group 3"),
    ],
)
def test_a_check_says_whether_it_falls_into_the_group_of_the_first_count(counted, agrees):
    (check,) = checks_of({"other fields": counted}, FIRST, BREAST)

    assert (check.name, check.summary, check.agrees, check.why) == (
        "other fields",
        counted.summary,
        agrees,
        "",
    )


def test_a_check_that_the_guideline_does_not_read_says_why():
    (check,) = checks_of({"other fields": count(57, 30, nuclei=19)}, FIRST, BREAST)

    assert check.group is None
    assert check.agrees is None
    assert "20" in check.why


def test_a_first_count_without_a_group_agrees_with_nothing():
    (check,) = checks_of({"other fields": count(120, 61)}, count(57, 30, nuclei=19), BREAST)

    assert check.group is not None
    assert check.agrees is None


def test_without_a_first_count_there_is_nothing_to_check():
    assert checks_of({"other fields": FIRST}, None, BREAST) == ()
