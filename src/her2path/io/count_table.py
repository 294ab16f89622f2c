"""Tables that people keep: CSV, TSV and Parquet, read as text and written back with more columns.

Every cell is read as the text that stands for it, so that 9.99 is 9.99 and an empty cell stays
empty; nothing is guessed about types.  Rows are numbered as a spreadsheet numbers them: row 1 is the
header, an empty line is a row, and a cell with line breaks belongs to one row.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from her2path.errors import CaseSheetError, SheetFault
from her2path.io.files import replacing, write_text

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".csv", ".tsv", ".parquet")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
DOUBLE_PLACES = 9
"""Decimals that are kept of a floating-point number."""
_PLACES = {"float": 5, "halffloat": 2}
# Beyond it a decimal cannot be rounded to so many places; no measurement is so large.
_LARGEST_FLOAT = 1e15
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class CountTable:
    """A table as it was read."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    """Number of the row and its cells, as many as the header has."""
    misfits: Mapping[int, str] = field(default_factory=dict)
    """What is wrong with the shape of a row, by its number."""
    arrow: pa.Table | None = None
    """The same table with its types, if it was Parquet."""


def table_suffix_fault(path: Path) -> str | None:
    """Say why a file is no table that can be read or written; None if it is one."""
    if path.suffix.lower() in SUFFIXES:
        return None
    return f"{path.name!r} does not end in {', '.join(SUFFIXES)}; the ending says what kind of table it is"


def read_count_table(path: Path) -> CountTable:
    """Read a table by the ending of its name.

    Raises
    ------
    CaseSheetError
        It cannot be read, has no header or no rows, or is broken beyond a single row.
    """
    if fault := table_suffix_fault(path):
        raise _unreadable(fault)
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_text(path)
    if not table.rows:
        raise _unreadable("no rows; give one row per case")
    return table


def _unreadable(message: str, row: int = 0) -> CaseSheetError:
    return CaseSheetError((SheetFault(row, "", message),), "table")


def _read_text(path: Path) -> CountTable:
    try:
        # newline="": a line break within quotes belongs to its cell.
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except FileNotFoundError as error:
        raise _unreadable(f"there is no file {path.name!r}; check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise _unreadable(f"{path.name!r} cannot be read ({kind}); give a UTF-8 table") from error
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    records = _records(text, delimiter)
    if not records:
        raise _unreadable("is empty; its first line names the columns")
    header = tuple(name.strip() for name in records[0][1])
    other = ";" if len(header) == 1 and ";" in header[0] else "\t" if len(header) == 1 else ""
    if other and other in records[0][1][0]:
        name = "semicolons" if other == ";" else "tabs"
        raise _unreadable(f"columns are separated by {name}; save it as .csv with commas, or as .tsv", 1)
    rows, misfits = [], {}
    for number, record in records[1:]:
        cells = _without_trailing_blanks(record, len(header))
        if len(cells) != len(header):
            misfits[number] = f"{len(cells)} cells, but the header has {len(header)}"
            cells = (*cells, *[""] * len(header))[: len(header)]
        rows.append((number, tuple(cells)))
    return CountTable(header, tuple(rows), misfits)


def _records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    # Strict: a quote that never ends must not swallow the rest of the table.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records = []
    row = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                records.append((row, record))
            row += 1
    except csv.Error as error:
        raise _unreadable(f"is no table ({error})", row) from error
    return records


def _without_trailing_blanks(record: Sequence[str], wanted: int) -> Sequence[str]:
    """Drop empty cells that a spreadsheet leaves beyond the last column."""
    end = len(record)
    while end > wanted and not record[end - 1].strip():
        end -= 1
    return record[:end]


def _read_parquet(path: Path) -> CountTable:
    # pyarrow takes a third of a second to load, and most calls need none of it.
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        # A file object: given a path, pyarrow would read a whole folder as one table.
        with path.open("rb") as file:
            table = pq.read_table(file)
    except FileNotFoundError as error:
        raise _unreadable(f"there is no file {path.name!r}; check the path") from error
    except (OSError, pa.ArrowException) as error:
        kind = type(error).__name__
        raise _unreadable(f"{path.name!r} cannot be read as Parquet ({kind}); write it again") from error
    columns = [
        [cell_text(value, _PLACES.get(str(column.type), DOUBLE_PLACES)) for value in column.to_pylist()]
        for column in table.columns
    ]
    header = tuple(name.strip() for name in table.column_names)
    rows = tuple(enumerate(zip(*columns, strict=True), start=2)) if columns else ()
    return CountTable(header, rows, arrow=table)


def cell_text(value: Any, places: int = DOUBLE_PLACES) -> str:
    """Write a value of a typed table as the text a person would have typed; nothing is ''.

    Parameters
    ----------
    value : object
        What a cell of Parquet holds.
    places : int
        Decimals that are kept of a floating-point number; what arithmetic leaves behind them is
        no measurement.

    Examples
    --------
    >>> [cell_text(value) for value in (None, 20.0, 9.99, True, "2+", 100.00000000000001)]
    ['', '20', '9.99', 'yes', '2+', '100']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        value = round(Decimal(repr(value)), places) if abs(value) < _LARGEST_FLOAT else Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite():
        # A column of whole numbers becomes one of floats wherever a cell of it is empty.
        return str(int(value)) if value == value.to_integral_value() else format(value.normalize(), "f")
    return str(value)


def write_count_table(path: Path, table: CountTable, added: Mapping[str, Sequence[str]]) -> None:
    """Write a table with its own columns in order and then `added`, whole or not at all.

    A spreadsheet runs a cell that begins like a formula; in CSV and TSV such text is preceded by
    an apostrophe.
    """
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, table, added)
        return
    target = io.StringIO(newline="")
    tabs = path.suffix.lower() == ".tsv"
    writer = csv.writer(target, delimiter="\t" if tabs else ",", lineterminator="\r\n")
    writer.writerow([guarded(name) for name in (*table.header, *added)])
    # Scores, states and rule ids are words of her2path; only what people wrote is guarded.
    own = ([guarded(cell) for cell in cells] for _, cells in table.rows)
    writer.writerows(
        [*cells, *more] for cells, more in zip(own, zip(*added.values(), strict=True), strict=True)
    )
    write_text(path, target.getvalue())


def _write_parquet(path: Path, table: CountTable, added: Mapping[str, Sequence[str]]) -> None:
    import pyarrow as pa  # noqa: PLC0415  (see _read_parquet)
    import pyarrow.parquet as pq  # noqa: PLC0415

    result = table.arrow
    if result is None:
        columns = list(zip(*(cells for _, cells in table.rows), strict=True))
        # An empty cell is nothing, in Parquet as anywhere.
        arrays = [pa.array([cell or None for cell in column], pa.string()) for column in columns]
        result = pa.table(dict(zip(table.header, arrays, strict=True)))
    for name, cells in added.items():
        result = result.append_column(name, pa.array(cells, pa.string()))
    with replacing(path) as temporary:
        pq.write_table(result, temporary)


def guarded(cell: str) -> str:
    """Keep a spreadsheet from running text as a formula; numbers stand as they are.

    Examples
    --------
    >>> guarded("=1+1"), guarded("-1"), guarded("1+")
    ("'=1+1", '-1', '1+')
    """
    if cell.startswith(_STARTS_FORMULA) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
