"""Which model measured an image, as results state it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, ValidationError

_FACT = "model"


class ModelOrigin(StrEnum):
    """Where a model comes from, hence who vouches for it."""

    SHIPPED = "shipped"
    """Part of this version of her2path."""
    PROMOTED = "promoted"
    """Retrained, compared with the model before it, and taken into use by `her2path models promote`."""
    FOLDER = "folder"
    """A folder that the configuration names; nobody has taken it into use."""


class ModelEntry(BaseModel):
    """The model that found the cells of an image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    sha256: str
    """Of its weights."""
    origin: ModelOrigin
    parent: str | None = None
    """Model that it was retrained from; None = fitted from random weights."""
    guards: tuple[str, ...] = ()
    """Guard sets that it passed when it was promoted; a shipped model is the measure of them."""


def model_fact(model: ModelEntry | None) -> dict[str, str]:
    """Write a model as a fact of the table of cells; nothing for the classical method.

    Examples
    --------
    >>> model_fact(None)
    {}
    """
    return {} if model is None else {_FACT: model.model_dump_json()}


def model_of(facts: Mapping[str, str]) -> ModelEntry | None:
    """Read the model of a table of cells; None for the classical method.

    Raises
    ------
    ValueError
        The fact cannot be understood.
    """
    if _FACT not in facts:
        return None
    try:
        return ModelEntry.model_validate_json(facts[_FACT])
    except ValidationError as error:
        raise ValueError(f"names a model in a way that is not understood ({error})") from error
