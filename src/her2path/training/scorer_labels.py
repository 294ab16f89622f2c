"""What people scored, measured: the labels of a dataset with the cells that a model finds under them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcScore
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import Cells
from her2path.imaging.ihc.picture import measure_picture
from her2path.imaging.pairing import pair_up
from her2path.io.dataset_documents import SCORED_KINDS, DatasetDoc, DatasetItem, Split
from her2path.training.evaluate import MATCH_UM, TUMOUR
from her2path.training.evaluation_truth import Truth, truth_of_labels
from her2path.training.label_windows import labelled_images
from her2path.training.scenes import WORKING_MPP
from her2path.training.scorer import Labels, MeasuredCells, ScoredArea, ScoredCells, joined


@dataclass(frozen=True, slots=True)
class MeasuredLabels:
    """Labels of one split, measured; what could not be used is counted."""

    labels: Labels
    missed: int
    """Scored cells that the model does not find: their score teaches no cut."""
    bare: int
    """Scored tiles and slides without a tumour cell."""

    @property
    def cells(self) -> int:
        """Scored cells that were found."""
        return sum(len(one.score) for one in self.labels.cells)

    @property
    def empty(self) -> bool:
        """Whether nothing can be learnt from it."""
        return not self.cells and not self.labels.areas


def measure_labels(
    manifest: Path, dataset: DatasetDoc, split: Split, *, finder: Finder, calibration: Calibration
) -> MeasuredLabels:
    """Measure all scored cells, tiles and slides of one split.

    Parameters
    ----------
    manifest : Path
    dataset : DatasetDoc
        Read from `manifest`.
    split : str
    finder : Finder
        Which cells are there, which are tumour, and what each stains of its contour.
    calibration : Calibration
        Its cuts on what counts as stained contour; those that a scorer fits do not matter here.

    Raises
    ------
    SlideError, LabelError
        An image or its labels cannot be read.
    """
    cells: list[ScoredCells] = []
    areas: list[ScoredArea] = []
    missed = bare = 0
    for item in dataset.of_split(split):
        parts = list(_windows(manifest, dataset, item, finder, calibration))
        if item.kind in SCORED_KINDS:
            found = joined(_tumour_cells(measured) for _, measured in parts)
            if len(found) and item.score is not None:
                areas.append(ScoredArea(item.patient_id, found, tuple(IhcScore).index(item.score)))
            else:
                bare += 1
            continue
        for truth, measured in parts:
            scored, lost = _scored_cells(truth, measured, item.patient_id)
            cells.append(scored)
            missed += lost
    return MeasuredLabels(Labels(tuple(one for one in cells if len(one.score)), tuple(areas)), missed, bare)


def _windows(
    manifest: Path, dataset: DatasetDoc, item: DatasetItem, finder: Finder, calibration: Calibration
) -> Iterable[tuple[Truth, Cells]]:
    if item.kind not in (*SCORED_KINDS, "cells"):
        return
    for image in labelled_images(manifest, dataset, item):
        truth = truth_of_labels(image)
        if item.kind in SCORED_KINDS or truth.score_known.any():
            yield (
                truth,
                measure_picture(
                    truth.rgb, truth.stains, mpp=WORKING_MPP, calibration=calibration, finder=finder
                ),
            )


def _scored_cells(truth: Truth, measured: Cells, patient: str) -> tuple[ScoredCells, int]:
    """Pair scored cells off artefacts and rims with measured ones; count those that were not found."""
    wanted = np.flatnonzero(truth.score_known & truth.at(truth.clear, truth.centres))
    found = np.column_stack([measured.nuclei.x, measured.nuclei.y])
    here, there = pair_up(found, truth.centres[wanted], MATCH_UM / WORKING_MPP)
    score = truth.score[wanted[there]].astype(np.int64)
    return ScoredCells(patient, _measures(measured, here), score), len(wanted) - len(there)


def _tumour_cells(measured: Cells) -> MeasuredCells:
    return _measures(measured, np.flatnonzero(measured.nuclei.tumour >= TUMOUR))


def _measures(measured: Cells, chosen: npt.NDArray[np.intp]) -> MeasuredCells:
    membranes = measured.membranes
    return MeasuredCells(
        membranes.completeness[chosen].astype(np.float64), membranes.excess_od_um[chosen].astype(np.float64)
    )
