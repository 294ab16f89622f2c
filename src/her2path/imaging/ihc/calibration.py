"""From optical density to the words of the guidelines: the only place with such cuts.

These are properties of an assay on a scanner, not of a guideline.  A calibration has an id that
is written beside every score; another assay or a learned method brings its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, staining_class
from her2path.imaging.ihc.rays import Floats

INTENSITIES: tuple[Intensity, ...] = tuple(Intensity)
PATTERNS: tuple[Pattern, ...] = tuple(Pattern)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Cuts on decadic optical densities (unit stain vectors) and on shares of the contour."""

    id: str = "classical-2"
    stained_rise_od: float = 0.027
    """Rise of a contour over both its sides from which it counts as stained; where a learned finder tells,
    the DAB on it below which it is not brown."""
    grain: float = 1.0
    """The same in standard deviations of the DAB within the cell's cytoplasm: granules are no membrane."""
    least_chance: float = 0.5
    """Where a learned finder tells what cells express: probability from which a piece of contour counts as
    stained, if it is brown at all."""
    weak_od_um: float = 0.13
    moderate_od_um: float = 0.265
    strong_od_um: float = 0.54
    """DAB over both sides, summed across the membrane (OD x µm, median over the stained contour), from
    which a membrane is weak, moderate, strong; below: faint."""
    min_completeness: float = 0.15
    """Less stained contour than this is noise, not a membrane."""
    complete: float = 0.60
    """Stained share of the contour from which a membrane is called complete."""
    basolateral: float = 0.40
    """Stained share from which a membrane with one single gap is called basolateral."""
    cytoplasm_od: float = 0.06
    """Cytoplasm of stained cells below this density (their median) is clear."""
    doubtful_rise: float = 1.4
    """Above it, membranes must stand out by this share of the cytoplasm's density; else a person looks.
    Real 2+ and 3+ cores show 1.3 to 1.6, granular cytoplasm of phantoms with few membranes 0.5 to 1.6."""
    obscured_rise: float = 0.6
    """By less than this, and membranes cannot be told from the cytoplasm: no score."""
    dense_cytoplasm_od: float = 0.12
    """Cytoplasm as dense as a weak membrane ..."""
    dense_obscured_rise: float = 0.9
    """... leaves none to be told that stands out by less than this."""
    sure: float = 0.0
    """Where a learned finder tells what cells express: beside cytoplasm that is not clear, a person looks if
    it is less sure of the stained contour than this (median over cells of the mean probability) ..."""
    unsure: float = 0.0
    """... and beside dense cytoplasm there is no score if it is less sure than this."""
    limit_of_blank_pct: float = 1.0
    """Per cent of cells called stained on unstained tissue, not exceeded by 95 % of null phantoms."""

    def __post_init__(self) -> None:
        if self.stained_rise_od <= 0 or not 0 < self.weak_od_um < self.moderate_od_um < self.strong_od_um:
            raise ValueError("the cuts on staining must rise")
        if not 0 < self.min_completeness < self.basolateral < self.complete <= 1:
            raise ValueError("the cuts on completeness must rise within 0 to 1")


@dataclass(frozen=True, slots=True)
class Grades:
    """Intensity, pattern and score of n cells; the first two as places in `INTENSITIES`, `PATTERNS`."""

    intensity: npt.NDArray[np.int8]
    pattern: npt.NDArray[np.int8]
    score: npt.NDArray[np.int8]


def grade(
    completeness: Floats, connectivity: Floats, excess_od_um: Floats, calibration: Calibration
) -> Grades:
    """Put each cell into the words of the guidelines.

    Parameters
    ----------
    completeness, connectivity : ndarray of float32, shape (n,)
        Stained share of the contour, and of its longest stained run.
    excess_od_um : ndarray of float32, shape (n,)
        DAB over both sides, summed across the membrane; NaN where nothing is stained.

    Returns
    -------
    Grades

    Examples
    --------
    >>> one = lambda value: np.array([value], np.float32)
    >>> grades = grade(one(0.95), one(0.95), one(0.8), Calibration())
    >>> INTENSITIES[grades.intensity[0]].value, PATTERNS[grades.pattern[0]].value, int(grades.score[0])
    ('strong', 'complete', 3)
    """
    stained = (completeness >= calibration.min_completeness) & np.isfinite(excess_od_um)
    cuts = np.array([calibration.weak_od_um, calibration.moderate_od_um, calibration.strong_od_um])
    intensity = np.where(stained, 1 + np.searchsorted(cuts, np.nan_to_num(excess_od_um), side="right"), 0)
    # One gap means that nearly all that is stained hangs together.
    one_gap = (completeness >= calibration.basolateral) & (connectivity >= 0.9 * completeness)
    pattern = np.select(
        [~stained, completeness >= calibration.complete, one_gap],
        [PATTERNS.index(Pattern.NONE), PATTERNS.index(Pattern.COMPLETE), PATTERNS.index(Pattern.BASOLATERAL)],
        PATTERNS.index(Pattern.INCOMPLETE),
    )
    return Grades(
        intensity.astype(np.int8), pattern.astype(np.int8), _SCORES[intensity, pattern].astype(np.int8)
    )


_SCORES = np.array([[CELL_SCORE[staining_class(i, p)] for p in PATTERNS] for i in INTENSITIES])
