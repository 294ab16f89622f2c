"""Control charts: a quantity over time against its limits, with alarms marked and numbered.

One drawing serves all charts (Levey-Jennings, p, EWMA, CUSUM): they differ in what is plotted and
in their limits, which are computed elsewhere.  An alarm is a triangle with its number, so that
it is seen without colour and found in the list below the chart.
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


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """One run, or one period, of a series."""

    label: str
    """When, and what it was."""
    value: float
    alarm: int | None = None
    """Number of the first alarm that it takes part in; None = none."""
    warning: bool = False
    """Whether that alarm only asks to look; drawn as an empty triangle."""
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
    alarms = [p for p in points if p.alarm is not None]
    described = (
        f"{counted_text(len(points), noun='point')} from {points[0].label} to {points[-1].label}; "
        f"{count_text(len(alarms))} with an alarm"
        + (f": {'; '.join(f'{p.alarm} at {p.label}' for p in alarms[:20])}" if alarms else "")
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
    kept = {0, len(points) - 1} | {i for i, p in enumerate(points) if p.alarm is not None}
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
    tip = f"<title>{escape(point.label)}: {number_text(point.value, digits=3)}</title>"
    at = y.at(point.value)
    if point.alarm is None:
        return f'<circle cx="{x:.1f}" cy="{at:.1f}" r="{radius:g}" fill="{BLUE}">{tip}</circle>'
    if point.second is not None and abs(point.second) > abs(point.value):
        at = y.at(point.second)
    look = f'fill="#ffffff" stroke="{CUT}"' if point.warning else f'fill="{CUT}" stroke="#ffffff"'
    triangle = f'<path d="M{x:.1f} {at - 7:.1f}l6.5 11.5h-13Z" {look}>{tip}</path>'
    above = at - 11 if at - 11 > _TOP else at + 18
    return triangle + text(x, above, str(point.alarm), anchor="middle", fill=CUT, weight="700")


def _series_key(series: tuple[str, str]) -> list[str]:
    y = _HEIGHT + 6
    return [
        line(_LEFT, y, _LEFT + 34, y, stroke=BLUE),
        text(_LEFT + 42, y + 4, series[0]),
        line(_LEFT + 270, y, _LEFT + 304, y, stroke=ORANGE, dash="5 3"),
        text(_LEFT + 312, y + 4, series[1]),
    ]
