"""Measure models on the same pictures: random phantoms of a guard set, or labelled images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcTally
from her2path.imaging.ihc.learned import NamedWeights, learned_method
from her2path.imaging.phantoms.ihc import compose_ihc
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.stain import separate
from her2path.io.dataset_documents import DatasetDoc, DatasetItem
from her2path.io.evaluation_documents import EvaluatedItem, PairedEntry
from her2path.io.model_card import CalibrationEntry
from her2path.io.model_store import StoredModel
from her2path.training.evaluate import blank_scene
from her2path.training.evaluation_counts import (
    SIZE,
    NamedModel,
    counts_entry,
    measure,
    paired_right,
    scored_tile,
)
from her2path.training.evaluation_truth import Truth, truth_of_labels, truth_of_scene
from her2path.training.label_windows import labelled_images
from her2path.training.scenes import WORKING_MPP

PHANTOMS = "random phantoms of her2path"
_NUCLEI_SHARE = 0.9
"""Of the hematoxylin on a picture: what is darker than nine tenths of it lies in nuclei."""
STYLES = ((0.13, "pale counterstain"), (0.26, "medium counterstain"), (np.inf, "dark counterstain"))
"""Styles by that density (decadic OD below which a picture belongs to each); the cuts part random phantoms
into about equal thirds and mean nothing beyond that."""


def ready(
    model_id: str,
    sha256: str,
    architecture: str,
    weights: dict[str, npt.NDArray[np.float32]],
    calibration: CalibrationEntry,
) -> NamedModel:
    """Make a model ready to measure on the CPU with one thread."""
    cuts = {**calibration.cuts, "limit_of_blank_pct": calibration.limit_of_blank_pct}
    finder, own = learned_method(
        NamedWeights(model_id, architecture, weights),
        calibration=(calibration.id, cuts),
        device="cpu",
        threads=1,
    )
    return NamedModel(model_id, sha256, finder, own)


def ready_stored(model: StoredModel) -> NamedModel:
    """Make a model with a card ready to measure."""
    card = model.card
    return ready(card.id, card.sha256, card.architecture, model.load_weights(), card.calibration)


def on_phantoms(
    models: Sequence[NamedModel], seeds: Iterable[int], *, side_px: int
) -> Iterator[EvaluatedItem]:
    """Measure random phantoms, one by one."""
    for seed in seeds:
        scene = compose_ihc(random_spec(seed, size_px=side_px, mpp=WORKING_MPP))
        truth = truth_of_scene(scene, seed=seed)
        yield _result(models, [truth], item_id=f"phantom-{seed}", unit=str(seed), source=PHANTOMS)


def on_blanks(models: Sequence[NamedModel], seeds: Iterable[int], *, side_px: int) -> Iterator[EvaluatedItem]:
    """Measure random phantoms without staining."""
    for seed in seeds:
        truth = truth_of_scene(blank_scene(seed, side_px=side_px), seed=seed)
        yield _result(models, [truth], item_id=f"blank-{seed}", unit=str(seed), source=PHANTOMS)


def on_dataset(
    models: Sequence[NamedModel], manifest: Path, dataset: DatasetDoc, items: Iterable[DatasetItem]
) -> Iterator[EvaluatedItem]:
    """Measure labelled images; a large one window by window, and its score over all of them."""
    for item in items:
        truths = (truth_of_labels(image) for image in labelled_images(manifest, dataset, item))
        yield _result(models, truths, item_id=item.item_id, unit=item.patient_id, source=item.source)


def _result(
    models: Sequence[NamedModel], truths: Iterable[Truth], *, item_id: str, unit: str, source: str
) -> EvaluatedItem:
    counts, paired = np.zeros((len(models), SIZE)), np.zeros((len(models) - 1, 4), np.int64)
    tallies = [IhcTally({}) for _ in models]
    densities, blank, stated = [], [], None
    for truth in truths:
        measured = [measure(model, truth) for model in models]
        counts += np.stack([found.counts for found in measured])
        for place, old in enumerate(measured[1:]):
            paired[place] += paired_right(measured[0], old)
        tallies = [tally + found.tally for tally, found in zip(tallies, measured, strict=True)]
        densities.append(_nuclear_density(truth))
        blank.append(truth.is_blank)
        stated = truth.tile_score
    if stated is not None:
        scored = zip(tallies, models, strict=True)
        counts += np.stack([scored_tile(stated, tally, model.calibration) for tally, model in scored])
    style = next(name for below, name in STYLES if np.median(densities or [0.0]) < below)
    return EvaluatedItem(
        item_id=item_id,
        unit=unit,
        source=source,
        style=style,
        is_blank=bool(blank) and all(blank),
        new=counts_entry(counts[0]),
        old=tuple(counts_entry(other) for other in counts[1:]),
        paired=tuple(
            PairedEntry(both=both, only_new=new, only_old=old, neither=neither)
            for both, new, old, neither in paired.tolist()
        ),
    )


def _nuclear_density(truth: Truth) -> float:
    """Hematoxylin of what is darker than most of the picture, decadic OD."""
    return float(np.quantile(separate(truth.rgb, truth.stains).hematoxylin, _NUCLEI_SHARE))
