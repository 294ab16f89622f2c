from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from her2path.domain.case import Assay, Controls, Specimen
from her2path.domain.ish import Probe
from her2path.errors import ArtefactError, RegionError, UnsuitableImageError
from her2path.io.documents import (
    Producer,
    QualityDoc,
    SheetFacts,
    SlideDoc,
    SlideResult,
    write_document,
)
from her2path.io.masks import write_mask
from her2path.io.quality_entries import QualityResult
from her2path.io.tables import TILES, read_table
from her2path.steps.slide_tiles import SlideTilesParams, run

BY = Producer(step="test", version="0")
SHEET = SheetFacts(
    case_id="c1",
    image_id="i17",
    assay=Assay.IHC,
    guideline="breast_2023",
    specimen=Specimen.RESECTION,
    probe=Probe.DUAL,
    area="",
    observer=1,
    controls=Controls.UNKNOWN,
)


def tile(
    folder: Path,
    tissue: np.ndarray,
    *,
    mpp: float = 0.25,
    size: tuple[int, int] = (8000, 6000),
    mask_mpp: float = 4.0,
    tumour: list[Any] | None = None,
    exclude: list[Any] | None = None,
    **params: object,
) -> list[dict[str, Any]]:
    slide = SlideResult(
        files=(),
        vendor="aperio",
        width_px0=size[0],
        height_px0=size[1],
        mpp=mpp,
        mpp_origin="vendor",
        level_downsamples=(1.0,),
    )
    write_document(folder / "slide.json", SlideDoc(produced_by=BY, sheet=SHEET, result=slide))
    quality = QualityResult(tissue_mm2=1.0, mask_mpp=mask_mpp)
    write_document(folder / "quality.json", QualityDoc(produced_by=BY, result=quality))
    write_mask(folder / "tissue.png", tissue)
    regions: dict[str, Path | None] = {"tumour": None, "exclude": None}
    for name, ring in (("tumour", tumour), ("exclude", exclude)):
        if ring is not None:
            regions[name] = folder / f"{name}.geojson"
            geometry = {"type": "Polygon", "coordinates": [ring]}
            (folder / f"{name}.geojson").write_text(json.dumps(geometry))
    run(
        slide=folder / "slide.json",
        quality=folder / "quality.json",
        tissue=folder / "tissue.png",
        tumour_roi=regions["tumour"],
        exclude_roi=regions["exclude"],
        tiles=folder / "tiles.parquet",
        params=SlideTilesParams.model_validate(params),
    )
    return read_table(folder / "tiles.parquet", TILES).to_pylist()


def mask(fill: bool = False) -> np.ndarray:
    """8000 x 6000 pixels of 0.25 µm at 4 µm per mask pixel."""
    return np.full((375, 500), fill)


def box(left: float, top: float, right: float, bottom: float) -> list[list[float]]:
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def test_tissue_everywhere_is_tiled_without_gap_or_overlap(tmp_path):
    tiles = tile(tmp_path, mask(fill=True))
    owned = np.zeros((3000, 4000), dtype=int)
    for row in tiles:
        owned[row["row"] : row["row"] + row["height"], row["col"] : row["col"] + row["width"]] += 1
    assert (owned == 1).all()
    assert [row["tile_id"] for row in tiles] == [0, 1, 2, 3]
    assert all(row["tissue_frac"] == pytest.approx(1.0) for row in tiles)
    assert [(row["x_px0"], row["y_px0"]) for row in tiles] == [(0, 0), (4096, 0), (0, 4096), (4096, 4096)]
    assert {row["target_mpp"] for row in tiles} == {0.5}


def test_only_tiles_with_tissue_are_kept(tmp_path):
    tissue = mask()
    tissue[300, 20] = True
    tiles = tile(tmp_path, tissue)
    assert [(row["row"], row["col"]) for row in tiles] == [(2048, 0)]
    assert 0 < tiles[0]["tissue_frac"] < 1e-3


def test_tissue_in_the_last_mask_pixel_is_not_lost(tmp_path):
    tissue = mask()
    tissue[-1, -1] = True
    assert [(row["row"], row["col"]) for row in tile(tmp_path, tissue)] == [(2048, 2048)]


def test_every_mask_pixel_of_tissue_lies_in_a_kept_tile(tmp_path):
    tissue = np.random.default_rng(3).random((375, 500)) < 0.002
    tiles = tile(tmp_path, tissue, tile_px=300)
    for r, c in np.argwhere(tissue):
        row, col = (r + 0.5) * 8, (c + 0.5) * 8
        assert any(
            t["row"] <= row < t["row"] + t["height"] and t["col"] <= col < t["col"] + t["width"]
            for t in tiles
        )


def test_tumour_regions_restrict_the_tiles_and_excluded_ones_cut_out(tmp_path):
    full = mask(fill=True)
    kept = tile(tmp_path, full, tumour=box(100, 100, 3900, 5900), exclude=box(0, 0, 8000, 4096))
    assert [(row["row"], row["col"]) for row in kept] == [(2048, 0)]


@pytest.mark.parametrize(
    ("tissue", "regions"),
    [
        pytest.param(mask(), {}, id="no tissue at all"),
        pytest.param(mask(fill=True), {"exclude": box(-10, -10, 9000, 9000)}, id="all of it excluded"),
        pytest.param(mask(), {"tumour": box(0, 0, 4000, 4000)}, id="a region on bare glass"),
    ],
)
def test_nothing_left_to_measure_is_not_evaluable_and_leaves_no_table(tmp_path, tissue, regions):
    with pytest.raises(UnsuitableImageError, match="no tissue") as caught:
        tile(tmp_path, tissue, **regions)
    assert caught.value.code == "no_tissue"
    assert caught.value.name == "i17"
    assert not (tmp_path / "tiles.parquet").exists()


def test_a_coarser_slide_is_worked_at_its_own_pixels(tmp_path):
    tiles = tile(tmp_path, mask(fill=True), mpp=0.8, size=(2500, 1875))
    assert {row["target_mpp"] for row in tiles} == {0.8}
    assert sum(row["height"] * row["width"] for row in tiles) == 2500 * 1875


def test_a_pixel_size_that_is_no_fraction_of_the_target_keeps_the_target(tmp_path):
    tiles = tile(tmp_path, mask(fill=True), mpp=0.2282, size=(8764, 6573))
    assert [row["target_mpp"] for row in tiles] == pytest.approx([0.5] * len(tiles))
    assert tiles[1]["x_px0"] == pytest.approx(2048 * 0.5 / 0.2282)


def test_a_broken_region_is_named(tmp_path):
    with pytest.raises(RegionError, match="tumour_roi of i17"):
        tile(tmp_path, mask(fill=True), tumour=[[0, 0], [9, 9], [9, 0], [0, 9], [0, 0]])


def test_a_mask_of_another_slide_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="does not cover"):
        tile(tmp_path, np.ones((300, 500), dtype=bool))


@pytest.mark.parametrize(
    "params",
    [{"tile_px": 0}, {"target_mpp": 0.0}, {"target_mpp": 9.0}, {"tile_size": 2048}],
)
def test_parameters_out_of_range_or_misspelt_are_refused(params):
    with pytest.raises(ValidationError):
        SlideTilesParams.model_validate(params)


def test_the_same_input_gives_the_same_bytes(tmp_path):
    tile(tmp_path, mask(fill=True))
    first = (tmp_path / "tiles.parquet").read_bytes()
    tile(tmp_path, mask(fill=True))
    assert (tmp_path / "tiles.parquet").read_bytes() == first
