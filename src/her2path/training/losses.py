"""What a network is taught by: how far its answers are from the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from her2path.training.datasets import Batch


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses of one batch."""

    nucleus: torch.Tensor
    membrane: torch.Tensor
    tumour: torch.Tensor
    radii: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """Sum in which each task weighs about alike at the end of training."""
        return self.nucleus + self.membrane + 0.5 * self.tumour + 0.15 * self.radii


def losses(fine: torch.Tensor, coarse: torch.Tensor, batch: Batch) -> Losses:
    """Compare logits and radii with targets.

    Parameters
    ----------
    fine : tensor of float32, shape (B, 2, M/2, N/2)
    coarse : tensor of float32, shape (B, 33, M/4, N/4)
    batch : Batch

    Returns
    -------
    Losses
        Cross-entropies (pixels of nuclei count four times for `tumour`: nuclei are what is asked),
        and the mean distance of radii in µm, weighted by the depth of the place in its nucleus.
    """
    # Places that are not taught count as no depth.
    depth = functional.avg_pool2d(batch.nucleus.clamp(min=0)[:, None], 2)[:, 0]
    within = batch.radii[:, 0] > 0
    taught = depth * within
    radii = (coarse[:, 1:] - batch.radii).abs().mean(dim=1)
    return Losses(
        nucleus=_cross_entropy(fine[:, 0], batch.nucleus, torch.ones_like(batch.nucleus)),
        membrane=_cross_entropy(fine[:, 1], batch.membrane, torch.ones_like(batch.membrane)),
        tumour=_cross_entropy(coarse[:, 0], batch.tumour, 1 + 3 * within.float()),
        radii=(radii * taught).sum() / taught.sum().clamp(min=1),
    )


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    weight = weight * (target >= 0)
    each = functional.binary_cross_entropy_with_logits(logits, target.clamp(min=0), reduction="none")
    return (each * weight).sum() / weight.sum().clamp(min=1)
