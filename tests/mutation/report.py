"""What a mutation run found, as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from tests.mutation.mutants import TEXT, Mutant
from tests.mutation.trial import Result, Verdict

PAGES = ("test_documentation.py", "test_diagrams.py")
"""Tests that hold the pages against the rules: they notice any change, also one that changes no result."""
_HEAD = ("change", "mutants", "invalid", "killed", "of these by the pages alone", "survived", "not run")


def seen_by_pages_alone(result: Result) -> bool:
    """Whether only the pages for pathologists showed the change."""
    return result.verdict is Verdict.KILLED and any(name in result.by for name in PAGES)


def _counts(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for mutant in mutants:
        result = results.get(mutant.key)
        counts["all"] += 1
        counts["not run" if result is None else str(result.verdict)] += 1
        counts["pages"] += result is not None and seen_by_pages_alone(result)
    return counts


def score(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> float:
    """Share of the valid mutants that a test killed; those not run count as survivors."""
    counts = _counts(mutants, results)
    valid = counts["all"] - counts["invalid"]
    return counts["killed"] / valid if valid else 0.0


def _row(name: str, mutants: Iterable[Mutant], results: Mapping[str, Result]) -> str:
    counts = _counts(mutants, results)
    cells = [counts[key] for key in ("all", "invalid", "killed", "pages", "survived", "not run")]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def _listed(mutants: Iterable[Mutant]) -> list[str]:
    return [
        f"* `{m.module.rpartition('.')[2]}.py:{m.line}` {m.operator}: `{m.before}` → `{m.after}`"
        for m in mutants
    ]


def report(mutants: Mapping[str, Mutant], results: Mapping[str, Result]) -> str:
    """Lay out the counts by kind of change, the score, and the mutants that no behaviour betrayed."""
    every = tuple(mutants.values())
    kinds = sorted({mutant.operator for mutant in every}, key=lambda kind: (kind == TEXT, kind))
    lines = ["| " + " | ".join(_HEAD) + " |", "|---|" + "---:|" * (len(_HEAD) - 1)]
    lines += [_row(kind, (m for m in every if m.operator == kind), results) for kind in kinds]
    lines += [_row("all", every, results), ""]
    valid = [m for m in every if not _is(m, results, Verdict.INVALID)]
    killed = [m for m in valid if _is(m, results, Verdict.KILLED)]
    lines += [f"{len(killed)} of {len(valid)} valid mutants killed: {100 * score(every, results):.1f} %", ""]
    lines += ["Survivors:", "", *_listed(m for m in every if _is(m, results, Verdict.SURVIVED)), ""]
    alone = [m for m in killed if m.operator != TEXT and seen_by_pages_alone(results[m.key])]
    return "\n".join([*lines, "Changes of rules that the pages alone show:", "", *_listed(alone), ""])


def _is(mutant: Mutant, results: Mapping[str, Result], verdict: Verdict) -> bool:
    return mutant.key in results and results[mutant.key].verdict is verdict
