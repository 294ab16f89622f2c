"""How `her2path call` prints its calls for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Column, Table

from her2path.domain.flags import FLAG_TEXT, Flag
from her2path.reports.number_names import code_words
from her2path.reports.population_section import own_distances
from her2path.reports.trail_section import distance_rows
from her2path.reports.wording import headline, share_text, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from her2path.cli.call_table import CalledTable
    from her2path.domain.reclassification import Reclassification
    from her2path.io.call_entries import Distance
    from her2path.io.documents import CallDoc

_MOST_FAULTS = 200
_WIDEST = 130
"""Characters of a reclassification table with every result."""


def show_call(document: CallDoc, console: Console) -> None:
    """Print a call for people: the state, what it rests on, and who acts next."""
    show_result(document, console)
    trail = _table("Rules", "rule", "says", "source")
    for entry in document.rule_trail:
        trail.add_row(escape(entry.rule_id), escape(entry.conclusion), escape(entry.source))
    if document.rule_trail:
        console.print(trail)
    show_distances(document, console)
    show_populations(document, console)
    show_remarks(document, console)


def show_result(document: CallDoc, console: Console) -> None:
    """Print the state, the results it rests on, and who acts next."""
    console.print(headline(document), style="bold", markup=False)
    console.print(f"  guideline: {document.guideline}", markup=False)
    console.print(f"  who acts: {words_of(document).who}", markup=False)
    for name, value in (
        ("IHC", document.ihc_score),
        ("ISH", document.ish_group),
        ("overlay", document.her2_category),
    ):
        if value is not None:
            basis = f"  ({document.her2_category_basis})" if name == "overlay" else ""
            console.print(f"  {name}: {value}{basis}", markup=False)


def show_populations(document: CallDoc, console: Console) -> None:
    """Print the result of each of two tumour cell populations, if they were counted apart."""
    if not document.populations:
        return
    blocks = _table("Two populations", "population", "of the cells", "by itself", "ISH")
    for one in document.populations:
        share, group = share_text(one.share_pct), one.ish_group or "not read"
        blocks.add_row(one.population, share, str(one.state), group)
    console.print(blocks)
    for one in document.populations:
        for comment in one.comments:
            # What the case is told as well stands below, once.
            text = "see below" if comment in document.comments else comment.text
            console.print(f"  {one.population} population, {comment.code}: {text}", markup=False)


def show_distances(document: CallDoc, console: Console) -> None:
    """Print how far the numbers lie from the cut-points."""
    if document.populations and not document.populations[0].distance_to_cut:
        # Nobody asked what stands beside the call, so only those of the main count are known.
        _show_cuts("Cut-points (main population)", document.distance_to_cut, console)
        return
    _show_cuts("Cut-points", own_distances(document), console)
    for one in document.populations:
        _show_cuts(f"Cut-points of the {one.population} population", one.distance_to_cut, console)


def _show_cuts(title: str, distances: Iterable[Distance], console: Console) -> None:
    rows = distance_rows(distances)
    if not rows:
        return
    cuts = _table(title, "number", "value", "cut", "distance", "unit")
    for column in cuts.columns[1:4]:
        column.no_wrap = True
    for row in rows:
        cuts.add_row(row.quantity, row.value, row.cut, row.distance, row.unit)
    console.print(cuts)


def _table(title: str, *columns: str) -> Table:
    """Make a table in which a narrow terminal breaks words and cuts none off."""
    return Table(
        *(Column(name, overflow="fold") for name in columns), title=title, title_justify="left", box=None
    )


def show_remarks(document: CallDoc, console: Console) -> None:
    """Print reasons, comments and flags in sentences."""
    for reason in dict.fromkeys(reason.reason for reason in document.reasons.values()):
        console.print(f"reason: {reason}", markup=False)
    for comment in document.comments:
        console.print(f"{comment.code}: {comment.text}", markup=False)
    for flag in document.flags:
        text = FLAG_TEXT[Flag(flag)] if flag in tuple(Flag) else ""
        console.print(f"flag {flag}: {text}", markup=False, style="dim")


def table_summary(called: CalledTable) -> dict[str, object]:
    """Count what a table came to, for JSON."""
    return {
        "schema_version": "call_table/1",
        "rows": len(called.results),
        "guideline": called.guideline,
        "rows_without_guideline": called.unnamed,
        "calls": dict(sorted(called.calls.items())),
        "faults": [
            {"row": fault.row, "column": fault.column, "message": fault.message} for fault in called.faults
        ],
        "reclassifications": [_reclassification(found) for found in called.reclassifications],
    }


def _reclassification(found: Reclassification) -> dict[str, object]:
    return {
        "before": found.before,
        "after": found.after,
        "cases": found.cases,
        "unchanged": found.unchanged,
        "counts": [
            {"before": before, "after": after, "cases": n} for (before, after), n in found.counts.items()
        ],
    }


def show_table(called: CalledTable, console: Console) -> None:
    """Print what a table came to, and what a change of guideline changes in it."""
    if called.unnamed:
        words = f"{called.unnamed} rows name no guideline and were called by {called.guideline}"
        console.print(words, markup=False)
    counts = Table("call", "rows", box=None)
    for name, n in sorted(called.calls.items()):
        counts.add_row(name, str(n))
    console.print(counts)
    for found in called.reclassifications:
        show_reclassification(found, console)


def show_reclassification(found: Reclassification, console: Console) -> None:
    """Print a reclassification table and its changes."""
    title = f"{found.before} (rows) against {found.after} (columns)"
    columns = (code_words(name).replace(" ", "\n") for name in found.columns)
    table = Table("", *columns, "all", title=title, title_justify="left", box=None)
    for row in found.rows:
        cells = [found.counts.get((row, column), 0) for column in found.columns]
        table.add_row(code_words(row), *(str(n) if n else "." for n in cells), str(sum(cells)))
    # Nine results are wider than 80 characters; a number that is cut off would be worse than a long line.
    narrow, console.width = console.width, max(console.width, _WIDEST)
    console.print(table)
    console.width = narrow
    changed = found.cases - found.unchanged
    console.print(f"{changed} of {found.cases} cases change:" if changed else "no case changes", markup=False)
    for move in found.moves:
        words = f"{code_words(move.before)} -> {code_words(move.after)}: {move.cases}"
        console.print(f"  {words}", markup=False)


def fault_lines(called: CalledTable) -> list[str]:
    """Name every fault by row and column, up to a number that can still be read."""
    lines = [str(fault) for fault in called.faults[:_MOST_FAULTS]]
    if rest := len(called.faults) - len(lines):
        lines.append(f"and {rest} more faults; every one stands in the column `reason` of the output")
    return lines


def show_versions(document: CallDoc, console: Console) -> None:
    """Print what other guidelines say of the same numbers."""
    if not document.other_versions:
        return
    table = _table("By other guidelines", "guideline", "call", "IHC", "ISH", "")
    for one in document.other_versions:
        call = f"{one.state}: {one.reason}" if one.reason is not None else str(one.state)
        mark = "differs" if one.differs else ""
        table.add_row(one.guideline, escape(call), one.ihc_score or "", one.ish_group or "", mark)
    console.print(table)
