"""Command `her2path qupath import --add`: a second person's edits beside those of the first."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from her2path.io.edits_folder import EditsFolder
from tests.support.edited_results import (
    IMAGE,
    SIDE,
    bytes_of,
    export,
    features,
    measure,
    run,
    score_of,
    take,
    with_class,
)
from tests.support.edited_slides import box, region


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    return measure(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def out(measured, tmp_path) -> Path:
    shutil.copytree(measured, tmp_path / "out")
    return tmp_path / "out"


def test_an_older_export_of_the_whole_slide_undoes_nothing_unless_asked(out, tmp_path):
    older, cells = features(out), features(out)
    n = with_class(cells, "Tumor: 1+", "Tumor: 3+")
    assert take(out, export(tmp_path / "1.geojson", cells))[0] == 0
    first, tally = bytes_of(out), score_of(out).result.tally
    assert with_class(older, "Tumor: Negative", "Stroma", of=1) == 1
    file = export(tmp_path / "older.geojson", older)
    code, words = take(out, file, "--add", by="C.D.")
    assert code == 3
    assert f"it shows {n} cells as measured to which A.B. gave another class on 2026-11-20" in words
    assert "--undo" in words
    assert bytes_of(out) == first
    code, words = take(out, file, "--add", "--undo", by="C.D.")
    assert code == 0, words
    assert f"{n} cells have no longer the class that A.B. had given" in words
    found = score_of(out).result
    assert found.edits.cells_overruled == {"A.B.": n}
    assert found.edits.cells_changed == {"Tumor: Negative": {"Stroma": 1}}
    assert found.tally != tally
    page = (out / "cases" / "c1" / "report.html").read_text(encoding="utf-8")
    assert f"{n} cells no longer of the class that A.B. had given." in page


def test_everybody_is_named_with_what_is_theirs(out, tmp_path):
    cells = features(out)
    n = with_class(cells, "Tumor: 1+", "Tumor: 2+", of=5)
    drawn = [region("Tumor", box(0, 0, SIDE, 600))]
    code, words = take(out, export(tmp_path / "1.geojson", [*cells, *drawn]), "--comment", "by eye")
    assert code == 0, words
    again = features(out)
    assert with_class(again, "Tumor: Negative", "Stroma", of=1) == 1
    file = export(tmp_path / "2.geojson", [*again, region("Necrosis", box(0, 610, 90, SIDE))])
    code, words = take(out, file, "--add", "--comment", "with the block", by="C.D.")
    assert code == 0, words
    assert "edits by C.D. of 2026-11-20" in words
    assert "added to those by A.B. of 2026-11-20" in words
    with EditsFolder.of(out, IMAGE).cells.open(encoding="utf-8", newline="") as table:
        rows = [(row["given"], row["by"]) for row in csv.DictReader(table)]
    assert sorted(rows) == [("Stroma", "C.D."), *[("Tumor: 2+", "A.B.")] * n]
    case = out / "cases" / "c1"
    page = (case / "report.html").read_text(encoding="utf-8")
    for told in ("A.B. on 2026-11-20: by eye", "C.D. on 2026-11-20: with the block"):
        assert told in page
    assert "A.B., 2026-11-20; C.D., 2026-11-20" in (case / "synoptic.txt").read_text(encoding="utf-8")
    fhir = (case / "report.fhir.json").read_text(encoding="utf-8")
    assert '"value": "A.B."' in fhir
    assert '"value": "C.D."' in fhir
    code, words = run("project", "--out", out, tmp_path / "project")
    assert code == 0, words
    (regions,) = (tmp_path / "project").rglob("regions.geojson")
    shown = json.loads(regions.read_text(encoding="utf-8"))["features"]
    assert [one["properties"]["name"] for one in shown] == ["Drawn by A.B.", "Drawn by C.D."]
