"""Phantoms for training: composed once per seed, photographed several times, kept as files."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_random import random_spec, random_style
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
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

_PLAIN, _FAT, _CONTENT = 0.25, 0.12, 0.4
"""Shares of scenes without details of tissue, with fat, and with something in the lumens."""


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


def training_spec(seed: int, *, side_px: int) -> IhcPhantomSpec:
    """Draw what a scene for training shows: a random phantom, but plainer or with more in it at times.

    A network that never saw tissue without details takes their absence for something, and images of other
    programs have details of their own.
    """
    spec = random_spec(seed, size_px=side_px, mpp=WORKING_MPP)
    rng = np.random.default_rng([seed, 77])
    plain, fat, content = rng.random(3)
    fat_fraction, lumen_content = rng.uniform(0.05, 0.35), rng.uniform(0.2, 1.0)
    if plain < _PLAIN or spec.detail is None:
        return replace(spec, detail=None)
    detail = replace(
        spec.detail,
        fat_fraction=round(float(fat_fraction), 4) if fat < _FAT else spec.detail.fat_fraction,
        lumen_content=round(float(lumen_content), 4) if content < _CONTENT else spec.detail.lumen_content,
    )
    return replace(spec, detail=detail)


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
    scene = compose_ihc(training_spec(seed, side_px=side_px))
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
    return estimate_stain_model(rgb, mpp=WORKING_MPP)


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
