"""Labelled images as arrays: what a person said of a picture at the model's pixel size.

Coordinates are pixels of `LabelledImage.rgb` with edges at integers: the middle of the first pixel
is (0.5, 0.5), as in the GeoJSON of QuPath.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.training.scenes import WORKING_MPP

__all__ = ["WORKING_MPP", "LabelClass", "LabelledCell", "LabelledImage"]

Outline = npt.NDArray[np.float64]
"""Shape (n, 2), x first; the first point is not repeated."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LabelledCell:
    """One cell with its class."""

    kind: LabelClass
    cell_xy: Outline
    """Outline of the cell in pixels of the window; may run over its edges."""
    nucleus_xy: Outline | None = None
    """Outline of its nucleus; None where nobody drew one."""


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """A window of an image with its labels; edges are multiples of eight pixels."""

    item_id: str
    origin: tuple[int, int]
    """Row and column of the window on the grid of working pixels of the whole image."""
    rgb: npt.NDArray[np.uint8]
    """Shape (M, N, 3), `WORKING_MPP` µm/px; white beyond the image."""
    cells: tuple[LabelledCell, ...]
    """All with a class whose outline touches the window; a cell may be in several windows."""
    regions: Mapping[LabelClass, Mask]
    """Areas by class, each of shape (M, N); only classes that occur.  Cells without a class are areas of the
    class `IGNORE`."""
    instances: npt.NDArray[np.int32] | None
    """Numbered objects of a mask, shape (M, N), 0 = none; None where there is no such mask."""
    instances_are: Literal["nuclei", "cells"] | None
    taught: Mask
    """Shape (M, N): where the absence of a cell (of a nucleus, for a mask of nuclei) is itself a label."""
    score: IhcScore | None = None
    """Score of the whole tile or slide; None for other kinds."""

    def __post_init__(self) -> None:
        shape = self.rgb.shape[:2]
        masks = [self.taught, *self.regions.values(), *([] if self.instances is None else [self.instances])]
        if any(mask.shape != shape for mask in masks):
            raise ValueError(f"masks of a labelled image have its shape {shape}")
        if any(edge % 8 for edge in shape):
            raise ValueError(f"edges of a labelled image are multiples of eight, got {shape}")
        if any(cell.kind is LabelClass.IGNORE for cell in self.cells):
            raise ValueError("what is ignored is an area, no cell")
        if (self.instances is None) != (self.instances_are is None):
            raise ValueError("numbered objects, and only they, say what they are")

    @property
    def ignored(self) -> Mask:
        """Where nothing is taught and nothing counts, shape (M, N)."""
        return self.regions.get(LabelClass.IGNORE, np.zeros(self.rgb.shape[:2], np.bool_))
