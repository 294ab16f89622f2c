"""Check a read sheet against the key of what was shown, and find all of its faults at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from her2path.domain.guideline.rejections import MIN_NUCLEI
from her2path.domain.ish import Probe
from her2path.errors import SheetFault
from her2path.io.read_sheet import (
    BLINDED,
    CEP17,
    COMMENT,
    DATE,
    HER2,
    NUCLEUS,
    READER,
    REASON,
    SHEET_ID,
    Cell,
    ReadLine,
    ReadSheet,
)
from her2path.io.recount_documents import (
    MOST_SIGNALS,
    NOT_COUNTABLE,
    NotCountable,
    ReadNucleus,
    RecountKeyResult,
    RecountResult,
    Shown,
    ShownNucleus,
    pseudonym_fault,
)
from her2path.io.sheet_head import read_blinding, read_day, refuse_other_sheet
from her2path.io.spreadsheet_text import has_control_character

PROGRAM_NAMES = frozenset({"her2path", "program", "software", "computer", "automatic", "auto"})
"""Names that no person reads under, spelt small."""
TABLE_WORDS = frozenset({"majority", "reference", "readers"})
"""Words that stand for several readers, or for one in a role, in what comes out; spelt small."""
_MOST_COMMENT = 200
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_DECIMAL = re.compile(r"([0-9]{1,9})[.,]0*")


def checked_read(
    sheet: ReadSheet, key: RecountKeyResult, *, today: date
) -> RecountResult | tuple[SheetFault, ...]:
    """Turn a filled sheet into a read, or list everything that is wrong with it.

    Parameters
    ----------
    sheet : ReadSheet
        As it came back.
    key : RecountKeyResult
        What was shown under its id.
    today : date
        No read was made later.

    Returns
    -------
    RecountResult or tuple of SheetFault
        By line; 0 = the file as a whole.
    """
    check = _Check(key)
    reader = check.reader(sheet.head[READER])
    day = read_day(sheet.head[DATE], today=today, faults=check.faults)
    blinded = read_blinding(sheet.head[BLINDED], first="first result", faults=check.faults)
    if check.dual and CEP17 not in sheet.columns:
        check.fault(sheet.columns_line, CEP17, "column is missing")
    nuclei = check.nuclei(sheet.rows)
    if check.faults or reader is None or day is None or blinded is None:
        return tuple(sorted(check.faults, key=lambda fault: fault.row))
    return RecountResult(
        **key.model_dump(include=set(Shown.model_fields)),
        reader=reader,
        read_on=day.isoformat(),
        did_not_know_first_result=blinded,
        nuclei=nuclei,
    )


@dataclass(slots=True)
class _Check:
    key: RecountKeyResult
    faults: list[SheetFault] = field(default_factory=list)

    @property
    def dual(self) -> bool:
        return self.key.probe is Probe.DUAL

    def fault(self, line: int, column: str, message: str) -> None:
        self.faults.append(SheetFault(line, column, message))

    def reader(self, cell: Cell) -> str | None:
        if not cell.text:
            self.fault(cell.line, READER, "is empty; state initials or a pseudonym")
            return None
        if fault := pseudonym_fault(cell.text):
            self.fault(cell.line, READER, fault)
            return None
        first = self.key.first_observer
        if first is not None and cell.text.casefold() == first.casefold():
            self.fault(cell.line, READER, f"{first!r} made the first count; another person must read")
        elif cell.text.casefold() in PROGRAM_NAMES:
            self.fault(cell.line, READER, "a program made the first count; a person must read")
        return cell.text

    def nuclei(self, rows: Sequence[ReadLine]) -> tuple[ReadNucleus, ...]:
        """Read the lines in the order of the nuclei, and hold them against what was shown."""
        shown = {nucleus.number: nucleus for nucleus in self.key.nuclei}
        lines: dict[int, int] = {}
        found: dict[int, ReadNucleus | None] = {}
        for row in rows:
            refuse_other_sheet(
                row, column=SHEET_ID, stated_id=self.key.sheet_id, kind="sheet", faults=self.faults
            )
            number = self._number(row, shown.keys())
            if number is not None and number in lines:
                self.fault(row.line, NUCLEUS, f"nucleus {number} stands in row {lines[number]} already")
            elif number is not None:
                lines[number] = row.line
                found[number] = self._nucleus(row, shown[number])
            else:
                self._nucleus(row, None)
        if missing := sorted(shown.keys() - lines.keys()):
            listed = ", ".join(map(str, missing))
            words = f"nucleus {listed} is" if len(missing) == 1 else f"nuclei {listed} are"
            self.fault(0, NUCLEUS, f"{words} missing; give counts or a reason for every nucleus")
        read = [found[number] for number in sorted(found)]
        whole = tuple(nucleus for nucleus in read if nucleus is not None)
        counted = sum(nucleus.her2_signals is not None for nucleus in whole)
        if len(whole) == len(shown) and counted < MIN_NUCLEI:
            message = f"only {counted} nuclei were counted, {MIN_NUCLEI} are needed"
            self.fault(0, "", f"{message}; prepare a sheet with more nuclei")
        return whole

    def _number(self, row: ReadLine, shown: Collection[int]) -> int | None:
        text = row.cells.get(NUCLEUS, "")
        number = int(text) if _INTEGER.fullmatch(text) else None
        if number is None:
            self.fault(row.line, NUCLEUS, f"{text!r} is no number of a nucleus" if text else "is empty")
        elif number not in shown:
            self.fault(
                row.line, NUCLEUS, f"nucleus {number} was never shown; numbers go from 1 to {len(shown)}"
            )
            return None
        return number

    def _nucleus(self, row: ReadLine, shown: ShownNucleus | None) -> ReadNucleus | None:
        """Read the counts of a line, or the reason for none; None where either is faulty."""
        before = len(self.faults)
        columns = (HER2, CEP17) if self.dual else (HER2,)
        stated = {name: row.cells.get(name, "") for name in columns}
        if not self.dual and row.cells.get(CEP17):
            self.fault(row.line, CEP17, "a single probe has no CEP17; leave the cell empty")
        reason = self._reason(row, any(stated.values()))
        counts: dict[str, int | None] = {}
        for name, text in stated.items():
            if text:
                counts[name] = self._count(row.line, name, text)
            elif not row.cells.get(REASON):
                self.fault(row.line, name, f"is empty; count, or state a reason under {REASON}")
        comment = self._comment(row)
        if shown is None or len(self.faults) > before:
            return None
        return ReadNucleus(
            **shown.model_dump(),
            her2_signals=counts.get(HER2),
            cep17_signals=counts.get(CEP17),
            not_countable=reason,
            comment=comment,
        )

    def _reason(self, row: ReadLine, has_counts: bool) -> NotCountable | None:
        text = row.cells.get(REASON, "")
        word = "_".join(text.lower().split())
        if not text:
            return None
        if word not in NOT_COUNTABLE:
            self.fault(row.line, REASON, f"{text!r} is no reason; known are {', '.join(NOT_COUNTABLE)}")
            return None
        if has_counts:
            self.fault(row.line, REASON, "a nucleus has counts or a reason, not both; clear one of them")
        elif word == "other" and not row.cells.get(COMMENT):
            self.fault(row.line, COMMENT, "is empty; say what `other` stands for")
        return cast("NotCountable", word)

    def _count(self, line: int, column: str, text: str) -> int | None:
        if not _INTEGER.fullmatch(text):
            whole = _DECIMAL.fullmatch(text)
            remedy = f"write {whole[1]}" if whole else "write a whole number of signals"
            self.fault(line, column, f"{text!r} is no whole number; {remedy}")
            return None
        number = int(text)
        if number == 0:
            remedy = f"leave the counts empty and write no_signal under {REASON}"
            self.fault(line, column, f"a nucleus without a signal of each colour is not counted; {remedy}")
        elif not 0 < number <= MOST_SIGNALS:
            self.fault(line, column, f"{number} is out of range; 1 to {MOST_SIGNALS} can be counted")
        return number

    def _comment(self, row: ReadLine) -> str:
        text = row.cells.get(COMMENT, "")
        if len(text) > _MOST_COMMENT:
            self.fault(row.line, COMMENT, f"is longer than {_MOST_COMMENT} characters; shorten it")
        elif has_control_character(text):
            self.fault(row.line, COMMENT, "holds a control character; retype it")
        return text
