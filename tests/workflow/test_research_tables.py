"""Tables for research of a finished run, held against what its score says."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from her2path.cli.export_tables import export_anndata, export_spatialdata
from her2path.io import tables

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.xdist_group("demo"),
    # What the libraries tell each other about old calls is none of our business.
    pytest.mark.filterwarnings("ignore"),
]
IMAGE = "demo_ihc3_ihc"


@pytest.fixture(scope="module")
def score(demo):
    path = demo.out / "images" / IMAGE / "ihc_score.json"
    return json.loads(path.read_text(encoding="utf-8"))["result"]


@pytest.fixture(scope="module")
def table(demo, tmp_path_factory):
    import anndata  # noqa: PLC0415  (optional)

    out = tmp_path_factory.mktemp("export") / "t.h5ad"
    export_anndata(demo.out, IMAGE, out, overwrite=False)
    return anndata.read_h5ad(out)


def test_the_scored_cells_are_those_of_the_score(table, score):
    scored = table.obs["exclusion"].isna()
    assert scored.sum() == score["scored_cells"]
    reasons = table.obs["exclusion"][~scored].value_counts()
    assert {name: int(n) for name, n in reasons.items() if n} == score["excluded_cells"]
    assert 100 * table.obs["cell_score"][scored].mean() == pytest.approx(score["h_score"])


def test_every_hot_spot_holds_the_cells_that_it_was_counted_with(table, score):
    scored = table[table.obs["exclusion"].isna()]
    found = scored.obs["hot_spot"].value_counts()
    assert [found[rank] for rank in range(1, len(score["hot_spots"]) + 1)] == [
        spot["cells"] for spot in score["hot_spots"]
    ]


def test_every_cell_has_a_tile(table):
    assert not table.obs["tile_id"].isna().any()


def test_measures_are_those_of_the_table_of_cells(table, demo):
    cells = tables.read_table(demo.out / "images" / IMAGE / "ihc_cells.parquet", tables.IHC_CELLS)
    for name in table.var_names:
        assert np.array_equal(table[:, name].X.ravel(), cells[name].to_numpy(), equal_nan=True), name


def test_outlines_and_drawn_regions_lie_on_the_slide(demo, sample_data, table, tmp_path):
    import spatialdata  # noqa: PLC0415  (optional)

    out = tmp_path / "s.zarr"
    export_spatialdata(demo.out, IMAGE, out, sheet=sample_data / "cases.tsv", overwrite=False)
    space = spatialdata.read_zarr(out)
    assert len(space["cells"]) == len(space["nuclei"]) == len(table)
    drawn = space["tumour_regions"].union_all()
    scored = shapely.points(table.obsm["spatial"][table.obs["exclusion"].isna()])
    # The step looks up a mask of the regions, whose pixels are several of the slide's.
    assert shapely.distance(scored, drawn).max() < 10
    assert spatialdata.get_extent(space["slide"])["x"] == pytest.approx((0, 1664), abs=1)
