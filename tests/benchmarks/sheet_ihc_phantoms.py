"""Set crops of real cores beside random phantoms on one sheet, at 100 % zoom, to be looked at.

    python -m tests.benchmarks.sheet_ihc_phantoms --out sheet.png --cores DIR --mpp 0.5 --seed 500100

Columns alternate: a real crop (where cores are given), then a phantom.  Every second phantom wears
the `crisp` style, which is the one of the gastro-oesophageal cores; the others wear any.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.phantoms.ihc_spec import STYLES

ADAPTATION_CORES = ("core_9b0f", "core_154a", "core_da59", "core_a1f1")
"""Cores that phantoms may be compared with; the others are held out for validation."""


def real_crop(path: Path, *, side: int, mpp: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Cut a square of tissue from a core of 0.25 µm/px; shape (side, side, 3)."""
    core = tifffile.imread(path)
    span = round(side * mpp / 0.25)
    best = core[:span, :span]
    for _ in range(12):
        row, col = (int(rng.integers(core.shape[axis] - span)) for axis in (0, 1))
        crop = core[row : row + span, col : col + span]
        # Most of the squares tried are tissue; the most textured one is kept.
        if crop[::4, ::4].std() > best[::4, ::4].std():
            best = crop
    return np.asarray(cv2.resize(best, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cores", type=Path)
    parser.add_argument("--mpp", type=float, default=0.5)
    parser.add_argument("--side", type=int, default=420)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--seed", type=int, default=500_100)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    tiles = []
    for place in range(2 * asked.rows):
        if asked.cores:
            core = asked.cores / f"{ADAPTATION_CORES[place % len(ADAPTATION_CORES)]}.tif"
            tiles.append(real_crop(core, side=asked.side, mpp=asked.mpp, rng=rng))
        spec = random_spec(asked.seed + place, size_px=asked.side, mpp=asked.mpp)
        if place % 2 == 0:
            spec = replace(spec, style=STYLES["crisp"])
        tiles.append(render_ihc(spec).rgb)
    columns = len(tiles) // asked.rows
    rows = [np.hstack(tiles[at : at + columns]) for at in range(0, len(tiles), columns)]
    cv2.imwrite(str(asked.out), np.vstack(rows)[..., ::-1])


if __name__ == "__main__":
    main()
