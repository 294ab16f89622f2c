"""Fit the cuts of a model's calibration to the labels of a dataset, and measure what that gains."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from her2path.domain.stats.confusion import confusion_table
from her2path.domain.stats.kappa import kappa_of_tables
from her2path.domain.stats.weighting import Weighting
from her2path.errors import LabelError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.io.dataset_documents import DatasetDoc
from her2path.io.scorer_document import FittedCut, LabelCount, ScorerMeasure
from her2path.training.scorer import Labels, Scorer, fit_scorer, joined
from her2path.training.scorer_labels import MeasuredLabels, measure_labels

log = logging.getLogger(__name__)
Split = Literal["train", "val"]

FITTED = ("weak_od_um", "moderate_od_um", "strong_od_um", "min_completeness", "complete")
"""Cuts that a scorer moves; the others stay those of the model."""
_FEWEST_PATIENTS = 3
_HARD = (1e-5, 1e-6, 1e-7)
"""Widths at which soft cuts are the cuts themselves."""
_DIGITS = 4
"""Digits of a cut: its interval is wider by far."""


@dataclass(frozen=True, slots=True)
class FittedScorer:
    """Cuts fitted to a dataset, and how they do."""

    calibration: Calibration
    cuts: tuple[FittedCut, ...]
    softness: dict[str, float]
    train: LabelCount
    val: LabelCount
    measures: tuple[ScorerMeasure, ...]
    why_no_validation: str


def fit_to_dataset(
    manifest: Path, dataset: DatasetDoc, *, finder: Finder, start: Calibration, seed: int, draws: int
) -> FittedScorer:
    """Fit the cuts to the training split and measure them on the validation split.

    Parameters
    ----------
    manifest : Path
    dataset : DatasetDoc
        Read from `manifest`.
    finder : Finder
        The model.
    start : Calibration
        Its calibration.
    seed, draws : int
        Of the bootstrap over patients.

    Raises
    ------
    LabelError
        The training split has no scored cell, tile or slide that the model sees.
    SlideError
        An image cannot be read.
    """
    train, val = (
        measure_labels(manifest, dataset, split, finder=finder, calibration=start)
        for split in ("train", "val")
    )
    if train.empty:
        raise LabelError(
            dataset.name,
            "its training split has no scored tumour cell, tile or slide that the model sees; label cells "
            "`Tumor: 0` to `Tumor: 3+`, or give scores to tiles or slides",
        )
    log.info("fitting to %d cells, %d tiles and slides", train.cells, len(train.labels.areas))
    fitted = fit_scorer(train.labels, start)
    bounds = _bounds(train.labels, start, seed=seed, draws=draws)
    calibration = _rounded(fitted.calibration)
    cuts = tuple(
        FittedCut(
            name=name, before=getattr(start, name), after=getattr(calibration, name), low=low, high=high
        )
        for name, (low, high) in zip(FITTED, bounds, strict=True)
    )
    measures = (
        *_measures(train.labels, "train", start, calibration),
        *_measures(val.labels, "val", start, calibration),
    )
    return FittedScorer(
        calibration=calibration,
        cuts=cuts,
        softness={
            "excess_width": round(fitted.excess_width, _DIGITS),
            "completeness_width": round(fitted.completeness_width, _DIGITS),
            "share_width": round(fitted.share_width, _DIGITS),
        },
        train=_count(train),
        val=_count(val),
        measures=measures,
        why_no_validation="the validation split has no score that could be used" if val.empty else "",
    )


def _rounded(calibration: Calibration) -> Calibration:
    return replace(calibration, **{name: round(getattr(calibration, name), _DIGITS) for name in FITTED})


def _bounds(
    labels: Labels, start: Calibration, *, seed: int, draws: int
) -> Sequence[tuple[float | None, float | None]]:
    """Bootstrap over patients, whose cells share stain, scanner and reader."""
    patients = labels.patients
    if len(patients) < _FEWEST_PATIENTS or not draws:
        return [(None, None)] * len(FITTED)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        chosen = [patients[k] for k in rng.integers(len(patients), size=len(patients))]
        cuts = fit_scorer(labels.of(chosen), start).calibration
        drawn.append([getattr(cuts, name) for name in FITTED])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0).round(_DIGITS)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _count(measured: MeasuredLabels) -> LabelCount:
    return LabelCount(
        patients=len(measured.labels.patients),
        cells=measured.cells,
        missed=measured.missed,
        areas=len(measured.labels.areas),
        bare=measured.bare,
    )


def _measures(labels: Labels, on: Split, before: Calibration, after: Calibration) -> Iterator[ScorerMeasure]:
    """Compare the scores that either calibration gives with those of people."""
    cells, areas = labels.cells, labels.areas
    said = {
        "cells": np.concatenate([one.score for one in cells]) if cells else np.zeros(0, np.int64),
        "areas": np.array([one.score for one in areas], np.int64),
    }
    measured, tissue = joined(one.cells for one in cells), [one.cells for one in areas]
    for of, scores in said.items():
        if not len(scores):
            continue
        tables = []
        for calibration in (before, after):
            hard = Scorer(calibration, *_HARD)
            chances = hard.chances(measured) if of == "cells" else hard.area_chances(tissue)
            given = chances.argmax(axis=1)
            tables.append(confusion_table(given, scores, np.ones(len(scores), np.bool_), categories=4))
        kappas = kappa_of_tables(np.array(tables, np.float64), Weighting.QUADRATIC)
        exact = [float(np.trace(table) / table.sum()) for table in tables]
        kappa = [round(float(k), _DIGITS) if np.isfinite(k) else None for k in kappas]
        yield ScorerMeasure(
            of="cells" if of == "cells" else "areas",
            on=on,
            n=len(scores),
            exact_before=round(exact[0], _DIGITS),
            exact_after=round(exact[1], _DIGITS),
            kappa_before=kappa[0],
            kappa_after=kappa[1],
        )
