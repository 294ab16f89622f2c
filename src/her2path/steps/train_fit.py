"""Step `train_fit`: fit a network to scenes and write its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le, Len, MultipleOf
from pydantic import BaseModel, ConfigDict


class TrainFitParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    architecture: str = "star-unet-24-32-96"
    """Network, an id of `her2path.imaging.nets.registry`."""
    seed: Annotated[int, Ge(0)] = 4
    """Of first weights, patches and changes; with the scenes it decides everything."""
    cycles: Annotated[tuple[Annotated[int, Ge(1)], ...], Len(1)] = (4500, 6000)
    """Steps of each cycle; the learning rate falls to nothing in each, from half as high as in the one
    before."""
    patches: Annotated[int, Ge(4), Le(256)] = 12
    """Patches of scenes in one step."""
    patch_px: Annotated[int, Ge(64), Le(1024), MultipleOf(8)] = 256
    """Edge of a patch at 0.5 µm/px."""
    rate: Annotated[float, Gt(0), Le(0.1)] = 2e-3
    """Highest learning rate."""
    unlabelled: tuple[Path, ...] = ()
    """Real images for the adaptation without labels; without any the model knows phantoms only, and its
    card says so."""


def run(*, scenes: Path, weights: Path, losses: Path, record: Path, params: TrainFitParams) -> None:
    """Write `weights.safetensors`, `losses.csv` and `fit.json`; a stopped run goes on from its checkpoint."""
    # torch takes seconds to load, and every step's parameters are loaded with the configuration.
    from her2path.training.fit import fit_to_files  # noqa: PLC0415
    from her2path.training.record import Recipe  # noqa: PLC0415

    recipe = Recipe(
        seed=params.seed,
        cycles=params.cycles,
        patches=params.patches,
        patch_px=params.patch_px,
        rate=params.rate,
    )
    fit_to_files(
        scenes,
        recipe,
        network=params.architecture,
        unlabelled=params.unlabelled,
        weights=weights,
        losses_csv=losses,
        record=record,
    )
