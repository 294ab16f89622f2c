"""Chromatic shift: how far a probe's picture lies beside that of DAPI, and moving it back.

Lenses and filter blocks place the same object at different places of the camera in different colours,
by some tenths of a micrometre.  Signals of two probes lie on different loci and cannot tell; but nuclei
shine faintly in every colour, and their outlines can be laid on each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.registration import phase_cross_correlation

Image = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_WORK_MPP = 0.3
_SIDE_UM = 200.0
"""Side of the part of the field that is compared: some fifty nuclei or more."""
_SPOT_UM = 1.0
"""What is brighter than its surroundings over less than this is a signal and not looked at."""
_FINE_UM, _WIDE_UM = 0.45, 3.0
"""Band of sizes compared: outlines of nuclei."""
_MOST_UM = 1.5
"""A larger shift is a slide that moved between two exposures, or a chance match."""
_LEAST_LIKENESS = 0.2
"""Least correlation of the two pictures, laid on each other, for the shift to be believed."""
_AGREE_UM = 0.25
"""The parts of the field must agree on the shift within this (median distance)."""
_UPSAMPLE = 20


@dataclass(frozen=True, slots=True)
class Shift:
    """Place of a channel's picture against DAPI's, in µm; positive is downwards and to the right."""

    down_um: float
    right_um: float

    def pixels(self, mpp: float) -> tuple[int, int]:
        """Whole pixels (rows, columns) to move it by: nothing is interpolated, so noise stays as it is."""
        return round(self.down_um / mpp), round(self.right_um / mpp)


def estimate_shift(dapi: Image, probe: Image, *, mpp: float) -> Shift | None:
    """Estimate how far a probe's picture lies beside DAPI's.

    Parameters
    ----------
    dapi, probe : ndarray of float32, shape (M, N)
        The same field in two channels.
    mpp : float
        Pixel size in µm.

    Returns
    -------
    shift : Shift or None
        None where the nuclei cannot be made out in the probe's channel, or where the parts of the field
        do not agree.

    References
    ----------
    .. [1] Guizar-Sicairos, Thurman & Fienup, Opt Lett 33:156 (2008): sub-pixel registration.
    """
    one, other = (_outlines(_middle(plane, mpp), mpp) for plane in (dapi, probe))
    found = [_shift_of(a, b) for a, b in zip(_quarters(one), _quarters(other), strict=True)]
    shifts = np.array(found)
    middle = np.median(shifts, axis=0)
    disagreement = float(np.median(np.hypot(*(shifts - middle).T)))
    if disagreement > _AGREE_UM or np.hypot(*middle) > _MOST_UM:
        return None
    back = _moved(other, -middle / _WORK_MPP)
    likeness = float(np.corrcoef(one.ravel(), back.ravel())[0, 1])
    return Shift(float(middle[0]), float(middle[1])) if likeness >= _LEAST_LIKENESS else None


def moved_back(plane: Image, shift: Shift | None, *, mpp: float) -> Image:
    """Move a channel's picture by whole pixels onto DAPI's; its border is repeated.

    Parameters
    ----------
    plane : ndarray of float32, shape (M, N)
    shift : Shift or None
        None leaves the plane as it is.
    mpp : float
        Pixel size in µm.
    """
    rows, cols = shift.pixels(mpp) if shift else (0, 0)
    if not rows and not cols:
        return plane
    height, width = plane.shape
    moved: Image = plane[
        np.clip(np.arange(height) + rows, 0, height - 1)[:, None],
        np.clip(np.arange(width) + cols, 0, width - 1)[None, :],
    ]
    return np.ascontiguousarray(moved)


def _middle(plane: Image, mpp: float) -> Image:
    side = int(_SIDE_UM / mpp)
    top, left = (max((n - side) // 2, 0) for n in plane.shape)
    return plane[top : top + side, left : left + side]


def _outlines(plane: Image, mpp: float) -> Image:
    """Band of sizes in which nuclei end, at the working pixel size, free of signals; mean 0."""
    scale = mpp / _WORK_MPP
    size = max(round(plane.shape[1] * scale), 16), max(round(plane.shape[0] * scale), 16)
    small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_SPOT_UM / 2 / _WORK_MPP) + 1,) * 2)
    opened: Image = np.sqrt(np.clip(cv2.morphologyEx(small, cv2.MORPH_OPEN, disc), 0, None)).astype(
        np.float32
    )
    band = cv2.GaussianBlur(opened, (0, 0), _FINE_UM / _WORK_MPP) - cv2.GaussianBlur(
        opened, (0, 0), _WIDE_UM / _WORK_MPP
    )
    centred: Image = (band - band.mean()).astype(np.float32)
    return centred


def _quarters(picture: Image) -> tuple[Image, ...]:
    row, col = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[:row, :col], picture[:row, col:], picture[row:, :col], picture[row:, col:]


def _shift_of(one: Image, other: Image) -> tuple[float, float]:
    """Shift of the second picture against the first in µm (down, right)."""
    window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_32F)
    registered, _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]  # scikit-image
        one * window, other * window, upsample_factor=_UPSAMPLE, normalization=None
    )
    # It answers how the second must be moved to lie on the first.
    return -float(registered[0]) * _WORK_MPP, -float(registered[1]) * _WORK_MPP


def _moved(picture: Image, by: Floats) -> Image:
    matrix = np.array([[1, 0, by[1]], [0, 1, by[0]]], np.float64)
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_LINEAR).astype(np.float32)
