"""Items of a dataset as labelled images at the model's pixel size, window by window.

An image that fits into one window comes whole.  Of a larger one only windows with labels are read, so
that a slide of any size needs the memory of one window and of its outlines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from her2path.domain.label_classes import LabelClass
from her2path.errors import LabelError
from her2path.imaging.outlines import inside, paint
from her2path.io.dataset_documents import OBJECT_MASKS, DatasetDoc, DatasetItem, item_path
from her2path.io.label_masks import read_label_mask
from her2path.io.labels import DrawnLabels, read_labels
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox
from her2path.training.labels import WORKING_MPP, LabelledCell, LabelledImage, Mask
from her2path.training.tissue_windows import tissue_windows

WINDOW = 1024
"""Edge of a window of a larger image: 512 µm."""
LARGEST = 2048
"""Longest edge of an image that comes whole, likewise."""
_EDGE = 8
_FINER = 1.02
"""How much coarser than the model's pixels an image may be: a scanner's 0.5023 µm is 0.5."""


def labelled_images(manifest: Path, dataset: DatasetDoc, item: DatasetItem) -> Iterator[LabelledImage]:
    """Read one item of a dataset.

    Parameters
    ----------
    manifest : Path
    dataset : DatasetDoc
        Read from `manifest`.
    item : DatasetItem
        One of its items.

    Yields
    ------
    LabelledImage
        One for an image of up to `LARGEST` pixels at the model's pixel size; of a larger one each window
        that holds a label, or for a slide with a score each that shows tissue, from top left to bottom right.

    Raises
    ------
    SlideError, LabelError
        The image or its labels cannot be read, or the image is coarser than the model's pixels.
    """
    with open_slide(item_path(manifest, item.image), name=item.image) as source:
        frame = _Frame.of(item, source)
        labels = _labels_of(manifest, dataset, item, frame)
        for box in frame.windows(labels):
            yield labels.window(box, source.read(box, downsample=frame.downsample))


def check_pixel_size(mpp: float, name: str) -> None:
    """Refuse an image that is coarser than what the model sees: it is never magnified."""
    if mpp > WORKING_MPP * _FINER:
        detail = f"has {mpp:g} µm a pixel, coarser than the {WORKING_MPP:g} µm that the model sees"
        raise LabelError(name, f"{detail}; give the image at full resolution, or correct `mpp`")


@dataclass(frozen=True, slots=True)
class _Frame:
    """An image on the grid of working pixels."""

    item: DatasetItem
    source: SlideSource
    downsample: float
    size: tuple[int, int]
    """Rows and columns."""

    @classmethod
    def of(cls, item: DatasetItem, source: SlideSource) -> _Frame:
        check_pixel_size(item.mpp, item.image)
        downsample = max(WORKING_MPP / item.mpp, 1.0)
        width, height = (max(round(edge / downsample), 1) for edge in source.size_px0)
        return cls(item, source, downsample, (height, width))

    def windows(self, labels: _Labels) -> Iterator[WorkingBox]:
        rows, columns = (-(-edge // _EDGE) * _EDGE for edge in self.size)
        if max(rows, columns) <= LARGEST:
            yield WorkingBox(0, 0, rows, columns)
        elif self.item.kind in {"slide", "tile"}:
            yield from tissue_windows(self.source, mpp=self.item.mpp, window=WINDOW, working=self.downsample)
        else:
            for row in range(0, rows, WINDOW):
                for col in range(0, columns, WINDOW):
                    box = WorkingBox(row, col, min(WINDOW, rows - row), min(WINDOW, columns - col))
                    if labels.touch(box):
                        yield box

    def on_image(self, box: WorkingBox) -> Mask:
        """Pixels of a window that lie on the image."""
        mask = np.zeros((box.height, box.width), np.bool_)
        mask[: max(self.size[0] - box.row, 0), : max(self.size[1] - box.col, 0)] = True
        return mask


def _labels_of(manifest: Path, dataset: DatasetDoc, item: DatasetItem, frame: _Frame) -> _Labels:
    if item.labels is None:
        return _Labels(frame)
    path = item_path(manifest, item.labels)
    if item.kind == "masks":
        mask = read_label_mask(path, name=item.labels, objects=item.mask_of in OBJECT_MASKS)
        check_mask_size(mask.shape, frame.source.size_px0, item.labels)
        return _MaskLabels(frame, mask)
    drawn = read_labels(
        path, name=item.labels, renamed=dataset.renamed, hand_drawn_cells=item.kind == "cells"
    )
    return _DrawnLabels(frame, drawn)


def check_mask_size(shape: tuple[int, ...], size_px0: tuple[int, int], name: str) -> None:
    """Refuse a mask that is not of its image's size, which would be laid on it shifted or scaled."""
    if shape != size_px0[::-1]:
        mask, image = f"{shape[1]} x {shape[0]}", f"{size_px0[0]} x {size_px0[1]}"
        detail = f"the mask is {mask} pixels, its image {image}"
        raise LabelError(name, f"{detail}; export the mask at the full size of the image")


class _Labels:
    """A score alone: no label has a place."""

    def __init__(self, frame: _Frame) -> None:
        self.frame = frame

    def touch(self, box: WorkingBox) -> bool:  # noqa: ARG002  (subclasses ask where)
        return True

    def window(self, box: WorkingBox, rgb: npt.NDArray[np.uint8]) -> LabelledImage:
        nowhere = np.zeros(rgb.shape[:2], np.bool_)
        return self._image(box, rgb, taught=nowhere)

    def _image(
        self,
        box: WorkingBox,
        rgb: npt.NDArray[np.uint8],
        *,
        taught: Mask,
        cells: tuple[LabelledCell, ...] = (),
        regions: dict[LabelClass, Mask] | None = None,
        instances: npt.NDArray[np.int32] | None = None,
    ) -> LabelledImage:
        item = self.frame.item
        objects = item.mask_of if item.mask_of in {"nuclei", "cells"} else None
        return LabelledImage(
            item_id=item.item_id,
            origin=(box.row, box.col),
            rgb=rgb,
            cells=cells,
            regions=regions or {},
            instances=instances,
            instances_are=objects,
            taught=taught,
            score=item.score,
        )


class _DrawnLabels(_Labels):
    """Outlines of QuPath; coordinates become working pixels by dividing, as both begin at the top left."""

    def __init__(self, frame: _Frame, drawn: DrawnLabels) -> None:
        super().__init__(frame)
        self._drawn = drawn
        shapes = [*(cell.outline for cell in drawn.cells), *(area for _, area in drawn.regions)]
        self._tree = shapely.STRtree(shapes)
        self._cells = len(drawn.cells)

    def touch(self, box: WorkingBox) -> bool:
        return len(self._found(box)) > 0

    def _found(self, box: WorkingBox) -> list[int]:
        ends = (box.col, box.row, box.col + box.width, box.row + box.height)
        area = shapely.box(*(end * self.frame.downsample for end in ends))
        return sorted(self._tree.query(area, predicate="intersects").tolist())

    def window(self, box: WorkingBox, rgb: npt.NDArray[np.uint8]) -> LabelledImage:
        found = self._found(box)
        drawn = [self._drawn.cells[number] for number in found if number < self._cells]
        areas = [self._drawn.regions[number - self._cells] for number in found if number >= self._cells]
        shape = (box.height, box.width)
        regions: dict[LabelClass, Mask] = {}
        for kind, area in areas:
            mask = self._mask([area], box)
            regions[kind] = regions[kind] | mask if kind in regions else mask
        silent = [cell.outline for cell in drawn if cell.kind is LabelClass.IGNORE]
        if silent:
            ignored = self._mask(silent, box)
            regions[LabelClass.IGNORE] = regions.get(LabelClass.IGNORE, np.zeros(shape, np.bool_)) | ignored
        cells = tuple(
            LabelledCell(
                cell.kind,
                self._xy(cell.outline, box),
                None if cell.nucleus is None else self._xy(cell.nucleus, box),
            )
            for cell in drawn
            if cell.kind is not LabelClass.IGNORE
        )
        taught = self._taught(box, cells)
        if LabelClass.IGNORE in regions:
            taught &= ~regions[LabelClass.IGNORE]
        return self._image(box, rgb, taught=taught, cells=cells, regions=regions)

    def _taught(self, box: WorkingBox, cells: Sequence[LabelledCell]) -> Mask:
        if self.frame.item.complete:
            return self.frame.on_image(box)
        taught = paint([cell.cell_xy for cell in cells], (box.height, box.width)) > 0
        if self._drawn.wholly is not None:
            taught |= self._mask([self._drawn.wholly], box)
        return np.asarray(taught & self.frame.on_image(box), np.bool_)

    def _mask(self, areas: Sequence[BaseGeometry], box: WorkingBox) -> Mask:
        found = np.zeros((box.height, box.width), np.bool_)
        for area in areas:
            for polygon in shapely.get_parts(area):
                if polygon.geom_type == "Polygon":
                    rings = [polygon.exterior, *polygon.interiors]
                    found |= inside([self._ring_xy(ring, box) for ring in rings], found.shape)
        return found

    def _xy(self, polygon: shapely.Polygon, box: WorkingBox) -> npt.NDArray[np.float64]:
        return self._ring_xy(polygon.exterior, box)

    def _ring_xy(self, ring: BaseGeometry, box: WorkingBox) -> npt.NDArray[np.float64]:
        corners = shapely.get_coordinates(ring)[:-1] / self.frame.downsample
        return np.asarray(corners - (box.col, box.row), np.float64)


class _MaskLabels(_Labels):
    """A mask: the label of a working pixel is that of the level-0 pixel under its middle."""

    def __init__(self, frame: _Frame, mask: npt.NDArray[np.int32]) -> None:
        super().__init__(frame)
        self._mask = mask

    def touch(self, box: WorkingBox) -> bool:
        return bool(self._nearest(box).any())

    def window(self, box: WorkingBox, rgb: npt.NDArray[np.uint8]) -> LabelledImage:
        item, found = self.frame.item, self._nearest(box)
        if item.mask_of in OBJECT_MASKS:
            taught = self.frame.on_image(box) if item.complete else found > 0
            return self._image(box, rgb, taught=np.asarray(taught, np.bool_), instances=found)
        nowhere = np.zeros(found.shape, np.bool_)
        return self._image(box, rgb, taught=nowhere, regions={LabelClass(str(item.mask_of)): found > 0})

    def _nearest(self, box: WorkingBox) -> npt.NDArray[np.int32]:
        places = []
        for start, length, edge in zip(
            (box.row, box.col), (box.height, box.width), self._mask.shape, strict=True
        ):
            middles = (np.arange(start, start + length) + 0.5) * self.frame.downsample
            places.append(np.floor(middles).astype(np.intp))
            places[-1][places[-1] >= edge] = -1
        found = self._mask[places[0][:, None], places[1]]
        found[places[0] < 0] = 0
        found[:, places[1] < 0] = 0
        return np.asarray(found, np.int32)
