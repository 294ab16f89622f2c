"""What a network is taught by: how far its answers are from the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from her2path.imaging.nets.registry import CELL_RADII, NUCLEUS_RADII
from her2path.training.datasets import Batch


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of one batch."""

    nucleus: torch.Tensor
    expressed: torch.Tensor
    amount: torch.Tensor
    tumour: torch.Tensor
    radii: torch.Tensor
    cell_radii: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Sum in which each task weighs about alike at the end of training."""
        shape = 0.15 * self.radii + 0.05 * self.cell_radii
        return self.nucleus + self.expressed + 2 * self.amount + 0.5 * self.tumour + shape


def losses(fine: torch.Tensor, coarse: torch.Tensor, batch: Batch) -> Losses:
    """Compare logits and radii with targets.

    Parameters
    ----------
    fine : tensor of float32, shape (B, 3, M/2, N/2)
    coarse : tensor of float32, shape (B, 65, M/4, N/4)
    batch : Batch

    Returns
    -------
    Losses
        Cross-entropies (pixels of nuclei count four times for `tumour`: nuclei are what is asked; places
        off tumour cells count a third for `expressed`), the mean distance of amounts where stained, and the
        mean distances of radii in µm, weighted by the depth of the place in its nucleus.
    """
    # Places that are not taught count as no depth.
    depth = functional.avg_pool2d(batch.nucleus.clamp(min=0)[:, None], 2)[:, 0]
    within = batch.radii[:, 0] > 0
    taught = depth * within
    in_tumour = taught * (batch.cell_radii[:, 0] > 0)
    radii = (coarse[:, NUCLEUS_RADII] - batch.radii).abs().mean(dim=1)
    cell_radii = (coarse[:, CELL_RADII] - batch.cell_radii).abs().mean(dim=1)
    tumour = functional.interpolate(batch.tumour[:, None], scale_factor=2)[:, 0] > 0
    stained = (batch.amount > 0).float()
    expressed = torch.where(batch.amount < 0, batch.amount, stained)
    return Losses(
        nucleus=_cross_entropy(fine[:, 0], batch.nucleus, torch.ones_like(batch.nucleus)),
        expressed=_cross_entropy(fine[:, 1], expressed, (1 + 2 * tumour.float()) / 3),
        amount=((fine[:, 2] - batch.amount).abs() * stained).sum() / stained.sum().clamp(min=1),
        tumour=_cross_entropy(coarse[:, 0], batch.tumour, 1 + 3 * within.float()),
        radii=(radii * taught).sum() / taught.sum().clamp(min=1),
        cell_radii=(cell_radii * in_tumour).sum() / in_tumour.sum().clamp(min=1),
    )


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    weight = weight * (target >= 0)
    each = functional.binary_cross_entropy_with_logits(logits, target.clamp(min=0), reduction="none")
    return (each * weight).sum() / weight.sum().clamp(min=1)
