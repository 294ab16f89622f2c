"""How a fit went: the recipe, and what its result depends on beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from her2path.errors import ArtefactError


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted; the same recipe on the same machine gives the same weights.

    References
    ----------
    .. [1] Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.
    """

    seed: int = 4
    cycles: tuple[int, ...] = (4500, 6000)
    """Steps of each cycle: in each the learning rate rises and falls to nothing, half as high as in the one
    before [1]_."""
    patches: int = 12
    patch_px: int = 256
    rate: float = 2e-3
    """Highest learning rate."""
    warm_up: int = 100
    decay: float = 1e-3
    average: float = 0.996
    """Share of the averaged weights that stays at each step."""
    image_patches: int = 3
    """Patches of real images beside those of scenes, where there are any."""
    threads: int = 1
    """Of torch; patches are cut on a second one beside it.  Waiting for each other costs two threads more
    than they gain, and sums over more threads would differ."""
    checkpoint_every: int = 200

    @property
    def steps(self) -> int:
        """Steps of all cycles."""
        return sum(self.cycles)

    def rate_at(self, step: int) -> float:
        """Learning rate of a step: in each cycle a straight rise, then half a cosine.

        Examples
        --------
        >>> recipe = Recipe(cycles=(10, 10), rate=1.0, warm_up=1)
        >>> [recipe.rate_at(step) for step in (0, 1, 10, 11)]
        [1.0, 1.0, 0.5, 0.5]
        """
        highest, length = self.rate, 1
        for length in self.cycles:
            if step < length:
                break
            step -= length
            highest /= 2
        if step < self.warm_up:
            return highest * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, length - self.warm_up)
        return highest * 0.5 * (1 + math.cos(math.pi * done))


class FitRecord(BaseModel):
    """`fit.json`, written beside the weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str
    recipe: Recipe
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
        remedy = "restore it from where the model came from, or train the model into another folder"
        raise ArtefactError(path.name, f"is no record of a fit ({error})", remedy) from error
