"""What a model makes of one picture, as counts that add up over pictures.

Every figure of an evaluation is a function of such sums, so that images (or patients) can be drawn
again without measuring anything again, and so that a verdict can be worked out anew from the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcReading, IhcScore, IhcTally, exact_share
from her2path.domain.reading import read_ihc
from her2path.domain.stats.reliability import BINS, reliability_sums
from her2path.domain.verdict import NotEvaluable
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration
from her2path.imaging.ihc.learned import LearnedFinder
from her2path.imaging.ihc.measure import Cells
from her2path.imaging.ihc.picture import measure_picture
from her2path.imaging.pairing import Places, pair_up
from her2path.imaging.stain import separate
from her2path.io.evaluation_documents import ChancesEntry, CountsEntry
from her2path.training.evaluate import MATCH_UM, TUMOUR, stained_cells
from her2path.training.evaluation_truth import UNKNOWN, Truth
from her2path.training.scenes import WORKING_MPP

Counts = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CLASSES = 4
"""Cell scores 0 to 3, and scores of tiles 0 to 3+."""
GUIDELINE = "breast_2023"
"""By which tiles are scored; the four scores are alike in all versions since 2013 but for their words."""
_SCORES = tuple(IhcScore)

SHAPES: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "nuclei": (3,),
        "tumour_nuclei": (3,),
        "cells": (CLASSES, CLASSES + 1),
        "stained": (2,),
        "tiles": (CLASSES, CLASSES + 1),
        "areas": (4,),
        "tumour_chances": (3, BINS),
        "expressed_chances": (3, BINS),
    }
)
"""Parts of the counts of one picture.

``nuclei``, ``tumour_nuclei``: true, found, matched.  ``cells``: true class by called class, the last column
for cells that were not found as tumour cells.  ``stained``: scored cells, and those called stained.
``tiles``: stated score by found score, the last column for none.  ``areas``: found nuclei in areas drawn as
tumour, those of them called tumour; in areas drawn as something else, those called tumour.  The chances as
in `her2path.domain.stats.reliability`.
"""
_CHANCES = ("tumour_chances", "expressed_chances")
_DIGITS = 6
"""Of sums of chances in documents."""
_ENDS = np.cumsum([0, *(math.prod(shape) for shape in SHAPES.values())]).tolist()
SIZE = _ENDS[-1]
_PLACES = dict(zip(SHAPES, pairwise(_ENDS), strict=True))


def part(counts: Counts, name: str) -> Counts:
    """Take one part of counts of shape (..., SIZE).

    Examples
    --------
    >>> part(np.zeros((7, SIZE)), "cells").shape
    (7, 4, 5)
    """
    start, end = _PLACES[name]
    return counts[..., start:end].reshape(*counts.shape[:-1], *SHAPES[name])


def joined(parts: Mapping[str, Counts]) -> Counts:
    """Put parts together; those left out are 0."""
    counts = np.zeros(SIZE)
    for name, values in parts.items():
        start, end = _PLACES[name]
        counts[start:end] = np.asarray(values, np.float64).reshape(SHAPES[name]).ravel()
    return counts


def counts_entry(counts: Counts) -> CountsEntry:
    """Write down the counts of one picture, shape (SIZE,)."""

    def chances(name: str) -> ChancesEntry:
        n, sums, true = part(counts, name)
        return ChancesEntry(
            n=n.astype(int).tolist(),
            chances=sums.round(_DIGITS).tolist(),
            came_true=true.astype(int).tolist(),
        )

    return CountsEntry.model_validate(
        {
            name: chances(name) if name in _CHANCES else part(counts, name).astype(int).tolist()
            for name in SHAPES
        }
    )


def counts_of(entry: CountsEntry) -> Counts:
    """Read the counts of one picture; shape (SIZE,)."""
    parts = {name: np.array(getattr(entry, name), np.float64) for name in SHAPES if name not in _CHANCES}
    for name in _CHANCES:
        found: ChancesEntry = getattr(entry, name)
        parts[name] = np.array([found.n, found.chances, found.came_true], np.float64)
    return joined(parts)


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model ready to measure."""

    id: str
    sha256: str
    """Of its weights."""
    finder: LearnedFinder
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Measured:
    """What a model makes of one picture."""

    counts: Counts
    """Shape (SIZE,)."""
    is_right: Mask
    """Of each true tumour cell with a class: whether it was found as one and called so; those of two models
    on the same picture are paired."""
    tally: IhcTally
    """Of all cells called tumour."""


def measure(model: NamedModel, truth: Truth) -> Measured:
    """Measure a picture as a slide is measured, and compare with what is known of it."""
    cells = measure_picture(
        truth.rgb, truth.stains, mpp=WORKING_MPP, calibration=model.calibration, finder=model.finder
    )
    found = np.column_stack([cells.x, cells.y]).reshape(-1, 2)
    called = cells.nuclei.tumour >= TUMOUR
    confusion, is_right = _classes(truth, cells, found, called)
    parts = {
        "nuclei": _matches(
            truth, found, np.ones(len(truth.centres), np.bool_), np.ones(len(found), np.bool_)
        ),
        "cells": confusion,
        "areas": _areas(truth, found, called),
        "tumour_chances": _tumour_chances(truth, cells, found),
        "expressed_chances": _expressed_chances(model.finder, truth),
        "stained": np.array(stained_cells(cells)),
    }
    if truth.kind_known.all():
        parts["tumour_nuclei"] = _matches(truth, found, truth.is_tumour, called)
    return Measured(joined(parts), is_right, _tally(cells))


def _matches(truth: Truth, found: Places, true_chosen: Mask, found_chosen: Mask) -> Counts:
    """Count true, found and matched nuclei where a place without a true one holds none."""
    fair = truth.clear & truth.taught
    true = truth.centres[true_chosen & truth.at(fair, truth.centres)]
    some = found[found_chosen & truth.at(fair, found)]
    return np.array([len(true), len(some), len(pair_up(some, true, MATCH_UM / WORKING_MPP)[0])], np.float64)


def _classes(truth: Truth, cells: Cells, found: Places, called: Mask) -> tuple[Counts, Mask]:
    chosen = np.flatnonzero(truth.score_known & truth.at(truth.clear, truth.centres))
    of_found, of_true = pair_up(found, truth.centres[chosen], MATCH_UM / WORKING_MPP)
    got = np.full(len(chosen), CLASSES)
    got[of_true] = np.where(called[of_found], cells.grades.score[of_found], CLASSES)
    true = truth.score[chosen].astype(np.intp)
    confusion = np.bincount(true * (CLASSES + 1) + got, minlength=CLASSES * (CLASSES + 1))
    return confusion.astype(np.float64), np.asarray(got == true)


def _areas(truth: Truth, found: Places, called: Mask) -> Counts:
    tumour, other = truth.at(truth.tumour_areas, found), truth.at(truth.other_areas, found)
    return np.array([tumour.sum(), (tumour & called).sum(), other.sum(), (other & called).sum()], np.float64)


def _tumour_chances(truth: Truth, cells: Cells, found: Places) -> Counts:
    """Chances of found nuclei whose kind is known, from true cells or from drawn areas."""
    known = np.flatnonzero(truth.kind_known & truth.at(truth.clear, truth.centres))
    of_found, of_true = pair_up(found, truth.centres[known], MATCH_UM / WORKING_MPP)
    chance = [cells.nuclei.tumour[of_found]]
    came_true = [truth.is_tumour[known[of_true]]]
    free = np.ones(len(found), np.bool_)
    free[of_found] = False
    for area, is_tumour in ((truth.tumour_areas, True), (truth.other_areas, False)):
        inside = free & truth.at(area, found)
        chance.append(cells.nuclei.tumour[inside])
        came_true.append(np.full(int(inside.sum()), is_tumour))
    return reliability_sums(np.concatenate(chance), np.concatenate(came_true))


def _expressed_chances(finder: LearnedFinder, truth: Truth) -> Counts:
    """Chances of places within tumour cells of which it is known what they express."""
    known = truth.expressed != UNKNOWN
    if not known.any():
        return reliability_sums(np.zeros(0), np.zeros(0, np.bool_))
    # The margin that `measure_picture` lays around it is a whole number of the network's grid.
    margin = math.ceil(finder.margin_um / WORKING_MPP)
    grid = finder.predictor.architecture.grid_px
    margin = math.ceil(margin / grid) * grid
    glass = np.pad(truth.rgb, ((margin, margin), (margin, margin), (0, 0)), constant_values=255)
    maps = finder.predictor(separate(glass, truth.stains, with_residual=True), origin=(-margin, -margin))
    inner = np.s_[margin // 2 : -margin // 2, margin // 2 : -margin // 2]
    chance = maps.expressed[..., 0][inner]
    return reliability_sums(chance[known], truth.expressed[known] == 1)


def _tally(cells: Cells) -> IhcTally:
    chosen = cells.nuclei.tumour >= TUMOUR
    intensity, pattern = cells.grades.intensity[chosen], cells.grades.pattern[chosen]
    pairs, counts = np.unique(np.column_stack([intensity, pattern]), axis=0, return_counts=True)
    return IhcTally(
        {(INTENSITIES[i], PATTERNS[p]): n for (i, p), n in zip(pairs.tolist(), counts.tolist(), strict=True)}
    )


def scored_tile(stated: IhcScore, tally: IhcTally, calibration: Calibration) -> Counts:
    """Score all cells called tumour of a tile or slide by the guideline, and compare with what was stated.

    Returns
    -------
    counts : ndarray of float64, shape (SIZE,)
        Only the part ``tiles``.
    """
    reading = IhcReading(tally, limit_of_blank=exact_share(calibration.limit_of_blank_pct))
    read = read_ihc(reading, find_guideline(GUIDELINE))
    score = None if isinstance(read, NotEvaluable) else read.score
    confusion = np.zeros((CLASSES, CLASSES + 1))
    confusion[_SCORES.index(stated), CLASSES if score is None else _SCORES.index(score)] = 1
    return joined({"tiles": confusion})


def paired_right(new: Measured, old: Measured) -> npt.NDArray[np.int64]:
    """Count cells that both, only the new, only the old, and neither model called right; shape (4,)."""
    code = 2 * (~new.is_right).astype(np.intp) + ~old.is_right
    return np.bincount(code, minlength=4).astype(np.int64)
