"""Where the control tissue of a slide lies: drawn regions first, then pieces that the sheet names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from her2path.domain.control_tissue import place_of
from her2path.domain.verdict import NotEvaluable
from her2path.imaging.regions import region_mask
from her2path.imaging.tissue_pieces import Pieces, find_pieces, mark_pieces, piece_at


@dataclass(frozen=True, slots=True)
class ControlAreas:
    """The control tissue of a slide, numbered from 1: drawn regions, then named pieces."""

    pieces: Pieces
    drawn: tuple[shapely.MultiPolygon, ...]
    """Level-0 pixels."""
    named: tuple[int, ...]
    """Numbers of pieces."""
    px0_per_px: float
    """Level-0 pixels per pixel of the mask of pieces."""

    def __len__(self) -> int:
        return len(self.drawn) + len(self.named)

    def at(self, x_px0: npt.NDArray[np.float64], y_px0: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
        """Give the number of the control that holds each place (level-0 pixels), 0 = none."""
        found = np.zeros(len(x_px0), np.int16)
        piece = self.pieces.at(x_px0, y_px0, px0_per_px=self.px0_per_px)
        for number, wanted in enumerate(self.named, start=1 + len(self.drawn)):
            found[piece == wanted] = number
        for number, regions in enumerate(self.drawn, start=1):
            found[shapely.contains_xy(regions, x_px0, y_px0)] = number
        return found

    def mask(self) -> npt.NDArray[np.bool_]:
        """Rasterise all control tissue on the grid of the mask of pieces."""
        labels = self.pieces.labels
        mask = np.isin(labels, self.named)
        for regions in self.drawn:
            mask |= region_mask(
                regions, shape=(labels.shape[0], labels.shape[1]), px0_per_px=self.px0_per_px
            ) & (labels > 0)
        return np.asarray(mask, np.bool_)


def locate_controls(
    pieces: Pieces,
    *,
    named: Sequence[str],
    drawn: Sequence[shapely.MultiPolygon],
    px0_per_px: float,
) -> ControlAreas | NotEvaluable:
    """Find the control tissue that the case sheet names and that a person drew.

    Parameters
    ----------
    pieces : Pieces
        Of the whole slide.
    named : sequence of str
        Words of `control_piece`.
    drawn : sequence of MultiPolygon
        Regions of the class ``Control``, level-0 pixels.
    px0_per_px : float
        Level-0 pixels per pixel of the mask of pieces.

    Returns
    -------
    ControlAreas or NotEvaluable
        The reason says what to change where a word fits no piece or two, or where one piece is
        named twice or drawn as well: which tissue is the control is never guessed.
    """
    found: list[int] = []
    for word in named:
        number = piece_at(pieces, place_of(word))
        if isinstance(number, NotEvaluable):
            return number
        if number in found:
            first = named[found.index(number)]
            return _conflict(f"{first!r} and {word!r} name the same piece ({number}); name it once")
        found.append(number)
    if len(found) == len(pieces) and found:
        return _conflict("every piece of tissue is named as control, so none is left to score")
    areas = ControlAreas(pieces, tuple(drawn), tuple(found), px0_per_px)
    for place, regions in enumerate(drawn, start=1):
        alone = ControlAreas(pieces, (regions,), (), px0_per_px).mask()
        if not alone.any():
            return _conflict(f"control region {place} of `exclude_roi` holds no tissue; draw it anew")
        if twice := sorted(set(np.unique(pieces.labels[alone]).tolist()) & set(found)):
            return _conflict(
                f"control region {place} of `exclude_roi` lies on piece {twice[0]}, which `control_piece` "
                "names too; keep one of them"
            )
    return areas


def _conflict(reason: str) -> NotEvaluable:
    return NotEvaluable("control_piece", reason)


def number_pieces(
    picture: npt.NDArray[np.uint8],
    tissue: npt.NDArray[np.bool_],
    *,
    mpp: float,
    named: Sequence[str],
    scale: float,
) -> npt.NDArray[np.uint8]:
    """Draw the numbers of separate pieces, so that a person can name one of them as control.

    Parameters
    ----------
    picture : ndarray of uint8, shape (M, N, 3)
        The slide in small; it is not changed.
    tissue : ndarray of bool, shape (P, Q)
    mpp : float
        Pixel size of `tissue` in µm.
    named : sequence of str
        Words of `control_piece`; one that fits no piece is left out here.
    scale : float
        Pixels of the picture per pixel of `tissue`.

    Returns
    -------
    ndarray of uint8, shape (M, N, 3)
        Without any number where all tissue is one piece.
    """
    pieces = find_pieces(tissue, mpp=mpp)
    if len(pieces) < 2:
        return picture
    found = (piece_at(pieces, place_of(word)) for word in named)
    controls = frozenset(number for number in found if not isinstance(number, NotEvaluable))
    return mark_pieces(picture, pieces, scale=scale, controls=controls)
