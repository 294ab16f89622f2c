"""How far the numbers of a case lie from the cut-points of a guideline.

For reading only: the rules compare integers, these are the same numbers as fractions, turned
into floats once, at the end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from her2path.domain.guideline.conditions import Quantity
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
    over = (
        _distance(quantity, reading, blank, PER_CENT, suffix="_over_blank") for quantity in guideline.blanks
    )
    return (*_of_cuts(guideline.ihc_cuts, reading), *(d for d in over if d is not None))


def ish_distances(reading: IshReading, guideline: Guideline) -> tuple[CutDistance, ...]:
    """State the distance of ratio and copies from the cut-points, as far as they are defined."""
    return _of_cuts(guideline.ish_cuts, reading)


def _of_cuts(cuts: Iterable[Cut[E]], reading: E) -> tuple[CutDistance, ...]:
    asked = (cut for cut in cuts if cut.concerns(reading))
    found = (_distance(cut.quantity, reading, cut.value, cut.quantity.unit) for cut in asked)
    return tuple(distance for distance in found if distance is not None)


def _distance(
    quantity: Quantity[E], reading: E, cut: Fraction, unit: str, *, suffix: str = ""
) -> CutDistance | None:
    value = quantity.value(reading)
    if value is None:
        return None
    return CutDistance(f"{quantity.name}{suffix}", float(value), float(cut), float(value - cut), unit)
