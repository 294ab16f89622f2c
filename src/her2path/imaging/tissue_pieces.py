"""Separate pieces of tissue on a slide: which there are, their numbers, and the one at an end.

Sections, cores and control tissue lie apart on the glass.  Parts of the tissue mask that are
closer together than `GAP_UM` are one piece, because sections tear; crumbs belong to the piece
they lie nearest to.  Numbers run from left to right by the left edge of the piece, and from top
to bottom where left edges agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from her2path.domain.control_tissue import Place, SlideEnd
from her2path.domain.verdict import NotEvaluable

GAP_UM = 300.0
"""Widest gap within one piece: tears and lumens are narrower, while sections on one slide are set
millimetres apart and spots of an array more than 300 µm."""
CRUMB_UM2 = 50_000.0
"""Smaller parts are crumbs: a spot of a cell array has 0.6 mm, which is 280 000 µm², and a millimetre of
a needle biopsy as much."""

_BOX_RGB = (20, 20, 20)
_CONTROL_RGB = (200, 0, 140)
_INK_RGB = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The separate pieces of tissue of one slide, numbered from 1."""

    labels: npt.NDArray[np.int32]
    """Number of the piece of each mask pixel, 0 = glass, shape (M, N)."""
    boxes: npt.NDArray[np.int64]
    """Top, left, bottom, right of each piece in mask pixels (half-open), shape (n, 4)."""
    area_um2: npt.NDArray[np.float64]
    """Shape (n,)."""

    def __len__(self) -> int:
        return len(self.boxes)

    def at(
        self, x_px0: npt.NDArray[np.float64], y_px0: npt.NDArray[np.float64], *, px0_per_px: float
    ) -> npt.NDArray[np.int32]:
        """Give the number of the piece at each place (level-0 pixels), 0 = none."""
        rows = np.clip((y_px0 / px0_per_px).astype(np.intp), 0, self.labels.shape[0] - 1)
        columns = np.clip((x_px0 / px0_per_px).astype(np.intp), 0, self.labels.shape[1] - 1)
        return np.asarray(self.labels[rows, columns], np.int32)


def find_pieces(mask: npt.NDArray[np.bool_], *, mpp: float) -> Pieces:
    """Find and number the separate pieces of tissue.

    Parameters
    ----------
    mask : ndarray of bool, shape (M, N)
        Tissue.
    mpp : float
        Pixel size of the mask in µm.

    Returns
    -------
    Pieces
        None for an empty mask.  Where all tissue is crumbs, each of them is a piece.

    Examples
    --------
    >>> mask = np.zeros((50, 200), bool)
    >>> mask[:, :50] = mask[:, 150:] = True
    >>> len(find_pieces(mask, mpp=8.0)), len(find_pieces(mask, mpp=2.0))
    (2, 1)
    """
    if not mask.any():
        return Pieces(np.zeros(mask.shape, np.int32), np.zeros((0, 4), np.int64), np.zeros(0))
    apart = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Each part grows by half the gap: those that then touch are one piece.
    near = (apart <= GAP_UM / 2 / mpp).astype(np.uint8)
    _, grown = cv2.connectedComponents(near, connectivity=8)
    parts = np.where(mask, grown, 0).astype(np.int32)
    area_um2 = np.asarray(np.bincount(parts.ravel()) * mpp**2, np.float64)
    area_um2[0] = 0
    whole = area_um2 >= CRUMB_UM2
    if not whole.any():
        whole = area_um2 > 0
    # A crumb far off must not widen the box of its piece: which piece lies at an end hangs on it.
    boxes = _boxes(parts)
    names = np.flatnonzero(whole)
    names = names[np.lexsort((boxes[names, 0], boxes[names, 1]))]
    numbers = np.zeros(len(whole), np.int32)
    numbers[names] = np.arange(1, len(names) + 1)
    numbers = _with_crumbs(parts, whole, numbers)
    return Pieces(np.asarray(numbers[parts], np.int32), boxes[names], area_um2[names])


def _boxes(parts: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Top, left, bottom, right of every label, label 0 without one."""
    found = [(0, 0, 0, 0)]
    for place in ndimage.find_objects(parts):
        rows, columns = place if place is not None else (slice(0, 0), slice(0, 0))
        found.append((rows.start, columns.start, rows.stop, columns.stop))
    return np.array(found, np.int64)


def _with_crumbs(
    parts: npt.NDArray[np.int32], whole: npt.NDArray[np.bool_], numbers: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """Give each crumb the number of the nearest piece."""
    crumbs = np.argwhere((parts > 0) & ~whole[parts])
    if not len(crumbs):
        return numbers
    large = whole[parts].astype(np.uint8)
    rim = np.argwhere((large > 0) & (cv2.erode(large, np.ones((3, 3), np.uint8)) == 0))
    distance, nearest = cKDTree(rim).query(crumbs)
    crumb = parts[tuple(crumbs.T)]
    # Of each crumb the pixel nearest to a piece decides, the first in reading order where two are as near.
    order = np.lexsort((np.arange(len(crumb)), distance, crumb))
    names, first = np.unique(crumb[order], return_index=True)
    found = numbers.copy()
    found[names] = numbers[parts[tuple(rim[nearest[order[first]]].T)]]
    return found


_NAMED_BY = "name the control by its number in the quality picture"
_TOUCHES = (
    "if control tissue touches the tumour, draw it in QuPath with the class `Control` and give the file in "
    "`exclude_roi`"
)


def piece_at(pieces: Pieces, place: Place) -> int | NotEvaluable:
    """Find the piece that the case sheet means.

    A piece lies at an end of the slide if all of it lies beyond every other piece; where two
    reach as far, the end names neither.

    Parameters
    ----------
    pieces : Pieces
    place : Place
        An end of the slide, or a number.

    Returns
    -------
    number : int or NotEvaluable
        From 1.
    """
    count = len(pieces)
    if count < 2:
        return _unfound(f"`control_piece` names {place!s}, but the tissue is one piece; {_TOUCHES}")
    if not isinstance(place, SlideEnd):
        if place <= count:
            return place
        return _unfound(
            f"`control_piece` names piece {place}, but there are {count}; look at their numbers in the "
            "quality picture"
        )
    near, far = _extent(pieces.boxes, place)
    first = int(np.argmin(near))
    beside = [other for other in range(count) if other != first and near[other] < far[first]]
    if beside:
        both = " and ".join(str(number + 1) for number in sorted((first, beside[0])))
        return _unfound(f"pieces {both} both lie at the {place} end of the slide; {_NAMED_BY}")
    return first + 1


def _unfound(reason: str) -> NotEvaluable:
    return NotEvaluable("control_piece", reason)


def _extent(
    boxes: npt.NDArray[np.int64], end: SlideEnd
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Distances of each piece's near and far edge, growing away from an end of the slide."""
    low, high = (0, 2) if end in (SlideEnd.TOP, SlideEnd.BOTTOM) else (1, 3)
    if end in (SlideEnd.LEFT, SlideEnd.TOP):
        return boxes[:, low], boxes[:, high]
    return -boxes[:, high], -boxes[:, low]


def mark_pieces(
    picture: npt.NDArray[np.uint8], pieces: Pieces, *, scale: float, controls: frozenset[int] = frozenset()
) -> npt.NDArray[np.uint8]:
    """Draw a box with its number around every piece.

    Parameters
    ----------
    picture : ndarray of uint8, shape (M, N, 3)
        RGB; it is not changed.
    pieces : Pieces
    scale : float
        Pixels of the picture per mask pixel.
    controls : frozenset of int
        Numbers of the pieces that are control tissue; drawn in magenta.

    Returns
    -------
    marked : ndarray of uint8, shape (M, N, 3)
    """
    marked = np.ascontiguousarray(picture).copy()
    for number, box in enumerate(pieces.boxes, start=1):
        edges = (np.asarray(box) * scale).round().astype(int)
        colour, words = (_CONTROL_RGB, f"{number} control") if number in controls else (_BOX_RGB, str(number))
        draw_tag(marked, (edges[0], edges[1], edges[2], edges[3]), words, colour)
    return marked


def draw_tag(
    canvas: npt.NDArray[np.uint8],
    box: tuple[int, int, int, int],
    words: str,
    colour: tuple[int, int, int] = _CONTROL_RGB,
) -> None:
    """Draw a box (top, left, bottom, right) with words in its corner onto `canvas`, in place."""
    height, width = canvas.shape[:2]
    thick = max(1, round(max(height, width) / 800))
    size = max(0.45, max(height, width) / 2000)
    top, left, bottom, right = box
    top, left = max(top, 0), max(left, 0)
    bottom, right = min(bottom, height - 1), min(right, width - 1)
    cv2.rectangle(canvas, (left, top), (right, bottom), colour, thick)
    (wide, high), below = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    # The words stand within the picture also where a piece lies at its edge.
    left = min(left, max(width - wide - 8, 0))
    cv2.rectangle(canvas, (left, top), (left + wide + 8, top + high + below + 6), colour, -1)
    where = (left + 4, top + high + 3)
    cv2.putText(canvas, words, where, cv2.FONT_HERSHEY_SIMPLEX, size, _INK_RGB, thick, cv2.LINE_AA)
