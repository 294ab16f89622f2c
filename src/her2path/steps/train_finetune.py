"""Step `train_finetune`: fine-tune the segmentation network from the labels of a dataset."""

from __future__ import annotations

import logging
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel, ConfigDict

from her2path.imaging.nets.inference import Device
from her2path.io.documents import write_document
from her2path.io.files import sha256_of, write_bytes, write_text
from her2path.io.provenance import producer

if TYPE_CHECKING:
    from her2path.training.finetune_module import FineTuning
    from her2path.training.finetune_record import TuningRecipe

log = logging.getLogger(__name__)


class TrainFinetuneParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str = "her2-star-2"
    """Model to begin with: its id, or its folder."""
    seed: Annotated[int, Ge(0)] = 0
    """Of patches and changes; with the data it decides everything."""
    epochs: Annotated[int, Ge(1), Le(10_000)] = 24
    """At most; fewer where the figure on the validation split stops rising."""
    steps: Annotated[int, Ge(1), Le(100_000)] = 20
    """Of each epoch."""
    patience: Annotated[int, Ge(1)] = 6
    """Epochs without a better figure before the fine-tuning stops."""
    labelled_patches: Annotated[int, Ge(1), Le(256)] = 4
    """Patches of labelled images in one step."""
    rehearsed_patches: Annotated[int, Ge(4), Le(256), MultipleOf(4)] = 4
    """Patches of what the model came from in one step, so that it does not forget."""
    patch_px: Annotated[int, Ge(64), Le(512), MultipleOf(8)] = 256
    """Edge of a patch at 0.5 µm/px."""
    rate: Annotated[float, Gt(0), Le(0.01)] = 1e-4
    """Highest learning rate."""
    pull: Annotated[float, Ge(0), Lt(1)] = 0.001
    """Share of the way back to the first weights at each step of the highest rate."""
    rehearsal_scenes: Annotated[int, Ge(1), Le(1000)] = 16
    """Scenes that are rehearsed; they are composed once and kept."""
    rehearsal_px: Annotated[int, Ge(256), Le(1024), MultipleOf(8)] = 512
    """Their edge at 0.5 µm/px."""
    guard_scenes: Annotated[int, Ge(1), Le(1000)] = 4
    """Phantoms, never taught, on which no kept epoch may be much worse than the model it began with."""
    guard_loss: Annotated[float, Ge(0), Le(1)] = 0.01
    """How much worse, as a difference of the figure."""
    device: Device = "auto"
    """`cpu`, `cuda`, or `auto`: GPUs where there are any."""
    devices: Annotated[int, Ge(1)] | None = None
    """GPUs, or processes on the CPU; null = all GPUs, one process."""
    threads: Annotated[int, Ge(1)] = 1
    """Of torch on the CPU; sums over more threads differ in their last digits."""
    workers: Annotated[int, Ge(0)] = 1
    """Processes that prepare patches; they change no result."""

    def recipe(self) -> TuningRecipe:
        """Everything that decides the weights, without the device."""
        from her2path.training.finetune_record import TuningRecipe  # noqa: PLC0415  (reads phantoms' modules)

        return TuningRecipe(**self.model_dump(include={part.name for part in fields(TuningRecipe)}))


def run(
    *,
    dataset: Path,
    weights: Path,
    losses: Path,
    curves: Path,
    record: Path,
    params: TrainFinetuneParams,
) -> None:
    """Write `weights.safetensors`, `losses.csv`, `curves.svg` and `fit.json`.

    The folder `work` beside them holds the checkpoint that a stopped run goes on from, the events for
    TensorBoard and the rehearsed scenes.
    """
    # torch and Lightning take seconds to load, and every step's parameters are loaded together.
    from safetensors.numpy import save  # noqa: PLC0415

    from her2path.io.model_store import open_model  # noqa: PLC0415
    from her2path.io.new_model import check_new_id, check_writable  # noqa: PLC0415
    from her2path.training.finetune import Progress, Start, record_of, tune  # noqa: PLC0415
    from her2path.training.finetune_data import prepare  # noqa: PLC0415
    from her2path.training.finetune_hardware import is_first_process, settle  # noqa: PLC0415

    folder = weights.parent
    check_new_id(folder)
    check_writable(folder)
    hardware = settle(params.device, params.devices, workers=params.workers)
    start = Start.of(open_model(params.model))
    recipe = params.recipe()
    work = folder / "work"
    data = prepare(dataset, recipe, cache=work)
    # A bar is for a person who watches, not for a log.
    progress = Progress(lambda words: log.info("%s", words), bar=sys.stderr.isatty())
    tuned = tune(start, data, recipe, hardware=hardware, work=work, progress=progress)
    if not is_first_process():
        return
    kept = {name: value.numpy() for name, value in tuned.kept.weights.items()}
    write_bytes(weights, save(kept, metadata={"architecture": start.architecture.id}))
    _write_curves(tuned, losses, curves)
    made = record_of(
        tuned,
        start,
        data,
        hardware,
        weights_sha256=sha256_of(weights),
        produced_by=producer("train_finetune", params),
    )
    write_document(record, made)


def _write_curves(tuned: FineTuning, losses: Path, curves: Path) -> None:
    from her2path.reports.training_curves import render_curves  # noqa: PLC0415  (needs markupsafe)
    from her2path.training.finetune_module import COLUMNS  # noqa: PLC0415  (torch)
    from her2path.training.label_figure import FIGURE_NAME  # noqa: PLC0415

    lines = [",".join(COLUMNS)]
    for row in tuned.rows:
        cells = (row[name] for name in COLUMNS)
        lines.append(",".join("" if value is None else f"{value:.6g}" for value in cells))
    write_text(losses, "\n".join(lines) + "\n")
    picture = render_curves(tuned.rows, best_epoch=tuned.kept.epoch, figure=FIGURE_NAME)
    write_text(curves, str(picture) + "\n")
