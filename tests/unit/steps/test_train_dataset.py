"""A dataset of labelled images: what its manifest holds, and what is refused with what to do."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest

from her2path.cli.phantom_training import write_sheet
from her2path.errors import ArtefactError, CaseSheetError
from her2path.io.dataset_documents import SPLITS, read_dataset
from her2path.steps.train_dataset import TrainDatasetParams, run
from tests.support.labelled_phantoms import (
    cells_dataset,
    labelled,
    write_labelled_cells,
    write_labelled_mask,
    write_labelled_tile,
)


def made(folder, **changes):
    out = folder / "out"
    params = TrainDatasetParams(**{"samples": 2} | changes)
    run(
        sheet=folder / "dataset.tsv",
        manifest=out / "manifest.json",
        page=out / "dataset.html",
        workers=2,
        params=params,
    )
    return read_dataset(out / "manifest.json", verify=True)


def faults_of(folder, **changes):
    with pytest.raises(CaseSheetError) as caught:
        made(folder, **changes)
    assert str(caught.value).startswith("the dataset cannot be used:")
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    cells_dataset(folder, patients=6)
    return folder


@pytest.fixture
def few(tmp_path):
    """Four tiles of four patients, two of each score, and the rows of their sheet."""
    mixes = ("null", "3+", "null", "3+")
    return tmp_path, [
        write_labelled_tile(tmp_path, f"t{n}.png", labelled(400 + n, mix=mix), patient_id=f"p{n}")
        for n, mix in enumerate(mixes)
    ]


def test_manifest_says_all_of_every_image_and_parts_no_patient(whole):
    dataset = made(whole)
    assert {item.patient_id for item in dataset.items} == {f"p{n}" for n in range(6)}
    assert all(dataset.classes[split]["Tumor: 3+"] > 0 for split in SPLITS)
    assert sum(dataset.patients.values()) == 6
    first = dataset.items[0]
    assert (first.image, first.labels, first.mpp) == ("../p0_0.tif", "../p0_0.geojson", pytest.approx(0.5))
    assert (first.source, first.licence, first.complete) == ("her2path phantoms", "Apache-2.0", True)


def test_the_same_dataset_gives_the_same_bytes_on_one_worker_or_four(whole, tmp_path):
    pages = []
    for workers in (1, 4):
        out = whole / f"out{workers}"
        run(
            sheet=whole / "dataset.tsv",
            manifest=out / "manifest.json",
            page=out / "dataset.html",
            workers=workers,
            params=TrainDatasetParams(),
        )
        pages.append([(out / name).read_bytes() for name in ("manifest.json", "dataset.html")])
    assert pages[0] == pages[1]


def test_the_page_shows_samples_of_each_class_and_fetches_nothing(whole):
    made(whole, samples=8)
    page = (whole / "out" / "dataset.html").read_text()
    for name in ("Tumor: 0", "Tumor: 3+", "Stroma"):
        assert len(re.findall(rf'aria-label="{re.escape(name)}: p\d_0\.tif', page)) >= 6
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert len(page) < 3e6


def test_a_file_that_was_changed_since_is_noticed(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    made(copy)
    with (copy / "p1_0.geojson").open("a") as file:
        file.write(" ")
    with pytest.raises(ArtefactError, match=r"p1_0\.geojson' was changed since") as caught:
        read_dataset(copy / "out" / "manifest.json", verify=True)
    assert str(caught.value).endswith("; run `her2path train dataset` again")


def test_another_document_than_a_manifest_is_not_to_be_deleted(tmp_path):
    (tmp_path / "fit.json").write_text('{"schema_version": "finetune/1"}')
    with pytest.raises(
        ArtefactError, match=r"give the manifest\.json that `her2path train dataset`"
    ) as caught:
        read_dataset(tmp_path / "fit.json")
    assert "delete" not in str(caught.value)


def test_an_earlier_manifest_keeps_patients_where_they_were(few):
    folder, rows = few
    write_sheet(folder / "dataset.tsv", rows)
    before = {item.patient_id: item.split for item in made(folder).items}
    added = [
        write_labelled_tile(folder, f"n{n}.png", labelled(411 + n, mix="null"), patient_id=f"n{n}")
        for n in range(3)
    ]
    write_sheet(folder / "more.tsv", rows + added)
    run(
        sheet=folder / "more.tsv",
        earlier=folder / "out" / "manifest.json",
        manifest=folder / "out2" / "manifest.json",
        page=folder / "out2" / "dataset.html",
        workers=1,
        params=TrainDatasetParams(seed=99),
    )
    after = {item.patient_id: item.split for item in read_dataset(folder / "out2" / "manifest.json").items}
    assert before.items() <= after.items()


def test_one_image_of_a_class_is_refused(few):
    folder, rows = few
    write_sheet(folder / "dataset.tsv", rows[:3])
    (fault,) = faults_of(folder)
    assert fault == (
        "row 3, score: '3+' is the label of this image alone; label it in images of two patients or more"
    )


def test_a_class_that_the_model_does_not_know_is_refused_and_can_be_mapped(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    path = copy / "p0_0.geojson"
    path.write_text(path.read_text().replace('"Stroma"', '"Fibroblast"'))
    (fault,) = faults_of(copy)
    assert fault.startswith("row 2, labels: labels 'p0_0.geojson': unknown class 'Fibroblast'")
    assert made(copy, classes={"fibroblast": "Stroma"}).renamed == {"fibroblast": "Stroma"}


def test_the_same_tissue_of_two_patients_is_refused(few):
    folder, rows = few
    picture = cv2.imread(str(folder / "t1.png"))
    cv2.imwrite(str(folder / "again.png"), np.rot90(picture)[:, :200])
    write_sheet(folder / "dataset.tsv", [*rows, {**rows[1], "image": "again.png", "patient_id": "p9"}])
    (fault,) = faults_of(folder)
    assert re.search(
        r"row 6, patient_id: shows \d+ % of the tissue, turned by -?90° of 't1\.png' \(row 3\)", fault
    )
    assert "give both the same patient_id, or remove one" in fault


def test_the_same_tissue_of_one_patient_is_reported(few):
    folder, rows = few
    shutil.copy(folder / "t1.png", folder / "again.png")
    write_sheet(folder / "dataset.tsv", [*rows, {**rows[1], "image": "again.png"}])
    dataset = made(folder)
    (pair,) = dataset.duplicates
    assert pair.how == "same_file"
    assert any("show the same tissue" in words for words in dataset.warnings)


def test_one_picture_with_two_scores_is_refused(few):
    folder, rows = few
    shutil.copy(folder / "t1.png", folder / "again.png")
    write_sheet(folder / "dataset.tsv", [*rows, {**rows[1], "image": "again.png", "score": "0"}])
    (fault,) = faults_of(folder)
    assert fault.startswith(
        "row 6, score: is scored 0, but 't1.png' (row 3) is the same picture and scored 3+"
    )


def test_one_picture_with_two_classes_of_its_cells_is_refused(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    shutil.copy(copy / "p0_0.tif", copy / "again.tif")
    swapped = (copy / "p0_0.geojson").read_text().replace('"Tumor: 3+"', '"Other"')
    (copy / "again.geojson").write_text(swapped)
    lines = (copy / "dataset.tsv").read_text().splitlines()
    first = next(line for line in lines if "p0_0.tif" in line)
    lines.append(first.replace("p0_0.", "again."))
    (copy / "dataset.tsv").write_text("\n".join(lines) + "\n")
    (fault,) = faults_of(copy)
    assert re.search(r"labels: the same picture as 'p0_0\.tif' \(row 2\), but \d+ cells? of another", fault)


def test_a_pixel_size_of_the_sheet_that_overrides_the_file_is_noted(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    lines = [line.split("\t") for line in (copy / "dataset.tsv").read_text().splitlines()]
    at = lines[0].index("mpp")
    lines[1][at] = "0.4"
    (copy / "dataset.tsv").write_text("\n".join("\t".join(line) for line in lines) + "\n")
    assert "'p0_0.tif' (row 2): the sheet's mpp 0.4 overrides the file's 0.5" in made(copy).warnings


def test_unknown_patients_whose_tiles_overlap_stay_together(tmp_path):
    rows = []
    for number in range(5):
        large = labelled(420 + number, side_px=300, mix="null")
        for part, rgb in enumerate((large.rgb[:200, :200], large.rgb[100:, :200])):
            name = f"t{number}_{part}.png"
            row = write_labelled_tile(tmp_path, name, large, patient_id=f"unknown-{number}-{part}")
            cv2.imwrite(str(tmp_path / name), np.ascontiguousarray(rgb[..., ::-1]))
            rows.append(row)
    write_sheet(tmp_path / "dataset.tsv", rows)
    dataset = made(tmp_path, val=0.3, test=0.3)
    splits = {item.patient_id: item.split for item in dataset.items}
    assert all(splits[f"unknown-{n}-0"] == splits[f"unknown-{n}-1"] for n in range(5))
    assert set(splits.values()) == set(SPLITS)
    assert "the patients of 10 images are not known" in dataset.warnings[0]


def test_a_set_that_comes_as_train_and_test_gets_patients_to_choose_the_model(few):
    folder, rows = few
    more = [
        write_labelled_tile(folder, f"m{n}.png", labelled(430 + n, mix="null"), patient_id=f"m{n}")
        for n in range(4)
    ]
    stated = [{**row, "split": "test" if n < 2 else "train"} for n, row in enumerate([*rows, *more])]
    write_sheet(folder / "dataset.tsv", stated)
    splits = {item.patient_id: item.split for item in made(folder).items}
    assert (splits["p0"], splits["p1"]) == ("test", "test")
    assert set(splits.values()) == set(SPLITS)


def test_what_is_wrong_with_files_is_said_of_all_rows_at_once(few):
    folder, rows = few
    (folder / "broken.png").write_bytes((folder / "t0.png").read_bytes()[:4000])
    found = labelled(440)
    mask = write_labelled_mask(folder, "m", found, patient_id="p5")
    write_labelled_mask(folder, "small", labelled(441, side_px=128), patient_id="p6")
    cells = write_labelled_cells(folder, "c", found, patient_id="p7")
    shifted = re.sub(
        r"\[(\d+\.\d),", lambda hit: f"[{float(hit[1]) + 900:.1f},", (folder / "c.geojson").read_text()
    )
    (folder / "c.geojson").write_text(shifted)
    wrong = [
        {**rows[0], "image": "none.png", "patient_id": "q1"},
        {**rows[0], "image": "broken.png", "patient_id": "q2"},
        {**rows[0], "mpp": "", "patient_id": "q3"},
        {**mask, "labels": "small_mask.tif"},
        cells,
        {**rows[1], "mpp": 2.0},
    ]
    write_sheet(folder / "dataset.tsv", wrong)
    expected = [
        "row 2, image: the file of image 'none.png' was not found; correct its path",
        "row 3, image: image 'broken.png' cannot be read",
        "row 4, mpp: the file states no pixel size; give the pixel size in µm in column `mpp`, or with",
        "row 5, labels: labels 'small_mask.tif': the mask is 128 x 128 pixels, its image 256 x 256; export",
        "row 6, labels: ",
        "row 7, mpp: has 2 µm a pixel, coarser than the 0.5 µm that the model sees",
    ]
    found_faults = faults_of(folder)
    for fault, start in zip(found_faults, expected, strict=True):
        assert fault.startswith(start)
    assert "lie beyond the image of 256 x 256 pixels" in found_faults[4]


def test_a_mapping_to_no_class_is_refused():
    with pytest.raises(ValueError, match="'Cancer' is no class; known are Tumor: 0"):
        TrainDatasetParams(classes={"x": "Cancer"})


def test_nothing_in_the_manifest_is_an_absolute_path(whole):
    made(whole)
    text = (whole / "out" / "manifest.json").read_text()
    assert str(whole) not in text
    assert all(not item["image"].startswith("/") for item in json.loads(text)["items"])
