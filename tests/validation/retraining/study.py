"""A study of retraining: a laboratory unlike those the shipped model knows, and a few labelled cells of it.

The laboratory is made up (`SOFT_SCANNER`), and so are its slides: random phantoms photographed in its
colours and optics.  A person labels some cells on some of them, never errs, and leaves all others alone.
From these labels three models come: the shipped network with cuts of its own (`--scorer`), a fine-tuned
network with the shipped cuts, and a fine-tuned network with cuts of its own.  Each is measured on pictures
that nobody labelled: of that laboratory, and of the same tissue by the laboratories that the shipped model
knows, so that both how far that model is off and what the others forgot is seen.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import load

from her2path.cli.phantom_training import (
    HELD_OUT_SEEDS,
    OTHER_LABORATORY,
    SEEDS,
    compose_labelled,
    labelled_spec,
    write_labelled_cells,
    write_sheet,
)
from her2path.imaging.phantoms.ihc import compose_ihc
from her2path.imaging.phantoms.ihc_random import random_spec
from her2path.io.dataset_documents import read_dataset
from her2path.io.files import sha256_of
from her2path.io.geojson import read_features
from her2path.io.model_card import CalibrationEntry
from her2path.io.model_store import open_model
from her2path.steps import train_dataset, train_finetune
from her2path.training.evaluation import ready
from her2path.training.evaluation_counts import NamedModel, measure
from her2path.training.evaluation_truth import Truth, truth_of_scene
from her2path.training.scorer_fit import FITTED, fit_to_dataset

SHIPPED = "her2-star-2"
SOFT_SCANNER = replace(
    OTHER_LABORATORY, name="other laboratory, soft scanner", psf_um=0.9, noise=4.0, jpeg_quality=45
)
"""A scanner three times as soft as most, noisy, that compresses hard: the shipped model does worse on it."""
BUDGETS: dict[int, tuple[int, int]] = {50: (5, 10), 200: (10, 20), 1000: (20, 50)}
"""Labelled cells: images they lie on, one of each patient, and cells on each."""
ARMS = ("cuts", "network", "network and cuts")
SETS = ("other laboratory", "own laboratories")
"""The same scenes, stained and photographed by the other laboratory, and each by its own."""
_SIDE_PX = 448
_TEST_PX = 512
_EVERY_FIFTH = 5
"""One patient in five chooses the epoch that is kept."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the study is."""

    test: int
    """Pictures of each of `SETS`."""
    epochs: int
    development: bool
    """Whether seeds are used that a method may be changed after."""


def seeds_of(size: Size) -> tuple[Sequence[int], Sequence[int]]:
    """Seeds of what is labelled, and of the pictures of the other laboratory that are measured."""
    if size.development:
        return SEEDS[5000:6000], SEEDS[6000:7000]
    return HELD_OUT_SEEDS[:1000], HELD_OUT_SEEDS[1000:2000]


def label(folder: Path, budget: int, seeds: Sequence[int]) -> Path:
    """Write images of the other laboratory with some labelled cells each; return the manifest."""
    images, each = BUDGETS[budget]
    rows = []
    for number in range(images):
        spec = labelled_spec(seeds[number], mix="every", side_px=_SIDE_PX)
        patient = f"p{number + 1:02d}"
        found = compose_labelled(replace(spec, style=SOFT_SCANNER))
        row = write_labelled_cells(folder, patient, found, patient_id=patient)
        _keep_some(folder / f"{patient}.geojson", each, seed=seeds[number])
        split = "val" if number % _EVERY_FIFTH == _EVERY_FIFTH - 1 else "train"
        rows.append(row | {"complete": "", "split": split})
    manifest = folder / "manifest.json"
    train_dataset.run(
        sheet=write_sheet(folder / "dataset.tsv", rows),
        earlier=None,
        manifest=manifest,
        page=folder / "dataset.html",
        workers=1,
        params=train_dataset.TrainDatasetParams(name=f"other-laboratory-{budget}"),
    )
    return manifest


def _keep_some(path: Path, number: int, *, seed: int) -> None:
    """Leave the labels of some cells, drawn at random, as a person labels here and there."""
    features = list(read_features(path, name=path.name, max_bytes=2**26))
    chosen = np.random.default_rng([seed, 7]).permutation(len(features))[:number]
    kept = [features[place] for place in sorted(chosen.tolist())]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": kept}), encoding="utf-8")


def retrain(folder: Path, budget: int, size: Size) -> dict[str, dict[str, object]]:
    """Label, fine-tune and fit cuts for one budget; tell of each arm the weights and the cuts."""
    torch.set_num_threads(1)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    manifest = label(folder, budget, seeds_of(size)[0])
    weights = folder / "fit" / "weights.safetensors"
    train_finetune.run(
        dataset=manifest,
        weights=weights,
        losses=folder / "fit" / "losses.csv",
        curves=folder / "fit" / "curves.svg",
        record=folder / "fit" / "fit.json",
        params=train_finetune.TrainFinetuneParams(epochs=size.epochs, workers=0),
    )
    shipped = open_model(SHIPPED)
    own = shipped.card.calibration.cuts
    return {
        "cuts": {"weights": str(shipped.weights_path), "cuts": _cuts(manifest, shipped.weights_path)},
        "network": {"weights": str(weights), "cuts": own},
        "network and cuts": {"weights": str(weights), "cuts": _cuts(manifest, weights)},
    }


def _cuts(manifest: Path, weights: Path) -> dict[str, float]:
    start = named("start", weights, open_model(SHIPPED).card.calibration.cuts)
    fitted = fit_to_dataset(
        manifest,
        read_dataset(manifest),
        finder=start.finder,
        start=start.calibration,
        seed=1,
        draws=0,
    )
    moved = {name: float(getattr(fitted.calibration, name)) for name in FITTED}
    return open_model(SHIPPED).card.calibration.cuts | moved


def named(name: str, weights: Path, cuts: dict[str, float]) -> NamedModel:
    """Make a model of the study ready to measure."""
    card = open_model(SHIPPED).card
    calibration = CalibrationEntry(
        id=card.calibration.id,
        cuts=cuts,
        limit_of_blank_pct=card.calibration.limit_of_blank_pct,
        measured_on="that of the shipped model",
    )
    return ready(name, sha256_of(weights), card.architecture, load(weights.read_bytes()), calibration)


def picture(which: str, number: int, size: Size) -> Truth:
    """One picture that is measured, with what is known of it."""
    seed = seeds_of(size)[1][number]
    spec = random_spec(seed, size_px=_TEST_PX, mpp=0.5, artefacts=False)
    spec = replace(spec, style=SOFT_SCANNER) if which == SETS[0] else spec
    return truth_of_scene(compose_ihc(spec), seed=seed)


def counts_of(models: Sequence[NamedModel], truth: Truth) -> list[npt.NDArray[np.float64]]:
    """What each model makes of one picture."""
    return [measure(model, truth).counts for model in models]
