"""What the zoomable view of a slide is made from: its tiles, cells and areas, within the bytes of a page.

What is missing or does not belong to the score leaves a gap that the page names; it never stops the page,
and nothing is drawn that the score was not counted from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from her2path.domain.guideline.registry import GUIDELINES
from her2path.errors import ArtefactError
from her2path.io.edited_cells import SlideEdits, read_slide_edits
from her2path.io.files import sha256_of
from her2path.io.qupath_cells import CellScheme, scheme_of
from her2path.io.score_entries import HotSpotEntry
from her2path.io.slide_view_file import ShownArea, SlideView, ViewSpot, read_view
from her2path.reports.evidence import ImageEvidence
from her2path.reports.shown_areas import drawn_areas, region_area, tissue_area
from her2path.reports.shown_cells import CellLimits, ShownCells, choose_cells

VIEW, CELLS, CONTOURS = "view.tif", "ihc_cells.parquet", "ihc_contours.parquet"
TISSUE, FINDINGS = "tissue.png", "quality.geojson"
EDITS = "edits/edits.json"
"""Beside the artefacts of an image where a person edited it."""
_AREA_UM = 2.0
"""How far the outline of an area may run beside its original."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SlideLimits:
    """What one page may spend on the views of its slides, shared equally among them."""

    tiles_bytes: int
    """Tiles and hot spots."""
    cells: int
    outlines: int

    def shared_by(self, slides: int) -> SlideLimits:
        """Give the part of one slide of so many."""
        return SlideLimits(self.tiles_bytes // slides, self.cells // slides, self.outlines // slides)


@dataclass(frozen=True, slots=True)
class ShownSlide:
    """What a page shows of one slide."""

    view: SlideView
    size_px0: tuple[int, int]
    mpp: float
    cells: ShownCells | None
    """None where the slide has no score, or its cells are not those of the score."""
    areas: tuple[ShownArea, ...]
    """Tissue, then artefacts by kind, then what a person drew."""


@dataclass(frozen=True, slots=True)
class GatheredSlide:
    """A slide, the files that it was made from, and what is missing."""

    slide: ShownSlide | None
    used: Mapping[str, Path]
    """By the name of the artefact."""
    gaps: tuple[str, ...]
    """In sentences."""


def gather_slide(image: ImageEvidence, limits: SlideLimits) -> GatheredSlide:
    """Gather the view of one IHC slide.

    Parameters
    ----------
    image : ImageEvidence
        An IHC image.
    limits : SlideLimits
        What may be spent on it.
    """
    gaps: list[str] = []
    result = image.slide.result
    if result is None:
        return GatheredSlide(None, {}, ())
    view = _or_gap(lambda: _view(image), gaps, "The slide cannot be shown")
    if view is None:
        return GatheredSlide(None, {}, tuple(gaps))
    # Hot spots of another score would point at the wrong places.
    stated = _of_score(view.spots, image)
    view = _fitted(replace(view, spots=stated), limits.tiles_bytes)
    if 0 < len(view.spots) < len(stated):
        fit = f"Only the first {len(view.spots)} of {len(stated)} hot spots fit into the page"
        gaps.append(f"{fit}; hotspots.png shows all.")
    size = result.width_px0, result.height_px0
    used = {VIEW: image.files[VIEW]}
    cells = None
    if image.has_result:
        cell_limits = CellLimits(limits.cells, limits.outlines)
        what = "The cells cannot be drawn on the slide"
        cells = _or_gap(lambda: _cells(image, view.spots, cell_limits), gaps, what)
        used |= {} if cells is None else {CELLS: image.files[CELLS], CONTOURS: image.files[CONTOURS]}
    areas: list[ShownArea] = []
    if (edits := edits_path(image)) is not None and edits.is_file():
        used[EDITS] = edits
    for name, read in _area_readers(image, size, _AREA_UM / result.mpp).items():
        found = _or_gap(read, gaps, "Areas cannot be drawn on the slide")
        if found is not None:
            used |= {name: image.files[name]} if name in image.files else {}
            areas.extend(found)
    shown = ShownSlide(
        view, size, result.mpp, cells, tuple(area for area in (*areas, *view.regions) if area.rings)
    )
    return GatheredSlide(shown, used, tuple(gaps))


def _or_gap(read: Callable[[], T], gaps: list[str], what: str) -> T | None:
    try:
        return read()
    except ArtefactError as error:
        gaps.append(f"{what}: {error.name} {error.detail}.")
        return None


def _file(image: ImageEvidence, name: str) -> Path:
    if name not in image.files:
        raise ArtefactError(f"{image.image_id}/{name}", "is missing")
    return image.files[name]


def _view(image: ImageEvidence) -> SlideView | None:
    view = read_view(_file(image, VIEW))
    if view is not None and view.slide_sha256 != slide_digest(image):
        raise ArtefactError(f"{image.image_id}/{VIEW}", "is of another image")
    return view


def slide_digest(image: ImageEvidence) -> str:
    """Digest that pictures of an image carry; empty where the image could not be read."""
    return "" if image.slide.result is None else image.slide.result.files[0].sha256


def _cells(image: ImageEvidence, spots: Sequence[ViewSpot], limits: CellLimits) -> ShownCells:
    for key, name in (("cells", CELLS), ("contours", CONTOURS)):
        _refuse_other(image, key, _file(image, name))
    known = GUIDELINES.get(image.facts.guideline)
    return choose_cells(
        image.files[CELLS],
        image.files[CONTOURS],
        spots=spots,
        limits=limits,
        scheme=CellScheme.SCORES if known is None else scheme_of(known),
        edited=_edits(image).cells,
    )


def _refuse_other(image: ImageEvidence, key: str, path: Path) -> None:
    inputs = {} if image.score is None else image.score.inputs
    if inputs.get(key, "") != sha256_of(path):
        detail = "is not the file that the score was counted from"
        raise ArtefactError(f"{image.image_id}/{path.name}", detail)


def edits_path(image: ImageEvidence) -> Path | None:
    """Find what a person changed on a slide; None where the score used nothing of the kind."""
    if image.score is None or "edits" not in image.score.inputs:
        return None
    return image.files["slide.json"].parent / EDITS


def _edits(image: ImageEvidence) -> SlideEdits:
    """Read what a person changed, if the score was made from it.

    Raises
    ------
    ArtefactError
        The file is missing, or not the one that the score was made from.
    """
    path = edits_path(image)
    if path is None or image.slide.result is None:
        return SlideEdits()
    if not path.is_file():
        raise ArtefactError(f"{image.image_id}/{EDITS}", "is missing")
    _refuse_other(image, "edits", path)
    return read_slide_edits(path, _file(image, CELLS), image.slide.result)


def _area_readers(
    image: ImageEvidence, size_px0: tuple[int, int], tolerance: float
) -> dict[str, Callable[[], tuple[ShownArea, ...]]]:
    drawn = {EDITS: lambda: _drawn(image, tolerance)}
    if image.quality.result is None:
        return drawn
    return {
        TISSUE: lambda: (tissue_area(_file(image, TISSUE), size_px0=size_px0),),
        FINDINGS: lambda: drawn_areas(_file(image, FINDINGS), tolerance=tolerance),
        **drawn,
    }


def _drawn(image: ImageEvidence, tolerance: float) -> tuple[ShownArea, ...]:
    """Outline what a person drew, if it counts."""
    edits = _edits(image)
    if edits.result is None or edits.cells is None:
        return ()
    return tuple(
        region_area(f"{region.kind}, edited", region.area(), tolerance=tolerance)
        for region in edits.result.regions
    )


def _of_score(spots: tuple[ViewSpot, ...], image: ImageEvidence) -> tuple[ViewSpot, ...]:
    stated = () if image.score is None or image.score.result is None else image.score.result.hot_spots
    same = len(stated) == len(spots) and all(map(_is_same, spots, stated))
    return spots if same else ()


def _is_same(spot: ViewSpot, stated: HotSpotEntry) -> bool:
    places = (spot.x_px0, stated.x_px0), (spot.y_px0, stated.y_px0)
    return all(abs(one - other) <= spot.downsample for one, other in places)


def _fitted(view: SlideView, most_bytes: int) -> SlideView:
    """Leave out the finest levels, then the last hot spots, until the rest fits."""
    while view.total_bytes > most_bytes and len(view.levels) > 1:
        view = replace(view, levels=view.levels[1:])
    while view.total_bytes > most_bytes and view.spots:
        view = replace(view, spots=view.spots[:-1])
    return view
