"""Genetic heterogeneity: two populations, two result blocks, one call."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest

from her2path.domain.case import Controls
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, StatedScore
from her2path.domain.ish import IshReading, NucleusSignals, SignalSummary
from her2path.domain.populations import SecondPopulation, cell_heterogeneity, combine
from her2path.domain.verdict import State

BREAST = GUIDELINES["breast_2018"]
TWO_PLUS = StatedScore(IhcScore.TWO_PLUS, Controls.PASS)
ZERO = StatedScore(IhcScore.ZERO, Controls.PASS)
GROUP_1, GROUP_3, GROUP_4, GROUP_5 = (
    IshReading(SignalSummary(20, *totals), areas=2, controls=Controls.PASS)
    for totals in ((160, 40), (140, 80), (100, 60), (50, 40))
)
FEW = IshReading(SignalSummary(19, 160, 40), controls=Controls.PASS)


def called(share: str, second: IshReading | None, *, ihc=TWO_PLUS, main: IshReading = GROUP_5) -> CaseCall:
    call = call_case(
        CaseEvidence(ihc=ihc, ish=main, second=SecondPopulation(Fraction(share) / 100, second)), BREAST
    )
    assert isinstance(call, CaseCall)
    return call


def test_an_amplified_second_population_of_12_percent_gives_two_blocks_and_a_positive_case():
    call = called("12", GROUP_1)

    assert call.state is State.POSITIVE
    assert [(p.population, p.share, p.state, p.ish_group) for p in call.populations] == [
        ("main", Fraction(88, 100), "negative", "5"),
        ("second", Fraction(12, 100), "positive", "1"),
    ]
    assert "two_populations" in call.flags
    assert call.trail[-1].rule_id == "POP-POSITIVE"
    assert call.trail[-1].numbers == {"second_population_pct": 12.0}
    assert call.category == "positive"


@pytest.mark.parametrize("share", ["10", "9.9", "0.1"])
def test_a_second_population_of_at_most_10_percent_gives_one_block(share):
    call = called(share, GROUP_1)

    assert (call.state, call.populations) == (State.NEGATIVE, ())
    assert "second_population_small" in call.flags
    assert "two_populations" not in call.flags


def test_a_second_population_just_above_10_percent_is_counted_apart():
    assert len(called("10.01", GROUP_1).populations) == 2


def test_a_second_population_that_nobody_counted_keeps_the_case_open():
    call = called("30", None)

    assert call.state is State.NEEDS_RECOUNT
    assert call.populations[1].ish_group is None
    assert "ACT-COUNT-SECOND" in {comment.code for comment in call.comments}
    assert call.category is None
    assert "policy" in call.flags
    assert "second_population_not_counted" in call.flags
    assert "two_populations" not in call.flags


def test_an_uncounted_second_population_changes_nothing_of_a_positive_case():
    positive = called("30", None, main=GROUP_1)
    assert positive.state is State.POSITIVE
    # Somebody must count it all the same.
    assert "ACT-COUNT-SECOND" in {comment.code for comment in positive.comments}
    assert called("30", None, ihc=StatedScore(IhcScore.THREE_PLUS)).state is State.POSITIVE


def test_two_negative_populations_make_a_negative_case_with_its_category():
    call = called("40", GROUP_5, ihc=StatedScore(IhcScore.ONE_PLUS))

    assert (call.state, call.category) == (State.NEGATIVE, "low")
    assert [p.state for p in call.populations] == ["negative", "negative"]
    assert call.trail[-1].rule_id == "POP-NEGATIVE"


def test_the_mandatory_comment_of_the_second_population_is_not_lost():
    call = called("40", GROUP_4, ihc=ZERO)

    assert call.state is State.NEGATIVE
    assert "G4" in {comment.code for comment in call.comments}


def test_a_positive_case_carries_no_comment_of_its_negative_population():
    call = called("40", GROUP_1, ihc=StatedScore(IhcScore.ONE_PLUS), main=GROUP_4)

    assert call.state is State.POSITIVE
    assert "G4" not in {comment.code for comment in call.comments}
    assert "G4" in {comment.code for comment in call.populations[0].comments}


def test_too_few_nuclei_in_the_second_population_leave_the_case_indeterminate():
    call = called("40", FEW)

    assert call.state is State.INDETERMINATE
    assert call.populations[1].ish_group is None
    assert call.indeterminate


def test_a_second_population_in_a_pending_group_keeps_the_case_pending():
    assert called("40", GROUP_3).state is State.NEEDS_RECOUNT


@pytest.mark.parametrize(
    "main",
    [
        pytest.param(replace(GROUP_5, autofluorescence=True), id="autofluorescence"),
        pytest.param(replace(GROUP_5, poor_nuclei=True), id="nuclei that cannot be resolved"),
        pytest.param(replace(GROUP_5, weak_signals=200), id="weak signals"),
        pytest.param(replace(GROUP_5, controls=Controls.FAIL), id="controls"),
        pytest.param(replace(GROUP_5, areas=1), id="one area"),
    ],
)
def test_a_hybridisation_that_cannot_be_read_makes_no_positive_second_population(main):
    call = called("15", GROUP_1, main=main)

    assert (call.state, call.populations) == (State.INDETERMINATE, ())
    assert "second_population_not_read" in call.flags


def test_the_trail_names_the_rule_that_made_the_second_population_positive():
    call = called("12", GROUP_1)

    ids = [step.rule_id for step in call.trail]
    assert ids == ["IHC-STATED", "ISH-G5", "CALL-G5", "ISH-G1", "CALL-G1", "POP-POSITIVE"]
    assert [s.conclusion for s in call.trail][3:5] == [
        "second population: ISH group 1",
        "second population: positive",
    ]


def test_a_guideline_that_does_not_speak_of_populations_owns_up_to_the_policy():
    evidence = CaseEvidence(ihc=TWO_PLUS, ish=GROUP_5, second=SecondPopulation(Fraction(1, 2), GROUP_1))
    for name, policy in (("breast_2007", True), ("breast_2013", False), ("endometrial_serous_2022", True)):
        call = call_case(evidence, GUIDELINES[name])
        assert isinstance(call, CaseCall)
        assert call.state is State.POSITIVE
        assert call.trail[-1].source.startswith("her2path policy P21") is policy
        assert ("policy" in call.flags) is policy


def test_one_population_in_one_place_is_not_asked_for_two_areas():
    call = called("40", IshReading(GROUP_1.summary, areas=1, controls=Controls.PASS))

    assert call.populations[1].state is State.POSITIVE
    assert "areas_not_stated" not in call.flags


EXPECTED_ORDER = [
    State.POSITIVE,
    *(s for s in State if s.is_pending),
    State.INDETERMINATE,
    State.EQUIVOCAL,
    State.NEGATIVE,
]


@pytest.mark.parametrize(("main", "second"), list(product(State, State)))
def test_any_two_states_combine_by_exactly_one_rule(main, second):
    state, rule = combine(main, second)

    if State.POSITIVE in (main, second):
        assert state is State.POSITIVE
    elif main.is_pending:
        assert state is main
    elif second.is_pending:
        assert state is second
    else:
        assert state is min(main, second, key=EXPECTED_ORDER.index)
    assert rule.source


@pytest.mark.parametrize("share", [0, 1, Fraction(-1, 10), Fraction(11, 10)])
def test_a_share_that_is_no_part_of_the_whole_is_refused(share):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        SecondPopulation(Fraction(share))


def test_a_second_population_without_a_main_count_is_refused():
    with pytest.raises(ValueError, match="needs a first count"):
        CaseEvidence(ihc=ZERO, second=SecondPopulation(Fraction(1, 2), GROUP_1))


def test_a_second_population_uses_the_probe_of_the_main_one():
    single = IshReading(SignalSummary(20, 160, None))
    with pytest.raises(ValueError, match="same probe"):
        CaseEvidence(ish=GROUP_5, second=SecondPopulation(Fraction(1, 2), single))


@pytest.mark.parametrize(
    ("above", "heterogeneous"),
    [
        pytest.param(5, False, id="5 % is not more than 5 %"),
        pytest.param(6, True, id="6 %"),
        pytest.param(49, True, id="49 %"),
        pytest.param(50, False, id="50 % is not less than 50 %"),
    ],
)
def test_the_definition_of_2009_excludes_both_of_its_ends(above, heterogeneous):
    nuclei = above * [NucleusSignals(23, 10)] + (100 - above) * [NucleusSignals(22, 10)]

    found = cell_heterogeneity(nuclei)

    assert found is not None
    assert found.share_above == Fraction(above, 100)
    assert found.is_heterogeneous is heterogeneous


def test_nuclei_without_a_ratio_say_nothing_of_heterogeneity():
    assert cell_heterogeneity([NucleusSignals(4, 0), NucleusSignals(4, None)]) is None
