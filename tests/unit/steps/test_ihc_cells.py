"""Step ihc_cells: tables that do not depend on tiles or threads, and regions that are honoured."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, read_table
from tests.support.ihc_chain import find_cells, prepare
from tests.support.slides import write_pyramid

SIDE = 896


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    spec = IhcPhantomSpec(
        seed=7, width_px=SIDE, height_px=SIDE, mpp=0.5, classes=SCORE_PRESETS["2+"], island=True
    )
    return write_pyramid(tmp_path_factory.mktemp("slide") / "slide.tif", render_ihc(spec).rgb, mpp=0.5)


def cells_of(slide, folder, *, tile_px=2048, block_px=1024, workers=1, **row):
    at, sheet = prepare(slide, folder, tile_px=tile_px, **row)
    find_cells(slide, at, sheet, workers=workers, block_px=block_px)
    return at, read_table(at.cells, IHC_CELLS)


def by_place(table):
    order = np.lexsort((table["x_px0"].to_numpy().round(3), table["y_px0"].to_numpy().round(3)))
    return table.take(order).drop_columns(["cell_id"])


def box(path, left, top, right, bottom):
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.fixture(scope="module")
def whole(slide, tmp_path_factory):
    return cells_of(slide, tmp_path_factory.mktemp("whole") / "image-1")


def test_no_cell_is_lost_or_counted_twice_at_a_border_of_tiles(slide, whole, tmp_path):
    reference = by_place(whole[1])
    for tile_px, block_px in ((512, 512), (300, 256)):
        _, table = cells_of(slide, tmp_path / f"{tile_px}", tile_px=tile_px, block_px=block_px)
        cut = by_place(table)
        assert cut.num_rows == reference.num_rows
        for name in cut.column_names:
            if name in ("intensity", "pattern", "exclusion", "exclusion_if_drawn"):
                assert cut[name].to_pylist() == reference[name].to_pylist()
            else:
                values = (t[name].to_numpy().astype(float) for t in (cut, reference))
                assert next(values) == pytest.approx(next(values), abs=1e-4, nan_ok=True)


def test_the_number_of_workers_does_not_change_a_byte(slide, tmp_path):
    first, _ = cells_of(slide, tmp_path / "one", block_px=256)
    second, _ = cells_of(slide, tmp_path / "three", block_px=256, workers=3)
    assert first.cells.read_bytes() == second.cells.read_bytes()
    assert first.contours.read_bytes() == second.contours.read_bytes()


def test_cells_are_numbered_from_1_and_outlines_come_in_the_same_order(whole):
    at, table = whole
    contours = read_table(at.contours, IHC_CONTOURS)
    assert table["cell_id"].to_pylist() == list(range(1, table.num_rows + 1))
    assert contours["cell_id"].to_pylist() == table["cell_id"].to_pylist()
    ring = np.array(contours["nucleus_xy_px0"][0].as_py()).reshape(-1, 2)
    assert np.hypot(*(ring.mean(axis=0) - [table["x_px0"][0].as_py(), table["y_px0"][0].as_py()])) < 4


def test_what_is_not_stained_has_no_membrane_density(whole):
    _, table = whole
    bare = pc.equal(table["membrane_completeness"], 0)
    assert table.filter(bare)["membrane_od"].null_count == table.filter(bare).num_rows > 0
    assert not np.isnan(table["cytoplasm_od"].drop_null().to_numpy()).any()


def test_only_cells_within_the_tumour_region_are_scored(slide, whole, tmp_path):
    region = box(tmp_path / "tumour.geojson", 200, 200, 600, 700)
    _, table = cells_of(slide, tmp_path / "image-1", tumour_roi=region)
    scored = table.filter(pc.is_null(table["exclusion"]))
    x, y = scored["x_px0"].to_numpy(), scored["y_px0"].to_numpy()
    assert len(x) > 30
    assert x.min() >= 200
    assert x.max() <= 600
    assert y.min() >= 200
    assert y.max() <= 700
    outside = table.filter(pc.equal(table["exclusion"], "outside_tumour_region"))
    assert outside.num_rows > 0
    assert not any(outside["in_tumour"].to_pylist())


@pytest.mark.parametrize("model", [None, "her2-star-2"], ids=["classical", "learned"])
def test_a_cell_tells_why_it_would_not_be_scored_in_drawn_tumour(slide, tmp_path, model):
    at, sheet = prepare(slide, tmp_path / "image-1")
    find_cells(slide, at, sheet, model=model)
    whole = read_table(at.cells, IHC_CELLS)
    everything = box(tmp_path / "tumour.geojson", 0, 0, 896, 896)
    beside = box(tmp_path / "exclude.geojson", 0, 0, 896, 300)
    for name, row in (("drawn", {"tumour_roi": everything}), ("left", {"exclude_roi": beside})):
        at, sheet = prepare(slide, tmp_path / name, **row)
        find_cells(slide, at, sheet, model=model)
        table = read_table(at.cells, IHC_CELLS)
        told = table["exclusion_if_drawn"].to_pylist()
        if name == "drawn":
            assert told == table["exclusion"].to_pylist() == whole["exclusion_if_drawn"].to_pylist()
        elif model is not None:
            # Also of the cells that a region rules out.
            assert told == whole["exclusion_if_drawn"].to_pylist()
    assert {None, "lymphocyte" if model is None else "not_tumour"} <= set(told)


def test_a_table_from_before_that_was_told_is_still_read(whole, tmp_path):
    table = read_table(whole[0].cells, IHC_CELLS).drop_columns(["exclusion_if_drawn"])
    pq.write_table(table, tmp_path / "cells.parquet")
    assert read_table(tmp_path / "cells.parquet", IHC_CELLS).equals(table)


def test_cells_within_an_excluded_region_are_not_scored(slide, whole, tmp_path):
    region = box(tmp_path / "exclude.geojson", 0, 0, 448, 896)
    _, table = cells_of(slide, tmp_path / "image-1", exclude_roi=region)
    scored = table.filter(pc.is_null(table["exclusion"]))
    assert scored["x_px0"].to_numpy().min() >= 448
    assert "excluded_region" in table["exclusion"].to_pylist()


def test_a_cell_cut_by_the_edge_of_the_image_is_not_scored(tmp_path):
    spec = IhcPhantomSpec(
        seed=8, width_px=512, height_px=512, mpp=0.5, background_fraction=0.0, tumour_fraction=1.0
    )
    path = write_pyramid(tmp_path / "slide.tif", render_ihc(spec).rgb, mpp=0.5)
    at, table = cells_of(path, tmp_path / "image-1")
    contours = read_table(at.contours, IHC_CONTOURS)
    for exclusion, ring in zip(
        table["exclusion"].to_pylist(), contours["cell_xy_px0"].to_pylist(), strict=True
    ):
        if exclusion is None:
            assert min(ring) >= 0
            assert max(ring) <= 512
    assert "image_border" in table["exclusion"].to_pylist()
