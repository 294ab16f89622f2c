"""Nuclei as a second reader sees them: grey levels by channel and an outline, nothing that was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.gallery import display_of

Plane = npt.NDArray[np.float32]
Levels = dict[str, tuple[float, float]]

HEADROOM = 1.6
"""Light above the brightest signals that a picture keeps, so that a reader may darken it and see clusters."""


@dataclass(frozen=True, slots=True)
class NucleusPicture:
    """One nucleus in the middle of its surroundings."""

    side_px: int
    channels: Mapping[str, bytes]
    """Grey PNG of each channel, by role."""
    outline: tuple[tuple[int, int], ...]
    """Points (col, row) round the nucleus, in pixels of the picture."""


def levels_of(pieces: Sequence[Mapping[str, Plane]]) -> Levels:
    """Find black and white of every channel over all nuclei of an image.

    One pair of levels for all of them: a nucleus by itself would always look equally bright.

    Parameters
    ----------
    pieces : sequence of dict of role to ndarray of float32
        Crops of one image, all of the same channels.

    Returns
    -------
    levels : dict of str to tuple of two floats
        Pixel values shown as 0 and, with `HEADROOM`, as 255.
    """
    levels: Levels = {}
    for role, (low, high) in display_of(pieces).levels.items():
        levels[role] = (low, low + HEADROOM * max(high - low, 1e-6))
    return levels


def picture_of(planes: Mapping[str, Plane], mask: npt.NDArray[np.bool_], levels: Levels) -> NucleusPicture:
    """Make the pictures of one nucleus.

    Parameters
    ----------
    planes : dict of role to ndarray of float32, shape (S, S)
        The crop, in pixel values.
    mask : ndarray of bool, shape (S, S)
        The nucleus.
    levels : dict of str to tuple of two floats
        From `levels_of`.
    """
    grey = {}
    for role, plane in planes.items():
        black, white = levels[role]
        level = np.clip((plane - black) / (white - black), 0, 1)
        grey[role] = _png(np.rint(255 * level).astype(np.uint8))
    return NucleusPicture(mask.shape[0], grey, _outline(mask))


def _outline(mask: npt.NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    if not contours:
        return ()
    longest = max(contours, key=cv2.contourArea).reshape(-1, 2)
    return tuple((int(col), int(row)) for col, row in longest)


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise OSError("a picture of a nucleus could not be encoded")
    return bytes(data.tobytes())
