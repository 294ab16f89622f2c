"""A FISH phantom drawn at random: some tumour in some laboratory under some microscope.

Wider than what one laboratory meets, so that nothing can be fitted to the named profiles.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from her2path.imaging.phantoms.fish_detail import FishOptics, FishTissue, MixedClusters, SecondPopulation
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec

_STREAM = 40
_SIDE_UM = 128.0
"""Width and height of the field."""
_PIXELS_UM = (0.08, 0.32)
_SHIFT_UM = 0.12
"""Spread of the shift between two filters or two wavelengths."""
_FINE_UM = 0.2
"""Above it a signal is hardly two pixels wide; such cameras are the rarer ones."""


def random_fish_spec(seed: int) -> FishPhantomSpec:
    """Draw a phantom of random copies, tissue, optics and camera.

    Parameters
    ----------
    seed : int
        The same seed gives the same spec and the same bytes.

    Returns
    -------
    spec : FishPhantomSpec

    Examples
    --------
    >>> random_fish_spec(1) == random_fish_spec(1)
    True
    """
    rng = np.random.default_rng([seed, _STREAM])
    coarse = rng.random() < 0.15
    mpp = round(
        float(rng.uniform(_FINE_UM, _PIXELS_UM[1]) if coarse else rng.uniform(_PIXELS_UM[0], _FINE_UM)), 3
    )
    side = round(_SIDE_UM / mpp)
    spec = _camera(FishPhantomSpec(seed=seed, width_px=side, height_px=side, mpp=mpp), rng)
    spec = _with_copies(replace(spec, optics=_optics(rng, mpp)), rng)
    tissue = replace(_tissue(rng), clusters=spec.tissue.clusters, second=spec.tissue.second)
    if tissue.section_cut:
        # A section leaves about half of the copies and many a nucleus without a colour.
        spec = replace(spec, section_um=float(rng.uniform(4, 6)), nuclei_per_mm2=1.5 * spec.nuclei_per_mm2)
    # Who takes a stack takes it through the section.
    step_um = max(0.3, spec.section_um / (spec.z_planes + 1))
    return replace(spec, tissue=tissue, z_step_um=round(step_um, 2))


def _camera(spec: FishPhantomSpec, rng: np.random.Generator) -> FishPhantomSpec:
    """Draw focus, light, noise, and how crowded the tissue is."""
    return replace(
        spec,
        blur=float(np.clip(np.exp(rng.normal(0.03, 0.12)), 0.85, 1.25)),
        background=float(np.exp(rng.normal(0, 0.4))),
        noise=float(np.exp(rng.normal(0, 0.3))),
        signal_level=float(max(0.5, np.exp(rng.normal(0, 0.3)))),
        artefacts=float(np.exp(rng.normal(0, 0.6))),
        doublet_fraction=float(rng.uniform(0.05, 0.25)),
        nuclei_per_mm2=float(rng.uniform(1500, 4000)),
        overlap_share=float(rng.uniform(0.05, 0.2)),
        tumour_share=float(rng.uniform(0.75, 0.95)),
        bit_depth=int(rng.choice([8, 12, 12, 12, 14, 16])),
        z_planes=int(rng.choice([1, 1, 1, 1, 3, 5])),
    )


def _optics(rng: np.random.Generator, mpp: float) -> FishOptics:
    shifts = rng.normal(0, _SHIFT_UM, (2, 2)) / mpp * (rng.random() < 0.6)
    sizes = 1 + rng.normal(0, 0.0004, 2)
    return FishOptics(
        her2_shift_px=(float(shifts[0, 0]), float(shifts[0, 1])),
        cep17_shift_px=(float(shifts[1, 0]), float(shifts[1, 1])),
        her2_magnification=float(sizes[0]),
        cep17_magnification=float(sizes[1]),
        bleed=float(np.clip(np.exp(rng.normal(0, 0.6)), 0.25, 3.5)),
        dapi_level=float(np.exp(rng.normal(0, 0.5))),
        gain=float(np.exp(rng.normal(0, 0.3))),
        focus_drift_um=float(rng.uniform(0, 1.5)) * float(rng.random() < 0.4),
        unevenness=float(rng.uniform(0.2, 2.0)),
    )


def _tissue(rng: np.random.Generator) -> FishTissue:
    def sometimes(chance: float, low: float, high: float) -> float:
        drawn = float(rng.uniform(low, high))
        return drawn if rng.random() < chance else 0.0

    return FishTissue(
        section_cut=bool(rng.random() < 0.35),
        pleomorphism=float(rng.uniform(0.7, 1.8)),
        nucleus_size=float(rng.uniform(0.85, 1.15)),
        rims=sometimes(0.6, 0.1, 0.5),
        lymphocyte_crowds=sometimes(0.3, 10, 60),
        crushed_share=sometimes(0.25, 0.02, 0.15),
        folded_share=sometimes(0.25, 0.02, 0.08),
        defocused_share=sometimes(0.3, 0.03, 0.15),
        fragments=sometimes(0.4, 100, 900),
        fibres=sometimes(0.3, 0.3, 1.2),
        granules=sometimes(0.3, 300, 2500),
        dust=sometimes(0.2, 10, 50),
    )


def _with_copies(spec: FishPhantomSpec, rng: np.random.Generator) -> FishPhantomSpec:
    """Draw copies of CEP17 and HER2, from loss to high amplification, some mixed."""
    cep17 = float(np.clip(np.exp(rng.normal(np.log(2.1), 0.3)), 1.1, 5.5))
    ratio = float(np.exp(rng.choice([rng.normal(0.05, 0.12), rng.normal(0.65, 0.2), rng.normal(1.3, 0.4)])))
    her2 = float(np.clip(cep17 * ratio, 1.2, 20))
    clusters = None
    if ratio > 1.8 and rng.random() < 0.6:
        low = int(rng.integers(6, 12))
        spread = float(rng.uniform(0.06, 0.12))
        clusters = MixedClusters(
            share=float(rng.uniform(0.4, 1.0)),
            most=int(rng.integers(1, 3)),
            copies=(low, int(rng.integers(low + 4, 51))),
            spread_um=(spread, float(rng.uniform(spread, 0.24))),
        )
        her2 = min(her2, 6.0)
    second = None
    if rng.random() < 0.15:
        place: Literal["patch", "mixed"] = "patch" if rng.random() < 0.5 else "mixed"
        second = SecondPopulation(
            float(rng.uniform(0.1, 0.5)),
            float(rng.uniform(4, 12)),
            cep17,
            place=place,
        )
    return replace(
        spec,
        her2_mean=her2,
        cep17_mean=cep17,
        her2_fano=float(rng.uniform(0.15, 0.6)),
        cep17_fano=float(rng.uniform(0.05, 0.4)),
        tissue=replace(spec.tissue, clusters=clusters, second=second),
    )
