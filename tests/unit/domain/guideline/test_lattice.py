"""Every combination of findings and every tally decided once, and as the guideline says."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from her2path.domain.guideline.findings import (
    Findings,
    IhcFinding,
    IshFinding,
    RecountFinding,
    all_findings,
)
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ihc import TYPICAL_STAINING, IhcReading, IhcScore, IhcTally, StainingClass
from her2path.domain.ish import IshReading, SignalSummary

BREAST = pytest.mark.parametrize(
    "guideline", [GUIDELINES["breast_2018"], GUIDELINES["breast_2023"]], ids=lambda g: g.id
)
FINDINGS = all_findings(
    GUIDELINES["breast_2018"].ihc_findings, GUIDELINES["breast_2018"].ish_findings
)
EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
# Rows: no IHC yet, IHC 0 or 1+, IHC 2+, IHC 3+; read from the published algorithms, not from the code.
TABLE = {
    "not_done": ("-", "negative", "needs_ish", "positive"),
    "indeterminate": ("indeterminate", "negative", "indeterminate", "positive"),
    "1": ("positive", "positive", "positive", "positive"),
    "2": ("needs_ihc", "negative G2", "needs_recount", "positive"),
    "3": ("needs_ihc", "negative G3", "needs_recount", "positive"),
    "4": ("needs_ihc", "negative G4", "needs_recount", "positive"),
    "5": ("negative", "negative", "negative", "positive"),
    "amplified": ("positive", "positive SP6", "positive", "positive"),
    "equivocal": ("needs_ihc", "negative", "needs_ish", "positive"),
    "not_amplified": ("negative", "negative", "negative", "positive"),
}
CONFIRMED = {"2": "negative G2", "3": "positive", "4": "negative G4"}
COLUMN = {"not_done": 0, "indeterminate": 0, "0": 1, "1+": 1, "2+": 2, "3+": 3}
MANDATORY = {"G2", "G3", "G4", "SP6"}


def _expected(found: Findings) -> str:
    if found.ihc is IhcFinding.INDETERMINATE and found.ish is IshFinding.NOT_DONE:
        return "indeterminate"
    first = TABLE[found.ish][COLUMN[found.ihc]]
    if found.recount is RecountFinding.OTHER and found.ihc is not IhcFinding.THREE_PLUS:
        return first if first == "needs_ihc" else "needs_adjudication"
    if found.recount is RecountFinding.SAME and first == "needs_recount":
        return CONFIRMED[found.ish]
    return first


@EVERY
def test_exactly_one_rule_holds_for_every_combination_of_findings(guideline):
    for findings in all_findings(guideline.ihc_findings, guideline.ish_findings):
        decide(findings, guideline.combined)


@BREAST
@pytest.mark.parametrize(
    "found", FINDINGS, ids=lambda f: f"IHC {f.ihc}, ISH {f.ish}, recount {f.recount}"
)
def test_combined_call_is_that_of_the_published_table(guideline, found):
    outcome = decide(found, guideline.combined).conclusion

    assert " ".join([outcome.state, *(c for c in outcome.comments if c in MANDATORY)]) == _expected(found)


@BREAST
def test_whatever_is_pending_or_indeterminate_says_who_must_act(guideline):
    for findings in FINDINGS:
        outcome = decide(findings, guideline.combined).conclusion
        open_end = outcome.state.is_pending or outcome.state == "indeterminate"
        assert any(code.startswith("ACT-") for code in outcome.comments) is open_end, findings


@BREAST
def test_every_combined_rule_and_every_comment_is_reachable(guideline):
    decisions = [decide(findings, guideline.combined) for findings in FINDINGS]

    assert {d.rule.id for d in decisions} == {rule.id for rule in guideline.combined}
    used = {code for d in decisions for code in d.conclusion.comments}
    assert used | {"NOTE-LOW", "ACT-COUNT-SECOND"} == set(guideline.comments)


def test_findings_without_any_test_are_refused():
    with pytest.raises(ValueError, match="at least one test"):
        Findings(IhcFinding.NOT_DONE, IshFinding.NOT_DONE)


@pytest.mark.parametrize("ish", [IshFinding.NOT_DONE, IshFinding.INDETERMINATE])
def test_a_recount_of_nothing_is_refused(ish):
    with pytest.raises(ValueError, match="compared with a first count"):
        Findings(IhcFinding.TWO_PLUS, ish, RecountFinding.SAME)


def test_the_lattice_leaves_no_combination_out():
    with_ish = 6 * 8 * 4
    without = 6 + 5  # ISH indeterminate, and ISH not done with any IHC that was done
    assert len(FINDINGS) == with_ish + without


def _count(nuclei: int, her2: int, cep17: int | None) -> IshReading:
    return IshReading(SignalSummary(nuclei, her2, cep17))


@BREAST
def test_exactly_one_group_holds_for_every_count_of_twenty_nuclei(guideline):
    for her2, cep17 in product(range(7 * 20 + 2), range(1, 5 * 20)):
        group = decide(_count(20, her2, cep17), guideline.ish_dual).conclusion
        assert group == _group(Fraction(her2, cep17), Fraction(her2, 20))
        single = decide(_count(20, her2, None), guideline.ish_single).conclusion
        assert single == ("amplified" if her2 >= 120 else "equivocal" if her2 >= 80 else "not_amplified")


def _group(ratio: Fraction, copies: Fraction) -> str:
    if ratio >= 2:
        return "1" if copies >= 4 else "2"
    return "3" if copies >= 6 else "4" if copies >= 4 else "5"


def _tallies(total: int) -> list[tuple[int, int, int, int, int]]:
    size = range(total + 1)
    return [
        (a, b, c, d, total - a - b - c - d)
        for a, b, c, d in product(size, repeat=4)
        if a + b + c + d <= total
    ]


def _reading(cells: tuple[int, ...], blank: Fraction = Fraction(0)) -> IhcReading:
    counts = {TYPICAL_STAINING[name]: n for name, n in zip(StainingClass, cells, strict=True)}
    return IhcReading(IhcTally(counts), limit_of_blank=blank)


def _score(cells: tuple[int, ...]) -> IhcScore:
    """Score a tally of twenty cells, in which more than 10 % is more than two cells (blank 0)."""
    intense, complete, lateral, faint, _ = cells
    if intense > 2:
        return IhcScore.THREE_PLUS
    if complete > 2 or intense > 0 or lateral > 2:
        return IhcScore.TWO_PLUS
    return IhcScore.ONE_PLUS if complete + lateral + faint > 2 else IhcScore.ZERO


@BREAST
def test_every_tally_of_twenty_cells_has_the_score_of_the_published_table(guideline):
    for cells in _tallies(20):
        assert decide(_reading(cells), guideline.ihc).conclusion.score is _score(cells), cells


@EVERY
@pytest.mark.parametrize("blank", [Fraction(1, 50), Fraction(1, 10) - Fraction(1, 10**6)])
def test_exactly_one_score_holds_for_every_tally_with_a_limit_of_blank(guideline, blank):
    for cells in _tallies(10):
        decide(_reading(cells, blank), guideline.ihc)
    for rare in _tallies(4):
        # 4 of 40 cells are the 10 % cut, so these sit on it, beside it and below the blank.
        decide(_reading((*rare[:4], 36 + rare[4]), blank), guideline.ihc)


STANDS_FOR = {
    "pct_complete_intense": StainingClass.COMPLETE_INTENSE,
    "pct_complete": StainingClass.COMPLETE_WEAK_MODERATE,
    "pct_lateral_or_intense": StainingClass.INCOMPLETE_MODERATE_INTENSE,
    "pct_incomplete_faint": StainingClass.INCOMPLETE_FAINT,
    "pct_stained": StainingClass.INCOMPLETE_FAINT,
}


@BREAST
def test_every_percentage_cut_is_one_at_which_the_score_changes(guideline):
    assert {cut.quantity.name for cut in guideline.ihc_cuts} == set(STANDS_FOR)
    for cut in guideline.ihc_cuts:
        place = list(StainingClass).index(STANDS_FOR[cut.quantity.name])

        def score(cells: int, place: int = place) -> IhcScore:
            tally = [0, 0, 0, 0, 1000 - cells]
            tally[place] += cells
            return decide(_reading(tuple(tally)), guideline.ihc).conclusion.score

        assert score(10 * int(cut.value)) is not score(10 * int(cut.value) + 1), cut


@BREAST
def test_every_ish_cut_is_one_at_which_the_group_changes(guideline):
    def group(her2: int, cep17: int | None) -> str:
        rules = guideline.ish_single if cep17 is None else guideline.ish_dual
        return decide(_count(100, her2, cep17), rules).conclusion

    found = {(cut.quantity.name, int(cut.value)) for cut in guideline.ish_cuts}
    assert found == {("her2_cep17_ratio", 2), ("her2_mean", 4), ("her2_mean", 6)}
    for quantity, value in found:
        if quantity == "her2_cep17_ratio":
            assert group(400, 400 // value) != group(400, 400 // value + 1)
        else:
            assert group(100 * value, None) != group(100 * value - 1, None)
            assert group(100 * value, 1000) != group(100 * value - 1, 1000)
