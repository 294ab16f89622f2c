"""The zoomable view of a slide as a page prints it: packed data, layers with their legend, hot spots."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape

from her2path.domain.ihc import IhcScore
from her2path.imaging.artefacts import KIND_RGB, ArtefactKind
from her2path.imaging.ihc.overlay import EXCLUDED_RGB, SCORE_RGB
from her2path.imaging.quality_picture import TISSUE_RGB
from her2path.io.qupath_cells import EXCLUDED, CellScheme
from her2path.io.slide_view_file import ViewLevel, ViewSpot
from her2path.reports.numbers import count_text, number_text
from her2path.reports.quality_section import KIND_LABELS
from her2path.reports.shown_cells import FIRST_CONTROL, NOT_SCORED, ShownCells, pack_cells
from her2path.reports.slide_material import ShownSlide

_SIGNS = (
    '<circle cx="9" cy="9" r="5" fill="#fff"/>',
    '<path d="M9 3l6 11H3z"/>',
    '<path d="M4 4h10v10H4z"/>',
    '<path d="M9 2l7 7-7 7-7-7z"/>',
    '<path d="M5 5l8 8M13 5l-8 8"/>',
)
"""Sign of each score and of cells that are not scored, as `case_viewer.js` draws them."""
_DASHES = ("2 3", "7 3", "", "")
_WIDTHS = (1.3, 1.6, 1.6, 2.4)
"""Lines of outlines by score: dotted, dashed, thin, thick, so that colour is never the only sign."""
# Each kind has dashes of its own, so that colour is not the only sign.
_ARTEFACT_DASHES: Mapping[ArtefactKind, list[int]] = dict(
    zip(
        ArtefactKind,
        ([], [9, 3], [3, 3], [12, 3, 2, 3], [2, 5], [16, 3], [6, 2, 2, 2, 2, 2], [1, 3]),
        strict=True,
    )
)
_REGION_WORDS = {
    "Tumor": "tumour region (Tumor)",
    "Ignore*": "region left out (Ignore*)",
    "Control": "control tissue (Control)",
}
_REGION_COLOURS = {"Tumor": "#c2185b", "Control": "#00695c"}
_LEVEL_NAMES = ("not stained", "faint", "weak to moderate", "strong")
_STILL_TILES = 16
"""About 1000 pixels across: sharp enough for half a sheet of paper."""
_FULL_MPP = 0.5
"""At 20x and finer, cells and their membranes can be judged."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Something that can be switched on and off."""

    name: str
    """As the script knows it."""
    label: str
    count: str
    sign: Markup
    is_on: bool


@dataclass(frozen=True, slots=True)
class SpotFigure:
    """One hot spot at full resolution."""

    rank: int
    picture_id: str
    uri: str
    width: int
    height: int
    outlines: Markup
    """Paths of its cells in the pixels of the picture."""
    bar_px: float
    """Length of 50 µm."""
    cells: str
    """What of its cells is drawn, in words."""


@dataclass(frozen=True, slots=True)
class StillTile:
    """A tile of a picture that needs no script."""

    x: int
    y: int
    uri: str


@dataclass(frozen=True, slots=True)
class StillPicture:
    """The whole slide in small, for paper and for browsers without scripts."""

    width: int
    height: int
    tile: int
    tiles: tuple[StillTile, ...]


@dataclass(frozen=True, slots=True)
class SlideSection:
    """One slide, ready for the page."""

    number: int
    """Of the slide in the page, from 1: its ids carry it."""
    facts: Markup
    """What the script must know, as JSON."""
    tiles: str
    """Base64."""
    cells: str
    """Base64; empty without cells."""
    resolution: str
    lines: str
    """What the lines of outlines mean."""
    choice: str
    """Which cells are drawn, where not all are; empty otherwise."""
    cell_layers: tuple[Layer, ...]
    area_layers: tuple[Layer, ...]
    spots: tuple[SpotFigure, ...]
    still: StillPicture | None
    """None where another picture takes its place."""


def slide_section(slide: ShownSlide, number: int, *, with_still: bool = False) -> SlideSection:
    """Prepare one slide for the page; `number` tells it from others of the same page.

    A slide without an overlay needs a `still` picture of its own.
    """
    levels, spots = slide.view.levels, slide.view.spots
    packed = None if slide.cells is None else pack_cells(slide.cells, size_px0=slide.size_px0)
    area_layers, areas = _areas(slide)
    facts: dict[str, object] = {
        "size": slide.size_px0,
        "mpp": slide.mpp,
        "tile": levels[0].tile,
        "levels": [
            {"d": v.downsample, "w": v.width, "h": v.height, "bytes": [len(tile) for tile in v.tiles]}
            for v in levels
        ],
        "spots": [
            {"x": s.x_px0, "y": s.y_px0, "w": s.width, "h": s.height, "d": s.downsample}
            | {"picture": _picture_id(number, rank)}
            for rank, s in enumerate(spots, start=1)
        ],
        "areas": areas,
        "choice": slide.cells is not None and slide.cells.is_choice,
    }
    if packed is not None and slide.cells is not None:
        facts["names"] = _names(slide.cells.scheme)
        facts["cells"] = {
            "cells": packed.cells,
            "outlines": packed.outlines,
            "corners": slide.cells.outlines_px0.shape[1],
            "step": packed.px0_per_step,
            "unit": packed.px0_per_outline_step,
        }
    return SlideSection(
        number=number,
        facts=_json(facts),
        tiles=_base64(b"".join(tile for level in levels for tile in level.tiles)),
        cells="" if packed is None else _base64(packed.data),
        resolution=_resolution(slide),
        lines=_lines(slide.cells),
        choice=_choice(slide.cells),
        cell_layers=() if slide.cells is None else _cell_layers(slide.cells),
        area_layers=(*area_layers, *_spot_layer(spots)),
        spots=tuple(_spot(slide, spot, number, rank) for rank, spot in enumerate(spots, start=1)),
        still=_still(levels) if with_still else None,
    )


def _still(levels: Sequence[ViewLevel]) -> StillPicture:
    level = next((v for v in levels if len(v.tiles) <= _STILL_TILES), levels[-1])
    columns = -(-level.width // level.tile)
    tiles = tuple(
        StillTile(
            place % columns * level.tile,
            place // columns * level.tile,
            f"data:image/jpeg;base64,{_base64(jpeg)}",
        )
        for place, jpeg in enumerate(level.tiles)
    )
    return StillPicture(level.width, level.height, level.tile, tiles)


def _picture_id(number: int, rank: int) -> str:
    return f"spot-{number}-{rank}"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _json(facts: Mapping[str, object]) -> Markup:
    text = json.dumps(facts, separators=(",", ":"), ensure_ascii=True)
    # Within a script element only "</" and "<!--" could end or change it.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def _times(mpp: float) -> str:
    """Name a pixel size as microscopists do: 0.25 µm is about 40x."""
    times = float(f"{10 / mpp:.2g}")  # 100x, not 1e+02x
    return f"{number_text(mpp, digits=2)} µm per pixel (about {times:g}×)"


def _resolution(slide: ShownSlide) -> str:
    finest = slide.view.levels[0].downsample * slide.mpp
    words = f"The whole slide is held at {_times(finest)}; it was scanned at {_times(slide.mpp)}."
    if slide.view.spots and slide.view.spots[0].downsample < slide.view.levels[0].downsample:
        words += f" Hot spots are held at {_times(slide.view.spots[0].downsample * slide.mpp)}."
    if finest > _FULL_MPP * 1.5:
        words += " That is too coarse to judge single membranes outside the hot spots."
    return words


def _lines(cells: ShownCells | None) -> str:
    if cells is None:
        return ""
    weakest, weak, medium, strong = _names(cells.scheme)
    return f"lines: thick {strong}, thin {medium}, dashed {weak}, dotted {weakest}"


def _choice(cells: ShownCells | None) -> str:
    if cells is None:
        return ""
    words = []
    if cells.is_choice:
        words.append(
            f"{count_text(len(cells.kind))} of {count_text(sum(cells.found))} cells are drawn: first the "
            "scored cells of the hot spots, then an even choice of the other scored cells by their numbers, "
            "the same each time. All percentages and counts in this report are of all cells."
        )
    outlined, scored = len(cells.outlines_px0), sum(cells.drawn[:NOT_SCORED])
    if outlined < scored:
        words.append(f"{count_text(outlined)} of the drawn cells have an outline; the others are signs only.")
    return " ".join(words)


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)


def _sign(score: int, colour: str) -> Markup:
    fill = "none" if score in {0, NOT_SCORED} else colour
    edge = "#6b5900" if score == 1 else colour
    return Markup(  # noqa: S704  (drawings of this module)
        f'<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="{fill}" stroke="{edge}" '
        f'stroke-width="2">{_SIGNS[score]}</svg>'
    )


def _cell_layers(cells: ShownCells) -> tuple[Layer, ...]:
    layers = [
        Layer(
            f"score-{level}",
            f"{name} ({cells.scheme.scored[level].name})",
            _drawn_text(cells, [level]),
            _sign(level, _hex(SCORE_RGB[level])),
            is_on=True,
        )
        for level, name in enumerate(_names(cells.scheme))
    ]
    controls = list(range(FIRST_CONTROL, FIRST_CONTROL + 4))
    if any(cells.found[kind] for kind in controls):
        sign = _sign(2, "#4a4f57")
        layers.append(Layer("control", "control tissue", _drawn_text(cells, controls), sign, is_on=True))
    if cells.found[NOT_SCORED]:
        sign = _sign(NOT_SCORED, _hex(EXCLUDED_RGB))
        words = f"not scored ({EXCLUDED.name})"
        layers.append(Layer("not-scored", words, _drawn_text(cells, [NOT_SCORED]), sign, is_on=False))
    return (*reversed(layers[:4]), *layers[4:])


def _names(scheme: CellScheme) -> tuple[str, ...]:
    """Name the classes of scored cells as their guideline reads them, weakest first."""
    return tuple(IhcScore) if scheme is CellScheme.SCORES else _LEVEL_NAMES


def _drawn_text(cells: ShownCells, kinds: Iterable[int]) -> str:
    found, drawn = (sum(counts[kind] for kind in kinds) for counts in (cells.found, cells.drawn))
    words = f"{count_text(found)} cell{'' if found == 1 else 's'}"
    return words if drawn == found else f"{words}, {count_text(drawn)} drawn"


def _areas(slide: ShownSlide) -> tuple[tuple[Layer, ...], list[dict[str, object]]]:
    layers, areas = [], []
    for number, area in enumerate(slide.areas):
        colour, dash, label = _area_look(area.kind)
        name = f"area-{number}"
        path = "".join("M" + "L".join(f"{x} {y}" for x, y in ring) + "Z" for ring in area.rings)
        is_tissue = area.kind == "tissue"
        tint = area.kind in tuple(ArtefactKind)
        areas.append({"layer": name, "colour": colour, "dash": dash, "tint": tint, "path": path})
        count = (
            "" if is_tissue else f"{count_text(len(area.rings))} outline{'s' if len(area.rings) > 1 else ''}"
        )
        layers.append(Layer(name, label, count, _area_sign(colour, dash), is_on=True))
    return tuple(layers), areas


def _area_look(kind: str) -> tuple[str, list[int], str]:
    """Colour, dashes and words; what a person drew runs in long dashes."""
    if kind == "tissue":
        return _hex(TISSUE_RGB), [10, 5], "outline of the tissue"
    if kind in tuple(ArtefactKind):
        label = KIND_LABELS[ArtefactKind(kind)]
        return _hex(KIND_RGB[ArtefactKind(kind)]), _ARTEFACT_DASHES[ArtefactKind(kind)], f"left out: {label}"
    name, edited, _ = kind.partition(", edited")
    words = _REGION_WORDS.get(name, f"region left out ({name})")
    who = "drawn by a person who edited the slide" if edited else "given in the case sheet"
    return _REGION_COLOURS.get(name, "#6b7280"), [16, 4, 3, 4], f"{words}, {who}"


def _area_sign(colour: str, dash: Sequence[int]) -> Markup:
    dashes = " ".join(map(str, dash))
    return Markup(  # noqa: S704
        '<svg width="26" height="18" viewBox="0 0 26 18" aria-hidden="true" fill="none" stroke-width="3">'
        f'<path d="M2 9h22" stroke="{colour}" stroke-dasharray="{escape(dashes)}"/></svg>'
    )


def _spot_layer(spots: Sequence[ViewSpot]) -> tuple[Layer, ...]:
    if not spots:
        return ()
    sign = Markup(
        '<svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true" fill="none" stroke="#111" '
        'stroke-width="2"><path d="M3 3h12v12H3z"/></svg>'
    )
    return (Layer("spots", "hot spots", str(len(spots)), sign, is_on=True),)


def _spot(slide: ShownSlide, spot: ViewSpot, number: int, rank: int) -> SpotFigure:
    paths, drawn = _outlines(slide.cells, spot, _picture_id(number, rank))
    return SpotFigure(
        rank=rank,
        picture_id=_picture_id(number, rank),
        uri=f"data:image/jpeg;base64,{_base64(spot.jpeg)}",
        width=spot.width,
        height=spot.height,
        outlines=paths,
        bar_px=round(50 / (slide.mpp * spot.downsample), 1),
        cells=f"{count_text(drawn)} outlined, with those that reach in from outside" if drawn else "",
    )


def _outlines(cells: ShownCells | None, spot: ViewSpot, name: str) -> tuple[Markup, int]:
    """Draw the scored cells that reach into a hot spot, each line on a wider white one."""
    if cells is None or not len(cells.outlines_px0):
        return Markup(""), 0
    corner = np.array([spot.x_px0, spot.y_px0])
    rings = np.rint((cells.outlines_px0 - corner) / spot.downsample).astype(np.int64)
    size = np.array([spot.width, spot.height])
    reaches = ((rings.max(axis=1) > 0) & (rings.min(axis=1) < size)).all(axis=1)
    kinds = cells.kind[: len(rings)]
    parts = []
    for score in range(NOT_SCORED):
        here = rings[reaches & (kinds == score)]
        if len(here):
            colour, dash, width = _hex(SCORE_RGB[score]), _DASHES[score], _WIDTHS[score]
            path, href = "".join(map(_path, here.tolist())), f"{name}-{score}"
            parts.append(
                f'<defs><path id="{href}" d="{path}" vector-effect="non-scaling-stroke"/></defs>'
                f'<use href="#{href}" stroke="#fff" stroke-opacity=".85" stroke-width="{width + 2:g}"/>'
                f'<use href="#{href}" stroke="{colour}" stroke-width="{width:g}" stroke-dasharray="{dash}"/>'
            )
    return Markup("".join(parts)), int((reaches & (kinds < NOT_SCORED)).sum())  # noqa: S704  (numbers only)


def _path(ring: Sequence[Sequence[int]]) -> str:
    steps = np.diff(np.array(ring), axis=0).tolist()
    moves = "".join(f"{x}{y:+d}" if not n else f"{x:+d}{y:+d}" for n, (x, y) in enumerate(steps))
    return f"M{ring[0][0]} {ring[0][1]}l{moves}z"
