"""What must hold for every case, whatever its numbers."""

from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import TYPICAL_STAINING, IhcReading, IhcTally, StainingClass
from her2path.domain.ish import IshReading, NucleusSignals, SignalSummary
from her2path.domain.low_expression import Her2Category
from her2path.domain.verdict import NotEvaluable, State

INTENSE, COMPLETE, LATERAL, FAINT, NONE = StainingClass
RAISES = ((NONE, FAINT), (FAINT, LATERAL), (FAINT, COMPLETE), (COMPLETE, INTENSE), (LATERAL, INTENSE))
"""Steps by which a cell stains more strongly in the order of every breast guideline."""

guidelines = st.sampled_from(list(GUIDELINES.values()))
cells = st.lists(st.integers(0, 400), min_size=5, max_size=5).filter(lambda counts: sum(counts) >= 20)
blanks = st.fractions(0, Fraction(99, 1000), max_denominator=1000)
nuclei = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 15)), max_size=60)


def tally(counts: dict[StainingClass, int]) -> IhcTally:
    return IhcTally({TYPICAL_STAINING[name]: n for name, n in counts.items()})


def by_class(counts: list[int]) -> dict[StainingClass, int]:
    return dict(zip(StainingClass, counts, strict=True))


def summary(signals: list[tuple[int, int]]) -> SignalSummary:
    return SignalSummary.of(NucleusSignals(*pair) for pair in signals)


@given(guidelines, cells, blanks, nuclei, nuclei)
def test_every_case_has_exactly_one_call_with_a_source_for_each_step(guideline, counts, blank, first, second):
    evidence = CaseEvidence(
        ihc=IhcReading(tally(by_class(counts)), limit_of_blank=blank),
        ish=IshReading(summary(first)),
        recount=IshReading(summary(second)),
    )

    call = call_case(evidence, guideline)

    assert isinstance(call, CaseCall)
    assert all(step.rule_id and step.source for step in call.trail)
    assert (call.category is Her2Category.POSITIVE) == (call.state is State.POSITIVE)


@given(guidelines, cells, blanks, nuclei, st.integers(2, 50))
def test_a_call_depends_on_proportions_alone_once_there_are_enough_cells(
    guideline, counts, blank, signals, k
):
    def state(times: int) -> tuple[object, ...]:
        scored = tally({name: times * n for name, n in by_class(counts).items()})
        call = call_case(
            CaseEvidence(
                ihc=IhcReading(scored, limit_of_blank=blank), ish=IshReading(summary(signals * times))
            ),
            guideline,
        )
        assert isinstance(call, CaseCall)
        return call.state, call.ihc_score, call.ish_group, call.category

    if len(signals) >= 20:
        assert state(k) == state(1)


@given(nuclei, st.randoms(use_true_random=False))
def test_the_order_of_the_nuclei_is_of_no_consequence(signals, rng: random.Random):
    shuffled = list(signals)
    rng.shuffle(shuffled)

    assert summary(shuffled) == summary(signals)


@given(guidelines, cells, blanks, st.sampled_from(RAISES), st.data())
def test_stronger_staining_never_lowers_the_score(guideline, counts, blank, step, data):
    before = by_class(counts)
    weaker, stronger = step
    moved = data.draw(st.integers(0, before[weaker]))
    after = {**before, weaker: before[weaker] - moved, stronger: before[stronger] + moved}

    scores = [
        decide(IhcReading(tally(c), limit_of_blank=blank), guideline.ihc).conclusion.score
        for c in (before, after)
    ]

    assert scores == sorted(scores)


@given(guidelines, st.integers(20, 100), st.integers(1, 900), st.integers(1, 900), st.integers(0, 50))
def test_more_her2_signals_never_turn_a_positive_ish_negative(guideline, n, her2, cep17, more):
    def state(signals: int) -> State:
        call = call_case(CaseEvidence(ish=IshReading(SignalSummary(n, signals, cep17))), guideline)
        assert isinstance(call, CaseCall)
        return call.state

    if state(her2) is State.POSITIVE:
        assert state(her2 + more) is State.POSITIVE
    if state(her2 + more) is State.NEGATIVE:
        assert state(her2) is State.NEGATIVE


@given(guidelines, st.lists(st.integers(0, 6), min_size=5, max_size=5))
def test_a_handful_of_cells_never_has_a_score(guideline, counts):
    found = call_case(CaseEvidence(ihc=IhcReading(tally(by_class(counts)))), guideline)

    assert isinstance(found, NotEvaluable) == (sum(counts) < 20)


@given(guidelines, cells, blanks)
def test_nothing_final_is_said_of_a_two_plus_without_ish(guideline, counts, blank):
    call = call_case(CaseEvidence(ihc=IhcReading(tally(by_class(counts)), limit_of_blank=blank)), guideline)

    assert isinstance(call, CaseCall)
    expected = {"0": "negative", "1+": "negative", "2+": "needs_ish", "3+": "positive"}
    assert call.state == expected[str(call.ihc_score)]
