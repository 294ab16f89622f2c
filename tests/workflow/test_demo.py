"""The main job on the sample cases, held against their truth."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import shapely

from her2path.cli import chain
from her2path.config import Config
from her2path.domain.guideline.registry import guideline_ids
from her2path.io import documents, tables
from her2path.io.case_sheet import read_case_sheet
from tests.workflow.conftest import her2path_run

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("demo")]


def rows_of(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def test_every_call_of_the_demo_is_the_true_one(demo, sample_data):
    assert demo.code == 0, demo.stderr
    truth, calls = rows_of(sample_data / "truth.csv"), rows_of(demo.out / "calls.csv")
    assert calls.keys() == truth.keys()
    names = ("state", "ihc_score", "her2_category", "ish_group")
    found = {case: {name: calls[case][name] for name in names} for case in calls}
    assert found == {case: {name: truth[case][name] for name in names} for case in truth}


def test_the_table_on_the_terminal_names_every_case_and_the_report(demo, sample_data):
    for case_id in rows_of(sample_data / "truth.csv"):
        assert case_id in demo.stdout
    assert "cohort.html" in demo.stdout


def test_every_call_states_its_rules_and_distances(demo):
    for path in sorted(demo.out.glob("cases/*/call.json")):
        call = json.loads(path.read_text(encoding="utf-8"))
        assert call["rule_trail"], path
        assert all(entry["source"] for entry in call["rule_trail"])
        assert call["distance_to_cut"], path
        assert call["inputs"], path


def test_a_second_run_finds_nothing_to_do(demo, sample_data):
    before = {path: path.stat().st_mtime_ns for path in demo.out.rglob("*.json") if "logs" not in path.parts}
    again = her2path_run(sample_data / "cases.tsv", demo.out, "--cores", "2")
    assert again.code == 0
    assert "Nothing to be done" in (demo.out / "logs" / "snakemake.log").read_text(encoding="utf-8")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_every_file_is_the_same_bytes_on_one_worker_without_the_workflow(demo, sample_data, tmp_path):
    sheet = read_case_sheet(sample_data / "cases.tsv", guidelines=guideline_ids())
    case_id = next(c for c in sheet.case_ids if len(sheet.images_of(c)) > 1)
    chain.run_case(sheet.images_of(case_id), tmp_path, Config(), workers=1)
    made = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) > 10
    different = [
        str(path.relative_to(tmp_path))
        for path in made
        if path.read_bytes() != (demo.out / path.relative_to(tmp_path)).read_bytes()
    ]
    assert different == []


def test_no_result_names_a_folder_of_this_machine(demo, sample_data):
    texts = [p for p in demo.out.rglob("*") if p.suffix in {".json", ".csv", ".html", ".geojson"}]
    for path in texts:
        if "logs" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert str(sample_data) not in text, path
            assert str(demo.out) not in text, path


def test_pages_load_nothing_from_the_network(demo):
    for path in demo.out.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), path
        assert "@import" not in text


def test_geojson_holds_every_scored_cell_where_the_table_says(demo, sample_data):
    sheet = read_case_sheet(sample_data / "cases.tsv", guidelines=guideline_ids())
    image_id = sheet.rows[0].image_id
    folder = demo.out / "images" / image_id
    cells = tables.read_table(folder / "ihc_cells.parquet", tables.IHC_CELLS).to_pylist()
    features = json.loads((folder / "cells.geojson").read_text(encoding="utf-8"))["features"]
    assert len(features) >= sum(cell["exclusion"] is None for cell in cells) > 100
    slide = documents.read_document(folder / "slide.json", documents.SlideDoc).result
    bounds = shapely.box(-64, -64, slide.width_px0 + 64, slide.height_px0 + 64)
    shapes = [shapely.geometry.shape(feature["geometry"]) for feature in features]
    assert all(shape.within(bounds) for shape in shapes)
    assert {feature["properties"]["objectType"] for feature in features} == {"cell"}


def test_snakemake_runs_the_same_workflow_directly(demo, sample_data):
    root = sample_data.parent
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--nolock"]
    command += ["--config", f"cases={sample_data / 'cases.tsv'}", f"out={demo.out}"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr
