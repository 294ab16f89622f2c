"""Speed and truth of the IHC measurement: tissue to scored cells on a core, and phantoms against truth.

Speed counts working pixels of the whole image (0.5 µm) per second of wall time with two workers,
from opening the slide to scored cells on disk (intake, quality, tiles, cells); the picture and the
QuPath objects of `ihc_score` are timed beside it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from scipy.spatial import cKDTree

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, IhcPhantomSpec
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.tables import IHC_CELLS, read_table
from tests.support.ihc_chain import find_cells, prepare, score

WORKING_MPP = 0.5
PHANTOM_PX = 1536
ROOT = Path(__file__).resolve().parents[2]


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")


def write_slide(path: Path, rgb: np.ndarray, mpp: float) -> Path:
    """Write a tiled pyramid of two levels."""
    with tifffile.TiffWriter(path) as tiff:
        for level in range(2):
            step = 2**level
            tiff.write(
                rgb[::step, ::step],
                subfiletype=int(level > 0),
                tile=(256, 256),
                compression="jpeg",
                photometric="rgb",
                metadata=None,
                resolution=(1e4 / mpp / step,) * 2,
                resolutionunit=3,
            )
    return path


def speed(folder: Path) -> None:
    """Time the steps on the real cores, or on a phantom where they are missing."""
    data = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data")) / "ihc_cores"
    slides = sorted(data.glob("core_*.tif"))
    mpp = 0.25
    if not slides:
        spec = IhcPhantomSpec(seed=1, width_px=2734, height_px=2734, mpp=0.5, classes=SCORE_PRESETS["2+"])
        slides, mpp = [write_slide(folder / "phantom.tif", render_ihc(spec).rgb, 0.5)], 0.5
    say(
        f"{'image':<12} {'Mpx':>6} {'quality+tiles':>14} {'cells':>7} {'score':>7} "
        f"{'cells found':>12} {'Mpx/s':>7}"
    )
    for slide in slides:
        with tifffile.TiffFile(slide) as tiff:
            height, width = tiff.pages.first.shape[:2]
        pixels = height * width * (mpp / WORKING_MPP) ** 2 / 1e6
        marks = [time.perf_counter()]
        at, sheet = prepare(slide, folder / slide.stem, mpp=mpp)
        marks.append(time.perf_counter())
        find_cells(slide, at, sheet, workers=2)
        marks.append(time.perf_counter())
        found = read_table(at.cells, IHC_CELLS).num_rows
        score(slide, at)
        marks.append(time.perf_counter())
        first, second, third = np.diff(marks)
        rate = pixels / (first + second)
        say(
            f"{slide.stem:<12} {pixels:6.1f} {first:14.2f} {second:7.2f} {third:7.2f} {found:12d} {rate:7.1f}"
        )


def truth(folder: Path) -> None:
    """Hold phantoms against what they were made with."""
    say(
        f"\n{'style':<8} {'made as':<9} {'scored':<7} {'H':>6} {'H true':>7} "
        f"{'found %':>8} {'tumour % of scored':>19}"
    )
    for style in STYLES.values():
        for preset, classes in SCORE_PRESETS.items():
            spec = IhcPhantomSpec(
                seed=21, width_px=PHANTOM_PX, height_px=PHANTOM_PX, mpp=0.5, classes=classes, style=style
            )
            phantom = render_ihc(spec)
            name = f"{style.name}-{preset.replace('+', 'p')}"
            slide = write_slide(folder / f"{name}.tif", phantom.rgb, 0.5)
            at, sheet = prepare(slide, folder / name)
            find_cells(slide, at, sheet, workers=2)
            score(slide, at)
            result = read_document(at.score, IhcScoreDoc).result
            table = read_table(at.cells, IHC_CELLS)
            xy = np.column_stack([table["x_px0"].to_numpy(), table["y_px0"].to_numpy()])
            scored = np.array([word is None for word in table["exclusion"].to_pylist()])
            cells = phantom.cells
            real = np.isfinite(cells.nucleus_x_px0)
            places = np.column_stack([cells.nucleus_x_px0, cells.nucleus_y_px0])
            near, _ = cKDTree(xy).query(places[real & cells.is_tumour])
            match, of = cKDTree(places[real]).query(xy[scored])
            right = (match < 6) & cells.is_tumour[real][of]
            expected = phantom.truth.expressed.h_score or 0.0
            say(
                f"{style.name:<8} {preset:<9} {result.score:<7} {result.h_score:6.1f} {expected:7.1f} "
                f"{100 * (near < 6).mean():8.1f} {100 * right.mean():19.1f}"
            )


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name))
        truth(Path(name))


if __name__ == "__main__":
    main()
