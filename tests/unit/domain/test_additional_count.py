"""Stomach and oesophagus: an equivocal ISH is read again on the sum of two counts."""

from __future__ import annotations

import pytest

from her2path.domain.case import Controls
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, StatedScore
from her2path.domain.ish import IshReading, SignalSummary

STOMACH = GUIDELINES["gastroesophageal_2016"]


def count(nuclei: int, her2: int, cep17: int) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17), areas=2, controls=Controls.PASS)


def called(first: IshReading, second: IshReading | None = None, score: str = "2+") -> CaseCall:
    call = call_case(
        CaseEvidence(ihc=StatedScore(IhcScore(score), Controls.PASS), ish=first, recount=second), STOMACH
    )
    assert isinstance(call, CaseCall)
    return call


EQUIVOCAL = count(20, 100, 70)  # ratio 1.43, CEP17 3.5, HER2 5.0


def test_an_equivocal_count_asks_for_more_nuclei():
    call = called(EQUIVOCAL)

    assert (call.state, call.ish_group) == ("needs_recount", "equivocal")
    assert [comment.code for comment in call.comments] == ["ACT-COUNT-MORE"]


@pytest.mark.parametrize(
    ("second", "state", "group"),
    [
        pytest.param(count(20, 141, 70), "positive", "amplified", id="together 6.03 copies"),
        pytest.param(count(20, 140, 70), "equivocal", "equivocal", id="together exactly 6.0 copies"),
        pytest.param(count(20, 60, 70), "equivocal", "equivocal", id="together exactly 4.0 copies"),
        pytest.param(count(20, 59, 70), "negative", "not_amplified", id="together 3.98 copies"),
        pytest.param(count(20, 180, 70), "positive", "amplified", id="together ratio 2.0"),
    ],
)
def test_the_sum_of_both_counts_decides(second, state, group):
    call = called(EQUIVOCAL, second)

    assert (call.state, call.ish_group) == (state, group)
    assert call.trail[-2].numbers["nuclei"] == 40
    assert call.trail[-2].conclusion == f"both counts: ISH {group}"
    assert "recount_blinding_not_stated" not in call.flags


def test_nuclei_that_still_leave_it_equivocal_are_owned_up_to_as_a_policy():
    call = called(EQUIVOCAL, count(20, 100, 70))

    assert call.trail[-1].source.startswith("her2path policy P20")
    assert "policy" in call.flags
    assert [comment.code for comment in call.comments] == ["ACT-OTHER-PROBE"]


def test_fewer_than_20_further_nuclei_do_not_count():
    call = called(EQUIVOCAL, count(19, 180, 70))

    assert call.state == "needs_recount"
    assert "recount_not_valid" in call.flags


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        pytest.param(count(20, 82, 40), count(20, 81, 40), "positive", id="both at 2.0 or more"),
        pytest.param(count(20, 82, 40), count(20, 60, 40), "needs_adjudication", id="amplified, then not"),
        pytest.param(count(20, 60, 40), count(20, 60, 40), "negative", id="both below"),
        pytest.param(
            count(40, 159, 119), count(40, 241, 120), "needs_adjudication", id="not, then amplified"
        ),
        pytest.param(count(20, 60, 40), EQUIVOCAL, "needs_adjudication", id="not, then equivocal"),
    ],
)
def test_a_count_that_was_not_equivocal_is_confirmed_or_disputed_by_the_recount(first, second, state):
    call = called(first, second)

    assert call.state == state
    assert ("recount_differs" in call.flags) is (state == "needs_adjudication")
    assert call.trail[-2].conclusion.startswith("recount: ISH")


def test_a_score_that_needs_no_ish_is_not_touched_by_a_disputed_count():
    first, second = count(20, 82, 40), count(20, 60, 40)

    assert called(first, second, "3+").state == "positive"
    assert called(first, second, "0").state == "negative"
