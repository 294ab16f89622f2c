"""The fine-tuning itself as a Lightning module: lessons, averaged weights, a judgement every epoch.

The weights that are kept are those of the epoch whose average does best on the validation split,
among the epochs that did not lose what the model could before; the model that one began with is a
candidate like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import lightning
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Sampler

from her2path.imaging.nets.architectures import Network, plain_network
from her2path.imaging.nets.registry import Architecture
from her2path.training.finetune_record import FigureEntry, TuningRecipe
from her2path.training.label_figure import Figure
from her2path.training.lesson_losses import LessonLosses, lesson_losses
from her2path.training.lessons import Lesson, Lessons

Weights = Mapping[str, npt.NDArray[np.float32]]
FIGURE, GUARD = "figure", "guard"
_PARTS = ("nucleus", "expressed", "amount", "tumour", "radii", "cell_radii")
LOSS_COLUMNS = ("rehearsal", "labels", *_PARTS, "grade", "area")
COLUMNS = ("epoch", "step", "rate", *LOSS_COLUMNS, FIGURE, GUARD)
"""Of `losses.csv`: mean losses of the epoch (parts are those of the labels), and the figures at its end."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of one set of weights."""

    figure: Figure | None
    """On the validation split; None where it has no labels."""
    guard: Figure
    """On phantoms of the kind that the model came from."""


Judge = Callable[[Weights], Judgement]
Row = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Best:
    """The weights that are kept so far."""

    epoch: int
    """0 = those that the fine-tuning began with."""
    judgement: Judgement
    weights: dict[str, torch.Tensor]


class StepsOfEpoch(Sampler[int]):
    """Numbers of the lessons of one epoch and process.

    Parameters
    ----------
    epoch : callable
        Asked for the epoch when its first lesson is.  Lightning would set it, and count it itself, but in a
        run that goes on only after the processes that make lessons asked for the first ones.
    steps, rank, world : int
        Lessons of an epoch in each process, number of this process, and of all.
    """

    def __init__(self, epoch: Callable[[], int], *, steps: int, rank: int, world: int) -> None:
        self.epoch, self.steps, self.rank, self.world = epoch, steps, rank, world

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[int]:
        first = self.epoch() * self.steps
        for step in range(first, first + self.steps):
            yield step * self.world + self.rank


class FineTuning(lightning.LightningModule):
    """State of one fine-tuning.

    Parameters
    ----------
    architecture : Architecture
    start : mapping of str to ndarray of float32
        Weights to begin with.
    recipe : TuningRecipe
    lessons : Lessons
    judge : callable
        Measures weights; called by the first process alone.
    workers : int
        Processes that make lessons; 0 = this one.
    tell : callable
        Given a line for each epoch.
    """

    def __init__(
        self,
        architecture: Architecture,
        start: Weights,
        recipe: TuningRecipe,
        *,
        lessons: Lessons,
        judge: Judge,
        workers: int,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.recipe, self.lessons, self.judge, self.workers, self.tell = recipe, lessons, judge, workers, tell
        # Convolutions have their normalisation folded in, as models are kept: a few labelled cells could not
        # tell the means and spreads of a normalisation anew, and rehearsed ones would pull them back.
        self.network = plain_network(architecture, start).to(memory_format=torch.channels_last).train()
        self.first, self.averaged = (_still(plain_network(architecture, start)) for _ in range(2))
        self.rows: list[Row] = []
        self._best: Best | None = None
        self._before: Judgement | None = None
        self.finished = False
        self._sums: dict[str, torch.Tensor] = {}

    @property
    def kept(self) -> Best:
        """The best weights so far."""
        if self._best is None:
            raise RuntimeError("a fine-tuning is judged before it begins")
        return self._best

    @property
    def before(self) -> Judgement:
        """Figures of the model that the fine-tuning began with."""
        if self._before is None:
            raise RuntimeError("a fine-tuning is judged before it begins")
        return self._before

    @property
    def epochs_done(self) -> int:
        """Epochs that were run and judged, of an earlier run too."""
        return max(0, len(self.rows) - 1)

    def train_dataloader(self) -> DataLoader[Lesson]:
        """Serve the lessons of this process."""
        sampler = StepsOfEpoch(
            lambda: self.epochs_done,
            steps=self.recipe.steps,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
        )
        return DataLoader(
            self.lessons,
            batch_size=None,
            sampler=sampler,
            num_workers=self.workers,
            # Forked threads of OpenCV hang.
            multiprocessing_context="spawn" if self.workers else None,
            persistent_workers=self.workers > 0,
        )

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:  # noqa: ARG002
        """Move a lesson, which Lightning does not know, to the device."""
        return cast(Lesson, batch).to(device)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use AdamW without decay towards nothing: weights are drawn towards the first ones instead."""
        return torch.optim.AdamW(self.network.parameters(), lr=self.recipe.rate, weight_decay=0.0)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Set the learning rate of this step."""
        # From the number of the step alone: a scheduler would be a step off after a run was stopped.
        factor = self.recipe.factor_at(self.current_epoch * self.recipe.steps + batch_idx)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.recipe.rate * factor

    def training_step(self, lesson: Lesson) -> torch.Tensor:
        """Answer one lesson."""
        image = torch.cat([lesson.rehearsal.image, lesson.labelled.image])
        fine, coarse = self.network(image.contiguous(memory_format=torch.channels_last))
        with torch.no_grad():
            first = self.first(lesson.rehearsal.image.contiguous(memory_format=torch.channels_last))
        found = lesson_losses(fine, coarse, lesson, first=first)
        for name, value in _parts(found).items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value.detach()
        self.log("loss", found.total.detach(), prog_bar=True, on_step=True, logger=False)
        return found.total

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Draw the weights towards the first ones, and average them."""
        rate = self.trainer.optimizers[0].param_groups[0]["lr"] / self.recipe.rate
        every = (network.parameters() for network in (self.network, self.first, self.averaged))
        with torch.no_grad():
            for now, first, averaged in zip(*every, strict=True):
                now.lerp_(first, min(1.0, rate * self.recipe.pull))
                averaged.lerp_(now, 1 - self.recipe.average)

    def on_fit_start(self) -> None:
        """Judge what the fine-tuning begins with, unless it goes on from a checkpoint."""
        if self._before is None:
            self._before = self._judged(self.first)
            self._best = Best(0, self._before, _state(self.first))
            self.rows = [_row(0, 0, 0.0, {}, self._before)]
            self._say()

    def on_train_epoch_start(self) -> None:
        """Begin to add up losses."""
        self._sums = {}

    def on_train_epoch_end(self) -> None:
        """Judge the averaged weights, and keep them if none before were better."""
        epoch = self.current_epoch + 1
        found = self._judged(self.averaged)
        means = {name: float(value) / self.recipe.steps for name, value in self._sums.items()}
        rate = float(self.trainer.optimizers[0].param_groups[0]["lr"])
        self.rows.append(_row(epoch, epoch * self.recipe.steps, rate, means, found))
        if self._is_better(found):
            self._best = Best(epoch, found, _state(self.averaged))
        for name, value in self.rows[-1].items():
            if name not in {"epoch", "step"} and value is not None:
                self.log(name, value, rank_zero_only=name != FIGURE, prog_bar=name == FIGURE)
        self._say()

    def _judged(self, network: Network) -> Judgement:
        # One process measures; the others wait, so that all of them stop at the same epoch.
        found = self.judge(network.folded()) if self.trainer.is_global_zero else None
        return cast(Judgement, self.trainer.strategy.broadcast(found, src=0))

    def _is_better(self, found: Judgement) -> bool:
        lost = (self.before.guard.value or 0.0) - (found.guard.value or 0.0)
        if lost > self.recipe.guard_loss:
            return False
        best = self.kept.judgement
        if found.figure is None or best.figure is None:
            # Nothing tells which epoch is best; the last one has learnt longest at the lowest rate.
            return True
        return (found.figure.value or 0.0) > (best.figure.value or 0.0)

    def _say(self) -> None:
        if self.trainer.is_global_zero:
            row = self.rows[-1]
            words = [f"epoch {row['epoch']:.0f} of {self.recipe.epochs}"]
            words += [f"{name} {row[name]:.4f}" for name in ("rehearsal", "labels") if row[name] is not None]
            words += [f"{name} {row[name]:.4f}" for name in (FIGURE, GUARD) if row[name] is not None]
            is_best = self.kept.epoch == row["epoch"] != 0
            self.tell(", ".join(words) + (" (best so far)" if is_best else ""))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep everything that the next epoch depends on, as plain values."""
        checkpoint["her2path"] = {
            "rows": self.rows,
            "before": _plain(self.before),
            "best": {
                "epoch": self.kept.epoch,
                "judgement": _plain(self.kept.judgement),
                "weights": self.kept.weights,
            },
            "finished": self.trainer.should_stop or self.current_epoch + 1 >= self.recipe.epochs,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on where the checkpoint was kept."""
        kept = checkpoint["her2path"]
        self.rows, self.finished = list(kept["rows"]), bool(kept["finished"])
        self._before = _judgement(kept["before"])
        best = kept["best"]
        self._best = Best(int(best["epoch"]), _judgement(best["judgement"]), dict(best["weights"]))


def _still(network: Network) -> Network:
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def _state(network: Network) -> dict[str, torch.Tensor]:
    """Copy the folded weights, so that later steps do not change them."""
    return {name: torch.from_numpy(values) for name, values in network.folded().items()}


def _parts(found: LessonLosses) -> dict[str, torch.Tensor]:
    labels = found.labelled
    every = [found.rehearsal.total, found.labels]
    every += [*(getattr(labels, name) for name in _PARTS), found.grade, found.area]
    return dict(zip(LOSS_COLUMNS, every, strict=True))


def _row(epoch: int, step: int, rate: float, means: Mapping[str, float], found: Judgement) -> Row:
    figure = None if found.figure is None else found.figure.value
    head: Row = {"epoch": epoch, "step": step, "rate": rate}
    return (
        head | {name: means.get(name) for name in LOSS_COLUMNS} | {FIGURE: figure, GUARD: found.guard.value}
    )


def _plain(found: Judgement) -> dict[str, str | None]:
    return {
        FIGURE: None if found.figure is None else FigureEntry.of(found.figure).model_dump_json(),
        GUARD: FigureEntry.of(found.guard).model_dump_json(),
    }


def _judgement(plain: Mapping[str, str | None]) -> Judgement:
    figure = plain[FIGURE]
    return Judgement(
        None if figure is None else FigureEntry.model_validate_json(figure).figure,
        FigureEntry.model_validate_json(str(plain[GUARD])).figure,
    )
