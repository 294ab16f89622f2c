"""Features of an export one after the other, however QuPath wrote them."""

from __future__ import annotations

import gzip
import json
import zipfile

import pytest

from her2path.errors import RegionError
from her2path.io import geojson_stream
from her2path.io.geojson_stream import stream_features


def feature(number, **properties):
    return {"type": "Feature", "id": str(number), "geometry": None, "properties": properties}


FEATURES = [feature(number, objectType="cell", note="å€😀" * number) for number in range(40)]


def read(path):
    return list(stream_features(path, name="f"))


@pytest.fixture(params=[1, 7, 64, 2**20], ids="{} bytes at a time".format, autouse=True)
def chunk(request, monkeypatch):
    monkeypatch.setattr(geojson_stream, "_CHUNK", request.param)


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "pretty"])
@pytest.mark.parametrize(
    "whole",
    [
        pytest.param({"type": "FeatureCollection", "features": FEATURES}, id="collection"),
        pytest.param({"crs": {"a": [1]}, "n": 12, "features": FEATURES, "bbox": [0, 1]}, id="members around"),
        pytest.param(FEATURES, id="list"),
    ],
)
def test_features_come_in_their_order(tmp_path, whole, indent):
    path = tmp_path / "e.geojson"
    path.write_text(json.dumps(whole, indent=indent, ensure_ascii=False), encoding="utf-8")
    assert read(path) == FEATURES


def test_a_single_feature_and_a_bare_geometry_are_read(tmp_path):
    path = tmp_path / "e.geojson"
    for one in (FEATURES[3], {"type": "Point", "coordinates": [1, 2]}):
        path.write_text(json.dumps(one))
        assert read(path) == [one]


def test_compressed_exports_are_read_whatever_their_name(tmp_path):
    text = json.dumps({"type": "FeatureCollection", "features": FEATURES})
    (tmp_path / "a.geojson").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "b.geojson", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b.geojson", text)
    (tmp_path / "c.geojson").write_text("\ufeff" + text, encoding="utf-8")
    for name in "abc":
        assert read(tmp_path / f"{name}.geojson") == FEATURES


def test_objects_within_objects_follow_the_one_that_holds_them(tmp_path):
    tree = feature("a", childObjects=[feature("b", children=[feature("c")]), feature("d")])
    (tmp_path / "e.geojson").write_text(json.dumps([tree, feature("e")]))
    assert [one["id"] for one in read(tmp_path / "e.geojson")] == list("abcde")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"hello", "not JSON", id="text"),
        pytest.param(b'{"type":"FeatureCollection","features":[{"a":1},{"b"', "cut off", id="cut off"),
        pytest.param(b'{"type":"FeatureCollection","features":[{"a":1}]', "cut off", id="no last brace"),
        pytest.param(b'[{"a":1} {"b":2}]', "cut off", id="no comma"),
        pytest.param(b'{"a":1}', "not GeoJSON", id="no features"),
        pytest.param(b'{"type":"FeatureCollection"}', "not GeoJSON", id="collection of nothing"),
        pytest.param(b"[] []", "behind its end", id="two documents"),
        pytest.param(b"[\xff\xfe]", "UTF-8", id="another encoding"),
        pytest.param(gzip.compress(b"[" + b"{}," * 900 + b"{}]")[:-12], "decompressed", id="half a gzip"),
        pytest.param(b"PK\x03\x04nothing", "decompressed", id="no zip"),
        pytest.param(b"{1: 2}", "cut off", id="no key"),
    ],
)
def test_what_is_no_geojson_is_refused_in_words(tmp_path, data, message):
    (tmp_path / "e.geojson").write_bytes(data)
    with pytest.raises(RegionError, match=message):
        read(tmp_path / "e.geojson")


def test_a_missing_file_and_an_archive_of_two_are_refused(tmp_path):
    with pytest.raises(RegionError, match="not found"):
        read(tmp_path / "none")
    with zipfile.ZipFile(tmp_path / "two", "w") as archive:
        archive.writestr("a", "[]")
        archive.writestr("b", "[]")
    with pytest.raises(RegionError, match="holds 2 files"):
        read(tmp_path / "two")


def test_an_archive_that_macos_made_holds_one_file_for_a_person(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.mkdir("export")
        archive.writestr("__MACOSX/._.DS_Store", b"\0")
        archive.writestr("export/.DS_Store", b"\0\0\0\1Bud1")
        archive.writestr("export/a.geojson", json.dumps(FEATURES))
        archive.writestr("__MACOSX/export/._a.geojson", b"\0\5\x16\7Mac OS X")
    assert read(tmp_path / "a.zip") == FEATURES
