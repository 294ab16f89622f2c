"""Which model measured an image, as results state it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


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
