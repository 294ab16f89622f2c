"""Optics and camera of a FISH phantom: spots in and out of focus, uneven light, bleed-through, noise."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_probes import Copy
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec, stream
from her2path.imaging.phantoms.fish_truth import SignalChannel

_DRIFT_STREAM = 12

SPOT_FWHM_UM = 0.40
"""Width of a spot in focus (µm): the diffraction limit of an oil objective (about 0.25 for NA 1.3 at
600 nm) convolved with a probe of some hundred kilobases."""
_FOCAL_RANGE_UM = 0.8
"""Defocus (µm) at which a spot has twice its area."""
_EXTENDED_FOCUS = 0.5
"""Share of the true defocus left in a single capture with extended focus."""


def add_spots(
    image: npt.NDArray[np.float32], copies: tuple[Copy, ...], spec: FishPhantomSpec, *, plane_um: float
) -> None:
    """Add the spots of `copies` to `image` (canvas, photoelectrons) as seen in one focal plane.

    A spot keeps its light out of focus: its width grows and its height falls.
    """
    for copy in copies:
        sigma_um, height = spot_profile(copy.z_um - plane_um - focus_um(copy.centre, image.shape, spec), spec)
        sigma = sigma_um / spec.mpp
        for place in copy.spots:
            add_gaussian(image, shown_at(place, copy.channel, image.shape, spec), sigma, copy.peak_e * height)


def spot_profile(defocus_um: float, spec: FishPhantomSpec) -> tuple[float, float]:
    """Width (sigma, µm) and relative height of a spot that lies `defocus_um` out of the focal plane."""
    seen = defocus_um * (_EXTENDED_FOCUS if spec.z_planes == 1 else 1.0) / _FOCAL_RANGE_UM
    growth = (1 + seen**2) * spec.blur**2
    return SPOT_FWHM_UM / 2.3548 * float(np.sqrt(growth)), 1 / growth


def focus_um(place: tuple[float, float], shape: tuple[int, ...], spec: FishPhantomSpec) -> float:
    """How far the focal plane lies above its middle at a place (row, column) of a canvas, in µm."""
    drift = spec.optics.focus_drift_um
    if not drift:
        return 0.0
    angle = stream(spec, _DRIFT_STREAM).uniform(0, 2 * np.pi)
    row, col = place[0] - shape[0] / 2, place[1] - shape[1] / 2
    reach = max(spec.height_px, spec.width_px)
    return float(drift * (row * np.sin(angle) + col * np.cos(angle)) / reach)


def shown_at(
    place: tuple[float, float], channel: SignalChannel, shape: tuple[int, ...], spec: FishPhantomSpec
) -> tuple[float, float]:
    """Where a probe channel shows what lies at a place (row, column) of the DAPI channel.

    The canvas of that shape has the same middle as the image.
    """
    (d_col, d_row), size = channel_warp(channel, spec)
    if (d_col, d_row, size) == (0.0, 0.0, 1.0):
        return place
    middle = shape[0] / 2, shape[1] / 2
    return (
        middle[0] + size * (place[0] - middle[0]) + d_row,
        middle[1] + size * (place[1] - middle[1]) + d_col,
    )


def channel_warp(channel: SignalChannel, spec: FishPhantomSpec) -> tuple[tuple[float, float], float]:
    """Shift (x, y; px) and magnification of a probe channel against DAPI."""
    optics = spec.optics
    if channel is SignalChannel.HER2:
        return optics.her2_shift_px, optics.her2_magnification
    return optics.cep17_shift_px, optics.cep17_magnification


def warp_channel(
    plane: npt.NDArray[np.float32], channel: SignalChannel, spec: FishPhantomSpec
) -> npt.NDArray[np.float32]:
    """Show a probe channel's smooth light (canvas) where its optics put it; spots are put there directly."""
    (d_col, d_row), size = channel_warp(channel, spec)
    if (d_col, d_row, size) == (0.0, 0.0, 1.0):
        return plane
    # OpenCV counts pixel centres as integers.
    row, col = (plane.shape[0] - 1) / 2, (plane.shape[1] - 1) / 2
    matrix = np.array([[size, 0, (1 - size) * col + d_col], [0, size, (1 - size) * row + d_row]])
    moved: npt.NDArray[np.float32] = cv2.warpAffine(
        plane,
        matrix,
        (plane.shape[1], plane.shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32, copy=False)
    return moved


def add_gaussian(
    image: npt.NDArray[np.float32], centre: tuple[float, float], sigma: float, height: float
) -> None:
    """Add a round Gaussian (sigma in px) to `image` in place; what lies outside is lost."""
    reach = int(np.ceil(4 * sigma)) + 1
    top, left = max(0, int(centre[0]) - reach), max(0, int(centre[1]) - reach)
    bottom, right = int(centre[0]) + reach + 1, int(centre[1]) + reach + 1
    bottom, right = min(image.shape[0], bottom), min(image.shape[1], right)
    if top >= bottom or left >= right:
        return
    rows = np.arange(top, bottom) + 0.5 - centre[0]
    cols = np.arange(left, right) + 0.5 - centre[1]
    scale = -0.5 / sigma**2
    stamp = np.exp(scale * rows**2)[:, None] * np.exp(scale * cols**2)[None, :]
    image[top:bottom, left:right] += (height * stamp).astype(np.float32)


def add_haze(light: npt.NDArray[np.float32], spec: FishPhantomSpec) -> None:
    """Add the wide halo that light from out of focus leaves in the DAPI plane of `light` (3, M, N)."""
    height, width = light.shape[1:]
    small = cv2.resize(light[0], (max(1, width // 4), max(1, height // 4)), interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), 1.2 / spec.mpp)
    light[0] += 0.05 * spec.background * cv2.resize(wide, (width, height), interpolation=cv2.INTER_LINEAR)


# Share of a channel's light that also reaches another one (columns give to rows; DAPI, HER2, CEP17):
# DAPI's long tail reaches green, green reaches orange, and little goes back.
_BLEED = np.array([[1.0, 0.0, 0.0], [0.004, 1.0, 0.04], [0.02, 0.01, 1.0]], dtype=np.float32)
_ELECTRONS_PER_COUNT_12_BIT = 3.0
_READ_NOISE_E = 3.0
"""Read noise (electrons, root mean square) of a scientific CMOS camera."""
_OFFSET_COUNTS_12_BIT = 40.0


def expose(
    light: npt.NDArray[np.float32], spec: FishPhantomSpec, rng: np.random.Generator
) -> npt.NDArray[np.uint16]:
    """Turn light into camera counts.

    Parameters
    ----------
    light : ndarray of float32, shape (3, M, N)
        Photoelectrons per pixel in the order DAPI, HER2, CEP17.
    spec : FishPhantomSpec
        Noise and bit depth.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    counts : ndarray of uint16, shape (3, M, N)
        Counts with offset, shot noise and read noise, clipped at the camera's bit depth.
    """
    bleed = np.where(np.eye(3, dtype=bool), _BLEED, _BLEED * np.float32(spec.optics.bleed))
    mixed = np.einsum("ij,jmn->imn", bleed, light) * _illumination(
        light.shape[1:], rng, spec.optics.unevenness
    )
    variance = (mixed + _READ_NOISE_E**2) * spec.noise**2
    # Above some ten electrons a Poisson count is normal to a hundredth of its width.
    noisy = mixed + np.sqrt(variance) * rng.standard_normal(mixed.shape, dtype=np.float32)
    full = 2**spec.bit_depth - 1
    scale = full / 4095
    counts = noisy * (spec.optics.gain * scale / _ELECTRONS_PER_COUNT_12_BIT) + _OFFSET_COUNTS_12_BIT * scale
    clipped: npt.NDArray[np.uint16] = np.clip(np.rint(counts), 0, full).astype(np.uint16)
    return clipped


def _illumination(shape: tuple[int, ...], rng: np.random.Generator, factor: float) -> npt.NDArray[np.float32]:
    """Uneven excitation per channel, 1 at its brightest: a bowl whose middle lies off the image's."""
    rows = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    cols = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    planes = []
    for _ in range(3):
        depth, (row, col) = factor * rng.uniform(0.06, 0.14), rng.uniform(-0.35, 0.35, 2)
        planes.append(1 - np.float32(depth) * ((rows - np.float32(row)) ** 2 + (cols - np.float32(col)) ** 2))
    return np.clip(np.stack(planes), 0.3, None)
