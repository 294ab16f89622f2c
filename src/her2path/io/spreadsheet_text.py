"""Text as spreadsheets and laboratory systems save it: encodings, separators, quotes, dates.

Saving changes a file (byte-order mark, CRLF, UTF-16, quotes, other separators, empty cells at the end of
a line) but not what somebody wrote into it, so all of it is read.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from her2path.errors import SheetFault

MARKS = "\t;,"
"""What may separate cells."""
_LONGEST = 2**17
"""Longest cell that `csv` takes."""
_WORKBOOKS = (b"PK", b"\xd0\xcf\x11\xe0")
"""How workbooks begin: .xlsx and .ods, .xls."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# 2026-11-21, and 21.11.2026 as spreadsheets of many countries show it; groups as year, month, day.
_DAYS = {r"(\d{4})-(\d{1,2})-(\d{1,2})": (1, 2, 3), r"(\d{1,2})\.(\d{1,2})\.(\d{4})": (3, 2, 1)}


def text_of(path: Path, *, most_bytes: int, what: str) -> str | SheetFault:
    """Decode a file, or say why it is no text.

    Parameters
    ----------
    path : Path
        A text file in UTF-8, UTF-16 with its mark, or the code page of Western Europe.
    most_bytes : int
        Largest file that is read.
    what : str
        What the file should be, with its article, for messages: ``a read sheet``.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= most_bytes else b"-"
    except OSError as error:
        return SheetFault(0, "", f"cannot be read ({type(error).__name__})")
    if not data.strip():
        return SheetFault(0, "", "is empty")
    if size > most_bytes:
        return SheetFault(0, "", f"is too large for {what}")
    if data.startswith(_WORKBOOKS):
        return SheetFault(0, "", "is a workbook; save it as text (tab-separated)")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # Spreadsheets on Windows save text in the code page of Western Europe unless told otherwise.
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return SheetFault(0, "", "is no text; save it as text (tab-separated, UTF-8)")


def lines_of(text: str) -> list[str]:
    r"""Split a text at its line ends, of whatever system.

    Examples
    --------
    >>> lines_of("a\r\nb\rc")
    ['a', 'b', 'c']
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def cells_of(line: str, mark: str) -> list[str]:
    """Split a line into stripped cells, without the empty ones at its end.

    Examples
    --------
    >>> cells_of('c1;"2+; weak";;', ";")
    ['c1', '2+; weak']
    """
    # One line is one row: a stray quote must not swallow those behind it.
    row = next(csv.reader([line], delimiter=mark), []) if len(line) < _LONGEST else line.split(mark)
    cells = [cell.strip() for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def plain(word: str) -> str:
    """Spell a name or word so that capitals and blanks make no difference.

    Examples
    --------
    >>> plain(" HER2  IHC ")
    'her2 ihc'
    """
    return " ".join(word.lower().split())


def lowered(cells: Iterable[str]) -> list[str]:
    """Spell names of columns small."""
    return [cell.lower() for cell in cells]


def mark_of(lines: Sequence[str], names: Collection[str]) -> str | None:
    """Find what separates the cells, by the first line that holds one of `names` (spelt small) as a cell.

    Returns
    -------
    str or None
        None where no line names a column.
    """
    for line in lines:
        if any(name in line.lower() for name in names):
            cells = {mark: lowered(cells_of(line, mark)) for mark in MARKS}
            found = {mark: len(row) for mark, row in cells.items() if not set(row).isdisjoint(names)}
            if found and max(found.values()) > 1:
                return max(found, key=lambda mark: found[mark])
    return None


def has_control_character(text: str) -> bool:
    """Whether a text holds characters that cannot be seen and break lines or terminals."""
    return _CONTROL.search(text) is not None


def day_of(text: str) -> date | None:
    """Read a day; with slashes nobody can tell day from month, so such a one is none.

    Examples
    --------
    >>> day_of("21.11.2026").isoformat()
    '2026-11-21'
    >>> day_of("11/12/2026") is None
    True
    """
    for pattern, order in _DAYS.items():
        if found := re.fullmatch(pattern, text):
            try:
                return date(*(int(found[i]) for i in order))
            except ValueError:
                return None
    return None
