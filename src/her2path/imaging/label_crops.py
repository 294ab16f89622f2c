"""Crops of labelled images with their outlines, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.outlines import Outline


@dataclass(frozen=True, slots=True)
class DrawnOutline:
    """One outline over a crop."""

    name: str
    """Class, or what a mask shows."""
    xy: Outline
    """Pixels of the crop with edges at integers."""
    is_subject: bool
    """Whether the crop was chosen for it; others are drawn paler."""


@dataclass(frozen=True, slots=True)
class LabelCrop:
    """A piece of an image that shows a label."""

    rgb: npt.NDArray[np.uint8]
    """Shape (M, N, 3)."""
    mpp: float
    """Pixel size in µm."""
    outlines: tuple[DrawnOutline, ...]


def crop_box(middle: tuple[float, float], side: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Find the square of `side` pixels around a place (x, y), moved to lie within an image where it can.

    Examples
    --------
    >>> crop_box((5.0, 90.0), 20, (100, 100))
    (slice(80, 100, None), slice(0, 20, None))
    """
    found = []
    for centre, length in zip(reversed(middle), shape[:2], strict=True):
        start = min(max(round(centre - side / 2), 0), max(length - side, 0))
        found.append(slice(start, min(start + side, length)))
    return found[0], found[1]
