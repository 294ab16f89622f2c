"""Gallery of nuclei: what was counted, so that a person can check every number.

Each nucleus is shown in false colours (DAPI blue, HER2 orange-red, CEP17 green) with its outline,
a ring round every signal, a double ring round every cluster, and its counts underneath.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Image = npt.NDArray[np.float32]
Colour = tuple[int, int, int]

SIDE_UM = 18.0
"""Side of a crop: the largest nuclei that are counted fit."""
_SIDE_PX = 152
_LINE_PX = 15
_GAP_PX = 6
_COLUMNS = 8
_DYES: dict[str, Colour] = {"dapi": (40, 70, 255), "her2": (255, 105, 30), "cep17": (60, 255, 80)}
_RINGS: dict[str, Colour] = {"her2": (255, 190, 90), "cep17": (150, 255, 170)}
_RING_UM = 0.75
_INK: Colour = (225, 225, 225)
_MUTED: Colour = (150, 150, 150)
_PAGE: Colour = (24, 24, 28)


@dataclass(frozen=True, slots=True)
class Ring:
    """One signal or cluster inside a crop."""

    row: float
    """Pixels of the crop, centre of pixel 0 = 0.5."""
    col: float
    role: str
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


def display_of(pieces: Sequence[dict[str, Image]]) -> Display:
    """Levels that show the background just above black and the signals below white.

    Parameters
    ----------
    pieces : sequence of dict of role to ndarray of float32
        Crops that are shown together, all of the same channels.
    """
    levels = {}
    for role in pieces[0] if pieces else ():
        values = np.concatenate([planes[role].ravel() for planes in pieces])
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


def render_gallery(
    counted: Sequence[Crop], excluded: Sequence[Crop], *, headings: tuple[str, str], mpp: float
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

    Returns
    -------
    page : ndarray of uint8, shape (H, W, 3)
    """
    width = _COLUMNS * (_SIDE_PX + _GAP_PX) + _GAP_PX
    parts = [_legend(width)]
    for heading, crops in zip(headings, (counted, excluded), strict=True):
        parts.append(_heading(heading, width))
        for start in range(0, len(crops), _COLUMNS):
            parts.append(_row_of(crops[start : start + _COLUMNS], width, mpp))
    page: Rgb = np.concatenate(parts)
    return page


def _row_of(crops: Sequence[Crop], width: int, mpp: float) -> Rgb:
    lines = 2 if any(crop.caption[1] for crop in crops) else 1
    row = _blank(_SIDE_PX + lines * _LINE_PX + _GAP_PX + 4, width)
    for index, crop in enumerate(crops):
        left = _GAP_PX + index * (_SIDE_PX + _GAP_PX)
        row[:_SIDE_PX, left : left + _SIDE_PX] = _draw(crop, mpp)
        for line, text in enumerate(crop.caption):
            _write(row, text, (left + 2, _SIDE_PX + 13 + _LINE_PX * line), _INK if line == 0 else _MUTED)
    return row


def _draw(crop: Crop, mpp: float) -> Rgb:
    zoom = _SIDE_PX / crop.rgb.shape[0]
    picture: Rgb = cv2.resize(crop.rgb, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    mask = cv2.resize(crop.mask.astype(np.float32), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_LINEAR)
    contours, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, contours, -1, (150, 150, 165), 1, cv2.LINE_AA)
    radius = _RING_UM / mpp * zoom
    for ring in crop.rings:
        # Four binary digits of a pixel, so that rings sit where the signal is.
        centre = (round((ring.col * zoom - 0.5) * 16), round((ring.row * zoom - 0.5) * 16))
        for factor in (1.0, 1.7) if ring.is_cluster else (1.0,):
            cv2.circle(picture, centre, round(radius * factor * 16), _RINGS[ring.role], 1, cv2.LINE_AA, 4)
        if ring.is_cluster:
            spot = (round(ring.col * zoom + 1.8 * radius), round(ring.row * zoom + 4))
            _write(picture, f"x{ring.copies}", spot, _RINGS[ring.role])
    return picture


def _legend(width: int) -> Rgb:
    strip = _blank(26, width)
    left = _GAP_PX
    for text, colour in (
        ("DAPI", (110, 130, 255)),
        ("HER2", _RINGS["her2"]),
        ("CEP17", _RINGS["cep17"]),
        ("double ring = cluster, x copies estimated from its light", _MUTED),
    ):
        _write(strip, text, (left, 17), colour)
        left += 16 + _text_width(text)
    return strip


def _heading(text: str, width: int) -> Rgb:
    strip = _blank(30, width)
    _write(strip, text, (_GAP_PX, 20), _INK, scale=0.5)
    return strip


def _blank(height: int, width: int) -> Rgb:
    return np.full((height, width, 3), _PAGE, np.uint8)


def _text_width(text: str) -> int:
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0])


def _write(picture: Rgb, text: str, place: tuple[int, int], colour: Colour, *, scale: float = 0.4) -> None:
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
