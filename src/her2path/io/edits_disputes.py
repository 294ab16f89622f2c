"""Cells that a person calls tumour where regions leave them out: of one file, and of one added to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import shapely

from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.io.edits_documents import CONTROL, DrawnRegion, EditsResult, GivenClass


def disputed_cells(
    corrections: Iterable[GivenClass], regions: Sequence[DrawnRegion], tumour_use: RegionUse, *, file: str
) -> Iterator[tuple[GivenClass, str]]:
    """Find cells that are called tumour where regions leave them out, and say where; `file` names theirs."""
    tumour = [one for one in corrections if one.verdict.is_tumour]
    if not tumour:
        return
    x, y = np.array([(one.x_px0, one.y_px0) for one in tumour]).T
    for kinds, within, where in _left_out(regions, tumour_use, file):
        area = shapely.union_all([region.area() for region in kinds])
        disputed = np.asarray(shapely.contains_xy(area, x, y)) == within
        for place in np.flatnonzero(disputed).tolist():
            yield tumour[place], where


def _left_out(
    regions: Sequence[DrawnRegion], tumour_use: RegionUse, file: str
) -> Iterator[tuple[list[DrawnRegion], bool, str]]:
    left_out = [one for one in regions if one.kind not in {LabelClass.TUMOUR, CONTROL}]
    controls = [one for one in regions if one.kind == CONTROL]
    tumour = [one for one in regions if one.kind == LabelClass.TUMOUR]
    if tumour and tumour_use is RegionUse.REPLACE:
        yield tumour, False, f"outside the tumour regions of {file}"
    if left_out:
        yield left_out, True, f"in a region of {file} that is left out"
    if controls:
        yield controls, True, f"in a region of {file} that is control tissue"


def overruled_cells(edits: EditsResult, earlier: EditsResult) -> tuple[str, ...]:
    """Tell of cells that one person calls tumour and regions of another leave out, whoever came first.

    A class outweighs a region, so without a word such cells would be scored against what was drawn.

    Parameters
    ----------
    edits : EditsResult
        With the earlier ones in them.
    earlier : EditsResult
        What both are of them was taken before and is no news.

    Returns
    -------
    tuple of str
        Faults in words, with the persons; empty where there are no such cells.
    """
    edits = edits.signed()
    known = {(one.cell_id, one.given) for one in earlier.corrections}
    new = [one for one in edits.corrections if (one.cell_id, one.given) not in known]
    faults = []
    for regions, persons, is_known in _drawn_together(edits, earlier):
        cells, remedy = (new, _LEAVE_CELLS) if is_known else (edits.corrections, _DRAW_ANEW)
        found = disputed_cells(cells, regions, edits.tumour_use, file=persons)
        counted = Counter((one.by, one.on, where) for one, where in found)
        faults += [
            f"{n} cells that {by} called tumour on {on} lie {where}; {remedy}"
            for (by, on, where), n in counted.items()
        ]
    return tuple(faults)


_DRAW_ANEW = "draw it without them, or give them another class in the same file"
_LEAVE_CELLS = "give them no class in this file, or put the earlier edits aside with --replace"


def _drawn_together(
    edits: EditsResult, earlier: EditsResult
) -> Iterator[tuple[list[DrawnRegion], str, bool]]:
    """Give regions that hold together, with who drew them, and whether all of them were there before."""
    before = {(region.kind, region.polygons) for region in earlier.regions}
    tumour = list(edits.of_kind(LabelClass.TUMOUR))
    if tumour:
        same = {region.polygons for region in tumour} == {
            region.polygons for region in earlier.of_kind(LabelClass.TUMOUR)
        }
        yield tumour, " and ".join(dict.fromkeys(region.by for region in tumour)), same
    others: dict[tuple[str, bool], list[DrawnRegion]] = {}
    for region in edits.regions:
        if region.kind != LabelClass.TUMOUR:
            others.setdefault((region.by, (region.kind, region.polygons) in before), []).append(region)
    for (person, is_known), regions in others.items():
        yield regions, person, is_known
