"""What bad input gets: a reason and an exit code, and the other cases unharmed."""

from __future__ import annotations

import csv
import json
import os
import shutil

import cv2
import numpy as np
import pytest
import tifffile

from her2path.domain.guideline.registry import guideline_ids
from her2path.io.case_sheet import COLUMNS, read_case_sheet
from tests.support.fish_bad_input import bad_inputs
from tests.workflow.conftest import her2path_run

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("bad_input")]


def write_sheet(path, rows, columns=COLUMNS):
    lines = ["\t".join(columns)]
    lines += ["\t".join(str(row.get(name, "")) for name in columns) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def good_slide(sample_data):
    sheet = read_case_sheet(sample_data / "cases.tsv", guidelines=guideline_ids())
    return sheet.rows[0].path[0]


@pytest.fixture(scope="module")
def batch(good_slide, tmp_path_factory):
    """One good case among one case of every kind of bad image."""
    folder = tmp_path_factory.mktemp("bad")
    data = good_slide.read_bytes()
    (folder / "truncated.tif").write_bytes(data[: len(data) // 2])
    (folder / "corrupt.svs").write_bytes(data[:64] + np.random.default_rng(1).bytes(200_000))
    (folder / "text.svs").write_text("this is no slide\n" * 100)
    (folder / "empty.tif").touch()
    cv2.imwrite(str(folder / "no_mpp.png"), np.full((600, 600, 3), 200, np.uint8))
    cv2.imwrite(str(folder / "blank.png"), np.full((1500, 1500, 3), 244, np.uint8))
    planes = np.random.default_rng(0).integers(90, 110, (2, 200, 200)).astype(np.uint16)
    metadata = {"axes": "CYX", "Channel": {"Name": ["SpectrumOrange", "SpectrumGreen"]}}
    metadata |= {
        "PhysicalSizeX": 0.16,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.16,
        "PhysicalSizeYUnit": "µm",
    }
    tifffile.imwrite(folder / "no_dapi.ome.tif", planes, ome=True, metadata=metadata)
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [900, 900], [900, 0], [0, 900], [0, 0]]]}
    (folder / "broken.geojson").write_text(
        json.dumps({"type": "Feature", "geometry": bow_tie, "properties": {}})
    )
    shutil.copy(good_slide, folder / "go{o}d.tif")
    shutil.copy(good_slide, folder / "good.tif")

    def ihc(name, path, **cells):
        return {"case_id": name, "image_id": f"{name}_ihc", "assay": "ihc", "path": path, **cells}

    rows = [
        # Braces mean something to Snakemake; a file may have them all the same.
        ihc("good", "go{o}d.tif"),
        ihc("missing", "nowhere.svs"),
        ihc("truncated", "truncated.tif"),
        ihc("corrupt", "corrupt.svs"),
        ihc("text", "text.svs"),
        ihc("empty", "empty.tif"),
        ihc("no_mpp", "no_mpp.png"),
        ihc("blank", "blank.png", mpp=0.5),
        ihc("too_coarse", "no_mpp.png", mpp=2.0),
        ihc("regions", "good.tif", tumour_roi="broken.geojson"),
        {"case_id": "no_dapi", "image_id": "no_dapi_fish", "assay": "fish", "path": "no_dapi.ome.tif"},
    ]
    rows += [fish_row(folder, name, wrong) for name, wrong in BAD_FISH.items()]
    return her2path_run(write_sheet(folder / "cases.tsv", rows), folder / "out", "--cores", "2")


BAD_FISH = {
    "fish_saturated": "saturated DAPI",
    "fish_one_colour": "orange spots only",
    "fish_exchanged": "probes exchanged in the sheet",
    "fish_axes": "c and z exchanged",
}
"""Cases of fluorescence images that are refused by intake or quality, by what is wrong with them."""


def fish_row(folder, name, wrong):
    bad = bad_inputs()[wrong]
    (folder / name).mkdir()
    path = bad.write(folder / name).relative_to(folder)
    cells = {key: ";".join(value) for key, value in bad.cells.items()}
    return {"case_id": name, "image_id": f"{name}_fish", "assay": "fish", "path": path, **cells}


@pytest.mark.parametrize(
    ("case_id", "code"),
    [
        ("missing", "missing_file"),
        ("truncated", "unreadable_image"),
        ("corrupt", "unreadable_image"),
        ("text", "unreadable_image"),
        ("empty", "unreadable_image"),
        ("no_mpp", "no_pixel_size"),
        ("blank", "no_tissue"),
        ("too_coarse", "too_coarse"),
        ("regions", "regions"),
        ("no_dapi", "channels"),
        ("fish_saturated", "saturated"),
        ("fish_one_colour", "no_signals"),
        ("fish_exchanged", "channels"),
        ("fish_axes", "axes"),
    ],
)
def test_a_bad_image_ends_as_not_evaluable_with_its_reason(batch, case_id, code):
    call = json.loads((batch.out / "cases" / case_id / "call.json").read_text(encoding="utf-8"))
    assert (call["status"], call["state"]) == ("not_evaluable", "not_evaluable")
    assert [reason["code"] for reason in call["reasons"].values()] == [code]
    assert call["her2_category"] is None
    assert (batch.out / "cases" / case_id / "report.html").is_file()


def test_the_good_case_among_them_is_called_and_the_exit_code_says_one(batch):
    assert batch.code == 1, batch.stderr
    call = json.loads((batch.out / "cases" / "good" / "call.json").read_text(encoding="utf-8"))
    assert call["status"] == "evaluated"
    with (batch.out / "calls.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 15
    assert [row["case_id"] for row in rows if row["status"] == "evaluated"] == ["good"]


def test_nothing_half_written_is_left(batch):
    assert list(batch.out.rglob("*.part")) == []


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"case_id": "a/b"}, "row 2, case_id"),
        ({"image_id": "../up"}, "row 2, image_id"),
        ({"image_id": "a b"}, "row 2, image_id"),
        ({"case_id": "<b>x</b>"}, "row 2, case_id"),
        ({"case_id": "a'b"}, "row 2, case_id"),
        ({"mpp": "0"}, "row 2, mpp"),
        ({"mpp": "-0.25"}, "row 2, mpp"),
        ({"mpp": "250"}, "row 2, mpp"),
        ({"mpp": "nan"}, "row 2, mpp"),
        ({"guideline": "breast_1066"}, "row 2, guideline"),
        ({"assay": "pcr"}, "row 2, assay"),
        ({"path": ""}, "row 2, path"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_fault_of_the_sheet_is_named_before_anything_is_written(tmp_path, cells, fault):
    row = {"case_id": "a", "image_id": "b", "assay": "ihc", "path": "x.svs", **cells}
    done = her2path_run(write_sheet(tmp_path / "cases.tsv", [row]), tmp_path / "out")
    assert done.code == 3
    assert fault in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_column_and_duplicate_ids_are_named_together_with_all_other_faults(tmp_path):
    row = {"case_id": "a", "image_id": "b", "assay": "ihc", "path": "x.svs"}
    done = her2path_run(write_sheet(tmp_path / "cases.tsv", [row, row]), tmp_path / "out")
    assert done.code == 3
    assert "row 3, image_id" in done.stderr
    odd = write_sheet(tmp_path / "odd.tsv", [row], columns=(*COLUMNS, "colour"))
    done = her2path_run(odd, tmp_path / "out")
    assert done.code == 3
    assert "colour: unknown column" in done.stderr


def test_a_misspelt_configuration_key_is_refused_with_its_neighbour(tmp_path):
    (tmp_path / "config.yaml").write_text("slide_tiles:\n  target_mp: 0.5\n")
    row = {"case_id": "a", "image_id": "b", "assay": "ihc", "path": "x.svs"}
    sheet = write_sheet(tmp_path / "cases.tsv", [row])
    done = her2path_run(sheet, tmp_path / "out", "--config", str(tmp_path / "config.yaml"))
    assert done.code == 2
    assert "did you mean 'target_mpp'" in done.stderr


def test_an_image_replaced_by_an_older_file_is_measured_anew(tmp_path):
    image = tmp_path / "image.png"
    cv2.imwrite(str(image), np.full((600, 600, 3), 244, np.uint8))
    row = {"case_id": "a", "image_id": "b", "assay": "ihc", "path": "image.png", "mpp": 0.5}
    sheet = write_sheet(tmp_path / "cases.tsv", [row])
    her2path_run(sheet, tmp_path / "out")
    call = tmp_path / "out" / "cases" / "a" / "call.json"
    assert json.loads(call.read_text())["reasons"]["b"]["code"] == "no_tissue"
    image.write_text("this is no picture")
    os.utime(image, (0, 0))
    her2path_run(sheet, tmp_path / "out")
    assert json.loads(call.read_text())["reasons"]["b"]["code"] == "unreadable_image"


def test_results_of_another_version_are_made_again(batch, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(batch.out, out)
    shutil.rmtree(out / ".snakemake", ignore_errors=True)
    call = out / "cases" / "missing" / "call.json"
    document = json.loads(call.read_text(encoding="utf-8"))
    document |= {"schema_version": "call/0", "produced_by": {"step": "case_call", "version": "0.0.1"}}
    call.write_text(json.dumps(document))
    row = {"case_id": "missing", "image_id": "missing_ihc", "assay": "ihc", "path": "nowhere.svs"}
    done = her2path_run(write_sheet(tmp_path / "cases.tsv", [row]), out)
    assert done.code == 1, done.stderr
    assert json.loads(call.read_text(encoding="utf-8"))["schema_version"] == "call/4"


def test_a_second_run_into_the_same_folder_is_refused_while_the_first_lives(tmp_path):
    import fcntl  # noqa: PLC0415  (only this test plays the first run)

    row = {"case_id": "a", "image_id": "b", "assay": "ihc", "path": "x.svs"}
    sheet = write_sheet(tmp_path / "cases.tsv", [row])
    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".her2path.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = her2path_run(sheet, tmp_path / "out")
    assert done.code == 2
    assert "another run" in done.stderr
