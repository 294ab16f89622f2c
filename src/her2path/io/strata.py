"""`strata.tsv`: where and how each case was stained and scanned; what is not stated is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from her2path.domain.case import Specimen
from her2path.errors import SheetFault
from her2path.io.case_sheet import id_fault
from her2path.io.named_table import read_named
from her2path.io.read_cells import ReadCells
from her2path.io.reads_mapping import CASE_ID, DATE, NO_MAPPING, STRATA, STRATA_COLUMNS, ReadsMapping

SPECIMEN = "specimen"


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
        cells = ReadCells(line, texts, mapping, today, faults)
        case_id = texts.get(CASE_ID, "")
        if fault := "is empty; name the case" if not case_id else id_fault(case_id):
            cells.fault(CASE_ID, fault)
        elif case_id in lines:
            cells.fault(CASE_ID, f"{case_id!r} stands in row {lines[case_id]} already; give one row a case")
        lines.setdefault(case_id, line)
        values = {name: cells.label(name) for name in STRATA} | {SPECIMEN: _specimen(cells)}
        cells.refuse_surplus()
        found[case_id] = Strata(**values, stained_on=cells.day(DATE))
    if faults:
        raise table.error(faults)
    return found


def _specimen(cells: ReadCells) -> str | None:
    """Read the kind of specimen: guidelines ask for it, so a word that none of them knows is a fault."""
    text = cells.texts.get(SPECIMEN)
    if text is None or text.casefold() in set(Specimen):
        return None if text is None else text.casefold()
    cells.fault(SPECIMEN, f"{text[:60]!r} is no kind of specimen; known are {', '.join(Specimen)}")
    return None
