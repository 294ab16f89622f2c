"""`runs.tsv`: what control tissue measured in each run, one row a run and control.

A run is what was stained together.  Whatever is not stated is none: a run without a date has no place
in time, a control without an optical density is charted by its percentage alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

from her2path.errors import SheetFault
from her2path.io.case_sheet import id_fault
from her2path.io.named_table import read_named
from her2path.io.read_cells import ReadCells
from her2path.io.reads_mapping import (
    CASE_IDS,
    COMMENT,
    CONTROL,
    DAB_OD,
    DATE,
    NO_MAPPING,
    PCT_STAINED,
    RUN_ID,
    RUN_SCORE,
    RUN_STRATA,
    RUNS_COLUMNS,
    ReadsMapping,
)

Measure = Literal["dab_od", "pct_stained"]
MEASURES: tuple[Measure, ...] = ("dab_od", "pct_stained")
"""What of a control is charted."""
ONLY_CONTROL = "control"
"""Name of the control of a table that has no such column."""
MOST_OD = 5.0
"""Largest optical density that is taken for real; scanners end below 3."""
_NUMBER = re.compile(r"[0-9]{1,6}(?:[.,][0-9]{1,12})?")


@dataclass(frozen=True, slots=True)
class Run:
    """What was stained together, and where it was scanned; None = not stated."""

    run_id: str
    run_on: date | None = None
    scanner: str | None = None
    clone: str | None = None
    batch: str | None = None


@dataclass(frozen=True, slots=True)
class ControlValue:
    """What one control measured in one run."""

    run: Run
    control: str
    dab_od: float | None = None
    """Decadic; None = not measured."""
    pct_stained: float | None = None
    score: str | None = None
    case_ids: tuple[str, ...] = ()
    """Cases of the run."""
    slides: int = 1
    """Slides that the values are the mean of."""

    def value(self, measure: Measure) -> float | None:
        """Pick what is charted; None = not measured."""
        return self.dab_od if measure == "dab_od" else self.pct_stained


def read_runs(path: Path, *, today: date, mapping: ReadsMapping = NO_MAPPING) -> tuple[ControlValue, ...]:
    """Read a table of runs in whatever dialect it was saved.

    Parameters
    ----------
    path : Path
        Tab-, semicolon- or comma-separated text.
    today : date
        No run was made later.
    mapping : ReadsMapping
        Other names for columns and words.

    Returns
    -------
    tuple of ControlValue
        In the order of the file.

    Raises
    ------
    CaseSheetError
        With every fault by row and column; exit code 3.
    """
    table = read_named(
        path,
        what="the runs",
        known=RUNS_COLUMNS,
        needed=(RUN_ID,),
        names=mapping.runs_columns,
        mapping=mapping,
        key=RUN_ID,
    )
    faults: list[SheetFault] = []
    found: list[tuple[int, ControlValue]] = []
    for line, texts in table.rows:
        value = _value(ReadCells(line, texts, mapping, today, faults))
        found.append((line, value))
    faults += [*_repeated(found), *_contradictions(found)]
    if not found:
        faults.append(SheetFault(0, "", "holds no row; give one row a run and control"))
    if not {DAB_OD, PCT_STAINED} & table.spelt.keys():
        faults.append(SheetFault(table.header_line, DAB_OD, f"column is missing, and so is {PCT_STAINED}"))
    if faults:
        raise table.error(faults)
    return _completed([value for _, value in found])


def _value(cells: ReadCells) -> ControlValue:
    run_id = cells.texts.get(RUN_ID, "")
    if fault := "is empty; name the run" if not run_id else id_fault(run_id):
        cells.fault(RUN_ID, fault)
    strata = {name: cells.label(name) for name in RUN_STRATA}
    cells.refuse_surplus()
    cells.comment(COMMENT)
    percentage = cells.percentage(PCT_STAINED)
    od = _density(cells)
    if not {DAB_OD, PCT_STAINED, RUN_SCORE} & cells.texts.keys():
        cells.fault(DAB_OD, f"is empty, and so are {PCT_STAINED} and {RUN_SCORE}; leave the row out")
    return ControlValue(
        run=Run(run_id, cells.day(DATE), **strata),
        control=cells.label(CONTROL) or ONLY_CONTROL,
        dab_od=od,
        pct_stained=None if percentage is None else float(percentage),
        score=cells.score(RUN_SCORE),
        case_ids=tuple(_cases(cells)),
    )


def _density(cells: ReadCells) -> float | None:
    text = cells.texts.get(DAB_OD)
    if text is None:
        return None
    number = float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None
    if number is None or number > MOST_OD:
        message = f"{text[:60]!r} is no optical density; write a decadic one from 0 to {MOST_OD:g}"
        cells.fault(DAB_OD, message)
        return None
    return number


def _cases(cells: ReadCells) -> Iterator[str]:
    seen: set[str] = set()
    for case_id in re.split(r"[,;\s]+", cells.texts.get(CASE_IDS, "")):
        if not case_id or case_id in seen:
            continue
        seen.add(case_id)
        if fault := id_fault(case_id):
            cells.fault(CASE_IDS, fault)
        else:
            yield case_id


def _repeated(found: Iterable[tuple[int, ControlValue]]) -> Iterator[SheetFault]:
    seen: dict[tuple[str, str], int] = {}
    for line, value in found:
        first = seen.setdefault((value.run.run_id, value.control), line)
        if value.run.run_id and first != line:
            message = (
                f"{value.control!r} of run {value.run.run_id!r} stands in row {first} already; give one row "
                "a run and control (the mean of replicates), or name the controls apart"
            )
            yield SheetFault(line, CONTROL, message)


def _contradictions(found: Iterable[tuple[int, ControlValue]]) -> Iterator[SheetFault]:
    """Find rows of one run that differ in what holds for the whole run."""
    stated: dict[tuple[str, str], tuple[int, object]] = {}
    columns = {"run_on": DATE, **{name: name for name in RUN_STRATA}}
    for line, value in found:
        for attribute, column in columns.items():
            here = getattr(value.run, attribute)
            if here is None:
                continue
            row, there = stated.setdefault((value.run.run_id, column), (line, here))
            if here != there:
                message = f"{here!s} contradicts {there!s} of the same run in row {row}; name them apart"
                yield SheetFault(line, column, message)


def _completed(values: list[ControlValue]) -> tuple[ControlValue, ...]:
    """Give every row of a run what one of them states of the whole run."""
    runs: dict[str, Run] = {}
    cases: dict[str, dict[str, None]] = {}
    for value in values:
        run = runs.setdefault(value.run.run_id, value.run)
        missing = {
            name: getattr(value.run, name)
            for name in ("run_on", *RUN_STRATA)
            if getattr(run, name) is None and getattr(value.run, name) is not None
        }
        runs[run.run_id] = replace(run, **missing)
        cases.setdefault(run.run_id, {}).update(dict.fromkeys(value.case_ids))
    return tuple(
        replace(value, run=runs[value.run.run_id], case_ids=tuple(cases[value.run.run_id]))
        for value in values
    )
