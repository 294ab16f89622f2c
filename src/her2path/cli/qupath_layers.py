"""What a QuPath project shows on one slide, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from her2path.domain.region_use import RegionUse
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.imaging.control_areas import locate_controls
from her2path.imaging.outlines import trace
from her2path.imaging.tissue_pieces import find_pieces
from her2path.io.artefacts import FISH_FILES, IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import IhcScoreResult, QualityDoc, SlideDoc, SlideResult, read_document
from her2path.io.edited_cells import SlideEdits, read_slide_edits
from her2path.io.edits_documents import EditsResult
from her2path.io.edits_folder import EditsFolder
from her2path.io.files import artefact_name, sha256_of
from her2path.io.geojson import Regions, read_exclusions, read_regions
from her2path.io.hot_spot_areas import write_hot_spots
from her2path.io.label_image import LabelImage
from her2path.io.masks import read_mask
from her2path.io.quality_areas import QuPathArea, write_areas
from her2path.io.qupath_cells import EXCLUDED, CellClass
from her2path.io.qupath_detections import QuPathDetection, write_detections
from her2path.io.qupath_project import zip_objects
from her2path.io.qupath_tiles import read_blocks, read_tiles
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import FISH_NUCLEI, FISH_SIGNALS, read_table

TUMOUR = CellClass("Tumor", (200, 0, 0))
CONTROL = CellClass("Control", (90, 90, 200))
COUNTED = CellClass("Nucleus: Counted", (0, 150, 90))
NOT_COUNTED = CellClass("Nucleus: Not counted", (150, 150, 150))
"""Of a nucleus that could be counted, but was not needed or belongs to another observer."""
SIGNALS: Mapping[str, CellClass] = {
    "her2": CellClass("HER2", (235, 120, 40)),
    "cep17": CellClass("CEP17", (60, 180, 75)),
}
HER2_CLUSTER = CellClass("HER2: Cluster", (170, 40, 110))
_SIGNAL_UM = 0.3
"""Radius (µm) of a drawn signal: about what a spot measures; it says where, not how large."""
_CLUSTER_UM = 0.6
_CORNERS = 12


def write_ihc_layers(
    results: Path, into: Path, row: ImageRow, document: SlideDoc, score: IhcScoreResult | None
) -> None:
    """Write the layers of an IHC slide; without a score only its regions and quality findings."""
    slide = _measured(document)
    sha256 = slide.files[0].sha256
    edits = SlideEdits()
    if score is not None and score.edits is not None:
        edits = read_slide_edits(EditsFolder(results / "edits").edits, results / IHC_FILES["cells"], slide)
    regions = [*_drawn(row, document), *_control_pieces(results, document)]
    if edits.result is not None and edits.cells is not None:
        regions = list(_as_edited(regions, edits.result))
    write_areas(into / "regions.geojson", regions, image_sha256=sha256, layer="regions")
    _copy(results / IHC_FILES["areas"], into / "quality.geojson")
    if score is None:
        return
    cells, size_px0 = results / IHC_FILES["cells"], (slide.width_px0, slide.height_px0)
    tiles = read_tiles(
        results / IHC_FILES["tiles"], cells, mpp=slide.mpp, size_px0=size_px0, edited=edits.cells
    )
    blocks = read_blocks(results / IHC_FILES["blocks"], mpp=slide.mpp)
    write_detections(into / "tiles.geojson", tiles, image_sha256=sha256, layer="tiles")
    write_detections(into / "blocks.geojson", blocks, image_sha256=sha256, layer="blocks")
    write_hot_spots(into / "hotspots.geojson", score.hot_spots, image_sha256=sha256, size_px0=size_px0)
    zip_objects(results / IHC_FILES["geojson"], into / "cells.geojson.zip")


def write_fish_layers(results: Path, into: Path, document: SlideDoc, *, is_counted: bool) -> None:
    """Write the layers of a FISH image; where it has no counts only its quality findings."""
    slide = _measured(document)
    sha256 = slide.files[0].sha256
    _copy(results / FISH_FILES["areas"], into / "quality.geojson")
    if not is_counted:
        return
    nuclei = _nuclei(results / FISH_FILES["nuclei"], results / FISH_FILES["labels"], mpp=slide.mpp)
    signals = _signals(results / FISH_FILES["signals"], mpp=slide.mpp)
    write_detections(into / "nuclei.geojson", nuclei, image_sha256=sha256, layer="nuclei")
    write_detections(into / "signals.geojson", signals, image_sha256=sha256, layer="signals")


def _measured(document: SlideDoc) -> SlideResult:
    if document.result is None:
        raise ValueError(f"{document.sheet.image_id} was not read, so nothing was measured on it")
    return document.result


def _copy(source: Path, target: Path) -> None:
    try:
        target.write_bytes(source.read_bytes())
    except FileNotFoundError as error:
        raise ArtefactError(artefact_name(source), "is missing") from error


def _drawn(row: ImageRow, document: SlideDoc) -> Iterator[QuPathArea]:
    """Give the regions that the case sheet names, as they were when the slide was measured."""
    for column, path in (("tumour_roi", row.tumour_roi), ("exclude_roi", row.exclude_roi)):
        if path is not None and (not path.is_file() or document.inputs.get(column) != sha256_of(path)):
            detail = f"was measured with another {column}, or its file is gone; run her2path again"
            raise ArtefactError(f"{row.image_id}/slide.json", detail)
    if row.tumour_roi is not None:
        regions = read_regions(row.tumour_roi, name=f"tumour_roi of {row.image_id}")
        yield from _areas(regions, TUMOUR, "Tumour of the case sheet")
    if row.exclude_roi is not None:
        drawn = read_exclusions(row.exclude_roi, name=f"exclude_roi of {row.image_id}")
        if drawn.left_out is not None:
            yield from _areas(drawn.left_out, EXCLUDED, "Left out by the case sheet")
        for number, control in enumerate(drawn.controls, start=1):
            kind = CONTROL
            if control.expected is not None:
                kind = CellClass(f"{CONTROL.name}: {control.expected}", CONTROL.rgb)
            yield from _areas(control.regions, kind, f"Control region {number}")


def _as_edited(areas: Iterable[QuPathArea], edits: EditsResult) -> Iterator[QuPathArea]:
    """Give the regions that hold since a person edited the slide: those that were replaced are left out."""
    gone = set()
    if edits.of_kind(TUMOUR.name) and edits.tumour_use is RegionUse.REPLACE:
        gone.add(TUMOUR.name)
    if edits.left_out and edits.left_out_use is RegionUse.REPLACE:
        gone.add(EXCLUDED.name)
    yield from (area for area in areas if area.kind is None or area.kind.name not in gone)
    for region in edits.regions:
        named = region.kind if region.expected is None else f"{region.kind}: {region.expected}"
        known = {kind.name: kind.rgb for kind in (TUMOUR, CONTROL, EXCLUDED)}
        kind = CellClass(named, known.get(region.kind, EXCLUDED.rgb))
        for polygon in region.area().geoms:
            yield QuPathArea(kind, polygon, name=f"Drawn by {region.by or edits.by}")


def _areas(regions: Regions, kind: CellClass, words: str) -> Iterator[QuPathArea]:
    for polygon in regions.geoms:
        yield QuPathArea(kind, polygon, name=words, is_locked=True)


def _control_pieces(results: Path, document: SlideDoc) -> Iterator[QuPathArea]:
    """Outline the pieces of tissue that the case sheet names as control tissue."""
    sheet, quality = document.sheet, read_document(results / IHC_FILES["quality"], QualityDoc).result
    if not sheet.control_piece or quality is None:
        return
    px0_per_px = quality.mask_mpp / _measured(document).mpp
    pieces = find_pieces(read_mask(results / IHC_FILES["tissue"]), mpp=quality.mask_mpp)
    found = locate_controls(pieces, named=sheet.control_piece, drawn=[], px0_per_px=px0_per_px)
    if isinstance(found, NotEvaluable):
        return  # its score says so: there is no control tissue to show
    expected = [*map(str, sheet.control_score), *[""] * len(sheet.control_piece)]
    for word, number, score in zip(sheet.control_piece, found.named, expected, strict=False):
        outline = trace((pieces.labels == number).astype(np.int32))[1] * px0_per_px
        kind = CellClass(f"{CONTROL.name}: {score}", CONTROL.rgb) if score else CONTROL
        yield QuPathArea(kind, shapely.Polygon(outline), name=f"Control piece: {word}", is_locked=True)


def _nuclei(table: Path, labels: Path, *, mpp: float) -> Iterator[QuPathDetection]:
    with LabelImage(labels) as image:
        for nucleus in read_table(table, FISH_NUCLEI).to_pylist():
            kind = COUNTED if nucleus["evaluable"] else NOT_COUNTED
            measured = {
                "HER2 signals": nucleus["her2_signals"],
                "HER2 signals: lower bound": nucleus["her2_copies_low"],
                "HER2 signals: upper bound": nucleus["her2_copies_high"],
                "HER2 clusters": nucleus["her2_clusters"],
                "CEP17 signals": nucleus["cep17_signals"],
                "Nucleus: Area µm^2": nucleus["area_um2"],
                "Nucleus: Rank": nucleus["rank"],
            }
            outline = _outline(image, nucleus, mpp=mpp)
            yield QuPathDetection(outline, measured, EXCLUDED if nucleus["exclusion"] else kind)


def _outline(image: LabelImage, nucleus: Mapping[str, Any], *, mpp: float) -> np.ndarray[Any, Any]:
    """Trace a nucleus in a window that is widened until it holds the whole of it."""
    number, reach = nucleus["nucleus_id"], 2 * math.sqrt(nucleus["area_um2"]) / mpp
    while True:
        top, left = (max(int(nucleus[place] - reach), 0) for place in ("y_px0", "x_px0"))
        bottom = min(int(nucleus["y_px0"] + reach) + 1, image.height)
        right = min(int(nucleus["x_px0"] + reach) + 1, image.width)
        own = image.read(WorkingBox(top, left, bottom - top, right - left)) == number
        edges = (
            (own[0].any() and top > 0)
            or (own[-1].any() and bottom < image.height)
            or (own[:, 0].any() and left > 0)
            or (own[:, -1].any() and right < image.width)
        )
        if not edges and own.any():
            return trace(own.astype(np.int32))[1] + (left, top)
        if bottom - top == image.height and right - left == image.width:
            raise ArtefactError("fish_labels.tif", f"does not hold nucleus {number}")
        reach *= 2


def _signals(table: Path, *, mpp: float) -> Iterator[QuPathDetection]:
    """Draw counted signals as small circles; what was seen and not counted is of the class `Ignore*`."""
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    for signal in read_table(table, FISH_SIGNALS).to_pylist():
        if signal["channel"] not in SIGNALS:
            continue
        cluster = signal["is_cluster"]
        kind = HER2_CLUSTER if cluster and signal["channel"] == "her2" else SIGNALS[signal["channel"]]
        measured = {
            "Signal: Copies": signal["copies"],
            "Signal: Copies, lower bound": signal["copies_low"],
            "Signal: Copies, upper bound": signal["copies_high"],
            "Signal: SNR": signal["snr"],
            "Signal: Nucleus": signal["nucleus_id"],
            "Signal: Focus plane": signal["z"],
        }
        radius = (_CLUSTER_UM if cluster else _SIGNAL_UM) / mpp
        xy = circle * radius + (signal["x_px0"], signal["y_px0"])
        yield QuPathDetection(xy, measured, kind if signal["copies"] else EXCLUDED)
