"""What labelled cells cannot be: too large or small, beyond the image, or one cell of two classes.

A wrong scale, areas drawn as cells, or labels of another image would be learnt without a murmur.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from her2path.domain.label_classes import LabelClass
from her2path.domain.number_words import counted
from her2path.io.labels import DrawnCell

CELL_UM = 4.0, 60.0
"""Diameters of a circle as large as a cell, in µm, of most cells: a lymphocyte's has 6 to 10, a tumour cell's
10 to 30."""
_MEDIAN_UM = 5.0, 40.0
_LARGEST_UM = 80.0
"""No single cell is as large; tumour giant cells seldom reach it."""
_HALF = 0.5
_ONE_CELL = 0.8
"""Share of their union that two outlines of one cell have in common."""

Finder = Callable[[Sequence[DrawnCell], tuple[int, int], float], str | None]


def implausible(cells: Sequence[DrawnCell], *, size_px0: tuple[int, int], mpp: float) -> str | None:
    """Say what is wrong with labelled cells and what to do, with the first feature; None = nothing.

    Parameters
    ----------
    cells : sequence of DrawnCell
        Level-0 pixels; cells of which nothing is taught are left out.
    size_px0 : tuple of two ints
        Width and height of the image.
    mpp : float
        µm per pixel.
    """
    taught = [cell for cell in cells if cell.kind is not LabelClass.IGNORE]
    if not taught:
        return None
    finders: Iterable[Finder] = (_beyond, _of_no_cells_size, _nucleus_elsewhere, _of_two_classes)
    return next((words for finder in finders if (words := finder(taught, size_px0, mpp))), None)


def contradicting(cells: Sequence[DrawnCell]) -> list[tuple[int, int]]:
    """Find pairs of places in `cells` whose outlines are one cell's, but whose classes differ."""
    outlines = np.array([cell.outline for cell in cells], object)
    if not len(outlines):
        return []
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    kinds = np.array([cell.kind.value for cell in cells])
    ignored = kinds == LabelClass.IGNORE.value
    wanted = (one < other) & (kinds[one] != kinds[other]) & ~ignored[one] & ~ignored[other]
    one, other = one[wanted], other[wanted]
    shared = _shared_area(outlines[one], outlines[other])
    united = shapely.area(outlines[one]) + shapely.area(outlines[other]) - shared
    same = shared > _ONE_CELL * united
    return sorted(zip(one[same].tolist(), other[same].tolist(), strict=True))


def _shared_area(one: npt.NDArray[np.object_], other: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    # Outlines that were mended keep no hole, and so may cross themselves anew.
    return np.asarray(shapely.area(shapely.intersection(shapely.make_valid(one), shapely.make_valid(other))))


def _beyond(cells: Sequence[DrawnCell], size_px0: tuple[int, int], _mpp: float) -> str | None:
    image = np.array([shapely.box(0, 0, *size_px0)], object)
    outlines = np.array([cell.outline for cell in cells], object)
    bounds = shapely.bounds(outlines)
    over = (bounds[:, :2] < 0).any(axis=1) | (bounds[:, 2:] > size_px0).any(axis=1)
    places = np.flatnonzero(over)
    share = _shared_area(outlines[places], image) / shapely.area(outlines[places])
    if not (largely := places[share < _HALF]).size:
        return None
    return (
        f"of {len(cells)} cells {len(largely)} lie largely beyond the image of {size_px0[0]} x {size_px0[1]} "
        f"pixels (feature {cells[largely[0]].feature} first); they belong to another image or to another "
        "scale of it, or were drawn wrongly"
    )


def _of_no_cells_size(cells: Sequence[DrawnCell], _size: tuple[int, int], mpp: float) -> str | None:
    diameters = 2 * np.sqrt(shapely.area([cell.outline for cell in cells]) / math.pi) * mpp
    odd = np.flatnonzero((diameters < CELL_UM[0]) | (diameters > CELL_UM[1]))
    median = float(np.median(diameters))
    if len(odd) > _HALF * len(cells) or not _MEDIAN_UM[0] <= median <= _MEDIAN_UM[1]:
        first = cells[odd[0] if odd.size else 0].feature
        areas = ", or areas were drawn: give those as kind regions" if median > _MEDIAN_UM[1] else ""
        return (
            f"the cells have a median diameter of {median:.3g} µm at {mpp:g} µm a pixel (feature {first} "
            f"first), {CELL_UM[0]:g} to {CELL_UM[1]:g} are usual; the pixel size is wrong, or the outlines "
            f"are of another scale{areas}"
        )
    if (large := np.flatnonzero(diameters > _LARGEST_UM)).size:
        at = large[0]
        return (
            f"feature {cells[at].feature} is a cell of {diameters[at]:.0f} µm; draw single cells, and give "
            "areas in a file of their own as kind regions"
        )
    return None


def _nucleus_elsewhere(cells: Sequence[DrawnCell], _size: tuple[int, int], _mpp: float) -> str | None:
    with_nucleus = [cell for cell in cells if cell.nucleus is not None]
    if not with_nucleus:
        return None
    nuclei = np.array([cell.nucleus for cell in with_nucleus], object)
    outlines = np.array([cell.outline for cell in with_nucleus], object)
    away = np.flatnonzero(_shared_area(nuclei, outlines) < _HALF * shapely.area(nuclei))
    if not away.size:
        return None
    return (
        f"of {len(with_nucleus)} nuclei {len(away)} lie outside their cells (feature "
        f"{with_nucleus[away[0]].feature} first); export the cells again, or leave the nuclei out"
    )


def _of_two_classes(cells: Sequence[DrawnCell], _size: tuple[int, int], _mpp: float) -> str | None:
    pairs = contradicting(cells)
    if not pairs:
        return None
    one, other = (cells[place] for place in pairs[0])
    many = counted(len(pairs), "pair")
    return (
        f"two outlines of one cell have different classes ({many}; first: feature {one.feature} "
        f"is {one.kind.value}, feature {other.feature} {other.kind.value}); keep the right one of each"
    )
