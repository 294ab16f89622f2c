"""Results of one small slide, edited through the commands `her2path qupath ...` as a person would."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from her2path.cli import chain
from her2path.cli.main import app, outcome
from her2path.config import Config
from her2path.domain.guideline.registry import guideline_ids
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.case_sheet import read_case_sheet
from her2path.io.documents import CallDoc, IhcScoreDoc, read_document
from tests.support.slides import write_pyramid

runner = CliRunner()
SIDE = 640
IMAGE = "i1"


def measure(folder: Path) -> Path:
    """Give results of a 1+ phantom, found by the classical method."""
    spec = IhcPhantomSpec(seed=11, width_px=SIDE, height_px=SIDE, mpp=0.5, classes=SCORE_PRESETS["1+"])
    write_pyramid(folder / "slide.tif", render_ihc(spec).rgb, mpp=0.5)
    (folder / "cases.tsv").write_text("case_id\timage_id\tassay\tpath\nc1\ti1\tihc\tslide.tif\n")
    settings = {"ihc_cells": {"model": None}, "pdf": False, "ihc_score": {"overlay_px": 200}}
    config = Config.model_validate({"cases": folder / "cases.tsv", "out": folder / "out", **settings})
    out = folder / "out"
    (out / "logs").mkdir(parents=True)
    (out / "logs" / "config.json").write_text(config.model_dump_json())
    rows = read_case_sheet(config.cases, guidelines=guideline_ids()).rows
    chain.run_case(rows, out, config, workers=1)
    return out


def run(*words):
    done = runner.invoke(app, ["qupath", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        message, code = outcome(done.exception)
        return code, message
    return done.exit_code, done.output


def take(out, file, *options, by="A.B."):
    return run("import", "--out", out, "--image", IMAGE, "--by", by, "--on", "2026-11-20", *options, file)


def discard(out):
    return run("discard", "--out", out, "--image", IMAGE)


def score_of(out):
    return read_document(out / "images" / IMAGE / "ihc_score.json", IhcScoreDoc)


def call_of(out):
    return read_document(out / "cases" / "c1" / "call.json", CallDoc)


def features(out):
    return json.loads((out / "images" / IMAGE / "cells.geojson").read_text(encoding="utf-8"))["features"]


def export(path, cells):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": cells}), encoding="utf-8")
    return path


def with_class(cells, old, new, *, of=1000):
    """Give the first cells of a class another one."""
    left = of
    for cell in cells:
        if cell["properties"]["classification"]["name"] == old and left:
            cell["properties"]["classification"] = {"names": new.split(": "), "color": [1, 2, 3]}
            left -= 1
    return of - left


def bytes_of(out):
    kept = {"images", "cases"}
    files = (path for name in kept for path in (out / name).rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files if path.parent.name != "edits"}
