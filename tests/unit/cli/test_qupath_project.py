"""`her2path qupath project`: slides and results of a run as QuPath opens them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections import Counter
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from her2path.cli.chain import run_image
from her2path.cli.main import main
from her2path.config import Config
from her2path.domain.guideline.registry import guideline_ids
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.case_sheet import read_case_sheet
from her2path.io.tables import FISH_NUCLEI, FISH_SIGNALS, read_table
from tests.support.fish_fields import Disc, Dot, draw_field, write_ome
from tests.support.slides import write_pyramid

SIDE = 640
TUMOUR = shapely.box(40, 40, 600, 600)
CONTROL = shapely.box(40, 40, 200, 200)
NUCLEI = [Disc(60 + 90 * (n % 4), 60 + 90 * (n // 4)) for n in range(16)]
DOTS = [
    Dot(channel, disc.row + row, disc.col + col)
    for disc in NUCLEI
    for channel, row, col in ((1, -12, -8), (1, 12, -8), (2, -10, 10), (2, 10, 10))
]


def region(polygon: shapely.Polygon, name: str) -> dict:
    kind = {"name": name, "color": [1, 2, 3]}
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(polygon),
        "properties": {"objectType": "annotation", "classification": kind},
    }


def write_regions(path, *features: dict) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """An IHC slide read by the stomach's guideline, one FISH image, and a slide that is none."""
    root = tmp_path_factory.mktemp("run")
    spec = IhcPhantomSpec(seed=4, width_px=SIDE, height_px=SIDE, mpp=0.5, classes=SCORE_PRESETS["3+"])
    write_pyramid(root / "Müller #7.tif", render_ihc(spec).rgb, mpp=0.5)
    write_regions(root / "tumour.geojson", region(TUMOUR, "Tumor"))
    write_regions(root / "rest.geojson", region(CONTROL, "Control: 3+"))
    write_ome(root / "fish.ome.tif", draw_field(NUCLEI, DOTS, size=(400, 400)))
    (root / "broken.svs").write_text("no slide", encoding="utf-8")
    sheet = root / "cases.tsv"
    lines = [
        "case_id\timage_id\tassay\tpath\tguideline\tspecimen\ttumour_roi\texclude_roi",
        "c1\tc1-her2\tihc\tMüller #7.tif\tgastroesophageal_2016\tresection\ttumour.geojson\trest.geojson",
        "c1\tc1-fish\tfish\tfish.ome.tif\tgastroesophageal_2016\tresection\t\t",
        "c2\tc2-her2\tihc\tbroken.svs\tbreast_2023\t\t\t",
    ]
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    out = root / "out"
    for row in read_case_sheet(sheet, guidelines=guideline_ids()).rows:
        run_image(row, out, Config(), workers=1)
    (out / "logs").mkdir()
    (out / "logs" / "config.json").write_text(json.dumps({"cases": str(sheet)}), encoding="utf-8")
    return SimpleNamespace(root=root, out=out)


def run(results, folder, *more: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["qupath", "project", "--out", str(results.out), *more, str(folder)])
    return ended.value.code


@pytest.fixture(scope="module")
def project(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("qupath") / "project"
    assert run(results, folder) == 1  # one slide could not be read
    return folder


def features(project, image_id: str, layer: str) -> list[dict]:
    folder = project / "her2path" / image_id
    packed = folder / f"{layer}.geojson.zip"
    if packed.is_file():
        with zipfile.ZipFile(packed) as archive:
            return json.loads(archive.read(f"{layer}.geojson"))["features"]
    return json.loads((folder / f"{layer}.geojson").read_text(encoding="utf-8"))["features"]


def test_the_project_lists_the_slides_that_can_be_opened_where_they_lie(results, project):
    entries = json.loads((project / "project.qpproj").read_text(encoding="utf-8"))["images"]
    assert [entry["imageName"] for entry in entries] == ["c1-her2", "c1-fish"]
    uris = [unquote(entry["serverBuilder"]["uri"]) for entry in entries]
    assert uris == [f"file://{results.root}/{name}" for name in ("Müller #7.tif", "fish.ome.tif")]
    shown = entries[0]["metadata"]
    assert (shown["Case"], shown["Assay"], shown["Guideline"]) == ("c1", "IHC", "gastroesophageal_2016")
    assert shown["IHC score"] in {"0", "1+", "2+", "3+"}


def test_who_is_left_out_and_why_is_told(results, tmp_path, capsys):
    assert run(results, tmp_path / "p") == 1
    told = capsys.readouterr().out
    assert "c2-her2: left out: image 'c2-her2' cannot be read (it holds text" in told
    assert "c1-fish: FISH, counted" in told


def test_cells_go_out_by_the_levels_that_their_guideline_reads(results, project):
    names = Counter(f["properties"]["classification"]["name"] for f in features(project, "c1-her2", "cells"))
    assert names["Tumor: Strong"] > 50
    assert not any("+" in name for name in names)
    listed = json.loads((project / "classifiers" / "classes.json").read_text(encoding="utf-8"))
    assert names.keys() <= {kind["name"] for kind in listed["pathClasses"]}
    assert (results.out / "images" / "c1-her2" / "cells.geojson").read_bytes()


def test_drawn_regions_come_named_and_locked_with_the_score_a_control_should_have(project):
    drawn = features(project, "c1-her2", "regions")
    kinds = [feature["properties"]["classification"]["name"] for feature in drawn]
    assert kinds == ["Tumor", "Control: 3+"]
    assert all(feature["properties"]["isLocked"] and feature["properties"]["name"] for feature in drawn)
    assert shape(drawn[0]["geometry"]).equals(TUMOUR)
    assert shape(drawn[1]["geometry"]).equals(CONTROL)


def test_blocks_hold_the_scored_cells_and_tiles_all_cells(project):
    cells = features(project, "c1-her2", "cells")
    scored = [f for f in cells if f["properties"]["classification"]["name"].startswith("Tumor")]
    blocks = [f["properties"]["measurements"] for f in features(project, "c1-her2", "blocks")]
    tiles = [f["properties"]["measurements"] for f in features(project, "c1-her2", "tiles")]
    assert sum(block["Block: Scored cells"] for block in blocks) == len(scored)
    assert sum(tile["Tile: Cells"] for tile in tiles) == len(cells)
    assert sum(tile["Tile: Scored cells"] for tile in tiles) == len(scored)


def test_nuclei_and_signals_lie_where_they_were_counted(results, project):
    found = results.out / "images" / "c1-fish"
    nuclei = read_table(found / "fish_nuclei.parquet", FISH_NUCLEI).to_pylist()
    shown = features(project, "c1-fish", "nuclei")
    assert len(shown) == len(nuclei) == 16
    outlines = {}
    for nucleus, feature in zip(nuclei, shown, strict=True):
        outline = outlines[nucleus["nucleus_id"]] = shape(feature["geometry"])
        assert outline.distance(shapely.Point(nucleus["x_px0"], nucleus["y_px0"])) == 0
        assert feature["properties"]["measurements"]["HER2 signals"] == nucleus["her2_signals"]
    signals = read_table(found / "fish_signals.parquet", FISH_SIGNALS).to_pylist()
    spots = [signal for signal in signals if signal["channel"] != "glow"]
    for signal, feature in zip(spots, features(project, "c1-fish", "signals"), strict=True):
        centre = shape(feature["geometry"]).centroid
        assert centre.distance(shapely.Point(signal["x_px0"], signal["y_px0"])) < 0.1
        if signal["nucleus_id"]:
            assert outlines[signal["nucleus_id"]].distance(centre) < 1


def test_signals_lie_within_half_a_pixel_of_where_they_were_drawn(project):
    shown = features(project, "c1-fish", "signals")
    middles = [shape(feature["geometry"]).centroid for feature in shown]
    for dot in DOTS:  # the middle of the first pixel is (0.5, 0.5)
        assert min(middle.distance(shapely.Point(dot.col, dot.row)) for middle in middles) < 0.5
    kinds = Counter(feature["properties"]["classification"]["name"] for feature in shown)
    assert kinds["HER2"] == kinds["CEP17"] == len(DOTS) / 2


def test_no_object_of_a_slide_shares_its_identifier_with_another(project):
    for folder in (project / "her2path").iterdir():
        layers = {path.name.partition(".")[0] for path in folder.iterdir()} - {"image"}
        ids = [feature["id"] for layer in sorted(layers) for feature in features(project, folder.name, layer)]
        assert len(set(ids)) == len(ids)


def test_no_number_is_invented_where_nothing_was_measured(project):
    for path in (project / "her2path").rglob("*.geojson"):
        text = path.read_text(encoding="utf-8")
        assert "NaN" not in text
        assert "null" not in text
        assert "Infinity" not in text


def test_the_script_can_check_that_it_sees_the_measured_slide(project):
    facts = json.loads((project / "her2path" / "c1-her2" / "image.json").read_text(encoding="utf-8"))
    assert (facts["width_px0"], facts["height_px0"], facts["mpp"]) == (SIDE, SIDE, 0.5)
    assert facts["image_type"] == "BRIGHTFIELD_H_DAB"


def test_the_same_results_give_the_same_project(results, project, tmp_path):
    again = tmp_path / "again"
    run(results, again)
    for path in sorted(p.relative_to(again) for p in again.rglob("*") if p.is_file()):
        one, other = (folder / path for folder in (project, again))
        same = one.read_bytes().replace(str(project).encode(), str(again).encode())
        assert same == other.read_bytes(), path


def test_one_case_alone_may_be_asked_for(results, tmp_path):
    assert run(results, tmp_path / "p", "--case", "c1") == 0
    with pytest.raises(SystemExit) as ended:
        main(["qupath", "project", "--out", str(results.out), "--case", "c9", str(tmp_path / "q")])
    assert ended.value.code == 2
    assert not (tmp_path / "q").exists()


def test_slides_that_were_measured_one_by_one_need_a_sheet_that_names_them(results, tmp_path, capsys):
    one = SimpleNamespace(root=results.root, out=tmp_path / "out")
    shutil.copytree(results.out / "images", one.out / "images")
    assert run(one, tmp_path / "p") == 2
    assert "holds no results" in capsys.readouterr().err
    assert run(one, tmp_path / "p", "--cases", str(results.root / "cases.tsv"), "--case", "c1") == 0


def test_a_folder_that_holds_something_is_never_touched(results, tmp_path, capsys):
    (tmp_path / "data.qpdata").write_bytes(b"work")
    assert run(results, tmp_path) == 2
    assert "new or empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data.qpdata"]


def test_a_slide_that_changed_since_the_run_is_left_out(results, tmp_path, capsys):
    slide = results.root / "fish.ome.tif"
    before = slide.read_bytes()
    try:
        slide.write_bytes(before + b"\0")
        assert run(results, tmp_path / "p", "--case", "c1") == 1
    finally:
        slide.write_bytes(before)
    told = capsys.readouterr().out
    assert "c1-fish: left out" in told
    assert "has changed since the run" in told
    assert not (tmp_path / "p" / "her2path" / "c1-fish").exists()


def test_outlines_are_closed_and_within_the_slide(project):
    for feature in features(project, "c1-her2", "cells"):
        rings = np.array(feature["geometry"]["coordinates"][0])
        assert (rings[0] == rings[-1]).all()
        assert rings.min() > -15
        assert rings.max() < SIDE + 15
