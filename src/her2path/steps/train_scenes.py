"""Step `train_scenes`: compose and photograph the phantoms that a model is fitted to."""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le, MultipleOf
from pydantic import BaseModel, ConfigDict

from her2path.training.catalogue import scene_path, write_catalogue
from her2path.training.scenes import SEEDS, compose_scene, write_scene

log = logging.getLogger(__name__)


class TrainScenesParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    count: Annotated[int, Ge(1), Le(len(SEEDS))] = 288
    """Scenes, of rising seeds."""
    side_px: Annotated[int, Ge(256), Le(4096), MultipleOf(8)] = 1024
    """Edge of a scene at 0.5 µm/px."""
    variants: Annotated[int, Ge(1), Le(16)] = 2
    """Photographs of each scene, each with colours and optics of its own."""


def run(*, scenes: Path, workers: int, params: TrainScenesParams) -> None:
    """Write `scenes.json` and the scenes beside it; scenes that are there already are kept."""
    seeds = list(SEEDS[: params.count])
    jobs = [(scene_path(scenes, seed), seed, params.side_px, params.variants) for seed in seeds]
    missing = [job for job in jobs if not job[0].is_file()]
    log.info("%d scenes to compose, %d are there", len(missing), len(jobs) - len(missing))
    # A fresh process each: what composes draws a gigabyte, and forked threads of OpenCV hang.
    with ProcessPoolExecutor(max_workers=max(1, workers), mp_context=get_context("spawn")) as pool:
        list(pool.map(_compose, missing))
    write_catalogue(scenes, seeds=seeds, side_px=params.side_px, variants=params.variants)


def _compose(job: tuple[Path, int, int, int]) -> None:
    path, seed, side_px, variants = job
    write_scene(path, compose_scene(seed, side_px=side_px, variants=variants))
