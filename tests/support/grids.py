"""Evidence in which every number is an array: a whole lattice of cases, decided at once.

The rules ask a grid for the same attributes as a single reading (`Condition.on_grid`).  What is no
number (kind of specimen, limit of blank, share of nuclei) is one value for the whole grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.domain.case import Controls, Specimen
from her2path.domain.guideline.definition import condition_of
from her2path.domain.guideline.rules import Rule
from her2path.domain.ihc import (
    IhcReading,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    levels_from,
    reactivity,
    staining_class,
)
from her2path.domain.ish import IshReading, SignalSummary

Numbers = npt.NDArray[np.int64]
Staining = tuple[Intensity, Pattern]
UNSTAINED: Staining = (Intensity.NONE, Pattern.NONE)
EVERY_STAINING: tuple[Staining, ...] = tuple(
    (intensity, pattern)
    for intensity, pattern in product(Intensity, Pattern)
    if intensity is not Intensity.NONE and pattern is not Pattern.NONE
)
"""Twelve ways in which a cell can stain."""


@dataclass(frozen=True)
class TallyGrid:
    """Tallies of one size; unstained cells fill up what the others leave."""

    stained: Mapping[Staining, Numbers]
    total: int = 1000
    """Cells of each tally; 1000 makes one cell a tenth of a per cent."""
    limit_of_blank: Fraction = Fraction(0)
    specimen: Specimen | None = Specimen.RESECTION
    clusters: Mapping[Reactivity, int] | None = None
    controls: Controls = Controls.PASS

    @classmethod
    def over(cls, values: Mapping[Staining, Sequence[int]], total: int = 1000, **more: Any) -> TallyGrid:
        """Span every combination of cell numbers that fits into the tally."""
        axes = [np.asarray(numbers, dtype=np.int64) for numbers in values.values()]
        points = [axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")]
        fits = sum(points) <= total
        return cls({key: point[fits] for key, point in zip(values, points, strict=True)}, total, **more)

    @classmethod
    def joined(cls, grids: Sequence[TallyGrid]) -> TallyGrid:
        """Put grids of one size of tally, limit of blank and specimen side by side."""
        keys = dict.fromkeys(key for grid in grids for key in grid.stained)
        nothing = [np.zeros(grid.size, dtype=np.int64) for grid in grids]
        cells = {
            key: np.concatenate(
                [grid.stained.get(key, none) for grid, none in zip(grids, nothing, strict=True)]
            )
            for key in keys
        }
        return replace(grids[0], stained=cells)

    @property
    def size(self) -> int:
        """Number of tallies."""
        return len(next(iter(self.stained.values())))

    @property
    def tally(self) -> SimpleNamespace:
        """What a rule asks of the tally itself."""
        return SimpleNamespace(total=np.full(self.size, self.total, dtype=np.int64))

    @cached_property
    def _sums(self) -> dict[StainingClass | Reactivity, Numbers]:
        sums: dict[StainingClass | Reactivity, Numbers] = {}
        for key, cells in {**self.stained, UNSTAINED: self.total - sum(self.stained.values())}.items():
            for name in (staining_class(*key), reactivity(*key)):
                sums[name] = sums.get(name, 0) + cells
        return sums

    def cells_of(self, *classes: StainingClass | Reactivity) -> Numbers:
        """Cells in any of the classes."""
        return sum((self._sums[name] for name in classes if name in self._sums), np.zeros(self.size, int))

    def largest_cluster(self, level: Reactivity) -> Numbers:
        """Cells of the largest cluster, which is the same for the whole grid."""
        stated = 0 if self.clusters is None else self.clusters[level]
        return np.where(self.cells_of(*levels_from(level)) > 0, stated, 0)

    def at(self, point: int) -> IhcReading:
        """One tally of the grid as a reading."""
        cells = {key: int(numbers[point]) for key, numbers in self.stained.items()}
        cells[UNSTAINED] = self.total - sum(cells.values())
        return IhcReading(
            IhcTally(cells),
            limit_of_blank=self.limit_of_blank,
            specimen=self.specimen,
            clusters=self.clusters,
            controls=self.controls,
        )


@dataclass(frozen=True)
class CountGrid:
    """Counts of equally many nuclei."""

    nuclei: int
    her2: Numbers
    cep17: Numbers | None
    share_ratio_at_least_2: Fraction | None = None

    @classmethod
    def over(
        cls, nuclei: int, her2: Sequence[int], cep17: Sequence[int] | None, share: Fraction | None = None
    ) -> CountGrid:
        """Span every combination of signals."""
        if cep17 is None:
            return cls(nuclei, np.asarray(her2, dtype=np.int64), None, share)
        above, below = np.meshgrid(np.asarray(her2, np.int64), np.asarray(cep17, np.int64))
        return cls(nuclei, above.ravel(), below.ravel(), share)

    @property
    def size(self) -> int:
        """Number of counts."""
        return len(self.her2)

    @property
    def summary(self) -> SimpleNamespace:
        """What a rule asks of the totals."""
        return SimpleNamespace(nuclei=self.nuclei, her2=self.her2, cep17=self.cep17)

    def at(self, point: int) -> IshReading:
        """One count of the grid as a reading."""
        cep17 = None if self.cep17 is None else int(self.cep17[point])
        summary = SignalSummary(self.nuclei, int(self.her2[point]), cep17)
        return IshReading(summary, share_ratio_at_least_2=self.share_ratio_at_least_2)


Grid = TallyGrid | CountGrid


def holds_at(rules: Sequence[Rule[Any, Any]], grid: Grid) -> npt.NDArray[np.bool_]:
    """Tell for each rule (row) and each point (column) whether it holds."""
    return np.stack([np.broadcast_to(condition_of(rule).on_grid(grid), grid.size) for rule in rules])


def the_one_rule(rules: Sequence[Rule[Any, Any]], grid: Grid) -> npt.NDArray[np.intp]:
    """Find the place of the rule that decides at each point; more or fewer than one is a failure."""
    holds = holds_at(rules, grid)
    number = holds.sum(axis=0)
    wrong = np.flatnonzero(number != 1)
    if wrong.size:
        point = int(wrong[0])
        among = [rule.id for rule, here in zip(rules, holds[:, point], strict=True) if here]
        raise AssertionError(f"{wrong.size} points without exactly one rule, as {grid.at(point)}: {among}")
    return holds.argmax(axis=0)


def spread(size: int, most: int) -> range:
    """Places of at most so many points, evenly over a grid."""
    return range(0, size, max(1, size // most))
