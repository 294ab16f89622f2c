"""A fluorescence image as steps see it: planes by channel, read in windows, z projected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.errors import (
    PixelSizeError,
    UnsuitableImageError,
)
from her2path.io.documents import Channel
from her2path.io.fields.planes import PlaneReader
from her2path.io.fields.projection import NuclearProjection, SignalProjection
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

_PROBE_PX = 1024
"""Side of the central window that is looked at to tell what an image shows."""


class FieldSource:
    """A fluorescence image of any size.  Close it after use (it is a context manager)."""

    def __init__(
        self, readers: Sequence[PlaneReader], channels: tuple[Channel, ...], *, name: str, as_rgb: bool
    ) -> None:
        self._readers = tuple(readers)
        self._as_rgb = as_rgb
        self._name = name
        self._last: dict[tuple[int, WorkingBox], tuple[npt.NDArray[Any], npt.NDArray[np.int16]]] = {}
        first = readers[0]
        self.channels = channels
        self.vendor = first.vendor
        self.size_px0 = first.size_px0
        self.dtype = first.dtype
        self.full_scale = first.full_scale
        self.z_planes = first.loose if len(readers) > 1 and first.loose > 1 else first.z_planes
        self.pixel_size = _agreed_pixel_size(readers, name)

    @property
    def whole(self) -> WorkingBox:
        """The box that covers the image."""
        return WorkingBox(0, 0, self.size_px0[1], self.size_px0[0])

    def plane(self, channel_index: int, *, box: WorkingBox | None = None) -> npt.NDArray[Any]:
        """Read one channel with its focus planes projected.

        Probes are projected by their maximum, so that a signal counts wherever it is sharp; DAPI
        by its sharpest plane, which may differ over the field (`projection`).

        Parameters
        ----------
        channel_index : int
            Index into `channels`.
        box : WorkingBox, optional
            Window in level-0 pixels inside the image; None = all of it.

        Returns
        -------
        plane : ndarray, shape (height, width)
            In the file's own type (uint8, uint16 or float32).

        Raises
        ------
        UnreadableImageError
            A part of the file cannot be decoded.
        """
        return self._projected(channel_index, box or self.whole)[0]

    def middle(self, channel_index: int, box: WorkingBox) -> npt.NDArray[Any]:
        """Read the middle focus plane of one channel in a window, shape (height, width)."""
        return self._single(channel_index, self.z_planes // 2, box)

    def depth(self, channel_index: int, *, box: WorkingBox | None = None) -> npt.NDArray[np.int16]:
        """Focus plane (0 = first) in which each pixel of a probe is brightest, shape (height, width)."""
        return self._projected(channel_index, box or self.whole)[1]

    def _projected(
        self, channel_index: int, box: WorkingBox
    ) -> tuple[npt.NDArray[Any], npt.NDArray[np.int16]]:
        """Project a window of a channel; the last one is kept, because its depth is asked for after it."""
        if self.z_planes == 1:
            plane = self._single(channel_index, 0, box)
            return plane, np.zeros(plane.shape, np.int16)
        key = (channel_index, box)
        if key not in self._last:
            signals, nuclei = SignalProjection(), NuclearProjection()
            is_dapi = self.channels[channel_index].role == "dapi"
            for z in range(self.z_planes):
                (nuclei if is_dapi else signals).add(self._single(channel_index, z, box))
            depth = np.zeros((box.height, box.width), np.int16) if is_dapi else signals.depth
            if any(kept != box for _, kept in self._last):
                self._last.clear()
            self._last[key] = ((nuclei if is_dapi else signals).picture(), depth)
        return self._last[key]

    def _single(self, channel_index: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:
        if self._as_rgb:
            return self._readers[0].read(0, z, box)[..., channel_index]
        if len(self._readers) == 1:
            pixels = self._readers[0].read(channel_index, z, box)
        else:
            reader = self._readers[channel_index]
            pixels = reader.read(z, 0, box) if reader.loose > 1 else reader.read(0, z, box)
        # Scanners write a single channel as RGB in its display colour: that colour carries it.  The second
        # sample of two, and the fourth of four, is transparency.
        plane = pixels[..., 0] if pixels.shape[2] < 3 else pixels[..., :3].max(axis=2)
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            raise UnsuitableImageError(self._name, "it holds pixels that are no numbers", code="pixel_type")
        return plane

    def close(self) -> None:
        """Release the files."""
        for reader in self._readers:
            reader.close()

    def __enter__(self) -> FieldSource:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def centre_of(size_px0: tuple[int, int]) -> WorkingBox:
    """Place the window that is looked at to tell what an image shows, in its middle."""
    width, height = (min(_PROBE_PX, side) for side in size_px0)
    return WorkingBox((size_px0[1] - height) // 2, (size_px0[0] - width) // 2, height, width)


def _agreed_pixel_size(readers: Sequence[PlaneReader], name: str) -> PixelSize | None:
    stated = [reader.pixel_size for reader in readers if reader.pixel_size is not None]
    if not stated:
        return None
    if max(s.mpp for s in stated) > 1.01 * min(s.mpp for s in stated):
        raise PixelSizeError(name, "its files state different pixel sizes")
    return stated[0]
