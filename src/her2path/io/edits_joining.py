"""Edits of a slide that are added to those that it has: what of both counts, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable

from shapely.geometry.base import BaseGeometry

from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.io.edits_documents import CONTROL, DrawnRegion, EditsResult
from her2path.io.edits_entry import EarlierEdits

_ROUNDED_PX0 = 0.5
"""By how much an outline may be off and still be the same: exports round to a tenth of a pixel."""


def same_area(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two areas differ nowhere by more than a pixel, however large they are."""
    return bool(one.symmetric_difference(other).buffer(-_ROUNDED_PX0).is_empty)


def joined(new: EditsResult, earlier: EditsResult, *, as_measured: Iterable[int]) -> EditsResult:
    """Join edits with earlier ones, which hold where the new ones say nothing.

    What a person before had given or drawn, and the new file only repeats, stays that person's.

    Parameters
    ----------
    new, earlier : EditsResult
        Of the same slide with the same cells.
    as_measured : iterable of int
        Cells that the new file states to be as measured.

    Returns
    -------
    EditsResult
        By the person of `new`; every cell and every region tells who gave or drew it.
    """
    new, earlier = new.signed(), earlier.signed()
    corrections = {one.cell_id: one for one in earlier.corrections}
    for cell_id in as_measured:
        corrections.pop(cell_id, None)
    for one in new.corrections:
        if (known := corrections.get(one.cell_id)) is None or known.given != one.given:
            corrections[one.cell_id] = one
    drawn, drew = ({_effect(region) for region in edits.regions} for edits in (new, earlier))
    uses = {LabelClass.TUMOUR: new.tumour_use, LabelClass.IGNORE: new.left_out_use}
    gone = {what for what, use in uses.items() if what in drawn and use is RegionUse.REPLACE}
    kept = [region for region in earlier.regions if _effect(region) not in gone]
    last = EarlierEdits(**earlier.model_dump(include=set(EarlierEdits.model_fields)))
    return new.model_copy(
        update={
            # Regions that add to earlier ones leave what those do to the regions of the slide as it is.
            "tumour_use": earlier.tumour_use if LabelClass.TUMOUR in drew - gone else new.tumour_use,
            "left_out_use": earlier.left_out_use if LabelClass.IGNORE in drew - gone else new.left_out_use,
            "regions": (
                *(old for old in kept if not any(_is_place_of(old, region) for region in new.regions)),
                *(_known(region, earlier.regions) for region in new.regions),
            ),
            "corrections": tuple(corrections[cell_id] for cell_id in sorted(corrections)),
            "earlier": (*earlier.earlier, last),
        }
    )


def _effect(region: DrawnRegion) -> str:
    """Name what a region does: tumour, control tissue, or one name for all kinds that are left out."""
    return region.kind if region.kind in {LabelClass.TUMOUR, CONTROL} else LabelClass.IGNORE


def _is_place_of(one: DrawnRegion, other: DrawnRegion) -> bool:
    return one.kind == other.kind and same_area(one.area(), other.area())


def _known(region: DrawnRegion, earlier: Iterable[DrawnRegion]) -> DrawnRegion:
    """Give an earlier region in the place of the same one of a later file."""
    same = (old for old in earlier if old.expected == region.expected and _is_place_of(old, region))
    return next(same, region)
