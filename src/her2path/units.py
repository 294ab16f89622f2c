"""Pixel sizes and the few conversions between pixels and micrometres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MPP_MIN = 0.05
"""Finest pixel that an optical microscope resolves with room to spare (µm/px): a 100x objective
with an oversampling camera gives 0.065; anything finer is a unit error."""
MPP_MAX = 5.0
"""Coarsest pixel (µm/px) taken for real: a 2x scan; coarser values are a unit error (dpi read as µm)."""

MppOrigin = Literal["case_sheet", "vendor", "tiff_resolution", "ome_metadata"]


@dataclass(frozen=True, slots=True)
class PixelSize:
    """Edge length of a level-0 pixel and where that number was found."""

    mpp: float
    """µm per pixel."""
    origin: MppOrigin

    def __post_init__(self) -> None:
        if not MPP_MIN <= self.mpp <= MPP_MAX:
            raise ValueError(f"pixel size must lie within {MPP_MIN} to {MPP_MAX} µm/px, got {self.mpp!r}")


def is_plausible_mpp(mpp: float) -> bool:
    """Tell whether `mpp` (µm/px) can be a real pixel size; NaN and infinity cannot."""
    return MPP_MIN <= mpp <= MPP_MAX


def plausible_mpp(mpp: float) -> float:
    """Give a stated pixel size (µm/px) back; ValueError if it cannot be one."""
    if not is_plausible_mpp(mpp):
        raise ValueError(f"{mpp} is no pixel size; give µm per pixel, {MPP_MIN} to {MPP_MAX}")
    return mpp
