"""How a fit went: the recipe, and what its result depends on beside it."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from her2path.errors import ArtefactError


class FitRecord(BaseModel):
    """`fit.json`, written beside the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    recipe: dict[str, int | float]
    unlabelled: tuple[str, ...]
    """Names of the real images that took part in the adaptation."""
    scenes: str
    """Digest of the catalogue of scenes."""
    processor: str
    her2path: str
    torch: str


def processor() -> str:
    """Name what decides the last bits of a sum: the instructions that torch chooses by."""
    tiles = " with AMX tiles" if torch.cpu._is_amx_tile_supported() else ""
    return torch.backends.cpu.get_cpu_capability() + tiles


def versions() -> tuple[str, str]:
    """Versions of her2path and torch."""
    return version("her2path"), str(torch.__version__)


def read_record(path: Path) -> FitRecord:
    """Read a record; ArtefactError if it cannot be understood."""
    try:
        return FitRecord.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ArtefactError(path.name, f"is no record of a fit ({error})") from error
