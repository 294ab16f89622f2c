"""`reads.tsv`: what pathologists read, one row a read, every fault at once.

An empty cell was not read and is never 0; a row without any reading is no read.  A mapping file
(`her2path.io.reads_mapping`) makes exports with other names readable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.number_words import counted
from her2path.domain.reads import Findings, rounding_of
from her2path.errors import SheetFault
from her2path.io.case_sheet import id_fault
from her2path.io.named_table import read_named
from her2path.io.read_cells import MOST_MEAN_SIGNALS, MOST_NUCLEI, ReadCells
from her2path.io.read_check import PROGRAM_NAMES, TABLE_WORDS
from her2path.io.reads_mapping import (
    CALL,
    CASE_ID,
    CEP17,
    COMMENT,
    DATE,
    HER2,
    NO_MAPPING,
    NUCLEI,
    PERCENTAGES,
    READ_COLUMNS,
    READER,
    SCORE,
    SESSION,
    ReadsMapping,
)
from her2path.io.recount_documents import pseudonym_fault
from her2path.io.spreadsheet_text import plain

FINDINGS = (SCORE, *PERCENTAGES, HER2, CEP17, NUCLEI, CALL)
"""Columns that hold a reading."""
_MOST_SESSIONS = 100
_MOST_ROWS = 10
"""Rows that a fault of many rows lists."""


@dataclass(frozen=True, slots=True)
class Read:
    """One row of the table."""

    line: int
    """Line of the file, 1 = its first."""
    case_id: str
    reader: str
    session: int
    read_on: date | None
    findings: Findings
    comment: str


@dataclass(frozen=True, slots=True)
class Reads:
    """All rows of the table."""

    reads: tuple[Read, ...]
    """In the order of the file."""
    without_reading: tuple[tuple[str, str], ...]
    """Case and reader of rows that hold no reading."""


def read_reads(path: Path, *, today: date, mapping: ReadsMapping = NO_MAPPING) -> Reads:
    """Read a table of reads in whatever dialect it was saved.

    Parameters
    ----------
    path : Path
        Tab-, semicolon- or comma-separated text.
    today : date
        No read was made later.
    mapping : ReadsMapping
        Other names for columns, readers and words.

    Raises
    ------
    CaseSheetError
        With every fault by row and column; exit code 3.
    """
    given = {name for name in (READER, SESSION) if getattr(mapping, name) is not None}
    table = read_named(
        path,
        what="the reads",
        known=READ_COLUMNS,
        needed=tuple(name for name in (CASE_ID, READER) if name not in given),
        names=mapping.columns,
        mapping=mapping,
    )
    rows = _Rows(mapping, today)
    reads = [read for line, texts in table.rows if (read := rows.read(line, texts)) is not None]
    faults = [*rows.all_faults(), *_repeated(reads), *_out_of_order(reads), *_spellings(reads)]
    if not table.rows:
        faults.append(SheetFault(0, "", "holds no row; give one row a read"))
    if faults:
        raise table.error(faults)
    return Reads(tuple(reads), tuple(rows.without_reading))


class _Rows:
    """Reads rows one by one and gathers their faults."""

    def __init__(self, mapping: ReadsMapping, today: date) -> None:
        self._mapping = mapping
        self._today = today
        self.faults: list[SheetFault] = []
        self._wrong_readers: dict[str, tuple[int, list[int]]] = {}
        self.without_reading: list[tuple[str, str]] = []

    def all_faults(self) -> Iterator[SheetFault]:
        """List the faults; a name that no reader may have is one fault with all of its rows."""
        rows = {place: lines for place, lines in self._wrong_readers.values() if len(lines) > 1}
        for place, fault in enumerate(self.faults):
            more = rows.get(place, ())[1:]
            listed = ", ".join(map(str, more[:_MOST_ROWS])) + (", ..." if len(more) > _MOST_ROWS else "")
            also = f" (also in {counted(len(more), 'row')}: {listed})" if more else ""
            yield replace(fault, message=f"{fault.message}{also}")

    def read(self, line: int, texts: dict[str, str]) -> Read | None:
        cells = ReadCells(line, texts, self._mapping, self._today, self.faults)
        before = len(self.faults)
        case_id, reader = self._case(cells), self._reader(cells)
        session = cells.count(SESSION, least=1, most=_MOST_SESSIONS)
        day = cells.day(DATE)
        findings = findings_of(cells)
        comment = cells.comment(COMMENT)
        cells.refuse_surplus()
        if len(self.faults) > before or findings is None or reader in self._wrong_readers:
            return None
        if not texts.keys() & set(FINDINGS):
            self.without_reading.append((case_id, reader))
            return None
        return Read(line, case_id, reader, session or self._mapping.session or 1, day, findings, comment)

    @staticmethod
    def _case(cells: ReadCells) -> str:
        text = cells.texts.get(CASE_ID, "")
        if not text:
            cells.fault(CASE_ID, "is empty; name the case")
        elif fault := id_fault(text):
            cells.fault(CASE_ID, fault)
        return text

    def _reader(self, cells: ReadCells) -> str:
        text = cells.texts.get(READER, self._mapping.reader or "")
        name = self._mapping.words["readers"].get(plain(text), text)
        if not name:
            cells.fault(READER, "is empty; state initials or a pseudonym")
        elif name.casefold() in PROGRAM_NAMES:
            self._wrong_reader(cells, name, f"{name!r} names a program; its calls come from --calls")
        elif name.casefold() in TABLE_WORDS:
            message = f"{name!r} has a meaning of its own in the results; state initials or a pseudonym"
            self._wrong_reader(cells, name, message)
        elif fault := pseudonym_fault(name):
            message = f"{fault}; or give names pseudonyms under `readers` of a mapping"
            self._wrong_reader(cells, name, message)
        return name

    def _wrong_reader(self, cells: ReadCells, name: str, message: str) -> None:
        """Note a fault once and the rows that repeat it: a name stands in as many rows as its reader read."""
        _, lines = self._wrong_readers.setdefault(name, (len(self.faults), []))
        if not lines:
            cells.fault(READER, message)
        lines.append(cells.line)


def findings_of(cells: ReadCells) -> Findings | None:
    """Read what one row states of a case; None, with the faults noted, where a cell is faulty."""
    before = len(cells.faults)
    score = cells.score(SCORE)
    percentages = _percentages(cells)
    nuclei = cells.count(NUCLEI, least=1, most=MOST_NUCLEI)
    most = MOST_MEAN_SIGNALS * (nuclei or MOST_NUCLEI)
    her2, cep17 = (cells.count(name, least=0, most=most) for name in (HER2, CEP17))
    if NUCLEI not in cells.texts and (HER2 in cells.texts or CEP17 in cells.texts):
        cells.fault(NUCLEI, "is empty; say in how many nuclei the signals were counted")
    if HER2 not in cells.texts and (NUCLEI in cells.texts or CEP17 in cells.texts):
        cells.fault(HER2, "is empty; give the HER2 signals of all counted nuclei together")
    call = cells.call(CALL)
    if len(cells.faults) > before:
        return None
    known = None if score is None else IhcScore(score)
    return Findings(known, percentages, her2, cep17, nuclei, call)


def _percentages(cells: ReadCells) -> dict[StainingClass, Decimal]:
    before = len(cells.faults)
    found = {
        name: value for column, name in PERCENTAGES.items() if (value := cells.percentage(column)) is not None
    }
    total = sum(found.values(), Decimal(0))
    if len(cells.faults) > before:
        return {}
    # Where a class was not read, the others may well be less than the whole.
    if len(found) == len(PERCENTAGES):
        is_wrong = abs(total - 100) > rounding_of(found.values())
    else:
        is_wrong = total > 100
    if is_wrong:
        column = next(name for name, kind in PERCENTAGES.items() if kind in found)
        cells.fault(column, f"the percentages sum to {total}, not to 100")
        return {}
    return found


def _repeated(reads: Iterable[Read]) -> Iterator[SheetFault]:
    seen: dict[tuple[str, str, int], int] = {}
    for read in reads:
        first = seen.setdefault((read.case_id, read.reader, read.session), read.line)
        if first != read.line:
            message = (
                f"{read.reader!r} read {read.case_id!r} in session {read.session} already in row {first}; "
                "number the sessions, or take one of the rows out"
            )
            yield SheetFault(read.line, SESSION, message)


def _out_of_order(reads: Iterable[Read]) -> Iterator[SheetFault]:
    """Find sessions dated before an earlier one of the same reader and case: a wash-out would be made up."""
    latest: dict[tuple[str, str], tuple[date, Read]] = {}
    for read in sorted(reads, key=lambda one: one.session):
        if read.read_on is None:
            continue
        day, before = latest.setdefault((read.case_id, read.reader), (read.read_on, read))
        if read.read_on >= day:
            latest[read.case_id, read.reader] = read.read_on, read
        elif read.session > before.session:
            message = (
                f"session {read.session} of {read.case_id!r} by {read.reader!r} ({read.read_on}) lies before "
                f"session {before.session} ({day}, row {before.line}); number sessions as they were read"
            )
            yield SheetFault(read.line, DATE, message)


def _spellings(reads: Iterable[Read]) -> Iterator[SheetFault]:
    """Find ids that differ from an earlier one only in capitals: nobody knows whether they are the same."""
    seen: dict[tuple[str, str], str] = {}
    told: set[tuple[str, str]] = set()
    for read in reads:
        for column, name in ((CASE_ID, read.case_id), (READER, read.reader)):
            first = seen.setdefault((column, name.casefold()), name)
            if first != name and (column, name) not in told:
                told.add((column, name))
                yield SheetFault(read.line, column, f"{name!r} differs from {first!r} only in its capitals")
