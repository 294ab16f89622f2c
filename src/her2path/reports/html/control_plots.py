"""Control charts: a quantity over time against its limits, with alarms marked and numbered.

One drawing serves all charts (Levey-Jennings, p, EWMA, CUSUM): they differ in what is plotted and
in their limits, which are computed elsewhere.  Alarms are a triangle with their numbers, so that
they are seen without colour and found in the list of alarms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from her2path.domain.number_words import MINUS
from her2path.reports.html.plots import BLUE, CUT, GRID, ORANGE, line, svg, text
from her2path.reports.html.scales import Frame, Scale, span
from her2path.reports.numbers import count_text, counted_text, number_text

MOST_POINTS = 600
"""Runs that are drawn one by one; of more only the extremes of each stretch, and every alarm."""
_LEFT, _RIGHT, _TOP, _BASE = 66.0, 640.0, 16.0, 236.0
_WIDTH, _HEIGHT = 760.0, 286.0
_MOST_DATES = 6
_DIGIT_WIDTH = 7.5
"""Width of a bold digit, rim included."""


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One run, or one period, of a series."""

    label: str
    """When, and what it was."""
    value: float
    alarms: tuple[int, ...] = ()
    """Numbers of the alarms that it raised."""
    warning: bool = False
    """Whether these only ask to look; drawn as an empty triangle."""
    second: float | None = None
    """Second value at the same time (the lower sum of a CUSUM)."""
    baseline: bool = False
    """Whether the limits rest on it; these points stand on a shaded ground."""


@dataclass(frozen=True, slots=True)
class ChartLimit:
    """A limit, the same at all times or one per point."""

    label: str
    values: tuple[float, ...]
    """One value, or as many as there are points."""
    strong: bool = True
    """Whether crossing it is an alarm by itself."""


def control_chart(
    points: Sequence[ChartPoint],
    *,
    centre: float | None,
    limits: Sequence[ChartLimit],
    title: str,
    quantity: str,
    series: tuple[str, str] = ("", ""),
) -> Markup:
    """Draw a control chart.

    Parameters
    ----------
    points : sequence of ChartPoint
        In the order of time; at least one.
    centre : float or None
        Expected value.
    limits : sequence of ChartLimit
        Drawn as dashed lines, stepwise where they change.
    title : str
        What is charted, for readers who do not see it.
    quantity : str
        Label of the upright axis with its unit.
    series : (str, str)
        Names of both values of a point where there are two.
    """
    values = [v for p in points for v in (p.value, p.second) if v is not None]
    edges = [v for limit in limits for v in limit.values] + ([] if centre is None else [centre])
    y = Scale(*span([*values, *edges]), _BASE, _TOP)
    x = Scale(-0.5, len(points) - 0.5, _LEFT, _RIGHT - 8)
    dates = [(float(i), points[i].label.split(" ")[0]) for i in _date_places(len(points))]
    body = [_baseline_ground(points, x), Frame(x, y).draw("In the order of time", quantity, x_ticks=dates)]
    if centre is not None:
        body.append(line(_LEFT, y.at(centre), _RIGHT, y.at(centre), stroke=GRID))
    body += [_limit(limit, x, y) for limit in limits]
    body += _limit_labels(limits, centre, y)
    kept = _thinned(points)
    body.append(_curve([(x.at(i), y.at(points[i].value)) for i in kept], BLUE, ""))
    lower = [i for i in kept if points[i].second is not None]
    if lower:
        body.append(_curve([(x.at(i), y.at(points[i].second or 0.0)) for i in lower], ORANGE, "5 3"))
        body += _series_key(series)
    radius = 2.6 if len(kept) <= 150 else 1.5
    body += [_mark(points[i], x.at(i), y, radius=radius) for i in kept]
    body += _numbers([(points[i], x.at(i), _height(points[i], y)) for i in kept if points[i].alarms])
    alarms = [p for p in points if p.alarms]
    described = (
        f"{counted_text(len(points), noun='point')} from {points[0].label} to {points[-1].label}; "
        f"{count_text(len(alarms))} with an alarm"
        + (f": {'; '.join(f'{_listed(p)} at {p.label}' for p in alarms[:20])}" if alarms else "")
    )
    return svg(_WIDTH, _HEIGHT + (20 if lower else 0), title, described, body)


def _baseline_ground(points: Sequence[ChartPoint], x: Scale) -> str:
    """Shade the points that the limits rest on, and name them."""
    places = [i for i, point in enumerate(points) if point.baseline]
    if not places:
        return ""
    left, right = x.at(places[0] - 0.5), x.at(places[-1] + 0.5)
    ground = (
        f'<rect x="{left:.1f}" y="{_TOP:.1f}" width="{right - left:.1f}" height="{_BASE - _TOP:.1f}" '
        f'fill="#eef2f6"/>'
    )
    return ground + text(left, _TOP - 4, "baseline", fill="#4a4f57")


def _date_places(n: int) -> list[int]:
    """Choose which points carry their date: at most `_MOST_DATES`, evenly apart."""
    if n <= _MOST_DATES:
        return list(range(n))
    return sorted({round(k * (n - 1) / (_MOST_DATES - 1)) for k in range(_MOST_DATES)})


def _thinned(points: Sequence[ChartPoint]) -> list[int]:
    """Keep all points, or of many the lowest and highest of each stretch of time, and every alarm."""
    if len(points) <= MOST_POINTS:
        return list(range(len(points)))
    stretch = math.ceil(2 * len(points) / MOST_POINTS)
    kept = {0, len(points) - 1} | {i for i, p in enumerate(points) if p.alarms}
    for start in range(0, len(points), stretch):
        part = range(start, min(start + stretch, len(points)))
        kept |= {
            min(part, key=lambda i: (points[i].value, i)),
            max(part, key=lambda i: (points[i].value, -i)),
        }
    return sorted(kept)


def thinning_note(points: int) -> str:
    """Say which points a chart leaves out; empty where it shows them all."""
    if points <= MOST_POINTS:
        return ""
    return (
        f"Of the {count_text(points)} points the lowest and the highest of each stretch of time are drawn, "
        "and every one with an alarm; the table for spreadsheets holds all."
    )


def _limit(limit: ChartLimit, x: Scale, y: Scale) -> str:
    dash = "6 3" if limit.strong else "2 4"
    if len(limit.values) == 1:
        at = y.at(limit.values[0])
        return line(_LEFT, at, _RIGHT, at, stroke=CUT, dash=dash)
    # One step per point; equal neighbours share a stretch so that long charts stay small.
    commands = [f"M{_LEFT:.1f} {y.at(limit.values[0]):.1f}"]
    for i, value in enumerate(limit.values):
        if i and value != limit.values[i - 1]:
            commands.append(f"H{x.at(i - 0.5):.1f}V{y.at(value):.1f}")
    commands.append(f"H{_RIGHT:.1f}")
    return (
        f'<path d="{"".join(commands)}" fill="none" stroke="{CUT}" stroke-width="1.5" '
        f'stroke-dasharray="{dash}"/>'
    )


def _limit_labels(limits: Sequence[ChartLimit], centre: float | None, y: Scale) -> list[str]:
    rows = [
        (y.at(limit.values[-1]), f"{_signed(limit.label)} {number_text(limit.values[-1])}", CUT)
        for limit in limits
    ]
    if centre is not None:
        rows.append((y.at(centre), f"centre {number_text(centre)}", "#4a4f57"))
    rows.sort()
    body: list[str] = []
    lowest = -math.inf
    for at, words, colour in rows:
        place = max(at + 4, lowest + 13)
        lowest = place
        body.append(text(_RIGHT + 6, place, words, fill=colour))
    return body


def _signed(label: str) -> str:
    """Set a leading hyphen as the minus sign that it stands for."""
    return f"{MINUS}{label[1:]}" if label.startswith("-") else label


def _curve(places: Sequence[tuple[float, float]], colour: str, dash: str) -> str:
    commands = "".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(places))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{commands}" fill="none" stroke="{colour}" stroke-width="1.2"{dashes}/>'


def _mark(point: ChartPoint, x: float, y: Scale, *, radius: float) -> str:
    named = f" (alarm {_listed(point)})" if point.alarms else ""
    tip = f"<title>{escape(point.label)}: {number_text(point.value, digits=3)}{named}</title>"
    if not point.alarms:
        at = y.at(point.value)
        return f'<circle cx="{x:.1f}" cy="{at:.1f}" r="{radius:g}" fill="{BLUE}">{tip}</circle>'
    at = _height(point, y)
    look = f'fill="#ffffff" stroke="{CUT}"' if point.warning else f'fill="{CUT}" stroke="#ffffff"'
    return f'<path d="M{x:.1f} {at - 7:.1f}l6.5 11.5h-13Z" {look}>{tip}</path>'


def _height(point: ChartPoint, y: Scale) -> float:
    """Where the triangle of an alarm stands: at the larger of two sums."""
    if point.second is not None and abs(point.second) > abs(point.value):
        return y.at(point.second)
    return y.at(point.value)


def _listed(point: ChartPoint) -> str:
    return ", ".join(map(str, point.alarms))


def _numbers(marked: Sequence[tuple[ChartPoint, float, float]]) -> list[str]:
    """Write the numbers of all alarms, each above its triangle or else in the nearest free row.

    A number that had to go further is tied to its triangle by a line.  Where no row is free it takes
    the one above all the same: the tip of the triangle names it.
    """
    taken = [(x - 6.5, at - 7, x + 6.5, at + 4.5) for _, x, at in marked]
    body: list[str] = []
    for point, x, at in marked:
        words = _listed(point)
        half = _DIGIT_WIDTH * len(words) / 2
        middle = min(max(x, _LEFT + half), _RIGHT - half)
        rows = [base for base in _rows(at) if _TOP - 4 <= base <= _BASE - 2]
        free = (base for base in rows if not _hits((middle - half, base - 10, middle + half, base), taken))
        base = next(free, rows[0])
        taken.append((middle - half, base - 10, middle + half, base))
        if not at - 13 <= base <= at + 18:
            edge = (base + 1, at - 7) if base < at else (base - 11, at + 5)
            body.append(
                f'<line x1="{x:.1f}" y1="{edge[0]:.1f}" x2="{x:.1f}" y2="{edge[1]:.1f}" stroke="{CUT}" '
                'stroke-width="0.7"/>'
            )
        body.append(text(middle, base, words, anchor="middle", fill=CUT, weight="700"))
    return body


def _rows(at: float) -> list[float]:
    """List base lines for a number, the nearest first: above its triangle, below it, then further away."""
    rows = [at - 11, at + 18]
    for step in range(1, 18):
        rows += [at - 11 - 12 * step, at + 18 + 12 * step]
    return rows


def _hits(box: tuple[float, float, float, float], taken: Sequence[tuple[float, float, float, float]]) -> bool:
    left, top, right, bottom = box
    return any(left < x1 and x0 < right and top < y1 and y0 < bottom for x0, y0, x1, y1 in taken)


def _series_key(series: tuple[str, str]) -> list[str]:
    y = _HEIGHT + 6
    return [
        line(_LEFT, y, _LEFT + 34, y, stroke=BLUE),
        text(_LEFT + 42, y + 4, series[0]),
        line(_LEFT + 270, y, _LEFT + 304, y, stroke=ORANGE, dash="5 3"),
        text(_LEFT + 312, y + 4, series[1]),
    ]
