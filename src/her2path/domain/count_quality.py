"""Whether a FISH image can be counted at all: the measured side of the guideline's rejections.

Shares are whole numbers over whole numbers, and like is set against like: signals over cytoplasm
against all signals of the same cells, weak signals against all signals of the nuclei that were
looked at, nuclei that cannot be used against the nuclei that were met.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

MOST_UNRESOLVED = Fraction(1, 2)
"""Policy P24: nuclei are poorly resolved where more than half of those met cannot be resolved."""
MOST_OBSCURED = Fraction(1, 4)
"""Policy P25: autofluorescence is strong where it lies over more than a quarter of the nuclei, the share of
signals above which Wolff 2018 rejects a test whose signals are too weak to be scored."""
FEWEST_MET = 20
"""With fewer nuclei to look at, nothing is said: too few of them is a rejection of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many of so many."""

    of_them: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.of_them <= self.total:
            raise ValueError(f"a part is between nothing and all, got {self.of_them} of {self.total}")

    def __add__(self, other: Part) -> Part:
        return Part(self.of_them + other.of_them, self.total + other.total)

    @property
    def share(self) -> Fraction | None:
        """0 to 1; None of nothing."""
        return Fraction(self.of_them, self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class CountQuality:
    """What speaks for and against a count, as measured."""

    weak: Part
    """Signals too weak to be counted, of all signals in nuclei that were looked at for signals."""
    cytoplasmic: Part
    """Signals over cytoplasm, of all signals in and around nuclei of the region."""
    unresolved: Part
    """Nuclei out of focus, crushed, folded or saturated, of all that lie whole in the region."""
    obscured: Part
    """Nuclei that autofluorescence of both probe colours lies over, of those whose shape is fit."""

    def __add__(self, other: CountQuality) -> CountQuality:
        return CountQuality(
            self.weak + other.weak,
            self.cytoplasmic + other.cytoplasmic,
            self.unresolved + other.unresolved,
            self.obscured + other.obscured,
        )

    @property
    def poor_nuclei(self) -> bool | None:
        """Whether nuclei cannot be resolved (policy P24); None = too few to tell."""
        return _exceeds(self.unresolved, MOST_UNRESOLVED)

    @property
    def autofluorescence(self) -> bool | None:
        """Whether strong autofluorescence hides signals (policy P25); None = too few nuclei to tell."""
        return _exceeds(self.obscured, MOST_OBSCURED)


def pooled(qualities: Iterable[CountQuality]) -> CountQuality:
    """Add up what was measured on the images of a case."""
    nothing = Part(0, 0)
    return sum(qualities, start=CountQuality(nothing, nothing, nothing, nothing))


def _exceeds(part: Part, most: Fraction) -> bool | None:
    share = part.share
    return None if share is None or part.total < FEWEST_MET else share > most
