"""Kinds of artefact on a bright-field slide, and how a mask of them is coded.

An artefact is a place where the image does not show the tissue as it is, so that no membrane can be
judged there.  A code mask holds one kind per pixel: 0 is none, a kind is its place in
`ArtefactKind` + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]


class ArtefactKind(StrEnum):
    """What spoils a place of a slide; the order is part of the code masks and never changes."""

    OUT_OF_FOCUS = "out_of_focus"
    PEN = "pen"
    FOLD = "fold"
    BUBBLE = "bubble"
    COVERSLIP_EDGE = "coverslip_edge"
    SATURATED = "saturated"
    DEBRIS = "debris"
    PIGMENT = "pigment"


def artefact_code(kind: ArtefactKind) -> int:
    """Look up the value of a kind in a code mask (uint8, 0 is no artefact).

    Examples
    --------
    >>> artefact_code(ArtefactKind.PEN)
    2
    """
    return tuple(ArtefactKind).index(kind) + 1


KIND_RGB: Mapping[ArtefactKind, tuple[int, int, int]] = MappingProxyType(
    {
        ArtefactKind.OUT_OF_FOCUS: (86, 180, 233),
        ArtefactKind.PEN: (0, 158, 115),
        ArtefactKind.FOLD: (213, 94, 0),
        ArtefactKind.BUBBLE: (0, 114, 178),
        ArtefactKind.COVERSLIP_EDGE: (230, 159, 0),
        ArtefactKind.SATURATED: (240, 228, 66),
        ArtefactKind.DEBRIS: (0, 0, 0),
        ArtefactKind.PIGMENT: (204, 121, 167),
    }
)
"""Colour of each kind in pictures and in QuPath: the palette of Okabe and Ito (2008), told apart by
people of any colour vision."""

_PRECEDENCE = (
    ArtefactKind.OUT_OF_FOCUS,
    ArtefactKind.PIGMENT,
    ArtefactKind.DEBRIS,
    ArtefactKind.FOLD,
    ArtefactKind.SATURATED,
    ArtefactKind.BUBBLE,
    ArtefactKind.COVERSLIP_EDGE,
    ArtefactKind.PEN,
)
"""Where two kinds meet the later one names the place: ink and edges are also blurred and dark, so the
cause outweighs what it does to the image."""


def join_kinds(found: Mapping[ArtefactKind, Mask], *, shape: tuple[int, int]) -> Codes:
    """Merge the masks of all kinds into one code mask.

    Parameters
    ----------
    found : mapping of ArtefactKind to ndarray of bool, shape (M, N)
        Kinds that were looked for; an absent kind was not found.
    shape : tuple of two ints
        (M, N).

    Returns
    -------
    codes : ndarray of uint8, shape (M, N)
    """
    codes = np.zeros(shape, np.uint8)
    for kind in _PRECEDENCE:
        if kind in found:
            codes[found[kind]] = artefact_code(kind)
    return codes
