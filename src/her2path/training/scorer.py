"""An ordinal scorer of cells, tiles and slides: the cuts of a calibration, fitted to what people said.

A scorer here is no second opinion beside the guideline but the optical cuts that the guideline's words
rest on: from which completeness a membrane is complete, from which amount of DAB it is weak, moderate,
strong.  Each cut becomes a soft one, so that a cell has a chance of each score 0 to 3+; a tile or a slide is
scored by the shares of its cells and the 10 % rule, softened likewise.  Both are cumulative-link models [1]_:
thresholds on one scale.  The cuts of the calibration in use are where the fit starts and what it is drawn
back to, so that a few labels move them a little.

References
----------
.. [1] McCullagh, J R Stat Soc B 42:109 (1980).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from her2path.imaging.ihc.calibration import Calibration

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TEN_PERCENT = 0.10
"""Share of the tumour cells that every score above 0 asks for, in all guidelines of the breast."""
_MISTAKEN = 0.02
"""Share of labels that are slips of the pen; keeps one of them from moving a cut far."""
_DRIFT = np.array([0.25, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5])
"""Standard deviations of the prior, in the numbers of `_free`: stains and scanners of laboratories differ by
a factor of 1.3 or so, and no more is believed on a few labels."""
_CELL_WIDTHS = (0.25, 0.06)
"""First softness of the cuts on the logarithm of OD x µm and on completeness."""
_SHARE_WIDTH = 0.05
_LEAST_EXCESS = 1e-4
_AREA_WEIGHT = 10.0
"""An area's score rests on all of its cells, but is one judgement: it counts as much as ten cells."""


@dataclass(frozen=True, slots=True)
class MeasuredCells:
    """What was measured on the cells of one image, whatever their cuts."""

    completeness: Floats
    """Stained share of the contour, shape (n,)."""
    excess_od_um: Floats
    """DAB over both sides, summed across the membrane; NaN where nothing is stained."""

    def __len__(self) -> int:
        return len(self.completeness)


@dataclass(frozen=True, slots=True)
class ScoredCells:
    """Cells of one image that a person scored one by one."""

    patient: str
    cells: MeasuredCells
    score: Ints
    """0 to 3, shape (n,)."""


@dataclass(frozen=True, slots=True)
class ScoredArea:
    """A tile or a slide that a person gave one score, with all its tumour cells."""

    patient: str
    cells: MeasuredCells
    score: int


@dataclass(frozen=True, slots=True)
class Labels:
    """All that people said; either may be empty."""

    cells: tuple[ScoredCells, ...] = ()
    areas: tuple[ScoredArea, ...] = ()

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients, sorted."""
        return tuple(sorted({one.patient for one in self.cells} | {one.patient for one in self.areas}))

    def of(self, patients: Sequence[str]) -> Labels:
        """Labels of some patients; one that is named twice counts twice."""
        return Labels(
            tuple(one for name in patients for one in self.cells if one.patient == name),
            tuple(one for name in patients for one in self.areas if one.patient == name),
        )


@dataclass(frozen=True, slots=True)
class Scorer:
    """Cuts, and how soft they are."""

    calibration: Calibration
    excess_width: float = _CELL_WIDTHS[0]
    """Of the cuts on the natural logarithm of OD x µm."""
    completeness_width: float = _CELL_WIDTHS[1]
    share_width: float = _SHARE_WIDTH
    """Of the 10 % rule."""

    def chances(self, cells: MeasuredCells) -> Floats:
        """Chance of each score of every cell.

        Returns
        -------
        chances : ndarray of float64, shape (n, 4)
            Of 0, 1+, 2+, 3+; rows sum to 1.

        Examples
        --------
        >>> one = MeasuredCells(np.array([0.97]), np.array([1.5]))
        >>> Scorer(Calibration()).chances(one).argmax(axis=1).tolist()
        [3]
        """
        cuts, complete = self.calibration, cells.completeness
        stained = expit((complete - cuts.min_completeness) / self.completeness_width)
        stained = np.where(np.isfinite(cells.excess_od_um), stained, 0.0)
        closed = expit((complete - cuts.complete) / self.completeness_width)
        amount = np.log(np.maximum(np.nan_to_num(cells.excess_od_um), _LEAST_EXCESS))
        weak, moderate, strong = (
            expit((amount - np.log(cut)) / self.excess_width)
            for cut in (cuts.weak_od_um, cuts.moderate_od_um, cuts.strong_od_um)
        )
        # The table of `her2path.domain.ihc.staining_class`, each "from here on" a chance.
        one = (1 - weak) + (1 - closed) * (weak - moderate)
        two = closed * (weak - strong) + (1 - closed) * moderate
        three = closed * strong
        return np.stack([1 - stained, stained * one, stained * two, stained * three], axis=1)

    def area_chances(self, areas: Sequence[MeasuredCells]) -> Floats:
        """Chance of each score of tiles or slides by their tumour cells.

        Returns
        -------
        chances : ndarray of float64, shape (len(areas), 4)
            Of 0, 1+, 2+, 3+; an area without cells has the first.
        """
        owner = np.repeat(np.arange(len(areas)), [len(area) for area in areas])
        chances = self.chances(joined(areas))
        summed = np.stack([np.bincount(owner, chances[:, k], len(areas)) for k in range(1, 4)], axis=1)
        shares = summed / np.maximum(np.bincount(owner, minlength=len(areas)), 1)[:, None]
        reached = shares[:, ::-1].cumsum(axis=1)[:, ::-1]
        over = expit((reached - TEN_PERCENT) / self.share_width)
        ends = np.ones((len(areas), 1)), np.zeros((len(areas), 1))
        return -np.diff(np.concatenate([ends[0], over, ends[1]], axis=1), axis=1)


def fit_scorer(labels: Labels, start: Calibration) -> Scorer:
    """Fit the cuts to labels, beginning with and drawn back to those of a calibration.

    Parameters
    ----------
    labels : Labels
        At least one label.
    start : Calibration

    Raises
    ------
    ValueError
        There is no label.

    Notes
    -----
    The most likely cuts under a normal prior around `start`.
    """
    if not labels.cells and not labels.areas:
        raise ValueError("a scorer needs at least one label")
    centre = _free(Scorer(start))

    one_by_one = [scored.cells for scored in labels.cells]
    score = (
        np.concatenate([scored.score for scored in labels.cells]) if labels.cells else np.zeros(0, np.int64)
    )
    cells, tissue = joined(one_by_one), [area.cells for area in labels.areas]

    def loss(free: Floats) -> float:
        scorer = _bound(free, start)
        likely = float(_log(scorer.chances(cells)[np.arange(len(score)), score]).sum())
        if labels.areas:
            chances = scorer.area_chances(tissue)
            judged = [area.score for area in labels.areas]
            likely += _AREA_WEIGHT * float(_log(chances[np.arange(len(judged)), judged]).sum())
        return float((((free - centre) / _DRIFT) ** 2).sum()) / 2 - likely

    found = minimize(loss, centre, method="L-BFGS-B")
    return _bound(np.asarray(found.x, np.float64), start)


def joined(parts: Iterable[MeasuredCells]) -> MeasuredCells:
    """Put the cells of several windows or images into one."""
    parts = tuple(parts)
    if not parts:
        return MeasuredCells(np.zeros(0), np.zeros(0))
    return MeasuredCells(
        np.concatenate([part.completeness for part in parts]),
        np.concatenate([part.excess_od_um for part in parts]),
    )


def _log(chance: Floats) -> Floats:
    logs: Floats = np.log((1 - _MISTAKEN) * np.maximum(chance, 0.0) + _MISTAKEN / 4)
    return logs


def _free(scorer: Scorer) -> Floats:
    """Write a scorer as numbers without bounds: cuts first, then widths."""
    cuts = scorer.calibration
    return np.array(
        [
            np.log(cuts.weak_od_um),
            np.log(cuts.moderate_od_um / cuts.weak_od_um - 1),
            np.log(cuts.strong_od_um / cuts.moderate_od_um - 1),
            logit(cuts.min_completeness / cuts.basolateral),
            logit((cuts.complete - cuts.basolateral) / (1 - cuts.basolateral)),
            np.log(scorer.excess_width),
            np.log(scorer.completeness_width),
            np.log(scorer.share_width),
        ]
    )


def _bound(free: Floats, start: Calibration) -> Scorer:
    """Read numbers without bounds as a scorer; cuts rise whatever the numbers."""
    weak = float(np.exp(free[0]))
    moderate = weak * (1 + float(np.exp(free[1])))
    strong = moderate * (1 + float(np.exp(free[2])))
    cuts = replace(
        start,
        weak_od_um=weak,
        moderate_od_um=moderate,
        strong_od_um=strong,
        min_completeness=start.basolateral * float(expit(free[3])),
        complete=start.basolateral + (1 - start.basolateral) * float(expit(free[4])),
    )
    return Scorer(cuts, *(float(width) for width in np.exp(free[5:])))
