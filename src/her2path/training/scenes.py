"""Phantoms for training: composed once per seed, photographed several times, kept as files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_random import random_spec, random_style
from her2path.imaging.stain import StainModel
from her2path.imaging.stain_estimation import estimate_stain_model
from her2path.io.files import replacing
from her2path.training.targets import Targets, targets_of

WORKING_MPP = 0.5
"""Pixel size of all scenes in µm."""
SEEDS = range(1_000_000, 1_900_000)
"""Seeds of scenes that a model may be trained on."""
HELD_OUT_SEEDS = range(1_900_000, 2_000_000)
"""Seeds of scenes that its card is measured on."""

_MPP = 0.5


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene as a network learns it."""

    rgb: npt.NDArray[np.uint8]
    """Photographs, shape (V, M, N, 3)."""
    stains: npt.NDArray[np.float64]
    """White point, hematoxylin and DAB as estimated from each photograph, shape (V, 3, 3)."""
    targets: Targets

    def stain_model(self, variant: int) -> StainModel:
        """Stain model of one photograph."""
        white, hematoxylin, dab = (tuple(float(v) for v in row) for row in self.stains[variant])
        return StainModel(white, hematoxylin, dab)  # type: ignore[arg-type]


def compose_scene(seed: int, *, side_px: int, variants: int) -> Scene:
    """Compose a random scene at 0.5 µm/px and photograph it with random colours and optics.

    Parameters
    ----------
    seed : int
    side_px : int
        Edge, a multiple of eight.
    variants : int
        Photographs, each of a style of its own.

    Returns
    -------
    Scene
        With stain models estimated from the photographs as they would be from a slide.
    """
    scene = compose_ihc(random_spec(seed, size_px=side_px, mpp=WORKING_MPP))
    rgb, stains = [], []
    for variant in range(variants):
        rng = np.random.default_rng([seed, variant])
        # The first photograph is the scene's own, whose densities belong to its style.
        style = random_style(rng) if variant else scene.spec.style
        picture = photograph(scene, style, seed=int(rng.integers(2**31)))
        model = stain_model_of(picture)
        rgb.append(picture)
        stains.append([model.white, model.hematoxylin, model.dab])
    return Scene(np.stack(rgb), np.array(stains, np.float64), targets_of(scene))


def stain_model_of(rgb: npt.NDArray[np.uint8]) -> StainModel:
    """Estimate white point and vectors from a picture as `slide_quality` does from a slide."""
    return estimate_stain_model(rgb, mpp=_MPP)


def write_scene(path: Path, scene: Scene) -> None:
    """Write a scene, whole or not at all."""
    arrays = {field.name: getattr(scene.targets, field.name) for field in fields(Targets)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, rgb=scene.rgb, stains=scene.stains, **arrays)


def read_scene(path: Path) -> Scene:
    """Read a scene."""
    with np.load(path) as arrays:
        targets = Targets(**{field.name: arrays[field.name] for field in fields(Targets)})
        return Scene(arrays["rgb"], arrays["stains"], targets)
