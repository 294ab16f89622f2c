"""Fit a network to scenes: AdamW, cosine schedule, moving average of the weights, resumable."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from safetensors.numpy import save

from her2path.imaging.nets.architectures import Network
from her2path.imaging.nets.registry import Architecture, architecture
from her2path.io.files import replacing, write_bytes, write_text
from her2path.training.adaptation import read_unlabelled
from her2path.training.catalogue import read_catalogue, read_scenes
from her2path.training.datasets import Batch, SceneBatches, ahead
from her2path.training.losses import losses
from her2path.training.record import FitRecord, Recipe, processor, versions
from her2path.training.scenes import Scene

log = logging.getLogger(__name__)
COLUMNS = ("step", "rate", "nucleus", "expressed", "amount", "tumour", "radii", "cell_radii")


def fit_to_files(
    catalogue: Path,
    recipe: Recipe,
    *,
    network: str,
    unlabelled: Sequence[Path],
    weights: Path,
    losses_csv: Path,
    record: Path,
) -> None:
    """Fit a network to the scenes of a catalogue; write its weights, its losses and how it came about.

    Parameters
    ----------
    catalogue : Path
        `scenes.json`.
    recipe : Recipe
    network : str
        Id of the architecture.
    unlabelled : sequence of Path
        Real images for the adaptation without labels; may be empty.
    weights, losses_csv, record : Path
        Written; `checkpoint.pt` is kept beside the weights, and gone on from if it is of this recipe.
    """
    found = architecture(network, model_id=weights.parent.name)
    images = read_unlabelled(unlabelled)
    if not images:
        log.warning("no unlabelled images: the model will know phantoms only, and its card says so")
    fitted, rows = fit(found, read_scenes(catalogue), recipe, images=images, folder=weights.parent)
    _write_losses(losses_csv, rows)
    write_bytes(weights, save(fitted.folded(), metadata={"architecture": network}))
    own, torch_version = versions()
    made = FitRecord(
        architecture=network,
        recipe=recipe,
        unlabelled=tuple(path.stem for path in unlabelled),
        scenes=read_catalogue(catalogue).digest,
        processor=processor(),
        her2path=own,
        torch=torch_version,
    )
    write_text(record, made.model_dump_json(indent=1) + "\n")


def fit(
    found: Architecture,
    scenes: Sequence[Scene],
    recipe: Recipe,
    *,
    images: Sequence[Scene],
    folder: Path,
) -> tuple[Network, list[list[float]]]:
    """Fit a network.

    Parameters
    ----------
    found : Architecture
    scenes : sequence of Scene
    recipe : Recipe
    images : sequence of Scene
        Real images as the baseline teaches them; may be empty.
    folder : Path
        A checkpoint is kept here.

    Returns
    -------
    network : Network
        With averaged weights, in evaluation mode.
    rows : list of list of float
        `COLUMNS` of every step.
    """
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(recipe.seed)
    run = _Run(found, recipe)
    rows = run.resume(folder / "checkpoint.pt")
    steps = range(run.step, recipe.steps)
    taught = SceneBatches(scenes, images, recipe.seed, recipe.patch_px, recipe.patches, recipe.image_patches)
    for step, batch in zip(steps, ahead(taught, steps, seed=recipe.seed), strict=True):
        rows.append(run.learn(step, batch))
        if (step + 1) % recipe.checkpoint_every == 0 or step + 1 == recipe.steps:
            run.save(folder / "checkpoint.pt", rows)
            log.info(
                "step %d of %d: %s",
                step + 1,
                recipe.steps,
                ", ".join(f"{name} {v:.3f}" for name, v in zip(COLUMNS[2:], rows[-1][2:], strict=True)),
            )
    return run.averaged.eval(), rows


class _Run:
    """State of one fit."""

    def __init__(self, architecture: Architecture, recipe: Recipe) -> None:
        self.recipe = recipe
        self.network = Network(architecture, normalised=True).to(memory_format=torch.channels_last)
        self.averaged = Network(architecture, normalised=True)
        self.averaged.load_state_dict(self.network.state_dict())
        for parameter in self.averaged.parameters():
            parameter.requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=recipe.rate, weight_decay=recipe.decay
        )
        self.step = 0

    def learn(self, step: int, batch: Batch) -> list[float]:
        """Take one step; return its line of `COLUMNS`."""
        rate = self.recipe.rate_at(step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=_fast_bfloat16()):
            fine, coarse = self.network(batch.image.contiguous(memory_format=torch.channels_last))
        found = losses(fine, coarse, batch)
        torch.autograd.backward(found.total)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._average(step)
        self.step = step + 1
        parts = [getattr(found, name) for name in COLUMNS[2:]]
        return [step, rate, *(float(part.detach()) for part in parts)]

    def _average(self, step: int) -> None:
        kept = min(self.recipe.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, now in zip(
                self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now.to(mean.dtype), 1 - kept)
                else:
                    mean.copy_(now)

    def save(self, path: Path, rows: list[list[float]]) -> None:
        """Keep everything that the next step depends on."""
        state = {
            "recipe": repr(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rows": rows,
        }
        with replacing(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> list[list[float]]:
        """Go on from a checkpoint of the same recipe, if there is one; return its losses so far."""
        if not path.is_file():
            return []
        state = torch.load(path, weights_only=True)
        if state["recipe"] != repr(self.recipe):
            log.warning("the checkpoint in %s is of another recipe and is left aside", path.parent.name)
            return []
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])
        return list(state["rows"])


def _fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in tiles; elsewhere it would be slower than float32."""
    return bool(torch.cpu._is_amx_tile_supported())


def _write_losses(path: Path, rows: Iterable[Sequence[float]]) -> None:
    lines = [",".join(COLUMNS), *(",".join(f"{value:.6g}" for value in row) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")
