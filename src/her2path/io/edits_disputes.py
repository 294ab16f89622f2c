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


def overruled_cells(edits: EditsResult, earlier: EditsResult, tumour_use: RegionUse) -> tuple[str, ...]:
    """Tell of cells that earlier edits called tumour and that regions which were added leave out.

    A class outweighs a region, so without a word such cells would be scored against what was drawn last.

    Parameters
    ----------
    edits : EditsResult
        With the earlier ones in them.
    earlier : EditsResult
    tumour_use : RegionUse
        Of the file that was added.

    Returns
    -------
    tuple of str
        Faults in words; empty where there are no such cells.
    """
    known = {(region.kind, region.polygons) for region in earlier.regions}
    new = [region for region in edits.regions if (region.kind, region.polygons) not in known]
    if any(region.kind == LabelClass.TUMOUR for region in new):
        new = [region for region in new if region.kind != LabelClass.TUMOUR]
        new += edits.of_kind(LabelClass.TUMOUR)
    given = {(one.cell_id, one.given) for one in earlier.corrections}
    kept = [one for one in edits.corrections if (one.cell_id, one.given) in given]
    counted = Counter(where for _, where in disputed_cells(kept, new, tumour_use, file="this file"))
    return tuple(
        f"cells that earlier edits called tumour lie {where} ({n}); draw it without them, or give them "
        "another class in the same file"
        for where, n in counted.items()
    )
