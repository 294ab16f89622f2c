"""A synthetic fluorescence scan: two pieces of tissue more than 1 mm apart on an empty slide.

``python -m tests.support.fish_scan FILE`` writes one of 12 000 x 12 000 pixels; with ``--measure DIR`` it
is then read as an operator does, and seconds and peak memory are printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.domain.ish import IshGroup
from her2path.imaging.phantoms.fish import FishPhantomSpec, render_fish, spec_for_group
from tests.support.fish_fields import NAMES

TILE = 512
MPP = 0.16
PATCH_PX = 1024
SEED = 516_000
Planes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Tissue:
    """A rectangle of tissue in patches of 1024 pixels."""

    row: int
    col: int
    rows: int
    cols: int
    blurred: bool = False
    """Out of focus: denser than the rest, so that nuclei alone would choose it."""

    def holds(self, row: int, col: int) -> bool:
        """Whether a patch is part of it."""
        return self.row <= row < self.row + self.rows and self.col <= col < self.col + self.cols


SLIDE = (Tissue(0, 0, 4, 3), Tissue(8, 9, 3, 2), Tissue(9, 0, 3, 3, blurred=True))


def write_scan(path: Path, *, side_px: int = 12_000, pieces: tuple[Tissue, ...] = SLIDE) -> Path:
    """Write a tiled, compressed OME-TIFF of three channels; one patch is kept in memory at a time."""
    base = FishPhantomSpec(seed=SEED, width_px=PATCH_PX, height_px=PATCH_PX, mpp=MPP, artefacts=0.5)
    sharp = render_fish(spec_for_group(IshGroup.GROUP_1, base)).planes
    blurred = np.stack([cv2.GaussianBlur(plane, (0, 0), 6.0) for plane in sharp])
    levels = [float(np.percentile(plane, 5)) for plane in sharp]
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": list(NAMES)},
        **{f"PhysicalSize{axis}": MPP for axis in "XY"},
        **{f"PhysicalSize{axis}Unit": "µm" for axis in "XY"},
    }
    tifffile.imwrite(
        path,
        _tiles((sharp, blurred), levels, side_px, pieces),
        shape=(3, side_px, side_px),
        dtype=np.uint16,
        tile=(TILE, TILE),
        compression="zlib",
        compressionargs={"level": 1},
        photometric="minisblack",
        ome=True,
        metadata=metadata,
    )
    return path


def _tiles(
    kinds: tuple[Planes, Planes], levels: list[float], side_px: int, pieces: tuple[Tissue, ...]
) -> Iterator[Planes]:
    """Give the tiles of every channel in reading order; patches are turned so that none repeats."""
    count = -(-side_px // TILE)
    parts = PATCH_PX // TILE
    for channel in range(3):
        empty = np.random.default_rng(channel).normal(levels[channel], 4.0, (TILE, TILE))
        for row in range(count):
            for col in range(count):
                patch_row, patch_col = row // parts, col // parts
                piece = next((p for p in pieces if p.holds(patch_row, patch_col)), None)
                if piece is None:
                    yield np.clip(empty, 0, 4095).astype(np.uint16)
                    continue
                patch = np.rot90(kinds[int(piece.blurred)][channel], patch_row + 2 * patch_col)
                down, right = TILE * (row % parts), TILE * (col % parts)
                yield np.ascontiguousarray(patch[down : down + TILE, right : right + TILE])


def measure(scan: Path, out: Path) -> Iterator[str]:
    """Run `her2path fish` in a process of its own; give seconds, memory and what was found."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "her2path.cli.main", "fish", str(scan), "--out", str(out), "--id", "scan"],
        check=False,
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield f"exit {done.returncode}, {seconds:.0f} s, peak memory {peak:.0f} MiB"
    folder = out / "images" / "scan"
    quality = json.loads((folder / "quality.json").read_text(encoding="utf-8"))["result"]
    for field in quality["fields"]:
        yield json.dumps(field)
    counts = json.loads((folder / "fish_counts.json").read_text(encoding="utf-8"))["result"]
    yield f"{len(counts['nuclei'])} nuclei in {counts['areas']} areas"


def main() -> None:
    """Write a scan, and measure it if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--measure", type=Path, metavar="DIR")
    asked = parser.parse_args()
    scan = asked.file if asked.file.is_file() else write_scan(asked.file)
    if asked.measure:
        for line in measure(scan, asked.measure):
            sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
