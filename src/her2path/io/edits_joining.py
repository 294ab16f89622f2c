"""Edits of a slide that are added to those that it has: what of both counts, and whose it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from shapely.geometry.base import BaseGeometry

from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.io.edits_documents import CONTROL, DrawnRegion, EditsResult, GivenClass
from her2path.io.edits_entry import EarlierEdits
from her2path.io.edits_slide import EditableSlide

_ROUNDED_PX0 = 0.5
"""By how much an outline may be off and still be the same: exports round to a tenth of a pixel."""


def same_area(one: BaseGeometry, other: BaseGeometry) -> bool:
    """Whether two areas differ nowhere by more than a pixel, however large they are."""
    return bool(one.symmetric_difference(other).buffer(-_ROUNDED_PX0).is_empty)


def undone_cells(
    slide: EditableSlide, earlier: EditsResult, as_measured: Collection[int]
) -> tuple[GivenClass, ...]:
    """Find the corrections of earlier edits that a file would undo, since it shows their cells as measured.

    So does an export that was made before those edits; nothing in the file tells the two apart.
    """
    if slide.shown is None:
        return ()
    pairs = zip(slide.classes, slide.shown, strict=True)
    otherwise = {number for number, (measured, shown) in enumerate(pairs, start=1) if measured != shown}
    wanted = otherwise.intersection(as_measured)
    return tuple(one for one in earlier.signed().corrections if one.cell_id in wanted)


def undo_faults(undone: Iterable[GivenClass]) -> Iterator[str]:
    """Say whose corrections a file would undo, and what to do."""
    for (by, on), n in Counter((one.by, one.on) for one in undone).items():
        yield (
            f"it shows {n} cells as measured to which {by} gave another class on {on}, as an export "
            "from before does; export the slide as it is now, or only what changed. If these corrections are "
            "to be undone, give --undo"
        )


def joined(new: EditsResult, earlier: EditsResult, *, undone: Iterable[GivenClass]) -> EditsResult:
    """Join edits with earlier ones, which hold where the new ones say nothing.

    What a person before had given or drawn, and the new file only repeats, stays that person's.

    Parameters
    ----------
    new, earlier : EditsResult
        Of the same slide with the same cells.
    undone : iterable of GivenClass
        Corrections of `earlier` that do not hold any more.

    Returns
    -------
    EditsResult
        By the person of `new`; every cell and every region tells who gave or drew it.
    """
    new, earlier = new.signed(), earlier.signed()
    corrections = {one.cell_id: one for one in earlier.corrections}
    overruled = {one.cell_id: one for one in (*earlier.overruled, *undone)}
    for one in undone:
        del corrections[one.cell_id]
    for one in new.corrections:
        if (known := corrections.get(one.cell_id)) is not None and known.given == one.given:
            continue
        corrections[one.cell_id] = one
        if known is not None:
            overruled[one.cell_id] = known
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
                *(old for old in kept if not _is_repeated(old, new.regions)),
                *(_known(region, earlier.regions) for region in new.regions),
            ),
            "corrections": tuple(corrections[cell_id] for cell_id in sorted(corrections)),
            "overruled": tuple(overruled[cell_id] for cell_id in sorted(overruled)),
            "earlier": (*earlier.earlier, last),
        }
    )


def _effect(region: DrawnRegion) -> str:
    """Name what a region does: tumour, control tissue, or one name for all kinds that are left out."""
    return region.kind if region.kind in {LabelClass.TUMOUR, CONTROL} else LabelClass.IGNORE


def _is_repeated(old: DrawnRegion, regions: Iterable[DrawnRegion]) -> bool:
    """Whether later regions have the same outline; QuPath's projects hold its parts one by one."""
    areas = [region.area() for region in regions if region.kind == old.kind]
    if any(same_area(old.area(), area) for area in areas):
        return True
    return all(any(same_area(part, area) for area in areas) for part in old.area().geoms)


def _known(region: DrawnRegion, earlier: Iterable[DrawnRegion]) -> DrawnRegion:
    """Give a region to the person who drew it, or the region that it is a part of, before."""
    for old in earlier:
        if (old.kind, old.expected) == (region.kind, region.expected):
            if same_area(old.area(), region.area()):
                return old
            if any(same_area(part, region.area()) for part in old.area().geoms):
                return region.model_copy(update={"by": old.by, "on": old.on})
    return region
