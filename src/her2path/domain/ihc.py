"""IHC evidence: what is counted on tumour cells, as integers.

A cell is described by the *intensity* of its membrane staining and by its *pattern* along the
contour.  A tally counts cells over both; percentages, scores and the H-score follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Intensity(StrEnum):
    """How strongly a membrane stains; which optical density that is belongs to the calibration."""

    NONE = "none"
    FAINT = "faint"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"


class Pattern(StrEnum):
    """How the staining runs along the contour of the cell."""

    NONE = "none"
    INCOMPLETE = "incomplete"
    BASOLATERAL = "basolateral"
    COMPLETE = "complete"


class IhcScore(StrEnum):
    """The IHC score of a specimen, printed as pathologists print it."""

    ZERO = "0"
    ONE_PLUS = "1+"
    TWO_PLUS = "2+"
    THREE_PLUS = "3+"


class StainingClass(StrEnum):
    """The five columns in which a breast guideline reads membrane staining."""

    COMPLETE_INTENSE = "complete_intense"
    COMPLETE_WEAK_MODERATE = "complete_weak_moderate"
    INCOMPLETE_MODERATE_INTENSE = "incomplete_moderate_intense"
    INCOMPLETE_FAINT = "incomplete_faint"
    NONE = "none"


def staining_class(intensity: Intensity, pattern: Pattern) -> StainingClass:
    """Read one cell in the guideline's words.

    Faint staining is barely perceptible, so whether it closes around the cell cannot be told:
    it counts as incomplete and faint whatever its pattern.  Weak staining that does not close
    is the upper end of the same class.

    Examples
    --------
    >>> staining_class(Intensity.STRONG, Pattern.COMPLETE).value
    'complete_intense'
    >>> staining_class(Intensity.FAINT, Pattern.COMPLETE).value
    'incomplete_faint'
    """
    if Intensity.NONE is intensity or Pattern.NONE is pattern:
        return StainingClass.NONE
    if intensity is Intensity.FAINT:
        return StainingClass.INCOMPLETE_FAINT
    if pattern is Pattern.COMPLETE:
        strong = intensity is Intensity.STRONG
        return StainingClass.COMPLETE_INTENSE if strong else StainingClass.COMPLETE_WEAK_MODERATE
    if intensity is Intensity.WEAK:
        return StainingClass.INCOMPLETE_FAINT
    return StainingClass.INCOMPLETE_MODERATE_INTENSE


CELL_SCORE: Mapping[StainingClass, int] = MappingProxyType(
    {
        StainingClass.NONE: 0,
        StainingClass.INCOMPLETE_FAINT: 1,
        StainingClass.INCOMPLETE_MODERATE_INTENSE: 2,
        StainingClass.COMPLETE_WEAK_MODERATE: 2,
        StainingClass.COMPLETE_INTENSE: 3,
    }
)
"""Score of a single cell, the weight of its class in the H-score."""


@dataclass(frozen=True, slots=True)
class IhcTally:
    """Scored tumour cells counted over intensity and pattern.

    Unstained cells stand under ``(Intensity.NONE, Pattern.NONE)`` only.
    """

    counts: Mapping[tuple[Intensity, Pattern], int]

    def __post_init__(self) -> None:
        for (intensity, pattern), n in self.counts.items():
            if isinstance(n, bool) or not isinstance(n, int) or n < 0:
                raise ValueError(f"counts must be integers >= 0, got {n!r} for {intensity}/{pattern}")
            if n and (intensity is Intensity.NONE) != (pattern is Pattern.NONE):
                raise ValueError(f"{n} cells with contradictory staining {intensity}/{pattern}")
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))

    @property
    def total(self) -> int:
        """Number of scored cells."""
        return sum(self.counts.values())

    def of_class(self, wanted: StainingClass) -> int:
        """Cells that a breast guideline puts into `wanted`."""
        return sum(n for key, n in self.counts.items() if staining_class(*key) is wanted)

    @property
    def h_score(self) -> float | None:
        """H-score, 0 to 300: the sum of percentages weighted by cell score; None without cells."""
        if self.total == 0:
            return None
        weighted = sum(CELL_SCORE[staining_class(*key)] * n for key, n in self.counts.items())
        return 100 * weighted / self.total

    def __add__(self, other: IhcTally) -> IhcTally:
        keys = self.counts.keys() | other.counts.keys()
        return IhcTally({key: self.counts.get(key, 0) + other.counts.get(key, 0) for key in sorted(keys)})
