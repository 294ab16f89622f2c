"""Rows of a dataset sheet as items: each file opened, its labels read and counted, its fingerprint taken."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2path.domain.label_classes import LabelClass
from her2path.errors import CaseSheetError, LabelError, SheetFault, SlideError
from her2path.imaging.lookalikes import Fingerprint, fingerprint
from her2path.io.dataset_documents import OBJECT_MASKS, image_sha256
from her2path.io.dataset_sheet import WHAT, LabelRow, NumberedRow
from her2path.io.files import sha256_of
from her2path.io.label_checks import implausible
from her2path.io.label_masks import read_label_mask
from her2path.io.labels import outside, read_labels
from her2path.io.slides.opening import open_slide
from her2path.io.slides.pyramid import PyramidSlide
from her2path.io.slides.source import WorkingBox
from her2path.training.label_windows import LARGEST, check_mask_size, check_pixel_size
from her2path.training.labels import WORKING_MPP


@dataclass(frozen=True, slots=True)
class ReadItem:
    """What was found in the files of a row."""

    found: NumberedRow
    mpp: float
    image_sha256: str
    labels_sha256: str | None
    pixels_sha256: str
    """Of the picture as it is compared, so that the same pixels in another file are found."""
    labelled: Mapping[str, int]
    left_out: Mapping[str, int]
    print: Fingerprint
    file_mpp: float | None = None
    """What the file states, which the sheet may override."""

    @property
    def row(self) -> LabelRow:
        """What the sheet says."""
        return self.found.row

    @property
    def complete(self) -> bool:
        """Whether every cell is labelled: as stated, and otherwise only for masks of objects."""
        return self.row.mask_of in OBJECT_MASKS if self.row.complete is None else self.row.complete


def read_items(
    rows: Sequence[NumberedRow], *, renamed: Mapping[str, LabelClass], workers: int
) -> list[ReadItem]:
    """Read all files of a dataset.

    Parameters
    ----------
    rows : sequence of NumberedRow
    renamed : mapping of str to LabelClass
    workers : int
        Images that are read at a time; the result does not depend on it.

    Raises
    ------
    CaseSheetError
        With what is wrong with every file, by row.
    """

    def read(found: NumberedRow) -> ReadItem | SheetFault:
        try:
            return _read(found, renamed)
        except _RowError as fault:
            return SheetFault(found.number, fault.column, fault.message)

    with ThreadPoolExecutor(max_workers=max(workers, 1)) as pool:
        results = list(pool.map(read, rows))
    faults = tuple(result for result in results if isinstance(result, SheetFault))
    if faults:
        raise CaseSheetError(faults, WHAT)
    return [result for result in results if isinstance(result, ReadItem)]


class _RowError(Exception):
    """What is wrong with a row, and in which column."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


def _read(found: NumberedRow, renamed: Mapping[str, LabelClass]) -> ReadItem:
    row = found.row
    try:
        with open_slide(row.image, name=row.image.name) as source:
            source.probe()
            mpp = _pixel_size(row, source)
            in_file = source.pixel_size.mpp if source.pixel_size is not None else None
            size = source.size_px0
            pixels = _picture(source, mpp)
    except SlideError as error:
        raise _RowError("image", str(error)) from error
    labelled, left_out = _labels(row, size, mpp, renamed)
    digest = hashlib.sha256(repr(size).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
    return ReadItem(
        found,
        mpp,
        image_sha256(row.image),
        None if row.labels is None else sha256_of(row.labels),
        digest,
        labelled,
        left_out,
        fingerprint(pixels),
        in_file,
    )


def _pixel_size(row: LabelRow, source: PyramidSlide) -> float:
    mpp = row.mpp
    if mpp is None:
        if source.pixel_size is None:
            message = f"{source.pixel_size_finding}; give the pixel size in µm in column `mpp`, or with --mpp"
            raise _RowError("mpp", message)
        mpp = source.pixel_size.mpp
    try:
        check_pixel_size(mpp, row.image.name)
    except LabelError as error:
        raise _RowError("mpp", error.detail) from error
    return mpp


def _picture(source: PyramidSlide, mpp: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Read the whole image at the model's pixel size, a large one coarser."""
    longest = max(source.size_px0)
    downsample = max(WORKING_MPP / mpp, longest / LARGEST, 1.0)
    width, height = (max(int(edge / downsample), 1) for edge in source.size_px0)
    return source.read(WorkingBox(0, 0, height, width), downsample=downsample)


def _labels(
    row: LabelRow, size_px0: tuple[int, int], mpp: float, renamed: Mapping[str, LabelClass]
) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Count the labels of a row by class, and what was not read."""
    if row.labels is None:
        return {str(row.score): 1}, {}
    try:
        if row.kind == "masks":
            objects = row.mask_of in OBJECT_MASKS
            mask = read_label_mask(row.labels, name=row.labels.name, objects=objects)
            check_mask_size(mask.shape, size_px0, row.labels.name)
            return {str(row.mask_of): len(np.unique(mask[mask > 0])) if objects else 1}, {}
        drawn = read_labels(
            row.labels, name=row.labels.name, renamed=renamed, hand_drawn_cells=row.kind == "cells"
        )
    except LabelError as error:
        raise _RowError("labels", str(error)) from error
    if beyond := outside(drawn, size_px0):
        every = len(drawn.cells) + len(drawn.regions)
        message = (
            f"{beyond} of {every} outlines of {row.labels.name!r} lie beyond the image of "
            f"{size_px0[0]} x {size_px0[1]} pixels; they belong to another image or to another scale of it"
        )
        raise _RowError("labels", message)
    if row.kind == "cells" and (words := implausible(drawn.cells, size_px0=size_px0, mpp=mpp)):
        raise _RowError("labels", f"labels {row.labels.name!r}: {words}")
    return drawn.counts(), drawn.left_out


def relative_to(folder: Path, file: Path) -> str:
    """Name a file relative to a folder, with forward slashes; its links are not followed.

    Examples
    --------
    >>> relative_to(Path("data/set"), Path("data/tiles/a.png"))
    '../tiles/a.png'
    """
    return Path(os.path.relpath(file, folder)).as_posix()
