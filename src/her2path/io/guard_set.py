"""A guard set: what a new model must not do worse on, and by how much less would be worse.

The definition names seeds of held-out phantoms, or a dataset, never results: these are measured anew
for every model by the version of her2path that takes it into use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from annotated_types import Ge, Gt, Le, Len, MultipleOf
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from her2path.errors import ConfigError
from her2path.io.files import sha256_of
from her2path.io.model_card import Digest, Id, WeightsEntry
from her2path.io.model_store import models_folder
from her2path.io.yaml_text import parse_yaml

FILE = "guard.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class PhantomsEntry(_Part):
    """Random phantoms by their seeds."""

    first_seed: Annotated[int, Ge(1_900_000)]
    """Seeds from here on never teach a model."""
    scenes: Annotated[int, Ge(2), Le(1000)]
    side_px: Annotated[int, Ge(256), Le(2048), MultipleOf(8)] = 512
    """Edge at 0.5 µm/px."""

    @property
    def seeds(self) -> range:
        """All seeds."""
        return range(self.first_seed, self.first_seed + self.scenes)


class OwnData(_Part):
    """Labelled images of a laboratory: the test split of a dataset."""

    manifest: str
    """Relative to the definition's folder."""
    sha256: Digest
    """Of the manifest."""


class Margin(_Part):
    """The largest loss of a figure that is taken."""

    figure: Literal["nuclei_f1", "tumour_f1", "cells_right", "mean_recall", "tiles_right", "stained_pct"]
    margin: Annotated[float, Gt(0)]
    """In the unit of the figure: shares, or percentage points for ``stained_pct``."""
    why: str
    """Reason for its size."""


class GuardSet(_Part):
    """`guard.yaml`."""

    schema_version: Literal[1] = 1
    id: Id
    what: str
    reference: WeightsEntry | None = None
    """Model that no later one may be worse than, however many were promoted in between; None = the model in
    use alone is the measure."""
    phantoms: PhantomsEntry | None = None
    unstained: PhantomsEntry | None = None
    """Phantoms without staining, for ``stained_pct``."""
    dataset: OwnData | None = None
    margins: Annotated[tuple[Margin, ...], Len(1)]

    @model_validator(mode="after")
    def _has_what_its_margins_ask_for(self) -> Self:
        asked = {margin.figure for margin in self.margins}
        if len(asked) < len(self.margins):
            raise ValueError("each figure has one margin")
        if "stained_pct" in asked and self.unstained is None:
            raise ValueError("a margin of stained_pct needs `unstained`")
        if asked - {"stained_pct"} and self.phantoms is None and self.dataset is None:
            raise ValueError("the margins need `phantoms` or a `dataset`")
        return self


def shipped_guard() -> Path:
    """File of the guard set that every promoted model has to pass."""
    return models_folder() / FILE


def read_guard(path: Path) -> tuple[GuardSet, str]:
    """Read a definition.

    Returns
    -------
    guard : GuardSet
    sha256 : str
        Of the file.

    Raises
    ------
    ConfigError
        It cannot be read or understood.
    """
    try:
        guard = GuardSet.model_validate(parse_yaml(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError((f"guard set {path.name} cannot be read: {error}",)) from error
    except ValidationError as error:
        faults = (
            f"guard set {path.name}, {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()
        )
        raise ConfigError(tuple(faults)) from error
    return guard, sha256_of(path)
