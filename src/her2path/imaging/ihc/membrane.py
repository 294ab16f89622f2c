"""Membrane staining of single cells: how strong it is and how much of the contour it covers.

A stained membrane is a *brown line*: DAB on the contour rises over the cytoplasm on its inner side
and falls again on its outer side, and the rise is brown, not grey or blue.  So neither a blush of
the cytoplasm, nor a tinted background, nor the edge of a nucleus, nor a refracting fibre counts,
however dark it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cells import MEMBRANE_SIGMA_UM, STEP_UM, CellRays
from her2path.imaging.ihc.rays import (
    ANGLES,
    Floats,
    along,
    around,
    is_before,
    is_beyond,
    objects_last,
    over_rays,
    ring_lengths,
    summed,
    total,
    within,
)

_REACH = 6
"""Samples that a profile across the membrane holds on either side of it, 3 µm."""
_SEARCH = 2
"""Samples on either side of the contour among which the line is sought: where the membrane turns a
corner, the contour of a cell is up to 1 µm beside it."""
_RIM_STEPS = 2
"""Samples between cytoplasm and contour: the width of a membrane after blur, 1 µm."""
_OUTSIDE = (3, 4)
"""Samples beyond the line where its outer side is read: behind its blurred flank, before the next nucleus."""
_NEAR, _NARROW = 2, 0.33
"""A line falls by this share of its height within so many samples, 1 µm: a membrane in focus by two
thirds, a rim of stained cytoplasm 3 µm wide by a quarter."""
_OWN = 0.25
"""Share of the mean rise over five rays that a ray with its two neighbours must show by itself."""
_FLANK = 3
"""Samples on either side over which the DAB of a line is summed, 1.5 µm: all of a blurred membrane."""
_BLUE = 0.6
"""Most hematoxylin that a brown line may show for its DAB: grey lines have alike amounts of both, while
stain vectors that are off by some degrees give a brown line a third."""
_LEAK = 0.12
"""Share of a nucleus' hematoxylin that sharpening and chroma subsampling turn into a false brown rim."""
_LEAK_STEPS = 3.0
"""Distance from the nucleus' outline over which that rim fades, 1.5 µm."""
_FEW = 8
"""Cytoplasm samples below which a cell has no cytoplasm to speak of."""
_BLUR_UM = 2.355 * MEMBRANE_SIGMA_UM
"""Full width at half height of the smoothing before the rays are read."""


@dataclass(frozen=True, slots=True)
class Membranes:
    """Staining of the membranes of n cells (decadic OD; NaN where there is nothing to measure).

    NaN stays within `imaging`; tables hold null instead.
    """

    completeness: Floats
    """Stained share of the contour's length, 0 to 1."""
    connectivity: Floats
    """Longest stained run as a share of the contour's length, 0 to 1."""
    od: Floats
    """Median DAB over the stained contour."""
    contrast_od: Floats
    """Median rise over the cytoplasm beside the stained contour."""
    excess_od_um: Floats
    """Median DAB over both sides, summed across the membrane (OD x µm).  Blur widens a line and lowers
    it, but keeps this sum, so it is what intensity is graded by."""
    thickness_um: Floats
    """Full width at half height of the mean profile across the stained contour, smoothing taken off;
    the optics are still in it."""
    certainty: Floats
    """Mean probability over the stained contour; NaN too where rays measured by themselves."""
    whole_od: Floats
    """Mean DAB over the whole contour by its length, stained or not: what other programs call the
    membrane's mean.  Nothing is graded by it."""
    cytoplasm_od: Floats
    nucleus_od: Floats
    """Mean DAB over the nucleus."""


def measure_membranes(rays: CellRays, calibration: Calibration, *, noise_gain: float = 1.0) -> Membranes:
    """Measure the membranes of traced cells.

    Parameters
    ----------
    rays : CellRays
    calibration : Calibration
        From which rise a piece of contour counts as stained.
    noise_gain : float
        How many times the noise of a slide's DAB exceeds that of well separated stains.

    Returns
    -------
    Membranes
    """
    steps = np.arange(1, rays.dab.shape[2] + 1, dtype=np.float32)
    behind = (rays.contour + 1 - _RIM_STEPS).astype(np.float32)
    is_cytoplasm = is_beyond(rays.nucleus + 1, steps) & is_before(behind, steps)
    cytoplasm = is_cytoplasm.astype(np.float32)
    nucleus = np.asarray(is_before(rays.nucleus - 1, steps) * steps, np.float32)
    count = along(cytoplasm, cytoplasm)
    levels = [_levels(samples, cytoplasm, nucleus, count) for samples in (rays.dab, rays.blue)]
    profiles = _profiles(rays, levels)
    excess = profiles.excess_od_um
    if rays.own is not None:
        # Where nothing is brown nothing is stained, whatever a network says.
        stained = (rays.own.chance >= calibration.least_chance) & (
            profiles.line >= calibration.stained_rise_od
        )
        excess = rays.own.amount_od_um
    else:
        rise = profiles.rise - _leak(rays, levels[1])
        least = np.maximum(
            calibration.stained_rise_od * max(1.0, noise_gain),
            calibration.grain * _grain(rays.dab, is_cytoplasm),
        )
        stained = (rise >= least[:, None]) & (_blue_rise(rays, profiles, levels[1]) <= _BLUE * rise)
    length = ring_lengths(rays.contour_um)
    share = np.asarray(length / summed(length)[:, None], np.float32)
    has_cytoplasm = count.sum(axis=1) >= _FEW
    return Membranes(
        completeness=summed(stained * share),
        connectivity=_longest_run(stained, share),
        od=_median(profiles.line, stained),
        contrast_od=_median(profiles.line - levels[0].beside, stained),
        excess_od_um=_median(excess, stained),
        thickness_um=_thickness(profiles, stained),
        certainty=_certainty(rays, stained),
        whole_od=summed(profiles.line * share),
        cytoplasm_od=np.asarray(np.where(has_cytoplasm, levels[0].cell, np.nan), np.float32),
        nucleus_od=levels[0].nucleus,
    )


@dataclass(frozen=True, slots=True)
class _Levels:
    """Level of one map in the cytoplasm beside each ray, in the whole cytoplasm, in the nucleus."""

    beside: Floats
    cell: Floats
    nucleus: Floats


def _levels(samples: Floats, cytoplasm: Floats, nucleus: Floats, count: Floats) -> _Levels:
    in_nucleus = within(samples, nucleus) / np.maximum(total(nucleus), 1)
    sums = along(samples, cytoplasm)
    seen = count.sum(axis=1)
    # A nucleus that fills its cell stands for the cytoplasm that cannot be seen.
    cell = np.where(seen >= _FEW, summed(sums) / np.maximum(seen, 1), in_nucleus)
    beside = np.where(count >= 2, sums / np.maximum(count, 1), cell[:, None])
    beside = (beside + cell[:, None]) / 2
    return _Levels(*(np.asarray(level, np.float32) for level in (beside, cell, in_nucleus)))


@dataclass(frozen=True, slots=True)
class _Profiles:
    """DAB across the membrane along each ray."""

    place: npt.NDArray[np.intp]
    """Where the line is, shape (n, ANGLES); at most `_SEARCH` samples beyond the ends of a ray."""
    line: Floats
    """DAB there, shape (n, ANGLES)."""
    above: Floats
    """DAB over both sides, shape (n, ANGLES, 2 * _REACH + 1)."""
    rise: Floats
    """How far the line rises over its higher side, mean over five rays, 0 where it is too broad for a
    membrane; shape (n, ANGLES)."""
    slant: Floats
    """Cosine of the angle between ray and membrane's normal: a slanting ray sees a membrane too thick."""

    @property
    def excess_od_um(self) -> Floats:
        """DAB over both sides, summed across the membrane, shape (n, ANGLES)."""
        near = self.above[..., _REACH - _FLANK : _REACH + _FLANK + 1]
        positive = np.maximum(near, 0)
        return along(positive, np.ones_like(positive)) * self.slant * np.float32(STEP_UM)


def _profiles(rays: CellRays, levels: list[_Levels]) -> _Profiles:
    found = around(rays.dab, rays.contour, _SEARCH)
    # Of equals the nearest to the contour: a tie must not depend on the order of the search.
    nearest = found - np.float32(1e-4) * np.abs(np.arange(-_SEARCH, _SEARCH + 1, dtype=np.float32))
    best = objects_last(np.asarray(nearest, np.float32)).argmax(axis=1).T
    place = rays.contour + best - _SEARCH
    across = around(rays.dab, place, _REACH)
    line = across[..., _REACH]
    outside = (across[..., _REACH + _OUTSIDE[0]] + across[..., _REACH + _OUTSIDE[1]]) / 2
    inside = (across[..., _REACH - _OUTSIDE[0]] + across[..., _REACH - _OUTSIDE[1]]) / 2
    beside = levels[0].beside
    # Where there is cytoplasm behind the line it must be lighter, too, or the line is the edge of a blush.
    deep = place - _OUTSIDE[-1] > rays.nucleus
    inside = np.where(deep, np.maximum(beside, inside), beside)
    # Noise is averaged before the lower side is taken, for the lower of two noisy values is too low.
    low, high = _averaged(line - inside), _averaged(line - outside)
    near = _averaged(line - (across[..., _REACH - _NEAR] + across[..., _REACH + _NEAR]) / 2)
    narrow = near >= _NARROW * np.maximum(low, high)
    rise = np.minimum(low, high)
    # The mean reaches two rays beyond the end of a stained piece; there the line itself is missing.
    own = np.minimum(line - inside, line - outside)
    own = (np.roll(own, 1, axis=1) + 2 * own + np.roll(own, -1, axis=1)) / 4 >= _OWN * rise
    rise = np.where(narrow & own, rise, 0).astype(np.float32)
    above = across.copy(order="K")
    above[..., :_REACH] -= beside[..., None]
    above[..., _REACH] -= (beside + outside) / 2
    above[..., _REACH + 1 :] -= outside[..., None]
    radius = rays.contour_um
    arc = radius * np.float32(2 * np.pi / ANGLES)
    change = (np.roll(radius, -1, axis=1) - np.roll(radius, 1, axis=1)) / 2
    return _Profiles(
        place=place,
        line=line,
        above=above,
        rise=rise,
        slant=np.asarray(arc / np.hypot(arc, change), np.float32),
    )


def _blue_rise(rays: CellRays, profiles: _Profiles, level: _Levels) -> Floats:
    """How far hematoxylin rises on the line over the mean of both sides, shape (n, ANGLES)."""
    blue = around(rays.blue, profiles.place, _OUTSIDE[-1])
    middle = _OUTSIDE[-1]
    line = (blue[..., middle - 1] + blue[..., middle] + blue[..., middle + 1]) / np.float32(3)
    outside = (blue[..., middle + _OUTSIDE[0]] + blue[..., middle + _OUTSIDE[1]]) / 2
    return _averaged(line - (level.beside + outside) / 2)


def _averaged(rise: npt.NDArray[np.floating]) -> Floats:
    """Mean over five rays, 4 to 8 µm of membrane."""
    total = sum((np.roll(rise, k, axis=1) for k in (-2, -1, 1, 2)), rise)
    return np.asarray(total / np.float32(5), np.float32)


def _thickness(profiles: _Profiles, stained: npt.NDArray[np.bool_]) -> Floats:
    """Full width at half height of each cell's mean profile; NaN where it has none."""
    count = np.maximum(stained.sum(axis=1), 1)
    profile = over_rays(profiles.above, stained.astype(np.float32)) / count[:, None]
    half = profile[:, _REACH] / 2
    width = np.zeros(len(profile), np.float64)
    for side in (-1, 1):
        found = np.zeros(len(profile), np.bool_)
        for k in range(1, _REACH + 1):
            high, low = profile[:, _REACH + side * (k - 1)], profile[:, _REACH + side * k]
            here = ~found & (low < half)
            width[here] += (k - 1 + (high - half) / np.maximum(high - low, 1e-6))[here]
            found |= here
        width[~found] = np.nan
    slant = summed(profiles.slant * stained) / count
    thick = np.sqrt(np.maximum((width * STEP_UM * slant) ** 2 - _BLUR_UM**2, 0))
    return np.asarray(np.where(stained.any(axis=1) & (half > 0), thick, np.nan), np.float32)


def _grain(dab: Floats, cytoplasm: npt.NDArray[np.bool_]) -> Floats:
    """Estimate the standard deviation of DAB over 1 µm of cytoplasm, shape (n,): grain of stain, noise."""
    both = (cytoplasm[..., 2:] & cytoplasm[..., :-2]).astype(np.float32)
    change = dab[..., 2:] - dab[..., :-2]
    change *= change
    return np.sqrt(within(change, both) / np.maximum(total(both), 1) / 2)


def _leak(rays: CellRays, blue: _Levels) -> Floats:
    """Estimate the false rise at the outline of a dark nucleus, shape (n, ANGLES)."""
    distance = np.maximum(rays.contour + 1 - rays.nucleus, 0)
    fade = np.clip(1 - distance / np.float32(_LEAK_STEPS), 0, 1)
    fade = (np.roll(fade, 1, axis=1) + 2 * fade + np.roll(fade, -1, axis=1)) / 4
    return np.asarray(np.float32(_LEAK) * blue.nucleus[:, None] * fade, np.float32)


def _median(values: Floats, chosen: npt.NDArray[np.bool_]) -> Floats:
    """Median of the chosen values of each row; NaN where none is chosen."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=1)
    count = chosen.sum(axis=1)
    low = np.maximum((count - 1) // 2, 0)[:, None]
    high = np.minimum(count // 2, values.shape[1] - 1)[:, None]
    pair = np.take_along_axis(ordered, np.concatenate([low, high], axis=1), axis=1)
    pair[count == 0] = np.nan
    return np.asarray(pair.mean(axis=1), np.float32)


def _certainty(rays: CellRays, stained: npt.NDArray[np.bool_]) -> Floats:
    count = stained.sum(axis=1)
    if rays.own is None:
        return np.full(len(count), np.nan, np.float32)
    mean = summed(rays.own.chance * stained) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, mean, np.nan), np.float32)


def _longest_run(stained: npt.NDArray[np.bool_], share: Floats) -> Floats:
    """Longest stained run around each contour; a break of one ray (2 µm) is bridged, not counted."""
    bridged = stained | (np.roll(stained, 1, axis=1) & np.roll(stained, -1, axis=1))
    counted = share * stained
    run = np.zeros(len(stained), np.float32)
    longest = np.zeros(len(stained), np.float32)
    for ray in range(2 * ANGLES):
        run = np.where(bridged[:, ray % ANGLES], run + counted[:, ray % ANGLES], 0).astype(np.float32)
        longest = np.maximum(longest, run)
    return np.asarray(np.minimum(longest, summed(counted)), np.float32)
