"""Steps of the workflow are told the name of an image, and find its files themselves."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from her2path.cli.sheet_files import ROWS, WHOLE, hand_on, reference, with_files, without_paths
from her2path.cli.step import load_step, parse_arguments
from her2path.domain.case import Assay
from her2path.errors import ConfigError
from her2path.io.case_sheet import ImageRow
from her2path.io.cohort_files import read_rows

ROW = ImageRow(
    case_id="c1",
    image_id="c1-fish",
    assay=Assay.FISH,
    path=(Path("/scans/Jane Doe/dapi.tif"), Path("/scans/Jane Doe/her2.tif")),
    tumour_roi=Path("/scans/Jane Doe/tumour.geojson"),
    area="A",
)


@pytest.fixture
def run(monkeypatch):
    """Within a run: the workflow has handed its rows on."""
    monkeypatch.delenv(ROWS, raising=False)
    hand_on([ROW])
    yield Path(os.environ[ROWS])
    Path(os.environ[ROWS]).unlink()


def test_a_row_without_paths_says_all_else(run):
    row = without_paths(ROW)
    assert "Doe" not in row.model_dump_json()
    assert row.model_dump(exclude={"path", "tumour_roi"}) == ROW.model_dump(exclude={"path", "tumour_roi"})
    assert row.exclude_roi is None


def test_a_step_gets_the_files_of_the_image(run):
    step = load_step("slide_intake")
    word = reference("c1-fish")
    row = without_paths(ROW).model_dump_json()
    values, _ = parse_arguments(step, ["--image", word, "--row", row, "--slide", "slide.json"])
    assert values["image"] == list(ROW.path)
    assert values["row"] == ROW
    assert values["slide"] == Path("slide.json")


def test_a_step_gets_the_regions_of_the_image(run):
    found = with_files({"tumour_roi": Path(reference("c1-fish")), "exclude_roi": None})
    assert found == {"tumour_roi": ROW.tumour_roi, "exclude_roi": None}


def test_a_step_of_the_whole_batch_gets_all_rows_in_their_order(monkeypatch):
    monkeypatch.delenv(ROWS, raising=False)
    rows = [ROW.model_copy(update={"image_id": name}) for name in ("z", "a", "m")]
    hand_on(rows)
    file = with_files({"sheet": WHOLE})["sheet"]
    assert read_rows(file, guidelines=()).rows == tuple(rows)
    file.unlink()


def test_outside_of_a_run_the_message_asks_for_the_sheet(monkeypatch):
    monkeypatch.delenv(ROWS, raising=False)
    with pytest.raises(ConfigError, match="give the case sheet"):
        with_files({"sheet": WHOLE})


def test_plain_paths_stay_as_they_are():
    values = {"image": [Path("a.svs")], "tumour_roi": Path("a.geojson"), "row": ROW, "call": []}
    assert with_files(values) == values


def test_only_the_user_can_read_the_rows(run):
    assert stat.S_IMODE(run.stat().st_mode) == 0o600


def test_a_child_keeps_the_rows_of_its_parent(run):
    hand_on([])
    assert with_files({"image": [Path(reference("c1-fish"))]})["image"] == list(ROW.path)


def test_the_rows_are_gone_when_the_process_ends():
    script = (
        f"import os; from her2path.cli.sheet_files import hand_on; hand_on([]); print(os.environ['{ROWS}'])"
    )
    env = {name: value for name, value in os.environ.items() if name != ROWS}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert not Path(done.stdout.strip()).exists()


def test_outside_of_a_run_the_message_asks_for_the_file(monkeypatch):
    monkeypatch.delenv(ROWS, raising=False)
    with pytest.raises(ConfigError, match="give the file of the image"):
        with_files({"image": [Path(reference("c1-fish"))]})
