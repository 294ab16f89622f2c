"""A fine-tuning written down: its recipe, what it began with, and what became of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.errors import ArtefactError
from her2path.io.dataset_documents import Split
from her2path.io.documents import Document, read_document
from her2path.io.model_card import DatasetEntry, Digest, WeightsEntry
from her2path.training.label_figure import Figure, Seen

RECORD, WEIGHTS, LOSSES, CURVES = "fit.json", "weights.safetensors", "losses.csv", "curves.svg"
"""Files of a fine-tuned model."""


@dataclass(frozen=True, slots=True)
class TuningRecipe:
    """How a network is fine-tuned; the same recipe on the same machine gives the same weights.

    References
    ----------
    .. [1] Li et al., Explicit inductive bias for transfer learning with convolutional networks, ICML 2018
       (weights drawn towards those that one began with).
    .. [2] Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022 (averages of weights keep what
       was known before).
    """

    seed: int = 0
    epochs: int = 24
    """At most; fewer where the figure on the validation split stops rising."""
    steps: int = 20
    """Of each epoch, in every process."""
    labelled_patches: int = 4
    rehearsed_patches: int = 4
    """In one step."""
    patch_px: int = 256
    rate: float = 1e-4
    """Highest learning rate; it rises in a straight line and falls as half a cosine."""
    warm_up: int = 20
    pull: float = 0.001
    """Share of the way back to the first weights at each step of the highest rate [1]_."""
    average: float = 0.95
    """Share of the averaged weights, which are those that are kept [2]_, that stays at each step."""
    patience: int = 6
    """Epochs without a better figure before the fine-tuning stops."""
    rehearsal_scenes: int = 16
    rehearsal_px: int = 512
    guard_scenes: int = 4
    guard_loss: float = 0.01
    """How much lower the figure on the guarding phantoms may become."""
    threads: int = 1
    """Of torch; sums over more threads would differ."""

    def factor_at(self, step: int) -> float:
        """Learning rate of a step over the highest one.

        Examples
        --------
        >>> recipe = TuningRecipe(epochs=2, steps=6, warm_up=2)
        >>> [round(recipe.factor_at(step), 2) for step in (0, 1, 2, 7, 12)]
        [0.5, 1.0, 1.0, 0.5, 0.0]
        """
        if step < self.warm_up:
            return (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.epochs * self.steps - self.warm_up)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class SeenEntry(_Entry):
    """Cells of one class, see `Seen`."""

    labelled: Annotated[int, Ge(0)]
    found: Annotated[int, Ge(0)]
    right: Annotated[int, Ge(0)]


class FigureEntry(_Entry):
    """One figure, see `Figure`."""

    value: Annotated[float, Ge(0), Le(1)] | None
    """None = nothing was labelled and nothing found."""
    invented: Annotated[int, Ge(0)]
    classes: dict[str, SeenEntry]

    @classmethod
    def of(cls, figure: Figure) -> FigureEntry:
        """Write a figure down."""
        classes = {
            name: SeenEntry(labelled=seen.labelled, found=seen.found, right=seen.right)
            for name, seen in figure.classes.items()
        }
        return cls(value=figure.value, invented=figure.invented, classes=classes)

    @property
    def figure(self) -> Figure:
        """The figure itself."""
        classes = {name: Seen(seen.labelled, seen.found, seen.right) for name, seen in self.classes.items()}
        return Figure(classes, self.invented)


class ComparedEntry(_Entry):
    """A figure before and after."""

    name: str
    on: str
    before: FigureEntry
    after: FigureEntry


class MachineEntry(_Entry):
    """What the last bits of the weights depend on."""

    device: Literal["cpu", "cuda"]
    name: str
    """Instructions of the processor, or the GPU."""
    processes: Annotated[int, Ge(1)]
    precision: str
    torch: str
    lightning: str


class FinetuneDoc(Document):
    """`fit.json` (train_finetune)."""

    kind: ClassVar[str] = "finetune"

    architecture: str
    started_from: WeightsEntry
    dataset: DatasetEntry
    weights_sha256: Digest
    recipe: TuningRecipe
    rehearsal_sha256: Digest
    """Of all rehearsed scenes."""
    images: dict[Split, int]
    """Windows of images with labels that teach, by split; the split `test` is never opened."""
    taught: dict[Split, dict[str, int]]
    """Labels by what they are."""
    figure: ComparedEntry | None
    """On the validation split; None = it has no labels, so nothing tells whether the model is better."""
    guard: ComparedEntry
    """On phantoms of the kind that the model came from, which are never taught."""
    epochs: Annotated[int, Ge(0)]
    """Epochs that were run."""
    best_epoch: Annotated[int, Ge(0)]
    """Whose averaged weights were kept; 0 = those that it began with, for no epoch was better."""
    stopped_early: bool
    machine: MachineEntry


def read_finetune(path: Path) -> FinetuneDoc:
    """Read the record of a fine-tuning; ArtefactError if it cannot be understood."""
    try:
        return read_document(path, FinetuneDoc)
    except ArtefactError as error:  # a model's record is not to be deleted
        remedy = "give the folder that `her2path train fit` wrote, or train into another one"
        raise ArtefactError(error.name, error.detail, remedy) from error
