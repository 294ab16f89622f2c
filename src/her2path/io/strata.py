"""`strata.tsv`: where and how each case was stained and scanned; what is not stated is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from her2path.errors import CaseSheetError, SheetFault
from her2path.io.case_sheet import id_fault
from her2path.io.named_table import read_named
from her2path.io.read_cells import ReadCells
from her2path.io.reads_mapping import CASE_ID, DATE, NO_MAPPING, STRATA, STRATA_COLUMNS, ReadsMapping
from her2path.io.spreadsheet_text import has_control_character

_MOST_LETTERS = 64
_WHAT = "table of strata"


@dataclass(frozen=True, slots=True)
class Strata:
    """What is known of one case; None = not stated."""

    site: str | None = None
    scanner: str | None = None
    clone: str | None = None
    batch: str | None = None
    specimen: str | None = None
    stained_on: date | None = None


def read_strata(path: Path, *, today: date, mapping: ReadsMapping = NO_MAPPING) -> dict[str, Strata]:
    """Read the strata by case; CaseSheetError with every fault by row and column."""
    table = read_named(
        path,
        what="the strata",
        known=STRATA_COLUMNS,
        needed=(CASE_ID,),
        names=mapping.strata_columns,
        mapping=mapping,
    )
    faults: list[SheetFault] = []
    found: dict[str, Strata] = {}
    lines: dict[str, int] = {}
    for line, texts in table.rows:
        cells = ReadCells(line, texts, mapping, {}, today, faults)
        case_id = texts.get(CASE_ID, "")
        if fault := "is empty; name the case" if not case_id else id_fault(case_id):
            cells.fault(CASE_ID, fault)
        elif case_id in lines:
            cells.fault(CASE_ID, f"{case_id!r} stands in row {lines[case_id]} already; give one row a case")
        lines.setdefault(case_id, line)
        values = {name: _value(cells, name) for name in STRATA}
        if "" in texts:
            cells.fault("", f"has more cells than the table has columns ({texts[''][:60]!r})")
        found[case_id] = Strata(**values, stained_on=cells.day(DATE))
    if faults:
        renamed = (SheetFault(f.row, table.spelt.get(f.column, f.column), f.message) for f in faults)
        raise CaseSheetError(tuple(sorted(renamed, key=lambda fault: fault.row)), _WHAT)
    return found


def _value(cells: ReadCells, name: str) -> str | None:
    text = cells.texts.get(name)
    if text is not None and (len(text) > _MOST_LETTERS or has_control_character(text)):
        cells.fault(name, f"{text[:20]!r}... is no name; write {_MOST_LETTERS} letters at most, on one line")
        return None
    return text
