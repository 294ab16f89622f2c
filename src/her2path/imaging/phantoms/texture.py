"""Noise fields from which phantoms are made: smooth, banded and fibrous.

Every field is float32, has zero mean and unit spread over its array, and depends on the
generator and the arguments only.
"""

from __future__ import annotations

import zlib

import cv2
import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]


def stream(seed: int, name: str) -> np.random.Generator:
    """Open a stream of random numbers of its own for each thing that is drawn.

    Streams with different names are independent, so that a change of one part of a phantom
    does not reshuffle the others.
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], sigma_px: float) -> Field:
    """Draw Gaussian noise that is correlated over `sigma_px` pixels.

    Parameters
    ----------
    rng : Generator
        Source of randomness; advanced.
    shape : tuple of two ints
        Rows and columns of the field.
    sigma_px : float
        Standard deviation of the smoothing kernel in pixels; below 0.3 the noise stays white.

    Returns
    -------
    field : ndarray of float32, shape `shape`
        Zero mean, unit standard deviation.

    Examples
    --------
    >>> field = smooth_noise(np.random.default_rng(1), (64, 48), 5.0)
    >>> field.shape, bool(abs(field.std() - 1) < 1e-3)
    ((64, 48), True)
    """
    # Noise far coarser than a pixel is drawn on a coarse grid and interpolated.
    step = max(1, int(sigma_px / 3))
    coarse = tuple(-(-side // step) + 2 for side in shape)
    field = rng.standard_normal(coarse, dtype=np.float32)
    if sigma_px >= 0.3:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), sigma_px / step), dtype=np.float32)
    if step > 1:
        size = (coarse[1] * step, coarse[0] * step)
        field = np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    return standardised(field[: shape[0], : shape[1]])


def band_noise(rng: np.random.Generator, shape: tuple[int, int], fine_px: float, coarse_px: float) -> Field:
    """Draw noise whose grains are between `fine_px` and `coarse_px` pixels wide (one band)."""
    field = smooth_noise(rng, shape, fine_px)
    return standardised(field - cv2.GaussianBlur(field, (0, 0), coarse_px))


def standardised(field: npt.NDArray[np.floating]) -> Field:
    """Scale a field to zero mean and unit standard deviation (a constant one becomes zero)."""
    away = field - field.mean()
    # The same as `field.std()`, without taking the mean a second time.
    spread = float(np.sqrt(np.square(away).sum() / away.dtype.type(away.size)))
    away /= spread or 1.0
    return np.asarray(away, dtype=np.float32)


def fibre_noise(rng: np.random.Generator, angle: Field, width_px: float, doublings: int) -> Field:
    """Draw wavy fibres that follow a field of directions.

    Noise is averaged along the direction by repeated doubling of the path, an approximation of
    line integral convolution [1]_.

    Parameters
    ----------
    rng : Generator
        Source of randomness; advanced.
    angle : ndarray of float32, shape (M, N)
        Direction of the fibres in radians, from the column axis towards the row axis.
    width_px : float
        Width of a fibre in pixels.
    doublings : int
        The path along a fibre is ``2 ** doublings`` widths long.

    Returns
    -------
    field : ndarray of float32, shape (M, N)
        Zero mean, unit standard deviation; ridges are fibres.

    References
    ----------
    .. [1] Cabral & Leedom, Imaging vector fields using line integral convolution, SIGGRAPH 1993.
    """
    rows, cols = pixel_grid((angle.shape[0], angle.shape[1]))
    dx, dy = np.cos(angle) * np.float32(width_px), np.sin(angle) * np.float32(width_px)
    field = smooth_noise(rng, (angle.shape[0], angle.shape[1]), width_px / 2)
    for doubling in range(doublings):
        reach = np.float32((-1) ** doubling * 2**doubling)
        ahead = cv2.remap(
            field, cols + reach * dx, rows + reach * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        field = (field + ahead) / np.float32(2)
    return standardised(field)


def warped(labels: npt.NDArray[np.int32], dx: Field, dy: Field) -> npt.NDArray[np.int32]:
    """Shift every pixel of a label image by a displacement in pixels; labels stay whole."""
    rows, cols = pixel_grid((labels.shape[0], labels.shape[1]))
    r = np.clip(np.rint(rows + dy), 0, labels.shape[0] - 1).astype(np.int32)
    c = np.clip(np.rint(cols + dx), 0, labels.shape[1] - 1).astype(np.int32)
    return np.asarray(labels[r, c], dtype=np.int32)


def pixel_grid(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Row and column of every pixel, each of shape `shape`, float32."""
    grid = np.indices(shape, dtype=np.float32)
    return grid[0], grid[1]


def blurred(field: npt.NDArray[np.floating], sigma_px: float) -> Field:
    """Smooth a plane, or each channel of an image, by a Gaussian."""
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma_px), dtype=np.float32)
