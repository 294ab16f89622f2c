"""What a fine-tuning learns from, rehearses and is judged by, read once before it begins."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2path.errors import LabelError
from her2path.imaging.stain import StainModel
from her2path.io.dataset_documents import DatasetDoc, Split, read_dataset
from her2path.io.files import sha256_of
from her2path.training.finetune_record import TuningRecipe
from her2path.training.label_windows import labelled_images
from her2path.training.labels import LabelledImage
from her2path.training.lessons import TaughtImage, taught_image
from her2path.training.rehearsal import guard_images, rehearsal_scenes
from her2path.training.scenes import Scene, stain_model_of

log = logging.getLogger(__name__)

Labelled = tuple[LabelledImage, StainModel]
_MOST_FOR_STAINS = 16_000_000
"""Pixels of an image that its stains are estimated from: as many as a large field has."""


@dataclass(frozen=True, slots=True)
class TuningData:
    """Everything that is learnt, rehearsed and judged."""

    dataset: DatasetDoc
    dataset_sha256: str
    """Of the manifest, which holds the digests of all images and labels."""
    images: tuple[TaughtImage, ...]
    """Of the split `train`."""
    judged: tuple[Labelled, ...]
    """Of the split `val`; may be empty."""
    taught: dict[Split, Counter[str]]
    scenes: tuple[Scene, ...]
    scenes_sha256: str
    guard: tuple[Labelled, ...]


def prepare(manifest: Path, recipe: TuningRecipe, *, cache: Path) -> TuningData:
    """Read labels and compose what is rehearsed.

    Parameters
    ----------
    manifest : Path
        `manifest.json` of a dataset; every file is compared with its digest.
    recipe : TuningRecipe
    cache : Path
        Folder that rehearsed scenes are kept in.

    Raises
    ------
    LabelError
        The split `train` has no images with labels, or they teach this network nothing.
    """
    dataset = read_dataset(manifest, verify=True)
    taught: dict[Split, Counter[str]] = {}
    train = _labelled(manifest, dataset, "train")
    images = tuple(
        image
        for image in (taught_image(one, stains, least_px=recipe.patch_px) for one, stains in train)
        if image.labels.taught
    )
    taught["train"] = _counted(images)
    if not taught["train"]:
        raise LabelError(manifest.name, _nothing_taught(dataset))
    judged = _labelled(manifest, dataset, "val")
    taught["val"] = _counted([taught_image(one, stains, least_px=8) for one, stains in judged])
    if not taught["val"]:
        judged = []
        log.warning(
            "the split `val` has no labels of cells, areas or masks: nothing tells which epoch is best, and "
            "the last one is kept; label images of another patient for it"
        )
    scenes, digest = rehearsal_scenes(cache, count=recipe.rehearsal_scenes, side_px=recipe.rehearsal_px)
    guard = guard_images(count=recipe.guard_scenes, side_px=recipe.rehearsal_px)
    return TuningData(
        dataset=dataset,
        dataset_sha256=sha256_of(manifest),
        images=images,
        judged=tuple(judged),
        taught=taught,
        scenes=tuple(scenes),
        scenes_sha256=digest,
        guard=tuple(guard),
    )


def _labelled(manifest: Path, dataset: DatasetDoc, split: Split) -> list[Labelled]:
    """Read the windows of one split, each with the stains of its whole image."""
    found: list[Labelled] = []
    for item in dataset.of_split(split):
        if item.labels is not None:
            windows = list(labelled_images(manifest, dataset, item))
            stains = _stains(windows) if windows else None
            found += [(window, stains) for window in windows if stains is not None]
    return found


def _stains(windows: Sequence[LabelledImage]) -> StainModel:
    width = min(window.rgb.shape[1] for window in windows)
    rows = _MOST_FOR_STAINS // width
    return stain_model_of(np.concatenate([window.rgb[:, :width] for window in windows])[:rows])


def _counted(images: Sequence[TaughtImage]) -> Counter[str]:
    return sum((image.labels.taught for image in images), Counter())


def _nothing_taught(dataset: DatasetDoc) -> str:
    items = dataset.of_split("train")
    if not items:
        return (
            "the split `train` is empty; give images of more patients, or name their split in the column "
            "`split` of the dataset's sheet, and run `her2path train dataset` again"
        )
    kinds = Counter(item.kind for item in items)
    words = ", ".join(f"{count} of kind {kind}" for kind, count in sorted(kinds.items()))
    return (
        f"the split `train` ({words}) has no label that teaches the segmentation network; it learns from "
        "cells, regions and masks, while scores of tiles and slides teach the scorer alone"
    )
