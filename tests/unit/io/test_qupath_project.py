"""A QuPath project: what QuPath's loader asks of it, as its sources (0.5 to 0.6) state it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from her2path.io.qupath_cells import SCORE_CLASSES, CellClass
from her2path.io.qupath_project import (
    SCRIPTS,
    ProjectImage,
    Reader,
    reader_of,
    write_project,
    zip_objects,
)

KINDS = (CellClass("Tumor", (200, 0, 0)), *SCORE_CLASSES, CellClass("Black", (0, 0, 0)))


def images(root: Path) -> tuple[ProjectImage, ...]:
    return (
        ProjectImage("c1-her2", (root / "Müller & 100 % #2 \u202bשקד 🔬.svs",), Reader.OPENSLIDE, "IHC, 2+"),
        ProjectImage(
            "c1-fish",
            tuple(root / f"{name}.tif" for name in ("DAPI", "HER2", "CEP17")),
            Reader.BIOFORMATS,
            metadata={"Case": 'c1 <b>"x"</b>'},
        ),
    )


def written(folder: Path) -> dict:
    write_project(folder, images(folder), KINDS, lies_in=folder)
    return json.loads((folder / "project.qpproj").read_text(encoding="utf-8"))


def path_of(uri: str) -> Path:
    """As Java's `Paths.get(URI)`: percent signs are UTF-8, and nothing may follow the path."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.query, parts.fragment) == ("file", "", "")
    return Path(unquote(parts.path))


def test_the_project_has_what_its_loader_cannot_do_without(tmp_path):
    project = written(tmp_path)
    assert project["version"] == "0.5.0"
    assert all(isinstance(project[key], int) for key in ("createTimestamp", "modifyTimestamp", "lastID"))
    assert path_of(project["uri"]) == tmp_path / "project.qpproj"
    assert [entry["entryID"] for entry in project["images"]] == [1, 2]
    assert project["lastID"] == 2
    for entry in project["images"]:
        assert entry["imageName"].startswith("c1-")
        assert all(isinstance(value, str) for value in entry["metadata"].values())


def test_a_slide_is_opened_by_a_named_reader_from_where_it_lies_whatever_its_name(tmp_path):
    builder = written(tmp_path)["images"][0]["serverBuilder"]
    assert builder["builderType"] == "uri"
    assert builder["providerClassName"].endswith(".openslide.OpenslideServerBuilder")
    assert builder["args"] == []
    assert builder["uri"].isascii()
    assert path_of(builder["uri"]) == images(tmp_path)[0].paths[0]
    kept = json.loads((tmp_path / "data" / "1" / "server.json").read_text(encoding="utf-8"))
    assert kept == builder


def test_files_of_one_channel_each_are_joined_into_one_image(tmp_path):
    builder = written(tmp_path)["images"][1]["serverBuilder"]
    assert builder["builderType"] == "channels"
    assert builder["builder"] == builder["channels"][0]
    names = [path_of(part["uri"]).name for part in builder["channels"]]
    assert names == ["DAPI.tif", "HER2.tif", "CEP17.tif"]


def test_classes_have_their_colours_as_javas_integers(tmp_path):
    written(tmp_path)
    listed = json.loads((tmp_path / "classifiers" / "classes.json").read_text(encoding="utf-8"))
    colours = {kind["name"]: kind["color"] for kind in listed["pathClasses"]}
    assert colours["Tumor"] == -3_670_016  # as in QuPath's own projects
    assert colours["Black"] == -16_777_216
    assert all(-(2**31) <= colour < 0 for colour in colours.values())


def test_the_same_images_give_the_same_project(tmp_path):
    before = written(tmp_path)
    assert written(tmp_path) == before
    assert "randomizedName" not in json.dumps(before)


def test_the_projects_scripts_lie_where_qupath_lists_them(tmp_path):
    written(tmp_path)
    for name in SCRIPTS:
        text = (tmp_path / "scripts" / name).read_text(encoding="utf-8")
        for one, other in ("()", "[]", "{}"):
            assert text.count(one) == text.count(other), name


@pytest.mark.parametrize(
    ("vendor", "reader"),
    [
        ("aperio", Reader.OPENSLIDE),
        ("generic-tiff", Reader.OPENSLIDE),
        ("dicom", Reader.OPENSLIDE),
        ("tiff", Reader.BIOFORMATS),
        ("ome-tiff", Reader.BIOFORMATS),
        ("jpeg", Reader.IMAGEIO),
    ],
)
def test_each_format_gets_the_reader_that_reads_it(vendor, reader):
    assert reader_of(vendor) is reader


def test_objects_are_packed_whole_and_alike_each_time(tmp_path):
    source = tmp_path / "cells.geojson"
    source.write_bytes(b'{"type":"FeatureCollection","features":[]}' * 50_000)
    for name in ("a.zip", "b.zip"):
        zip_objects(source, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert (tmp_path / "a.zip").stat().st_size < source.stat().st_size / 5
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["cells.geojson"]
        assert archive.read("cells.geojson") == source.read_bytes()
