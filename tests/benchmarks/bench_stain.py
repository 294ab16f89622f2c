"""Errors of white point and stain vectors over laboratories and scanners, and the real cores' vectors.

Scenes of development seeds are photographed in random styles: no brown at all, few and many brown cells,
nothing but brown, with and without glass.  Errors are angles between unit vectors (degrees) and the
largest difference of a channel of the white point (grey levels).  A vector of a stain that the scene
does not hold stays the published one and is left out.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import tifffile

from her2path.imaging.phantoms.ihc import IhcScene, compose_ihc, photograph
from her2path.imaging.phantoms.ihc_random import random_style
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.imaging.stain_estimation import angle_deg, collect_stain_pixels, estimate_stain_model
from her2path.imaging.stain_verdict import judge_colours, judge_plausibility

FIRST_SEED = 500_700
SIDE_PX = 768
MPP = 0.5
STYLES_EACH = 6
ROOT = Path(__file__).resolve().parents[2]


def scenes() -> Iterator[tuple[str, IhcScene]]:
    """Compose what slides may hold, with glass and without."""
    seed = FIRST_SEED
    for glass, background, tumour in (("glass", 0.25, 0.55), ("no glass", 0.0, 1.0)):
        for preset in ("null", "ultralow", "1+", "2+", "3+"):
            seed += 1
            scene = compose_ihc(
                IhcPhantomSpec(
                    seed=seed,
                    width_px=SIDE_PX,
                    height_px=SIDE_PX,
                    mpp=MPP,
                    classes=SCORE_PRESETS[preset],
                    background_fraction=background,
                    tumour_fraction=tumour,
                )
            )
            yield f"{preset}, {glass}", scene
        yield f"DAB alone, {glass}", replace(scene, hematoxylin=np.zeros_like(scene.hematoxylin))


def errors(name: str, scene: IhcScene, rng: np.random.Generator) -> str:
    """Photograph a scene in several styles and say how far the estimates lie off."""
    rows, refused = [], 0
    for _ in range(STYLES_EACH):
        style = random_style(rng)
        dense = replace(scene, hematoxylin=scene.hematoxylin * np.float32(style.hematoxylin_gain))
        rgb = photograph(dense, style, seed=int(rng.integers(2**31)))
        model = estimate_stain_model(rgb, mpp=MPP)
        refused += judge_colours(collect_stain_pixels([rgb], mpp=MPP, white=model.white), model) is not None
        white = float(np.abs(np.subtract(model.white, style.white)).max())
        blue = angle_deg(model.hematoxylin, style.hematoxylin)
        rows.append(
            (white, blue, model.hematoxylin_weight, angle_deg(model.dab, style.dab), model.dab_weight)
        )
    values = np.array(rows)
    if name.startswith("DAB alone"):
        values[:, 1] = np.nan
    if name.startswith("null"):
        values[:, 3] = np.nan
    mean, worst = values.mean(axis=0), values.max(axis=0)
    cells = [f"{mean[i]:.1f} ({worst[i]:.1f})" if np.isfinite(mean[i]) else "" for i in (0, 1, 3)]
    return (
        f"{name:<22} {cells[0]:>12} {cells[1]:>12} {mean[2]:7.2f} {cells[2]:>12} {mean[4]:7.2f} {refused:8d}"
    )


def real_cores() -> Iterator[str]:
    """State white point, vectors and verdict of each real core."""
    data = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data")) / "ihc_cores"
    for path in sorted(data.glob("core_*.tif")):
        rgb = tifffile.imread(path)
        half = np.asarray(cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        started = time.perf_counter()
        model = estimate_stain_model(half, mpp=MPP)
        seconds = time.perf_counter() - started
        verdict = judge_plausibility(model, collect_stain_pixels([half], mpp=MPP, white=model.white)).verdict
        white, blue, brown = (
            " ".join(f"{part:.{digits}f}" for part in vector)
            for vector, digits in ((model.white, 0), (model.hematoxylin, 2), (model.dab, 2))
        )
        yield (
            f"{path.stem:<12} {white:>12}  {blue:>15} {model.hematoxylin_weight:5.2f}  "
            f"{brown:>15} {model.dab_weight:5.2f}  {verdict} {seconds:5.1f} s"
        )


def main() -> None:
    """Print both tables."""
    sys.stdout.write("mean (worst) error\n")
    sys.stdout.write(
        f"{'scene':<22} {'white':>12} {'hematoxylin':>12} {'weight':>7} "
        f"{'DAB':>12} {'weight':>7} {'refused':>8}\n"
    )
    rng = np.random.default_rng(FIRST_SEED)
    for name, scene in scenes():
        sys.stdout.write(errors(name, scene, rng) + "\n")
        sys.stdout.flush()
    for line in real_cores():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
