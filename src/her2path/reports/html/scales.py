"""Scales and axes of the plots of quality assurance, and names that are drawn in them.

A scale turns a number into a place in the figure; on a logarithmic one equal factors are equally
far apart, so that twice and half lie on either side of one at the same distance.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import escape

from her2path.domain.number_words import MINUS
from her2path.reports.html.plots import GRID, INK, line, text

PALE_GRID = "#dfe3e8"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "PDF"})
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_MOST_TICKS = 6
_SMALL_FACTOR = 1.5
_LOG_STEPS = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 9.0),
)
"""Steps within one power of ten, from coarse to fine."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of numbers on a stretch of the figure."""

    low: float
    high: float
    start: float
    """Place of `low`, in units of the figure."""
    end: float
    """Place of `high`."""
    log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"no range to draw: {self.low} to {self.high}")

    def at(self, value: float) -> float:
        """Place of a number; one outside the range lies outside the stretch."""
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def within(self, value: float) -> float:
        """Place of a number, at the end of the stretch for one beyond it."""
        return self.at(min(max(value, self.low), self.high))

    def ticks(self) -> list[float]:
        """Choose round numbers within the range, about six."""
        # Within a small factor equal steps are as good, and there are round numbers among them.
        far = self.log and self.high / self.low > _SMALL_FACTOR
        return _log_ticks(self.low, self.high) if far else _ticks(self.low, self.high)


def _ticks(low: float, high: float) -> list[float]:
    step = 10.0 ** math.floor(math.log10(high - low))
    sizes = [size * step for size in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)]
    step = next(size for size in sizes if (high - low) / size <= _MOST_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found: list[float] = []
    for steps in _LOG_STEPS:
        ticks = [step * 10.0**power for power in powers for step in steps]
        ticks = [round(tick, 12) for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(ticks) > _MOST_TICKS + 2:
            # Finer steps may be too many at once; every so-manieth of them is as round as any.
            return found if len(found) >= 3 else ticks[:: math.ceil(len(ticks) / _MOST_TICKS)]
        found = ticks
    return found


def span(values: Iterable[float], *, margin: float = 0.06, log: bool = False) -> tuple[float, float]:
    """Find the range that holds all values with a margin on either side.

    Parameters
    ----------
    values : iterable of float
        At least one; all greater than 0 where `log`.
    margin : float
        Share of the range (of its logarithm) added at each end.
    log : bool
        Whether the range is drawn on a logarithmic scale.

    Examples
    --------
    >>> span([0.0, 1.0], margin=0.1)
    (-0.1, 1.1)
    """
    found = [math.log(value) for value in values] if log else list(values)
    low, high = min(found), max(found)
    # Values that are all alike still need a range to stand in the middle of.
    room = margin * (high - low) or (0.1 if log else max(abs(high), 1.0) * 0.1)
    if log:
        return math.exp(low - room), math.exp(high + room)
    return low - room, high + room


def tick_text(value: float) -> str:
    """Print the number of a tick.

    Examples
    --------
    >>> tick_text(0.5), tick_text(-2.0) == MINUS + "2"
    ('0.5', True)
    """
    return f"{value:g}".replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Frame:
    """Two scales with their axes."""

    x: Scale
    y: Scale

    def draw(self, label_x: str, label_y: str, *, x_ticks: Sequence[tuple[float, str]] | None = None) -> str:
        """Draw grid lines, axes, ticks and labels; `x_ticks` replaces the numbers of the x axis."""
        left, right, base, top = self.x.start, self.x.end, self.y.start, self.y.end
        body: list[str] = []
        for tick in self.y.ticks():
            y = self.y.at(tick)
            body.append(line(left, y, right, y, stroke=PALE_GRID))
            body.append(text(left - 6, y + 4, tick_text(tick), anchor="end"))
        ticks = [(tick, tick_text(tick)) for tick in self.x.ticks()] if x_ticks is None else x_ticks
        for tick, words in ticks:
            x = self.x.at(tick)
            body.append(line(x, base, x, base + 4))
            body.append(text(x, base + 17, words, anchor="middle"))
        body += [line(left, base, right, base, stroke=GRID), line(left, top, left, base, stroke=GRID)]
        body.append(text((left + right) / 2, base + 36, label_x, anchor="middle"))
        body.append(_turned(left - 46, (top + base) / 2, label_y))
        return "".join(body)


def _turned(x: float, y: float, words: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})" text-anchor="middle" '
        f'fill="{INK}">{escape(words)}</text>'
    )


def isolated(name: str) -> str:
    """Keep a name that is written from right to left from reordering the words beside it."""
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in name):
        return f"{_ISOLATE}{name}{_END_ISOLATE}"
    return name


def shortened(name: str, most: int) -> str:
    """Cut a name at `most` characters for a figure, with an ellipsis; the full one stands in the table.

    Examples
    --------
    >>> shortened("reader_of_the_second_site", 12)
    'reader_of_t…'
    """
    if len(name) <= most:
        return isolated(name)
    kept = name[: most - 1]
    # Half of a joined sign (a face with its skin tone, a letter with its accent) is another sign.
    while kept and (_joins(name[len(kept)]) or _joins(kept[-1])):
        kept = kept[:-1]
    return isolated(f"{kept}…")


def _joins(letter: str) -> bool:
    return letter == "\u200d" or unicodedata.category(letter) in {"Mn", "Me", "Mc"} or _is_skin_tone(letter)


def _is_skin_tone(letter: str) -> bool:
    return "\U0001f3fb" <= letter <= "\U0001f3ff"
