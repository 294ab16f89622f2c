"""Step `ihc_cells`: find and measure every cell of an IHC slide, tile by tile."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.control_areas import ControlAreas, locate_controls
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration
from her2path.imaging.ihc.calibration_facts import calibration_facts
from her2path.imaging.ihc.exclusion import exclude_cells, exclude_if_drawn
from her2path.imaging.ihc.finder import Finder
from her2path.imaging.ihc.measure import CLASSICAL, Cells, Core, measure_cells
from her2path.imaging.ihc.tumour import EXCLUSIONS, Exclusion
from her2path.imaging.stain import StainModel
from her2path.imaging.tissue_blocks import Block, around_tissue
from her2path.imaging.tissue_pieces import find_pieces
from her2path.io.control_entries import NamedControl, controls_fact, named_controls
from her2path.io.documents import QualityDoc, SheetFacts, SlideDoc, SlideResult, read_document
from her2path.io.geojson import Exclusions, Regions, read_exclusions, read_regions
from her2path.io.masks import read_codes, read_mask
from her2path.io.model_entries import ModelEntry, model_fact
from her2path.io.provenance import producer
from her2path.io.quality_entries import StainResult
from her2path.io.slides.opening import open_slide
from her2path.io.slides.source import SlideSource, WorkingBox
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, TILES, TableWriter, read_table, write_table

log = logging.getLogger(__name__)

Numbers = dict[str, npt.NDArray[Any]]
Flags = npt.NDArray[np.bool_]


class IhcCellsParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    model: str | None = "her2-star-2"
    """Learned model that finds cells and says what they express: the id of one that ships with her2path or
    was promoted, or the path of its folder.  Null: the classical method."""
    device: Literal["auto", "cpu", "cuda"] = "cpu"
    """Where a model runs; `auto` takes CUDA where there is one.  Without a model it means nothing."""
    block_px: Annotated[int, Ge(256), Le(4096)] = 1024
    """Edge (working pixels) of the pieces in which a tile is measured, with a model twice as much, for it
    needs wider margins; memory grows with it, results do not change."""
    max_pending: Annotated[int, Ge(1), Le(64)] = 2
    """Finished pieces beyond the number of workers that may wait to be written."""


@dataclass(frozen=True, slots=True)
class _Slide:
    """What all blocks of one slide share."""

    source: SlideSource
    model: StainModel
    calibration: Calibration
    finder: Finder
    facts: SlideResult
    mpp: float
    """Working pixel size in µm."""
    margin: int
    """Working pixels: how far a cell's surroundings reach is a matter of the finder, not of the tiles."""
    tissue: npt.NDArray[np.bool_]
    artefacts: npt.NDArray[np.uint8]
    """Code mask on the grid of `tissue`."""
    tissue_mpp: float

    @property
    def downsample(self) -> float:
        """Level-0 pixels per working pixel."""
        return self.mpp / self.facts.mpp


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    tissue: Path,
    artefacts: Path,
    tiles: Path,
    tumour_roi: Path | None,
    exclude_roi: Path | None,
    cells: Path,
    contours: Path,
    workers: int,
    params: IhcCellsParams,
) -> None:
    """Write `ihc_cells.parquet` and `ihc_contours.parquet`."""
    document = read_document(slide, SlideDoc)
    found = read_document(quality, QualityDoc).result
    if document.result is None or found is None or found.stain is None:
        raise ValueError("ihc_cells needs the results of slide_intake and slide_quality of an IHC image")
    image_id = document.sheet.image_id
    blocks, mpp = _blocks(tiles, params.block_px if params.model is None else 2 * params.block_px)
    finder, calibration, model = _method(params, image_id=image_id, mpp=mpp, workers=workers)
    drawn = _drawn(tumour_roi, exclude_roi, image_id)
    # One thread per block is enough: threads within OpenCV would only fight over the same cores.
    cv2.setNumThreads(1)
    with open_slide(image[0], name=image_id) as source:
        whole = _Slide(
            source=source,
            model=_model(found.stain),
            calibration=calibration,
            finder=finder,
            facts=document.result,
            mpp=mpp,
            margin=math.ceil(finder.margin_um / mpp),
            tissue=read_mask(tissue),
            artefacts=read_codes(artefacts),
            tissue_mpp=found.mask_mpp,
        )
        with write_table(contours, IHC_CONTOURS, produced_by=producer("ihc_cells", params)) as outlines:
            columns = _measure(whole, blocks, outlines, workers=workers, pending=params.max_pending)
    table = _joined(columns)
    controls = _controls(whole, document.sheet, drawn)
    table |= _memberships(table, controls)
    choice = exclude_cells(
        table,
        tumour=drawn.tumour,
        left_out=drawn.exclusions.left_out,
        mpp=document.result.mpp,
        tells_tumour=finder.tells_tumour,
    )
    if_drawn = exclude_if_drawn(
        table, choice.exclusion, mpp=document.result.mpp, tells_tumour=finder.tells_tumour
    )
    facts = {
        **calibration_facts(calibration),
        **model_fact(model),
        "tumour_by_neighbourhood": str(choice.by_neighbourhood).lower(),
        **controls_fact(_names(document.sheet, drawn)),
    }
    with write_table(cells, IHC_CELLS, produced_by=producer("ihc_cells", params), facts=facts) as out:
        _append(out, table, choice.exclusion, if_drawn)
    log.info("%d cells, %d scored", len(choice.exclusion), int((choice.exclusion == 0).sum()))


def _method(
    params: IhcCellsParams, *, image_id: str, mpp: float, workers: int
) -> tuple[Finder, Calibration, ModelEntry | None]:
    """Take the classical method, or a learned model with the calibration of its card."""
    if params.model is None:
        return CLASSICAL, Calibration(), None
    # The runtime of a network takes a third of a second to load, which the classical method need not.
    from her2path.imaging.ihc.learned import NamedWeights, learned_method  # noqa: PLC0415
    from her2path.io.model_store import open_model  # noqa: PLC0415

    model = open_model(params.model)
    model.expect_mpp(mpp, image_id=image_id)
    own = model.card.calibration
    cuts = {**own.cuts, "limit_of_blank_pct": own.limit_of_blank_pct}
    network = NamedWeights(model.card.id, model.card.architecture, model.load_weights())
    found = learned_method(network, calibration=(own.id, cuts), device=params.device, threads=workers)
    return *found, model.entry()


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What people drew on the slide."""

    tumour: Regions | None
    exclusions: Exclusions


def _drawn(tumour_roi: Path | None, exclude_roi: Path | None, image_id: str) -> _Drawn:
    tumour = None if tumour_roi is None else read_regions(tumour_roi, name=f"tumour_roi of {image_id}")
    if exclude_roi is None:
        return _Drawn(tumour, Exclusions(None, ()))
    return _Drawn(tumour, read_exclusions(exclude_roi, name=f"exclude_roi of {image_id}"))


def _controls(whole: _Slide, sheet: SheetFacts, drawn: _Drawn) -> ControlAreas:
    """Find the control tissue again where slide_tiles has found it."""
    areas = locate_controls(
        find_pieces(whole.tissue, mpp=whole.tissue_mpp),
        named=sheet.control_piece,
        drawn=[control.regions for control in drawn.exclusions.controls],
        px0_per_px=whole.tissue_mpp / whole.facts.mpp,
    )
    if isinstance(areas, NotEvaluable):
        raise UnsuitableImageError(sheet.image_id, areas.reason, code=areas.code)
    return areas


def _names(sheet: SheetFacts, drawn: _Drawn) -> tuple[NamedControl, ...]:
    expected = [control.expected for control in drawn.exclusions.controls]
    return named_controls(expected, sheet.control_piece, sheet.control_score)


def _memberships(table: Numbers, controls: ControlAreas) -> Numbers:
    """Say which piece of tissue, and which control tissue, each cell belongs to."""
    x, y = table["x_px0"], table["y_px0"]
    return {
        "piece": controls.pieces.at(x, y, px0_per_px=controls.px0_per_px),
        "control": controls.at(x, y),
    }


def _blocks(tiles: Path, block_px: int) -> tuple[list[Block], float]:
    table = read_table(tiles, TILES)
    if table.num_rows == 0:
        raise ArtefactError(tiles.name, "holds no tile")
    rows = table.to_pylist()
    mpp = float(rows[0]["target_mpp"])
    blocks = [
        Block(row, col, min(block_px, bottom - row), min(block_px, right - col))
        for tile in rows
        for bottom, right in [(tile["row"] + tile["height"], tile["col"] + tile["width"])]
        for row in range(tile["row"], bottom, block_px)
        for col in range(tile["col"], right, block_px)
    ]
    return blocks, mpp


def _model(stain: StainResult) -> StainModel:
    return StainModel(
        white=stain.white,
        hematoxylin=stain.hematoxylin,
        dab=stain.dab,
        white_origin=stain.white_origin,
        hematoxylin_origin=stain.hematoxylin_origin,
        dab_origin=stain.dab_origin,
        hematoxylin_weight=stain.hematoxylin_weight,
        dab_weight=stain.dab_weight,
    )


def _measure(
    whole: _Slide, blocks: list[Block], outlines: TableWriter, *, workers: int, pending: int
) -> list[Numbers]:
    """Measure blocks in parallel, write outlines in order, and keep what the choice of cells needs."""
    columns: list[Numbers] = []
    scale = whole.mpp / whole.tissue_mpp
    cut = (around_tissue(block, whole.tissue, mask_px_per_px=scale) for block in blocks)
    wanted = [block for block in cut if block is not None]
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        for block, found in _in_order(pool, whole, wanted, max(1, workers) + pending):
            kept, artefact = _codes(whole, block, found)
            outlines.append(_outlines(whole, block, found, kept, first_id=outlines.rows + 1))
            columns.append(_numbers(whole, block, found, kept) | {"artefact": artefact[kept]})
    return columns


def _in_order(
    pool: ThreadPoolExecutor, whole: _Slide, blocks: list[Block], ahead: int
) -> Iterator[tuple[Block, Cells]]:
    waiting: deque[tuple[Block, Future[Cells]]] = deque()
    for block in blocks:
        waiting.append((block, pool.submit(_measure_block, whole, block)))
        if len(waiting) >= ahead:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def _measure_block(whole: _Slide, block: Block) -> Cells:
    margin = whole.margin
    origin = (block.row - margin, block.col - margin)
    box = WorkingBox(*origin, block.height + 2 * margin, block.width + 2 * margin)
    return measure_cells(
        whole.source.read(box, downsample=whole.downsample),
        whole.model,
        mpp=whole.mpp,
        core=Core(margin, margin, block.height, block.width),
        origin=origin,
        calibration=whole.calibration,
        finder=whole.finder,
    )


def _codes(whole: _Slide, block: Block, found: Cells) -> tuple[Flags, npt.NDArray[np.uint8]]:
    """Read off the masks which nuclei lie in tissue, and in which artefact."""
    scale = whole.mpp / whole.tissue_mpp
    rows = ((found.y + block.row - whole.margin) * scale).astype(np.intp)
    columns = ((found.x + block.col - whole.margin) * scale).astype(np.intp)
    rows = np.clip(rows, 0, whole.tissue.shape[0] - 1)
    columns = np.clip(columns, 0, whole.tissue.shape[1] - 1)
    return np.asarray(whole.tissue[rows, columns], np.bool_), whole.artefacts[rows, columns]


def _offset(whole: _Slide, block: Block) -> npt.NDArray[np.float64]:
    """Working pixels from the slide's corner to the array's, x first."""
    return np.array([block.col - whole.margin, block.row - whole.margin], np.float64)


def _outlines(
    whole: _Slide, block: Block, found: Cells, kept: npt.NDArray[np.bool_], *, first_id: int
) -> dict[str, object]:
    offset = _offset(whole, block)

    def rings(points: npt.NDArray[np.float64]) -> pa.Array:
        xy = ((points[kept] + offset) * whole.downsample).astype(np.float32)
        ends = np.arange(len(xy) + 1, dtype=np.int32) * (2 * points.shape[1])
        return pa.ListArray.from_arrays(pa.array(ends), pa.array(xy.ravel()))

    return {
        "cell_id": np.arange(first_id, first_id + int(kept.sum()), dtype=np.int64),
        "cell_xy_px0": rings(found.cell_rings),
        "nucleus_xy_px0": rings(found.nucleus_rings),
    }


def _numbers(whole: _Slide, block: Block, found: Cells, kept: npt.NDArray[np.bool_]) -> Numbers:
    x0, y0 = _offset(whole, block)
    rings = found.cell_rings + np.array([x0, y0])
    size = np.array([whole.facts.width_px0, whole.facts.height_px0]) / whole.downsample
    cut = np.asarray(((rings < 0) | (rings > size)).any(axis=(1, 2)), np.bool_)
    numbers: Numbers = {
        # To a thousandth of a pixel: sums of other tiles differ in the last bit.
        "x_px0": np.round((found.x + x0) * whole.downsample, 3),
        "y_px0": np.round((found.y + y0) * whole.downsample, 3),
        "nucleus_area_um2": found.nuclei.area_um2,
        "cell_area_um2": found.cell_area_um2,
        "membrane_completeness": found.membranes.completeness,
        "membrane_connectivity": found.membranes.connectivity,
        "membrane_od": found.membranes.od,
        "membrane_contrast_od": found.membranes.contrast_od,
        "membrane_excess_od_um": found.membranes.excess_od_um,
        "membrane_thickness_um": found.membranes.thickness_um,
        "membrane_certainty": found.membranes.certainty,
        "membrane_mean_od": found.membranes.whole_od,
        "cytoplasm_od": found.membranes.cytoplasm_od,
        "nucleus_od": found.membranes.nucleus_od,
        "intensity": found.grades.intensity,
        "pattern": found.grades.pattern,
        "cell_score": found.grades.score,
        "elongation": found.nuclei.elongation,
        "hematoxylin": found.nuclei.hematoxylin,
        "evidence": found.nuclei.contrast * found.nuclei.coverage,
        "surround_od": found.surround_od,
        "gap_frac": found.gap_frac,
        "greyness": found.greyness,
        "tumour": found.nuclei.tumour,
        "cut": cut,
    }
    return {name: values[kept] for name, values in numbers.items()}


def _joined(columns: list[Numbers]) -> Numbers:
    if not columns:
        raise ValueError("a slide with tiles has blocks with tissue")
    return {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}


def _append(
    out: TableWriter, table: Numbers, exclusion: npt.NDArray[np.int8], if_drawn: npt.NDArray[np.int8]
) -> None:
    for start in range(0, max(len(exclusion), 1), 65_536):
        part = slice(start, start + 65_536)
        words = [EXCLUSIONS[code] for code in exclusion[part]]
        rows: dict[str, object] = {
            name: table[name][part] for name in IHC_CELLS.names if name in table and not _nullable(name)
        }
        rows |= {
            name: pa.array(table[name][part], from_pandas=True)
            for name in IHC_CELLS.names
            if name in table and _nullable(name)
        }
        control = table["control"][part]
        rows["control"] = pa.array(control, mask=control == 0)
        rows["cell_id"] = np.arange(start + 1, start + 1 + len(words), dtype=np.int64)
        rows["intensity"] = [INTENSITIES[i].value for i in table["intensity"][part]]
        rows["pattern"] = [PATTERNS[i].value for i in table["pattern"][part]]
        rows["in_tumour"] = np.array([word in _OF_TUMOUR for word in words], np.bool_) & (control == 0)
        rows["exclusion"] = words
        rows["exclusion_if_drawn"] = [EXCLUSIONS[code] for code in if_drawn[part]]
        out.append(rows)


_OF_TUMOUR = (None, Exclusion.IMAGE_BORDER)


def _nullable(name: str) -> bool:
    chosen = {"exclusion", "exclusion_if_drawn", "control"}
    return bool(IHC_CELLS.field(name).nullable) and name not in chosen
