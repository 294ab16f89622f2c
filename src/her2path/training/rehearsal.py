"""What a model came from, kept small: scenes that are rehearsed, and labelled ones that guard it.

A network that learns from a few labelled cells forgets what they do not show.  So every lesson
rehearses scenes of the kind that the model was first fitted to [1]_, and a figure on phantoms that
are never taught tells whether it forgets all the same.

References
----------
.. [1] Robins, Connection Science 7:123 (1995) (rehearsal against catastrophic forgetting).
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from her2path.imaging.phantoms.ihc import compose_ihc, photograph
from her2path.imaging.phantoms.ihc_labels import true_cells
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.imaging.stain import StainModel
from her2path.training.catalogue import read_catalogue, read_scenes, scene_path, write_catalogue
from her2path.training.labels import LabelledCell, LabelledImage
from her2path.training.scenes import (
    SEEDS,
    WORKING_MPP,
    Scene,
    compose_scene,
    stain_model_of,
    write_scene,
)

log = logging.getLogger(__name__)
GUARD_SEEDS = range(2_090_000, 2_100_000)
"""Seeds of phantoms that guard a fine-tuning while it runs; its evaluation has others."""


def rehearsal_scenes(folder: Path, *, count: int, side_px: int) -> tuple[list[Scene], str]:
    """Compose scenes of the first seeds that the shipped model was fitted to, or read them if they are there.

    Parameters
    ----------
    folder : Path
        Scenes are kept here, for the next run.
    count, side_px : int
        How many, and their edge.

    Returns
    -------
    scenes : list of Scene
    digest : str
        Of all of them.
    """
    catalogue = folder / f"rehearsal_{side_px}px" / "scenes.json"
    seeds = list(SEEDS[:count])
    missing = [seed for seed in seeds if not scene_path(catalogue, seed).is_file()]
    if missing:
        log.info("%d scenes for the rehearsal to compose, %d are there", len(missing), count - len(missing))
    for seed in missing:
        write_scene(scene_path(catalogue, seed), compose_scene(seed, side_px=side_px, variants=1))
    write_catalogue(catalogue, seeds=seeds, side_px=side_px, variants=1)
    return read_scenes(catalogue), read_catalogue(catalogue).digest


def guard_images(*, count: int, side_px: int) -> list[tuple[LabelledImage, StainModel]]:
    """Compose phantoms with all their labels, which are never taught."""
    found = []
    for seed in GUARD_SEEDS[:count]:
        scene = compose_ihc(random_spec(seed, size_px=side_px, mpp=WORKING_MPP, artefacts=False))
        rgb = photograph(scene)
        image = LabelledImage(
            item_id=f"phantom {seed}",
            origin=(0, 0),
            rgb=rgb,
            cells=tuple(LabelledCell(c.kind, c.cell_xy, c.nucleus_xy) for c in true_cells(scene)),
            regions={},
            instances=None,
            instances_are=None,
            taught=np.ones(rgb.shape[:2], np.bool_),
        )
        found.append((image, stain_model_of(rgb)))
    return found
