"""What a FISH phantom is made of: one frozen set of numbers, and presets for the five ISH groups."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from her2path.domain.ish import IshGroup, Probe
from her2path.imaging.phantoms.fish_detail import FishOptics, FishTissue, check_bounds
from her2path.units import MPP_MIN

_COARSEST = 0.65
"""Coarsest pixel (µm): a 10x objective, with which no signal is told from the next."""


@dataclass(frozen=True, slots=True)
class FishPhantomSpec:
    """Everything that determines a phantom; the same spec gives the same bytes."""

    seed: int = 0
    width_px: int = 800
    height_px: int = 800
    mpp: float = 0.16
    """Pixel size (µm); 0.16 is a 40x objective on a 6.5 µm camera pixel."""
    probe: Probe = Probe.DUAL
    her2_mean: float = 2.0
    """Mean HER2 copies per tumour nucleus in the section."""
    cep17_mean: float = 2.0
    """Mean CEP17 copies per tumour nucleus in the section."""
    her2_fano: float = 1.0
    """Variance over mean of the HER2 copies: 1 = Poisson, below 1 = whole chromosomes each lost to the
    section's faces with this probability (binomial), 0 = fixed (the mean rounded up or down)."""
    cep17_fano: float = 1.0
    """The same for CEP17."""
    cluster_fraction: float = 0.0
    """Share of the HER2 copies that lie in clusters (homogeneously staining regions), 0 to 1."""
    cluster_copies: int = 8
    """Copies in a full cluster; fewer than 4 copies never make one."""
    doublet_fraction: float = 0.15
    """Share of single copies that are replicated and show as two spots within one signal diameter."""
    signal_diameter_um: float = 0.5
    """Spots whose centres are no further apart count as one signal."""
    nuclei_per_mm2: float = 2200.0
    overlap_share: float = 0.12
    """Share of the nuclei that lie partly over or under another one."""
    tumour_share: float = 0.85
    """Share of tumour nuclei; the rest are stroma and lymphocytes in equal parts."""
    z_planes: int = 1
    """Focal planes; 1 = one capture with extended focus."""
    z_step_um: float = 0.6
    section_um: float = 4.0
    """Thickness of the section: signals lie anywhere in it."""
    blur: float = 1.0
    """Factor on the width of the point spread function: 1 = diffraction-limited, 2 = poor focus."""
    background: float = 1.0
    """Factor on autofluorescence, haze and the empty field's light."""
    artefacts: float = 1.0
    """Factor on the number of red blood cells, bright blobs and specks of debris."""
    noise: float = 1.0
    """Factor on the camera's noise (shot noise and read noise); 0 = none."""
    signal_level: float = 1.0
    """Factor on the brightness of the probes."""
    bit_depth: int = 12
    tissue: FishTissue = field(default_factory=FishTissue)
    optics: FishOptics = field(default_factory=FishOptics)

    def __post_init__(self) -> None:
        bounds = {
            "mpp": (self.mpp, MPP_MIN, _COARSEST),
            "seed": (self.seed, 0, 2**63),
            "width_px": (self.width_px, 32, 20_000),
            "height_px": (self.height_px, 32, 20_000),
            "her2_mean": (self.her2_mean, 0, 100),
            "cep17_mean": (self.cep17_mean, 0, 100),
            "her2_fano": (self.her2_fano, 0, 1),
            "cep17_fano": (self.cep17_fano, 0, 1),
            "cluster_fraction": (self.cluster_fraction, 0, 1),
            "cluster_copies": (self.cluster_copies, 4, 40),
            "doublet_fraction": (self.doublet_fraction, 0, 1),
            "signal_diameter_um": (self.signal_diameter_um, 0.1, 2),
            "nuclei_per_mm2": (self.nuclei_per_mm2, 0, 20_000),
            "overlap_share": (self.overlap_share, 0, 0.9),
            "tumour_share": (self.tumour_share, 0, 1),
            "z_planes": (self.z_planes, 1, 64),
            "z_step_um": (self.z_step_um, 0.05, 10),
            "section_um": (self.section_um, 0.5, 20),
            "blur": (self.blur, 0.5, 10),
            "background": (self.background, 0, 10),
            "artefacts": (self.artefacts, 0, 10),
            "noise": (self.noise, 0, 10),
            "signal_level": (self.signal_level, 0, 20),
            "bit_depth": (self.bit_depth, 8, 16),
        }
        check_bounds(bounds)


@dataclass(frozen=True, slots=True)
class _Copies:
    her2: float
    cep17: float
    her2_fano: float
    cep17_fano: float
    clusters: float = 0.0


# Means well away from the cuts (ratio 2; 4 and 6 copies) after what cannot be resolved is lost and
# although nuclei without one colour are not counted.  Monosomy (group 2) is one copy in nearly every
# nucleus: a Poisson count of mean 1.3 would leave every fourth nucleus colourless and lift the mean
# of the counted ones to 1.8.
_GROUPS = {
    IshGroup.GROUP_1: _Copies(7.4, 2.3, 0.6, 0.4, clusters=0.6),
    IshGroup.GROUP_2: _Copies(3.1, 1.1, 0.3, 0.0),
    IshGroup.GROUP_3: _Copies(8.2, 5.3, 0.4, 0.4),
    IshGroup.GROUP_4: _Copies(5.3, 3.5, 0.2, 0.3),
    IshGroup.GROUP_5: _Copies(2.4, 2.1, 0.4, 0.3),
}


def stream(spec: FishPhantomSpec, concern: int) -> np.random.Generator:
    """Give the random numbers of one concern: more focal planes or noise never move a nucleus."""
    return np.random.default_rng([spec.seed, concern])


def spec_for_group(group: IshGroup, base: FishPhantomSpec | None = None) -> FishPhantomSpec:
    """Give `base` the copy numbers of an ISH group, well away from the group's cuts.

    Parameters
    ----------
    group : IshGroup
        Group that the resolvable signals of the evaluable tumour nuclei shall fall into.
    base : FishPhantomSpec, optional
        Everything else; the default spec when None.

    Returns
    -------
    spec : FishPhantomSpec
        `base` with means, dispersions and share of clusters replaced.

    References
    ----------
    .. [1] Wolff et al., J Clin Oncol 36:2105 (2018): the five dual-probe groups.

    Examples
    --------
    >>> spec = spec_for_group(IshGroup.GROUP_1)
    >>> spec.her2_mean, spec.cep17_mean, spec.cluster_fraction
    (7.4, 2.3, 0.6)
    """
    copies = _GROUPS[group]
    return replace(
        base or FishPhantomSpec(),
        her2_mean=copies.her2,
        cep17_mean=copies.cep17,
        her2_fano=copies.her2_fano,
        cep17_fano=copies.cep17_fano,
        cluster_fraction=copies.clusters,
    )
