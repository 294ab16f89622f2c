"""Cells to label next go out to QuPath, come back with classes, and are not asked for again."""

import json
from types import SimpleNamespace

import pytest

from her2path.cli.phantom_training import SEEDS, compose_labelled, labelled_spec, write_labelled_cells
from her2path.errors import ConfigError
from her2path.io.dataset_documents import read_dataset
from her2path.io.documents import read_document
from her2path.io.query_documents import QueriesDoc
from her2path.steps import train_dataset, train_next
from tests.support.ihc_chain import find_cells, prepare

pytestmark = pytest.mark.xdist_group("train_next")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Two cases with cells of each class, measured by the classical method, and their case sheet."""
    folder = tmp_path_factory.mktemp("measured")
    lines = ["case_id\timage_id\tassay\tpath\tmpp"]
    for number in range(2):
        found = compose_labelled(labelled_spec(SEEDS[400 + number], mix="every", side_px=512))
        write_labelled_cells(folder, f"slide{number}", found, patient_id=f"p{number}")
        image = next(path for path in folder.glob(f"slide{number}*") if path.suffix in {".tif", ".png"})
        at, sheet = prepare(image, folder / "out" / "images" / f"img{number}", mpp=0.5)
        find_cells(image, at, sheet)
        lines.append(f"p{number}\timg{number}\tihc\t{image.name}\t0.5")
    cases = folder / "cases.tsv"
    cases.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return SimpleNamespace(folder=folder, out=folder / "out", cases=cases)


def ask(measured, folder, *, dataset=None, **params):
    folder.mkdir(exist_ok=True)
    train_next.run(
        results=measured.out,
        cases=measured.cases,
        dataset=dataset,
        sheet=folder / "dataset.tsv",
        queries=folder / "queries.json",
        params=train_next.TrainNextParams(**params),
    )
    return read_document(folder / "queries.json", QueriesDoc)


def test_the_same_results_give_the_same_files(measured, tmp_path):
    for name in ("one", "two"):
        ask(measured, tmp_path / name, cells=6, tiles=2)
    for path in sorted((tmp_path / "one").iterdir()):
        if path.name != "dataset.tsv":  # which names paths from its own folder
            assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_cells_go_out_as_annotations_without_a_class_that_name_the_doubt(measured, tmp_path):
    asked = ask(measured, tmp_path / "next", cells=6, tiles=0)
    features = [
        feature
        for path in sorted((tmp_path / "next").glob("*.cells.geojson"))
        for feature in json.loads(path.read_text(encoding="utf-8"))["features"]
    ]
    assert len(features) == len(asked.cells) == 6
    assert all("classification" not in feature["properties"] for feature in features)
    names = {feature["properties"]["name"] for feature in features}
    assert names == {f"{cell.rank}: {cell.likely[0]} or {cell.likely[1]}?" for cell in asked.cells}


def test_tiles_hold_the_cells_that_they_are_said_to_hold(measured, tmp_path):
    asked = ask(measured, tmp_path / "next", cells=0, tiles=2, tile_um=128)
    assert len(asked.tiles) == 2
    assert all(tile.size_px0 == 256 and tile.cells >= 10 for tile in asked.tiles)
    assert asked.tiles[0].x_px0 % 256 == 0


def test_labelled_cells_come_back_through_train_dataset_and_are_not_asked_for_again(measured, tmp_path):
    first = ask(measured, tmp_path / "next", cells=8, tiles=0)
    for path in (tmp_path / "next").glob("*.cells.geojson"):
        drawn = json.loads(path.read_text(encoding="utf-8"))
        for number, feature in enumerate(drawn["features"]):
            feature["properties"]["classification"] = {"name": ("Tumor: 1+", "Tumor: 2+")[number % 2]}
        path.write_text(json.dumps(drawn), encoding="utf-8")
    sheet = tmp_path / "next" / "dataset.tsv"
    lines = sheet.read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    filled = [lines[0]]
    for line in lines[1:]:
        cells = dict(zip(header, line.split("\t"), strict=True)) | {"source": "phantom", "licence": "CC0"}
        filled.append("\t".join(cells[name] for name in header))
    sheet.write_text("\n".join(filled) + "\n", encoding="utf-8")
    manifest = tmp_path / "next" / "manifest.json"
    train_dataset.run(
        sheet=sheet,
        earlier=None,
        manifest=manifest,
        page=tmp_path / "next" / "dataset.html",
        workers=1,
        params=train_dataset.TrainDatasetParams(name="next"),
    )
    assert sum(sum(item.labelled.values()) for item in read_dataset(manifest).items) == 8
    again = ask(measured, tmp_path / "again", dataset=manifest, cells=8, tiles=0)
    assert again.labelled >= 8
    asked = {(cell.image_id, cell.cell_id) for cell in first.cells}
    assert not asked & {(cell.image_id, cell.cell_id) for cell in again.cells}


def test_an_image_that_was_not_measured_is_left_out_with_the_reason(measured, tmp_path):
    cases = tmp_path / "cases.tsv"
    text = measured.cases.read_text(encoding="utf-8").replace("\tslide", f"\t{measured.folder}/slide")
    cases.write_text(text + "p9\timg9\tihc\tno.tif\t0.5\n", encoding="utf-8")
    more = SimpleNamespace(out=measured.out, cases=cases)
    asked = ask(more, tmp_path / "next", cells=3, tiles=0)
    assert asked.left_out == {"img9": "it was not measured; run the case sheet first"}
    assert len(asked.cells) == 3


def test_a_folder_where_cells_were_labelled_is_refused_and_stays_as_it_is(measured, tmp_path):
    folder = tmp_path / "next"
    ask(measured, folder, cells=6, tiles=0)
    ask(measured, folder, cells=4, tiles=0)  # nothing was labelled in between
    path = sorted(folder.glob("*.cells.geojson"))[0]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"objectType"', '"classification":{"name":"Tumor: 3+"},"objectType"'))
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(
        ConfigError, match=rf"{path.name}, not as `train next` wrote it.*another --out"
    ) as caught:
        ask(measured, folder, cells=6, tiles=0)
    assert caught.value.exit_code == 2
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_sheet_that_was_filled_in_is_not_written_over(measured, tmp_path):
    folder = tmp_path / "next"
    ask(measured, folder, cells=6, tiles=0)
    sheet = folder / "dataset.tsv"
    sheet.write_text(sheet.read_text().replace("\t\t\t", "\tour archive\tpermission 17\t"))
    with pytest.raises(ConfigError, match=r"dataset\.tsv, not as"):
        ask(measured, folder, cells=6, tiles=0)
    assert "permission 17" in sheet.read_text()
