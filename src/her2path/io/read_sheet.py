"""The read sheet of a recount: written empty for the reader, read back as a spreadsheet left it.

A few lines state who read it, when, and whether the first result was known; then one line a nucleus.
Spreadsheets change such a file on saving (byte-order mark, CRLF, UTF-16, quotes, other separators,
empty cells at the end of a line); none of that changes what a reader wrote, so all of it is read.
What a cell *means* is checked elsewhere (`her2path.io.read_check`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2path.domain.ish import Probe
from her2path.errors import SheetFault
from her2path.io.recount_documents import NOT_COUNTABLE
from her2path.io.spreadsheet_text import cells_of, lines_of, lowered, mark_of, text_of

READER, DATE, BLINDED = "reader", "date", "did_not_know_first_result"
HEAD = (READER, DATE, BLINDED)
"""Lines above the table, in this order: name, then value."""
SHEET_ID, NUCLEUS, HER2, CEP17 = "sheet_id", "nucleus", "her2_signals", "cep17_signals"
REASON, COMMENT = "not_countable", "comment"
_HELP = (
    "# Fill in reader (initials or pseudonym), date (YYYY-MM-DD) and did_not_know_first_result (yes or no).",
    "# Then for every nucleus either whole numbers of signals, or one of these words under not_countable: "
    f"{' '.join(NOT_COUNTABLE)}.",
)
_MAX_BYTES = 2**17
"""Largest sheet that is read, and the longest cell that `csv` takes; a sheet of 200 nuclei takes 10 kB."""


def columns_of(probe: Probe) -> tuple[str, ...]:
    """Name the columns of the table; a single probe has no CEP17."""
    counts = (HER2,) if probe is Probe.SINGLE else (HER2, CEP17)
    return (SHEET_ID, NUCLEUS, *counts, REASON, COMMENT)


def empty_sheet(sheet_id: str, nuclei: int, probe: Probe) -> str:
    """Write a sheet for a reader to fill in.

    Parameters
    ----------
    sheet_id : str
        Also shown on the page of nuclei.
    nuclei : int
        How many are shown.
    probe : Probe
        Which signals are counted.
    """
    columns = columns_of(probe)
    rows = ["\t".join([sheet_id, str(number), *[""] * (len(columns) - 2)]) for number in range(1, nuclei + 1)]
    lines = [*_HELP, *(f"{name}\t" for name in HEAD), "\t".join(columns), *rows]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell."""

    line: int
    """Line of the file, from 1; 0 = the file has no such cell."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class ReadLine:
    """One line of the table, as it was written."""

    line: int
    cells: Mapping[str, str]
    """By column; empty cells are empty text."""


@dataclass(frozen=True, slots=True)
class ReadSheet:
    """A sheet as it came back."""

    head: Mapping[str, Cell]
    columns: tuple[str, ...]
    columns_line: int
    rows: tuple[ReadLine, ...]
    id_column: str = SHEET_ID

    @property
    def sheet_id(self) -> str:
        """The id that most lines carry; empty where none has one."""
        found = Counter(row.cells[self.id_column] for row in self.rows if row.cells.get(self.id_column))
        return found.most_common(1)[0][0] if found else ""


@dataclass(frozen=True, slots=True)
class SheetForm:
    """What the table of a sheet looks like."""

    what: str
    """The sheet with its article: ``a read sheet``."""
    columns: tuple[str, ...]
    """All that are known; the first holds the id of the sheet, the second a number."""
    needed: tuple[str, ...]
    most_bytes: int = _MAX_BYTES


_RECOUNT = SheetForm("a read sheet", columns_of(Probe.DUAL), (SHEET_ID, NUCLEUS, HER2, REASON))


def read_sheet(path: Path, form: SheetForm = _RECOUNT) -> ReadSheet | tuple[SheetFault, ...]:
    """Read a sheet in whatever dialect a spreadsheet saved it.

    Parameters
    ----------
    path : Path
        Tab-, semicolon- or comma-separated text.
    form : SheetForm
        Which sheet is expected; that of a recount without it.

    Returns
    -------
    ReadSheet or tuple of SheetFault
        The faults where it is no such sheet, or its columns cannot be told.
    """
    text = text_of(path, most_bytes=form.most_bytes, what=form.what)
    if isinstance(text, SheetFault):
        return (text,)
    lines = lines_of(text)
    id_column = form.columns[0]
    mark = mark_of(lines, (id_column,))
    if mark is None:
        detail = f"is no {form.what.split(' ', 1)[1]}: no line names the columns {id_column}, "
        return (SheetFault(0, "", f"{detail}{form.columns[1]}, ..."),)
    records = [(n, cells_of(line, mark)) for n, line in enumerate(lines, start=1)]
    place = next(i for i, (_, cells) in enumerate(records) if id_column in lowered(cells))
    line, header = records[place][0], tuple(lowered(records[place][1]))
    if faults := tuple(_column_faults(line, header, form)):
        return faults
    rows = tuple(_rows(records[place + 1 :], header))
    return ReadSheet(_head(records[:place]), header, line, rows, id_column)


def _column_faults(line: int, header: Sequence[str], form: SheetForm) -> Iterable[SheetFault]:
    yield from (
        SheetFault(line, name or "(no name)", f"unknown column; known are {', '.join(form.columns)}")
        for name in header
        if name not in form.columns
    )
    yield from (
        SheetFault(line, name, "column appears twice") for name, n in Counter(header).items() if n > 1
    )
    yield from (SheetFault(line, name, "column is missing") for name in form.needed if name not in header)


def _head(records: Sequence[tuple[int, list[str]]]) -> dict[str, Cell]:
    found: dict[str, Cell] = {}
    for line, cells in records:
        name = cells[0].lower() if cells else ""
        if name in HEAD:
            found.setdefault(name, Cell(line, " ".join(cells[1:]).strip()))
    return {name: found.get(name, Cell(0)) for name in HEAD}


def _rows(records: Iterable[tuple[int, list[str]]], header: Sequence[str]) -> Iterable[ReadLine]:
    for line, cells in records:
        if not cells or cells[0].startswith("#"):
            continue
        named = {name: cells[i] if i < len(cells) else "" for i, name in enumerate(header)}
        surplus = cells[len(header) :]
        yield ReadLine(line, named | ({"": " ".join(surplus)} if surplus else {}))
