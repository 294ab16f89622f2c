"""The card of a model: what it is, what it was made from, how well it does, and where it fails."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Len
from pydantic import BaseModel, ConfigDict, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
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
    low: float
    high: float
    """95 % interval, bootstrap over slides."""
    slides: Annotated[int, Ge(1)]


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


class ModelCard(_Entry):
    """`model.yaml`."""

    schema_version: Literal[1] = 1
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
