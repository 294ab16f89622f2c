"""Signals of all probe channels of one field: learn what a single signal looks like, then count.

The two halves are separate so that a scan too large for memory learns on its richest window and
counts window by window.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.imaging.fish.assign import debris_mask, single_height
from her2path.imaging.fish.channels import MAX_BLEED, bleed_fraction, remove_bleed
from her2path.imaging.fish.clusters import Signals, group_signals
from her2path.imaging.fish.patches import (
    ClusterParams,
    Patches,
    SingleSignal,
    glowing,
    learn_flux,
    measure_patches,
)
from her2path.imaging.fish.spots import SpotParams, Spots, detect_spots, height_at, learn_sigma

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

_FWHM = 2.3548


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
    min_share: float = 0.3
    """Least height, in single signals, that is counted; less is a weak signal."""
    weak_share: float = 0.15
    """Least height, in single signals, that is listed as weak; less is texture."""
    debris_snr: float = 9.0
    """A spot as significant as this in DAPI is debris."""
    min_glow_um2: float = 2.0
    """Least area of glow over a nucleus that can hide a signal: some four signals."""
    cytoplasm_um: float = 2.5
    """How far outside a nucleus a signal is still over the cell; further away it is dust on the slide."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one image taught about its signals."""

    single: Mapping[str, SingleSignal | None]
    """By role; None where too few spots were found to tell."""
    bleed: Mapping[tuple[str, str], float]
    """Share of the light of the second role that shows in the first."""


@dataclass(frozen=True, slots=True)
class ChannelSignals:
    """Signals of one channel of one field or window."""

    signals: Signals
    weak: Spots
    """Spots too faint to be counted."""
    single_height: float
    """Response of a single signal, that heights are compared with."""


@dataclass(frozen=True, slots=True)
class FieldSignals:
    """What was found in one field or window."""

    channels: Mapping[str, ChannelSignals]
    """By role."""
    glow: tuple[Glow, ...]
    """Nuclei that light of both probes lies over, which hides their signals."""


@dataclass(frozen=True, slots=True)
class Glow:
    """Autofluorescence (blood cells, pigment, dust) over a nucleus."""

    nucleus: int
    row: float
    col: float


class SameDyeError(ValueError):
    """Two probe channels show the same signals, so they cannot be counted apart."""


def learn_signals(
    dapi: Image, probes: Mapping[str, Image], labels: Labels, *, mpp: float, params: SignalParams
) -> Learnt:
    """Learn bleed-through, size, height and light of single signals.

    Parameters
    ----------
    dapi : ndarray of float32, shape (M, N)
    probes : mapping of role to ndarray of float32, shape (M, N)
        Raw probe channels, ``her2`` and perhaps ``cep17``.
    labels : ndarray of int32, shape (M, N)
        Nuclei.
    mpp : float
        Pixel size in µm.
    params : SignalParams

    Raises
    ------
    SameDyeError
        Both channels show the same spots.
    """
    bleed = _learn_bleed(probes, labels, mpp=mpp, params=params)
    single: dict[str, SingleSignal | None] = {}
    planes = {role: _clean(role, probes, bleed) for role in probes}
    for role, plane in planes.items():
        first = detect_spots(plane, labels, mpp=mpp, sigma_um=params.spot.first_sigma_um, params=params.spot)
        sigma_um = learn_sigma(plane, _strong(first, params), mpp=mpp) or params.spot.first_sigma_um
        spots = detect_spots(plane, labels, mpp=mpp, sigma_um=sigma_um, params=params.spot)
        spots = spots.where(~_debris(spots, dapi, labels, sigma_um / mpp, params))
        spots = _of_one_colour(role, spots, planes, max(sigma_um / mpp, 0.7))
        height = single_height(spots, min_share=params.min_share)
        if height is None:
            single[role] = None
            continue
        alone = SingleSignal(height, sigma_um, _diameter(sigma_um, params), _typical_snr(spots))
        counted = spots.where(spots.height >= params.min_share * height)
        patches = measure_patches(plane, labels, counted, single=alone, mpp=mpp, params=params.cluster)
        flux = learn_flux(patches, counted, single=alone)
        single[role] = replace(alone, flux=flux)
    return Learnt(single, bleed)


def count_signals(
    dapi: Image,
    probes: Mapping[str, Image],
    labels: Labels,
    learnt: Learnt,
    *,
    mpp: float,
    params: SignalParams,
) -> FieldSignals:
    """Count the signals of every probe channel with what was learnt of the image.

    Parameters are those of `learn_signals`; `labels` may be a window of the image.  Spots that lie
    over no nucleus and not close to one either are left out.
    """
    near_px = params.cytoplasm_um / mpp
    near = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) <= near_px
    planes = {role: _clean(role, probes, learnt.bleed) for role in probes}
    singles: dict[str, SingleSignal] = {}
    spots: dict[str, Spots] = {}
    for role, plane in planes.items():
        single = learnt.single[role]
        sigma_um = single.sigma_um if single else params.spot.first_sigma_um
        seen = detect_spots(plane, labels, mpp=mpp, sigma_um=sigma_um, params=params.spot)
        seen = seen.where(near[seen.row.astype(int), seen.col.astype(int)])
        spots[role] = seen.where(~_debris(seen, dapi, labels, sigma_um / mpp, params))
        singles[role] = single or _unlearnt(spots[role], sigma_um, params)
    weak: dict[str, Spots] = {}
    counted: dict[str, Spots] = {}
    patches: dict[str, Patches] = {}
    for role, plane in planes.items():
        alone = singles[role]
        own = spots[role].where(~_in_all_colours(role, spots, alone.diameter_um / 2 / mpp))
        strong = own.height >= params.min_share * alone.height
        weak[role] = own.where(~strong & (own.height >= params.weak_share * alone.height))
        counted[role] = own.where(strong)
        patches[role] = measure_patches(
            plane, labels, counted[role], single=alone, mpp=mpp, params=params.cluster
        )
    found: dict[str, ChannelSignals] = {}
    lit = np.zeros(labels.shape, bool)
    for role in planes:
        glow = _glowing_pixels(role, patches, singles, params.cluster)
        lit |= glow
        clear = counted[role].where(~glow[counted[role].row.astype(int), counted[role].col.astype(int)])
        signals = group_signals(clear, patches[role], single=singles[role], mpp=mpp, params=params.cluster)
        found[role] = ChannelSignals(signals, weak[role], singles[role].height)
    return FieldSignals(found, tuple(_glow_over_nuclei(lit, labels, mpp, params.min_glow_um2)))


def _glowing_pixels(
    role: str, patches: Mapping[str, Patches], singles: Mapping[str, SingleSignal], params: ClusterParams
) -> npt.NDArray[np.bool_]:
    mask = np.zeros(len(patches[role].flux), bool)
    for other in patches:
        if other != role:
            mask |= glowing(patches[role], patches[other], other_single=singles[other], params=params)
    pixels: npt.NDArray[np.bool_] = mask[patches[role].labels]
    return pixels


def _glow_over_nuclei(
    lit: npt.NDArray[np.bool_], labels: Labels, mpp: float, min_um2: float
) -> Iterator[Glow]:
    rows, cols = np.nonzero(lit & (labels > 0))
    owner = labels[rows, cols]
    number = np.bincount(owner)
    for nucleus in np.flatnonzero(number * mpp**2 >= min_um2).tolist():
        own = owner == nucleus
        yield Glow(nucleus, float(rows[own].mean()) + 0.5, float(cols[own].mean()) + 0.5)


def _in_all_colours(role: str, spots: Mapping[str, Spots], within_px: float) -> npt.NDArray[np.bool_]:
    """Tell spots outside nuclei that both probes show: dust glows in every colour, a signal in one.

    Inside a nucleus an orange signal over a green one is one of each.
    """
    own = spots[role]
    mask = np.zeros(len(own), bool)
    places = np.stack([own.row, own.col], axis=1)
    for other, seen in spots.items():
        if other != role and len(seen) and len(own):
            distance, _ = cKDTree(np.stack([seen.row, seen.col], axis=1)).query(places)
            mask |= distance <= within_px
    dust: npt.NDArray[np.bool_] = mask & (own.nucleus == 0)
    return dust


def _of_one_colour(role: str, spots: Spots, planes: Mapping[str, Image], sigma_px: float) -> Spots:
    """Leave out spots that the other probe shows as well, so that glow is not learnt as a signal."""
    keep = np.ones(len(spots), bool)
    for other, plane in planes.items():
        if other != role:
            keep &= height_at(plane, spots, sigma_px=sigma_px) < 0.4 * spots.height
    return spots.where(keep)


def _unlearnt(spots: Spots, sigma_um: float, params: SignalParams) -> SingleSignal:
    # Too few spots to learn from: the few that stand out are compared with their own median.
    inside = spots.height[(spots.nucleus > 0) & (spots.snr >= 10)]
    height = float(np.median(inside)) if len(inside) else float(spots.height.max(initial=1.0))
    return SingleSignal(height, sigma_um, _diameter(sigma_um, params), _typical_snr(spots))


def _diameter(sigma_um: float, params: SignalParams) -> float:
    return params.diameter_um or max(params.min_diameter_um, 1.1 * _FWHM * sigma_um)


def _typical_snr(spots: Spots) -> float:
    inside = spots.snr[spots.nucleus > 0]
    return float(np.median(inside)) if len(inside) else float(np.median(spots.snr)) if len(spots) else 1.0


def _strong(spots: Spots, params: SignalParams) -> Spots:
    height = single_height(spots, min_share=params.min_share)
    return spots if height is None else spots.where(spots.height >= 0.4 * height)


def _debris(
    spots: Spots, dapi: Image, labels: Labels, sigma_px: float, params: SignalParams
) -> npt.NDArray[np.bool_]:
    return debris_mask(spots, dapi, labels, sigma_px=max(sigma_px, 0.7), min_snr=params.debris_snr)


def _learn_bleed(
    probes: Mapping[str, Image], labels: Labels, *, mpp: float, params: SignalParams
) -> dict[tuple[str, str], float]:
    sigma_um = params.spot.first_sigma_um
    bleed: dict[tuple[str, str], float] = {}
    for source, plane in probes.items():
        spots = detect_spots(plane, labels, mpp=mpp, sigma_um=sigma_um, params=params.spot)
        spots = _strong(spots.where(spots.nucleus > 0), params)
        for target in probes:
            if target != source:
                share = bleed_fraction(probes[target], plane, spots, sigma_px=max(sigma_um / mpp, 0.7))
                bleed[target, source] = share
    if any(share > MAX_BLEED for share in bleed.values()):
        raise SameDyeError("its probe channels show the same spots")
    return bleed


def _clean(role: str, probes: Mapping[str, Image], bleed: Mapping[tuple[str, str], float]) -> Image:
    plane = probes[role]
    # Of two shares that feed each other only the larger is bleed-through; the other is its echo.
    for source in probes:
        if source != role and bleed[role, source] >= bleed[source, role]:
            plane = remove_bleed(plane, probes[source], bleed[role, source])
    return plane
