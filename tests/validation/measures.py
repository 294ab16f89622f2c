"""Rows of the tables: a value, its interval, what was asked for, and whether it was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

Unit = TypeVar("Unit")

DRAWS = 2000
"""Bootstrap samples of slides or cases for the intervals."""
Direction = Literal["at least", "at most"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row for one method."""

    name: str
    on: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    """95 % interval; None where chance plays no part."""
    threshold: float | None = None
    """None for a row that is told, not asked for."""
    direction: Direction = "at least"
    detail: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the value reaches what was asked for; None if nothing was."""
        if self.threshold is None:
            return None
        if self.direction == "at least":
            return bool(self.value >= self.threshold)
        return bool(self.value <= self.threshold)

    def as_json(self) -> dict[str, object]:
        """Plain values, with the verdict."""
        names = ("name", "on", "value", "unit", "low", "high", "threshold", "direction", "detail")
        return {name: getattr(self, name) for name in names} | {"passed": self.passed}


def drawn_interval(
    units: Sequence[Unit], statistic: Callable[[Sequence[Unit]], float]
) -> tuple[float, float]:
    """95 % interval over draws of whole slides or cases: cells of one are not independent."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(units), (DRAWS, len(units)))
    values = [statistic([units[place] for place in draw]) for draw in draws]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
