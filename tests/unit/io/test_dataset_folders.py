"""Folders of tiles and of images with masks, as published sets name them."""

from pathlib import Path

import pytest

from her2path.errors import CaseSheetError
from her2path.io.dataset_folders import Stated, rows_of_masks, rows_of_tiles, without_he


def folder_of(tmp_path, *names):
    for name in names:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "set"


def tiles(tmp_path, *names, **stated):
    return rows_of_tiles(folder_of(tmp_path, *names), Stated(**stated), sheet=tmp_path / "dataset.tsv")


@pytest.mark.parametrize(
    ("name", "score", "split"),
    [
        pytest.param("00001_train_2+.png", "2+", "train", id="BCI"),
        pytest.param("00977_test_0.png", "0", "test", id="BCI, a score without plus"),
        pytest.param("Patho_0001_1+.jpg", "1+", "", id="no split"),
        pytest.param("HER2/valid/score_3/t 17.tif", "3+", "val", id="folders named after split and score"),
        pytest.param("2+/00001.png", "2+", "", id="a folder beside a number that is no score"),
        pytest.param("0/3_x.png", "0", "", id="a name that begins with a number"),
        pytest.param("1+/tile_3.png", "1+", "", id="a running number in a folder named after a score"),
        pytest.param("3+/726f_0.png", "3+", "", id="a running number 0, likewise"),
        pytest.param("da59_HER2-1+.png", "1+", "", id="behind the name of the stain"),
        pytest.param("x_her2_2.png", "2+", "", id="a bare digit behind the name of the stain"),
        pytest.param("ccb6_1_score1.png", "1+", "", id="a bare digit behind `score`"),
        pytest.param("3+/a_3+.png", "3+", "", id="folder and name agree"),
    ],
)
def test_score_and_split_of_a_tile(tmp_path, name, score, split):
    (row,) = tiles(tmp_path, name)
    assert (row["score"], row["split"]) == (score, split)


def test_all_tiles_without_a_score_are_named_at_once(tmp_path):
    with pytest.raises(CaseSheetError) as caught:
        tiles(tmp_path, "a.png", "b.png", "c_2+.png", "1+_2+.png")
    assert [fault.column for fault in caught.value.faults] == ["1+_2+.png", "a.png", "b.png"]
    assert "states the scores 1+ and 2+" in str(caught.value)


def test_running_numbers_are_no_scores(tmp_path):
    with pytest.raises(CaseSheetError, match=r"726f_0\.png: states no score") as caught:
        tiles(tmp_path, "726f_0.png", "726f_3.png", "a_train_1.png", "2/x.png", "HER2_0001.png", "a_2-3+.png")
    assert len(caught.value.faults) == 6


def test_folder_and_name_that_disagree_are_refused_by_file(tmp_path):
    with pytest.raises(CaseSheetError) as caught:
        tiles(tmp_path, "0/x_3+.png", "test/6_train_0.png", "train/7_train_0.png")
    assert [fault.column for fault in caught.value.faults] == ["0/x_3+.png", "test/6_train_0.png"]
    assert "states the scores 0 and 3+" in str(caught.value)
    assert "states the splits test and train" in str(caught.value)


def test_of_a_set_with_two_stains_he_is_left_out(tmp_path):
    names = ("HE/train/1_train_2+.png", "IHC/train/1_train_2+.png")
    (row,) = tiles(tmp_path, *names)
    assert row["image"] == "set/IHC/train/1_train_2+.png"
    images, left_out = without_he(tmp_path / "set")
    assert (len(images), left_out) == (1, 1)


def test_patients_are_taken_from_names_by_the_stated_pattern(tmp_path):
    rows = tiles(tmp_path, "p7_1_2+.png", "p8_1_2+.png", patient=r"(p\d+)_")
    assert [row["patient_id"] for row in rows] == ["p7", "p8"]


def test_without_a_pattern_each_tile_is_of_an_unknown_patient(tmp_path):
    rows = tiles(tmp_path, "a/1_2+.png", "b/1_2+.png")
    assert [row["patient_id"] for row in rows] == ["unknown-a-1_2-", "unknown-b-1_2-"]


def test_an_empty_folder_and_a_missing_one_are_refused(tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(CaseSheetError, match="holds no tiles"):
        tiles(tmp_path)
    with pytest.raises(CaseSheetError, match="there is no folder"):
        rows_of_tiles(tmp_path / "none", Stated(), sheet=tmp_path / "s.tsv")


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("a.png", "a_mask.tif"), id="beside the image"),
        pytest.param(("images/a.png", "masks/a.png"), id="folders of the same names"),
        pytest.param(("train/images/a.png", "train/labels/a.tif"), id="folders within folders"),
    ],
)
def test_an_image_finds_its_mask(tmp_path, names):
    folder = folder_of(tmp_path, *names)
    (row,) = rows_of_masks(folder, Stated(mask_of="nuclei"), sheet=tmp_path / "out" / "dataset.tsv")
    assert (row["image"], row["labels"]) == (f"../set/{names[0]}", f"../set/{names[1]}")


def test_an_image_without_a_mask_is_refused(tmp_path):
    with pytest.raises(CaseSheetError, match=r"b\.png: has no mask"):
        rows_of_masks(folder_of(tmp_path, "a.png", "a_mask.png", "b.png"), Stated(), sheet=Path("s.tsv"))
