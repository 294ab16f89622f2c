"""How far the numbers of a case lie from the cut-points of a guideline.

For reading only: the rules compare integers, these are the same numbers as fractions, turned
into floats once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from her2path.domain.guideline.definition import Guideline, Quantity
from her2path.domain.ihc import STAINED, IhcReading, StainingClass
from her2path.domain.ish import IshReading

_CLASSES: dict[Quantity, tuple[StainingClass, ...]] = {
    Quantity.PCT_COMPLETE_INTENSE: (StainingClass.COMPLETE_INTENSE,),
    Quantity.PCT_COMPLETE: (StainingClass.COMPLETE_INTENSE, StainingClass.COMPLETE_WEAK_MODERATE),
    Quantity.PCT_INCOMPLETE_MODERATE_INTENSE: (StainingClass.INCOMPLETE_MODERATE_INTENSE,),
    Quantity.PCT_INCOMPLETE_FAINT: (StainingClass.INCOMPLETE_FAINT,),
    Quantity.PCT_STAINED: STAINED,
}
_UNITS = {Quantity.HER2_CEP17_RATIO: "ratio", Quantity.HER2_MEAN: "signals per nucleus"}


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
    found = []
    for cut in guideline.cuts:
        if cut.quantity in _CLASSES:
            value = reading.pct_of(*_CLASSES[cut.quantity])
            found.append(_distance(cut.quantity, value, Fraction(cut.value), "per cent of tumour cells"))
    blank = 100 * reading.limit_of_blank
    for quantity in (Quantity.PCT_COMPLETE_INTENSE, Quantity.PCT_STAINED):
        value = reading.pct_of(*_CLASSES[quantity])
        found.append(_distance(f"{quantity}_over_blank", value, blank, "per cent of tumour cells"))
    return tuple(found)


def ish_distances(reading: IshReading, guideline: Guideline) -> tuple[CutDistance, ...]:
    """State the distance of ratio and copies from the cut-points, as far as they are defined."""
    summary = reading.summary
    values: dict[Quantity, Fraction] = {}
    if summary.cep17:
        values[Quantity.HER2_CEP17_RATIO] = Fraction(summary.her2, summary.cep17)
    if summary.nuclei:
        values[Quantity.HER2_MEAN] = Fraction(summary.her2, summary.nuclei)
    return tuple(
        _distance(cut.quantity, values[cut.quantity], Fraction(cut.value), _UNITS[cut.quantity])
        for cut in guideline.cuts
        if cut.quantity in values
    )


def _distance(quantity: str, value: Fraction, cut: Fraction, unit: str) -> CutDistance:
    return CutDistance(str(quantity), float(value), float(cut), float(value - cut), unit)
