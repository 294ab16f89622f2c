"""Fine-tune the segmentation network from labels with Lightning, and write the folder of a model.

The network learns from labels and rehearses what it came from in every step (`lessons`), and keeps
the averaged weights of its best epoch (`finetune_module`).  The same data, recipe and processor give
the same weights, whether the run was stopped in between or not.
"""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import lightning
import torch
from lightning.fabric.utilities.warnings import PossibleUserWarning
from lightning.pytorch.callbacks import EarlyStopping, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.learned import LearnedFinder, NamedWeights, learned_method
from her2path.imaging.nets.registry import Architecture, architecture, check_weights
from her2path.io.documents import Producer
from her2path.io.model_card import DatasetEntry, WeightsEntry
from her2path.io.model_store import StoredModel
from her2path.training.datasets import SceneBatches
from her2path.training.finetune_checkpoint import CHECKPOINT, KeepEveryEpoch, read_checkpoint
from her2path.training.finetune_data import TuningData
from her2path.training.finetune_hardware import Hardware
from her2path.training.finetune_module import FIGURE, FineTuning, Judgement, Weights
from her2path.training.finetune_record import (
    ComparedEntry,
    FigureEntry,
    FinetuneDoc,
    MachineEntry,
    TuningRecipe,
)
from her2path.training.label_figure import FIGURE_NAME, Figure, figure_of
from her2path.training.lessons import Lessons

log = logging.getLogger(__name__)
EVENTS = "tensorboard"
"""Folder of the events for TensorBoard beside the checkpoint."""


@dataclass(frozen=True, slots=True)
class Start:
    """The model that is fine-tuned."""

    architecture: Architecture
    weights: Weights
    model: StoredModel

    @classmethod
    def of(cls, model: StoredModel) -> Start:
        """Load a model; ModelError if its architecture is unknown or its weights are of another one."""
        found = architecture(model.card.architecture, model_id=model.card.id)
        weights = model.load_weights()
        check_weights(found, weights, model_id=model.card.id)
        return cls(found, weights, model)

    def method(self, weights: Weights) -> tuple[LearnedFinder, Calibration]:
        """Make the finder of other weights, whose cells are graded by the calibration of this model."""
        card = self.model.card
        named = NamedWeights(card.id, card.architecture, weights)
        calibration = (card.calibration.id, card.calibration.cuts)
        return learned_method(named, calibration=calibration, device="cpu", threads=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """How a fine-tuning shows what it does."""

    tell: Callable[[str], None]
    """Given a line for each epoch."""
    bar: bool = False
    """Whether to show a bar on standard error, step by step."""


def tune(
    start: Start,
    data: TuningData,
    recipe: TuningRecipe,
    *,
    hardware: Hardware,
    work: Path,
    progress: Progress,
) -> FineTuning:
    """Fine-tune a network, going on after the last epoch of a run that was stopped.

    Parameters
    ----------
    start : Start
    data : TuningData
    recipe : TuningRecipe
    hardware : Hardware
    work : Path
        Folder of the checkpoint and of the events for TensorBoard.
    progress : Progress

    Returns
    -------
    FineTuning
        Its `best` are the weights to keep.

    Raises
    ------
    ArtefactError
        The checkpoint is of another fine-tuning, or damaged.
    """
    torch.set_num_threads(recipe.threads)
    module = _module(start, data, recipe, workers=hardware.workers, tell=progress.tell)
    key = _key(start, data, recipe, hardware)
    checkpoint = work / CHECKPOINT
    kept = read_checkpoint(checkpoint, key)
    if kept is not None:
        module.on_load_checkpoint(kept)
        if module.finished:
            log.info("this fine-tuning was finished before: its files are written again as they were")
            return module
        log.info("going on after epoch %d of a run that was stopped", module.epochs_done)
    trainer = _trainer(data, recipe, hardware, work, progress, KeepEveryEpoch(checkpoint, key))
    with warnings.catch_warnings():
        # The number of workers is the operator's choice, and few steps make an epoch on purpose.
        warnings.simplefilter("ignore", PossibleUserWarning)
        warnings.filterwarnings("ignore", message=".*LeafSpec", module="lightning")
        trainer.fit(module, ckpt_path=None if kept is None else checkpoint, weights_only=True)
    return module


def record_of(
    tuned: FineTuning,
    start: Start,
    data: TuningData,
    hardware: Hardware,
    *,
    weights_sha256: str,
    produced_by: Producer,
) -> FinetuneDoc:
    """Write down what a fine-tuning began with, and what became of it."""

    def compared(on: str, before: Figure, after: Figure) -> ComparedEntry:
        return ComparedEntry(
            name=FIGURE_NAME, on=on, before=FigureEntry.of(before), after=FigureEntry.of(after)
        )

    before, after = tuned.before, tuned.kept.judgement
    card = start.model.card
    epochs = len(tuned.rows) - 1
    return FinetuneDoc(
        produced_by=produced_by,
        inputs={"dataset": data.dataset_sha256, "model": card.sha256},
        architecture=card.architecture,
        started_from=WeightsEntry(id=card.id, sha256=card.sha256),
        dataset=DatasetEntry(name=data.dataset.name, sha256=data.dataset_sha256),
        weights_sha256=weights_sha256,
        recipe=tuned.recipe,
        rehearsal_sha256=data.scenes_sha256,
        images={"train": len(data.images), "val": len(data.judged)},
        taught={split: dict(sorted(found.items())) for split, found in data.taught.items()},
        figure=(
            None
            if before.figure is None or after.figure is None
            else compared("validation split of the dataset", before.figure, after.figure)
        ),
        guard=compared(f"{len(data.guard)} random phantoms that are never taught", before.guard, after.guard),
        epochs=epochs,
        best_epoch=tuned.kept.epoch,
        stopped_early=epochs < tuned.recipe.epochs,
        machine=MachineEntry(
            device=hardware.device,
            name=hardware.name,
            processes=hardware.processes,
            precision=hardware.precision,
            torch=str(torch.__version__),
            lightning=lightning.__version__,
        ),
    )


def _trainer(
    data: TuningData,
    recipe: TuningRecipe,
    hardware: Hardware,
    work: Path,
    progress: Progress,
    keep: KeepEveryEpoch,
) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric"):
        # They tell of themselves and of other products; what goes wrong is raised.
        logging.getLogger(name).setLevel(logging.ERROR)
    stopping = EarlyStopping(FIGURE, mode="max", patience=recipe.patience, check_on_train_epoch_end=True)
    return lightning.Trainer(
        accelerator="gpu" if hardware.device == "cuda" else "cpu",
        devices=hardware.processes,
        strategy="auto",
        precision=hardware.precision,
        max_epochs=recipe.epochs,
        callbacks=[
            keep,
            *([stopping] if data.judged else []),
            *([RichProgressBar(leave=False, console_kwargs={"stderr": True})] if progress.bar else []),
        ],
        logger=TensorBoardLogger(work, name="", version=EVENTS),
        enable_progress_bar=progress.bar,
        enable_model_summary=False,
        gradient_clip_val=1.0,
        # Not every operation on a GPU has a deterministic way; where one has none, a warning says so.
        deterministic=True if hardware.device == "cpu" else "warn",
        use_distributed_sampler=False,
        log_every_n_steps=recipe.steps,
        default_root_dir=work,
    )


def _module(
    start: Start, data: TuningData, recipe: TuningRecipe, *, workers: int, tell: Callable[[str], None]
) -> FineTuning:
    def judge(weights: Weights) -> Judgement:
        finder, calibration = start.method(weights)
        figure = figure_of(data.judged, finder, calibration) if data.judged else None
        return Judgement(figure, figure_of(data.guard, finder, calibration))

    _, cuts = start.method(start.weights)
    rehearsal = SceneBatches(
        data.scenes, [], recipe.seed, recipe.patch_px, recipe.rehearsed_patches, image_count=0
    )
    lessons = Lessons(
        data.images,
        rehearsal,
        cuts,
        seed=recipe.seed,
        count=recipe.labelled_patches,
        size_px=recipe.patch_px,
    )
    return FineTuning(
        start.architecture, start.weights, recipe, lessons=lessons, judge=judge, workers=workers, tell=tell
    )


def _key(start: Start, data: TuningData, recipe: TuningRecipe, hardware: Hardware) -> dict[str, str]:
    """Name everything that two runs must share for one to go on with the other's checkpoint."""
    own = json.dumps(asdict(recipe), sort_keys=True)
    return {
        "architecture": start.architecture.id,
        "model": start.model.card.sha256,
        "dataset": data.dataset_sha256,
        "rehearsal": data.scenes_sha256,
        "recipe": hashlib.sha256(own.encode()).hexdigest(),
        "device": f"{hardware.processes} x {hardware.device}, {hardware.precision}",
    }
