"""IHC evidence: what is counted on tumour cells, as integers.

A cell is described by the *intensity* of its membrane staining and by its *pattern* along the
contour.  A tally counts cells over both; percentages, scores and the H-score follow from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from her2path.domain.case import Controls, Specimen


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


class Reactivity(StrEnum):
    """The levels in which guidelines outside the breast read membrane staining, whatever its pattern."""

    STRONG = "strong"
    WEAK_MODERATE = "weak_moderate"
    FAINT = "faint"
    NONE = "none"


def reactivity(intensity: Intensity, pattern: Pattern) -> Reactivity:
    """Read one cell where complete, basolateral and lateral staining count alike.

    Weak staining counts as weak to moderate only along a whole side of the cell; a weak part of
    the membrane is the lower class, as is anything faint.

    Examples
    --------
    >>> reactivity(Intensity.STRONG, Pattern.BASOLATERAL).value
    'strong'
    >>> reactivity(Intensity.WEAK, Pattern.INCOMPLETE).value
    'faint'
    """
    if Intensity.NONE is intensity or Pattern.NONE is pattern:
        return Reactivity.NONE
    if intensity is Intensity.STRONG:
        return Reactivity.STRONG
    if intensity is Intensity.MODERATE:
        return Reactivity.WEAK_MODERATE
    on_a_side = intensity is Intensity.WEAK and pattern is not Pattern.INCOMPLETE
    return Reactivity.WEAK_MODERATE if on_a_side else Reactivity.FAINT


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
    total: int = field(init=False, compare=False)
    """Number of scored cells."""
    _classes: Mapping[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        for (intensity, pattern), n in self.counts.items():
            if isinstance(n, bool) or not isinstance(n, int) or n < 0:
                raise ValueError(f"counts must be integers >= 0, got {n!r} for {intensity}/{pattern}")
            if n and (intensity is Intensity.NONE) != (pattern is Pattern.NONE):
                raise ValueError(f"{n} cells with contradictory staining {intensity}/{pattern}")
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))
        # Rules ask for the same sums many times over, and tables have 100 000 rows: summed once.
        object.__setattr__(self, "total", sum(self.counts.values()))
        # Classes and levels share one word, none, and unstained cells are the same cells by both.
        by_class = _summed(self.counts, staining_class) | _summed(self.counts, reactivity)
        object.__setattr__(self, "_classes", by_class)

    def of_class(self, wanted: StainingClass | Reactivity) -> int:
        """Cells that a guideline puts into `wanted`."""
        return self._classes.get(wanted, 0)

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


def _summed(
    counts: Mapping[tuple[Intensity, Pattern], int], class_of: Callable[[Intensity, Pattern], str]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, n in counts.items():
        name = class_of(*key)
        found[name] = found.get(name, 0) + n
    return found


TYPICAL_STAINING: Mapping[StainingClass, tuple[Intensity, Pattern]] = MappingProxyType(
    {
        StainingClass.COMPLETE_INTENSE: (Intensity.STRONG, Pattern.COMPLETE),
        StainingClass.COMPLETE_WEAK_MODERATE: (Intensity.MODERATE, Pattern.COMPLETE),
        StainingClass.INCOMPLETE_MODERATE_INTENSE: (Intensity.MODERATE, Pattern.INCOMPLETE),
        StainingClass.INCOMPLETE_FAINT: (Intensity.FAINT, Pattern.INCOMPLETE),
        StainingClass.NONE: (Intensity.NONE, Pattern.NONE),
    }
)
"""The staining that stands for a class where only the class is known."""


def tally_of_percentages(
    percentages: Mapping[StainingClass, Decimal], *, incomplete: Intensity = Intensity.MODERATE
) -> IhcTally:
    """Turn percentages typed by a person into an exact tally of shares.

    Parameters
    ----------
    percentages : mapping of StainingClass to Decimal
        Per cent of the invasive tumour cells; classes left out are 0; the sum is exactly 100.
    incomplete : Intensity
        What the class `INCOMPLETE_MODERATE_INTENSE` is: moderate or strong.  Breast guidelines
        do not tell them apart; the others do.

    Returns
    -------
    tally : IhcTally
        Integers in the same proportion.  They are shares, not numbers of cells.

    Raises
    ------
    ValueError
        A percentage is negative, infinite or not a number, or the sum is not exactly 100.

    Examples
    --------
    >>> typed = {StainingClass.INCOMPLETE_FAINT: Decimal("9.99"), StainingClass.NONE: Decimal("90.01")}
    >>> tally_of_percentages(typed).total
    10000
    """
    for name, value in percentages.items():
        if not value.is_finite() or value < 0:
            raise ValueError(f"{name} must be a percentage from 0 to 100, got {value}")
    shares = {name: value.as_integer_ratio() for name, value in percentages.items()}
    scale = math.lcm(*(denominator for _, denominator in shares.values()))
    cells = {name: above * (scale // below) for name, (above, below) in shares.items()}
    if sum(cells.values()) != 100 * scale:
        raise ValueError(f"the percentages sum to {sum(percentages.values())}, not to 100")
    stands_for = {
        **TYPICAL_STAINING,
        StainingClass.INCOMPLETE_MODERATE_INTENSE: (incomplete, Pattern.INCOMPLETE),
    }
    return IhcTally({stands_for[name]: n for name, n in cells.items()})


def exact_share(pct: float | Decimal) -> Fraction:
    """Read a percentage as the exact share that its decimal digits state.

    Examples
    --------
    >>> exact_share(0.1)
    Fraction(1, 1000)
    """
    return Fraction(str(pct)) / 100


class TallyUnit(StrEnum):
    """What the integers of a tally are."""

    CELLS = "cells"
    """Cells that were counted one by one."""
    SHARES = "shares"
    """Proportions that a person estimated; how many cells were seen is not known."""


STAINED: tuple[StainingClass, ...] = tuple(c for c in StainingClass if c is not StainingClass.NONE)
"""Every class but none."""


@dataclass(frozen=True, slots=True)
class IhcReading:
    """What a guideline reads of the IHC of one specimen; None = not stated or not measured."""

    tally: IhcTally
    limit_of_blank: Fraction = Fraction(0)
    """Share (0 to 1) of stained cells that the measurement reports on unstained tissue; 0 = a person read."""
    unit: TallyUnit = TallyUnit.CELLS
    controls: Controls = Controls.UNKNOWN
    specimen: Specimen | None = None
    """Some guidelines read a biopsy otherwise than a resection."""
    clusters: Mapping[Reactivity, int] | None = None
    """Cells in the largest cluster that stains at least so strongly; a level left out is not known."""
    artefact_over_most: bool | None = None
    """Whether an artefact covers most of the sample."""
    normal_ducts_stained: bool | None = None
    """Whether membranes of normal ducts stain strongly."""

    def __post_init__(self) -> None:
        if not 0 <= self.limit_of_blank.numerator <= self.limit_of_blank.denominator:
            raise ValueError(f"the limit of blank is a share from 0 to 1, got {self.limit_of_blank}")
        if self.clusters is not None:
            if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in self.clusters.values()):
                raise ValueError(f"clusters are cells, integers >= 0, got {dict(self.clusters)}")
            sizes = [self.clusters[level] for level in Reactivity if level in self.clusters]
            if sizes != sorted(sizes):
                raise ValueError("a cluster of strong cells is one of weaker cells too and cannot be larger")
            object.__setattr__(self, "clusters", MappingProxyType(dict(self.clusters)))

    def cells_of(self, *classes: StainingClass | Reactivity) -> int:
        """Cells (or shares) in any of the classes."""
        cells = 0
        for name in classes:
            cells += self.tally.of_class(name)
        return cells

    def largest_cluster(self, level: Reactivity) -> int | None:
        """Cells in the largest cluster that stains at least like `level`; None where it is not known."""
        if self.cells_of(*levels_from(level)) == 0:
            return 0
        return None if self.clusters is None else self.clusters.get(level)


def levels_from(level: Reactivity) -> tuple[Reactivity, ...]:
    """List the levels that are at least as strong.

    Examples
    --------
    >>> [str(name) for name in levels_from(Reactivity.WEAK_MODERATE)]
    ['strong', 'weak_moderate']
    """
    order = tuple(Reactivity)
    return order[: order.index(level) + 1]


@dataclass(frozen=True, slots=True)
class StatedScore:
    """An IHC score that a person states without percentages."""

    score: IhcScore
    controls: Controls = Controls.UNKNOWN
    specimen: Specimen | None = None
