"""Speed of reading working pixels: the fast path to TIFF tiles against OpenSlide.

Reads the whole slide in cores of 2048 pixels with their margin, as `ihc_cells` does.  Without
arguments a synthetic core of 5468 x 5468 pixels at 0.25 µm/px is written and read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from her2path.domain.geometry import tile_grid, working_size
from her2path.io.slides.opening import open_slide
from her2path.io.slides.openslide import OpenSlideLevels
from her2path.io.slides.pyramid import PyramidSlide, StatedPixelSize
from her2path.io.slides.source import WorkingBox
from tests.support.slides import textured, write_pyramid

MARGIN = 48


def openslide_only(path: Path) -> PyramidSlide:
    """Open a slide without the fast path."""
    return PyramidSlide(OpenSlideLevels(path, name="bench"), vendor="bench", stated=StatedPixelSize(None, ""))


def fast(path: Path) -> PyramidSlide:
    """Open a slide as her2path does."""
    return open_slide(path, name="bench")


def seconds(
    path: Path, opened: Callable[[Path], PyramidSlide], downsample: float, threads: int
) -> tuple[float, float]:
    """Seconds to read all tiles, and the working megapixels that were wanted (margins not counted)."""
    with opened(path) as slide:
        size = working_size(slide.size_px0, downsample)
        boxes = [
            WorkingBox(t.row - MARGIN, t.col - MARGIN, t.height + 2 * MARGIN, t.width + 2 * MARGIN)
            for t in tile_grid(size, 2048)
        ]
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(lambda box: slide.read(box, downsample=downsample), boxes):
                pass
        return time.perf_counter() - start, size[0] * size[1] / 1e6


def main() -> None:
    """Print a table: working pixels per second by reader, downsampling and threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", nargs="?", type=Path, help="a slide; default: a synthetic core")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = options.slide or write_pyramid(Path(folder) / "core.tif", textured(5468, 5468), levels=5)
        sys.stdout.write(f"{'reader':<10} {'downsample':>10} {'threads':>7} {'s':>7} {'Mpx/s':>7}\n")
        for name, opened in (("OpenSlide", openslide_only), ("fast path", fast)):
            for downsample in (1.0, 2.0, 2.1911, 3.0):
                for threads in (1, 2):
                    runs = [seconds(path, opened, downsample, threads) for _ in range(options.repeat)]
                    best, mpx = min(runs)
                    row = f"{name:<10} {downsample:>10.4g} {threads:>7} {best:>7.3f} {mpx / best:>7.1f}\n"
                    sys.stdout.write(row)


if __name__ == "__main__":
    main()
