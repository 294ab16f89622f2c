"""Small SVG figures for the reports: no library, no script, the same bytes every time.

All functions return a complete ``<svg>`` element with a title and a description for readers who
do not see it.  Colours differ in lightness and hue (safe for colour-blind readers), and are never
the only sign: values are printed beside them, and marks differ in shape or pattern.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from her2path.reports.numbers import number_text

INK = "#1b1b1b"
GRID = "#8a8a8a"
BLUE = "#0b5394"
PALE = "#8fb3d9"
ORANGE = "#c05a00"
CUT = "#b3261e"


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar or one bar of a chart."""

    label: str
    value: float
    """Length in the unit of the figure (per cent for a stacked bar)."""
    fill: str
    text: str
    """What is printed for the value."""
    ink: str = "#ffffff"
    """Colour of the text on `fill`."""


def svg(width: float, height: float, title: str, description: str, body: Iterable[str]) -> Markup:
    """Wrap drawing commands (trusted, already escaped) into an accessible SVG element."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="system-ui, sans-serif" font-size="12">'
    )
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return Markup(head + words + "".join(body) + "</svg>")  # noqa: S704  (all texts are escaped one by one)


def text(x: float, y: float, words: str, *, anchor: str = "start", fill: str = INK, weight: str = "") -> str:
    """Draw escaped words; bold ones with a white rim, so that they can be read across a line."""
    rim = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'
    bold = f' font-weight="{weight}"{rim}' if weight else ""
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{place} fill="{fill}"{bold}>{escape(words)}</text>'


def line(x0: float, y0: float, x1: float, y1: float, *, stroke: str = GRID, dash: str = "") -> str:
    """Draw a line one and a half units wide."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{stroke}" '
        f'stroke-width="1.5"{dashes}/>'
    )


def box(x: float, y: float, width: float, height: float, fill: str, *, title: str = "") -> str:
    """Draw a filled rectangle with an optional tooltip."""
    tip = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}" fill="{fill}" '
        f'stroke="#ffffff" stroke-width="0.6">{tip}</rect>'
    )


def stacked_bar(segments: Sequence[Segment], *, cuts: Sequence[float], title: str) -> Markup:
    """Draw shares of 100 % as one bar, strongest staining first, with cut-points marked.

    Parameters
    ----------
    segments : sequence of Segment
        Their values are per cent and sum to 100.
    cuts : sequence of float
        Per cent at which the guideline cuts; drawn as dashed lines from the left end.
    title : str
        Heading for readers who do not see the figure.
    """
    left, width, top, height = 8.0, 664.0, 22.0, 34.0
    body: list[str] = []
    at = left
    for segment in segments:
        long = width * segment.value / 100
        body.append(box(at, top, long, height, segment.fill, title=f"{segment.label}: {segment.text}"))
        if long > 9 * len(segment.text):
            place = _clear_of([left + width * cut / 100 for cut in cuts], at, at + long)
            body.append(text(place, top + 22, segment.text, anchor="middle", fill=segment.ink))
        at += long
    for cut in cuts:
        x = left + width * cut / 100
        body.append(line(x, top - 6, x, top + height + 6, stroke=CUT, dash="4 2"))
        body.append(text(x + 4, top - 8, f"cut {cut:g} %", fill=CUT, weight="600"))
    ticks = range(0, 101, 20)
    body += [text(left + width * t / 100, top + height + 18, f"{t} %", anchor="middle") for t in ticks[1:-1]]
    body += [
        text(left, top + height + 18, "0 %"),
        text(left + width, top + height + 18, "100 %", anchor="end"),
    ]
    described = "; ".join(f"{s.label} {s.text}" for s in segments)
    return svg(680, 80, title, described, body)


def _clear_of(marks: Sequence[float], start: float, end: float) -> float:
    """Find the middle of the widest part of a segment that no mark runs through."""
    edges = sorted([start, end, *(mark for mark in marks if start < mark < end)])
    low, high = max(pairwise(edges), key=lambda pair: pair[1] - pair[0])
    return (low + high) / 2


def distance_bar(relative: float) -> Markup:
    """Draw a number's distance to its cut as a share of the cut, -1 to 1; more is an arrow.

    The figure repeats numbers that stand beside it in a table, so it is hidden from readers who
    do not see it.
    """
    mid, half, height = 120.0, 100.0, 22.0
    end = mid + half * min(max(relative, -1), 1)
    body = [
        line(mid - half, 11, mid + half, 11, stroke="#c3c8cf"),
        box(min(mid, end), 6, abs(end - mid), 10, BLUE),
        line(mid, 1, mid, 21, stroke=CUT, dash="3 2"),
        _arrow(end, 11, relative) if abs(relative) > 1 else _dot(end, 11),
    ]
    head = f'<svg viewBox="0 0 240 {height:g}" width="240" height="{height:g}" aria-hidden="true">'
    return Markup(head + "".join(body) + "</svg>")  # noqa: S704  (numbers only)


def share_bar(share: float, *, strong: bool) -> Markup:
    """Draw a share (0 to 1) as a bar in its track; `strong` fills it darker.

    The figure repeats a number that stands beside it in a table, so it is hidden from readers who
    do not see it.
    """
    wide, fill = 240.0, BLUE if strong else PALE
    body = [
        f'<rect x="0.5" y="3.5" width="{wide - 1:g}" height="14" fill="#ffffff" stroke="{GRID}"/>',
        f'<rect x="0.5" y="3.5" width="{(wide - 1) * share:.1f}" height="14" fill="{fill}"/>',
    ]
    head = f'<svg viewBox="0 0 {wide:g} 21" width="{wide:g}" height="21" aria-hidden="true">'
    return Markup(head + "".join(body) + "</svg>")  # noqa: S704  (numbers only)


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{INK}"/>'


def _arrow(x: float, y: float, direction: float) -> str:
    tip = math.copysign(12, direction)
    return f'<path d="M{x:.1f} {y - 8:.1f} L{x + tip:.1f} {y:.1f} L{x:.1f} {y + 8:.1f} Z" fill="{INK}"/>'


@dataclass(frozen=True, slots=True)
class _Axes:
    """Linear axes of a square plot, in figure units."""

    left: float
    top: float
    width: float
    height: float
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        return self.left + self.width * value / self.most_x

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - value / self.most_y)

    def frame(
        self, label_x: str, label_y: str, *, middle: Callable[[float], float] | None = None
    ) -> list[str]:
        """Draw both axes with ticks and labels; `middle` places the ticks of bars."""
        base, right = self.top + self.height, self.left + self.width
        body = [line(self.left, base, right, base), line(self.left, self.top, self.left, base)]
        for tick in _ticks(self.most_x):
            x = self.x(tick) if middle is None else middle(tick)
            if x <= right:
                body.append(text(x, base + 16, f"{tick:g}", anchor="middle"))
        for tick in _ticks(self.most_y):
            body.append(text(self.left - 6, self.y(tick) + 4, f"{tick:g}", anchor="end"))
        body.append(text(self.left + self.width / 2, base + 34, label_x, anchor="middle"))
        half = self.top + self.height / 2
        turned = f'transform="rotate(-90 {self.left - 34:.1f} {half:.1f})" text-anchor="middle"'
        label = (
            f'<text x="{self.left - 34:.1f}" y="{half:.1f}" {turned} fill="{INK}">{escape(label_y)}</text>'
        )
        return [*body, label]


def _ticks(most: float) -> list[float]:
    """Choose whole-numbered steps of 1, 2 or 5 times a power of ten, six at most."""
    step = 1.0
    while most / step > 6:
        step *= 2 if f"{step:g}"[0] in "15" else 2.5
    return [step * n for n in range(int(most / step + 1e-9) + 1)]


def signal_scatter(
    nuclei: Sequence[tuple[int, int]],
    *,
    ratio_cuts: Sequence[float],
    copy_cuts: Sequence[float],
    mean: tuple[float, float] | None,
    second_from: int | None = None,
) -> Markup:
    """Draw HER2 against CEP17 signals, one circle per pair of counts, its area the nuclei it stands for.

    Parameters
    ----------
    nuclei : sequence of (HER2, CEP17)
        Signals of every counted nucleus.
    ratio_cuts, copy_cuts : sequence of float
        Cut-points of the guideline: lines through the origin, and horizontal lines.
    mean : (HER2, CEP17) or None
        Mean copies per nucleus, drawn as a diamond.
    second_from : int or None
        HER2 signals from which nuclei look like a second population: drawn as squares; None = none do.
    """
    most_y = max([her2 for her2, _ in nuclei] + [*copy_cuts, 4]) * 1.08
    most_x = max([cep17 for _, cep17 in nuclei] + [4]) * 1.15
    axes = _Axes(left=58, top=12, width=350, height=300, most_x=most_x, most_y=most_y)
    body = axes.frame("CEP17 signals per nucleus", "HER2 signals per nucleus")
    for cut in copy_cuts:
        y = axes.y(cut)
        body.append(line(axes.left, y, axes.left + axes.width, y, stroke=CUT, dash="4 3"))
        body.append(text(axes.left + axes.width + 4, y + 4, f"HER2 {cut:g}", fill=CUT))
    for cut in ratio_cuts:
        end = min(axes.most_x, axes.most_y / cut)
        body.append(line(axes.x(0), axes.y(0), axes.x(end), axes.y(cut * end), stroke=INK, dash="8 3"))
        inside = end < axes.most_x
        place = (axes.x(end) + 4, axes.top + 8) if inside else (axes.x(end) + 4, axes.y(cut * end) + 4)
        body.append(text(*place, f"ratio {cut:g}"))
    tally = Counter(nuclei)
    most = max([*tally.values(), 4])
    for (her2, cep17), n in sorted(tally.items()):
        radius = max(12 * math.sqrt(n / most), 2)
        tip = f"<title>{n} nuclei: {her2} HER2, {cep17} CEP17</title>"
        x, y = axes.x(cep17), axes.y(her2)
        if second_from is not None and her2 >= second_from:
            body.append(
                f'<rect x="{x - radius:.1f}" y="{y - radius:.1f}" width="{2 * radius:.1f}" '
                f'height="{2 * radius:.1f}" fill="{ORANGE}" fill-opacity="0.55" '
                f'stroke="{ORANGE}">{tip}</rect>'
            )
            continue
        body.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" '
            f'fill="{BLUE}" fill-opacity="0.45" stroke="{BLUE}">{tip}</circle>'
        )
    if mean is not None:
        x, y = axes.x(mean[1]), axes.y(mean[0])
        body.append(
            f'<path d="M{x:.1f} {y - 8:.1f} l8 8 -8 8 -8 -8 Z" '
            f'fill="#ffffff" stroke="{INK}" stroke-width="2.5"/>'
        )
    described = f"{len(nuclei)} nuclei; lines mark the guideline's cut-points, the diamond the mean."
    return svg(480, 360, "HER2 against CEP17 signals per nucleus", described, body)


def copy_histogram(
    counts: Sequence[int], *, copy_cuts: Sequence[float], mean: float | None, probe: str = "HER2"
) -> Markup:
    """Draw how many nuclei hold how many signals; cut-points refer to the mean, not to a nucleus."""
    tally = Counter(counts)
    last = max([*counts, *(math.ceil(cut) for cut in copy_cuts), 8])
    step = max(1, math.ceil((last + 1) / 40))
    lows = range(0, last + 1, step)
    bins = [sum(tally[v] for v in range(low, low + step)) for low in lows]
    axes = _Axes(58, 12, 350, 300, most_x=float(len(bins) * step), most_y=max([*bins, 1]) * 1.2)

    def middle(value: float) -> float:
        # The bar of a count spans half a signal to either side of it.
        return axes.x(value + 0.5)

    body = axes.frame(f"{probe} signals per nucleus", "nuclei", middle=middle)
    for low, n in zip(lows, bins, strict=True):
        name = f"{low}" if step == 1 else f"{low} to {low + step - 1}"
        width = axes.x(step) - axes.x(0)
        tip = f"{name} signals: {n} nuclei"
        body.append(box(axes.x(low), axes.y(n), width, axes.y(0) - axes.y(n), BLUE, title=tip))
    for cut in copy_cuts:
        x = middle(cut)
        body.append(line(x, axes.top, x, axes.y(0), stroke=CUT, dash="4 3"))
        body.append(text(x - 3, axes.top + 8, f"{cut:g}", fill=CUT, anchor="end"))
    if mean is not None:
        x = middle(mean)
        body.append(line(x, axes.top + 14, x, axes.y(0), stroke=INK))
        body.append(text(x + 4, axes.top + 24, f"mean {number_text(mean, cuts=copy_cuts)}", weight="600"))
    described = "; ".join(f"{v} signals: {tally[v]} nuclei" for v in sorted(tally))
    return svg(480, 360, f"{probe} signals per nucleus", described, body)


def bar_chart(bars: Sequence[Segment], *, title: str) -> Markup:
    """Draw horizontal bars with their labels and values, for the pages of a cohort."""
    row, left, width = 26.0, 150.0, 170.0
    # Room for what is printed behind the longest bar; 7.5 units are a wide letter.
    right = max([7.5 * len(bar.text) for bar in bars] + [44]) + 6
    most = max([bar.value for bar in bars] + [1])
    body: list[str] = []
    for number, bar in enumerate(bars):
        y = 4 + row * number
        long = width * bar.value / most
        body.append(text(left - 8, y + 15, bar.label, anchor="end"))
        body.append(box(left, y, long, 20, bar.fill))
        body.append(text(left + long + 6, y + 15, bar.text, weight="600"))
    described = "; ".join(f"{bar.label}: {bar.text}" for bar in bars)
    return svg(left + width + right, 8 + row * max(len(bars), 1), title, described, body)
