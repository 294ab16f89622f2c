"""The sheet of a blinded re-read: written empty for the reader, checked against its key on the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from her2path.domain.reads import Findings
from her2path.errors import SheetFault
from her2path.io.qa_review_entries import ListedCase, RereadKeyResult
from her2path.io.read_cells import ReadCells
from her2path.io.read_check import PROGRAM_NAMES, TABLE_WORDS
from her2path.io.read_sheet import (
    BLINDED,
    DATE,
    HEAD,
    READER,
    Cell,
    ReadLine,
    ReadSheet,
    SheetForm,
    read_sheet,
)
from her2path.io.reads import FINDINGS, findings_of
from her2path.io.reads_mapping import CALL, COMMENT, HER2, NO_MAPPING, SCORE
from her2path.io.recount_documents import pseudonym_fault
from her2path.io.sheet_head import read_blinding, read_day, refuse_other_sheet

LIST_ID, NUMBER, NOT_READ = "list_id", "number", "not_read"
COLUMNS = (LIST_ID, NUMBER, *FINDINGS, NOT_READ, COMMENT)
_FORM = SheetForm("a re-read list", COLUMNS, (LIST_ID, NUMBER), most_bytes=2**22)
_HELP = (
    "# Fill in reader (initials or pseudonym), date (YYYY-MM-DD) and did_not_know_first_result (yes or no).",
    "# Then read every number: ihc_score (0 1+ 2+ 3+), percentages, signals and nuclei, or call; or say why "
    "not under not_read.",
    "# The numbers are in the order of reading. Please do not change it.",
)


def empty_list(list_id: str, numbers: int) -> str:
    """Write a list for a reader to fill in; it tells nothing of the cases."""
    rows = ["\t".join([list_id, str(n), *[""] * (len(COLUMNS) - 2)]) for n in range(1, numbers + 1)]
    return "\n".join([*_HELP, *(f"{name}\t" for name in HEAD), "\t".join(COLUMNS), *rows]) + "\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands on one line."""

    item: ListedCase
    findings: Findings
    not_read: str
    comment: str


@dataclass(frozen=True, slots=True)
class FilledList:
    """A list as it came back, checked."""

    reader: str
    read_on: date
    did_not_know_first_results: bool
    answers: tuple[Answer, ...]
    """By number."""


def read_list(path: Path) -> ReadSheet | tuple[SheetFault, ...]:
    """Read a list in whatever dialect a spreadsheet saved it; the faults where it is none."""
    return read_sheet(path, _FORM)


def checked_list(
    sheet: ReadSheet, key: RereadKeyResult, *, today: date
) -> FilledList | tuple[SheetFault, ...]:
    """Hold a filled list against its key, and list everything that is wrong with it.

    Parameters
    ----------
    sheet : ReadSheet
        As it came back.
    key : RereadKeyResult
        Of the list that most lines name.
    today : date
        No read was made later.

    Returns
    -------
    FilledList or tuple of SheetFault
        By line; 0 = the file as a whole.
    """
    check = _Check(key, today)
    reader = check.reader(sheet.head[READER])
    day = check.day(sheet.head[DATE])
    blinded = read_blinding(sheet.head[BLINDED], first="first results", faults=check.faults)
    answers = check.answers(sheet.rows)
    if check.faults or reader is None or day is None or blinded is None:
        return tuple(sorted(check.faults, key=lambda fault: fault.row))
    return FilledList(reader, day, blinded, answers)


@dataclass(slots=True)
class _Check:
    key: RereadKeyResult
    today: date
    faults: list[SheetFault] = field(default_factory=list)

    def fault(self, line: int, column: str, message: str) -> None:
        self.faults.append(SheetFault(line, column, message))

    def reader(self, cell: Cell) -> str | None:
        if not cell.text:
            self.fault(cell.line, READER, "is empty; state initials or a pseudonym")
        elif cell.text.casefold() in PROGRAM_NAMES:
            self.fault(cell.line, READER, f"{cell.text!r} names a program; a person must read")
        elif cell.text.casefold() in TABLE_WORDS:
            meaning = "has a meaning of its own in the results; state initials or a pseudonym"
            self.fault(cell.line, READER, f"{cell.text!r} {meaning}")
        elif why := pseudonym_fault(cell.text):
            self.fault(cell.line, READER, why)
        elif self.key.reader is not None and cell.text != self.key.reader:
            self.fault(cell.line, READER, f"{cell.text!r} read a list that was made for {self.key.reader!r}")
        else:
            return cell.text
        return None

    def day(self, cell: Cell) -> date | None:
        found = read_day(cell, today=self.today, faults=self.faults)
        latest = max((item.last_read_on for item in self.key.items if item.last_read_on), default=None)
        if found is not None and found <= self.today and latest is not None and found.isoformat() < latest:
            # Which case it was stays with the key: the reader may see this message.
            self.fault(cell.line, DATE, f"{found} lies before a first read of the listed cases ({latest})")
        return found

    def answers(self, rows: Sequence[ReadLine]) -> tuple[Answer, ...]:
        """Read the lines in the order of the numbers."""
        items = {item.number: item for item in self.key.items}
        lines: dict[int, int] = {}
        found: dict[int, Answer] = {}
        for row in rows:
            number = self._number(row, items)
            if number is None:
                continue
            if number in lines:
                self.fault(row.line, NUMBER, f"number {number} stands in row {lines[number]} already")
                continue
            lines[number] = row.line
            answer = self._answer(row, items[number])
            if answer is not None:
                found[number] = answer
        if missing := sorted(items.keys() - lines.keys()):
            listed = ", ".join(map(str, missing))
            words = f"number {listed} is" if len(missing) == 1 else f"numbers {listed} are"
            self.fault(0, NUMBER, f"{words} missing; read every number, or say why not")
        return tuple(found[number] for number in sorted(found))

    def _number(self, row: ReadLine, items: Mapping[int, ListedCase]) -> int | None:
        refuse_other_sheet(row, column=LIST_ID, stated_id=self.key.list_id, kind="list", faults=self.faults)
        text = row.cells.get(NUMBER, "")
        if not text:
            self.fault(row.line, NUMBER, "is empty")
        elif not text.isdecimal() or len(text) > 9:
            self.fault(row.line, NUMBER, f"{text!r} is no number of the list")
        elif int(text) not in items:
            self.fault(row.line, NUMBER, f"number {int(text)} is unknown; numbers go from 1 to {len(items)}")
        else:
            return int(text)
        return None

    def _answer(self, row: ReadLine, item: ListedCase) -> Answer | None:
        texts = {name: text for name, text in row.cells.items() if text and name}
        cells = ReadCells(row.line, texts, NO_MAPPING, self.today, self.faults)
        before = len(self.faults)
        findings, comment, not_read = findings_of(cells), cells.comment(COMMENT), cells.comment(NOT_READ)
        has_reading = not texts.keys().isdisjoint(FINDINGS)
        if NOT_READ in texts and has_reading:
            self.fault(row.line, NOT_READ, "a case is read or not, not both; clear one of them")
        elif NOT_READ not in texts and not has_reading:
            message = f"number {item.number} has no reading; give {SCORE}, percentages, {HER2} or {CALL}"
            self.fault(row.line, SCORE, f"{message}, or say why not under {NOT_READ}")
        if len(self.faults) > before or findings is None:
            return None
        return Answer(item, findings, not_read, comment)


def fewest_days(key: RereadKeyResult, read_on: str) -> int | None:
    """Count the days since the last read of a listed case before; None where no date is known."""
    last = [date.fromisoformat(item.last_read_on) for item in key.items if item.last_read_on]
    return min(((date.fromisoformat(read_on) - day) // timedelta(days=1) for day in last), default=None)
