"""Figures of agreement: who agrees with whom, and how firmly that is known.

The software is drawn as a diamond in another colour, readers as circles; what is printed beside
the marks says the same in numbers, so that neither colour nor shape is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from her2path.reports.html.plots import BLUE, GRID, INK, ORANGE, box, line, svg, text
from her2path.reports.html.scales import Scale, isolated, shortened, tick_text
from her2path.reports.numbers import counted_text, number_text

_CELL = 46.0
_NAME_LENGTH = 20
_LETTER = 6.9
"""Mean width of a letter at 12 px, for the room that names need."""
_WHITE, _DARK = (255, 255, 255), (8, 48, 107)
_ROW = 21.0


@dataclass(frozen=True, slots=True)
class HeatCell:
    """What two readers agree by."""

    value: float | None
    """-1 to 1; None = there is none."""
    n: int
    """Cases that both have read."""


def agreement_heatmap(
    names: Sequence[str],
    cells: Sequence[Sequence[HeatCell | None]],
    *,
    software: int | None,
    measure: str,
) -> Markup:
    """Draw the agreement of every reader with every other as a table of tinted squares.

    Parameters
    ----------
    names : sequence of str
        Readers, in the order of rows and columns.
    cells : sequence of sequences of HeatCell or None
        By row and column; None where the two were not compared (a reader with themselves, unless
        the diagonal holds the agreement between their sessions).
    software : int or None
        Row of the software, set off by its frame and mark; None = it is not among them.
    measure : str
        What the numbers are.
    """
    short = [shortened(name, _NAME_LENGTH) for name in names]
    wide = max(len(name) for name in short) * _LETTER
    left, top, side = wide + 36, wide * 0.71 + 26, _CELL * len(names)
    body = [_slanted(left + _CELL * (i + 0.5), top - 8, name) for i, name in enumerate(short)]
    for i, name in enumerate(short):
        body.append(text(left - 8, top + _CELL * (i + 0.5) + 4, name, anchor="end"))
        body += [
            _heat_cell(left + _CELL * j, top + _CELL * i, cells[i][j], (names[i], names[j]))
            for j in range(len(names))
        ]
    if software is not None:
        y = top + _CELL * software
        body.append(_diamond(left - 18 - len(short[software]) * _LETTER, y + _CELL / 2))
        for x0, y0, w, h in ((left, y, side, _CELL), (left + _CELL * software, top, _CELL, side)):
            body.append(
                f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{w:.1f}" height="{h:.1f}" fill="none" '
                f'stroke="{ORANGE}" stroke-width="3"/>'
            )
    body += _colour_key(left, top + side + 14, min(side, 220.0), measure)
    described = "; ".join(
        f"{isolated(names[i])} with {isolated(names[j])} {_value_text(cell)}"
        for i, row in enumerate(cells)
        for j, cell in enumerate(row)
        if cell is not None and j <= i
    )
    width = max(left + side + wide * 0.71 + 12, left + min(side, 220.0) + 22 + len(measure) * _LETTER)
    return svg(width, top + side + 62, f"{measure} of each pair of readers", described, body)


def _heat_cell(x: float, y: float, cell: HeatCell | None, who: tuple[str, str]) -> str:
    if cell is None or cell.value is None:
        # Neither the palest tint nor white: a square with nothing in it could be read as no agreement.
        empty = box(x, y, _CELL, _CELL, "#eceef0")
        return empty + text(x + _CELL / 2, y + _CELL / 2 + 4, "–", anchor="middle", fill="#4a4f57")
    fill, ink = tint(cell.value)
    tip = f"{who[0]} with {who[1]}: {_value_text(cell)}"
    return box(x, y, _CELL, _CELL, fill, title=tip) + text(
        x + _CELL / 2, y + _CELL / 2 + 4, number_text(cell.value), anchor="middle", fill=ink
    )


def _value_text(cell: HeatCell) -> str:
    known = "no value" if cell.value is None else number_text(cell.value, digits=3)
    return f"{known} in {counted_text(cell.n)}"


def tint(value: float) -> tuple[str, str]:
    """Choose the fill for a value between 0 and 1, and an ink that is read on it.

    Examples
    --------
    >>> tint(0.0), tint(1.0)
    (('#ffffff', '#000000'), ('#08306b', '#ffffff'))
    """
    share = min(max(value, 0.0), 1.0)
    mixed = [round(a + (b - a) * share) for a, b in zip(_WHITE, _DARK, strict=True)]
    # Here black and white letters have the same contrast, just above 4.5 to 1 (WCAG 2.2, level AA).
    return "#{:02x}{:02x}{:02x}".format(*mixed), "#000000" if share < 0.655 else "#ffffff"


def _colour_key(x: float, y: float, width: float, measure: str) -> list[str]:
    steps = 20
    body = [box(x + width * n / steps, y, width / steps, 12, tint(n / (steps - 1))[0]) for n in range(steps)]
    body.append(
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="12" fill="none" stroke="{GRID}"/>'
    )
    places = ((0, "0 or less", "start"), (1, "1", "end"))
    body += [text(x + width * share, y + 27, words, anchor=anchor) for share, words, anchor in places]
    body.append(text(x + width + 10, y + 11, measure))
    return body


def _slanted(x: float, y: float, words: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate(-45 {x:.1f} {y:.1f})" fill="{INK}">'
        f"{escape(words)}</text>"
    )


def _diamond(x: float, y: float, *, size: float = 7.0) -> str:
    return (
        f'<path d="M{x:.1f} {y - size:.1f} l{size:g} {size:g} -{size:g} {size:g} -{size:g} -{size:g} Z" '
        f'fill="{ORANGE}" stroke="#ffffff"/>'
    )


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One agreement with its interval."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    text: str
    """What is printed for it, or why there is none."""
    software: bool
    """Whether the software is one of the two."""


@dataclass(frozen=True, slots=True)
class ForestGroup:
    """Rows under a heading."""

    title: str
    """Empty = the rows stand without one."""
    rows: tuple[ForestRow, ...]


def forest_plot(
    groups: Sequence[ForestGroup], *, measure: str, band: tuple[float, float] | None, percent: bool = True
) -> Markup:
    """Draw agreements with their intervals below each other, all on one scale.

    Parameters
    ----------
    groups : sequence of ForestGroup
        What is compared stands in groups below each other.
    measure : str
        What the scale is.
    band : (low, high) or None
        Range from the smallest to the largest agreement of the readers among themselves, shaded
        so that the software's can be read against it; None = there are no two readers.
    percent : bool
        Whether the scale is printed in per cent.
    """
    rows = [row for group in groups for row in group.rows]
    known = [end for row in rows for end in (row.value, row.low) if end is not None]
    lowest = min([*known, 0.8, *(band or ())])
    # Agreement below what chance gives is rare; the scale only reaches there where something does.
    bottom = max(int(lowest * 10 - 1) / 10, -1.0) if lowest >= 0 else max(lowest - 0.1, -1.0)
    left, right = 236.0, 536.0
    height = 30 + _ROW * (len(rows) + sum(bool(group.title) for group in groups)) + 6 * len(groups)
    scale = Scale(min(bottom, 0.7) if lowest < 0.75 else 0.7, 1.0, left, right)
    body: list[str] = []
    if band is not None:
        x = scale.within(band[0])
        wide = max(scale.within(band[1]) - x, 3.0)
        body.append(f'<rect x="{x:.1f}" y="8" width="{wide:.1f}" height="{height - 34:.1f}" fill="#dce8f4"/>')
    for tick in scale.ticks():
        body.append(line(scale.at(tick), 8, scale.at(tick), height - 24, stroke="#dfe3e8"))
        body.append(text(scale.at(tick), height - 8, _share_text(tick, percent=percent), anchor="middle"))
    y = 8.0
    for group in groups:
        if group.title:
            y += _ROW
            body.append(text(4, y, group.title, weight="700"))
        for row in group.rows:
            y += _ROW
            body += _forest_row(row, scale, y)
        y += 6
    body.append(line(left, height - 24, right, height - 24))
    body.append(text((left + right) / 2, height + 10, measure, anchor="middle"))
    described = "; ".join(f"{isolated(row.label)}: {row.text}" for row in rows)
    return svg(760, height + 18, f"{measure} with its interval", described, body)


def _share_text(share: float, *, percent: bool) -> str:
    return f"{tick_text(round(100 * share, 9))} %" if percent else tick_text(share)


def _forest_row(row: ForestRow, scale: Scale, y: float) -> list[str]:
    label = text(228, y, shortened(row.label, 32), anchor="end")
    middle = y - 4
    if row.value is None:
        return [label, text(scale.start + 6, y, shortened(row.text, 68), fill="#4a4f57")]
    colour = ORANGE if row.software else BLUE
    body = [label]
    if row.low is not None and row.high is not None:
        ends = scale.within(row.low), scale.within(row.high)
        body.append(line(ends[0], middle, ends[1], middle, stroke=colour))
        body += [line(x, middle - 4, x, middle + 4, stroke=colour) for x in ends]
    x = scale.within(row.value)
    mark = f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="4.5" fill="{colour}" stroke="#ffffff"/>'
    body.append(_diamond(x, middle, size=6.5) if row.software else mark)
    body.append(text(scale.end + 12, y, row.text))
    return body
