"""Tiled TIFF and SVS pyramids, decoded tile by tile without OpenSlide's drawing.

OpenSlide paints every tile through a drawing library; the codec alone yields the same pixels several
times as fast.  This path is taken only where it is provably the same: one 8-bit RGB plane, every
level of OpenSlide has exactly one tiled page of its size, no tile is missing, and a tile of each
level has been decoded both ways and compared.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.errors import UnreadableImageError
from her2path.io.damage import decoding
from her2path.io.slides.pyramid import Levels

Decoder = Callable[[bytes, int], npt.NDArray[np.uint8]]

_LOSSLESS = (
    tifffile.COMPRESSION.NONE,
    tifffile.COMPRESSION.LZW,
    tifffile.COMPRESSION.ADOBE_DEFLATE,
    tifffile.COMPRESSION.DEFLATE,
)
_JPEG_COLOURS: dict[int, str] = {tifffile.PHOTOMETRIC.RGB: "RGB", tifffile.PHOTOMETRIC.YCBCR: "YCBCR"}

_MAX_DIFFERENCE = 12.0
"""Mean difference in grey levels of a reduced level from level 0: two kernels and two JPEGs apart, but
not a different picture."""
_MAX_TILE_PIXELS = 2**26
"""Far beyond any real tile (slides use 240 to 4096 pixels a side)."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Where the tiles of one level lie in the file and how they are decoded."""

    size: tuple[int, int]
    tile: tuple[int, int]
    offsets: tuple[int, ...]
    bytecounts: tuple[int, ...]
    decode: Decoder


class TiffLevels:
    """Levels whose tiles are read at their offsets; reads share no state, so threads need no lock."""

    def __init__(self, path: Path, levels: tuple[_Level, ...], *, name: str) -> None:
        self._levels = levels
        self._name = name
        self._file = os.open(path, os.O_RDONLY)
        self.sizes: tuple[tuple[int, int], ...] = tuple(level.size for level in levels)

    def read(self, level: int, *, row: int, col: int, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """RGB of a box that lies wholly within `level`.

        Raises
        ------
        UnreadableImageError
            A tile is damaged.
        """
        width, height = self._levels[level].tile
        out = np.empty((*shape, 3), dtype=np.uint8)
        for top in range(row // height * height, row + shape[0], height):
            for left in range(col // width * width, col + shape[1], width):
                tile = self._tile(level, top // height, left // width)
                r0, c0 = max(top, row), max(left, col)
                r1, c1 = min(top + height, row + shape[0]), min(left + width, col + shape[1])
                out[r0 - row : r1 - row, c0 - col : c1 - col] = tile[
                    r0 - top : r1 - top, c0 - left : c1 - left
                ]
        return out

    def _tile(self, number: int, tile_row: int, tile_col: int) -> npt.NDArray[np.uint8]:
        level = self._levels[number]
        index = tile_row * -(-level.size[0] // level.tile[0]) + tile_col
        data = os.pread(self._file, level.bytecounts[index], level.offsets[index])
        with decoding(self._name, f"tile {index} of level {number} is damaged"):
            return level.decode(data, index)

    def close(self) -> None:
        """Release the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def fast_levels(path: Path, slow: Levels, *, name: str) -> TiffLevels | None:
    """Open the fast path to a TIFF pyramid; None if it is not provably the same as `slow`.

    Where OpenSlide sees one level only, the reduced levels of an OME-TIFF are added to it.
    """
    with tifffile.TiffFile(path) as tiff:
        pages = _pages(tiff)
        matching = [[page for page in pages if page.is_tiled and _size(page) == size] for size in slow.sizes]
        if any(len(found) != 1 for found in matching):
            return None
        levels = [_level(found[0]) for found in matching]
        sub_levels = _sub_levels(matching[0][0]) if len(matching) == 1 else []
    whole = tuple(level for level in levels if level is not None)
    if len(whole) < len(levels):
        return None
    fast = TiffLevels(path, whole + tuple(sub_levels), name=name)
    if all(_is_reduction(fast, number) for number in range(len(whole), len(fast.sizes))):
        whole += tuple(sub_levels)
    same = all(_same(fast, slow, number) for number in range(len(slow.sizes)))
    fast.close()
    return TiffLevels(path, whole, name=name) if same else None


def check_segments(tiff: tifffile.TiffFile, *, name: str) -> None:
    """Check that all tiles and strips of all pages lie within the file.

    A cut-off file often opens well and shows its damage only where the missing part is read.

    Raises
    ------
    UnreadableImageError
        A tile or strip ends beyond the end of the file, or the tiles do not make up the image.
    """
    size = tiff.filehandle.size
    if not tiff.is_ndpi and not all(_tiles_fit(page) for page in _pages(tiff) if page.is_tiled):
        raise UnreadableImageError(name, "its tiles do not make up the image: its TIFF structure is damaged")
    ends = [
        offset + count
        for page in tiff.pages
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True)
    ]
    if ends and max(ends) > size:
        lost = max(ends) - size
        raise UnreadableImageError(
            name, f"the file is truncated: at least {lost} bytes of pixels are missing"
        )


def _pages(tiff: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    return [page if isinstance(page, tifffile.TiffPage) else page.aspage() for page in tiff.pages]


def _size(page: tifffile.TiffPage) -> tuple[int, int]:
    return page.imagewidth, page.imagelength


def _tiles_fit(page: tifffile.TiffPage) -> bool:
    # OpenSlide believes these tags: it ends the whole process where memory for an absurd tile is short.
    if not 0 < page.tilewidth * page.tilelength <= _MAX_TILE_PIXELS:
        return False
    tiles = -(-page.imagewidth // page.tilewidth) * -(-page.imagelength // page.tilelength) * page.imagedepth
    planes = page.samplesperpixel if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE else 1
    return bool(len(page.dataoffsets) == tiles * planes)


def _level(page: tifffile.TiffPage) -> _Level | None:
    decode = _decoder(page)
    plain = (
        page.dtype == np.uint8
        and page.samplesperpixel == 3
        and page.bitspersample == 8
        and page.planarconfig == tifffile.PLANARCONFIG.CONTIG
        and page.imagedepth == 1
        and len(page.dataoffsets) == len(page.databytecounts)
        and min(page.databytecounts) > 0
    )
    if decode is None or not plain:
        return None
    tile = (page.tilewidth, page.tilelength)
    return _Level(_size(page), tile, tuple(page.dataoffsets), tuple(page.databytecounts), decode)


def _decoder(page: tifffile.TiffPage) -> Decoder | None:
    shape = (page.tilelength, page.tilewidth, 3)
    if page.compression == tifffile.COMPRESSION.JPEG and page.photometric in _JPEG_COLOURS:
        tables, colour = page.jpegtables, _JPEG_COLOURS[page.photometric]

        def decode_jpeg(data: bytes, _index: int) -> npt.NDArray[np.uint8]:
            # libjpeg decodes a cut-off or overwritten tile without complaint, so its ends are checked.
            if data[:2] != b"\xff\xd8" or data.rstrip(b"\0")[-2:] != b"\xff\xd9":
                raise ValueError("its JPEG start or end marker is missing")
            rgb = imagecodecs.jpeg8_decode(data, tables=tables, colorspace=colour, outcolorspace="RGB")
            return _checked(np.asarray(rgb), shape)

        return decode_jpeg
    if page.compression in _LOSSLESS and page.photometric == tifffile.PHOTOMETRIC.RGB:

        def decode_lossless(data: bytes, index: int) -> npt.NDArray[np.uint8]:
            return _checked(np.asarray(page.decode(data, index, _fullsize=True)[0]).reshape(shape), shape)

        return decode_lossless
    return None


def _checked(tile: npt.NDArray[np.uint8], shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    if tile.shape != shape or tile.dtype != np.uint8:
        raise ValueError(f"it decodes to {tile.shape}, not {shape}")
    return tile


def _sub_levels(page: tifffile.TiffPage) -> list[_Level]:
    """Coarser levels that OME-TIFF keeps in the sub-directories of a page, where OpenSlide sees none."""
    found: list[_Level] = []
    size = _size(page)
    for sub in page.pages or ():
        part = sub if isinstance(sub, tifffile.TiffPage) else sub.aspage()
        level = _level(part) if part.is_tiled and _tiles_fit(part) else None
        if level is None or level.size[0] >= size[0] or level.size[1] >= size[1]:
            return found
        size = level.size
        found.append(level)
    return found


def _is_reduction(levels: Levels, number: int) -> bool:
    """Tell whether a level shows level 0 reduced: compare the middle of both."""
    (width, height), (small_width, small_height) = levels.sizes[0], levels.sizes[number]
    factor = width / small_width
    shape = (min(64, small_height), min(64, small_width))
    row, col = (small_height - shape[0]) // 2, (small_width - shape[1]) // 2
    top, left = round(row * factor), round(col * factor)
    full_shape = (min(round(shape[0] * factor), height - top), min(round(shape[1] * factor), width - left))
    full = levels.read(0, row=top, col=left, shape=full_shape)
    reduced = cv2.resize(full, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.int16)
    return bool(np.abs(reduced - levels.read(number, row=row, col=col, shape=shape)).mean() < _MAX_DIFFERENCE)


def _same(fast: Levels, slow: Levels, level: int) -> bool:
    width, height = fast.sizes[level]
    shape = (min(64, height), min(64, width))
    row, col = (height - shape[0]) // 2, (width - shape[1]) // 2
    one = fast.read(level, row=row, col=col, shape=shape)
    return np.array_equal(one, slow.read(level, row=row, col=col, shape=shape))
