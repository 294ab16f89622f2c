"""What hides signals on a FISH slide: red blood cells and bright blobs.

They are drawn before anything else is known of the nuclei, so that the truth can tell which nuclei
they obscure.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_layout import Layout
from her2path.imaging.phantoms.fish_optics import add_gaussian
from her2path.imaging.phantoms.fish_scene import CEP17, DAPI, HER2
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec

Plane = npt.NDArray[np.float32]

_HIDES_E = 300.0
"""Light (photoelectrons) over which a signal can no longer be judged: a fifth of a typical one."""


def render_artefacts(layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator) -> Plane:
    """Light of red blood cells and blobs on the canvas, shape (3, M, N), photoelectrons."""
    light = np.zeros((3, layout.height, layout.width), dtype=np.float32)
    _add_red_cells(light, layout, spec, rng)
    _add_blobs(light, layout, spec, rng)
    return light


def hidden_by(artefacts: Plane) -> npt.NDArray[np.bool_]:
    """Canvas pixels (M, N) at which artefacts outshine what a signal adds in either probe channel."""
    brightest: Plane = np.maximum(artefacts[HER2], artefacts[CEP17])
    return brightest > _HIDES_E


def _add_red_cells(light: Plane, layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator) -> None:
    """Red blood cells: rings of 6 to 7 µm that shine in every colour."""
    area_mm2 = layout.height * layout.width * (spec.mpp / 1000) ** 2
    for _ in range(int(rng.poisson(70 * area_mm2 * spec.artefacts))):
        radius = float(rng.uniform(2.2, 3.2)) / spec.mpp
        row, col = float(rng.uniform(0, layout.height)), float(rng.uniform(0, layout.width))
        wall = float(rng.uniform(0.4, 0.7)) / spec.mpp
        half = int(radius + 4 * wall) + 2
        top, left = max(0, int(row) - half), max(0, int(col) - half)
        bottom, right = min(layout.height, int(row) + half), min(layout.width, int(col) + half)
        if top >= bottom or left >= right:
            continue
        rows, cols = np.mgrid[top:bottom, left:right].astype(np.float32) + np.float32(0.5)
        stretch = float(rng.uniform(0.88, 1.12))
        distance = np.hypot((rows - row) * stretch, (cols - col) / stretch)
        angle = np.arctan2(rows - row, cols - col)
        ring = np.exp(-0.5 * ((distance - radius) / wall) ** 2) + 0.12 * (distance < radius)
        ring *= 1 + 0.25 * np.cos(angle - float(rng.uniform(0, 6.28)))
        level = float(rng.uniform(600, 1500))
        for channel, share in ((DAPI, 0.12), (HER2, 0.55), (CEP17, 1.0)):
            light[channel, top:bottom, left:right] += share * level * ring


def _add_blobs(light: Plane, layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator) -> None:
    """Bright blobs: precipitate and autofluorescent granules, often brighter than the camera's range."""
    area_mm2 = layout.height * layout.width * (spec.mpp / 1000) ** 2
    for _ in range(int(rng.poisson(60 * area_mm2 * spec.artefacts))):
        centre = float(rng.uniform(0, layout.height)), float(rng.uniform(0, layout.width))
        colour = rng.uniform(0.1, 1.0, 3) * np.array([0.3, 1.0, 1.0])
        core = float(rng.uniform(0.5, 1.3)) / spec.mpp
        level = float(rng.uniform(1500, 7000))
        for channel in (DAPI, HER2, CEP17):
            add_gaussian(light[channel], centre, core, float(colour[channel]) * level)
            add_gaussian(light[channel], centre, 2.2 * core, 0.15 * float(colour[channel]) * level)
