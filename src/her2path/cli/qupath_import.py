"""Take back what a person changed in QuPath, score the slide again, or go back to the first result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path

import numpy as np
import shapely

from her2path.cli.batch import locked
from her2path.cli.edited_image import check_files, check_measured, outcome_of, row_of, score_again
from her2path.cli.sheet_of_run import sheet_of_run
from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.errors import ConfigError, EditsError
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.regions import region_mask
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import (
    Producer,
    QualityDoc,
    document_text,
    not_evaluable_of,
    read_document,
    required,
)
from her2path.io.edited_cells import edit_cells
from her2path.io.edits_disputes import overruled_cells
from her2path.io.edits_documents import CONTROL, DrawnRegion, EditsDoc, EditsResult, GivenClass
from her2path.io.edits_folder import EditsFolder
from her2path.io.edits_joining import joined, same_area, undo_faults, undone_cells
from her2path.io.edits_reading import Draft, read_edits
from her2path.io.edits_slide import EditableSlide, read_editable
from her2path.io.files import sha256_of
from her2path.io.geojson import read_exclusions, read_regions
from her2path.io.masks import read_mask
from her2path.io.read_cells import FIRST_DAY
from her2path.io.read_check import PROGRAM_NAMES
from her2path.io.recount_documents import pseudonym_fault
from her2path.io.spreadsheet_text import has_control_character
from her2path.io.tables import TILES, read_table

_KNOWN = "regions as the case sheet has them"
_MOST_WORDS = 200
"""Characters of a comment, and of the name of a tool."""


class Beside(StrEnum):
    """What becomes of edits that the slide has already."""

    REFUSE = "refuse"
    REPLACE = "replace"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Order:
    """What to take back, and how."""

    out: Path
    image_id: str
    file: Path
    by: str
    on: date
    tool: str = "QuPath"
    comment: str = ""
    tumour_use: RegionUse = RegionUse.REPLACE
    left_out_use: RegionUse = RegionUse.ADD
    beside: Beside = Beside.REFUSE
    undo: bool = False
    """Whether a file may undo earlier corrections by showing their cells as measured."""
    case_sheet: Path | None = None


def import_edits(order: Order, *, today: date) -> list[str]:
    """Check a file, keep its edits with the first result, and score the slide and its case again.

    Returns
    -------
    list of str
        What was done, in sentences.

    Raises
    ------
    EditsError
        With every fault of the file; nothing was changed then.
    ConfigError
        The image or the folder cannot be edited, or the options cannot be used.
    """
    _check_options(order, today)
    sheet = sheet_of_run(order.out, named=order.case_sheet)
    row = row_of(sheet, order.image_id)
    with locked(order.out):
        home = order.out / "images" / order.image_id
        check_measured(home, row)
        folder = EditsFolder.of(order.out, order.image_id)
        earlier = folder.read()
        slide = read_editable(home, earlier=earlier)
        sha256 = sha256_of(order.file) if order.file.is_file() else ""
        draft = read_edits(
            order.file, slide, own_classes=[str(kind) for kind in ArtefactKind], tumour_use=order.tumour_use
        )
        if isinstance(draft, tuple):
            raise EditsError(order.file.name, order.image_id, draft)
        _set_known_aside(draft, row, order)
        edits = _edits_of(order, slide, draft, sha256)
        undone = tuple[GivenClass, ...]()
        if earlier is not None and order.beside is Beside.ADD:
            undone = undone_cells(slide, earlier, draft.as_measured)
            edits = joined(edits, earlier, undone=undone if order.undo else ())
        faults = _faults(order, slide, edits, earlier)
        faults += () if order.undo else tuple(undo_faults(undone))
        if faults:
            raise EditsError(order.file.name, order.image_id, faults)
        edits = edits.model_copy(update={"unmeasured_pct": _unmeasured_pct(home, slide, edits)})
        # Before anything is kept: a table of an older version may not tell what the regions ask.
        edit_cells(home / "ihc_cells.parquet", edits, controls=len(slide.controls))
        folder.keep_first()
        made_by = Producer(step="qupath_import", version=version("her2path"))
        inputs = {"cells": sha256_of(home / "ihc_cells.parquet"), "export": sha256}
        text = document_text(EditsDoc(produced_by=made_by, inputs=inputs, result=edits))
        kept = folder.replace(text, edits)
        score_again(order.out, sheet, row, case_sheet=order.case_sheet)
        return [*_told(order, edits, draft, kept), *outcome_of(home)]


def discard(out: Path, image_id: str, *, case_sheet: Path | None = None) -> list[str]:
    """Put the edits of a slide aside and score it as it was measured.

    A command that was stopped half-way is finished by the next one.

    Raises
    ------
    ConfigError
        The slide has no edits and shows none, or its file is not the one that was measured.
    """
    sheet = sheet_of_run(out, named=case_sheet)
    row = row_of(sheet, image_id)
    folder, home = EditsFolder.of(out, image_id), out / "images" / image_id
    with locked(out):
        if folder.is_untouched():
            raise ConfigError((f"image {image_id!r} has no edits",))
        if not_evaluable_of(home / "slide.json") is None:
            check_files(home, row)
        kept = folder.put_aside()
        score_again(out, sheet, row, case_sheet=case_sheet)
        folder.forget_first()
        where = "they had been put aside before" if kept is None else f"they are kept as {kept.name}"
        return [f"the edits of {image_id} do not count any more; {where}", *outcome_of(home)]


def _check_options(order: Order, today: date) -> None:
    faults = []
    if fault := pseudonym_fault(order.by):
        faults.append(f"--by: {fault}")
    if order.by.casefold() in PROGRAM_NAMES:
        faults.append(f"--by: {order.by!r} is no person; edits are made by a person")
    if order.on > today:
        faults.append(f"--on: {order.on} lies in the future")
    if order.on < FIRST_DAY:
        faults.append(f"--on: {order.on} lies before {FIRST_DAY.year}; correct the year")
    for name, text in (("--comment", order.comment), ("--tool", order.tool)):
        if len(text) > _MOST_WORDS or has_control_character(text):
            faults.append(f"{name}: give one line of {_MOST_WORDS} characters at most")
    if faults:
        raise ConfigError(tuple(faults))


def _set_known_aside(draft: Draft, row: ImageRow, order: Order) -> None:
    """Take regions out that came back as the case sheet has them: an export of everything holds them."""
    name, known = row.image_id, set[str]()
    drawn = [region for region in draft.regions if region.kind == LabelClass.TUMOUR]
    if row.tumour_roi is not None and drawn:
        of_sheet = read_regions(row.tumour_roi, name=f"tumour_roi of {name}")
        if same_area(shapely.union_all([region.area() for region in drawn]), of_sheet):
            known.add(LabelClass.TUMOUR)
    left_out = [region for region in draft.regions if region.kind not in {LabelClass.TUMOUR, CONTROL}]
    if row.exclude_roi is not None and left_out:
        excluded = read_exclusions(row.exclude_roi, name=f"exclude_roi of {name}").left_out
        area = shapely.union_all([region.area() for region in left_out])
        if excluded is not None and same_area(area, excluded):
            known |= {region.kind for region in left_out}
        elif excluded is not None and order.left_out_use is RegionUse.ADD:
            parts = list(excluded.geoms)
            new = [one for one in left_out if not any(same_area(one.area(), part) for part in parts)]
            draft.notices[_KNOWN] += len(left_out) - len(new)
            draft.regions = [one for one in draft.regions if one not in left_out or one in new]
    draft.notices[_KNOWN] += sum(region.kind in known for region in draft.regions)
    draft.regions = [region for region in draft.regions if region.kind not in known]
    draft.notices = +draft.notices


def _edits_of(order: Order, slide: EditableSlide, draft: Draft, sha256: str) -> EditsResult:
    """Make the edits of the file alone."""
    edits = EditsResult(
        by=order.by,
        on=order.on.isoformat(),
        tool=order.tool,
        sha256=sha256,
        comment=order.comment,
        image_id=order.image_id,
        image_files=slide.files,
        cells=len(slide),
        places_sha256=slide.places_sha256,
        tumour_use=order.tumour_use,
        left_out_use=order.left_out_use,
        regions=tuple(draft.regions),
        corrections=tuple(draft.corrections[cell_id] for cell_id in sorted(draft.corrections)),
    )
    return edits.signed()


def _faults(
    order: Order, slide: EditableSlide, edits: EditsResult, earlier: EditsResult | None
) -> tuple[str, ...]:
    faults = []
    if earlier is not None and order.beside is not Beside.REPLACE and not slide.is_seen_by(earlier):
        faults.append(
            f"the edits by {earlier.by} of {earlier.on} do not fit the slide and its cells as they are now, "
            "so nothing can be added to them; --replace puts them aside"
        )
    elif earlier is not None and order.beside is Beside.REFUSE:
        faults.append(
            f"the slide has edits by {earlier.by} of {earlier.on} already; --add keeps them where this file "
            f"says nothing, --replace puts them aside{_unscored(order)}"
        )
    elif earlier is not None and order.beside is Beside.ADD:
        faults += overruled_cells(edits, earlier)
    if not edits.corrections and not edits.regions:
        faults.append("nothing in it differs from the results; `her2path qupath discard` takes edits back")
    drawn = edits.of_kind(LabelClass.TUMOUR)
    if (
        edits.left_out
        and edits.left_out_use is RegionUse.REPLACE
        and slide.sheet.has_tumour_roi
        and not drawn
    ):
        faults.append(
            "the case sheet drew the tumour, so with --exclusions replace the file must hold it as well"
        )
    for number, region in enumerate(drawn, start=1):
        if not shapely.contains_xy(region.area(), slide.x_px0, slide.y_px0).any():
            faults.append(
                f"tumour region {number} holds no measured cell; if the case sheet left its tissue out, give "
                "the region there (`tumour_roi`) and run the case again"
            )
    return tuple(faults)


def _unscored(order: Order) -> str:
    """Say how edits come into the score of which it knows nothing, since the import was stopped."""
    known = EditsFolder.of(order.out, order.image_id).is_scored()
    return "" if known else "; they are not in the score yet, `her2path run` scores them"


def _unmeasured_pct(home: Path, slide: EditableSlide, edits: EditsResult) -> float:
    """Tell which share of the tissue in the drawn tumour lies in no tile, so that no cell was looked for."""
    drawn = edits.of_kind(LabelClass.TUMOUR)
    if not drawn:
        return 0.0
    quality = required(read_document(home / "quality.json", QualityDoc).result, home / "quality.json")
    tissue, px0 = read_mask(home / "tissue.png"), quality.mask_mpp / slide.slide.mpp
    within = tissue & _mask(drawn, tissue.shape, px0)
    if not within.any():
        return 0.0
    measured = np.zeros(tissue.shape, np.bool_)
    for tile in read_table(home / "tiles.parquet", TILES).to_pylist():
        scale = tile["target_mpp"] / quality.mask_mpp
        top, left = int(tile["row"] * scale), int(tile["col"] * scale)
        bottom, right = (tile["row"] + tile["height"]) * scale, (tile["col"] + tile["width"]) * scale
        measured[top : int(np.ceil(bottom)), left : int(np.ceil(right))] = True
    return float(100 * (within & ~measured).sum() / within.sum())


def _mask(regions: Iterable[DrawnRegion], shape: tuple[int, ...], px0: float) -> np.ndarray:
    area = shapely.union_all([region.area() for region in regions])
    united = area if isinstance(area, shapely.MultiPolygon) else shapely.MultiPolygon([area])
    return region_mask(united, shape=(shape[0], shape[1]), px0_per_px=px0)


def _told(order: Order, edits: EditsResult, draft: Draft, kept: Path | None) -> list[str]:
    """Say what was taken."""
    lines = [f"{order.image_id}: edits by {edits.by} of {edits.on}"]
    lines += [f"  added to those by {one.by} of {one.on}" for one in edits.earlier]
    for measured, given in edits.cells_changed().items():
        lines += [f"  {n} cells of class {measured} are now {name}" for name, n in given.items()]
    for kind, n in edits.regions_changed().items():
        lines.append(f"  {n} regions of class {kind}")
    lines += [
        f"  {n} cells have no longer the class that {by} had given"
        for by, n in edits.cells_overruled().items()
    ]
    lines += [f"  left aside: {n} {what}" for what, n in sorted(draft.notices.items())]
    if edits.unmeasured_pct > 0:
        lines.append(
            f"  {edits.unmeasured_pct:.1f} % of the tissue in the drawn tumour was never measured and has no "
            "share in the score; give the region in the case sheet (`tumour_roi`) and run the case again"
        )
    if kept is not None:
        lines.append(f"  the earlier edits are kept as {kept.name}")
    return lines
