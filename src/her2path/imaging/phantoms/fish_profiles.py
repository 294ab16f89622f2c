"""Named FISH phantoms: tissues, copy numbers and microscopes that a laboratory meets.

A profile changes what makes it and leaves the rest of a spec alone, so that a profile and an ISH group, or
two profiles, can be put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from her2path.imaging.phantoms.fish_detail import FishOptics, FishTissue, MixedClusters, SecondPopulation
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec

COPIES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "diploid": {"her2_mean": 2.0, "cep17_mean": 2.0, "her2_fano": 0.2, "cep17_fano": 0.2},
        "polysomy": {"her2_mean": 4.6, "cep17_mean": 4.4, "her2_fano": 0.35, "cep17_fano": 0.35},
        "monosomy": {"her2_mean": 2.2, "cep17_mean": 1.1, "her2_fano": 0.2, "cep17_fano": 0.0},
        "low_amplification": {"her2_mean": 5.2, "cep17_mean": 2.2, "her2_fano": 0.4, "cep17_fano": 0.3},
        "clusters": {
            "her2_mean": 3.0,
            "cep17_mean": 2.2,
            "her2_fano": 0.4,
            "cep17_fano": 0.3,
            "tissue": {"clusters": MixedClusters()},
        },
        "compact_clusters": {
            "her2_mean": 3.0,
            "cep17_mean": 2.2,
            "her2_fano": 0.4,
            "cep17_fano": 0.3,
            "tissue": {"clusters": MixedClusters(most=1, spread_um=(0.05, 0.10))},
        },
        "heterogeneous_patch": {
            "her2_mean": 2.1,
            "cep17_mean": 2.1,
            "her2_fano": 0.3,
            "cep17_fano": 0.3,
            "tissue": {"second": SecondPopulation(0.3, 9.0, 2.2, clusters=MixedClusters(share=0.5, most=1))},
        },
        "heterogeneous_mixed": {
            "her2_mean": 2.1,
            "cep17_mean": 2.1,
            "her2_fano": 0.3,
            "cep17_fano": 0.3,
            "tissue": {"second": SecondPopulation(0.3, 9.0, 2.2, place="mixed")},
        },
        "unhybridised_patch": {
            "her2_mean": 2.2,
            "cep17_mean": 2.1,
            "her2_fano": 0.2,
            "cep17_fano": 0.2,
            "tissue": {"second": SecondPopulation(0.4, 0.0, 0.0)},
        },
        "no_probe": {"signal_level": 0.0},
    }
)
"""What the nuclei hold."""

CONDITIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "plain": {},
        "thin_section": {"section_um": 4.0, "tissue": {"section_cut": True}},
        "crowded": {"nuclei_per_mm2": 4500, "overlap_share": 0.22, "tissue": {"rims": 0.5}},
        "lymphocytes": {"tumour_share": 0.75, "tissue": {"lymphocyte_crowds": 150, "rims": 0.2}},
        "pleomorphic": {"tissue": {"pleomorphism": 2.0, "rims": 0.35}},
        "damaged": {"tissue": {"crushed_share": 0.15, "folded_share": 0.1, "fragments": 500}},
        "lifted": {"tissue": {"defocused_share": 0.25}},
        "fibres": {"background": 1.4, "tissue": {"fibres": 1.0, "granules": 2500}},
        "debris": {"artefacts": 2.0, "tissue": {"fragments": 1200, "dust": 60}},
        "shifted": {
            "optics": {
                "her2_shift_px": (1.6, -0.9),
                "cep17_shift_px": (-0.8, 0.7),
                "her2_magnification": 1.0008,
                "cep17_magnification": 0.9995,
            }
        },
        "bleeding": {"optics": {"bleed": 4.0}},
        "uneven": {"background": 1.3, "optics": {"unevenness": 3.0}},
        "tilted": {"optics": {"focus_drift_um": 2.5}},
        "tilted_stack": {"z_planes": 7, "optics": {"focus_drift_um": 3.0}},
        "stack": {"z_planes": 5},
        "soft": {"blur": 1.3},
        "dim": {"signal_level": 0.5},
        "noisy": {"background": 2.0, "noise": 2.0},
        "saturated_dapi": {"optics": {"dapi_level": 4.0}},
        "camera_8_bit": {"bit_depth": 8, "optics": {"gain": 1.5}},
        "camera_16_bit": {"bit_depth": 16, "optics": {"gain": 0.5}},
        "pixels_0.065": {"mpp": 0.065},
        "pixels_0.10": {"mpp": 0.10},
        "pixels_0.25": {"mpp": 0.25},
        "pixels_0.32": {"mpp": 0.32},
    }
)
"""How tissue, microscope and camera show them."""

PROFILES: Mapping[str, Mapping[str, Any]] = MappingProxyType({**CONDITIONS, **COPIES})


def spec_for_profile(name: str, base: FishPhantomSpec | None = None) -> FishPhantomSpec:
    """Give `base` what makes a profile.

    Parameters
    ----------
    name : str
        One of `PROFILES`.
    base : FishPhantomSpec, optional
        Everything else; the default spec when None.  A profile that changes the pixel size keeps the
        width and height in micrometres.

    Returns
    -------
    spec : FishPhantomSpec

    Raises
    ------
    KeyError
        There is no such profile.

    Examples
    --------
    >>> spec = spec_for_profile("pixels_0.32")
    >>> spec.mpp, spec.width_px
    (0.32, 400)
    """
    base = base or FishPhantomSpec()
    given = dict(PROFILES[name])
    tissue: FishTissue = replace(base.tissue, **given.pop("tissue", {}))
    optics: FishOptics = replace(base.optics, **given.pop("optics", {}))
    scale = base.mpp / given.get("mpp", base.mpp)
    return replace(
        base,
        **given,
        width_px=round(base.width_px * scale),
        height_px=round(base.height_px * scale),
        tissue=tissue,
        optics=optics,
    )
