"""A whole run over slides with planted personal data: nothing of it may be in any file that is left.

Every format that a slide comes in carries names in every place it has for them, and lies in folders and
under file names that name patients; others fail in every way, because messages leak, too.  Then all
that the commands for exchange write is searched as well.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from her2path.domain.guideline.registry import guideline_ids
from her2path.io.case_sheet import read_case_sheet
from tests.support.deep_search import colour_share, pictures, search
from tests.support.planted import LABEL_RGB, Planted, label_picture, write_planted_batch
from tests.workflow.conftest import Run, her2path_run

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("privacy"), pytest.mark.filterwarnings("ignore")]


@dataclass(frozen=True)
class PlantedRun:
    """A run and what was planted in its images."""

    run: Run
    planted: Planted
    sheet: Path


def her2path(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "her2path.cli.main", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.fixture(scope="module")
def done(sample_data, tmp_path_factory) -> PlantedRun:
    folder = tmp_path_factory.mktemp("slides")
    sheet, planted = write_planted_batch(folder, sample_data)
    return PlantedRun(her2path_run(sheet, tmp_path_factory.mktemp("results"), "--cores", "2"), planted, sheet)


def states(done: PlantedRun) -> dict[str, str]:
    calls = sorted(done.run.out.glob("cases/*/call.json"))
    return {path.parent.name: json.loads(path.read_text(encoding="utf-8"))["status"] for path in calls}


def test_slides_of_every_kind_were_measured_and_every_kind_of_failure_happened(done):
    assert done.run.code == 1, done.run.stderr
    found = states(done)
    assert {found[case] for case in ("p1", "p2", "p3")} == {"evaluated"}
    assert {found[f"p{n}"] for n in range(4, 12)} == {"not_evaluable"}


def test_no_file_of_the_results_holds_a_planted_word(done):
    found = search(done.run.out, done.planted.places)
    assert found == [], "\n".join(map(str, found[:40]))


def test_the_terminal_shows_no_planted_word(done, tmp_path):
    (tmp_path / "terminal.txt").write_text(done.run.stdout + done.run.stderr, encoding="utf-8")
    assert search(tmp_path, done.planted.places) == []


def test_no_picture_of_the_results_shows_a_label(done):
    shares = {where: colour_share(picture, LABEL_RGB) for where, picture in pictures(done.run.out)}
    assert len(shares) > 30
    assert max(shares.values()) < 0.001, max(shares, key=lambda where: shares[where])


def test_the_label_would_be_seen(done):
    # The search above rests on the colour of the label: nothing is proven where it cannot be found.
    assert colour_share(label_picture(done.planted), LABEL_RGB) > 0.5


def test_the_search_finds_what_the_slides_hold(done):
    # And on words: every place that was planted is found in the slides themselves.
    found = {one.place for one in search(done.sheet.parent, done.planted.places)}
    assert found >= done.planted.places.keys() - {"label", "text content"}


def test_folders_and_files_bear_the_names_of_the_sheet(done):
    rows = read_case_sheet(done.sheet, guidelines=guideline_ids()).rows
    assert {path.name for path in (done.run.out / "images").iterdir()} == {row.image_id for row in rows}
    assert {path.name for path in (done.run.out / "cases").iterdir()} == {row.case_id for row in rows}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("export", "anndata", "OUT", "--image", "p1-ihc", "--out", "t.h5ad"), id="anndata"),
        pytest.param(
            ("export", "spatialdata", "OUT", "--image", "p1-ihc", "--out", "t.zarr", "--cases", "SHEET"),
            id="spatialdata",
        ),
    ],
)
def test_what_is_exported_holds_no_planted_word(done, tmp_path, command):
    words = {"OUT": done.run.out, "SHEET": done.sheet}
    arguments = [
        tmp_path / word if word in ("t.h5ad", "t.zarr") else words.get(word, word) for word in command
    ]
    ended = her2path(*arguments)
    assert ended.returncode == 0, ended.stderr
    assert search(tmp_path, done.planted.places) == []


def test_a_qupath_project_names_the_files_that_it_opens_and_nothing_else_of_the_slides(done, tmp_path):
    ended = her2path("qupath", "project", "--out", done.run.out, tmp_path / "project")
    assert ended.returncode == 1, ended.stderr
    found = search(tmp_path, done.planted.places)
    assert {one.place.split()[-1] for one in found} <= {"file", "folder"}, "\n".join(map(str, found))
    assert {Path(one.file).name for one in found} == {"project.qpproj", "server.json"}


def test_a_failed_job_logs_no_file_of_a_patient(tmp_path, sample_data):
    """A job that fails writes its command into the log of the workflow."""
    sheet, planted = write_planted_batch(tmp_path / "slides", sample_data)
    header, first, *_ = sheet.read_text(encoding="utf-8").splitlines()
    sheet.write_text(f"{header}\n{first}\n", encoding="utf-8")
    out = tmp_path / "out"
    (out / "images" / "p1-ihc").mkdir(parents=True)
    # A folder where a file should be: no image is at fault, so the job itself fails.
    (out / "images" / "p1-ihc" / "slide.json").mkdir()
    ended = her2path_run(sheet, out, "--cores", "1")
    assert ended.code not in (0, 1)
    assert "p1-ihc" in (out / "logs" / "snakemake.log").read_text(encoding="utf-8")
    found = search(out, planted.places)
    assert found == [], "\n".join(map(str, found[:40]))
