"""Fluorescence images: one image out of one or several files, channels told apart, z projected.

Layouts: a multi-channel OME-TIFF or ImageJ hyperstack, a plain multi-page TIFF whose channels
the sheet names, one file a channel (TIFF, NDPI, PNG), or an RGB capture (DAPI blue, HER2 orange
to red, CEP17 green).  What cannot be told safely is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import openslide

from her2path.errors import (
    ChannelError,
    ImageNotFoundError,
    PixelSizeError,
    UnreadableImageError,
    UnsuitableImageError,
)
from her2path.io.documents import Channel
from her2path.io.field_channels import (
    ChannelHint,
    check_probe,
    resolve_roles,
    rgb_channels,
    role_of_emission,
    role_of_name,
)
from her2path.io.field_planes import OpenSlidePlanes, PicturePlanes, PlaneReader
from her2path.io.field_tiff import TiffPlanes
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

__all__ = ["FieldSource", "check_probe", "open_field"]

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PROBE_PX = 1024
"""Side of the central window that is looked at to tell bright-field from fluorescence."""
_BRIGHT_FRAC = 0.25
"""Half of all pixels of a fluorescence image are darker than this in their darkest colour; a
bright-field image is lighter even in dense tissue."""


_LOSSY = (
    "it is a colour capture compressed as JPEG, which smears the colours of signals into each other (green "
    "signals are lost); export it as PNG or TIFF without loss, or each channel as a file of its own"
)


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
            centre = _centre_of(self.size_px0)
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


def open_field(paths: Sequence[Path], *, name: str, channels: tuple[str, ...] = ()) -> FieldSource:
    """Open a fluorescence image.

    Parameters
    ----------
    paths : sequence of Path
        One file with all channels, or one file a channel.
    name : str
        Image id for messages.
    channels : tuple of str
        Roles from the case sheet in order (dapi, her2, cep17, other); empty = found by name or
        wavelength.

    Raises
    ------
    ImageNotFoundError
        A file does not exist.
    UnreadableImageError
        A file cannot be decoded or is cut short.
    ChannelError
        The channels cannot be told apart safely.
    PixelSizeError
        The files state different pixel sizes.
    UnsuitableImageError
        A bright-field image, a time series, a colour capture with lossy compression, files of
        different sizes.
    """
    with ExitStack() as on_failure:
        readers: list[PlaneReader] = []
        for path in paths:
            readers.append(_open_reader(path, name=name))
            on_failure.callback(readers[-1].close)
        if not readers:
            raise UnreadableImageError(name, "no file is given")
        as_rgb = len(readers) == 1 and _is_rgb(readers[0])
        for reader in readers:
            _refuse_bright_field(reader, name)
        if as_rgb and readers[0].lossy:
            raise UnsuitableImageError(name, _LOSSY, code="lossy_colours")
        found = _roles(readers, paths, name=name, sheet=channels, as_rgb=as_rgb)
        field = FieldSource(readers, found, name=name, as_rgb=as_rgb)
        on_failure.pop_all()
        return field


def _open_reader(path: Path, *, name: str) -> PlaneReader:
    if not path.is_file():
        raise ImageNotFoundError(path.name)
    vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor not in (None, "generic-tiff"):
        return OpenSlidePlanes(path, name=name)
    with path.open("rb") as file:
        magic = file.read(4)
    return TiffPlanes(path, name=name) if magic in _TIFF_MAGIC else PicturePlanes(path, name=name)


def _is_rgb(reader: PlaneReader) -> bool:
    # A scanner's single channel is also written as RGB; its header names the one filter.
    one_channel = any(role_of_name(h.name) or role_of_emission(h.emission_nm or 0.0) for h in reader.hints)
    return reader.samples >= 3 and reader.channels == reader.loose == 1 and not one_channel


def _roles(
    readers: Sequence[PlaneReader],
    paths: Sequence[Path],
    *,
    name: str,
    sheet: tuple[str, ...],
    as_rgb: bool,
) -> tuple[Channel, ...]:
    if as_rgb:
        return rgb_channels(image=name, sheet=sheet)
    if len(readers) > 1:
        _check_one_channel_each(readers, name)
        hints = [
            ChannelHint(*((r.hints[0].name, r.hints[0].emission_nm) if r.hints else ("", None)), path.stem)
            for r, path in zip(readers, paths, strict=True)
        ]
        return resolve_roles(hints, image=name, sheet=sheet)
    only = readers[0]
    if only.loose > 1:
        _check_loose(only, name, sheet)
        return resolve_roles([ChannelHint()] * only.loose, image=name, sheet=sheet)
    if sheet and len(sheet) != only.channels and len(sheet) == only.z_planes:
        raise ChannelError(
            name,
            f"the sheet names {len(sheet)} channels, but the file states {only.z_planes} focus planes",
        )
    return resolve_roles(only.hints or [ChannelHint()] * only.channels, image=name, sheet=sheet)


def _check_loose(reader: PlaneReader, name: str, sheet: tuple[str, ...]) -> None:
    if reader.channels > 1 or reader.z_planes > 1:
        raise ChannelError(
            name, f"{reader.loose} pages of unknown meaning beside its channels or focus planes"
        )
    if len(sheet) != reader.loose:
        raise ChannelError(
            name, f"its {reader.loose} pages do not say whether they are channels or focus planes"
        )


def _check_one_channel_each(readers: Sequence[PlaneReader], name: str) -> None:
    if any(reader.channels > 1 or (reader.loose > 1 and reader.z_planes > 1) for reader in readers):
        raise ChannelError(name, "several files, of which one holds several channels")
    sizes = {reader.size_px0 for reader in readers}
    if len(sizes) > 1:
        listed = ", ".join(f"{w} x {h}" for w, h in sorted(sizes))
        raise UnsuitableImageError(name, f"its files differ in size ({listed} px)", code="size_mismatch")
    if len({max(reader.loose, reader.z_planes) for reader in readers}) > 1:
        raise UnsuitableImageError(
            name, "its files differ in their number of focus planes", code="size_mismatch"
        )
    if len({reader.dtype for reader in readers}) > 1:
        raise UnsuitableImageError(name, "its files differ in pixel type", code="size_mismatch")


def _refuse_bright_field(reader: PlaneReader, name: str) -> None:
    if reader.samples < 3:
        return
    centre = reader.read(0, 0, _centre_of(reader.size_px0))[..., :3]
    if float(np.median(centre.min(axis=2))) > _BRIGHT_FRAC * reader.full_scale:
        raise UnsuitableImageError(
            name, "it is a bright-field image; FISH needs a fluorescence image", code="bright_field"
        )


def _centre_of(size_px0: tuple[int, int]) -> WorkingBox:
    width, height = (min(_PROBE_PX, side) for side in size_px0)
    return WorkingBox((size_px0[1] - height) // 2, (size_px0[0] - width) // 2, height, width)


def _agreed_pixel_size(readers: Sequence[PlaneReader], name: str) -> PixelSize | None:
    stated = [reader.pixel_size for reader in readers if reader.pixel_size is not None]
    if not stated:
        return None
    if max(s.mpp for s in stated) > 1.01 * min(s.mpp for s in stated):
        raise PixelSizeError(name, "its files state different pixel sizes")
    return stated[0]
