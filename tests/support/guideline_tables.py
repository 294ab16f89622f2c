"""The tables of a guideline's page, made from its rules.

Each string of a rule stands in a table (condition, result, flags, comments, source), so that a page
shows every change of a rule as a change of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from her2path.domain.flags import FLAG_TEXT
from her2path.domain.guideline.conditions import All, AnyOf, Comparison, Condition, Quantity, cut_words
from her2path.domain.guideline.definition import Guideline, RecountUse, condition_of
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, RecountFinding, all_findings
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import Rule
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern, reactivity, staining_class
from her2path.domain.populations import combine
from her2path.domain.verdict import State
from tests.support.grids import EVERY_STAINING, Staining
from tests.support.guideline_diagrams import state_words
from tests.support.guideline_trees import ihc_words, ish_words, recount_words


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(str(cell).replace("|", "\\|") or " " for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def source_words(source: str) -> str:
    """Set a policy off from the guideline's own text, and link it."""
    marked = re.sub(r"^(her2path policy P\d+(?:, P\d+)*)", r"**\1**", source)
    return re.sub(r"policy P\d+(?:, P\d+)*", _linked, marked)


def _linked(named: re.Match[str]) -> str:
    return re.sub(r"P(\d+)", r"[P\1](policies.md#p\1)", named[0])


def condition_words(condition: Condition[Any]) -> str:
    """Print a condition, each of its parts on a line of its own."""
    parts = condition.parts if isinstance(condition, All) else (condition,)
    return " and<br/>".join(f"({part})" if isinstance(part, AnyOf) else str(part) for part in parts)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _row(rule: Rule[Any, Any], *cells: str) -> tuple[str, ...]:
    return (f"`{rule.id}`", condition_words(condition_of(rule)), *cells, source_words(rule.source))


def index() -> str:
    """List all guidelines."""
    rows = [(f"[`{g.id}`]({g.id}.md)", g.title, g.source) for g in GUIDELINES.values()]
    return table(("id", "title", "publication"), rows)


def facts(guideline: Guideline) -> str:
    """State what the guideline is and was made for."""
    kin = [g.id for g in GUIDELINES.values() if g.family == guideline.family and g.id != guideline.id]
    recount = {
        RecountUse.CONFIRM: "confirms or contradicts the first count",
        RecountUse.ADD: "adds nuclei: where the first count is equivocal, the sum of both is read",
    }
    alike = [ish_words([f for f in IshFinding if f in one], guideline) for one in guideline.one_result]
    note = guideline.low_expression_comment
    rows = [
        ("id", f"`{guideline.id}`"),
        ("publication", guideline.source),
        ("made for tumours of", ", ".join(sorted(s.replace("_", " ") for s in guideline.sites))),
        ("family", guideline.family),
        ("compared with", ", ".join(f"[`{name}`]({name}.md)" for name in kin) or "no other guideline"),
        ("a recount", recount[guideline.recount_use]),
        ("one result for a recount", "; ".join(alike) or "only the same result"),
        (
            "a second population of more than 10 %",
            "is counted apart, as it asks"
            if guideline.speaks_of_populations
            else "is counted apart by policy [P21](policies.md#p21)",
        ),
        ("HER2-low and ultralow are stated", "yes" if guideline.has_low_expression_overlay else "no"),
        ("comment beside a negative result with a score", f"`{note}`" if note else "none"),
    ]
    return table(("what", "this guideline"), rows)


def rejections(guideline: Guideline) -> str:
    """List what cannot be read."""
    head = ("rule", "when", "then", "what the report says", "source")
    rows = [_row(r, "not evaluable", f"`{r.then.code}`: {r.then.reason}") for r in guideline.unreadable]
    rows += [_row(r, "IHC unreadable", r.then) for r in guideline.ihc_rejections]
    first, again = guideline.ish_rejections, guideline.recount_rejections
    for rule in dict.fromkeys((*first, *again)):
        then = ["ISH unreadable"] if rule in first else []
        then += ["recount unreadable"] if rule in again else []
        rows.append(_row(rule, ", ".join(then), rule.then))
    return table(head, rows)


def scores(guideline: Guideline) -> str:
    """List the rules of the IHC score."""
    rows = [
        _row(
            rule,
            f"**{rule.then.score}**"
            + ("" if rule.then.reads_as is None else f", {rule.then.reads_as} by its extent"),
            _codes(rule.then.flags),
        )
        for rule in guideline.ihc
    ]
    return table(("rule", "when", "score", "flags", "source"), rows)


def percentages(guideline: Guideline) -> str:
    """List which staining each percentage counts."""
    atoms = [atom for rule in guideline.ihc for atom in condition_of(rule).atoms]
    quantities = dict.fromkeys(q for a in atoms if (q := getattr(a, "quantity", None)) is not None)
    rows = [(f"**{q.label}**", _counted(q)) for q in quantities if q.unit.startswith("per cent")]
    return table(("tumour cells that are", "counts cells whose membrane is"), rows)


def _counted(quantity: Quantity[Any]) -> str:
    found: dict[Intensity, list[Pattern]] = {}
    for kind in EVERY_STAINING:
        if quantity.numerator(IhcReading(IhcTally({kind: 1}))):
            found.setdefault(kind[0], []).append(kind[1])
    every = len({pattern for _, pattern in EVERY_STAINING})
    return "; ".join(
        f"{intensity} ({'any pattern' if len(patterns) == every else ', '.join(patterns)})"
        for intensity, patterns in reversed(found.items())
    )


def ish(rules: Sequence[Rule[Any, IshFinding]], guideline: Guideline) -> str:
    """List the rules of one probe."""
    rows = [_row(rule, f"**{ish_words((rule.then,), guideline)}**") for rule in rules]
    return table(("rule", "when", "result", "source"), rows)


def flagged(rules: Sequence[Rule[Any, Any]]) -> str:
    """List rules that only set a flag."""
    return table(("rule", "when", "flag", "source"), [_row(rule, f"`{rule.then}`") for rule in rules])


def calls(guideline: Guideline) -> str:
    """List the combined rules with the findings that each covers."""
    possible = all_findings(guideline.ihc_findings, guideline.ish_findings)
    rows = []
    for rule in guideline.combined:
        covered = [found for found in possible if rule.when(found)]
        rows.append(
            (
                f"`{rule.id}`",
                *_covered(covered, guideline),
                f"**{state_words(rule.then.state)}**",
                _codes(rule.then.comments),
                _codes(rule.then.flags),
                source_words(rule.source),
            )
        )
    return table(("rule", "IHC", "ISH", "recount", "call", "comments", "flags", "source"), rows)


def _covered(covered: Sequence[Findings], guideline: Guideline) -> tuple[str, str, str]:
    ihc, ish, recount = ({getattr(found, name) for found in covered} for name in ("ihc", "ish", "recount"))
    every = len(recount) == len(RecountFinding)
    return (
        ihc_words([f for f in IhcFinding if f in ihc]),
        ish_words([f for f in IshFinding if f in ish], guideline),
        "any" if every else recount_words([f for f in RecountFinding if f in recount]),
    )


def comments(guideline: Guideline) -> str:
    """List the comments in our words."""
    rows = [(f"`{c.code}`", c.kind, c.text) for c in guideline.comments.values()]
    return table(("code", "kind", "text"), rows)


def cuts(guideline: Guideline) -> str:
    """List the cut-points whose distance a call states."""
    rows = [
        (cut.quantity.label, cut_words(Comparison(cut.quantity, ">", cut.value)), cut.quantity.unit, test)
        for test, found in (("IHC", guideline.ihc_cuts), ("ISH", guideline.ish_cuts))
        for cut in found
    ]
    blank = ((quantity.label, "limit of blank", quantity.unit, "IHC") for quantity in guideline.blanks)
    return table(("number", "cut-point", "unit", "test"), (*rows, *blank))


def flags() -> str:
    """List every flag."""
    return table(("flag", "meaning"), [(f"`{flag}`", text) for flag, text in FLAG_TEXT.items()])


def staining() -> str:
    """List how each staining of a cell is read in the breast and elsewhere."""
    rows = [(*kind, *(_words(read) for read in _reads(kind))) for kind in reversed(EVERY_STAINING)]
    return table(("intensity", "pattern", "class in the breast", "level elsewhere"), rows)


def _reads(kind: Staining) -> tuple[str, str]:
    return staining_class(*kind), reactivity(*kind)


def _words(name: str) -> str:
    return re.sub(r"(weak|moderate)_(moderate|intense)", r"\1 to \2", name).replace("_", " ")


def populations() -> str:
    """Show the call of every pair of populations, with its rule."""
    head = ("main population", *(f"second: {state_words(state)}" for state in State))
    rows = [
        (state_words(main), *(state_words(combine(main, second)[0]) for second in State)) for main in State
    ]
    return table(head, rows)


def population_rules() -> str:
    """List the rules by which two populations combine, by evaluation over all pairs."""
    found = {rule.id: rule for main in State for second in State for _, rule in [combine(main, second)]}
    rows = [(f"`{r.id}`", f"**{state_words(r.then)}**", source_words(r.source)) for r in found.values()]
    return table(("rule", "call", "source"), rows)
