"""A fluorescence image as steps see it: planes by channel, read in windows, z projected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from her2path.errors import (
    PixelSizeError,
    UnsuitableImageError,
)
from her2path.io.documents import Channel
from her2path.io.fields.planes import PlaneReader
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

_PROBE_PX = 1024
"""Side of the central window that is looked at to tell what an image shows and where it is sharp."""


class FieldSource:
    """A fluorescence image of any size.  Close it after use (it is a context manager)."""

    def __init__(
        self, readers: Sequence[PlaneReader], channels: tuple[Channel, ...], *, name: str, as_rgb: bool
    ) -> None:
        self._readers = tuple(readers)
        self._as_rgb = as_rgb
        self._name = name
        self._sharpest: dict[int, int] = {}
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

        Probes are projected by their maximum, so that a signal counts wherever it is sharp;
        DAPI by its sharpest plane, because a maximum would widen every nucleus by its haze.

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
        box = box or self.whole
        if self.channels[channel_index].role == "dapi":
            return self._single(channel_index, self._sharpest_z(channel_index), box)
        plane = self._single(channel_index, 0, box)
        for z in range(1, self.z_planes):
            plane = np.maximum(plane, self._single(channel_index, z, box))
        return plane

    def middle(self, channel_index: int, box: WorkingBox) -> npt.NDArray[Any]:
        """Read the middle focus plane of one channel in a window, shape (height, width)."""
        return self._single(channel_index, self.z_planes // 2, box)

    def depth(self, channel_index: int, *, box: WorkingBox | None = None) -> npt.NDArray[np.int16]:
        """Focus plane (0 = first) in which each pixel of a channel is brightest, shape (height, width)."""
        box = box or self.whole
        best = self._single(channel_index, 0, box)
        depth = np.zeros(best.shape, np.int16)
        for z in range(1, self.z_planes):
            plane = self._single(channel_index, z, box)
            depth[plane > best] = z
            best = np.maximum(best, plane)
        return depth

    def _single(self, channel_index: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:
        if self._as_rgb:
            return self._readers[0].read(0, z, box)[..., channel_index]
        if len(self._readers) == 1:
            pixels = self._readers[0].read(channel_index, z, box)
        else:
            reader = self._readers[channel_index]
            pixels = reader.read(z, 0, box) if reader.loose > 1 else reader.read(0, z, box)
        # Scanners write a single channel as RGB in its display colour: that colour carries it.
        plane = pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3].max(axis=2)
        if plane.dtype.kind == "f" and not np.isfinite(plane).all():
            raise UnsuitableImageError(self._name, "it holds pixels that are no numbers", code="pixel_type")
        return plane

    def _sharpest_z(self, channel_index: int) -> int:
        if self.z_planes == 1:
            return 0
        if channel_index not in self._sharpest:
            centre = centre_of(self.size_px0)
            sharpness = [
                cv2.Laplacian(
                    cv2.GaussianBlur(self._single(channel_index, z, centre).astype(np.float32), (0, 0), 2),
                    cv2.CV_32F,
                ).std()
                for z in range(self.z_planes)
            ]
            self._sharpest[channel_index] = int(np.argmax(sharpness))
        return self._sharpest[channel_index]

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
