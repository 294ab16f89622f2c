"""Patches of light of one probe channel, and what one signal of the image looks like in them.

The light of a patch over that of a single signal of the same image is what copies are estimated by
where spots run together; a patch that both probes show alike is no signal but glow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from her2path.imaging.fish.quality import robust_sigma
from her2path.imaging.fish.spots import Spots, spot_width_px

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MIN_LONE_SIGNALS = 8
"""Fewest lone signals that teach the light of a single one: the spread of single signals is 35 %, so
that of their typical value is then 12 %."""
_Z_2000 = 3.29
"""Standard normal deviate that one in 2 000 exceeds."""
_Z_80 = 1.2816
"""Standard normal deviate of a two-sided 80 % interval."""


_RING_SHARE = 0.5
"""Least surroundings of a patch in its nucleus, over the patch itself."""


@dataclass(frozen=True, slots=True)
class ClusterParams:
    """Cut-points of merging and of the estimate."""

    patch_level: float = 0.25
    """A patch of light ends where it falls below this share of a single signal's height."""
    roles: tuple[str, ...] = ("her2",)
    """Probes whose clusters are estimated.  CEP17 lies on the centromere, whose copies do not cluster; a
    diffuse CEP17 signal is one [Leica, ASCO/CAP counting practice]."""
    min_copies: float = 3.5
    """Least light, in single signals, that can be a cluster."""
    usual_share: float = 0.12
    """Share of the nuclei with such patches from which the gene is amplified in clusters.  Below it more is
    asked for: one of the spots that are told apart may be the brightest of 2 000 (`Flux.brightest`)."""
    min_density: float = 0.5
    """Least mean height of a cluster's patch over that of a single signal: copies that lie on each
    other add up, while the autofluorescence of a nucleus is wide and faint."""
    glow_copies: float = 3.0
    """Light of the other probe in the same patch, in its single signals, from which it may be glow."""
    glow_density: float = 0.4
    """Least mean height of a patch of glow over that of a single signal: signals are seen through what is
    fainter."""
    glow_share: float = 0.08
    """The same as a share of the patch's own light: what is left of bleed-through is less."""
    glow_likeness: float = 0.85
    """Likeness (correlation) of both probes' light in and round a patch from which it is glow of blood cells,
    pigment or dust; signals of two colours in one patch lie on different places."""
    min_width: float = 1.3
    """Least light of a patch of one spot over that of a lone signal of its height: a bright signal of usual
    size is one signal, a cluster is wider."""
    max_copies: int = 60
    """Largest estimate; more cannot be told from glare."""


@dataclass(frozen=True, slots=True)
class Flux:
    """Light of lone signals above background, in pixel values x pixels."""

    mean: float
    spread_frac: float
    """Standard deviation over mean."""
    signals: int
    """How many taught it."""

    @property
    def brightest(self) -> float:
        """Copies whose light one signal in 2 000 has by itself, the lights being log-normal."""
        sigma = math.log1p(self.spread_frac**2) ** 0.5
        return math.exp(_Z_2000 * sigma - sigma**2 / 2)

    def interval(self, copies: float) -> tuple[int, int]:
        """Bounds of an estimate of so many copies that hold the true number four times in five.

        The lights of the copies vary, and the mean that they are divided by was learnt from a sample.
        """
        copies = max(copies, 1.0)
        spread = self.spread_frac * (1 / copies + 1 / self.signals) ** 0.5
        low, high = copies * (1 - _Z_80 * spread), copies * (1 + _Z_80 * spread)
        return max(math.floor(low), 1), math.ceil(high)


@dataclass(frozen=True, slots=True)
class SingleSignal:
    """What one signal looks like in this image and channel."""

    height: float
    """Above its surroundings, in pixel values."""
    sigma_um: float
    diameter_um: float
    """Spots no further apart are one signal."""
    snr: float
    """Response of the spot filter over its noise in a typical nucleus."""
    flux: Flux | None = None
    """None = not learnt, so nothing is estimated."""
    false_per_nucleus: float | None = None
    """Expected number of counted spots in a nucleus without signals (`spots.mirrored_rate`)."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Connected patches of light above background."""

    labels: Labels
    """Shape (M, N); 0 = none."""
    flux: Floats
    """Light above background per patch, item 0 unused."""
    mean: Floats
    """Mean height above background per patch."""
    plane: Image
    """The channel itself, shape (M, N)."""


def measure_patches(
    plane: Image, nuclei: Labels, spots: Spots, *, single: SingleSignal, mpp: float, params: ClusterParams
) -> Patches:
    """Find the patches of light that spots belong to and integrate them above local background.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
        Probe channel, bleed-through removed.
    nuclei : ndarray of int32, shape (M, N)
        Nuclei, 0 = none.
    spots : Spots
        Accepted spots of the channel.
    single : SingleSignal
        Height and size; its flux is not used.
    mpp : float
        Pixel size in µm.
    params : ClusterParams
    """
    sigma_px = spot_width_px(single.sigma_um, mpp)
    height = single.height
    near = np.zeros(plane.shape, np.uint8)
    near[spots.row.astype(int), spots.col.astype(int)] = 1
    reach = 2 * round(2.6 * sigma_px) + 1
    near = _wider(near, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)).astype(np.uint8))
    excess = plane - _background(plane, nuclei, near > 0, 1.0 / mpp)
    smooth = cv2.GaussianBlur(excess, (0, 0), max(0.5 * sigma_px, 0.5))
    # Clusters reach further than the surroundings of their spots: take the background anew.
    lit = (smooth > params.patch_level * height).astype(np.uint8)
    covered = _wider(lit, np.ones((3, 3), np.uint8)) | near
    excess = plane - _background(plane, nuclei, covered > 0, 1.0 / mpp)
    smooth = cv2.GaussianBlur(excess, (0, 0), max(0.5 * sigma_px, 0.5))
    lit = (smooth > params.patch_level * height).astype(np.uint8)
    count, parts = cv2.connectedComponents(lit, connectivity=8)
    labels: Labels = parts.astype(np.int32)
    # A patch ends at a share of the height; the light just outside it belongs to it as well.
    rim = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8))
    pixels = np.flatnonzero(rim)
    core, light = labels.ravel()[pixels], excess.ravel()[pixels]
    whole = np.where(core > 0, core, rim.ravel()[pixels].astype(np.int32))
    flux = np.bincount(whole, light, count).astype(np.float64)
    within = core > 0
    area = np.bincount(core[within], minlength=count)
    mean = np.bincount(core[within], light[within], count) / np.maximum(area, 1)
    return Patches(labels, flux, mean, plane)


def glowing(
    own: Patches,
    other: Patches,
    nuclei: Labels,
    *,
    single: SingleSignal,
    other_single: SingleSignal,
    reach_px: int,
    params: ClusterParams,
) -> Mask:
    """Tell patches that both probes show alike: autofluorescence, not signals.

    Parameters
    ----------
    own, other : Patches
        Of two probe channels of the same field.
    nuclei : ndarray of int32, shape (M, N)
        Nuclei, 0 = none.
    single, other_single : SingleSignal
        A single signal of either channel.
    reach_px : int
        How far round a patch its surroundings are looked at.
    params : ClusterParams

    Returns
    -------
    mask : ndarray of bool
        Per patch of `own`; item 0 is False.
    """
    count = len(own.flux)
    mask: Mask = np.zeros(count, bool)
    if not single.flux or not other_single.flux or count < 2:
        return mask
    bright = np.flatnonzero(
        (own.flux >= params.glow_copies * single.flux.mean)
        & (own.mean >= params.glow_density * single.height)
    )
    boxes = ndimage.find_objects(own.labels)
    for patch in bright[bright > 0].tolist():
        place = tuple(slice(max(span.start - reach_px, 0), span.stop + reach_px) for span in boxes[patch - 1])
        inside = own.labels[place] == patch
        # The level round the patch in both channels, in the same nucleus: light that only one of them was
        # thought to have there has been taken for background in the other.
        here = np.bincount(nuclei[place][inside]).argmax()
        ring = ~inside & (own.labels[place] == 0) & (nuclei[place] == here)
        if ring.sum() < _RING_SHARE * inside.sum():
            # As wide as the nucleus: its own autofluorescence, in which signals are seen.
            continue
        x, y = (plane[place] - np.median(plane[place][ring]) for plane in (own.plane, other.plane))
        shown = inside | ring
        likeness = float(np.corrcoef(x[shown], y[shown])[0, 1])
        copies, others = (
            float(x[inside].sum()) / single.flux.mean,
            float(y[inside].sum()) / other_single.flux.mean,
        )
        enough = others > max(params.glow_copies, params.glow_share * copies)
        mask[patch] = enough and likeness > params.glow_likeness
    return mask


def learn_flux(patches: Patches, spots: Spots, *, single: SingleSignal) -> Flux | None:
    """Light of one signal: the typical light of patches that hold one ordinary spot of a nucleus.

    Returns
    -------
    flux : Flux or None
        None with fewer than eight such patches.
    """
    patch = patches.labels[spots.row.astype(int), spots.col.astype(int)]
    lone = np.bincount(patch, minlength=len(patches.flux))[patch] == 1
    usual = (spots.height > 0.45 * single.height) & (spots.height < 2.0 * single.height)
    chosen = patches.flux[patch[lone & usual & (patch > 0) & (spots.nucleus > 0)]]
    chosen = chosen[chosen > 0]
    if len(chosen) < MIN_LONE_SIGNALS:
        return None
    # The copies of a cluster add up their lights, bright and faint ones: wanted is the mean, here
    # that of a log-normal spread, as single outliers (a speck of dust) would pull the plain mean.
    logs = np.log(chosen)
    sigma = min(robust_sigma(logs), 0.6)
    mean = float(np.exp(float(np.median(logs)) + sigma**2 / 2))
    return Flux(mean, float(np.expm1(sigma**2) ** 0.5), len(chosen))


def _background(plane: Image, nuclei: Labels, covered: Mask, sigma_px: float) -> Image:
    """Level without signals: smoothed over uncovered pixels of nuclei, and of the rest, apart."""
    height, width = plane.shape
    # A level smoothed over sigma_px is as well described on a grid of half that spacing; which pixels it
    # is made from is decided on one twice as fine.
    step = max(int(sigma_px // 2), 1)
    shrink = 2 if step > 1 else 1
    half = (max(width // shrink, 1), max(height // shrink, 1))
    size = (max(width // step, 1), max(height // step, 1))
    side_px = (2 * int(6 * sigma_px / step) + 1,) * 2
    shown = cv2.resize(plane, half, interpolation=cv2.INTER_AREA)
    free = cv2.resize(covered.astype(np.float32), half, interpolation=cv2.INTER_AREA) == 0
    inside = cv2.resize((nuclei > 0).astype(np.uint8), half, interpolation=cv2.INTER_NEAREST) > 0
    levels = []
    for side in (inside, ~inside):
        weight = (side & free).astype(np.float32)
        small = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        value = cv2.resize(shown * weight, size, interpolation=cv2.INTER_AREA)
        total = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
        near = cv2.GaussianBlur(value, (0, 0), sigma_px / step) / np.maximum(total, 1e-6)
        # A cluster may cover all there is nearby: take the level from further away then.
        far = cv2.blur(value, side_px) / np.maximum(cv2.blur(small, side_px), 1e-6)
        level = np.where(total > 0.02, near, far).astype(np.float32)
        levels.append(cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR))
    level_of: Image = np.where(nuclei > 0, levels[0], levels[1])
    return level_of


def _wider(mask: npt.NDArray[np.uint8], element: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    wider: npt.NDArray[np.uint8] = cv2.dilate(mask, element).astype(np.uint8)
    return wider
