"""What must hold of every guideline, whatever the numbers: order, scale and "more is not less"."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from her2path.domain.case import Controls, Specimen
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IhcFinding, IshFinding
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import (
    IhcReading,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    StatedScore,
    TallyUnit,
)
from her2path.domain.ish import IshReading, NucleusSignals, Probe, SignalSummary
from her2path.domain.verdict import NotEvaluable, State
from tests.support.grids import EVERY_STAINING, UNSTAINED, TallyGrid, the_one_rule

Staining = tuple[Intensity, Pattern]
EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
WITH_RATIO = [g for g in GUIDELINES.values() if g.id != "colorectal_heracles_2015"]
PATTERNS = (Pattern.INCOMPLETE, Pattern.BASOLATERAL, Pattern.COMPLETE)
INTENSITIES = (Intensity.FAINT, Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG)
STEPS: tuple[tuple[Staining, Staining], ...] = (
    *((UNSTAINED, (Intensity.FAINT, pattern)) for pattern in PATTERNS),
    *(((weak, p), (strong, p)) for weak, strong in pairwise(INTENSITIES) for p in PATTERNS),
    *(((i, open_), (i, closed)) for i in INTENSITIES for open_, closed in pairwise(PATTERNS)),
)
"""One step in which a cell stains more: it takes up stain, stains more strongly, or closes."""
CLOSING: tuple[Staining, Staining] = (
    (Intensity.MODERATE, Pattern.BASOLATERAL),
    (Intensity.MODERATE, Pattern.COMPLETE),
)
"""The one step that policies P1 and P2 do not order: out of one class that is 2+ above 10 %, into another."""


def is_ordered(guideline: Guideline, step: tuple[Staining, Staining]) -> bool:
    """Whether the guideline, with its policies, promises that a score does not fall by this step."""
    return step != CLOSING or guideline.family != "breast" or guideline.id == "breast_2007"


RANK = {
    **dict.fromkeys((IhcFinding.ZERO, IhcFinding.ONE_PLUS, IhcFinding.NEGATIVE), 0),
    **dict.fromkeys((IhcFinding.TWO_PLUS, IhcFinding.EQUIVOCAL), 1),
    **dict.fromkeys((IhcFinding.THREE_PLUS, IhcFinding.POSITIVE), 2),
}
"""What a score leads to: negative, not settled, positive."""
AMPLIFICATION = {IshFinding.NOT_AMPLIFIED: 0, IshFinding.EQUIVOCAL: 1, IshFinding.AMPLIFIED: 2}

guidelines = st.sampled_from(list(GUIDELINES.values()))
counts = st.integers(0, 60) | st.integers(0, 10**6)
tallies = st.dictionaries(st.sampled_from((*EVERY_STAINING, UNSTAINED)), counts, min_size=1, max_size=6)
some_cells = tallies.filter(lambda cells: sum(cells.values()) >= 20)
blanks = st.just(Fraction(0)) | st.fractions(0, Fraction(99, 1000), max_denominator=1000)
specimens = st.sampled_from((Specimen.RESECTION, Specimen.BIOPSY))
sizes = st.lists(st.integers(0, 8), min_size=3, max_size=3).map(sorted)
nuclei = st.lists(st.tuples(st.integers(0, 25), st.integers(1, 12)), min_size=20, max_size=60)


def levels(clusters: list[int]) -> dict[Reactivity, int]:
    return dict(zip((Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT), clusters, strict=True))


def stained(
    cells: Mapping[Staining, int], blank: Fraction, specimen: Specimen, clusters: list[int]
) -> IhcReading:
    return IhcReading(
        IhcTally(cells),
        limit_of_blank=blank,
        unit=TallyUnit.SHARES,
        controls=Controls.PASS,
        specimen=specimen,
        clusters=levels(clusters),
    )


def rank(guideline: Guideline, reading: IhcReading) -> tuple[str, int]:
    """Score and what it leads to, both of which only ever go up."""
    scoring = decide(reading, guideline.ihc).conclusion
    return str(scoring.score), RANK[scoring.finding]


@settings(max_examples=600)
@given(guidelines, some_cells, blanks, specimens, sizes, st.sampled_from(STEPS), st.data())
def test_more_staining_never_lowers_a_score_nor_what_it_leads_to(
    guideline, cells, blank, specimen, clusters, step, data
):
    assume(is_ordered(guideline, step))
    weaker, stronger = step
    moved = data.draw(st.integers(0, cells.get(weaker, 0)))
    after = dict(cells)
    after[weaker] = cells.get(weaker, 0) - moved
    after[stronger] = cells.get(stronger, 0) + moved

    less, more = (rank(guideline, stained(c, blank, specimen, clusters)) for c in (cells, after))

    assert less[0] <= more[0]
    assert less[1] <= more[1]


@EVERY
@pytest.mark.parametrize("blank", [Fraction(0), Fraction(1, 20)])
@pytest.mark.parametrize("specimen", [Specimen.RESECTION, Specimen.BIOPSY])
def test_one_more_cell_that_stains_more_never_lowers_a_score_anywhere_on_the_lattice(
    guideline, blank, specimen
):
    """Every step from every tally of 40 cells in which the cuts of 10, 30 and 50 % lie close by."""
    rungs = (0, 1, 2, 3, 4, 5, 11, 12, 13, 19, 20, 21)
    for weaker, stronger in STEPS:
        if not is_ordered(guideline, (weaker, stronger)):
            continue
        # Third and fourth classes beside the step, so that sums cross a cut as well.
        others = dict.fromkeys((EVERY_STAINING[-1], EVERY_STAINING[0]), (0, 2, 3, 4))
        keys = [key for key in (weaker, stronger) if key != UNSTAINED]
        values = {**others, **dict.fromkeys(keys, rungs)}
        grid = TallyGrid.over(values, 39, limit_of_blank=blank, specimen=specimen, clusters=levels([0, 0, 5]))
        scores = [
            np.array([(int(str(rule.then.score)[0]), RANK[rule.then.finding]) for rule in guideline.ihc])[
                the_one_rule(guideline.ihc, replace(grid, total=40, stained=_with(grid, key)))
            ]
            for key in (weaker, stronger)
        ]
        assert (scores[0] <= scores[1]).all(), (weaker, stronger)


def _with(grid: TallyGrid, key: Staining) -> dict[Staining, np.ndarray]:
    """The same tallies with a fortieth cell, which is of this kind."""
    return {k: n + (k == key) for k, n in grid.stained.items()}


@given(some_cells, blanks, st.data())
def test_closing_a_moderate_cell_lowers_a_breast_score_from_two_plus_to_one_plus_at_most(cells, blank, data):
    """P1 and P2 read 6 % complete and 6 % basolateral moderate cells as 1+, 12 % of either as 2+."""
    guideline = GUIDELINES["breast_2018"]
    weaker, stronger = CLOSING
    moved = data.draw(st.integers(0, cells.get(weaker, 0)))
    after = {**cells, weaker: cells.get(weaker, 0) - moved, stronger: cells.get(stronger, 0) + moved}

    less, more = (
        decide(stained(c, blank, Specimen.RESECTION, [0, 0, 0]), guideline.ihc).conclusion
        for c in (cells, after)
    )

    if less.score > more.score:
        assert (less.score, more.score) == ("2+", "1+")
        # The flag sends a person to look, unless faint staining alone explains 1+.
        tally = IhcTally(after)
        many_faint = 10 * tally.of_class(StainingClass.INCOMPLETE_FAINT) > tally.total
        assert Flag.UNDEFINED_PATTERN in more.flags or many_faint


def test_closing_a_moderate_cell_can_lower_a_breast_score_by_policy():
    guideline = GUIDELINES["breast_2018"]
    before = {CLOSING[0]: 12, UNSTAINED: 88}
    after = {CLOSING[0]: 6, CLOSING[1]: 6, UNSTAINED: 88}

    found = [
        decide(stained(c, Fraction(0), Specimen.RESECTION, [0, 0, 0]), guideline.ihc) for c in (before, after)
    ]

    assert [d.rule.id for d in found] == ["IHC-2-LATERAL", "IHC-1-CUMULATED"]
    assert found[1].rule.is_policy


@given(guidelines, some_cells, blanks, sizes, st.integers(0, 2), st.integers(1, 5))
def test_a_larger_cluster_never_lowers_a_score(guideline, cells, blank, clusters, level, grown):
    # A cluster of strong cells is one of weaker cells too, so all levels below grow with it.
    after = [max(n, clusters[level] + grown) if at >= level else n for at, n in enumerate(clusters)]

    less, more = (rank(guideline, stained(cells, blank, Specimen.BIOPSY, c)) for c in (clusters, after))

    assert less[0] <= more[0]
    assert less[1] <= more[1]


@given(guidelines, some_cells, blanks, specimens, sizes)
def test_exactly_one_score_holds_for_any_numbers(guideline, cells, blank, specimen, clusters):
    decide(stained(cells, blank, specimen, clusters), guideline.ihc)


@given(st.integers(20, 10**6), st.integers(1, 10**7), st.integers(1, 10**7))
def test_exactly_one_ish_result_holds_for_any_numbers(n, her2, cep17):
    for guideline in GUIDELINES.values():
        share = Fraction(min(her2, cep17), max(her2, cep17))
        decide(IshReading(SignalSummary(n, her2, cep17), share_ratio_at_least_2=share), guideline.ish_dual)
        if guideline.ish_single:
            decide(IshReading(SignalSummary(n, her2, None)), guideline.ish_single)


def evidence(
    cells: Mapping[Staining, int], blank: Fraction, specimen: Specimen, clusters: list[int], summary
) -> CaseEvidence:
    ish = IshReading(summary, areas=2, controls=Controls.PASS, share_ratio_at_least_2=Fraction(1, 2))
    return CaseEvidence(ihc=stained(cells, blank, specimen, clusters), ish=ish)


@given(guidelines, some_cells, blanks, specimens, sizes, nuclei, st.randoms(use_true_random=False))
def test_the_order_of_nuclei_and_of_staining_classes_changes_nothing(
    guideline, cells, blank, specimen, clusters, signals, rng: random.Random
):
    def called(order, counted) -> object:
        return call_case(evidence(order, blank, specimen, clusters, SignalSummary.of(counted)), guideline)

    listed = [NucleusSignals(*pair) for pair in signals]
    shuffled, keys = list(listed), list(cells)
    rng.shuffle(shuffled)
    rng.shuffle(keys)

    assert called({key: cells[key] for key in keys}, shuffled) == called(cells, listed)


@given(guidelines, some_cells, blanks, specimens, sizes, nuclei, st.integers(2, 1000))
def test_scaling_all_counts_changes_nothing(guideline, cells, blank, specimen, clusters, signals, k):
    summary = SignalSummary.of(NucleusSignals(*pair) for pair in signals)

    def called(times: int) -> tuple[object, ...]:
        scaled = SignalSummary(times * summary.nuclei, times * summary.her2, times * (summary.cep17 or 0))
        more = {key: times * n for key, n in cells.items()}
        call = call_case(evidence(more, blank, specimen, clusters, scaled), guideline)
        assert not isinstance(call, NotEvaluable)
        ids = [step.rule_id for step in call.trail]
        return call.state, call.ihc_score, call.ish_group, call.overlay, call.comments, call.flags, ids

    assert called(k) == called(1)


@given(guidelines, some_cells, blanks, specimens, sizes, nuclei, st.randoms(use_true_random=False))
def test_the_order_of_the_rules_changes_nothing(
    guideline, cells, blank, specimen, clusters, signals, rng: random.Random
):
    """No rule takes precedence, so a set of rules has no order."""

    def mixed(rules: tuple) -> tuple:
        return tuple(rng.sample(rules, len(rules)))

    names = ("ihc", "ish_dual", "ish_single", "combined")
    shuffled = replace(guideline, **{name: mixed(getattr(guideline, name)) for name in names})
    given_case = evidence(
        cells, blank, specimen, clusters, SignalSummary.of(NucleusSignals(*pair) for pair in signals)
    )
    here, there = call_case(given_case, guideline), call_case(given_case, shuffled)

    assert not isinstance(here, NotEvaluable)
    assert not isinstance(there, NotEvaluable)
    assert (there.state, there.trail, there.comments, there.flags) == (
        here.state,
        here.trail,
        here.comments,
        here.flags,
    )


scores = st.none() | st.sampled_from(("0", "1+", "2+", "3+"))


@settings(max_examples=400)
@given(
    st.sampled_from(WITH_RATIO),
    scores,
    st.sampled_from(list(Probe)),
    st.integers(20, 100),
    st.fractions(0, 12),
    st.fractions(Fraction(1, 20), 8),
    st.integers(1, 200),
)
def test_more_her2_signals_never_turn_a_positive_case_into_another(
    guideline, score, probe, n, copies, cep17_copies, more
):
    def state(her2: int) -> State:
        cep17 = None if probe is Probe.SINGLE else max(1, round(cep17_copies * n))
        call = call_case(
            CaseEvidence(
                ihc=None if score is None else StatedScore(score, Controls.PASS),
                ish=IshReading(SignalSummary(n, her2, cep17)),
            ),
            guideline,
        )
        assert not isinstance(call, NotEvaluable)
        return call.state

    her2 = max(1, round(copies * n))
    if state(her2) is State.POSITIVE:
        assert state(her2 + more) is State.POSITIVE
    if state(her2 + more) is State.NEGATIVE:
        # 2018 answers "which group": more signals can lead from a group 4 or 2 that IHC settled to
        # one that it settles too, never from an open or positive case to a negative one.
        assert state(her2) in (State.NEGATIVE, State.NEEDS_RECOUNT)


@pytest.mark.parametrize(
    "guideline",
    [g for g in WITH_RATIO if g.ish_dual[0].then not in (IshFinding.GROUP_1,)],
    ids=lambda g: g.id,
)
def test_one_more_her2_signal_never_lowers_an_ish_result(guideline):
    for n, cep17 in product((20, 21), (1, 39, 40, 41, 60, 61, 70, 100)):
        found = [
            AMPLIFICATION[decide(IshReading(SignalSummary(n, her2, cep17)), guideline.ish_dual).conclusion]
            for her2 in range(1, 11 * n)
        ]
        assert found == sorted(found)
