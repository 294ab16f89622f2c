"""The dataset sheet: what a row may say, and every fault with its row and column."""

import pytest

from her2path.errors import CaseSheetError
from her2path.io.dataset_sheet import read_dataset_sheet

HEADER = "image\tkind\tlabels\tscore\tmpp\tpatient_id\tsource\tlicence\tsplit\tslide_id\tmask_of"


def faults_of(tmp_path, *rows, header=HEADER):
    path = tmp_path / "dataset.tsv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    try:
        read_dataset_sheet(path)
    except CaseSheetError as error:
        return [str(fault) for fault in error.faults]
    return []


def tile(image, patient, *, score="2+", split="", slide=""):
    return f"{image}\ttile\t\t{score}\t0.5\t{patient}\tus\tours\t{split}\t{slide}"


def test_a_faultless_sheet(tmp_path):
    cells = "b.tif\tcells\tb.geojson\t\t\tp2\tus\tours"
    mask = "c.tif\tmasks\tc.png\t\t0.25\tp3\tus\tours\ttest\t\tnuclei"
    assert faults_of(tmp_path, tile("a.png", "p1"), cells, mask) == []


def test_a_sheet_that_a_spreadsheet_saved_with_semicolons_is_read(tmp_path):
    row = tile("a.png", "p1").replace("\t", ";")
    assert faults_of(tmp_path, row, header=HEADER.replace("\t", ";")) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        pytest.param(
            "a.png\ttile\t\t2+\t0.5\tp1\tus", "row 2, licence: is empty; state the licence", id="no licence"
        ),
        pytest.param(
            "a.png\ttile\t\t2+\t0.5\tp1\t\tx", "row 2, source: is empty; state where", id="no source"
        ),
        pytest.param(
            "a.png\ttile\t\t2+\t0.5\t\tus\tx", "row 2, patient_id: is empty; give a pseud", id="no patient"
        ),
        pytest.param(
            "a.png\ttile\t\t\t0.5\tp1\tus\tx", "row 2, score: is empty, but a tile is", id="no score"
        ),
        pytest.param("a.png\ttile\t\t4\t0.5\tp1\tus\tx", "row 2, score: Input should be '0'", id="score 4"),
        pytest.param("a.png\tcells\t\t\t0.5\tp1\tus\tx", "row 2, labels: is empty; name the", id="no labels"),
        pytest.param(
            "a.png\tmasks\tm.png\t\t0.5\tp1\tus\tx", "row 2, mask_of: is empty; say", id="mask of what"
        ),
        pytest.param(
            "a.png\ttile\t\t2+\t0,25\tp1\tus\tx",
            "row 2, mpp: is no number with a decimal point; give µm per pixel, for example 0.25 (found",
            id="a decimal comma",
        ),
        pytest.param("a.png\ttile\t\t2+\t50\tp1\tus\tx", "row 2, mpp: 50.0 is no pixel size", id="50 µm"),
        pytest.param(
            "a.png\ttile\t\t2+\t0.5\tMs Roe\tus\tx", "row 2, patient_id: 'Ms Roe' cannot", id="a name"
        ),
    ],
)
def test_a_fault_of_one_row(tmp_path, row, fault):
    (found,) = faults_of(tmp_path, row)
    assert found.startswith(fault)


def test_complete_is_yes_or_no(tmp_path):
    row = "a.png\tcells\ta.geojson\t\t0.5\tp1\tus\tx\t\t\t\tmaybe"
    (found,) = faults_of(tmp_path, row, header=f"{HEADER}\tcomplete")
    assert found.startswith("row 2, complete: is neither yes nor no; leave it empty")


def test_one_patient_in_two_splits_is_refused(tmp_path):
    rows = [
        tile("a.png", "p1", split="train"),
        tile("b.png", "p2", split="test"),
        tile("c.png", "p1", split="test"),
    ]
    (fault,) = faults_of(tmp_path, *rows)
    assert fault == ("row 4, split: patient 'p1' is test here and train in row 2; give a patient one split")


def test_a_slide_of_two_patients_is_refused(tmp_path):
    (fault,) = faults_of(tmp_path, tile("a.png", "p1", slide="s1"), tile("b.png", "p2", slide="s1"))
    assert "slide 's1' is of patient 'p2' here and of 'p1' in row 2" in fault


def test_one_patient_spelt_in_two_ways_is_refused(tmp_path):
    (fault,) = faults_of(tmp_path, tile("a.png", "p1"), tile("b.png", "P1"))
    assert "differs from 'p1' only in its case" in fault


def test_an_image_that_is_listed_twice_is_refused(tmp_path):
    (fault,) = faults_of(tmp_path, tile("a.png", "p1"), tile("./a.png", "p1"))
    assert fault.startswith("row 3, image: is the image of row 2")


def test_all_faults_come_at_once(tmp_path):
    assert len(faults_of(tmp_path, "a.png\ttile", tile("b.png", "p1", score="5"), header=HEADER)) == 4


def test_unknown_and_missing_columns_are_named(tmp_path):
    found = faults_of(tmp_path, "a", header="image\tkind\tfoo\tsource\tlicence")
    assert [fault.split(":")[0] for fault in found] == ["row 1, foo", "row 1, patient_id"]


def test_a_file_that_is_no_sheet_is_refused(tmp_path):
    (fault,) = faults_of(tmp_path, header="hello")
    assert "names no columns of a dataset" in fault
