"""How far a network's answers are from a lesson: from labels, and from what it was first fitted to.

References
----------
.. [1] Geman & McClure, Bull Int Stat Inst 52:5 (1987) (a penalty that levels off for outliers).
.. [2] Li & Hoiem, Learning without forgetting, ECCV 2016 (a network's own answers against forgetting).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from her2path.imaging.nets.registry import CELL_RADII, NUCLEUS_RADII
from her2path.training.lessons import Lesson
from her2path.training.losses import Losses, losses

_MOSTLY = 0.5
"""Share of an area drawn as tumour that must be taken for tumour at least: stroma and lymphocytes lie in it,
too, and nobody drew round each of them."""
_FEWEST_PLACES = 64
"""Places of such an area that a patch must show (256 µm²): fewer may all be stroma."""
_SHARE_MARGIN, _ROOT_MARGIN = 0.08, 0.01
"""How far within its bounds a cell is led, so that it does not lie on the cut."""
_STEEPNESS = 3.0
"""Of the step from unstained to stained over the logit: the steeper, the more like counting, and the fewer
places that still learn."""
_AMOUNT_WEIGHT, _AMOUNT_SCALE = 0.02, 0.1
"""Weight of amounts off their bounds, and the distance (root of OD x µm) at which half of it is reached.
It levels off [1]_: where the stain of an image reads far too low, its stain model or the calibration is to
blame, and a network that learnt it would read the stain of all other images too high."""
_UNSTAINED_WEIGHT = 0.05
"""Of the places of cells that stain nothing, beside what their class as a whole teaches.  Nothing of the like
is known of a stained cell's places, and a network that is told of unstained ones alone sees none stained."""
_AREA_WEIGHT = 0.5
"""As `Losses.total` weighs tumour."""


@dataclass(frozen=True, slots=True)
class LessonLosses:
    """Mean losses of one lesson."""

    rehearsal: Losses
    labelled: Losses
    grade: torch.Tensor
    """Of cells with a class."""
    area: torch.Tensor
    """Of areas drawn as tumour."""

    @property
    def total(self) -> torch.Tensor:
        """Sum in which labels weigh as much as rehearsal, however few they are."""
        return self.rehearsal.total + self.labels

    @property
    def labels(self) -> torch.Tensor:
        """Part of the labels in it."""
        whole = self.labelled.total - (1 - _UNSTAINED_WEIGHT) * self.labelled.expressed
        return whole + self.grade + _AREA_WEIGHT * self.area


Answers = tuple[torch.Tensor, torch.Tensor]
"""Fine and coarse outputs of a network."""


def lesson_losses(
    fine: torch.Tensor, coarse: torch.Tensor, lesson: Lesson, *, first: Answers
) -> LessonLosses:
    """Compare the answers to a lesson with what it teaches.

    Parameters
    ----------
    fine : tensor of float32, shape (R + B, 3, M/2, N/2)
        Answers to the patches of the rehearsal, then to the labelled ones.
    coarse : tensor of float32, shape (R + B, 65, M/4, N/4)
    lesson : Lesson
    first : tuple of two tensors
        What the network that one began with answers to the patches of the rehearsal: these are held, not the
        truth of the scenes [2]_.  Its truth would teach a folded network anew on changed patches, whose
        statistics it was normalised by when it was first fitted, and move it on all others.
    """
    split = len(lesson.rehearsal.image)
    return LessonLosses(
        rehearsal=_moved_from(first, (fine[:split], coarse[:split])),
        labelled=losses(fine[split:], coarse[split:], lesson.labelled),
        grade=_grade_loss(fine[split:], lesson),
        area=_area_loss(coarse[split:, 0], lesson.tumour_area),
    )


def _moved_from(first: Answers, now: Answers) -> Losses:
    """How far answers are from those of the first network; nothing where they are the same."""
    fine, coarse = now
    nucleus, expressed = (torch.sigmoid(first[0][:, channel]) for channel in (0, 1))
    depth = functional.avg_pool2d(nucleus[:, None], 2)[:, 0]
    apart = (coarse - first[1]).abs()

    def mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (values * weight).sum() / weight.sum().clamp(min=1)

    return Losses(
        nucleus=_divergence(first[0][:, 0], fine[:, 0]),
        expressed=_divergence(first[0][:, 1], fine[:, 1]),
        amount=mean((fine[:, 2] - first[0][:, 2]).abs(), expressed),
        tumour=_divergence(first[1][:, 0], coarse[:, 0]),
        radii=mean(apart[:, NUCLEUS_RADII].mean(dim=1), depth),
        cell_radii=mean(apart[:, CELL_RADII].mean(dim=1), depth),
    )


def _divergence(first: torch.Tensor, now: torch.Tensor) -> torch.Tensor:
    """Mean divergence of the chances of some logits from those of others."""
    chance = torch.sigmoid(first)
    own, other = (functional.binary_cross_entropy_with_logits(logits, chance) for logits in (first, now))
    return other - own


def _grade_loss(fine: torch.Tensor, lesson: Lesson) -> torch.Tensor:
    """Distance of each cell's mean answers from the nearer way to its class."""
    count = len(lesson.bounds)
    if not count:
        return fine.sum() * 0
    # A piece of contour counts as stained from `least_chance` on, however sure the network is; a mean of
    # chances would be met by one that is a little unsure all around, which is graded 0.
    threshold = math.log(lesson.least_chance / (1 - lesson.least_chance))
    chance, root = torch.sigmoid(_STEEPNESS * (fine[:, 1] - threshold)), fine[:, 2]
    weight = chance.detach()
    places, share, own_weight, amount = (
        _summed(values, lesson.graded, count)
        for values in (torch.ones_like(chance), chance, weight, weight * root)
    )
    share = (share / places.clamp(min=1)).clamp(1e-4, 1 - 1e-4)[:, None]
    amount = (amount / own_weight.clamp(min=1e-3))[:, None]
    least, most, low, high = lesson.bounds.unbind(dim=-1)
    least = torch.where(least > 0, (least + _SHARE_MARGIN).clamp(max=0.99), least)
    most = torch.where(most < 1, (most - _SHARE_MARGIN).clamp(min=0.005), most)
    low = torch.where(low > 0, low + _ROOT_MARGIN, low)
    wanted = torch.minimum(torch.maximum(share, least), most).clamp(1e-4, 1 - 1e-4)
    apart = torch.special.xlogy(wanted, wanted / share) + torch.special.xlogy(
        1 - wanted, (1 - wanted) / (1 - share)
    )
    # What a cell does not stain has no amount.
    beyond = (amount - torch.minimum(torch.maximum(amount, low), high - _ROOT_MARGIN)) * (most > 0.01)
    beyond = beyond**2 / (beyond**2 + _AMOUNT_SCALE**2)
    nearer: torch.Tensor = (apart + _AMOUNT_WEIGHT * beyond).amin(dim=1)
    return nearer.mean()


def _summed(values: torch.Tensor, graded: torch.Tensor, count: int) -> torch.Tensor:
    """Sum over the places of each cell, shape (count,)."""
    into = torch.zeros(count + 1, device=values.device, dtype=values.dtype)
    return into.index_add(0, graded.flatten(), values.flatten())[1:]


def _area_loss(logits: torch.Tensor, area: torch.Tensor) -> torch.Tensor:
    """How far areas drawn as tumour are from being taken for tumour for the most part."""
    places = area.sum(dim=(1, 2))
    shown = places >= _FEWEST_PLACES
    mean = (torch.sigmoid(logits) * area).sum(dim=(1, 2)) / places.clamp(min=1)
    short = -torch.log((mean / _MOSTLY).clamp(1e-3, 1.0)) * shown
    return short.sum() / shown.sum().clamp(min=1)
