"""The port through which all bright-field slides are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from her2path.units import PixelSize


@dataclass(frozen=True, slots=True)
class WorkingBox:
    """A rectangle on the grid of working pixels, whose origin is that of level 0.

    The working pixel ``(row, col)`` covers level-0 pixels ``col * s`` to ``(col + 1) * s`` with
    ``s = target_mpp / slide_mpp``, so a pixel's value never depends on the box it is read with.
    """

    row: int
    col: int
    height: int
    width: int


class SlideSource(Protocol):
    """A bright-field image of any size.  Close it after use (it is a context manager)."""

    @property
    def vendor(self) -> str:
        """Format family, for example ``aperio``; never a free-text property of the file."""

    @property
    def size_px0(self) -> tuple[int, int]:
        """Width and height of level 0."""

    @property
    def pixel_size(self) -> PixelSize | None:
        """What the file itself says of its pixel size; None if nothing usable."""

    @property
    def level_downsamples(self) -> tuple[float, ...]:
        """Downsampling of each level against level 0, ascending, first 1."""

    def read(self, box: WorkingBox, *, downsample: float) -> npt.NDArray[np.uint8]:
        """Read `box` as RGB, shape (height, width, 3), with `downsample` level-0 pixels per pixel.

        Outside the image the pixels are white (255), transparent pixels likewise.

        Raises
        ------
        UnreadableImageError
            A part of the file cannot be decoded.
        """

    def close(self) -> None:
        """Release the file."""

    def __enter__(self) -> SlideSource: ...

    def __exit__(self, *exc: object) -> None: ...
