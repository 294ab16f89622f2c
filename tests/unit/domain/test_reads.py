"""What a reader stated stands; what was left open follows by the guideline or stays open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from her2path.domain.case import Specimen
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.reads import (
    LEVELS,
    NOT_EVALUABLE,
    ClinicalCategory,
    Contradiction,
    Endpoint,
    Findings,
    call_class,
    clinical_category,
    interpret,
)

BREAST = find_guideline("breast_2023")
GASTRIC = find_guideline("gastroesophageal_2016")
ZERO, ONE, TWO, THREE = IhcScore


def shares(**named):
    return {StainingClass(name): Decimal(value) for name, value in named.items()}


UNSEEN = {name: Decimal(0) for name in StainingClass}
"""All five classes, none of them seen."""


@pytest.mark.parametrize(
    ("findings", "call", "category"),
    [
        pytest.param(Findings(THREE), "positive", "positive", id="3+ is positive by itself"),
        pytest.param(Findings(ONE), "negative", "low", id="1+ is negative and low"),
        pytest.param(Findings(TWO), "needs_ish", None, id="2+ without ISH has no category yet"),
        pytest.param(
            Findings(TWO, her2=80, cep17=40, nuclei=20), "positive", "positive", id="2+ with ratio 2.0"
        ),
        pytest.param(Findings(TWO, her2=60, cep17=40, nuclei=20), "negative", "low", id="2+ with ratio 1.5"),
        pytest.param(
            Findings(TWO, her2=70, cep17=35, nuclei=20), "needs_recount", None, id="2+ in group 2 waits"
        ),
        pytest.param(Findings(ZERO), "negative", None, id="0 without percentages is 0 or ultralow"),
        pytest.param(Findings(), None, None, id="nothing read"),
    ],
)
def test_what_is_left_open_follows_by_the_guideline(findings, call, category):
    result = interpret(findings, BREAST)

    assert (result.call, result.category) == (call, category)
    assert result.contradiction is None


@pytest.mark.parametrize(
    ("percentages", "score", "category"),
    [
        pytest.param(shares(none="100"), ZERO, "0", id="no cell stains"),
        pytest.param(shares(incomplete_faint="10", none="90"), ZERO, "ultralow", id="on the cut of 10 %"),
        pytest.param(shares(incomplete_faint="10.1", none="89.9"), ONE, "low", id="above the cut"),
        pytest.param(shares(complete_intense="10.1", none="89.9"), THREE, "positive", id="3+ above 10 %"),
    ],
)
def test_percentages_that_account_for_all_cells_give_the_score(percentages, score, category):
    result = interpret(Findings(percentages=percentages), BREAST)

    assert (result.score, result.category) == (score, category)


def test_percentages_that_leave_cells_out_give_no_score():
    result = interpret(Findings(percentages=shares(complete_intense="30")), BREAST)

    assert (result.score, result.call, result.category) == (None, None, None)


def test_percentages_beside_a_score_of_0_tell_ultralow():
    result = interpret(Findings(ZERO, shares(incomplete_faint="5", none="95")), BREAST)

    assert result.category is ClinicalCategory.ULTRALOW


def test_a_score_other_than_its_percentages_stands_and_is_said():
    result = interpret(Findings(ONE, shares(incomplete_faint="5", none="95")), BREAST)

    assert result.score is ONE
    assert result.category is ClinicalCategory.LOW
    assert result.contradiction is Contradiction.SCORE_OTHER_THAN_PERCENTAGES


def test_a_stated_call_says_more_than_a_pending_one():
    result = interpret(Findings(TWO, call="negative"), BREAST)

    assert (result.call, result.category, result.contradiction) == ("negative", "low", None)


def test_a_pending_call_of_the_reader_is_not_overruled():
    result = interpret(Findings(ONE, call="needs_ish"), BREAST)

    assert (result.call, result.category, result.contradiction) == ("needs_ish", None, None)


def test_a_call_against_the_readers_own_numbers_gives_no_category():
    result = interpret(Findings(THREE, call="negative"), BREAST)

    assert (result.score, result.call, result.category) == (THREE, "negative", None)
    assert result.contradiction is Contradiction.CALL_OTHER_THAN_NUMBERS


def test_a_call_alone_gives_the_category_only_where_it_is_positive():
    assert interpret(Findings(call="positive"), BREAST).category is ClinicalCategory.POSITIVE
    assert interpret(Findings(call="negative"), BREAST).category is None


def test_a_case_that_could_not_be_read_has_no_category():
    result = interpret(Findings(ONE, call=NOT_EVALUABLE), BREAST)

    assert (result.call, result.category) == (NOT_EVALUABLE, None)


def test_the_group_of_a_count_is_stated_without_ihc():
    result = interpret(Findings(her2=80, cep17=40, nuclei=20), BREAST)

    assert (result.score, result.ish_group) == (None, "1")


def test_a_count_of_too_few_nuclei_has_no_group():
    assert interpret(Findings(TWO, her2=80, cep17=40, nuclei=19), BREAST).ish_group is None


def test_percentages_that_lead_to_two_scores_by_their_intensity_leave_it_open():
    # Incomplete staining is moderate or strong; only guidelines outside the breast part them.
    lateral = shares(incomplete_moderate_intense="50", none="50")

    resection = Findings(percentages=lateral, specimen=Specimen.RESECTION)
    assert interpret(resection, GASTRIC).score is None
    assert interpret(Findings(percentages=lateral), BREAST).score is not None


def test_a_score_stands_where_the_guideline_cannot_read_its_percentages():
    # Percentages of a biopsy and of a resection are read differently; a score is the pathologist's.
    result = interpret(Findings(THREE, shares(complete_intense="60", none="40")), GASTRIC)

    assert (result.score, result.call, result.contradiction) == (THREE, "positive", None)


def test_what_a_guideline_cannot_evaluate_stays_open():
    few = shares(complete_intense="5", none="95")

    result = interpret(Findings(percentages=few), GASTRIC)

    assert (result.score, result.call) == (None, None)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("positive", "positive"),
        ("negative", "negative"),
        ("needs_recount", "equivocal"),
        ("equivocal", "equivocal"),
        (NOT_EVALUABLE, None),
        (None, None),
    ],
)
def test_calls_are_positive_negative_or_neither(call, expected):
    assert call_class(call) == expected


def test_no_category_stays_none():
    assert clinical_category(None) is None


def test_reads_that_state_the_same_have_the_same_key():
    one = Findings(ZERO, shares(none="100"))
    assert one.key == Findings(ZERO, shares(none="100.0")).key
    assert one.key != Findings(ZERO).key


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"percentages": shares(none="101")}, id="more than all cells"),
        pytest.param({"percentages": shares(none="60", incomplete_faint="60")}, id="sum above 100"),
        pytest.param({"her2": 80}, id="signals in no nuclei"),
        pytest.param({"cep17": 40, "nuclei": 20}, id="nuclei without HER2"),
        pytest.param({"call": "amplified"}, id="no call"),
    ],
)
def test_findings_cannot_hold_nonsense(wrong):
    with pytest.raises(ValueError, match=r"."):
        Findings(**wrong)


def test_levels_ascend():
    assert LEVELS[Endpoint.CATEGORY] == ("0", "ultralow", "low", "positive")
    assert LEVELS[Endpoint.SCORE] == ("0", "1+", "2+", "3+")
    assert LEVELS[Endpoint.CALL] == ("negative", "equivocal", "positive")


def test_rounded_percentages_are_scored_where_every_rounding_gives_the_same_score():
    for third in ("33.3", "33.4"):
        typed = UNSEEN | shares(complete_intense=third, complete_weak_moderate=third, none=third)

        assert interpret(Findings(percentages=typed), BREAST).score is THREE


def test_rounding_that_decides_on_the_score_leaves_it_open():
    # 10.0 % intense complete staining is not above the cut of 10 %, 10.1 % is.
    typed = UNSEEN | shares(complete_intense="10.0", none="89.9")

    assert interpret(Findings(percentages=typed), BREAST).score is None
    assert interpret(Findings(TWO, typed), BREAST).contradiction is None


def test_a_class_that_was_not_seen_stays_so():
    typed = UNSEEN | shares(none="99.9")

    assert interpret(Findings(percentages=typed), BREAST).category == "0"


def test_beyond_their_rounding_percentages_do_not_account_for_all_cells():
    assert not Findings(percentages=UNSEEN | shares(none="99.7")).is_whole
