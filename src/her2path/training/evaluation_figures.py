"""The figures of an evaluation, each a function of counts that add up over pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from her2path.domain.stats.paired import Statistic
from her2path.domain.stats.reliability import expected_calibration_error
from her2path.training.evaluation_counts import CLASSES, Counts, part


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a model."""

    name: str
    """As in documents."""
    title: str
    statistic: Statistic
    more_is_better: bool = True


def _ratio(above: Counts, below: Counts) -> Counts:
    return np.asarray(np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0))


def _f1(name: str) -> Statistic:
    def f1(sums: Counts) -> Counts:
        true, found, matched = np.moveaxis(part(sums, name), -1, 0)
        # Nothing there and nothing found is no success that could be counted.
        return _ratio(2 * matched, np.asarray(true + found))

    return f1


def _right(name: str) -> Statistic:
    def right(sums: Counts) -> Counts:
        confusion = part(sums, name)
        diagonal = np.trace(confusion[..., :CLASSES], axis1=-2, axis2=-1)
        return _ratio(diagonal, confusion.sum(axis=(-2, -1)))

    return right


def _recall(level: int) -> Statistic:
    def recall(sums: Counts) -> Counts:
        row = part(sums, "cells")[..., level, :]
        return _ratio(row[..., level], row.sum(axis=-1))

    return recall


def _mean_recall(sums: Counts) -> Counts:
    """Take the mean over the classes that occur, so that a rare one counts as much as a frequent one."""
    each = np.stack([_recall(level)(sums) for level in range(CLASSES)])
    known = np.isfinite(each)
    return _ratio(np.where(known, each, 0).sum(axis=0), known.sum(axis=0).astype(np.float64))


def _stained_pct(sums: Counts) -> Counts:
    counted = part(sums, "stained")
    return 100 * _ratio(counted[..., 1], counted[..., 0])


def _called_in(first: int) -> Statistic:
    def called(sums: Counts) -> Counts:
        areas = part(sums, "areas")
        return _ratio(areas[..., first + 1], areas[..., first])

    return called


def _calibration(name: str) -> Statistic:
    def error(sums: Counts) -> Counts:
        return expected_calibration_error(part(sums, name))

    return error


NUCLEI = Figure("nuclei_f1", "nuclei, F1 (centre within 4 µm)", _f1("nuclei"))
TUMOUR_NUCLEI = Figure("tumour_f1", "tumour nuclei found as such, F1", _f1("tumour_nuclei"))
CELLS = Figure("cells_right", "tumour cells found and given their class", _right("cells"))
MEAN_RECALL = Figure("mean_recall", "the same, mean over the classes 0, 1+, 2+, 3+", _mean_recall)
STAINED = Figure("stained_pct", "cells called stained on blank tissue, per cent", _stained_pct, False)
TILES = Figure("tiles_right", "tiles and slides given their score", _right("tiles"))
TUMOUR_AREAS = Figure("tumour_areas", "nuclei in tumour areas called tumour", _called_in(0))
OTHER_AREAS = Figure("other_areas", "nuclei in other areas called tumour", _called_in(2), False)
TUMOUR_ECE = Figure(
    "tumour_ece", "calibration error of the chance of tumour", _calibration("tumour_chances"), False
)
EXPRESSED_ECE = Figure(
    "expressed_ece", "calibration error of the chance of expression", _calibration("expressed_chances"), False
)
FIGURES: tuple[Figure, ...] = (
    NUCLEI,
    TUMOUR_NUCLEI,
    CELLS,
    MEAN_RECALL,
    TILES,
    TUMOUR_AREAS,
    OTHER_AREAS,
    TUMOUR_ECE,
    EXPRESSED_ECE,
)
"""Of pictures with labels, in the order of the tables."""
BY_GROUP: tuple[Figure, ...] = (NUCLEI, TUMOUR_NUCLEI, CELLS, TILES)
"""Of parts of a set."""
BY_CLASS: Mapping[str, Figure] = MappingProxyType(
    {
        word: Figure(f"recall_{level}", f"cells of class {word} given it", _recall(level))
        for level, word in enumerate(("0", "1+", "2+", "3+"))
    }
)
_KNOWN: Mapping[str, Figure] = MappingProxyType({f.name: f for f in (*FIGURES, STAINED)})


def figure(name: str) -> Figure:
    """Find a figure by its name; KeyError for an unknown one."""
    return _KNOWN[name]
