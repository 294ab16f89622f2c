"""Gallery of nuclei: what was counted, so that a person can check every number.

Each nucleus is shown in false colours (DAPI blue, HER2 orange-red, CEP17 green) with its outline,
a numbered ring round every signal, a double ring round every cluster, and its counts underneath; if
asked for, once more by each probe alone, since red and green over each other hide what lies below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Image = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

SIDE_UM = 18.0
"""Side of a crop: the largest nuclei that are counted fit."""
_SIDE_PX = 200
_LINE_PX = 15
GAP_PX = 6
COLUMNS = 8
_DYES: dict[str, Colour] = {"dapi": (40, 70, 255), "her2": (255, 105, 30), "cep17": (60, 255, 80)}
_RINGS: dict[str, Colour] = {"her2": (255, 190, 90), "cep17": (150, 255, 170)}
_NUMBERS: dict[str, Colour] = {"her2": (255, 215, 150), "cep17": (190, 255, 205)}
"""Paler than the rings: thin strokes lose colour."""
_RING_UM = 0.75
_NUMBER_SCALE = 0.35
_AROUND = tuple((math.cos(a), math.sin(a)) for a in np.arange(8) * math.pi / 4)
"""Directions in which the number of a ring can stand."""
INK: Colour = (225, 225, 225)
MUTED: Colour = (150, 150, 150)
PAGE: Colour = (24, 24, 28)
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Ring:
    """One signal or cluster inside a crop."""

    row: float
    """Pixels of the crop, centre of pixel 0 = 0.5."""
    col: float
    role: str
    number: int
    """From 1 among the signals of its colour in the nucleus."""
    copies: int
    is_cluster: bool


@dataclass(frozen=True, slots=True)
class Crop:
    """One nucleus with its surroundings."""

    rgb: Rgb
    """Shape (S, S, 3) in image pixels (`render_field`)."""
    mask: npt.NDArray[np.bool_]
    """Shape (S, S); the nucleus."""
    rings: tuple[Ring, ...]
    caption: tuple[str, str]
    """Two short lines."""


@dataclass(frozen=True, slots=True)
class Display:
    """Black and white level of every channel, in pixel values."""

    levels: dict[str, tuple[float, float]]


def display_of(pieces: Sequence[Mapping[str, Image]]) -> Display:
    """Levels that show the background just above black and the signals below white.

    Parameters
    ----------
    pieces : sequence of dict of role to ndarray of float32
        Crops that are shown together, all of the same channels.
    """
    levels = {}
    for role in pieces[0] if pieces else ():
        values = np.concatenate([planes[role].ravel() for planes in pieces])
        # The brightest 0.1 % of the probes are single signals; DAPI fills a third of a crop.
        white = 99.5 if role == "dapi" else 99.9
        low, high = (float(v) for v in np.percentile(values, (5, white)))
        levels[role] = (low, high)
    return Display(levels)


def evenly(indices: Sequence[int], wanted: int) -> list[int]:
    """Choose `wanted` of the indices at even distances; all of them where there are no more.

    Examples
    --------
    >>> evenly(range(10), 4)
    [0, 2, 5, 7]
    """
    if len(indices) <= wanted:
        return list(indices)
    return [indices[i * len(indices) // wanted] for i in range(wanted)]


def of_every_reason(exclusions: Sequence[str | None], wanted: int) -> list[int]:
    """Choose excluded nuclei in turn from all reasons, so that each of them is seen.

    Parameters
    ----------
    exclusions : sequence of str or None
        Of every nucleus; None = counted.
    wanted : int
        Most that are chosen.

    Returns
    -------
    indices : list of int
        By reason, then in order.

    Examples
    --------
    >>> of_every_reason(["cut_off", "cut_off", None, "too_small"], 2)
    [0, 3]
    """
    by_reason: dict[str, list[int]] = {}
    for index, reason in enumerate(exclusions):
        if reason is not None:
            by_reason.setdefault(reason, []).append(index)
    queues = [by_reason[reason] for reason in sorted(by_reason)]
    depth = max((len(queue) for queue in queues), default=0)
    in_turn = [queue[turn] for turn in range(depth) for queue in queues if turn < len(queue)]
    return sorted(in_turn[:wanted], key=lambda i: (exclusions[i] or "", i))


def render_field(planes: dict[str, Image], display: Display) -> Rgb:
    """Lay the channels over each other in false colours.

    Parameters
    ----------
    planes : dict of role to ndarray of float32, shape (M, N)
        ``dapi``, ``her2`` and perhaps ``cep17``.
    display : Display

    Returns
    -------
    rgb : ndarray of uint8, shape (M, N, 3)
    """
    shape = next(iter(planes.values())).shape
    total = np.zeros((*shape, 3), np.float32)
    for role, plane in planes.items():
        black, white = display.levels[role]
        level = np.clip((plane - black) / max(white - black, 1e-6), 0, 1)
        # DAPI at full strength would drown the signals on it.
        strength = 0.75 if role == "dapi" else 1.0
        total += strength * level[..., None] * np.array(_DYES[role], np.float32)
    rgb: Rgb = np.clip(total, 0, 255).astype(np.uint8)
    return rgb


def render_single(plane: Image, role: str, display: Display) -> Rgb:
    """Show one channel alone in grey, shape (M, N, 3); the same levels as in the overlay."""
    black, white = display.levels[role]
    level = np.clip((plane - black) / max(white - black, 1e-6), 0, 1)
    grey: Rgb = np.repeat((255 * level).astype(np.uint8)[..., None], 3, axis=2)
    return grey


def render_gallery(
    counted: Sequence[Crop],
    excluded: Sequence[Crop],
    *,
    headings: tuple[str, str],
    mpp: float,
    columns: int = COLUMNS,
) -> Rgb:
    """Draw the page: counted nuclei, then a choice of the excluded ones.

    Parameters
    ----------
    counted, excluded : sequence of Crop
        In the order of the page.
    headings : tuple of two str
        Above the two parts.
    mpp : float
        Pixel size of the crops in µm.
    columns : int
        Crops side by side.

    Returns
    -------
    page : ndarray of uint8, shape (H, W, 3)
    """
    width = columns * (_SIDE_PX + GAP_PX) + GAP_PX
    parts = [_legend(width)]
    for heading, crops in zip(headings, (counted, excluded), strict=True):
        parts.append(_heading(heading, width))
        for start in range(0, len(crops), columns):
            parts.append(_row_of(crops[start : start + columns], width, mpp))
    page: Rgb = np.concatenate(parts)
    return page


def _row_of(crops: Sequence[Crop], width: int, mpp: float) -> Rgb:
    lines = 2 if any(crop.caption[1] for crop in crops) else 1
    row = blank(_SIDE_PX + lines * _LINE_PX + GAP_PX + 4, width)
    for index, crop in enumerate(crops):
        left = GAP_PX + index * (_SIDE_PX + GAP_PX)
        row[:_SIDE_PX, left : left + _SIDE_PX] = _draw(crop, mpp)
        for line, text in enumerate(crop.caption):
            write(row, text, (left + 2, _SIDE_PX + 13 + _LINE_PX * line), INK if line == 0 else MUTED)
    return row


def _draw(crop: Crop, mpp: float) -> Rgb:
    zoom = _SIDE_PX / crop.rgb.shape[0]
    picture: Rgb = cv2.resize(crop.rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    mask = cv2.resize(crop.mask.astype(np.float32), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_LINEAR)
    contours, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, (150, 150, 165), 1, cv2.LINE_AA)
    radius = _RING_UM / mpp * zoom
    taken = [_ring_box(ring, zoom, radius) for ring in crop.rings]
    for ring in crop.rings:
        # Four binary digits of a pixel, so that rings sit where the signal is.
        centre = (round((ring.col * zoom - 0.5) * 16), round((ring.row * zoom - 0.5) * 16))
        for factor in (1.0, 1.7) if ring.is_cluster else (1.0,):
            cv2.circle(picture, centre, round(radius * factor * 16), _RINGS[ring.role], 1, cv2.LINE_AA, 4)
    for ring in crop.rings:
        words = f"{ring.number} x{ring.copies}" if ring.is_cluster else str(ring.number)
        box = _free_place(words, ring, zoom, radius, taken)
        taken.append(box)
        corners = [(round(box[i]) - 1, round(box[i + 1]) - 1 + i) for i in (0, 2)]
        cv2.rectangle(picture, corners[0], corners[1], (0, 0, 0), -1)
        write(picture, words, (round(box[0]), round(box[3])), _NUMBERS[ring.role], scale=_NUMBER_SCALE)
    return picture


def _ring_box(ring: Ring, zoom: float, radius: float) -> Box:
    far = radius * (1.7 if ring.is_cluster else 1.0)
    col, row = ring.col * zoom, ring.row * zoom
    return col - far, row - far, col + far, row + far


def _free_place(words: str, ring: Ring, zoom: float, radius: float, taken: Sequence[Box]) -> Box:
    """Find the place beside a ring that covers least of the other rings and numbers."""
    wide = text_width(words, scale=_NUMBER_SCALE)
    high = 8.0
    far = radius * (1.7 if ring.is_cluster else 1.0) + 2
    places = []
    for order, (across, down) in enumerate(_AROUND):
        col = ring.col * zoom + across * (far + wide / 2)
        row = ring.row * zoom + down * (far + high / 2)
        box = (col - wide / 2, row - high / 2, col + wide / 2, row + high / 2)
        outside = min(box[0], box[1], _SIDE_PX - box[2], _SIDE_PX - box[3], 0.0)
        covered = sum(_shared(box, other) for other in taken)
        places.append((covered - 20 * outside, order, box))
    return min(places)[2]


def _shared(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def _legend(width: int) -> Rgb:
    strip = blank(26, width)
    left = GAP_PX
    for text, colour in (
        ("DAPI", (110, 130, 255)),
        ("HER2", _RINGS["her2"]),
        ("CEP17", _RINGS["cep17"]),
        (
            "every counted signal has a number; double ring = cluster, x copies estimated from its light",
            MUTED,
        ),
    ):
        write(strip, text, (left, 17), colour)
        left += 16 + text_width(text)
    return strip


def _heading(text: str, width: int) -> Rgb:
    strip = blank(30, width)
    write(strip, text, (GAP_PX, 20), INK, scale=0.5)
    return strip


def blank(height: int, width: int) -> Rgb:
    """Give an empty strip of a page."""
    return np.full((height, width, 3), PAGE, np.uint8)


def text_width(words: str, *, scale: float = 0.4) -> int:
    """Width of words in pixels."""
    return int(cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0])


def write(
    picture: Rgb, words: str, place: tuple[int, int], colour: Colour, *, scale: float = 0.4, width: int = 1
) -> None:
    """Write words into a picture; `place` is the lower left corner (col, row)."""
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, width, cv2.LINE_AA)
