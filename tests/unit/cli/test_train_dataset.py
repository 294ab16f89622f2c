"""`her2path train dataset` as a researcher types it: sheets, folders of tiles and masks, and exit codes."""

import csv

import pytest

from her2path.cli.main import main
from her2path.io.dataset_documents import SPLITS, read_dataset
from tests.support.labelled_phantoms import masks_folder, tiles_folder

STATED = ["--mpp", "0.5", "--source", "a public set", "--licence", "CC BY 4.0"]


def her2path(*arguments):
    """Run the command; give its exit code."""
    try:
        main(["train", "dataset", *map(str, arguments)])
    except SystemExit as ended:
        return ended.code or 0
    return 0


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    return tiles_folder(tmp_path_factory.mktemp("bci") / "tiles", each=3)


def test_the_shipped_labelled_images_make_a_dataset(sample_data, tmp_path, capsys):
    assert her2path(sample_data / "training" / "dataset.tsv", "--out", tmp_path) == 0
    dataset = read_dataset(tmp_path / "manifest.json", verify=True)
    assert dataset.name == "training"
    assert sum(dataset.patients.values()) == 8
    assert all(set(dataset.classes[split]) >= {"0", "1+", "2+", "3+", "Tumor: 0"} for split in SPLITS)
    assert "manifest.json" in capsys.readouterr().out


def test_a_folder_of_tiles_becomes_a_sheet_and_a_dataset(tiles, tmp_path):
    assert her2path("--tiles", tiles, *STATED, "--out", tmp_path) == 0
    dataset = read_dataset(tmp_path / "manifest.json", verify=True)
    assert (dataset.name, len(dataset.items)) == ("tiles", 12)
    stated = {item.image.rsplit("/", 1)[-1]: item.split for item in dataset.items}
    assert all((split == "test") == ("_test_" in name) for name, split in stated.items())
    assert "val" in stated.values()
    with (tmp_path / "dataset.tsv").open(encoding="utf-8") as file:
        assert {row["licence"] for row in csv.DictReader(file, delimiter="\t")} == {"CC BY 4.0"}


def test_tiles_that_are_all_named_train_are_not_told_of_another_seed(tiles, tmp_path, capsys):
    for path in sorted(tiles.iterdir()):
        if path.suffix == ".png" and "_train_" in path.name:
            (tmp_path / "set").mkdir(exist_ok=True)
            (tmp_path / "set" / path.name).write_bytes(path.read_bytes())
    assert her2path("--tiles", tmp_path / "set", *STATED, "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "no image is in test; name images of it in the sheet" in said
    assert "--seed" not in said
    assert "labelled images, patients not known" in said


def test_a_sheet_that_was_corrected_by_hand_is_not_written_over(tiles, tmp_path, capsys):
    assert her2path("--tiles", tiles, *STATED, "--out", tmp_path) == 0
    sheet = tmp_path / "dataset.tsv"
    sheet.write_text(sheet.read_text().replace("a public set", "another set"))
    assert her2path("--tiles", tiles, *STATED, "--out", tmp_path) == 2
    assert "is there and differs" in capsys.readouterr().err


def test_a_folder_of_masks_becomes_a_dataset(tmp_path):
    folder = masks_folder(tmp_path / "set", images=3)
    options = ["--mask-of", "nuclei", "--patient", r"(f\d)", "--out", tmp_path / "out"]
    assert her2path("--masks", folder, *STATED, *options) == 0
    dataset = read_dataset(tmp_path / "out" / "manifest.json")
    assert {item.patient_id for item in dataset.items} == {"f0", "f1", "f2"}
    assert all(item.complete and item.labelled["nuclei"] > 5 for item in dataset.items)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param([], 2, "give one of dataset.tsv, --tiles", id="nothing given"),
        pytest.param(["--tiles", "nowhere"], 2, "--source is missing", id="no source stated"),
        pytest.param(["--tiles", "nowhere", *STATED], 3, "there is no folder 'nowhere'", id="no folder"),
        pytest.param(["nothing.tsv"], 3, "'nothing.tsv' was not found", id="no sheet"),
        pytest.param(["x.tsv", "--mpp", "0.5"], 2, "are for folders", id="an option of folders"),
        pytest.param(["x.tsv", "--val", "0.9"], 2, "--val: Input should be less than 0.5", id="all held out"),
        pytest.param(
            ["--tiles", "t", *STATED, "--patient", "("], 2, "no regular expression", id="broken pattern"
        ),
        pytest.param(["x.tsv", "--classes", "none.yaml"], 2, "none.yaml cannot be read", id="no mapping"),
    ],
)
def test_what_cannot_be_done_ends_with_what_to_do(arguments, code, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert her2path(*arguments, "--out", "out") == code
    assert message in capsys.readouterr().err


def test_names_of_another_project_are_mapped_by_a_file(tmp_path, capsys):
    (tmp_path / "map.yaml").write_text("Fibroblast: Stromal\n")
    assert her2path("x.tsv", "--classes", tmp_path / "map.yaml", "--out", tmp_path) == 2
    assert "'Stromal' is no class; known are Tumor: 0" in capsys.readouterr().err
