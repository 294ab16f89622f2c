"""What a sheet that a person filled in states of itself: when it was read, whether blinded, which it is."""

from __future__ import annotations

from datetime import date

from her2path.errors import SheetFault
from her2path.io.read_sheet import BLINDED, DATE, Cell, ReadLine
from her2path.io.spreadsheet_text import day_of

_YES_NO = {"yes": True, "no": False}


def read_day(cell: Cell, *, today: date, faults: list[SheetFault]) -> date | None:
    """Read the date of a read; None and a fault where there is none, a fault where it is not yet."""
    found = day_of(cell.text)
    if found is None:
        why = f"{cell.text!r} is no date" if cell.text else "is empty"
        # Spreadsheets turn that into the format of their country again, unless the cell is text.
        where = ", in a cell formatted as text" if cell.text else ""
        faults.append(SheetFault(cell.line, DATE, f"{why}; write it as YYYY-MM-DD{where}"))
    elif found > today:
        faults.append(SheetFault(cell.line, DATE, f"{found} lies in the future"))
    return found


def read_blinding(cell: Cell, *, first: str, faults: list[SheetFault]) -> bool | None:
    """Read whether the reader did not know the `first` result or results; None and a fault if unsaid."""
    found = _YES_NO.get(cell.text.lower())
    if found is None:
        why = f"{cell.text!r} is neither yes nor no" if cell.text else "is empty"
        message = f"{why}; state whether you did not know the {first} (yes, no)"
        faults.append(SheetFault(cell.line, BLINDED, message))
    return found


def refuse_other_sheet(
    row: ReadLine, *, column: str, stated_id: str, kind: str, faults: list[SheetFault]
) -> None:
    """Add a fault for a line of another sheet, and for one with cells beyond the table."""
    stated = row.cells.get(column, "")
    if stated != stated_id:
        why = f"{stated!r} is another {kind}" if stated else "is empty"
        faults.append(SheetFault(row.line, column, f"{why}; this one is {stated_id!r}"))
    if surplus := row.cells.get(""):
        faults.append(SheetFault(row.line, "", f"has more cells than the table has columns ({surplus!r})"))
