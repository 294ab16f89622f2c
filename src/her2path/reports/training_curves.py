"""Learning curves of a fine-tuning as one picture: losses on the left, figures on the right."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from her2path.domain.number_words import counted
from her2path.reports.html.plots import BLUE, CUT, INK, ORANGE, line, svg, text

_WIDTH, _HEIGHT = 920.0, 340.0
_TOP, _BOTTOM, _PANEL, _GAP, _LEFT = 46.0, 282.0, 370.0, 100.0, 56.0
_TICKS = 5
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a panel."""

    label: str
    column: str
    """Of the rows."""
    stroke: str
    dash: str = ""


LOSSES = (
    Curve("labels", "labels", ORANGE),
    Curve("rehearsal", "rehearsal", BLUE, "6 4"),
)
FIGURES = (
    Curve("validation split", "figure", ORANGE),
    Curve("guard (phantoms never taught)", "guard", BLUE, "6 4"),
)


def render_curves(rows: Sequence[Mapping[str, float | None]], *, best_epoch: int, figure: str) -> Markup:
    """Draw the curves.

    Parameters
    ----------
    rows : sequence of mappings
        One an epoch, the first is that before the first step; see `losses.csv`.
    best_epoch : int
        Whose weights were kept; marked by a line.
    figure : str
        Name of the figure.

    Returns
    -------
    Markup
        A complete SVG element.
    """
    body = [
        *_panel(rows, LOSSES, left=_LEFT, title="Loss, mean of the epoch", best_epoch=best_epoch),
        *_panel(rows, FIGURES, left=_LEFT + _PANEL + _GAP, title=figure, best_epoch=best_epoch),
    ]
    description = f"{counted(len(rows) - 1, 'epoch')}; the weights of epoch {best_epoch} were kept."
    return svg(_WIDTH, _HEIGHT, "Learning curves", description, body)


def _panel(
    rows: Sequence[Mapping[str, float | None]],
    curves: Sequence[Curve],
    *,
    left: float,
    title: str,
    best_epoch: int,
) -> list[str]:
    points = {curve: _points(rows, curve.column) for curve in curves}
    values = [value for found in points.values() for _, value in found]
    last = max(1, len(rows) - 1)
    low, high, step = _axis(values)

    def x(epoch: float) -> float:
        return left + _PANEL * epoch / last

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * (value - low) / (high - low)

    drawn = [text(left, 20, title, weight="bold")]
    ticks = round((high - low) / step)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) + (
        step * 10 ** -math.floor(math.log10(step)) == 2.5
    )
    for tick in range(ticks + 1):
        value = low + tick * step
        drawn.append(line(left, y(value), left + _PANEL, y(value), stroke="#dddddd"))
        drawn.append(text(left - 6, y(value) + 4, f"{value:.{decimals}f}", anchor="end"))
    every = max(1, math.ceil(last / 8))
    drawn += [
        text(x(epoch), _BOTTOM + 16, str(epoch), anchor="middle") for epoch in range(0, last + 1, every)
    ]
    drawn.append(text(left + _PANEL / 2, _BOTTOM + 32, "epoch", anchor="middle"))
    drawn.append(line(x(best_epoch), _TOP, x(best_epoch), _BOTTOM, stroke=CUT, dash="2 3"))
    # Above the panel, where no curve runs.
    drawn.append(text(x(best_epoch), _TOP - 5, "kept", anchor="middle", fill=CUT))
    for curve, found in points.items():
        ends = pairwise(found)
        drawn += [
            line(x(a), y(u), x(b), y(v), stroke=curve.stroke, dash=curve.dash) for (a, u), (b, v) in ends
        ]
    return drawn + _legend(curves, left)


def _legend(curves: Sequence[Curve], left: float) -> list[str]:
    drawn, place = [], left
    for curve in curves:
        drawn.append(
            line(place, _HEIGHT - 10, place + 26, _HEIGHT - 10, stroke=curve.stroke, dash=curve.dash)
        )
        drawn.append(text(place + 32, _HEIGHT - 6, curve.label, fill=INK))
        place += 56 + 7 * len(curve.label)
    return drawn


def _points(rows: Sequence[Mapping[str, float | None]], column: str) -> list[tuple[float, float]]:
    found = []
    for epoch, row in enumerate(rows):
        value = row.get(column)
        if value is not None:
            found.append((float(epoch), float(value)))
    return found


def _axis(values: Sequence[float]) -> tuple[float, float, float]:
    """Round limits and a round step that hold all values."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    span = max(high - low, 0.01)
    rough = span / (_TICKS - 1)
    scale = 10 ** math.floor(math.log10(rough))
    step = scale * next(part for part in _STEPS if part * scale >= rough * (1 - 1e-9))
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step
