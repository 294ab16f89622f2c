"""The decision trees of a guideline: how staining is scored, signals are read, and both are called.

A tree knows which answers can occur together because the rules are asked on lattices of counts that
lie on and beside every cut-point; what no lattice point shows is impossible and is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from her2path.domain.case import Specimen
from her2path.domain.guideline.definition import Guideline, condition_of
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, RecountFinding, all_findings
from her2path.domain.guideline.policies import CLUSTER_CELLS
from her2path.domain.guideline.quantities import IS_BIOPSY
from her2path.domain.guideline.rules import Rule, decide
from her2path.domain.ihc import IhcReading, IhcTally, Reactivity
from tests.support.decision_tree import Answers, Finding, Node, Survey, grown
from tests.support.grids import EVERY_STAINING, CountGrid, Grid, Staining, TallyGrid, the_one_rule

UNCHANGED = "as without a recount"
"""Where a recount leads to the same rule as the first count alone."""
NUCLEI = 20
_BLANKS = (Fraction(0), Fraction(2, 100))
_SHARES = (Fraction(499, 1000), Fraction(1, 2), Fraction(501, 1000))


def ihc_tree(guideline: Guideline) -> Node:
    """Draw how IHC that can be read is scored."""
    return _tree(guideline.ihc, _tallies(guideline))


def ish_tree(rules: Sequence[Rule[Any, Any]], *, dual: bool) -> Node:
    """Draw how a count that can be read is grouped."""
    her2, cep17 = range(1, 9 * NUCLEI), range(1, 5 * NUCLEI) if dual else None
    return _tree(rules, (CountGrid.over(NUCLEI, her2, cep17, share) for share in _SHARES))


def call_tree(guideline: Guideline, ish: Iterable[IshFinding]) -> Node:
    """Draw how IHC and a first count of ISH combine, for some of the ISH findings."""
    wanted = set(ish)
    first = [f for f in _findings(guideline) if f.recount is RecountFinding.NONE and f.ish in wanted]
    survey = _survey(guideline, finding_questions(guideline)[1:])
    return grown({survey.answers(found): _rule(found, guideline) for found in first}, survey)


def recount_tree(guideline: Guideline) -> Node:
    """Draw what a recount changes of it."""
    again = [found for found in _findings(guideline) if found.recount is not RecountFinding.NONE]
    survey = _survey(guideline, finding_questions(guideline))
    points: dict[Answers, str] = {}
    for found in again:
        now, before = (_rule(one, guideline) for one in (found, replace(found, recount=RecountFinding.NONE)))
        points[survey.answers(found)] = UNCHANGED if now == before else now
    return grown(points, survey)


def _survey(guideline: Guideline, questions: Sequence[Finding]) -> Survey:
    return Survey.of_findings(questions, (*(rule.id for rule in guideline.combined), UNCHANGED))


def finding_questions(guideline: Guideline) -> tuple[Finding, Finding, Finding]:
    """Recount, IHC and ISH with the findings that this guideline knows."""
    known_ihc = {IhcFinding.NOT_DONE, IhcFinding.INDETERMINATE, *guideline.ihc_findings}
    known_ish = {IshFinding.NOT_DONE, IshFinding.INDETERMINATE, *guideline.ish_findings}
    return (
        Finding("recount", tuple(RecountFinding), recount_words),
        Finding("ihc", tuple(f for f in IhcFinding if f in known_ihc), ihc_words),
        Finding(
            "ish",
            tuple(f for f in IshFinding if f in known_ish),
            lambda found: ish_words(found, guideline),
        ),
    )


def single_probe_only(guideline: Guideline) -> tuple[IshFinding, ...]:
    """ISH findings that only a single probe gives."""
    dual = {rule.then for rule in guideline.ish_dual}
    return tuple(finding for finding in guideline.ish_findings if finding not in dual)


def ihc_words(found: Sequence[IhcFinding]) -> str:
    """List IHC findings: not done, 0, 1+."""
    return ", ".join("unreadable" if f is IhcFinding.INDETERMINATE else f.replace("_", " ") for f in found)


def recount_words(found: Sequence[RecountFinding]) -> str:
    """List what a recount can say."""
    words = {
        RecountFinding.NONE: "none",
        RecountFinding.INVALID: "unreadable",
        RecountFinding.SAME: "same result",
        RecountFinding.OTHER: "another result",
    }
    return ", ".join(words[finding] for finding in found)


def ish_words(found: Sequence[IshFinding], guideline: Guideline) -> str:
    """List ISH findings: not done, groups 2, 3, 4, single probe amplified."""
    alone = single_probe_only(guideline)
    words = ["unreadable" if f is IshFinding.INDETERMINATE else "not done" for f in found if not f.is_result]
    if groups := [str(f) for f in found if f.is_group]:
        words.append(f"group{'s' if len(groups) > 1 else ''} {', '.join(groups)}")
    others = [f for f in found if f.is_result and not f.is_group]
    words += [f.replace("_", " ") for f in others if f not in alone]
    if single := [f.replace("_", " ") for f in others if f in alone]:
        words.append(f"single probe {' or '.join(single)}")
    return ", ".join(words)


def _findings(guideline: Guideline) -> tuple[Findings, ...]:
    return all_findings(guideline.ihc_findings, guideline.ish_findings)


def _rule(found: Findings, guideline: Guideline) -> str:
    return decide(found, guideline.combined).rule.id


def _tree(rules: Sequence[Rule[Any, Any]], grids: Iterable[Grid]) -> Node:
    survey = Survey.of(rules)
    points: dict[Answers, str] = {}
    for grid in grids:
        answers = np.stack([question.answers_on(grid, grid.size) for question in survey.questions])
        # One number for all answers of a point: whole columns are slow to compare.
        keys = np.ravel_multi_index(tuple(answers), tuple(answers.max(axis=1) + 1))
        which = the_one_rule(rules, grid)
        for point in np.unique(keys * len(rules) + which, return_index=True)[1].tolist():
            rule = rules[which[point]].id
            held = points.setdefault(tuple(answers[:, point].tolist()), rule)
            assert held == rule, f"{held} and {rule} hold for the same answers"
    return grown(points, survey)


def _tallies(guideline: Guideline) -> Iterable[TallyGrid]:
    cells = sorted({0, 1, *(n for cut in _cells_of_cuts(guideline) for n in (cut - 1, cut, cut + 1))})
    lattice = TallyGrid.over(dict.fromkeys(_kinds(guideline), cells))
    if all(IS_BIOPSY not in condition_of(rule).atoms for rule in guideline.ihc):
        yield from (replace(lattice, limit_of_blank=blank) for blank in _BLANKS)
        return
    few, enough = CLUSTER_CELLS - 1, CLUSTER_CELLS
    # A cluster of strong cells is also one of every weaker level.
    sizes = [(few, few, few), (few, few, enough), (few, enough, enough), (enough, enough, enough)]
    for blank, specimen, size in product(_BLANKS, (Specimen.RESECTION, Specimen.BIOPSY), sizes):
        clusters = dict(zip(Reactivity, size, strict=False))
        yield replace(lattice, limit_of_blank=blank, specimen=specimen, clusters=clusters)


def _cells_of_cuts(guideline: Guideline) -> set[int]:
    """Cells of a thousand at each cut-point, and half of them for two classes that reach it together."""
    per_cent = [cut.value for cut in guideline.ihc_cuts if cut.quantity.unit.startswith("per cent")]
    whole = {int(10 * value) for value in (*per_cent, *(100 * blank for blank in _BLANKS))} - {0}
    return whole | {n // 2 for n in whole}


def _kinds(guideline: Guideline) -> list[Staining]:
    """One kind of staining for each set of those that the rules cannot tell apart."""
    quantities = [
        getattr(atom, "quantity", None) for rule in guideline.ihc for atom in condition_of(rule).atoms
    ]
    shares = [q for q in dict.fromkeys(quantities) if q is not None and q.unit.startswith("per cent")]
    found: dict[tuple[int, ...], Staining] = {}
    for kind in EVERY_STAINING:
        cell = IhcReading(IhcTally({kind: 1}))
        found.setdefault(tuple(quantity.numerator(cell) for quantity in shares), kind)
    return list(found.values())
