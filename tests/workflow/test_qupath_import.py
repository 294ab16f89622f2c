"""A person's edits through the workflow: a later run keeps them, and drops them where they no longer fit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from her2path.domain.flags import Flag
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.documents import CallDoc, IhcScoreDoc, read_document
from tests.support.slides import write_pyramid
from tests.workflow.conftest import her2path_run

pytestmark = pytest.mark.workflow
HEAD = "case_id\timage_id\tassay\tpath\n"
CONFIG = "ihc_cells: {model: null}\npdf: false\n"


def qupath(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "her2path.cli.main", "qupath", *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def slide(path: Path, seed: int) -> None:
    spec = IhcPhantomSpec(seed=seed, width_px=640, height_px=640, mpp=0.5, classes=SCORE_PRESETS["1+"])
    write_pyramid(path, render_ihc(spec).rgb, mpp=0.5)


def rewritten(path: Path, into: Path) -> Path:
    """Call every 1+ cell 3+, as somebody would in QuPath; a test's stand-in for a person."""
    data = json.loads(path.read_text(encoding="utf-8"))
    for feature in data["features"]:
        if feature["properties"]["classification"]["name"] == "Tumor: 1+":
            feature["properties"]["classification"] = {"names": ["Tumor", "3+"]}
    into.write_text(json.dumps(data), encoding="utf-8")
    return into


def test_a_later_run_keeps_edits_and_says_when_they_no_longer_fit(tmp_path):
    out, sheet, config = tmp_path / "out", tmp_path / "cases.tsv", tmp_path / "config.yaml"
    for number in (1, 2):
        slide(tmp_path / f"s{number}.tif", number)
    sheet.write_text(HEAD + "".join(f"c{n}\ti{n}\tihc\ts{n}.tif\n" for n in (1, 2)), encoding="utf-8")
    config.write_text(CONFIG, encoding="utf-8")

    def run():
        done = her2path_run(sheet, out, "--cores", "2", "--config", str(config))
        assert done.code == 0, done.stderr

    def state(image):
        folder = out / "images" / image
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    run()
    first, other = state("i1"), state("i2")
    export = rewritten(out / "images" / "i1" / "cells.geojson", tmp_path / "edited.geojson")
    taken = qupath("import", "--out", out, "--image", "i1", "--by", "A.B.", export)
    assert taken.returncode == 0, taken.stderr
    edited = state("i1")
    call = read_document(out / "cases" / "c1" / "call.json", CallDoc)
    assert (call.ihc_score, Flag.EDITED_BY_PERSON in call.flags) == ("3+", True)

    run()
    assert state("i1") == edited
    assert state("i2") == other
    assert read_document(out / "cases" / "c1" / "call.json", CallDoc) == call

    # The slide was scanned again: what a person said of other cells is not used, and not lost.
    slide(tmp_path / "s1.tif", 3)
    run()
    found = read_document(out / "images" / "i1" / "ihc_score.json", IhcScoreDoc).result
    assert (found.score, found.edits) == ("1+", None)
    assert Flag.EDITS_DO_NOT_FIT in found.flags
    assert (out / "images" / "i1" / "edits" / "edits.json").is_file()

    slide(tmp_path / "s1.tif", 1)
    run()
    assert read_document(out / "images" / "i1" / "ihc_score.json", IhcScoreDoc).result.score == "3+"
    gone = qupath("discard", "--out", out, "--image", "i1")
    assert gone.returncode == 0, gone.stderr
    assert state("i1") == first
    run()
    assert state("i1") == first


def test_a_run_scores_again_where_edits_are_gone_that_the_score_states(tmp_path):
    out, sheet, config = tmp_path / "out", tmp_path / "cases.tsv", tmp_path / "config.yaml"
    slide(tmp_path / "s1.tif", 1)
    sheet.write_text(HEAD + "c1\ti1\tihc\ts1.tif\n", encoding="utf-8")
    config.write_text(CONFIG, encoding="utf-8")

    def run(*options):
        done = her2path_run(sheet, out, "--cores", "2", "--config", str(config), *options)
        assert done.code == 0, done.stderr
        return done

    def results():
        folders = (out / "images" / "i1", out / "cases" / "c1")
        return {path: path.read_bytes() for folder in folders for path in folder.iterdir() if path.is_file()}

    run()
    first, home = results(), out / "images" / "i1"
    export = rewritten(home / "cells.geojson", tmp_path / "edited.geojson")
    taken = qupath("import", "--out", out, "--image", "i1", "--by", "A.B.", export)
    assert taken.returncode == 0, taken.stderr
    assert results() != first
    # What Snakemake recorded of the first run, without edits, is true again, but its files are not.
    shutil.rmtree(home / "edits")
    shown = run("--dry-run")
    assert "ihc_score" in shown.stderr
    run()
    assert results() == first
    scored = (home / "ihc_score.json").stat().st_mtime_ns
    run()
    assert (home / "ihc_score.json").stat().st_mtime_ns == scored
