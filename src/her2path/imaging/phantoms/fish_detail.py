"""What a plain FISH phantom leaves out: thin sections, mixtures, damage, crowds, and worse microscopes.

Every default changes nothing: a phantom that states none of it has the bytes that it always had.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Bounds = dict[str, tuple[float, float, float]]


def check_bounds(bounds: Bounds) -> None:
    """Refuse a value outside its (value, low, high); a NaN lies outside of everything."""
    for name, (value, low, high) in bounds.items():
        if not low <= value <= high:
            raise ValueError(f"{name} must lie within {low} to {high}, got {value!r}")


@dataclass(frozen=True, slots=True)
class MixedClusters:
    """Homogeneously staining regions of mixed size, on top of the single copies of a nucleus."""

    share: float = 0.8
    """Share of the tumour nuclei that have any."""
    most: int = 2
    """Most clusters of one nucleus; one to this many are equally likely."""
    copies: tuple[int, int] = (6, 50)
    """Fewest and most copies of a cluster; the logarithm is uniform between them."""
    spread_um: tuple[float, float] = (0.08, 0.24)
    """Compactest and loosest: standard deviation of the places over the square root of the copies (µm)."""

    def __post_init__(self) -> None:
        check_bounds(
            {
                "share of nuclei with clusters": (self.share, 0, 1),
                "most clusters": (self.most, 1, 6),
                "fewest copies": (self.copies[0], 4, self.copies[1]),
                "most copies": (self.copies[1], 4, 100),
                "compactest spread": (self.spread_um[0], 0.01, self.spread_um[1]),
                "loosest spread": (self.spread_um[1], 0.01, 1),
            }
        )


@dataclass(frozen=True, slots=True)
class SecondPopulation:
    """A second sort of tumour cells with copies of its own (genetic heterogeneity)."""

    share: float
    """Share of the tumour nuclei."""
    her2_mean: float
    cep17_mean: float = 2.0
    her2_fano: float = 0.3
    cep17_fano: float = 0.3
    cluster_fraction: float = 0.0
    clusters: MixedClusters | None = None
    place: Literal["patch", "mixed"] = "patch"
    """A part of the field of its own, or among the others."""

    def __post_init__(self) -> None:
        check_bounds(
            {
                "share of the second population": (self.share, 0, 1),
                "her2_mean": (self.her2_mean, 0, 100),
                "cep17_mean": (self.cep17_mean, 0, 100),
                "her2_fano": (self.her2_fano, 0, 1),
                "cep17_fano": (self.cep17_fano, 0, 1),
                "cluster_fraction": (self.cluster_fraction, 0, 1),
            }
        )


@dataclass(frozen=True, slots=True)
class FishTissue:
    """Tissue and section beyond the plain ones."""

    section_cut: bool = False
    """Nuclei are ellipsoids of which the section holds a slice: copies outside of it are lost, caps are
    smaller and dimmer.  The copy numbers of the spec are then those of the whole nucleus."""
    second: SecondPopulation | None = None
    clusters: MixedClusters | None = None
    pleomorphism: float = 1.0
    """Factor on the spread of the sizes of nuclei."""
    nucleus_size: float = 1.0
    """Factor on the diameters of tumour nuclei."""
    rims: float = 0.0
    """Chromatin at the nuclear envelope: light added at the outline, as a share of the nucleus's own."""
    lymphocyte_crowds: float = 0.0
    """Crowds of 15 to 40 lymphocytes per mm²."""
    crushed_share: float = 0.0
    """Share of the tumour nuclei drawn out into smears."""
    folded_share: float = 0.0
    """Share of the tumour nuclei with a fold."""
    defocused_share: float = 0.0
    """Share of the nuclei that lie 3 to 7 µm out of the section's plane (lifted tissue)."""
    fragments: float = 0.0
    """Apoptotic bodies and torn chromatin per mm²: small, bright in DAPI, no nucleus."""
    fibres: float = 0.0
    """Factor on the light of collagen and elastin, which shine green and a little orange."""
    granules: float = 0.0
    """Lipofuscin granules per mm²: of the size of a signal, in both probe channels, beside nuclei."""
    dust: float = 0.0
    """Large bright dust out of focus, per mm²."""

    def __post_init__(self) -> None:
        check_bounds(
            {
                "pleomorphism": (self.pleomorphism, 0, 3),
                "nucleus_size": (self.nucleus_size, 0.5, 1.3),
                "rims": (self.rims, 0, 2),
                "lymphocyte_crowds": (self.lymphocyte_crowds, 0, 500),
                "crushed_share": (self.crushed_share, 0, 1),
                "folded_share": (self.folded_share, 0, 1),
                "defocused_share": (self.defocused_share, 0, 1),
                "fragments": (self.fragments, 0, 20_000),
                "fibres": (self.fibres, 0, 10),
                "granules": (self.granules, 0, 100_000),
                "dust": (self.dust, 0, 1000),
            }
        )


@dataclass(frozen=True, slots=True)
class FishOptics:
    """Microscope and camera beyond the plain ones."""

    her2_shift_px: tuple[float, float] = (0.0, 0.0)
    """How far the HER2 channel is shown to the right and below of DAPI, in the middle of the field (px)."""
    cep17_shift_px: tuple[float, float] = (0.0, 0.0)
    her2_magnification: float = 1.0
    """Size of the HER2 channel over that of DAPI, about the middle of the field."""
    cep17_magnification: float = 1.0
    bleed: float = 1.0
    """Factor on the light that reaches another channel."""
    dapi_level: float = 1.0
    """Factor on the DNA stain's light; 5 saturates the camera."""
    gain: float = 1.0
    """Factor on the camera's counts per photoelectron."""
    focus_drift_um: float = 0.0
    """Difference in focus between two opposite edges of the field (a tilted slide)."""
    unevenness: float = 1.0
    """Factor on the fall of the illumination towards the corners."""

    def __post_init__(self) -> None:
        shifts = (*self.her2_shift_px, *self.cep17_shift_px)
        check_bounds(
            {
                **{f"shift {i}": (shift, -20, 20) for i, shift in enumerate(shifts)},
                "her2_magnification": (self.her2_magnification, 0.98, 1.02),
                "cep17_magnification": (self.cep17_magnification, 0.98, 1.02),
                "bleed": (self.bleed, 0, 10),
                "dapi_level": (self.dapi_level, 0.05, 20),
                "gain": (self.gain, 0.05, 20),
                "focus_drift_um": (self.focus_drift_um, 0, 20),
                "unevenness": (self.unevenness, 0, 4),
            }
        )
