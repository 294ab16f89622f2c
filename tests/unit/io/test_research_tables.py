"""AnnData and SpatialData of a slide, opened with their own libraries and held against the artefacts."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import shapely

from her2path.cli.export_tables import export_anndata, export_spatialdata
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError, ConfigError, UnsuitableImageError
from her2path.io import tables
from her2path.io.documents import SlideDoc, read_document, write_document
from her2path.io.edits_documents import DrawnRegion, GivenClass
from her2path.io.files import sha256_of
from her2path.io.placeholders import write_not_evaluable
from her2path.io.research_cells import MEASURES, polygons_of
from her2path.io.research_slide import find_slide
from her2path.io.slide_areas import areas_of
from tests.support.measured_slide import (
    MADE_BY,
    MPP,
    SIZE_PX0,
    edit_slide,
    say_regions,
    write_measured_slide,
)

# What the libraries tell each other about old calls is none of our business.
pytestmark = pytest.mark.filterwarnings("ignore")


def loaded(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    return write_measured_slide(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def cells(slide) -> pa.Table:
    return tables.read_table(slide / "ihc_cells.parquet", tables.IHC_CELLS)


@pytest.fixture(scope="module", params=["t.h5ad", "t.zarr"])
def table(request, slide, tmp_path_factory):
    out = tmp_path_factory.mktemp("anndata") / request.param
    export_anndata(slide.parents[1], "s1", out, overwrite=False)
    anndata = loaded("anndata")
    return anndata.read_h5ad(out) if out.suffix == ".h5ad" else anndata.read_zarr(out)


def values_of(column) -> list[object]:
    """Values of a column as Python has them; None = missing."""
    pandas = loaded("pandas")
    return [None if pandas.isna(value) else value for value in column.tolist()]


@pytest.fixture(scope="module")
def space(slide, tmp_path_factory):
    out = tmp_path_factory.mktemp("spatialdata") / "s.zarr"
    export_spatialdata(slide.parents[1], "s1", out, sheet=None, overwrite=False)
    return loaded("spatialdata").read_zarr(out)


def test_anndata_holds_every_measure_of_every_cell(table, cells):
    assert table.shape == (len(cells), len(MEASURES))
    for name in MEASURES:
        column = cells[name].to_numpy()
        assert np.array_equal(table[:, name].X.ravel(), column, equal_nan=True), name


def test_a_measure_that_was_not_made_is_missing_and_never_zero(table, cells):
    missing = cells["membrane_od"].is_null().to_numpy()
    assert missing.any()
    assert np.isnan(table[:, "membrane_od"].X.ravel()[missing]).all()


@pytest.mark.parametrize(
    "name",
    ["cell_id", "cell_score", "intensity", "pattern", "exclusion", "in_tumour", "piece", "control"],
)
def test_facts_of_cells_are_those_of_the_table_with_their_gaps(table, cells, name):
    assert values_of(table.obs[name]) == cells[name].to_pylist()


def test_cells_carry_the_class_that_qupath_shows(table, cells):
    found = values_of(table.obs["class"])
    rows = cells.to_pylist()
    names = {0: "Negative", 1: "1+", 2: "2+", 3: "3+"}
    for row, kind in zip(rows, found, strict=True):
        if row["exclusion"] is None:
            assert kind == f"Tumor: {names[row['cell_score']]}"
        elif row["exclusion"] == "control_tissue":
            assert kind == f"Control: {names[row['cell_score']]}"
        else:
            assert kind == "Ignore*"


def test_every_class_has_the_colour_that_plots_look_for(table):
    assert len(table.uns["class_colors"]) == len(table.obs["class"].cat.categories)
    assert table.uns["class_colors"][3] == "#c83232"


def test_places_are_level_0_pixels_and_micrometres(table, cells):
    xy = np.stack([cells["x_px0"].to_numpy(), cells["y_px0"].to_numpy()], axis=1)
    assert np.array_equal(table.obsm["spatial"], xy)
    assert np.array_equal(table.obsm["spatial_um"], xy * MPP)


def test_each_cell_lies_in_the_tile_whose_core_holds_it(table, slide):
    tiles = tables.read_table(slide / "tiles.parquet", tables.TILES).to_pylist()
    scale = 2.0
    outside = 0
    for (x, y), found in zip(table.obsm["spatial"], values_of(table.obs["tile_id"]), strict=True):
        holding = [
            tile["tile_id"]
            for tile in tiles
            if 0 <= x - tile["x_px0"] < tile["width"] * scale
            and 0 <= y - tile["y_px0"] < tile["height"] * scale
        ]
        assert [found] == holding or (found is None and not holding)
        outside += found is None
    assert 0 < outside < len(table) / 2


def test_a_cell_on_the_line_between_two_tiles_belongs_to_the_right_one(table):
    first, second = values_of(table.obs["tile_id"])[:2]
    assert second == first - 1


def test_a_cell_in_two_hot_spots_counts_with_the_more_conspicuous(table):
    x, y = table.obsm["spatial"].T
    rank = table.obs["hot_spot"].to_numpy(dtype=float, na_value=0)
    high = (y >= 500) & (y < 1500)
    assert (rank[high & (x >= 900) & (x < 1400)] == 1).all()
    assert (rank[high & (x >= 1400) & (x < 1900)] == 2).all()
    assert set(rank[~high]) == {0}


def test_the_table_says_where_it_comes_from_and_in_which_units(table, slide):
    told = table.uns["her2path"]
    assert told["schema_version"] == "research_table/1"
    assert told["slide"]["mpp"] == MPP
    assert told["digests"]["ihc_cells.parquet"] == sha256_of(slide / "ihc_cells.parquet")
    assert told["score"]["score"] == "0"
    assert dict(table.var["unit"]) == dict(MEASURES) == dict(told["units"])
    assert table.var.loc["membrane_od", "qupath"] == "Membrane: DAB OD median"


def test_rows_of_several_slides_keep_their_names_when_put_together(table):
    assert table.obs_names.is_unique
    assert table.obs_names[0] == "s1-1"


def test_the_same_slide_gives_the_same_bytes(slide, tmp_path):
    for name in ("a.h5ad", "b.h5ad"):
        export_anndata(slide.parents[1], "s1", tmp_path / name, overwrite=False)
    assert (tmp_path / "a.h5ad").read_bytes() == (tmp_path / "b.h5ad").read_bytes()
    for name in ("a.zarr", "b.zarr"):
        export_spatialdata(slide.parents[1], "s1", tmp_path / name, sheet=None, overwrite=False)
    first, second = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (tmp_path / "a.zarr", tmp_path / "b.zarr")
    )
    assert first == second


def test_outlines_are_the_polygons_of_the_contours(space, slide):
    outlines = tables.read_table(slide / "ihc_contours.parquet", tables.IHC_CONTOURS).to_pylist()
    for element, column in (("cells", "cell_xy_px0"), ("nuclei", "nucleus_xy_px0")):
        drawn = {row["cell_id"]: row[column] for row in outlines if len(row[column]) >= 6}
        shapes = space[element]
        assert shapes.index.tolist() == list(drawn)
        for cell_id, polygon in shapes.geometry.items():
            corners = np.array(drawn[cell_id]).reshape(-1, 2)
            assert np.array_equal(np.array(polygon.exterior.coords)[:-1], corners)


def test_a_cell_without_an_outline_stays_in_the_table(space, cells):
    assert 2 not in space["cells"].index
    assert space["table"].obs["cell_id"].tolist() == cells["cell_id"].to_pylist()


def test_the_table_annotates_the_cells(space):
    join = loaded("spatialdata").join_spatialelement_table
    shapes, rows = join(
        sdata=space, spatial_element_names="cells", table_name="table", how="inner", match_rows="left"
    )
    assert rows.obs["cell_id"].tolist() == shapes["cells"].index.tolist()
    centres = np.array([[p.x, p.y] for p in shapes["cells"].geometry.centroid])
    assert np.abs(centres - rows.obsm["spatial"]).max() < 0.01


def test_tiles_blocks_hot_spots_and_findings_are_areas_of_level_0(space, slide):
    tiles = tables.read_table(slide / "tiles.parquet", tables.TILES).to_pylist()
    assert space["tiles"]["tile_id"].tolist() == [tile["tile_id"] for tile in tiles]
    assert space["tiles"].geometry[0].bounds == (0, 0, 2048, 2048)
    assert space["blocks"].geometry[1].bounds == (1000, 0, 2000, 1000)
    assert space["hot_spots"]["rank"].tolist() == [1, 2]
    assert space["hot_spots"].geometry[0].bounds == (400, 500, 1400, 1500)
    assert space["quality_areas"]["class"].tolist() == ["Fold"]
    assert space["quality_areas"].geometry[0].equals(shapely.box(10, 20, 110, 220))


def test_a_hot_spot_at_the_edge_ends_with_the_slide(slide):
    found = find_slide(slide.parents[1], "s1")
    spots = [spot.model_copy(update={"y_px0": SIZE_PX0 - 200.0}) for spot in found.score.hot_spots]
    score = found.score.model_copy(update={"hot_spots": tuple(spots)})
    areas = areas_of(replace(found, score=score))["hot_spots"]
    assert [polygon.bounds[3] for polygon in areas.polygons] == [SIZE_PX0] * len(spots)


def test_shapes_are_in_pixels_and_in_micrometres(space):
    transform = loaded("spatialdata").transform
    moved = transform(space["hot_spots"], to_coordinate_system="um")
    assert moved.geometry[0].bounds == (100, 125, 350, 375)


def test_the_picture_covers_the_slide(space):
    get_extent = loaded("spatialdata").get_extent
    extent = get_extent(space["slide"], coordinate_system="global")
    assert extent["x"] == pytest.approx((0, SIZE_PX0))
    assert extent["y"] == pytest.approx((0, SIZE_PX0))
    assert get_extent(space["slide"], coordinate_system="um")["x"] == pytest.approx((0, SIZE_PX0 * MPP))


def test_the_picture_lies_under_the_outlines(space):
    finest = space["slide"]["scale0"]["image"].to_numpy()
    assert finest.shape == (3, 600, 600)
    # Red ends and blue begins at half the slide.
    red, blue = finest[0].mean(axis=0), finest[2].mean(axis=0)
    assert red[:290].min() > 150 > red[310:].max()
    assert blue[310:].min() > 150 > blue[:290].max()


def sheet_with(folder, columns: str, cells: str):
    path = folder / "cases.tsv"
    path.write_text(
        f"case_id\timage_id\tassay\tpath{columns}\nc1\ts1\tihc\ts1.tif{cells}\n", encoding="utf-8"
    )
    return path


REGION = (
    '{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[0,9],[9,9],[0,0]]]},'
    '"properties":{"objectType":"annotation"}}'
)


def test_the_drawn_regions_come_along_from_the_sheet(tmp_path):
    folder = write_measured_slide(tmp_path / "results")
    roi = tmp_path / "tumour.geojson"
    roi.write_text(REGION, encoding="utf-8")
    say_regions(folder, tumour_roi=sha256_of(roi))
    sheet = sheet_with(tmp_path, "\ttumour_roi", "\ttumour.geojson")
    out = tmp_path / "s.zarr"
    export_spatialdata(tmp_path / "results", "s1", out, sheet=sheet, overwrite=False)
    found = loaded("spatialdata").read_zarr(out)["tumour_regions"]
    assert found.geometry[0].equals(shapely.Polygon([(0, 0), (0, 9), (9, 9)]))


def test_regions_that_were_changed_since_are_refused(tmp_path):
    folder = write_measured_slide(tmp_path / "results")
    (tmp_path / "tumour.geojson").write_text(REGION, encoding="utf-8")
    say_regions(folder, tumour_roi="0" * 64)
    sheet = sheet_with(tmp_path, "\ttumour_roi", "\ttumour.geojson")
    with pytest.raises(ArtefactError, match="was changed since the slide was measured"):
        export_spatialdata(tmp_path / "results", "s1", tmp_path / "s.zarr", sheet=sheet, overwrite=False)


def test_a_sheet_that_names_no_regions_any_more_is_refused(tmp_path):
    folder = write_measured_slide(tmp_path / "results")
    say_regions(folder, tumour_roi="0" * 64)
    sheet = sheet_with(tmp_path, "", "")
    with pytest.raises(ArtefactError, match="was changed since the slide was measured"):
        export_spatialdata(tmp_path / "results", "s1", tmp_path / "s.zarr", sheet=sheet, overwrite=False)


RING = ((0.0, 0.0), (5468.0, 0.0), (5468.0, 2000.0), (0.0, 2000.0), (0.0, 0.0))


def test_cells_come_as_a_person_left_them(tmp_path, cells):
    folder = write_measured_slide(tmp_path)
    x, y = cells["x_px0"][5].as_py(), cells["y_px0"][5].as_py()
    given = GivenClass(cell_id=6, x_px0=x, y_px0=y, measured="Tumor: 1+", given="Tumor: 3+")
    edit_slide(folder, given)
    export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)
    table = loaded("anndata").read_h5ad(tmp_path / "t.h5ad")
    assert table.obs["class"].iloc[5] == "Tumor: 3+"
    assert table.obs["cell_score"].iloc[5] == 3
    assert np.flatnonzero(table.obs["class_by_person"]).tolist() == [5]


def test_regions_that_a_person_drew_come_along_without_a_sheet(tmp_path):
    folder = write_measured_slide(tmp_path)
    edit_slide(folder, regions=(DrawnRegion(kind="Tumor", polygons=((RING,),)),))
    export_spatialdata(tmp_path, "s1", tmp_path / "s.zarr", sheet=None, overwrite=False)
    space = loaded("spatialdata").read_zarr(tmp_path / "s.zarr")
    assert space["tumour_regions"].geometry[0].equals(shapely.box(0, 0, 5468, 2000))
    outside = space["table"].obsm["spatial"][:, 1] > 2000
    assert (space["table"].obs["exclusion"][outside] != "image_border").all()


def test_a_score_that_does_not_know_the_edits_is_refused(tmp_path):
    folder = write_measured_slide(tmp_path)
    (folder / "edits").mkdir()
    (folder / "edits" / "edits.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match="does not know a person's edits"):
        export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)


def test_classes_are_those_that_the_guideline_of_the_slide_reads(tmp_path):
    folder = write_measured_slide(tmp_path)
    document = read_document(folder / "slide.json", SlideDoc)
    sheet = document.sheet.model_copy(update={"guideline": "gastroesophageal_2016"})
    write_document(folder / "slide.json", document.model_copy(update={"sheet": sheet}))
    export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)
    table = loaded("anndata").read_h5ad(tmp_path / "t.h5ad")
    strong = (table.obs["intensity"] == "strong") & table.obs["exclusion"].isna()
    assert strong.any()
    assert set(table.obs["class"][strong]) == {"Tumor: Strong"}


def test_a_slide_that_was_not_measured_says_why(tmp_path):
    folder = write_measured_slide(tmp_path)
    write_not_evaluable(
        folder / "ihc_score.json", NotEvaluable("blurred", "out of focus"), producer=MADE_BY, facts=None
    )
    with pytest.raises(UnsuitableImageError, match=r"not measured.*out of focus"):
        export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)


def test_cells_of_another_run_than_the_score_are_refused(tmp_path, slide):
    folder = write_measured_slide(tmp_path, cells=10)
    (folder / "ihc_cells.parquet").write_bytes((slide / "ihc_cells.parquet").read_bytes())
    with pytest.raises(ArtefactError, match=r"another file than ihc_score\.json was made from"):
        export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)


@pytest.mark.parametrize("image_id", ["other", "../images/s1", ""])
def test_an_unknown_image_is_named_together_with_those_there_are(slide, tmp_path, image_id):
    with pytest.raises(ConfigError, match="its IHC images are s1"):
        export_anndata(slide.parents[1], image_id, tmp_path / "t.h5ad", overwrite=False)


def test_an_earlier_export_is_replaced_only_when_asked_for(slide, tmp_path):
    for out, export in (
        (tmp_path / "t.h5ad", export_anndata),
        (tmp_path / "t.zarr", export_anndata),
    ):
        export(slide.parents[1], "s1", out, overwrite=False)
        with pytest.raises(ConfigError, match="--overwrite"):
            export(slide.parents[1], "s1", out, overwrite=False)
        export(slide.parents[1], "s1", out, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.h5ad", "t.zarr"]


def test_a_folder_of_something_else_is_never_replaced(slide, tmp_path):
    out = tmp_path / "my.zarr"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ConfigError, match="already"):
        export_anndata(slide.parents[1], "s1", out, overwrite=True)
    assert (out / "thesis.txt").is_file()


def test_without_the_extra_the_message_says_what_to_install(slide, tmp_path, monkeypatch):
    monkeypatch.setattr("her2path.cli.export_tables.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'her2path\[spatial\]'"):
        export_spatialdata(slide.parents[1], "s1", tmp_path / "t.zarr", sheet=None, overwrite=False)


def test_a_slide_without_any_cell_is_exported_empty(tmp_path):
    write_measured_slide(tmp_path, cells=0)
    export_anndata(tmp_path, "s1", tmp_path / "t.h5ad", overwrite=False)
    assert loaded("anndata").read_h5ad(tmp_path / "t.h5ad").shape == (0, len(MEASURES))


def test_outlines_of_different_lengths_keep_their_corners(tmp_path):
    rings = pa.array([[0, 0, 4, 0, 4, 4], [], [1, 1, 2, 2], [0, 0, 2, 0, 2, 2, 0, 2]], pa.list_(pa.float32()))
    first, none, line, last = polygons_of(rings, name=tmp_path / "t")
    assert none is None
    assert line is None
    assert first.equals(shapely.Polygon([(0, 0), (4, 0), (4, 4)]))
    assert last.equals(shapely.box(0, 0, 2, 2))
