"""Figures of two ways to measure the same: differences against means, and one against the other.

Up to `MOST_POINTS` pairs are drawn one by one.  More are drawn as squares of a fixed grid, whose
size says how many pairs lie there: the same picture for the same numbers, whatever their order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from her2path.reports.html.plots import BLUE, CUT, INK, line, svg, text
from her2path.reports.html.scales import Frame, Scale, isolated, span
from her2path.reports.numbers import count_text, counted_text, number_text

MOST_POINTS = 400
"""Pairs that are drawn one by one; beyond it marks lie on each other and the page grows for nothing."""
_GRID_STEP = 8.0
"""Side of the squares that stand for pairs beyond `MOST_POINTS`, in units of the figure."""
_WIDTH, _HEIGHT = 560.0, 400.0
_LEFT, _RIGHT, _TOP, _BASE = 66.0, 420.0, 14.0, 344.0


@dataclass(frozen=True, slots=True)
class MeasuredPair:
    """One case, measured twice."""

    case_id: str
    first: float
    """By the software, or by the reader who is named first; greater than 0."""
    second: float


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line with its interval."""

    value: float
    low: float | None
    high: float | None
    label: str


@dataclass(frozen=True, slots=True)
class FittedLine:
    """A straight line through the pairs."""

    slope: float
    intercept: float
    label: str
    dash: str = ""


def difference_plot(
    pairs: Sequence[MeasuredPair], levels: Sequence[Level], *, names: tuple[str, str], quantity: str
) -> Markup:
    """Draw the factor between two measurements against their geometric mean (Bland and Altman).

    Both scales are logarithmic, so that twice and half lie equally far from no difference.

    Parameters
    ----------
    pairs : sequence of MeasuredPair
        At least one.
    levels : sequence of Level
        Mean factor and limits of agreement, as factors; the first is drawn without dashes.
    names : (str, str)
        Who measured `first` and `second`.
    quantity : str
        What was measured.
    """
    points = [(math.sqrt(p.first * p.second), p.first / p.second) for p in pairs]
    ends = [end for one in levels for end in (one.value, one.low, one.high) if end is not None]
    x = Scale(*span([point[0] for point in points], log=True), _LEFT, _RIGHT, log=True)
    y_range = span([*(point[1] for point in points), *ends, 1.0], log=True)
    y = Scale(*y_range, _BASE, _TOP, log=True)
    body = [
        Frame(x, y).draw(f"Geometric mean of both: {quantity}", f"{_short(names[0])} ÷ {_short(names[1])}")
    ]
    body.append(line(_LEFT, y.at(1), _RIGHT, y.at(1), stroke=INK, dash="2 4"))
    body += [_level_band(level, y) for level in levels]
    body += _points([(x.at(a), y.at(b)) for a, b in points], [_tip(p) for p in pairs])
    places = _spread_out([y.at(level.value) for level in levels])
    for number, (level, place) in enumerate(zip(levels, places, strict=True)):
        at = y.at(level.value)
        body.append(line(_LEFT, at, _RIGHT, at, stroke=CUT, dash="" if number == 0 else "6 3"))
        body.append(text(_RIGHT + 6, place + 4, f"{level.label} {number_text(level.value)}", fill=CUT))
    if min(abs(place - y.at(1)) for place in [*places, -99.0]) > 13:
        body.append(text(_RIGHT + 6, y.at(1) + 4, "no difference 1"))
    described = (
        f"{counted_text(len(pairs))} measured by {isolated(names[0])} and {isolated(names[1])}; "
        + "; ".join(f"{level.label} {number_text(level.value, digits=3)}" for level in levels)
    )
    return svg(_WIDTH, _HEIGHT - 12, f"Bland-Altman plot of the {quantity}", described, body)


def _level_band(level: Level, y: Scale) -> str:
    if level.low is None or level.high is None:
        return ""
    top = y.within(level.high)
    return (
        f'<rect x="{_LEFT:.1f}" y="{top:.1f}" width="{_RIGHT - _LEFT:.1f}" '
        f'height="{max(y.within(level.low) - top, 0):.1f}" fill="{CUT}" fill-opacity="0.12"/>'
    )


def method_scatter(
    pairs: Sequence[MeasuredPair],
    fitted: Sequence[FittedLine],
    *,
    cuts: Sequence[float],
    names: tuple[str, str],
    quantity: str,
) -> Markup:
    """Draw one measurement against the other with the lines that were fitted.

    Parameters
    ----------
    pairs : sequence of MeasuredPair
        At least one; `first` upwards, `second` to the right.
    fitted : sequence of FittedLine
        ``first = intercept + slope * second``.
    cuts : sequence of float
        Cut-points of the guideline, drawn on both axes: a pair in an upper left or lower right
        field lies on two sides of a cut.
    names : (str, str)
        Who measured `first` and `second`.
    quantity : str
        What was measured.
    """
    most = max([value for p in pairs for value in (p.first, p.second)] + list(cuts[:1])) * 1.06
    x, y = Scale(0.0, most, _LEFT, _RIGHT), Scale(0.0, most, _BASE, _TOP)
    body = [Frame(x, y).draw(f"{_short(names[1])}: {quantity}", f"{_short(names[0])}: {quantity}")]
    for cut in cuts:
        if cut < most:
            body.append(line(x.at(cut), _BASE, x.at(cut), _TOP, stroke=CUT, dash="2 3"))
            body.append(line(_LEFT, y.at(cut), _RIGHT, y.at(cut), stroke=CUT, dash="2 3"))
            body.append(text(_RIGHT + 6, y.at(cut) + 4, f"cut {cut:g}", fill=CUT))
    body.append(line(x.at(0), y.at(0), x.at(most), y.at(most), stroke=INK, dash="2 4"))
    body += _points([(x.at(p.second), y.at(p.first)) for p in pairs], [_tip(p) for p in pairs])
    for number, one in enumerate(fitted):
        colour = (CUT, BLUE)[number % 2]
        body.append(_clipped_line(one, most, x, y, colour))
    described = (
        f"{counted_text(len(pairs))}, {isolated(names[0])} against {isolated(names[1])}; "
        + "; ".join(
            f"{one.label}: slope {number_text(one.slope, digits=3)}, intercept "
            f"{number_text(one.intercept, digits=3)}"
            for one in fitted
        )
    )
    body += _line_key(fitted)
    return svg(
        _WIDTH, _HEIGHT + 22 * ((len(fitted) + 2) // 2), f"Comparison of the {quantity}", described, body
    )


def _clipped_line(one: FittedLine, most: float, x: Scale, y: Scale, colour: str) -> str:
    """Draw the part of a line that lies inside the axes."""
    ends = [(0.0, one.intercept), (most, one.intercept + one.slope * most)]
    if one.slope:
        ends += [(-one.intercept / one.slope, 0.0), ((most - one.intercept) / one.slope, most)]
    inside = sorted((a, b) for a, b in ends if -1e-9 <= a <= most + 1e-9 and -1e-9 <= b <= most + 1e-9)
    if len(inside) < 2:
        return ""
    (x0, y0), (x1, y1) = inside[0], inside[-1]
    return line(x.at(x0), y.at(y0), x.at(x1), y.at(y1), stroke=colour, dash=one.dash)


def _line_key(fitted: Sequence[FittedLine]) -> list[str]:
    """List below the axes what each line is."""
    rows = [(INK, "2 4", "equal")] + [
        ((CUT, BLUE)[number % 2], one.dash, one.label) for number, one in enumerate(fitted)
    ]
    body: list[str] = []
    for number, (colour, dash, label) in enumerate(rows):
        at_x, at_y = _LEFT + 230 * (number % 2), _HEIGHT + 22 * (number // 2)
        body += [
            line(at_x, at_y, at_x + 34, at_y, stroke=colour, dash=dash),
            text(at_x + 42, at_y + 4, label),
        ]
    return body


def _points(places: Sequence[tuple[float, float]], tips: Sequence[str]) -> list[str]:
    if len(places) <= MOST_POINTS:
        return [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{BLUE}" fill-opacity="0.5" stroke="{BLUE}">'
            f"<title>{escape(tip)}</title></circle>"
            for (x, y), tip in zip(places, tips, strict=True)
        ]
    tally = Counter((math.floor(x / _GRID_STEP), math.floor(y / _GRID_STEP)) for x, y in places)
    most = max(tally.values())
    squares: list[str] = []
    for (column, row), n in sorted(tally.items()):
        # Area counts, as in all our figures; a single case stays visible.
        side = max(_GRID_STEP * math.sqrt(n / most), 2.2)
        x, y = (column + 0.5) * _GRID_STEP - side / 2, (row + 0.5) * _GRID_STEP - side / 2
        squares.append(f"M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z")
    return [f'<path d="{"".join(squares)}" fill="{BLUE}"/>']


def points_note(pairs: int) -> str:
    """Say how the pairs of a figure are drawn.

    Examples
    --------
    >>> points_note(30)
    'Each circle is one case.'
    """
    if pairs <= MOST_POINTS:
        return "Each circle is one case."
    return (
        f"The {count_text(pairs)} cases are gathered in squares of a fixed grid; "
        "the area of a square says how many lie there."
    )


def _tip(pair: MeasuredPair) -> str:
    return f"{isolated(pair.case_id)}: {number_text(pair.first)} and {number_text(pair.second)}"


def _short(name: str) -> str:
    return isolated(name if len(name) <= 24 else f"{name[:23]}…")


def _spread_out(places: Sequence[float], *, room: float = 14.0) -> list[float]:
    """Move labels apart that would lie on each other, as little as that takes."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + room)
    return moved
