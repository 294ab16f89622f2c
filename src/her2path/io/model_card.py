"""The card of a model: what it is, what it was made from, how well it does, and where it fails.

Version 2 adds what a retrained model was made from and how it was compared; a card of version 1, as
the first shipped models have, says nothing of either and is read as before.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, Len
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

ID_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DataEntry(_Entry):
    """One source of training data."""

    name: str
    what: str
    licence: str
    seeds: tuple[int, int] | None = None
    """First and last seed of phantoms."""


class MetricEntry(_Entry):
    """One figure with its interval."""

    name: str
    on: str
    value: float
    low: float | None = None
    high: float | None = None
    """95 % interval by a bootstrap; None = too few slides for one."""
    slides: Annotated[int, Ge(1)]
    """What the bootstrap draws: slides, phantoms or patients."""


class CalibrationEntry(_Entry):
    """Cuts that belong to results of this model; see `her2path.imaging.ihc.calibration`."""

    id: Id
    cuts: dict[str, float]
    """Cuts that differ from those of the classical method."""
    limit_of_blank_pct: Annotated[float, Ge(0), Le(100)]
    measured_on: str


class TrainingEntry(_Entry):
    """How the weights came about."""

    command: str
    seed: int
    steps: int
    threads: int
    processor: str
    """Weights are the same to the last bit only on a processor of this kind with as many threads."""
    code: str
    """Version of her2path, and the digest of the recipe and of the scenes."""


class WeightsEntry(_Entry):
    """A model by its id and the digest of its weights: an id alone does not say which weights were meant."""

    id: Id
    sha256: Digest


class DatasetEntry(_Entry):
    """The labels that a model was retrained from."""

    name: str
    sha256: Digest
    """Of the manifest, which holds the digest of every image and label."""


class GuardEntry(_Entry):
    """How a model came off on a guard set."""

    id: Id
    sha256: Digest
    """Of the definition of the set."""
    compared_with: WeightsEntry
    passed: bool


class EvaluationEntry(_Entry):
    """The evaluation that the figures of the card come from."""

    file: Literal["evaluation.json"] = "evaluation.json"
    sha256: Digest
    compared_with: WeightsEntry
    """The model that was in use."""
    guards: tuple[GuardEntry, ...]


class ModelCard(_Entry):
    """`model.yaml`."""

    schema_version: Literal[1, 2] = 2
    id: Id
    architecture: str
    mpp: Annotated[float, Gt(0)]
    """Pixel size of the input in µm."""
    inputs: Annotated[tuple[str, ...], Len(1)]
    outputs: Annotated[tuple[str, ...], Len(1)]
    weights: Literal["weights.safetensors"] = "weights.safetensors"
    sha256: Digest
    """Of the weights' file; checked whenever the model is loaded."""
    parameters: int
    licence: str
    data: tuple[DataEntry, ...]
    adaptation: str
    """What real images, without labels, contributed."""
    training: TrainingEntry
    metrics: tuple[MetricEntry, ...]
    calibration: CalibrationEntry
    intended_use: str
    known_failures: tuple[str, ...]
    parent: WeightsEntry | None = None
    """Model whose weights the training began with; None = it began with random ones."""
    dataset: DatasetEntry | None = None
    """None = no labels by a person."""
    evaluation: EvaluationEntry | None = None
    """None = measured by `train_card` alone, and compared with no other model."""

    def digests(self) -> dict[str, str]:
        """SHA-256 of each entry but `evaluation`, however the file words it.

        An evaluation states them: cuts, limit of blank and licence are part of what was evaluated.
        """
        entries = self.model_dump(mode="json", exclude={"evaluation"})
        return {
            name: hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
            for name, entry in entries.items()
        }

    @model_validator(mode="after")
    def _version_fits(self) -> Self:
        added = (self.parent, self.dataset, self.evaluation)
        if self.schema_version == 1 and any(part is not None for part in added):
            raise ValueError("a card of version 1 has no parent, dataset or evaluation")
        return self
