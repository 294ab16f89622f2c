"""What must hold for every case, whatever its numbers."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2path.domain.case import Specimen
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import TYPICAL_STAINING, IhcReading, IhcTally, Reactivity, StainingClass
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.domain.low_expression import Her2Category
from her2path.domain.verdict import NotEvaluable, State

INTENSE, COMPLETE, LATERAL, FAINT, NONE = StainingClass
RAISES = ((NONE, FAINT), (FAINT, LATERAL), (FAINT, COMPLETE), (COMPLETE, INTENSE), (LATERAL, INTENSE))
"""Steps by which a cell stains more strongly in the order of every guideline."""
LABELS = ("pantumour_tdxd_2024", "biliary_zanidatamab_2024")
"""They ask for 3+ alone, so a 2+ is final."""
BY_EXTENT = "colorectal_heracles_2015"
"""The extent of the staining decides, not the score."""

# Ids, not guidelines: a guideline is all of its rules, which is more than a failure should print.
guidelines = st.sampled_from(list(GUIDELINES))
cells = st.lists(st.integers(0, 400), min_size=5, max_size=5).filter(lambda counts: sum(counts) >= 20)
blanks = st.fractions(0, Fraction(99, 1000), max_denominator=1000)
nuclei = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 15)), max_size=60)
specimens = st.sampled_from((Specimen.RESECTION, Specimen.BIOPSY))
clusters = st.lists(st.integers(0, 8), min_size=3, max_size=3)


def tally(counts: dict[StainingClass, int]) -> IhcTally:
    return IhcTally({TYPICAL_STAINING[name]: n for name, n in counts.items()})


def by_class(counts: list[int]) -> dict[StainingClass, int]:
    return dict(zip(StainingClass, counts, strict=True))


def stained(counts: dict[StainingClass, int], blank: Fraction = Fraction(0), **more: object) -> IhcReading:
    return IhcReading(tally(counts), blank, **{"specimen": Specimen.RESECTION, **more})  # type: ignore[arg-type]


def by_level(sizes: list[int]) -> dict[Reactivity, int]:
    """The largest cluster that stains at least like a level grows as the level falls."""
    levels = (Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT)
    return dict(zip(levels, sorted(sizes), strict=True))


def counted(signals: list[tuple[int, int]]) -> IshReading:
    one_by_one = [NucleusSignals(*pair) for pair in signals]
    share = share_with_ratio(one_by_one, ratio_is_at_least_2)
    return IshReading(SignalSummary.of(one_by_one), share_ratio_at_least_2=share)


def called(guideline: str, **evidence: object) -> CaseCall:
    call = call_case(CaseEvidence(**evidence), GUIDELINES[guideline])  # type: ignore[arg-type]
    assert isinstance(call, CaseCall)
    return call


@given(guidelines, cells, blanks, specimens, clusters, nuclei, nuclei)
def test_every_case_has_exactly_one_call_with_a_source_for_each_step(
    guideline, counts, blank, specimen, sizes, first, second
):
    ihc = stained(by_class(counts), blank, specimen=specimen, clusters=by_level(sizes))

    call = called(guideline, ihc=ihc, ish=counted(first), recount=counted(second))

    assert all(step.rule_id and step.source for step in call.trail)
    if GUIDELINES[guideline].has_low_expression_overlay:
        assert (call.category is Her2Category.POSITIVE) == (call.state is State.POSITIVE)
    else:
        assert call.overlay is None


@given(guidelines, cells, blanks, nuclei, st.integers(2, 50))
def test_a_call_depends_on_proportions_alone_once_there_are_enough_cells(
    guideline, counts, blank, signals, k
):
    def result(times: int) -> tuple[object, ...]:
        ihc = stained({name: times * n for name, n in by_class(counts).items()}, blank)
        call = called(guideline, ihc=ihc, ish=counted(signals * times))
        return call.state, call.ihc_score, call.ish_group, call.category

    if len(signals) >= 20:
        assert result(k) == result(1)


@given(nuclei, st.randoms(use_true_random=False))
def test_the_order_of_the_nuclei_is_of_no_consequence(signals, rng: random.Random):
    shuffled = list(signals)
    rng.shuffle(shuffled)

    assert counted(shuffled) == counted(signals)


@given(guidelines, cells, blanks, st.sampled_from(RAISES), st.data())
def test_stronger_staining_never_lowers_the_score(guideline, counts, blank, step, data):
    before, after = _raised(counts, step, data)

    scores = [decide(stained(c, blank), GUIDELINES[guideline].ihc).conclusion.score for c in (before, after)]

    assert scores == sorted(scores)


@given(guidelines, cells, blanks, st.sampled_from(RAISES), st.data())
def test_stronger_staining_never_leads_away_from_a_positive_result(guideline, counts, blank, step, data):
    order = (State.NEGATIVE, State.NEEDS_ISH, State.POSITIVE)

    states = [called(guideline, ihc=stained(c, blank)).state for c in _raised(counts, step, data)]

    assert states == sorted(states, key=order.index)


def _raised(counts, step, data) -> tuple[dict[StainingClass, int], dict[StainingClass, int]]:
    before = by_class(counts)
    weaker, stronger = step
    moved = data.draw(st.integers(0, before[weaker]))
    return before, {**before, weaker: before[weaker] - moved, stronger: before[stronger] + moved}


@pytest.mark.parametrize(
    "ihc",
    [
        pytest.param(None, id="ISH alone"),
        pytest.param(stained({COMPLETE: 60, NONE: 40}), id="beside IHC 2+"),
    ],
)
@given(guidelines, st.integers(20, 100), st.integers(1, 900), st.integers(1, 900), st.integers(0, 50))
def test_more_her2_signals_never_turn_a_positive_ish_negative(ihc, guideline, n, her2, cep17, more):
    def state(signals: int) -> State:
        summary = SignalSummary(n, signals, cep17)
        return called(
            guideline, ihc=ihc, ish=IshReading(summary, share_ratio_at_least_2=Fraction(1, 2))
        ).state

    if state(her2) is State.POSITIVE:
        assert state(her2 + more) is State.POSITIVE
    if state(her2 + more) is State.NEGATIVE:
        assert state(her2) is State.NEGATIVE


@given(guidelines, st.lists(st.integers(0, 6), min_size=5, max_size=5))
def test_a_handful_of_cells_never_has_a_score(guideline, counts):
    found = call_case(CaseEvidence(ihc=stained(by_class(counts))), GUIDELINES[guideline])

    assert isinstance(found, NotEvaluable) == (sum(counts) < 20)


@given(guidelines.filter(lambda name: name not in (*LABELS, BY_EXTENT)), cells, blanks)
def test_nothing_final_is_said_of_a_two_plus_without_ish(guideline, counts, blank):
    call = called(guideline, ihc=stained(by_class(counts), blank))

    expected = {"0": "negative", "1+": "negative", "2+": "needs_ish", "3+": "positive"}
    assert call.state == expected[str(call.ihc_score)]


@given(st.sampled_from(LABELS), cells, blanks, nuclei)
def test_a_label_asks_for_three_plus_whatever_ish_shows(guideline, counts, blank, signals):
    call = called(guideline, ihc=stained(by_class(counts), blank), ish=counted(signals))

    assert (call.state is State.POSITIVE) == (call.ihc_score == "3+")
    assert call.state in (State.POSITIVE, State.NEGATIVE)
