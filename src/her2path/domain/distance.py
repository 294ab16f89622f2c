"""How far the numbers of a case lie from the cut-points of a guideline.

For reading only: the rules compare integers, these are the same numbers as fractions, turned
into floats once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from her2path.domain.guideline.definition import Cut, Guideline
from her2path.domain.guideline.quantities import PER_CENT
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading

E = TypeVar("E", IhcReading, IshReading)


@dataclass(frozen=True, slots=True)
class CutDistance:
    """A number of the case beside a cut-point; `distance` = `value` - `cut`, in `unit`."""

    quantity: str
    value: float
    cut: float
    distance: float
    unit: str


def ihc_distances(reading: IhcReading, guideline: Guideline) -> tuple[CutDistance, ...]:
    """State the distance of each percentage from the cut-points; needs a scored cell."""
    blank = 100 * reading.limit_of_blank
    over = [
        _distance(f"{quantity.name}_over_blank", value, blank, PER_CENT)
        for quantity in guideline.blanks
        if (value := quantity.value(reading)) is not None
    ]
    return (*_of_cuts(guideline.ihc_cuts, reading), *over)


def ish_distances(reading: IshReading, guideline: Guideline) -> tuple[CutDistance, ...]:
    """State the distance of ratio and copies from the cut-points, as far as they are defined."""
    return _of_cuts(guideline.ish_cuts, reading)


def _of_cuts(cuts: Iterable[Cut[E]], reading: E) -> tuple[CutDistance, ...]:
    found = ((cut, cut.quantity.value(reading)) for cut in cuts)
    return tuple(
        _distance(cut.quantity.name, value, cut.value, cut.quantity.unit)
        for cut, value in found
        if value is not None
    )


def _distance(quantity: str, value: Fraction, cut: Fraction, unit: str) -> CutDistance:
    return CutDistance(quantity, float(value), float(cut), float(value - cut), unit)
