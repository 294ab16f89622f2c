"""Large slides made of real cores (of phantoms where these are missing), written tile by tile.

A core is put into a square block of glass and compressed once; the slide repeats the compressed
tiles, so that a slide of any size is written with the memory of its blocks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec

ROOT = Path(__file__).resolve().parents[2]
CORES = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data")) / "ihc_cores"
TILE_PX = 256
BLOCK_PX = 24 * TILE_PX
"""A core of 5468 pixels with glass around it; a quarter of it is whole tiles, too."""
MPP = 0.25
QUALITY = 85
_FACTOR = 4

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Block:
    """A core on glass with the compressed tiles of its first two levels, and its third."""

    tiles: tuple[tuple[tuple[bytes, ...], ...], ...]
    """By level, row, column."""
    small: Rgb
    """The block at a sixteenth of its size."""


def core_files() -> list[Path]:
    """The real cores; empty where they are missing."""
    return sorted(CORES.glob("core_*.tif"))


def blocks() -> list[Block]:
    """All real cores as blocks, or two phantoms."""
    if files := core_files():
        return [_block(tifffile.imread(file, key=0)) for file in files]
    specs = [
        IhcPhantomSpec(
            seed=500_900 + n,
            width_px=4096,
            height_px=4096,
            mpp=MPP,
            classes=SCORE_PRESETS[score],
            island=True,
        )
        for n, score in enumerate(("1+", "2+"))
    ]
    return [_block(render_ihc(spec).rgb) for spec in specs]


def _block(core: Rgb) -> Block:
    edge = np.concatenate([core[0], core[-1], core[:, 0], core[:, -1]])
    whole = np.empty((BLOCK_PX, BLOCK_PX, 3), np.uint8)
    whole[:] = np.median(edge, axis=0).astype(np.uint8)
    top, left = (BLOCK_PX - core.shape[0]) // 2, (BLOCK_PX - core.shape[1]) // 2
    whole[top : top + core.shape[0], left : left + core.shape[1]] = core
    levels = [whole, _reduced(whole)]
    return Block(tuple(_cut(level) for level in levels), _reduced(levels[1]))


def _reduced(rgb: Rgb) -> Rgb:
    size = (rgb.shape[1] // _FACTOR, rgb.shape[0] // _FACTOR)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _cut(rgb: Rgb) -> tuple[tuple[bytes, ...], ...]:
    starts = range(0, len(rgb), TILE_PX)
    return tuple(
        tuple(_encoded(rgb[row : row + TILE_PX, col : col + TILE_PX]) for col in starts) for row in starts
    )


def _encoded(tile: Rgb) -> bytes:
    return bytes(
        imagecodecs.jpeg8_encode(
            np.ascontiguousarray(tile), level=QUALITY, colorspace="rgb", outcolorspace="ycbcr"
        )
    )


def write_mosaic(
    path: Path, given: Sequence[Block], *, width_px: int, height_px: int, filled: int | None = None
) -> int:
    """Write a pyramid of blocks side by side; return how many of them show a core.

    Parameters
    ----------
    path : Path
    given : sequence of Block
        Repeated in turn.
    width_px, height_px : int
        Size of level 0.
    filled : int, optional
        Number of blocks that show a core, spread evenly; the others are glass.  All by default.
    """
    columns, rows = -(-width_px // BLOCK_PX), -(-height_px // BLOCK_PX)
    count = columns * rows
    chosen = np.linspace(0, count - 1, count if filled is None else filled).round().astype(int)
    place: dict[int, Block] = {int(at): given[n % len(given)] for n, at in enumerate(chosen)}
    glass = np.full((TILE_PX, TILE_PX, 3), given[0].small[0, 0], np.uint8)
    blank = _encoded(glass)
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for level in range(2):
            step = _FACTOR**level
            shape = (-(-height_px // step), -(-width_px // step), 3)
            options = _options(step, first=level == 0) | {"photometric": "ycbcr", "subsampling": (2, 2)}
            tiff.write(_tiles(place, columns, level, shape, blank), shape=shape, dtype=np.uint8, **options)
        small = np.empty((rows * BLOCK_PX // 16, columns * BLOCK_PX // 16, 3), np.uint8)
        small[:] = glass[0, 0]
        side = BLOCK_PX // 16
        for at, block in place.items():
            row, col = at // columns * side, at % columns * side
            small[row : row + side, col : col + side] = block.small
        small = small[: -(-height_px // 16), : -(-width_px // 16)]
        tiff.write(small, photometric="rgb", **_options(16, first=False))
    return len(place)


def _options(step: int, *, first: bool) -> dict[str, object]:
    per_cm = 1e4 / (MPP * step)
    return {
        "compression": "jpeg",
        "tile": (TILE_PX, TILE_PX),
        "subfiletype": 0 if first else 1,
        "resolution": (per_cm, per_cm),
        "resolutionunit": "CENTIMETER",
        "metadata": None,
        "software": False,
    }


def _tiles(
    place: dict[int, Block], columns: int, level: int, shape: tuple[int, ...], blank: bytes
) -> Iterator[bytes]:
    per_block = BLOCK_PX // _FACTOR**level // TILE_PX
    for row in range(-(-shape[0] // TILE_PX)):
        for col in range(-(-shape[1] // TILE_PX)):
            block = place.get(row // per_block * columns + col // per_block)
            yield blank if block is None else block.tiles[level][row % per_block][col % per_block]
