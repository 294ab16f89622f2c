"""What the page of quality assurance is made of: paragraphs, figures and tables, in sections.

The template prints these blocks one below the other, so that a section is a function that returns
blocks.  Every table of the page names the table for spreadsheets that holds all of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from her2path.reports.html.scales import isolated
from her2path.reports.numbers import count_text

MOST_ROWS = 200
"""Rows of a table that the page prints; the table for spreadsheets holds all."""
MOST_IDS = 12
"""Cases that are listed by name in a cell."""


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
    text: str
    tone: str = ""
    """Empty, ``lead``, ``quiet`` or ``missing`` (something that was not given or not computed)."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with its caption."""

    kind: ClassVar[str] = "chart"
    title: str
    drawing: Markup
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Charts:
    """Figures side by side where there is room."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A table; the first cell of a row is its heading."""

    kind: ClassVar[str] = "rows"
    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[str, ...], ...]
    csv: str
    """Name of the table for spreadsheets, without folder and ending."""
    note: str = ""
    """How many rows are left out; empty where all are shown."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """One field of a confusion matrix."""

    text: str
    fill: str
    ink: str
    diagonal: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """A confusion matrix: counts by the level that each of two stated."""

    kind: ClassVar[str] = "grid"
    caption: str
    row_name: str
    column_name: str
    levels: tuple[str, ...]
    cells: tuple[tuple[GridCell, ...], ...]
    row_sums: tuple[str, ...]
    column_sums: tuple[str, ...]
    total: str
    csv: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a statistic says and what it does not."""

    name: str
    says: str
    says_not: str


@dataclass(frozen=True, slots=True)
class Meanings:
    """Explanations of the statistics of a section."""

    kind: ClassVar[str] = "meanings"
    entries: tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below that of the section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Blocks that are shown on demand, and always in print."""

    kind: ClassVar[str] = "fold"
    summary: str
    blocks: tuple[Block, ...]
    open: bool = False


Block = Words | Chart | Charts | Rows | Grid | Meanings | Heading | Fold


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with its heading."""

    anchor: str
    title: str
    blocks: tuple[Block, ...] = field(default=())


def table(
    caption: str, heads: Sequence[Head], rows: Sequence[tuple[str, ...]], *, csv: str, of: int | None = None
) -> Rows:
    """Make a table of at most `MOST_ROWS` rows that says what it leaves out.

    Parameters
    ----------
    caption : str
        What the table holds.
    heads : sequence of Head
        One for each cell of a row.
    rows : sequence of tuples of str
        In the order in which they are shown.
    csv : str
        Name of the table for spreadsheets that holds every row.
    of : int or None
        Rows that there are, where `rows` is already a selection; None = `rows` are all.
    """
    total = len(rows) if of is None else of
    shown = tuple(rows[:MOST_ROWS])
    note = (
        f"The first {count_text(len(shown))} of {count_text(total)} rows; "
        f"all of them are in `tables/{csv}.csv`."
        if total > len(shown)
        else ""
    )
    return Rows(caption, tuple(heads), shown, csv, note)


def id_list(ids: Sequence[str], cases: int) -> str:
    """Name cases, the first of them where they are many.

    Examples
    --------
    >>> id_list(("a", "b"), 2), id_list(("a", "b"), 40), id_list((), 0)
    ('a, b', 'a, b and 38 more', '')
    """
    shown = [isolated(one) for one in ids[:MOST_IDS]]
    more = cases - len(shown)
    return ", ".join(shown) + (f" and {count_text(more)} more" if more > 0 and shown else "")
