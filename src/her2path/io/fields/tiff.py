"""Fluorescence TIFF files (OME-TIFF, ImageJ hyperstacks, plain pages), read in windows.

The meaning of an axis is taken from the file and never guessed: pages whose axis is not named
are reported as `loose`, and whoever opens the image decides or refuses.
"""

from __future__ import annotations

import logging
import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from her2path.errors import UnreadableImageError, UnsuitableImageError
from her2path.io.damage import decoding
from her2path.io.fields.channels import ChannelHint
from her2path.io.fields.metadata import (
    OmeHead,
    imagej_hints,
    imagej_pixel_size,
    read_ome_head,
    tiff_pixel_size,
)
from her2path.io.fields.planes import full_scale_of
from her2path.io.slides.source import WorkingBox
from her2path.units import PixelSize

log = logging.getLogger(__name__)

_LAST_AXES = "YXS"
_JPEG = frozenset({6, 7, 33007, 34892})
"""Values of the TIFF tag Compression that stand for lossy JPEG."""
_GREY = frozenset({0, 1})
_RGB = frozenset({2, 6})
_PALETTE = 3
"""Values of the TIFF tag PhotometricInterpretation; 6 (YCbCr) is decoded to RGB."""


class TiffPlanes:
    """One TIFF file.  `channels`, `z_planes` and `loose` are the lengths of its named and unnamed axes."""

    def __init__(self, path: Path, *, name: str) -> None:
        self._name = name
        with ExitStack() as on_failure:
            with decoding(name, "its TIFF structure is damaged"):
                self._tif = on_failure.enter_context(tifffile.TiffFile(path))
                self._read_head(path)
            on_failure.pop_all()

    def _read_head(self, path: Path) -> None:
        tif = self._tif
        series = tif.series[0]
        self._series = series
        if len(tif.series) > 1:
            log.warning(
                "image %s: its file holds %d images (scenes, previews); only the first is read",
                self._name,
                len(tif.series),
            )
        ome = _ome_head(tif)
        if ome is not None and series.kind != "ome":
            raise UnreadableImageError(
                self._name, "its OME header does not fit its pages: the file is cut short"
            )
        self.vendor = "ome-tiff" if ome else "imagej" if tif.is_imagej else "tiff"
        self._axes = _leading_axes(series)
        self._check_axes()
        self.channels = self._axes.get("C", 1)
        self.z_planes = self._axes.get("Z", 1)
        self.loose = int(np.prod([n for axis, n in self._axes.items() if axis not in "CZT"] or [1]))
        size = dict(zip(series.axes, series.shape, strict=True))
        self.size_px0 = (int(size["X"]), int(size["Y"]))
        self.dtype = str(series.dtype)
        self.samples = int(size.get("S", 1))
        self.lossy = int(series.keyframe.compression) in _JPEG
        _check_colours(series.keyframe, self._name)
        self.full_scale = full_scale_of(self.dtype, name=self._name)
        if ome is not None and ome.significant_bits and self.dtype == "uint16":
            self.full_scale = float(2**ome.significant_bits - 1)
        self._read_metadata(ome)
        self._mapped = self._map_contiguous(path)
        self._check_complete(path)

    def _read_metadata(self, ome: OmeHead | None) -> None:
        if ome is not None:
            self.pixel_size: PixelSize | None = ome.pixel_size
            self.hints: tuple[ChannelHint, ...] = ome.hints
        elif self._tif.is_imagej:
            self.pixel_size = imagej_pixel_size(self._tif)
            self.hints = imagej_hints(self._tif, self.channels, self.z_planes)
        else:
            self.pixel_size, self.hints = tiff_pixel_size(self._tif), ()
        if len(self.hints) == self.samples > 1 and self.channels == 1:
            # Some writers interleave the channels as the samples of one RGB-like page.
            self.channels, self.samples, self._interleaved = self.samples, 1, True
        else:
            self._interleaved = False
        if len(self.hints) != self.channels:
            self.hints = ()

    def _check_axes(self) -> None:
        if self._axes.get("T", 1) > 1:
            raise UnsuitableImageError(
                self._name,
                "it is a time series; export one point in time (focus planes, if they are some, with axis z)",
                code="axes",
            )
        if "Y" not in self._series.axes or "X" not in self._series.axes:
            raise UnreadableImageError(self._name, f"axes {self._series.axes!r} hold no image")

    def _map_contiguous(self, path: Path) -> npt.NDArray[Any] | None:
        # ImageJ and tifffile describe all planes of an uncompressed stack by the first page alone.
        pages = int(np.prod(list(self._axes.values()) or [1]))
        if len(self._series.pages) == pages:
            return None
        if self._series.dataoffset is None:
            raise UnreadableImageError(
                self._name, f"its header promises {pages} planes, the file holds {len(self._series.pages)}"
            )
        dtype = np.dtype(self._tif.byteorder + self._series.dtype.char)
        flat = np.memmap(path, dtype, "r", self._series.dataoffset, shape=self._series.shape)
        width, height = self.size_px0
        samples = self._series.shape[-1] if self._series.axes.endswith("S") else 1
        return flat.reshape((pages, height, width, samples))

    def _check_complete(self, path: Path) -> None:
        end = path.stat().st_size
        if _next_page_offset(self._tif) != 0:
            raise UnreadableImageError(self._name, "the file is cut short: further pages are missing")
        if self._mapped is not None:
            return  # np.memmap has refused a file that is too short
        for page in self._series.pages:
            if page is None:
                raise UnreadableImageError(self._name, "a plane named in its header is missing")
            if page.parent is not self._tif:
                # tifffile follows the header into the other files, which nobody listed in the sheet.
                raise UnsuitableImageError(
                    self._name,
                    "its header spreads one image over several files; export it as one OME-TIFF, or every "
                    "channel as a TIFF without that header",
                )
            spans = zip(page.dataoffsets, page.databytecounts, strict=True)
            if any(count == 0 or offset + count > end for offset, count in spans):
                raise UnreadableImageError(self._name, "the file is cut short: pixel data are missing")

    def read(self, channel: int, z: int, box: WorkingBox) -> npt.NDArray[Any]:
        """Read a window, shape (height, width, samples); with loose pages `channel` counts these.

        Raises
        ------
        UnreadableImageError
            A part of the file cannot be decoded.
        """
        sample = channel if self._interleaved else None
        place = {"C": 0 if self._interleaved else channel, "Z": z}
        loose = channel if self.loose > 1 else 0
        index = [place.get(axis, loose if n > 1 else 0) for axis, n in self._axes.items()]
        page_index = int(np.ravel_multi_index(index, tuple(self._axes.values()))) if index else 0
        with decoding(self._name, "its pixels cannot be decoded"):
            pixels = self._window(page_index, box)
        return pixels if sample is None else pixels[..., sample : sample + 1]

    def _window(self, page_index: int, box: WorkingBox) -> npt.NDArray[Any]:
        rows, cols = slice(box.row, box.row + box.height), slice(box.col, box.col + box.width)
        if self._mapped is not None:
            return np.asarray(self._mapped[page_index, rows, cols])
        page = self._series.pages[page_index]
        return decode_window(self._tif.filehandle, page, box)

    def close(self) -> None:
        """Release the file."""
        self._tif.close()


def _ome_head(tif: Any) -> OmeHead | None:
    return read_ome_head(tif.ome_metadata) if tif.is_ome and tif.ome_metadata else None


def _check_colours(page: Any, name: str) -> None:
    """Refuse pixels that are no intensities of light: ink (CMYK), Lab, numbers of colours."""
    space = int(page.photometric)
    if space in _GREY or space in _RGB or (space == _PALETTE and _is_ramp(page.colormap)):
        return
    label = {5: "CMYK", 8: "Lab", _PALETTE: "a palette"}.get(space, f"an unusual colour space ({space})")
    raise UnsuitableImageError(
        name,
        f"its colours are coded as {label}, which states no intensities; export it as RGB or grey levels",
        code="pixel_type",
    )


def _is_ramp(colours: npt.NDArray[Any] | None) -> bool:
    """Whether a palette (3, N) only tints grey levels, as acquisition software does with one channel."""
    if colours is None:
        return False
    steps = np.diff(colours.astype(np.int64), axis=1)
    return bool((steps >= 0).all() and (steps > 0).any(axis=0).mean() > 0.9)


def _next_page_offset(tif: Any) -> int:
    """Offset that the last readable page gives for a further one; 0 where the chain ends."""
    layout, last = tif.tiff, tif.pages[-1]
    tif.filehandle.seek(last.offset)
    (tags,) = struct.unpack(layout.tagnoformat, tif.filehandle.read(layout.tagnosize))
    tif.filehandle.seek(last.offset + layout.tagnosize + tags * layout.tagsize)
    (offset,) = struct.unpack(layout.offsetformat, tif.filehandle.read(layout.offsetsize))
    return int(offset)


def _leading_axes(series: Any) -> dict[str, int]:
    return {a: int(n) for a, n in zip(series.axes, series.shape, strict=True) if a not in _LAST_AXES}


def decode_window(handle: Any, page: Any, box: WorkingBox) -> npt.NDArray[Any]:
    """Decode only the tiles or strips of a page that touch `box`."""
    keyframe = page.keyframe
    height, width = (
        (keyframe.tilelength, keyframe.tilewidth)
        if keyframe.is_tiled
        else (
            keyframe.rowsperstrip,
            keyframe.imagewidth,
        )
    )
    across, down = -(-keyframe.imagewidth // width), -(-keyframe.imagelength // height)
    separate = keyframe.samplesperpixel if keyframe.planarconfig == 2 else 1
    out = np.zeros((box.height, box.width, keyframe.samplesperpixel), keyframe.dtype)
    for plane in range(separate):
        for row in range(box.row // height, min(down, -(-(box.row + box.height) // height))):
            for col in range(box.col // width, min(across, -(-(box.col + box.width) // width))):
                index = (plane * down + row) * across + col
                handle.seek(page.dataoffsets[index])
                data = handle.read(page.databytecounts[index])
                segment, place, shape = keyframe.decode(data, index, jpegtables=keyframe.jpegtables)
                samples = slice(plane, plane + 1) if separate > 1 else slice(None)
                _paste(out[..., samples], segment[0, : shape[1], : shape[2]], place[2:4], box)
    return out


def _paste(
    out: npt.NDArray[Any], segment: npt.NDArray[Any], corner: tuple[int, int], box: WorkingBox
) -> None:
    top, left = corner[0] - box.row, corner[1] - box.col
    rows = slice(max(top, 0), min(top + segment.shape[0], box.height))
    cols = slice(max(left, 0), min(left + segment.shape[1], box.width))
    out[rows, cols] = segment[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
