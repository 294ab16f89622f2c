"""The tables of `docs/guidelines.md`, made from the registry.

``python -m tests.support.guideline_tables`` writes them into the page; a test holds the page
against them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from her2path.domain.flags import FLAG_TEXT
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IhcFinding, IshFinding, Match, RecountFinding
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.policies import UNREADABLE as UNMEASURED

PAGE = Path(__file__).parents[2] / "docs" / "guidelines.md"
_IHC_WORDS = {IhcFinding.NOT_DONE: "not done", IhcFinding.INDETERMINATE: "unreadable"}
_ISH_WORDS = {IshFinding.NOT_DONE: "not done", IshFinding.INDETERMINATE: "unreadable"}
_RECOUNT_WORDS = {
    RecountFinding.NONE: "none",
    RecountFinding.INVALID: "unreadable",
    RecountFinding.SAME: "same group",
    RecountFinding.OTHER: "another group",
}


def tables() -> dict[str, str]:
    """Every generated table by the name of its place in the page."""
    guideline = GUIDELINES["breast_2018"]
    return {
        "guidelines": _table(
            ("id", "title", "publication"),
            [(f"`{g.id}`", g.title, g.source) for g in GUIDELINES.values()],
        ),
        "ihc": _ihc(guideline),
        "rejections": _rejections(guideline),
        "ish": _ish(guideline),
        "combined": _combined(guideline),
        "comments": _table(
            ("code", "kind", "text"),
            [(f"`{c.code}`", c.kind, c.text) for c in guideline.comments.values()],
        ),
        "flags": _table(("flag", "meaning"), [(f"`{flag}`", text) for flag, text in FLAG_TEXT.items()]),
    }


def _ihc(guideline: Guideline) -> str:
    return _table(
        ("rule", "score", "flags", "source"),
        [
            (f"`{r.id}`", r.then.score, ", ".join(f"`{flag}`" for flag in r.then.flags), r.source)
            for r in guideline.ihc
        ],
    )


def _rejections(guideline: Guideline) -> str:
    rows: list[tuple[str, ...]] = [
        (f"`{r.id}`", r.then.reason, "not evaluable", r.source) for r in UNMEASURED
    ]
    rows += [(f"`{r.id}`", r.then, "IHC indeterminate", r.source) for r in guideline.ihc_rejections]
    again = set(guideline.recount_rejections)
    rows += [
        (
            f"`{r.id}`",
            r.then,
            "ISH indeterminate" + (", recount void" if r in again else ""),
            r.source,
        )
        for r in guideline.ish_rejections
    ]
    return _table(("rule", "reason", "then", "source"), rows)


def _ish(guideline: Guideline) -> str:
    rules = (*guideline.ish_dual, *guideline.ish_single)
    return _table(("rule", "result", "source"), [(f"`{r.id}`", r.then, r.source) for r in rules])


def _combined(guideline: Guideline) -> str:
    rows = []
    for rule in guideline.combined:
        match = rule.when
        assert isinstance(match, Match), f"{rule.id} is not a row of a table"
        comments = ", ".join(f"`{code}`" for code in rule.then.comments)
        rows.append(
            (
                f"`{rule.id}`",
                _words(IhcFinding, match.ihc, _IHC_WORDS),
                _words(IshFinding, match.ish, _ISH_WORDS),
                _words(RecountFinding, match.recount, _RECOUNT_WORDS),
                f"**{rule.then.state.replace('_', ' ')}**",
                comments,
                rule.source,
            )
        )
    return _table(("rule", "IHC", "ISH", "recount", "call", "comments", "source"), rows)


def _words(order: Iterable[str], chosen: frozenset[str], words: dict[str, str]) -> str:
    found = [words.get(name, str(name).replace("_", " ")) for name in order if name in chosen]
    return "any" if len(found) == len(list(order)) else ", ".join(found)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [" | ".join(str(cell).replace("|", "\\|") or " " for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def between(page: str, name: str) -> str:
    """Cut the table `name` out of the page."""
    start, end = _marks(name)
    return page.split(start)[1].split(end, maxsplit=1)[0].strip()


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- table {name} -->", f"<!-- end {name} -->"


def main() -> None:
    """Write the tables into the page."""
    page = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        start, end = _marks(name)
        before, rest = page.split(start)
        page = f"{before}{start}\n{table}\n{end}{rest.split(end)[1]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
