"""Samples of each class of a dataset, for a person to see whether the labels lie where they should."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from her2path.domain.label_classes import LabelClass
from her2path.imaging.label_crops import DrawnOutline, LabelCrop, crop_box
from her2path.imaging.outlines import Outline, trace
from her2path.io.dataset_documents import DatasetDoc, DatasetItem
from her2path.training.label_windows import labelled_images
from her2path.training.labels import WORKING_MPP, LabelledImage

_CELL_PX, _AREA_PX = 112, 512
"""Edge of a crop around a cell (56 µm) and of one that shows an area or a whole tile (256 µm)."""
_SHOWN_PX = 256
"""Longest edge of a picture on the page."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A crop that shows one class."""

    name: str
    """Class, score or kind of mask, as in `DatasetItem.labelled`."""
    item: DatasetItem
    crop: LabelCrop


def choose_samples(manifest: Path, dataset: DatasetDoc, *, each: int) -> list[Sample]:
    """Choose crops of each class, of as many patients as there are.

    Parameters
    ----------
    manifest : Path
    dataset : DatasetDoc
    each : int
        Crops of a class.

    Returns
    -------
    list of Sample
        By class in the order of names; the same for the same dataset.
    """
    wanted: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for name in sorted({name for item in dataset.items for name in item.labelled}):
        holders = [item for item in dataset.items if item.labelled.get(name)]
        for item, count in _spread(holders, name, each):
            wanted[item.item_id].append((name, count))
    found = [
        sample
        for item in dataset.items
        if item.item_id in wanted
        for sample in _of_item(manifest, dataset, item, wanted[item.item_id])
    ]
    return sorted(found, key=lambda sample: sample.name)  # sorting keeps the order of the items


def _spread(holders: Sequence[DatasetItem], name: str, each: int) -> Iterator[tuple[DatasetItem, int]]:
    """Give how many crops each item has to show: one of each patient first, then the next of each."""
    by_patient: defaultdict[str, list[DatasetItem]] = defaultdict(list)
    for item in sorted(holders, key=lambda item: _order(item.item_id, name)):
        by_patient[item.patient_id].append(item)
    turns = sorted(by_patient.values(), key=lambda items: _order(items[0].item_id, name))
    rounds = [items[turn] for turn in range(max(map(len, turns))) for items in turns if turn < len(items)]
    counts: dict[str, int] = dict.fromkeys((item.item_id for item in rounds[:each]), 0)
    left = each
    while left:
        before = left
        for item in rounds[:each]:
            if left and counts[item.item_id] < item.labelled[name]:
                counts[item.item_id] += 1
                left -= 1
        if left == before:
            break
    return ((item, counts[item.item_id]) for item in rounds[:each] if counts[item.item_id])


def _order(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def _of_item(
    manifest: Path, dataset: DatasetDoc, item: DatasetItem, wanted: Sequence[tuple[str, int]]
) -> Iterator[Sample]:
    left = dict(wanted)
    for image in labelled_images(manifest, dataset, item):
        for name in list(left):
            for crop in _crops(image, name, left[name]):
                yield Sample(name, item, crop)
                left[name] -= 1
            if not left[name]:
                del left[name]
        if not left:
            return


def _crops(image: LabelledImage, name: str, most: int) -> list[LabelCrop]:
    if image.score is not None:
        return [_crop(image, (image.rgb.shape[1] / 2, image.rgb.shape[0] / 2), _AREA_PX, name)]
    if image.instances is not None:
        numbers = np.unique(image.instances[image.instances > 0]).tolist()
        chosen = sorted(numbers, key=lambda number: _order(image.item_id, number))[:most]
        return [_crop(image, _middle(image.instances == number), _CELL_PX, name) for number in chosen]
    cells = [cell for cell in image.cells if cell.kind == name]
    cells.sort(key=lambda cell: _order(image.item_id, cell.cell_xy.round(1).tolist()))
    crops = []
    for cell in cells[:most]:
        x, y = cell.cell_xy.mean(axis=0).tolist()
        crops.append(_crop(image, (x, y), _CELL_PX, name, subject=cell.cell_xy))
    region = image.regions.get(LabelClass(name))
    if not crops and region is not None and region.any():
        crops.append(_crop(image, _middle(region), _AREA_PX, name))
    return crops


def _middle(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[float, float]:
    """Find the place deepest within a mask, as (x, y)."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(col) - 0.5, float(row) - 0.5


def _crop(
    image: LabelledImage,
    middle: tuple[float, float],
    side: int,
    name: str,
    *,
    subject: Outline | None = None,
) -> LabelCrop:
    rows, columns = crop_box(middle, side, image.rgb.shape)
    rgb = image.rgb[rows, columns]
    shrink = max(max(rgb.shape[:2]) / _SHOWN_PX, 1.0)
    corner = np.array([columns.start, rows.start], np.float64)
    outlines = [
        DrawnOutline(shown, (xy - corner) / shrink, is_subject)
        for shown, xy, is_subject in _outlines(image, name, subject)
        if _touches(xy - corner, rgb.shape)
    ]
    if shrink > 1:
        size = (round(rgb.shape[1] / shrink), round(rgb.shape[0] / shrink))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return LabelCrop(np.ascontiguousarray(rgb), WORKING_MPP * shrink, tuple(outlines))


def _outlines(
    image: LabelledImage, name: str, subject: Outline | None
) -> Iterator[tuple[str, Outline, bool]]:
    for cell in image.cells:
        yield cell.kind.value, cell.cell_xy, cell.cell_xy is subject
        if cell.nucleus_xy is not None and cell.nucleus_xy is not cell.cell_xy:
            yield cell.kind.value, cell.nucleus_xy, cell.cell_xy is subject
    if image.instances is not None:
        for xy in trace(image.instances).values():
            yield name, xy, True
    for kind, mask in image.regions.items():
        pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[1]
        for xy in trace(np.asarray(pieces, np.int32)).values():
            yield kind.value, xy, kind == name


def _touches(xy: Outline, shape: tuple[int, ...]) -> bool:
    low, high = xy.min(axis=0), xy.max(axis=0)
    return bool((high > 0).all() and low[0] < shape[1] and low[1] < shape[0])
