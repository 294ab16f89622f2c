"""The command `her2path phantom ihc`."""

from __future__ import annotations

import json

import openslide
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from her2path.cli.phantom import app
from her2path.cli.phantom_ihc import choose_classes, parse_class
from her2path.domain.ihc import Intensity, Pattern
from her2path.errors import ConfigError

SMALL = ["--width", "512", "--height", "512", "--seed", "3"]


def run(*args: str):
    return CliRunner().invoke(app, ["ihc", *args])


@pytest.mark.parametrize(
    ("score", "expected", "category"),
    [
        ("0", "0", "null"),
        ("ultralow", "0", "ultralow"),
        ("1+", "1+", "low"),
        ("2+", "2+", None),
        ("3+", "3+", "positive"),
    ],
)
def test_truth_states_the_score_that_was_asked_for(tmp_path, score, expected, category):
    assert run("--out", str(tmp_path), "--score", score, *SMALL).exit_code == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["expected"]["ihc_score"] == expected
    assert truth["expected"]["her2_category"] == category
    assert truth["tumour_cells"] > 100
    assert pq.read_metadata(tmp_path / "truth_cells.parquet").num_rows > truth["tumour_cells"]


def test_a_slide_is_written_as_a_dicom_series_of_the_same_size_where_asked(tmp_path):
    done = run("--out", str(tmp_path), "--score", "2+", "--dicom", "--mosaic", "2", *SMALL)
    assert done.exit_code == 0
    assert done.stdout.split() == [str(tmp_path / name) for name in ("slide.tif", "dicom/level_0.dcm")]
    sizes = {openslide.OpenSlide(path).dimensions for path in done.stdout.split()}
    assert sizes == {(1024, 1024)}


def test_a_mosaic_multiplies_cells_and_keeps_percentages(tmp_path):
    for name, mosaic in (("one", "1"), ("nine", "3")):
        args = ["--out", str(tmp_path / name), "--class", "strong:complete=0.5", *SMALL]
        assert run(*args, "--mosaic", mosaic).exit_code == 0
    nine = json.loads((tmp_path / "nine" / "truth.json").read_text())
    table = pq.read_table(tmp_path / "nine" / "truth_cells.parquet")
    tumour = [kind == "tumour" for kind in table["kind"].to_pylist()]
    assert nine["tumour_cells"] == sum(tumour) == sum(row["cells"] for row in nine["tally_expressed"])
    assert nine["tumour_cells"] % 9 == 0
    assert nine["percentages_expressed"]["complete_intense"] == pytest.approx(50, abs=1.5)
    with openslide.OpenSlide(tmp_path / "nine" / "slide.tif") as slide:
        assert slide.dimensions == (1536, 1536)
        assert max(table["x_px0"].to_pylist()) < 1536
    assert len(set(table["cell_id"].to_pylist())) == table.num_rows


def test_same_seed_gives_the_same_files(tmp_path):
    for name in ("a", "b"):
        run("--out", str(tmp_path / name), "--score", "1+", *SMALL)
    for file in ("slide.tif", "truth.json", "truth_cells.parquet"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_class_is_read_from_the_command_line():
    share = parse_class("weak:incomplete=0.3")
    assert (share.intensity, share.pattern, share.fraction) == (Intensity.WEAK, Pattern.INCOMPLETE, 0.3)


@pytest.mark.parametrize("text", ["strong", "strong:complete", "pink:complete=0.1", "strong:complete=2"])
def test_a_class_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(ConfigError, match="strong:complete=0.15"):
        parse_class(text)


def test_score_and_classes_exclude_each_other():
    with pytest.raises(ConfigError, match="not both"):
        choose_classes("2+", ["strong:complete=0.1"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--score", "4+"], "unknown"),
        (["--style", "neon"], "unknown"),
        (["--mpp", "7"], "pixel size"),
        (["--random", "--mpp", "7"], "pixel size"),
        (["--random", "--width", "64"], "128 x 128"),
        (["--artefact", "coffee"], "out_of_focus, pen"),
        (["--width", "9000"], "--mosaic"),
        (["--class", "strong:complete=0.8", "--class", "weak:complete=0.8"], "more than 1"),
    ],
)
def test_a_wrong_option_is_a_fault_of_the_operator_and_leaves_nothing(tmp_path, args, message):
    result = run("--out", str(tmp_path / "o"), *args)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert not (tmp_path / "o").exists()


def test_a_random_phantom_keeps_the_classes_and_the_size_that_were_asked_for(tmp_path):
    args = ["--random", "--class", "strong:complete=0.3", "--seed", "500001"]
    result = run("--out", str(tmp_path), *args, "--width", "300", "--height", "256")
    assert result.exit_code == 0
    spec = json.loads((tmp_path / "truth.json").read_text())["spec"]
    assert (spec["width_px"], spec["height_px"], spec["style"]["name"]) == (300, 256, "random")
    assert [share["fraction"] for share in spec["classes"]] == [0.3]


def test_a_lifelike_phantom_carries_the_artefacts_that_were_asked_for(tmp_path):
    args = ["--lifelike", "--architecture", "trabecular", "--artefact", "pen", "--artefact", "fold"]
    result = run("--out", str(tmp_path), "--score", "2+", *args, "--width", "256", "--height", "256")
    assert result.exit_code == 0
    spec = json.loads((tmp_path / "truth.json").read_text())["spec"]
    assert [artefact["kind"] for artefact in spec["artefacts"]] == ["pen", "fold"]
    assert spec["architecture"] == "trabecular"
    assert spec["detail"]["vessels_per_mm2"] > 0
