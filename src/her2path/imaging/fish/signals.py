"""Signals of all probe channels of one field, counted with what the image has taught.

What is seen in both probes at one place is no signal: dust outside nuclei, glow over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from her2path.imaging.fish.assign import debris_mask
from her2path.imaging.fish.clusters import Signals, group_signals
from her2path.imaging.fish.illumination import Illumination, learn_illumination
from her2path.imaging.fish.learning import (
    Learnt,
    ProbeField,
    SignalParams,
    of_each,
    prepared_probes,
    signal_diameter,
    typical_snr,
)
from her2path.imaging.fish.patches import ClusterParams, Patches, SingleSignal, glowing, measure_patches
from her2path.imaging.fish.spots import Spots, detect_spots, spot_width_px
from her2path.imaging.fish.territories import territories_of

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

_RING_UM = 1.0
"""How far round a patch of light its surroundings are looked at."""
_USUAL_FACTOR = 2.5
"""Signals within this factor of a single one tell of the light at their place."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen in one channel, before anything is compared with the other."""

    plane: Image
    spots: Spots
    single: SingleSignal
    light: Illumination | None = None


@dataclass(frozen=True, slots=True)
class ChannelSignals:
    """Signals of one channel of one field or window."""

    signals: Signals
    weak: Spots
    """Spots too faint to be counted."""
    single_height: float
    """Of a single signal, that heights are compared with."""
    illumination: Illumination | None = None
    """None where the field is even, too few signals tell, or the field is no single exposure."""


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


def count_signals(shown: ProbeField, learnt: Learnt, params: SignalParams) -> FieldSignals:
    """Count the signals of every probe channel with what was learnt of the image.

    Parameters
    ----------
    shown : ProbeField
        The field that was learnt on, or another window of the same scan.
    learnt : Learnt
    params : SignalParams

    Returns
    -------
    found : FieldSignals
        Places are those in DAPI's picture (`Learnt.shift`).  Spots that lie over no nucleus and not close to
        one either are left out.
    """
    mpp = shown.mpp
    nuclei = territories_of(shown.labels, reach_px=params.edge_um / mpp)
    near = nuclei.distance_px <= params.cytoplasm_um / mpp
    planes = prepared_probes(shown, learnt)

    def see(role: str) -> _Seen:
        single = learnt.single[role]
        sigma_um = single.sigma_um if single else params.spot.first_sigma_um
        seen = detect_spots(planes[role], nuclei, mpp=mpp, sigma_um=sigma_um, params=params.spot)
        seen = seen.where(near[seen.row.astype(int), seen.col.astype(int)])
        sigma_px = spot_width_px(sigma_um, mpp)
        debris = debris_mask(seen, shown.dapi, nuclei, sigma_px=sigma_px, min_snr=params.debris_snr)
        spots = seen.where(~debris if single else ~debris & (seen.snr >= params.unlearnt_snr))
        if not single or not shown.one_exposure:
            return _Seen(planes[role], spots, single or _unlearnt(spots, sigma_um, params))
        return _evened(_Seen(planes[role], spots, single), learnt.part)

    seen = of_each(tuple(planes), see)
    spots = {role: own.spots for role, own in seen.items()}
    singles = {role: own.single for role, own in seen.items()}

    def part(role: str) -> tuple[Spots, Spots, Patches]:
        alone = singles[role]
        own = spots[role].where(~_in_all_colours(role, spots, alone.diameter_um / 2 / mpp))
        strong = own.height >= params.min_share * alone.height
        if learnt.single[role] is None:
            strong &= _reached(own, nuclei.count) >= params.unlearnt_reach
        weak = own.where(~strong & (own.height >= params.weak_share * alone.height))
        counted = own.where(strong)
        patches = measure_patches(
            seen[role].plane, shown.labels, counted, single=alone, mpp=mpp, params=params.cluster
        )
        return counted, weak, patches

    parts = of_each(tuple(planes), part)
    patches = {role: own for role, (_, _, own) in parts.items()}
    found: dict[str, ChannelSignals] = {}
    lit = np.zeros(shown.labels.shape, bool)
    for role, (counted, weak, own) in parts.items():
        glow = _glowing_pixels(role, patches, singles, shown.labels, round(_RING_UM / mpp), params.cluster)
        lit |= glow
        clear = counted.where(~glow[counted.row.astype(int), counted.col.astype(int)])
        single = singles[role] if role in params.cluster.roles else replace(singles[role], flux=None)
        signals = group_signals(clear, own, single=single, mpp=mpp, params=params.cluster)
        found[role] = ChannelSignals(signals, weak, singles[role].height, seen[role].light)
    return FieldSignals(found, tuple(_glow_over_nuclei(lit, shown.labels, mpp, params.min_glow_um2)))


def _glowing_pixels(
    role: str,
    patches: Mapping[str, Patches],
    singles: Mapping[str, SingleSignal],
    nuclei: Labels,
    reach_px: int,
    params: ClusterParams,
) -> npt.NDArray[np.bool_]:
    mask = np.zeros(len(patches[role].flux), bool)
    for other in patches:
        if other != role:
            mask |= glowing(
                patches[role],
                patches[other],
                nuclei,
                single=singles[role],
                other_single=singles[other],
                reach_px=reach_px,
                params=params,
            )
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
    for other, seen in spots.items():
        if other != role and len(seen) and len(own):
            distance, _ = cKDTree(seen.places).query(own.places)
            mask |= distance <= within_px
    dust: npt.NDArray[np.bool_] = mask & (own.nucleus == 0)
    return dust


def _evened(seen: _Seen, part: tuple[slice, slice]) -> _Seen:
    """Learn the light over the field from its signals, and bring all to that of the part learnt on."""
    spots, single, plane = seen.spots, seen.single, seen.plane
    usual = spots.where(
        (spots.nucleus > 0) & (np.abs(np.log(spots.height / single.height)) < np.log(_USUAL_FACTOR))
    )
    light = learn_illumination(usual.row, usual.col, usual.height, shape=(plane.shape[0], plane.shape[1]))
    if light is None:
        return seen
    middle = [np.array([(span.start + span.stop) / 2]) for span in part]
    level = float(light.at(*middle)[0])
    floor = float(np.percentile(plane[::8, ::8], 10))
    height = spots.height * level / light.at(spots.row, spots.col)
    return _Seen(light.even(plane, floor=floor, level=level), replace(spots, height=height), single, light)


def _reached(spots: Spots, count: int) -> float:
    """Share of the nuclei that spots lie in."""
    return len(np.unique(spots.nucleus[spots.nucleus > 0])) / count if count else 0.0


def _unlearnt(spots: Spots, sigma_um: float, params: SignalParams) -> SingleSignal:
    # Too few spots to learn from: the few that stand out are compared with their own median.
    inside = spots.height[spots.nucleus > 0]
    height = float(np.median(inside)) if len(inside) else float(spots.height.max(initial=1.0))
    return SingleSignal(height, sigma_um, signal_diameter(sigma_um, params), typical_snr(spots))
