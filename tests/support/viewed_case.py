"""A case with one IHC slide that its page can show: made-up cells on a made-up slide, with all artefacts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2path.imaging.ihc.rays import ANGLES
from her2path.io import documents as d
from her2path.io.hot_spot_areas import write_hot_spots
from her2path.io.masks import write_mask
from her2path.io.provenance import digests
from her2path.io.quality_areas import write_areas
from her2path.io.score_entries import HotSpotEntry
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, write_table
from her2path.steps import slide_view
from her2path.steps.slide_view import SlideViewParams
from tests.support.case_documents import SHA, TWO_PLUS, Ihc, call_doc, producer_of, write_case
from tests.support.slides import textured, write_pyramid

IMAGE = Ihc("a1", TWO_PLUS)
MPP = 0.25
STAINING = (("none", "none"), ("faint", "incomplete"), ("moderate", "complete"), ("strong", "complete"))
SPOTS = ((100.0, 60.0), (450.0, 250.0))
SPOT_PX0 = 400.0
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_BATCH = 20_000
_ANGLES = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)


def write_viewed_case(
    root: Path, *, cells: int, size_px0: tuple[int, int] = (1500, 1200), **params: object
) -> tuple[Path, list[Path]]:
    """Write call and artefacts; cells of all scores lie in rows, every tenth is not scored."""
    call, artefacts = write_case(root, "c1", IMAGE)
    folder = artefacts[0].parent
    slide = d.read_document(folder / "slide.json", d.SlideDoc)
    assert slide.result is not None
    sized = slide.result.model_copy(update={"width_px0": size_px0[0], "height_px0": size_px0[1], "mpp": MPP})
    d.write_document(folder / "slide.json", slide.model_copy(update={"result": sized}))
    _write_cells(folder, cells, size_px0)
    spots = [_spot(x, y) for x, y in SPOTS]
    write_hot_spots(folder / "hotspots.geojson", spots, image_sha256=SHA, size_px0=size_px0)
    mask = np.zeros((size_px0[1] // 16, size_px0[0] // 16), np.bool_)
    mask[2:-2, 2:-2] = True
    write_mask(folder / "tissue.png", mask)
    write_areas(folder / "quality.geojson", (), image_sha256="a")
    source = write_pyramid(
        root / "slide.tif", textured(size_px0[1], size_px0[0]), mpp=MPP, compression="deflate"
    )
    slide_view.run(
        image=[source],
        slide=folder / "slide.json",
        spots=folder / "hotspots.geojson",
        view=folder / "view.tif",
        params=SlideViewParams.model_validate(params),
    )
    _write_score(folder, spots)
    _write_call(call, folder)
    return call, sorted(folder.iterdir())


def _spot(x: float, y: float) -> HotSpotEntry:
    um = {"x_um": x * MPP, "y_um": y * MPP, "size_um": SPOT_PX0 * MPP}
    return HotSpotEntry(
        x_px0=x, y_px0=y, size_px0=SPOT_PX0, **um, cells=60, pct=40.0, percentages={}, h_score=180.0
    )


def _write_cells(folder: Path, cells: int, size_px0: tuple[int, int]) -> None:
    made_by = producer_of("ihc_cells")
    with (
        write_table(folder / "ihc_cells.parquet", IHC_CELLS, produced_by=made_by) as facts,
        write_table(folder / "ihc_contours.parquet", IHC_CONTOURS, produced_by=made_by) as contours,
    ):
        for start in range(0, cells, _BATCH):
            number = np.arange(start, min(start + _BATCH, cells))
            x, y, radius = _places(number, cells, size_px0)
            facts.append(_facts(number, x, y))
            ring = radius * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)
            rings = (np.stack([x, y], axis=-1)[:, None] + ring).astype(np.float32).reshape(-1)
            ends = np.arange(len(number) + 1, dtype=np.int32) * 2 * ANGLES
            none = pa.ListArray.from_arrays(np.zeros(len(number) + 1, np.int32), pa.array([], pa.float32()))
            outlines = {"cell_xy_px0": pa.ListArray.from_arrays(ends, rings), "nucleus_xy_px0": none}
            contours.append({"cell_id": number + 1, **outlines})


def _places(number: Ints, cells: int, size_px0: tuple[int, int]) -> tuple[Floats, Floats, float]:
    """Lay cells out in rows; the last is their radius."""
    across = max(1, round(np.sqrt(cells * size_px0[0] / size_px0[1])))
    step_x, step_y = size_px0[0] / across, size_px0[1] / -(-cells // across)
    x, y = (number % across + 0.5) * step_x, (number // across + 0.5) * step_y
    return x, y, 0.42 * min(step_x, step_y)


def _facts(number: Ints, x: Floats, y: Floats) -> dict[str, object]:
    score = number // 7 % 4
    columns: dict[str, object] = {
        "cell_id": number + 1,
        "x_px0": x,
        "y_px0": y,
        "intensity": [STAINING[k][0] for k in score],
        "pattern": [STAINING[k][1] for k in score],
        "cell_score": score,
        "in_tumour": np.ones(len(number), np.bool_),
        "piece": np.ones(len(number), np.int32),
        "control": [None] * len(number),
        "exclusion": ["not_tumour" if n % 10 == 9 else None for n in number],
        "exclusion_if_drawn": [None] * len(number),
    }
    return columns | {n: np.zeros(len(number), np.float32) for n in IHC_CELLS.names if n not in columns}


def _write_score(folder: Path, spots: list[HotSpotEntry]) -> None:
    path = folder / "ihc_score.json"
    score = d.read_document(path, d.IhcScoreDoc)
    assert score.result is not None
    inputs = digests(cells=folder / "ihc_cells.parquet", contours=folder / "ihc_contours.parquet")
    result = score.result.model_copy(update={"hot_spots": tuple(spots)})
    d.write_document(path, score.model_copy(update={"inputs": inputs, "result": result}))


def _write_call(call: Path, folder: Path) -> None:
    read = {f"a1/{name}": folder / f"{name}.json" for name in ("slide", "ihc_score")}
    document = call_doc("c1", IMAGE)
    d.write_document(call, document.model_copy(update={"inputs": digests(**read)}))
