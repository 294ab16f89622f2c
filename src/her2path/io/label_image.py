"""Label images of any size: painted window by window, kept compressed, written as tiled TIFF."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from her2path.errors import ArtefactError
from her2path.io.damage import DECODE_ERRORS
from her2path.io.fields.tiff import decode_window
from her2path.io.files import replacing
from her2path.io.slides.source import WorkingBox

Labels = npt.NDArray[np.int32]

_TILE = 512


class LabelCanvas:
    """An int32 image that starts empty; tiles are kept compressed, so a scan of any size fits."""

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self._tiles: dict[tuple[int, int], bytes] = {}

    def read(self, box: WorkingBox) -> Labels:
        """Read a window inside the image."""
        out = np.zeros((box.height, box.width), np.int32)
        for key, on_canvas, on_tile in _overlaps(box):
            if key in self._tiles:
                out[on_canvas] = self._tile(key)[on_tile]
        return out

    def write(self, box: WorkingBox, labels: Labels) -> None:
        """Replace a window inside the image."""
        for key, on_canvas, on_tile in _overlaps(box):
            tile = self._tile(key)
            tile[on_tile] = labels[on_canvas]
            self._tiles[key] = zlib.compress(tile.tobytes(), 1)

    def tiles(self) -> Iterator[Labels]:
        """Give all tiles in reading order, those at the edges padded with 0."""
        for row in range(-(-self.height // _TILE)):
            for col in range(-(-self.width // _TILE)):
                yield self._tile((row, col))

    def _tile(self, key: tuple[int, int]) -> Labels:
        data = self._tiles.get(key)
        if data is None:
            return np.zeros((_TILE, _TILE), np.int32)
        return np.frombuffer(zlib.decompress(data), np.int32).reshape(_TILE, _TILE).copy()


def write_labels(path: Path, canvas: LabelCanvas) -> None:
    """Write a canvas as tiled, deflated int32 TIFF, whole or not at all."""
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            canvas.tiles(),
            shape=(canvas.height, canvas.width),
            dtype=np.int32,
            tile=(_TILE, _TILE),
            compression="zlib",
            photometric="minisblack",
            metadata=None,
            software="her2path",
            bigtiff=canvas.height * canvas.width > 2**29,
        )


class LabelImage:
    """A label image on disk, read in windows.  Close it after use (it is a context manager)."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        with ExitStack() as on_failure:
            try:
                self._tif = on_failure.enter_context(tifffile.TiffFile(path))
                self._page: Any = self._tif.pages[0]
            except DECODE_ERRORS as error:
                detail = f"not a readable label image ({type(error).__name__})"
                raise ArtefactError(path.name, detail) from error
            if self._page.dtype != np.int32 or self._page.ndim != 2:
                raise ArtefactError(path.name, "not an int32 label image")
            on_failure.pop_all()
        self.height, self.width = (int(side) for side in self._page.shape)

    def read(self, box: WorkingBox) -> Labels:
        """Read a window inside the image.

        Raises
        ------
        ArtefactError
            The file is damaged.
        """
        try:
            return decode_window(self._tif.filehandle, self._page, box)[..., 0].astype(np.int32)
        except DECODE_ERRORS as error:
            raise ArtefactError(self._name, f"cannot be decoded ({type(error).__name__})") from error

    def __enter__(self) -> LabelImage:
        return self

    def __exit__(self, *exc: object) -> None:
        self._tif.close()


Place = tuple[slice, slice]


def _overlaps(box: WorkingBox) -> Iterator[tuple[tuple[int, int], Place, Place]]:
    """Tiles under a window: their place in the grid, in the window and the window's in them."""
    for row in range(box.row // _TILE, -(-(box.row + box.height) // _TILE)):
        for col in range(box.col // _TILE, -(-(box.col + box.width) // _TILE)):
            top, bottom = max(row * _TILE, box.row), min((row + 1) * _TILE, box.row + box.height)
            left, right = max(col * _TILE, box.col), min((col + 1) * _TILE, box.col + box.width)
            on_canvas = (slice(top - box.row, bottom - box.row), slice(left - box.col, right - box.col))
            on_tile = (
                slice(top - row * _TILE, bottom - row * _TILE),
                slice(left - col * _TILE, right - col * _TILE),
            )
            yield (row, col), on_canvas, on_tile
