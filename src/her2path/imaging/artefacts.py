"""Kinds of artefact on a bright-field slide, and how a mask of them is coded.

An artefact is a place where the image does not show the tissue as it is, so that no membrane can be
judged there.  A code mask holds one kind per pixel: 0 is none, a kind is its place in
`ArtefactKind` + 1.
"""

from __future__ import annotations

from enum import StrEnum


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
