"""Lessons of a fine-tuning: patches of labelled images beside patches of what the model came from.

Everything random is drawn from the seed and the number of the step, as in `datasets`, so that a run
that was stopped sees what it would have seen, on any number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from her2path.domain.ihc import IhcScore
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.stain import StainModel
from her2path.training.datasets import Batch, Patch, SceneBatches, camera_changes, cut, stacked, turned
from her2path.training.label_targets import (
    Anchor,
    LabelTargets,
    StainingRule,
    staining_rules,
    targets_of_labels,
)
from her2path.training.labels import LabelledImage
from her2path.training.scenes import Scene

_UNSTAINED = 0.1
"""Share of labelled patches whose DAB is taken away: fewer than of scenes, for labels are rare."""
_WHOLE = 0.8
"""Share of a cell that a patch must show for it to be graded there."""
_FAINTEST_OD_UM = 0.035
"""DAB across a membrane below which nothing is seen, as in `datasets`."""
_SEEN_OD_UM = 0.05
"""The least that a membrane has which a person calls stained."""
_MIDDLE = (0.25, 0.75)
"""Part of a patch in which the label lies that it was drawn for."""


@dataclass(frozen=True, slots=True)
class TaughtImage:
    """A labelled image as a network learns it."""

    scene: Scene
    """One photograph."""
    labels: LabelTargets


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one step is taught by."""

    rehearsal: Batch
    labelled: Batch
    graded: torch.Tensor
    """(B, M/2, N/2): number of the cell, from 1, whose staining is read at this place; 0 = of none."""
    bounds: torch.Tensor
    """(K, 2, 4): two ways in which each cell gets its class (alike where there is one): least and most share
    of the contour, least and most square root of the amount (OD x µm)."""
    tumour_area: torch.Tensor
    """(B, M/4, N/4): places of areas drawn as tumour."""
    least_chance: float
    """Chance from which a place counts as stained."""

    def to(self, device: torch.device) -> Lesson:
        """Move all tensors to a device."""
        return Lesson(
            _moved(self.rehearsal, device),
            _moved(self.labelled, device),
            self.graded.to(device),
            self.bounds.to(device),
            self.tumour_area.to(device),
            self.least_chance,
        )


def _moved(batch: Batch, device: torch.device) -> Batch:
    return Batch(**{field.name: getattr(batch, field.name).to(device) for field in fields(Batch)})


def taught_image(image: LabelledImage, stains: StainModel, *, least_px: int) -> TaughtImage:
    """Prepare a labelled image for patches.

    Parameters
    ----------
    image : LabelledImage
    stains : StainModel
        Of the whole image of which this may be a window.
    least_px : int
        Smallest edge, a multiple of eight; a smaller image is laid on glass, of which nothing is taught.
    """
    height, width = image.rgb.shape[:2]
    missing = (max(0, least_px - height), max(0, least_px - width))
    around = ((0, missing[0]), (0, missing[1]))
    if any(missing):
        image = replace(
            image,
            rgb=np.pad(image.rgb, (*around, (0, 0)), constant_values=255),
            regions={kind: np.pad(mask, around) for kind, mask in image.regions.items()},
            instances=None if image.instances is None else np.pad(image.instances, around),
            taught=np.pad(image.taught, around),
        )
    labels = targets_of_labels(image)
    vectors = np.array([[stains.white, stains.hematoxylin, stains.dab]], np.float64)
    return TaughtImage(Scene(image.rgb[None], vectors, labels.targets), labels)


@dataclass(frozen=True, slots=True)
class Deck:
    """All labels that patches may be drawn around, by kind."""

    kinds: tuple[str, ...]
    weights: npt.NDArray[np.float64]
    places: tuple[tuple[tuple[int, Anchor], ...], ...]
    """Of each kind: the image's place in the list, and the label."""

    @classmethod
    def of(cls, images: Sequence[TaughtImage]) -> Deck:
        """Gather the labels of images.

        A kind is drawn in proportion to the square root of its number: rare ones oftener than they occur, and
        not so often that a few cells are learnt by heart.
        """
        found: dict[str, list[tuple[int, Anchor]]] = {}
        for number, image in enumerate(images):
            for anchor in image.labels.anchors:
                found.setdefault(anchor.kind, []).append((number, anchor))
        kinds = tuple(sorted(found))
        counts = np.array([len(found[kind]) for kind in kinds], np.float64)
        return cls(kinds, np.sqrt(counts) / np.sqrt(counts).sum(), tuple(tuple(found[k]) for k in kinds))

    def draw(self, rng: np.random.Generator) -> tuple[int, Anchor]:
        """Draw an image and one of its labels."""
        places = self.places[int(rng.choice(len(self.kinds), p=self.weights))]
        return places[int(rng.integers(len(places)))]


class Lessons(Dataset[Lesson]):
    """Lessons by the number of their step.

    Parameters
    ----------
    images : sequence of TaughtImage
        At least one, with at least one label.
    rehearsal : SceneBatches
        Scenes of the kind that the model was first fitted to.
    cuts : Calibration
        Of the model.
    seed, count, size_px : int
        Seed, labelled patches in a lesson, and their edge.
    """

    def __init__(
        self,
        images: Sequence[TaughtImage],
        rehearsal: SceneBatches,
        cuts: Calibration,
        *,
        seed: int,
        count: int,
        size_px: int,
    ) -> None:
        self.images = images
        self.rehearsal = rehearsal
        self.seed, self.count, self.size_px = seed, count, size_px
        self.deck = Deck.of(images)
        self.least_chance = cuts.least_chance
        self.rules = {score: staining_rules(score, cuts) for score in IhcScore}

    def __getitem__(self, step: int) -> Lesson:
        """Make the lesson of one step."""
        # torchvision draws from torch's own generator, which nothing else here may depend on.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 1_000_003 + step)
            return self._lesson(step)

    def _lesson(self, step: int) -> Lesson:
        rng = np.random.default_rng([self.seed, 5, step])
        camera = camera_changes()
        patches: list[Patch] = []
        graded, areas = [], []
        bounds: list[npt.NDArray[np.float32]] = []
        for _ in range(self.count):
            number, anchor = self.deck.draw(rng)
            image = self.images[number]
            top, left = self._place(image, anchor, rng)
            patch, change = cut(
                image.scene, rng, place=(top, left), size=self.size_px, camera=camera, unstained=_UNSTAINED
            )
            fine = np.s_[top // 2 : (top + self.size_px) // 2, left // 2 : (left + self.size_px) // 2]
            coarse = np.s_[top // 4 : (top + self.size_px) // 4, left // 4 : (left + self.size_px) // 4]
            cells, scores = _whole_cells(image.labels, fine, already=len(bounds))
            bounds += [bounds_of(self.rules[score], change.dab_gain) for score in scores]
            patches.append(patch)
            graded.append(turned(cells, change.turns, change.flip))
            areas.append(turned(image.labels.tumour_area[coarse], change.turns, change.flip))
        return Lesson(
            rehearsal=self.rehearsal(step),
            labelled=stacked(patches),
            graded=torch.from_numpy(np.stack(graded).astype(np.int64)),
            bounds=torch.from_numpy(np.array(bounds, np.float32).reshape(-1, 2, 4)),
            tumour_area=torch.from_numpy(np.stack(areas).astype(np.bool_)),
            least_chance=self.least_chance,
        )

    def _place(self, image: TaughtImage, anchor: Anchor, rng: np.random.Generator) -> tuple[int, int]:
        """Draw the corner of a patch that shows a label somewhere in its middle."""
        low, high = (int(part * self.size_px) for part in _MIDDLE)
        height, width = image.scene.rgb.shape[1:3]
        top, left = (
            int(np.clip(centre - int(rng.integers(low, high)), 0, edge - self.size_px)) // 8 * 8
            for centre, edge in ((anchor.row, height), (anchor.col, width))
        )
        return top, left


def _whole_cells(
    labels: LabelTargets, fine: Any, *, already: int
) -> tuple[npt.NDArray[np.int32], list[IhcScore]]:
    """Give the graded cells that a patch shows nearly whole their numbers, from `already` + 1."""
    cells = labels.graded[fine]
    shown = np.bincount(cells.ravel(), minlength=len(labels.scores) + 1)[1:]
    whole = np.bincount(labels.graded.ravel(), minlength=len(labels.scores) + 1)[1:]
    chosen = np.flatnonzero((shown > 0) & (shown >= _WHOLE * whole))
    numbers = np.zeros(len(labels.scores) + 1, np.int32)
    numbers[chosen + 1] = np.arange(already + 1, already + 1 + len(chosen))
    return numbers[cells], [labels.scores[place] for place in chosen.tolist()]


def bounds_of(rules: Sequence[StainingRule], gain: float) -> npt.NDArray[np.float32]:
    """Tell what still holds of a cell where all DAB is `gain` times as much.

    Parameters
    ----------
    rules : sequence of StainingRule
        One or two.
    gain : float

    Returns
    -------
    bounds : ndarray of float32, shape (2, 4)
        See `Lesson`.  What becomes too faint to be seen is unstained; what may have become so has no least
        share.

    Examples
    --------
    >>> strong = StainingRule((0.9, 1.0), (0.36, np.inf))
    >>> [round(bound, 2) for bound in bounds_of([strong], 1.0)[0].tolist()]
    [0.9, 1.0, 0.6, inf]
    >>> bounds_of([strong], 0.05)[0].tolist()[:2]
    [0.0, 1.0]
    """
    found = []
    for rule in rules:
        least, most = rule.share
        low, high = (gain * amount for amount in rule.amount_od_um)
        if high < _FAINTEST_OD_UM:
            least = most = 0.0
        elif gain * max(rule.amount_od_um[0], _SEEN_OD_UM) < _FAINTEST_OD_UM:
            least = 0.0
        found.append((least, most, np.sqrt(low), np.sqrt(high)))
    return np.array([found[0], found[-1]], np.float32)
