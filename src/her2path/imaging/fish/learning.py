"""What one field teaches about its signals: shift, bleed-through, illumination, and a single signal.

Learning and counting are separate so that a scan too large for memory learns on its richest window
and counts window by window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.assign import debris_mask, single_height
from her2path.imaging.fish.channels import MAX_BLEED, Bleed, measure_bleed, remove_bleed
from her2path.imaging.fish.patches import ClusterParams, SingleSignal, learn_flux, measure_patches
from her2path.imaging.fish.shift import Shift, estimate_shift, moved_back
from her2path.imaging.fish.spots import (
    SpotParams,
    Spots,
    detect_spots,
    height_at,
    learn_sigma,
    mirrored_rate,
    spot_width_px,
)
from her2path.imaging.fish.territories import Territories, territories_of

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Found = TypeVar("Found")

_FWHM = 2.3548
_SAMPLE_PX = 1152
"""Side of the part of a field that bleed-through and a single signal are learnt on."""


@dataclass(frozen=True, slots=True)
class SignalParams:
    """Cut-points of counting."""

    spot: SpotParams = field(default_factory=SpotParams)
    cluster: ClusterParams = field(default_factory=ClusterParams)
    diameter_um: float | None = None
    """Signal diameter within which spots merge; None = 1.1 times the learnt full width at half height, and
    no less than `min_diameter_um`."""
    min_diameter_um: float = 0.5
    """However sharp the optics: a probe of some hundred kilobases is itself nearly as large, and the two
    signals of a replicated locus lie within it."""
    unlearnt_snr: float = 8.0
    """Least significance of a spot where too few are found to know a single signal: nothing but the noise
    then tells a signal from texture."""
    unlearnt_reach: float = 0.4
    """Least share of the nuclei that such spots must be found in: hybridisation reaches most nuclei, debris
    and granules lie over some."""
    min_share: float = 0.25
    """Least height, in single signals, that is counted; less is a weak signal."""
    weak_share: float = 0.15
    """Least height, in single signals, that is listed as weak; less is texture."""
    edge_um: float = 0.4
    """A spot this close outside an outline still belongs to the nucleus."""
    debris_snr: float = 9.0
    """A spot as significant as this in DAPI is debris."""
    min_glow_um2: float = 2.0
    """Least area of glow over a nucleus that can hide a signal: some four signals."""
    cytoplasm_um: float = 2.5
    """How far outside a nucleus a signal is still over the cell; further away it is dust on the slide."""


@dataclass(frozen=True, slots=True)
class ProbeField:
    """The channels of one field or window, and its nuclei."""

    dapi: Image
    """Shape (M, N)."""
    probes: Mapping[str, Image]
    """Probe channels by role, ``her2`` and perhaps ``cep17``; each of shape (M, N)."""
    labels: Labels
    """Nuclei, shape (M, N); 0 = none."""
    mpp: float
    """Pixel size in µm."""
    one_exposure: bool = True
    """Whether a camera took it at once, so that its light falls off the same way in all of it."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one image taught about its signals."""

    single: Mapping[str, SingleSignal | None]
    """By role; None where too few spots were found to tell."""
    bleed: Mapping[tuple[str, str], Bleed]
    """Light of the second role that shows in the first."""
    shift: Mapping[str, Shift | None]
    """By role: place of its picture against DAPI's; None where it cannot be told."""
    part: tuple[slice, slice]
    """Rows and columns of the field that it was learnt on."""


class SameDyeError(ValueError):
    """Two probe channels show the same signals, so they cannot be counted apart."""


def learn_signals(shown: ProbeField, params: SignalParams) -> Learnt:
    """Learn shift, bleed-through, and size, height and light of single signals.

    Parameters
    ----------
    shown : ProbeField
        The field, or the richest window of a scan.
    params : SignalParams

    Raises
    ------
    SameDyeError
        Both channels show the same spots.
    """
    mpp = shown.mpp
    shift = {role: estimate_shift(shown.dapi, plane, mpp=mpp) for role, plane in shown.probes.items()}
    part = _richest_part(shown.labels)
    probes = {
        role: np.ascontiguousarray(moved_back(plane, shift[role], mpp=mpp)[part])
        for role, plane in shown.probes.items()
    }
    nuclei = territories_of(np.ascontiguousarray(shown.labels[part]), reach_px=params.edge_um / mpp)
    first = of_each(tuple(probes), lambda role: _first_spots(probes[role], nuclei, mpp=mpp, params=params))
    bleed = _learn_bleed(probes, first, mpp=mpp, params=params)
    planes = {role: without_bleed(role, probes, bleed) for role in probes}
    sample = ProbeField(np.ascontiguousarray(shown.dapi[part]), planes, nuclei.labels, mpp)

    def learn(role: str) -> SingleSignal | None:
        sigma_um = learn_sigma(probes[role], first[role], mpp=mpp) or params.spot.first_sigma_um
        return _learn_single(role, sample, nuclei, sigma_um, params)

    return Learnt(of_each(tuple(probes), learn), bleed, shift, part)


def prepared_probes(shown: ProbeField, learnt: Learnt) -> dict[str, Image]:
    """Probe channels moved onto DAPI and freed from bleed-through."""
    probes = {
        role: moved_back(plane, learnt.shift[role], mpp=shown.mpp) for role, plane in shown.probes.items()
    }
    return {role: without_bleed(role, probes, learnt.bleed) for role in probes}


def of_each(roles: tuple[str, ...], work: Callable[[str], Found]) -> dict[str, Found]:
    """Do the same for every channel, two at a time; the libraries underneath release the interpreter."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(roles, pool.map(work, roles), strict=True))


def signal_diameter(sigma_um: float, params: SignalParams) -> float:
    """Distance in µm within which two spots of one colour are one signal."""
    return params.diameter_um or max(params.min_diameter_um, 1.1 * _FWHM * sigma_um)


def typical_snr(spots: Spots) -> float:
    """Median significance of the spots in nuclei, of all where there is none in one; 1 of none."""
    inside = spots.snr[spots.nucleus > 0]
    if len(inside):
        return float(np.median(inside))
    return float(np.median(spots.snr)) if len(spots) else 1.0


def without_bleed(role: str, probes: Mapping[str, Image], bleed: Mapping[tuple[str, str], Bleed]) -> Image:
    """Take the light of the other dyes from a channel."""
    plane = probes[role]
    # Of two shares that feed each other only the larger is bleed-through; the other is its echo.
    for source in probes:
        if source != role and bleed[role, source].share >= bleed[source, role].share:
            plane = remove_bleed(plane, probes[source], bleed[role, source])
    return plane


def _richest_part(labels: Labels) -> tuple[slice, slice]:
    """Square of a field that nuclei cover most of; all of a small field."""
    height, width = labels.shape
    if max(height, width) <= _SAMPLE_PX:
        return slice(0, height), slice(0, width)
    step = _SAMPLE_PX // 2
    tops = sorted({min(top, max(height - _SAMPLE_PX, 0)) for top in range(0, height, step)})
    lefts = sorted({min(left, max(width - _SAMPLE_PX, 0)) for left in range(0, width, step)})
    # A sixteenth of the pixels tells how full a part is.
    covered = labels[::4, ::4] > 0
    reach = _SAMPLE_PX // 4
    fullest = max(
        ((top, left) for top in tops for left in lefts),
        key=lambda at: (
            int(covered[at[0] // 4 : at[0] // 4 + reach, at[1] // 4 : at[1] // 4 + reach].sum()),
            -at[0],
            -at[1],
        ),
    )
    return slice(fullest[0], fullest[0] + _SAMPLE_PX), slice(fullest[1], fullest[1] + _SAMPLE_PX)


def _first_spots(plane: Image, nuclei: Territories, *, mpp: float, params: SignalParams) -> Spots:
    """Find what stands out most in nuclei, before anything is known of the image."""
    spots = detect_spots(plane, nuclei, mpp=mpp, sigma_um=params.spot.first_sigma_um, params=params.spot)
    return _strong(spots.where(spots.nucleus > 0), params)


def _learn_bleed(
    probes: Mapping[str, Image], spots: Mapping[str, Spots], *, mpp: float, params: SignalParams
) -> dict[tuple[str, str], Bleed]:
    sigma_px = spot_width_px(params.spot.first_sigma_um, mpp)
    bleed = {
        (target, source): measure_bleed(probes[target], probes[source], spots[source], sigma_px=sigma_px)
        for source in probes
        for target in probes
        if target != source
    }
    if any(found.share > MAX_BLEED for found in bleed.values()):
        raise SameDyeError("its probe channels show the same spots")
    return bleed


def _learn_single(
    role: str, sample: ProbeField, nuclei: Territories, sigma_um: float, params: SignalParams
) -> SingleSignal | None:
    mpp, plane = sample.mpp, sample.probes[role]
    sigma_px = spot_width_px(sigma_um, mpp)
    spots = detect_spots(plane, nuclei, mpp=mpp, sigma_um=sigma_um, params=params.spot)
    debris = debris_mask(spots, sample.dapi, nuclei, sigma_px=sigma_px, min_snr=params.debris_snr)
    spots = _of_one_colour(role, spots.where(~debris), sample.probes, sigma_px)
    height = single_height(spots, min_share=params.min_share)
    if height is None:
        return None
    alone = SingleSignal(height, sigma_um, signal_diameter(sigma_um, params), typical_snr(spots))
    counted = spots.where(spots.height >= params.min_share * height)
    false = mirrored_rate(
        plane,
        nuclei,
        spots,
        sigma_px=sigma_px,
        min_snr=params.spot.min_snr,
        min_height=params.min_share * height,
    )
    patches = measure_patches(plane, nuclei.labels, counted, single=alone, mpp=mpp, params=params.cluster)
    return replace(alone, flux=learn_flux(patches, counted, single=alone), false_per_nucleus=false)


def _strong(spots: Spots, params: SignalParams) -> Spots:
    height = single_height(spots, min_share=params.min_share)
    return spots if height is None else spots.where(spots.height >= 0.4 * height)


def _of_one_colour(role: str, spots: Spots, planes: Mapping[str, Image], sigma_px: float) -> Spots:
    """Leave out spots that the other probe shows as well, so that glow is not learnt as a signal."""
    keep = np.ones(len(spots), bool)
    for other, plane in planes.items():
        if other != role:
            keep &= height_at(plane, spots, sigma_px=sigma_px) < 0.4 * spots.height
    return spots.where(keep)
