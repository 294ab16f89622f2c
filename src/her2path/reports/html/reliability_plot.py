"""The reliability diagram: what a model said it was sure of, and how often that came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from her2path.reports.html.plots import BLUE, INK, ORANGE, box, line, svg, text
from her2path.reports.html.scales import Frame, Scale, shortened
from her2path.reports.numbers import count_text, number_text

_FILLS = (BLUE, ORANGE, "#5b3f92")
_NAME = 34
"""Longest name of a model that is drawn in full."""
_PALE = "#d5dee8"


@dataclass(frozen=True, slots=True)
class Curve:
    """One model in the diagram."""

    name: str
    points: tuple[tuple[float, float, int], ...]
    """Mean chance, share that came true, and how many, of each bin."""


def reliability_diagram(curves: Sequence[Curve], *, title: str, what: str) -> Markup:
    """Draw the curves of some models over the diagonal, and how many chances of the first each bin holds.

    Parameters
    ----------
    curves : sequence of Curve
        The new model first, three at most.
    title : str
        For readers who do not see the figure.
    what : str
        What comes true, such as ``tumour cells``.
    """
    frame = Frame(Scale(0, 1, 64, 364), Scale(0, 1, 322, 22))
    body = [frame.draw("chance that the model states", f"share that are {what}")]
    body.append(line(frame.x.at(0), frame.y.at(0), frame.x.at(1), frame.y.at(1), stroke=INK, dash="5 4"))
    for place, curve in reversed(list(enumerate(curves))):
        body.append(_curve(frame, curve, place))
    body += _legend(curves)
    body += _histogram(frame, curves[0]) if curves else []
    described = "; ".join(
        f"{curve.name}: "
        + ", ".join(f"{number_text(c)} said, {number_text(s)} true of {n}" for c, s, n in curve.points)
        for curve in curves
    )
    return svg(400, 462 + 18 * len(curves), title, described, body)


def _curve(frame: Frame, curve: Curve, place: int) -> str:
    fill = _FILLS[place]
    at = [(frame.x.at(chance), frame.y.at(share), n) for chance, share, n in curve.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in at)
    dash = "" if place == 0 else ' stroke-dasharray="2 3"'
    lines = f'<polyline points="{path}" fill="none" stroke="{fill}" stroke-width="2"{dash}/>'
    marks = [
        f"{_mark(x, y, place)}<title>{escape(curve.name)}: {number_text(chance)} said, "
        f"{number_text(share)} true, of {count_text(n)}</title></g>"
        for (x, y, n), (chance, share, _) in zip(at, curve.points, strict=True)
    ]
    return lines + "".join(marks)


def _mark(x: float, y: float, place: int) -> str:
    """Open a group with the sign of a model: filled circle, open square, open diamond."""
    fill = _FILLS[place]
    if place == 0:
        return f'<g><circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}"/>'
    turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if place == 2 else ""
    return (
        f'<g><rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="#ffffff" stroke="{fill}" '
        f'stroke-width="2"{turned}/>'
    )


def _legend(curves: Sequence[Curve]) -> list[str]:
    body = []
    for place, curve in enumerate(curves):
        y = 454 + 18 * place
        body.append(_mark(72, y - 4, place) + "</g>")
        body.append(text(84, y, shortened(curve.name, _NAME)))
    return body


def _histogram(frame: Frame, curve: Curve) -> list[str]:
    """Draw how many chances lie in each bin, below the diagram."""
    base, height, most = 426.0, 44.0, max((n for _, _, n in curve.points), default=1)
    body = []
    for chance, _, n in curve.points:
        start = min(9, int(chance * 10)) / 10
        x0, x1 = frame.x.at(start), frame.x.at(start + 0.1)
        tall = max(1.0, height * n / most)
        body.append(box(x0, base - tall, x1 - x0, tall, _PALE, title=count_text(n)))
    body.append(line(frame.x.at(0), base, frame.x.at(1), base))
    body.append(text(frame.x.at(0) - 6, base - 2, "number", anchor="end"))
    return body
