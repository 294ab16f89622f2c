"""What a model folder says of how its weights came about, as the card that an evaluation completes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.numpy import load

from her2path.errors import ModelError
from her2path.io.dataset_documents import read_dataset
from her2path.io.documents import read_document
from her2path.io.files import sha256_of
from her2path.io.model_card import (
    DataEntry,
    DatasetEntry,
    ModelCard,
    TrainingEntry,
    WeightsEntry,
)
from her2path.io.model_store import CARD, StoredModel, open_model, read_card
from her2path.io.scorer_document import ScorerDoc
from her2path.training.finetune_record import FinetuneDoc, read_finetune

_NO_RECORD = (
    "fit.json is not that of `her2path train fit`, and there is no card by `train_card` either; evaluate the "
    "folder that a training has written"
)


def draft_card(weights: Path, record: Path, *, manifest: Path | None) -> ModelCard:
    """Write the parts of a card that do not depend on an evaluation.

    Parameters
    ----------
    weights, record : Path
        `weights.safetensors` and `fit.json` of a model folder, whose name is the model's id.
    manifest : Path or None
        The dataset that it is evaluated on; where it is the one it was retrained from, its sources and
        licences go on the card.

    Returns
    -------
    ModelCard
        With the calibration of the parent (or, of a scorer, its own), no metrics, and no evaluation.

    Raises
    ------
    ModelError
        Nothing says how the weights came about, they are not those that the record is of, or the parent is
        not there any more.
    """
    name = weights.parent.name
    if not weights.is_file():
        raise ModelError(name, f"{weights.name} is missing; give the folder of a trained model")
    sha256 = sha256_of(weights)
    kind = _kind_of(record)
    if kind == FinetuneDoc.kind:
        return _retrained(read_finetune(record), weights, sha256, manifest)
    if kind == ScorerDoc.kind:
        return _rescored(read_document(record, ScorerDoc), weights, sha256, manifest)
    if not (weights.parent / CARD).is_file():
        raise ModelError(name, _NO_RECORD)
    card = read_card(weights.parent)
    if card.sha256 != sha256:
        raise ModelError(name, f"its {CARD} is of other weights; run the step train_card again")
    return card.model_copy(update={"schema_version": 2, "metrics": (), "evaluation": None})


def _kind_of(record: Path) -> str:
    """Kind of document that a record is; empty for the record of `train_fit`, and for none."""
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(data.get("schema_version", "")).partition("/")[0] if isinstance(data, dict) else ""


def _parent(name: str, started_from: WeightsEntry) -> StoredModel:
    """Open the model that a training began with; ModelError where its id means other weights now."""
    parent = open_model(started_from.id)
    if parent.card.sha256 != started_from.sha256:
        raise ModelError(
            name, f"it was retrained from other weights than {parent.card.id!r} has now; fit it again"
        )
    return parent


def _rescored(made: ScorerDoc, weights: Path, sha256: str, manifest: Path | None) -> ModelCard:
    """Draft the card of a model whose weights stayed and whose cuts were fitted to labels."""
    name = weights.parent.name
    if sha256 != made.model.sha256:
        raise ModelError(name, "its weights are not those whose cuts fit.json is of; fit it again")
    parent = _parent(name, made.model)
    old, train = parent.card, made.labels["train"]
    taught = {"scored cells": train.cells, "scored tiles and slides": train.areas}
    cuts = old.calibration.cuts | {cut.name: cut.after for cut in made.cuts}
    return old.model_copy(
        update={
            "schema_version": 2,
            "id": name,
            "licence": f"that of its labels, and that of {old.id}: {old.licence}",
            "data": (*old.data, *_labelled(made.dataset, taught, manifest)),
            "training": TrainingEntry(
                command=f"her2path train fit --scorer, from {old.id}",
                seed=made.seed,
                steps=0,
                threads=1,
                processor="any: cuts are written with four digits",
                code=f"her2path {made.produced_by.version}, dataset {made.dataset.sha256[:16]}",
            ),
            "metrics": (),
            "calibration": old.calibration.model_copy(update={"id": name, "cuts": cuts}),
            "known_failures": (
                *old.known_failures,
                f"Its cuts follow {train.cells} scored cells and {train.areas} scored tiles and slides of "
                f"{train.patients} patients of one dataset: they are those readers' and that stain's.",
            ),
            "parent": made.model,
            "dataset": made.dataset,
            "evaluation": None,
        }
    )


def _retrained(made: FinetuneDoc, weights: Path, sha256: str, manifest: Path | None) -> ModelCard:
    name = weights.parent.name
    if made.weights_sha256 != sha256:
        raise ModelError(name, "its weights are not those that fit.json is of; fit it again")
    parent = _parent(name, made.started_from)
    values = load(weights.read_bytes())
    old = parent.card
    return ModelCard(
        id=name,
        architecture=made.architecture,
        mpp=old.mpp,
        inputs=old.inputs,
        outputs=old.outputs,
        sha256=sha256,
        parameters=int(sum(value.size for value in values.values())),
        licence=f"that of its labels, and that of {old.id}: {old.licence}",
        data=(*old.data, *_labelled(made.dataset, made.taught.get("train", {}), manifest)),
        adaptation=old.adaptation,
        training=_training(made),
        metrics=(),
        calibration=old.calibration,
        intended_use=old.intended_use,
        known_failures=(
            *old.known_failures,
            f"Retrained from {sum(made.images.values())} labelled images of one dataset: what these do not "
            f"show it may do worse than {old.id}, as far as the guard set does not show it either.",
        ),
        parent=made.started_from,
        dataset=made.dataset,
    )


def _labelled(
    dataset: DatasetEntry, taught: Mapping[str, int], manifest: Path | None
) -> tuple[DataEntry, ...]:
    labels = ", ".join(f"{n} {kind}" for kind, n in sorted(taught.items()))
    what = f"labels that taught: {labels or 'none'}"
    if manifest is None or sha256_of(manifest) != dataset.sha256:
        where = f"as its manifest of SHA-256 {dataset.sha256[:12]} states"
        return (DataEntry(name=dataset.name, what=what, licence=where),)
    items = read_dataset(manifest).items
    sources = sorted({(item.source, item.licence) for item in items if item.split != "test"})
    return tuple(
        DataEntry(name=f"{dataset.name}: {source}", what=what, licence=licence) for source, licence in sources
    )


def _training(made: FinetuneDoc) -> TrainingEntry:
    machine = made.machine
    return TrainingEntry(
        command=f"her2path train fit, from {made.started_from.id}",
        seed=made.recipe.seed,
        steps=made.epochs * made.recipe.steps,
        threads=made.recipe.threads,
        processor=machine.name,
        code=(
            f"her2path {made.produced_by.version}, torch {machine.torch}, lightning {machine.lightning}, "
            f"dataset {made.dataset.sha256[:16]}"
        ),
    )
