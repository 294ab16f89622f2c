"""Evaluate a model folder: measure it beside the models it is compared with, and write down what is found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from safetensors.numpy import load

from her2path.errors import ArtefactError, ConfigError, ModelError
from her2path.io.dataset_documents import DatasetDoc, read_dataset
from her2path.io.documents import Producer, document_text
from her2path.io.evaluation_documents import EvaluatedItem, EvaluatedSet, EvaluationDoc, Verdict
from her2path.io.files import sha256_of
from her2path.io.guard_set import GuardSet, Margin, PhantomsEntry, read_guard
from her2path.io.model_card import ModelCard, WeightsEntry
from her2path.io.model_store import StoredModel, open_model
from her2path.training.evaluation import on_blanks, on_dataset, on_phantoms, ready, ready_stored
from her2path.training.evaluation_card import card_text, complete_card, measured_card
from her2path.training.evaluation_counts import NamedModel
from her2path.training.evaluation_figures import FIGURES
from her2path.training.evaluation_origin import draft_card
from her2path.training.evaluation_summary import (
    blank_entries,
    confusions,
    figure_entries,
    mcnemar_entries,
    reliability_entries,
    subgroup_entries,
    verdicts,
)

log = logging.getLogger(__name__)
Units = Literal["pictures", "patients"]
_EVERY = 12
"""Pictures between two lines of the log."""


@dataclass(frozen=True, slots=True)
class EvaluationInputs:
    """What an evaluation reads."""

    weights: Path
    """`weights.safetensors` in a folder whose name is the model's id."""
    record: Path
    """`fit.json` beside it."""
    dataset: Path | None
    """Manifest whose split `test` is measured."""
    guards: tuple[Path, ...]
    against: str
    """Model now in use."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation finds."""

    document: EvaluationDoc
    card_text: str
    """The model's card as YAML."""


def evaluate_model(inputs: EvaluationInputs, *, produced_by: Producer, digests: dict[str, str]) -> Evaluation:
    """Evaluate a model on guard sets and on a dataset.

    Parameters
    ----------
    inputs : EvaluationInputs
    produced_by : Producer
    digests : dict of str to str
        SHA-256 of the files that it reads.

    Raises
    ------
    Her2PathError
        A file is missing, was changed, or is none of what it should be.
    """
    if not inputs.guards:
        raise ConfigError(("an evaluation needs a guard set: the limit of blank is measured on it",))
    draft = draft_card(inputs.weights, inputs.record, manifest=inputs.dataset)
    guards = [read_guard(path)[0] for path in inputs.guards]
    names = [guard.id for guard in guards]
    if len(set(names)) < len(names):
        raise ConfigError((f"two guard sets have the same id: {', '.join(names)}",))
    references = [guard.reference for guard in guards if guard.reference is not None]
    compared = compare_with(draft, inputs.weights, against=inputs.against, references=references)
    sets = [evaluate_guard(compared, path) for path in inputs.guards]
    if inputs.dataset is not None:
        sets.insert(0, evaluate_dataset(compared, inputs.dataset))
    measured = measured_card(draft, sets)
    document = EvaluationDoc(
        produced_by=produced_by,
        inputs=digests,
        model=WeightsEntry(id=draft.id, sha256=draft.sha256),
        parent=draft.parent,
        dataset=draft.dataset,
        compared_with=compared.old,
        sets=tuple(sets),
        limit_of_blank_pct=measured.calibration.limit_of_blank_pct,
        card=measured.digests(),
    )
    sha256 = hashlib.sha256(document_text(document).encode()).hexdigest()
    return Evaluation(document, card_text(complete_card(measured, document, sha256=sha256)))


@dataclass(frozen=True, slots=True)
class Compared:
    """The models of one evaluation, the new one first."""

    models: tuple[NamedModel, ...]

    @property
    def old(self) -> tuple[WeightsEntry, ...]:
        """The models compared with."""
        return tuple(WeightsEntry(id=model.id, sha256=model.sha256) for model in self.models[1:])

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all."""
        return tuple(model.id for model in self.models)


def compare_with(
    draft: ModelCard, weights: Path, *, against: str, references: Iterable[WeightsEntry]
) -> Compared:
    """Make a new model ready, the one in use, and the references of guard sets that are others.

    Raises
    ------
    ModelError
        One of them is missing, changed, or not of a known architecture.
    """
    new = ready(draft.id, draft.sha256, draft.architecture, load(weights.read_bytes()), draft.calibration)
    models = [new]
    for model in (open_model(against), *(_reference(entry) for entry in references)):
        if model.card.sha256 not in {other.sha256 for other in models[1:]}:
            models.append(ready_stored(model))
    return Compared(tuple(models))


def _reference(entry: WeightsEntry) -> StoredModel:
    model = open_model(entry.id)
    if model.card.sha256 != entry.sha256:
        raise ModelError(
            entry.id, "is not the reference that the guard set names; correct its `sha256` there"
        )
    return model


def evaluate_guard(compared: Compared, definition: Path) -> EvaluatedSet:
    """Measure the models on a guard set and hold the new one against its margins."""
    guard, sha256 = read_guard(definition)
    items, blanks = _guard_items(compared.models, guard, definition)
    units: Units = "patients" if guard.dataset is not None else "pictures"
    head = _Head("guard", guard.id, sha256, guard.what, units)
    found = verdicts(guard.margins, items, blanks, compared.old, units=units)
    return _set(compared, head, items, blanks).model_copy(update={"verdicts": found})


def judged_again(evaluated: EvaluatedSet, margins: Sequence[Margin]) -> tuple[Verdict, ...]:
    """Work out the verdicts of an evaluation anew, from the counts of its pictures."""
    old = [verdict.compared_with for verdict in evaluated.verdicts]
    return verdicts(margins, evaluated.items, evaluated.blanks, old, units=evaluated.units)


def _guard_items(
    models: Sequence[NamedModel], guard: GuardSet, definition: Path
) -> tuple[list[EvaluatedItem], list[EvaluatedItem]]:
    items: list[EvaluatedItem] = []
    if guard.phantoms is not None:
        seen = guard.phantoms
        items += _collected(on_phantoms(models, seen.seeds, side_px=seen.side_px), guard.id, seen.scenes)
    if guard.dataset is not None:
        manifest = definition.parent / guard.dataset.manifest
        if not manifest.is_file() or sha256_of(manifest) != guard.dataset.sha256:
            raise ConfigError((f"guard set {guard.id}: {manifest.name} is not the manifest that it names",))
        items += _test_items(models, manifest, read_dataset(manifest, verify=True))
    return items, _blank_items(models, guard.unstained, guard.id)


def _blank_items(
    models: Sequence[NamedModel], unstained: PhantomsEntry | None, name: str
) -> list[EvaluatedItem]:
    if unstained is None:
        return []
    found = on_blanks(models, unstained.seeds, side_px=unstained.side_px)
    return _collected(found, f"{name}, unstained", unstained.scenes)


def evaluate_dataset(compared: Compared, manifest: Path) -> EvaluatedSet:
    """Measure the models on the test split of a dataset.

    Raises
    ------
    ArtefactError
        The manifest or one of its files was changed, or its test split is empty.
    """
    dataset = read_dataset(manifest, verify=True)
    items = _test_items(compared.models, manifest, dataset)
    if not items:
        remedy = "state `test` in the sheet, or give more patients, and run `her2path train dataset` again"
        raise ArtefactError(manifest.name, "has no image in the split `test`", remedy)
    # Tissue scored 0 may hold up to 10 % of faintly stained cells, so it says less than tissue without any.
    blanks = [item for item in items if item.is_blank]
    what = "the split `test`, which no training opens"
    return _set(
        compared, _Head("dataset", dataset.name, sha256_of(manifest), what, "patients"), items, blanks
    )


def _test_items(models: Sequence[NamedModel], manifest: Path, dataset: DatasetDoc) -> list[EvaluatedItem]:
    chosen = dataset.of_split("test")
    return _collected(on_dataset(models, manifest, dataset, chosen), dataset.name, len(chosen))


def _collected(found: Iterable[EvaluatedItem], name: str, count: int) -> list[EvaluatedItem]:
    items = []
    for number, item in enumerate(found, start=1):
        items.append(item)
        if number % _EVERY == 0 or number == count:
            log.info("%s: %d of %d pictures", name, number, count)
    return items


@dataclass(frozen=True, slots=True)
class _Head:
    """What a set is."""

    kind: Literal["guard", "dataset"]
    name: str
    sha256: str
    what: str
    units: Units


def _set(
    compared: Compared, head: _Head, items: list[EvaluatedItem], blanks: list[EvaluatedItem]
) -> EvaluatedSet:
    models, units = len(compared.models), head.units
    return EvaluatedSet.model_validate(
        {
            **asdict(head),
            "items": tuple(items),
            "blanks": tuple(blanks),
            "figures": figure_entries(FIGURES, items, models=models, units=units),
            "cells": confusions(items, models),
            "reliability": reliability_entries(items, compared.ids, units=units) if items else (),
            "subgroups": subgroup_entries(items, models=models, units=units),
            "mcnemar": mcnemar_entries(items, compared.ids[1:]),
            "blank": blank_entries(blanks, compared.ids) if blanks else (),
        }
    )
