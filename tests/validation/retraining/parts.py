"""The parts of the study of retraining, which ``python -m tests.validation retraining`` runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from her2path.domain.stats.paired import bootstrap, paired_difference
from her2path.io.model_store import open_model
from her2path.training.evaluation_figures import CELLS, MEAN_RECALL, TUMOUR_NUCLEI, Figure
from tests.validation.measures import Measure
from tests.validation.retraining.study import (
    ARMS,
    BUDGETS,
    SETS,
    SHIPPED,
    Size,
    counts_of,
    named,
    picture,
    retrain,
)
from tests.validation.side_by_side import side_by_side
from tests.validation.store import all_told, keep

Asked = argparse.Namespace
FIGURES: tuple[Figure, ...] = (TUMOUR_NUCLEI, CELLS, MEAN_RECALL)
UNITS = "pictures"


def size_of(asked: Asked) -> Size:
    """Size of the study; a quick one only shows that it runs."""
    return Size(test=4 if asked.quick else 24, epochs=2 if asked.quick else 24, development=asked.dev)


def _fit(job: tuple[int, Path, Size]) -> list[tuple[int, dict[str, dict[str, object]]]]:
    budget, folder, size = job
    return [(budget, retrain(folder / str(budget), budget, size))]


def _retrain(asked: Asked) -> None:
    budgets = list(BUDGETS)[: 1 if asked.quick else None]
    # The largest takes longest and begins first.
    jobs = [(budget, asked.out / "models", size_of(asked)) for budget in reversed(budgets)]
    found = dict(side_by_side(_fit, jobs, processes=asked.processes, what="budgets"))
    made = {str(budget): found[budget] for budget in budgets}
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "models" / "models.json").write_text(json.dumps(made, indent=1), encoding="utf-8")


def _measure_one(job: tuple[str, int, Path, Size]) -> list[list[np.ndarray]]:
    which, number, listing, size = job
    torch.set_num_threads(1)
    models = [
        named(name, Path(str(made["weights"])), made["cuts"]) for name, made in _models(listing).items()
    ]
    return [counts_of(models, picture(which, number, size))]


def _models(listing: Path) -> dict[str, dict[str, object]]:
    """Every model of the study by its name, the shipped one first."""
    shipped = open_model(SHIPPED)
    found: dict[str, dict[str, object]] = {
        SHIPPED: {"weights": str(shipped.weights_path), "cuts": shipped.card.calibration.cuts}
    }
    made = json.loads(listing.read_text(encoding="utf-8"))
    for budget, arms in made.items():
        found |= {f"{arm}, {budget} cells": arms[arm] for arm in ARMS}
    return found


def _measure(asked: Asked, which: str) -> None:
    size, listing = size_of(asked), asked.out / "models" / "models.json"
    jobs = [(which, number, listing, size) for number in range(size.test)]
    counts = list(side_by_side(_measure_one, jobs, processes=asked.processes, what=which))
    names = list(_models(listing))
    by_model = {name: np.stack([row[place] for row in counts]) for place, name in enumerate(names)}
    part = which.replace(" ", "_")
    for name, own in by_model.items():
        rows = [_row(figure, own, which) for figure in FIGURES]
        gains = [] if name == SHIPPED else [_gain(f, own, by_model[SHIPPED], which) for f in FIGURES]
        keep(asked.out, part, name, all_told([*rows, *gains]))


def _row(figure: Figure, own: np.ndarray, which: str) -> Measure:
    found = bootstrap(own, figure.statistic, units=UNITS)
    value = float("nan") if found.value is None else found.value
    return Measure(figure.title, f"{len(own)} phantoms of {which}", value, "", found.low, found.high)


def _gain(figure: Figure, own: np.ndarray, old: np.ndarray, which: str) -> Measure:
    found = paired_difference(own, old, figure.statistic, units=UNITS)
    value = float("nan") if found.value is None else found.value
    name = f"{figure.title}: gain over {SHIPPED}"
    return Measure(name, f"{len(own)} phantoms of {which}", value, "", found.low, found.high)


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType(
    {"retrain": _retrain} | {which.replace(" ", "_"): partial(_measure, which=which) for which in SETS}
)
QUICK = tuple(PARTS)
ON_DEMAND = frozenset[str]()
