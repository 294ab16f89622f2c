"""Tables whose columns are told by name, whatever the export calls them (`her2path.io.reads_mapping`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from her2path.errors import CaseSheetError, SheetFault
from her2path.io.reads_mapping import CASE_ID, COMMENT, ReadsMapping
from her2path.io.spreadsheet_text import cells_of, lines_of, mark_of, plain, text_of

MOST_BYTES = 2**26
"""Largest table that is read (64 MB: about a million reads)."""


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table whose columns have the names of ours."""

    header_line: int
    rows: tuple[tuple[int, dict[str, str]], ...]
    """Line and filled cells by column; surplus cells stand under ''."""
    spelt: Mapping[str, str]
    """Our column: what the file calls it."""
    title: str
    """What the table is, for messages."""

    def error(self, faults: Iterable[SheetFault]) -> CaseSheetError:
        """Report faults in the order of the rows, by the names that the file has for its columns."""
        renamed = (SheetFault(f.row, self.spelt.get(f.column, f.column), f.message) for f in faults)
        return CaseSheetError(tuple(sorted(renamed, key=lambda fault: fault.row)), self.title)


def read_named(
    path: Path,
    *,
    what: str,
    known: Sequence[str],
    needed: Sequence[str],
    names: Mapping[str, str],
    mapping: ReadsMapping,
    key: str = CASE_ID,
) -> NamedTable:
    """Read a table by the names of its columns; CaseSheetError where they cannot be told.

    The line that names the columns is known by the column `key`.
    """
    table = f"table of {what.removeprefix('the ')}"
    text = text_of(path, most_bytes=MOST_BYTES, what=f"a {table}")
    if isinstance(text, SheetFault):
        raise CaseSheetError((text,), table)
    lines = lines_of(text)
    place = plain(names.get(key, key))
    mark = mark_of(lines, (place,))
    if mark is None:
        detail = (
            f"no line names the column {place!r} beside others; is this {what}? (text, its columns set apart "
            "by tabs, semicolons or commas)"
        )
        raise CaseSheetError((SheetFault(0, "", detail),), table)
    number, header = next(
        (n, cells)
        for n, line in enumerate(lines, start=1)
        if place in map(plain, cells := cells_of(line, mark))
    )
    meant = {plain(name): column for column, name in names.items()}
    # A column that is mapped is known by its name in the export alone.
    meant |= {column: column for column in known if column not in names and column not in meant}
    columns = [meant.get(plain(name), "") for name in header]
    if faults := [*_column_faults(number, header, meant, mapping), *_missing(number, columns, needed)]:
        raise CaseSheetError(tuple(faults), table)
    return NamedTable(
        number,
        tuple(_named_rows(lines[number:], number, mark, columns, mapping.empty_words)),
        {column: name for name, column in zip(header, columns, strict=True) if column},
        table,
    )


def _column_faults(
    line: int, header: Sequence[str], meant: Mapping[str, str], mapping: ReadsMapping
) -> Iterator[SheetFault]:
    for name in header:
        if plain(name) in meant or (name and mapping.ignores(plain(name))):
            continue
        near = get_close_matches(plain(name).replace(" ", "_"), list(meant), n=1, cutoff=0.8)
        hint = f"did you mean {near[0]!r}? " if near else ""
        known = ", ".join(meant)
        yield SheetFault(
            line,
            name or "(no name)",
            f"unknown column; {hint}known are {known}; name it in a mapping, or list it under `ignore`",
        )
    for name, n in Counter(map(plain, header)).items():
        if n > 1:
            yield SheetFault(line, name, "column appears twice")


def _missing(line: int, columns: Sequence[str], needed: Sequence[str]) -> Iterator[SheetFault]:
    return (SheetFault(line, name, "column is missing") for name in needed if name not in columns)


def _named_rows(
    lines: Iterable[str], above: int, mark: str, columns: Sequence[str], empty: frozenset[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    for line, text in enumerate(lines, start=above + 1):
        if not text.strip() or text.startswith("#"):
            continue
        cells = cells_of(text, mark)
        if not cells:
            continue
        named = {
            column: cell
            for column, cell in zip(columns, cells, strict=False)
            if column and cell and (column in (CASE_ID, COMMENT) or plain(cell) not in empty)
        }
        if surplus := cells[len(columns) :]:
            named[""] = " ".join(surplus)
        yield line, named
