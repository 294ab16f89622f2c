from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from her2path.domain.case import Controls
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.flags import FLAG_TEXT, Flag
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import (
    TYPICAL_STAINING,
    IhcReading,
    IhcScore,
    IhcTally,
    StainingClass,
    StatedScore,
    TallyUnit,
)
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.verdict import NotEvaluable, State

B2018, B2023 = GUIDELINES["breast_2018"], GUIDELINES["breast_2023"]
INTENSE, COMPLETE, LATERAL, FAINT, NONE = StainingClass
LOST = NotEvaluable("no_tissue", "no tissue was found")


def ihc(cells: dict[StainingClass, int], controls: Controls = Controls.PASS) -> IhcReading:
    tally = IhcTally({TYPICAL_STAINING[name]: n for name, n in cells.items()})
    return IhcReading(tally, limit_of_blank=Fraction(1, 1000), controls=controls)


TWO_PLUS = ihc({COMPLETE: 500, NONE: 500})
ONE_PLUS = ihc({FAINT: 500, NONE: 500})
THREE_PLUS = ihc({INTENSE: 500, NONE: 500})


def ish(her2: int, cep17: int | None, nuclei: int = 20, controls: Controls = Controls.PASS) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17), areas=2, controls=controls)


GROUP = {1: ish(160, 40), 2: ish(60, 28), 3: ish(140, 80), 4: ish(100, 60), 5: ish(40, 40)}


def called(guideline=B2023, **evidence: object) -> CaseCall:
    call = call_case(CaseEvidence(**evidence), guideline)  # type: ignore[arg-type]
    assert isinstance(call, CaseCall)
    return call


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param({"ihc": LOST}, id="IHC alone"),
        pytest.param({"ihc": LOST, "ish": GROUP[1]}, id="IHC lost beside a positive ISH"),
        pytest.param({"ihc": THREE_PLUS, "ish": LOST}, id="ISH lost beside IHC 3+"),
        pytest.param({"ihc": TWO_PLUS, "ish": GROUP[2], "recount": LOST}, id="recount lost"),
    ],
)
def test_an_image_that_cannot_be_measured_blocks_the_call(evidence):
    assert call_case(CaseEvidence(**evidence), B2023) is LOST


def test_a_case_without_any_measurement_is_not_evaluable():
    found = call_case(CaseEvidence(), B2023)

    assert isinstance(found, NotEvaluable)
    assert found.code == "no_measurement"


def test_a_score_on_three_cells_is_not_evaluable():
    found = call_case(CaseEvidence(ihc=ihc({INTENSE: 3})), B2023)

    assert isinstance(found, NotEvaluable)
    assert found.code == "too_few_tumour_cells"


def test_a_recount_without_a_first_count_is_refused():
    with pytest.raises(ValueError, match="needs a first count"):
        CaseEvidence(recount=GROUP[1])


def test_a_recount_with_another_probe_is_refused():
    with pytest.raises(ValueError, match="same probe"):
        CaseEvidence(ish=GROUP[1], recount=ish(160, None))


def test_the_trail_leads_from_each_test_to_the_call():
    call = called(ihc=TWO_PLUS, ish=GROUP[2], recount=GROUP[2])

    assert [step.rule_id for step in call.trail] == [
        "IHC-2-COMPLETE",
        "ISH-G2",
        "ISH-G2",
        "CALL-G2-CONFIRMED",
    ]
    assert call.trail[-1].numbers == {"ihc": "2+", "ish": "2", "recount": "same"}
    assert call.state is State.NEGATIVE


def test_group_2_that_is_low_says_that_its_ratio_is_unclear():
    assert "low_with_ratio_at_least_2" in called(ihc=ONE_PLUS, ish=GROUP[2]).flags
    assert "low_with_ratio_at_least_2" not in called(ihc=ONE_PLUS, ish=GROUP[4]).flags
    null = ihc({NONE: 1000})
    assert "low_with_ratio_at_least_2" not in called(ihc=null, ish=GROUP[2]).flags


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        pytest.param({"ihc": THREE_PLUS, "ish": GROUP[5]}, State.POSITIVE, id="IHC 3+, group 5"),
        pytest.param({"ihc": ONE_PLUS, "ish": GROUP[1]}, State.POSITIVE, id="IHC 1+, group 1"),
        pytest.param({"ihc": ONE_PLUS, "ish": ish(160, None)}, State.POSITIVE, id="IHC 1+, single probe 8.0"),
    ],
)
def test_contradicting_tests_are_flagged(evidence, state):
    call = called(**evidence)

    assert call.state is state
    assert "discordant" in call.flags
    assert call.comments


@pytest.mark.parametrize(
    ("evidence", "state", "flag"),
    [
        pytest.param(
            {"ihc": TWO_PLUS, "ish": GROUP[2], "recount": ish(10, 5, 10)},
            State.NEEDS_RECOUNT,
            "recount_not_valid",
            id="recount of 10 nuclei",
        ),
        pytest.param(
            {"ihc": TWO_PLUS, "ish": GROUP[2], "recount": GROUP[1]},
            State.NEEDS_ADJUDICATION,
            "recount_differs",
            id="recount in group 1",
        ),
        pytest.param(
            {"ihc": THREE_PLUS, "ish": GROUP[2], "recount": GROUP[1]},
            State.POSITIVE,
            "recount_differs",
            id="IHC 3+ needs no recount",
        ),
        pytest.param(
            {"ihc": TWO_PLUS, "ish": ish(10, 5, 10), "recount": GROUP[1]},
            State.INDETERMINATE,
            "recount_not_comparable",
            id="first count of 10 nuclei",
        ),
        pytest.param(
            {"ihc": ONE_PLUS, "ish": ish(10, 5, 10)}, State.NEGATIVE, "ish_indeterminate", id="IHC 1+ stands"
        ),
        pytest.param(
            {"ihc": ihc({INTENSE: 500}, Controls.FAIL), "ish": GROUP[5]},
            State.NEGATIVE,
            "ihc_indeterminate",
            id="IHC failed, group 5 stands",
        ),
    ],
)
def test_what_went_wrong_is_flagged_beside_the_call(evidence, state, flag):
    call = called(**evidence)

    assert call.state is state
    assert flag in call.flags


def test_a_failed_test_hands_its_reason_to_the_call_and_shows_no_result():
    call = called(ihc=TWO_PLUS, ish=ish(10, 5, 10))

    assert call.ish_group is None
    assert [reason.codes for reason in call.indeterminate] == [("ISH-REJECT-NUCLEI",)]


@pytest.mark.parametrize(
    ("evidence", "by_policy"),
    [
        pytest.param({"ihc": ihc({FAINT: 1, NONE: 999})}, True, id="P4: stained within the blank"),
        pytest.param({"ihc": ihc({NONE: 1000})}, False, id="no staining"),
        pytest.param({"ihc": ONE_PLUS, "ish": ish(10, 5, 10)}, True, id="P8: 10 nuclei"),
        pytest.param({"ihc": TWO_PLUS, "ish": GROUP[2], "recount": GROUP[4]}, True, id="P5: other group"),
        pytest.param({"ihc": ONE_PLUS, "ish": ish(160, None)}, True, id="P6: single probe"),
        pytest.param({"ihc": TWO_PLUS, "ish": GROUP[2]}, False, id="all by the guideline"),
    ],
)
def test_a_call_that_rests_on_a_policy_says_so(evidence, by_policy):
    assert ("policy" in called(**evidence).flags) is by_policy


def test_flags_stand_once_and_in_order():
    call = called(ihc=replace(TWO_PLUS, controls=Controls.UNKNOWN), ish=GROUP[2], recount=GROUP[1])

    assert list(call.flags) == sorted(set(call.flags))
    assert set(call.flags) <= set(Flag)


def test_the_2023_guideline_adds_a_note_to_a_negative_ihc_and_the_2018_one_does_not():
    def codes(guideline, **evidence: object) -> list[str]:
        return [comment.code for comment in called(guideline, **evidence).comments]

    assert codes(B2023, ihc=ONE_PLUS) == ["NOTE-LOW"]
    assert codes(B2018, ihc=ONE_PLUS) == []
    assert codes(B2023, ihc=ONE_PLUS, ish=GROUP[4]) == ["G4", "NOTE-LOW"]
    assert codes(B2023, ish=GROUP[5]) == []
    assert codes(B2023, ihc=THREE_PLUS) == []


def test_distances_to_every_cut_are_stated_without_rounding():
    call = called(ihc=TWO_PLUS, ish=GROUP[3])

    found = {(d.quantity, d.cut): d.distance for d in call.distances}
    assert found[("pct_complete", 10.0)] == 40.0
    assert found[("pct_complete_intense", 10.0)] == -10.0
    assert found[("pct_stained_over_blank", 0.1)] == pytest.approx(49.9)
    assert found[("her2_cep17_ratio", 2.0)] == -0.25
    assert (found[("her2_mean", 4.0)], found[("her2_mean", 6.0)]) == (3.0, 1.0)


@pytest.mark.parametrize(
    ("count", "quantities"),
    [
        pytest.param(ish(160, None), {"her2_mean"}, id="single probe"),
        pytest.param(ish(160, 0), {"her2_mean"}, id="no CEP17 signal"),
        pytest.param(ish(0, 0, 0), set(), id="no nucleus"),
    ],
)
def test_an_undefined_number_has_no_distance(count, quantities):
    assert {d.quantity for d in called(ihc=StatedScore(IhcScore.ZERO), ish=count).distances} == quantities


@pytest.mark.parametrize(
    ("evidence", "category"),
    [
        pytest.param({"ihc": ONE_PLUS}, "low", id="1+"),
        pytest.param({"ihc": TWO_PLUS, "ish": GROUP[5]}, "low", id="2+, ISH negative"),
        pytest.param({"ihc": TWO_PLUS}, None, id="2+ pending"),
        pytest.param({"ihc": ihc({FAINT: 2, NONE: 998})}, "ultralow", id="0 above the blank"),
        pytest.param({"ihc": ihc({FAINT: 1, NONE: 999})}, "null", id="0 on the blank"),
        pytest.param({"ihc": StatedScore(IhcScore.ZERO)}, None, id="0 without percentages"),
        pytest.param({"ihc": StatedScore(IhcScore.ONE_PLUS)}, "low", id="1+ without percentages"),
        pytest.param({"ish": GROUP[5]}, None, id="negative without IHC"),
        pytest.param({"ish": GROUP[1]}, "positive", id="positive without IHC"),
    ],
)
def test_overlay_stays_apart_and_names_its_basis(evidence, category):
    call = called(**evidence)

    assert call.category == category
    assert (call.overlay is None) == (category is None)
    assert call.overlay is None or call.overlay.basis


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        pytest.param(ihc({FAINT: 1, NONE: 999}), "1 of 1000 cells, 0.1 %, read as stained", id="cells"),
        pytest.param(
            ihc({FAINT: 1, NONE: 40_000}),
            "1 of 40001 cells, less than 0.01 %, read as stained",
            id="one of many",
        ),
        pytest.param(
            replace(ihc({FAINT: 1, NONE: 999}), unit=TallyUnit.SHARES), "0.1 % read as stained", id="shares"
        ),
    ],
)
def test_null_within_the_limit_of_blank_does_not_claim_that_no_membrane_stains(reading, said):
    overlay = called(ihc=reading).overlay

    assert overlay is not None
    assert overlay.category == "null"
    assert "without membrane staining" not in overlay.basis
    assert overlay.basis.endswith(f"no staining beyond the limit of blank ({said})")


def test_null_without_a_stained_cell_is_without_membrane_staining():
    overlay = called(ihc=ihc({NONE: 1000})).overlay

    assert overlay is not None
    assert overlay.basis.endswith("IHC 0 without membrane staining")


def test_a_guideline_without_low_expression_categories_has_no_overlay():
    assert called(replace(B2018, has_low_expression_overlay=False), ihc=ONE_PLUS).overlay is None


def test_every_flag_has_its_sentence():
    assert set(FLAG_TEXT) == set(Flag)


def test_a_cohort_can_do_without_distances_and_is_called_the_same():
    evidence = CaseEvidence(ihc=TWO_PLUS, ish=GROUP[3])

    with_them, without = call_case(evidence, B2023), call_case(evidence, B2023, distances=False)

    assert isinstance(with_them, CaseCall)
    assert with_them.distances
    assert without == replace(with_them, distances=())
