from __future__ import annotations

from pathlib import Path

import pytest
import torch

from her2path.cli.main import main
from her2path.training.finetune_hardware import settle
from tests.support.trained_models import trained
from tests.unit.training.test_finetune import manifest

__all__ = ["manifest"]


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int | str | None, str]:
    with pytest.raises(SystemExit) as stopped:
        main(argv)
    return stopped.value.code, capsys.readouterr().err


def test_a_dataset_that_is_not_there_is_refused_with_how_to_make_it(tmp_path, capsys):
    code, words = refused(["train", "fit", str(tmp_path), "--out", str(tmp_path / "m")], capsys)
    assert code == 2
    assert "make it with `her2path train dataset` first" in words


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(manifest, tmp_path, capsys):
    out = tmp_path / "m"
    code, words = refused(["train", "fit", str(manifest), "--out", str(out), "--device", "cuda"], capsys)
    assert code == 2
    assert "no CUDA device is seen; give `--device cpu`" in words
    assert not out.exists()


def test_a_value_out_of_range_is_refused_by_its_key(manifest, tmp_path, capsys):
    code, words = refused(
        ["train", "fit", str(manifest), "--out", str(tmp_path / "m"), "--rate", "3"], capsys
    )
    assert code == 2
    assert "train_finetune.rate" in words


def test_a_model_that_is_not_there_is_refused(manifest: Path, tmp_path, capsys):
    argv = ["train", "fit", str(manifest), "--out", str(tmp_path / "m"), "--model", "her3", "--device", "cpu"]
    code, words = refused(argv, capsys)
    assert code == 6
    assert "her3" in words


def test_settings_of_the_network_are_refused_for_a_scorer_even_where_they_are_zero(
    manifest, tmp_path, capsys
):
    argv = ["train", "fit", str(manifest), "--out", str(tmp_path / "m"), "--scorer", "--workers", "0"]
    code, words = refused(argv, capsys)
    assert code == 2
    assert "--workers: of the network, which --scorer leaves as it is; leave it out" in words


@pytest.mark.parametrize("name", ["MyLab-1", "my lab", "<b>x", "-x", "mylab_é"])
@pytest.mark.parametrize("more", [[], ["--scorer"]], ids=["network", "scorer"])
def test_a_folder_whose_name_cannot_be_an_id_is_refused_before_anything_is_done(
    manifest, tmp_path, capsys, name, more
):
    out = tmp_path / "models" / name
    code, words = refused(["train", "fit", str(manifest), "--out", str(out), *more], capsys)
    assert code == 2
    assert f"'{name}': the folder's name is the model's id, which has small letters" in words
    assert not out.parent.exists()


@pytest.mark.parametrize("more", [[], ["--scorer"]], ids=["network", "scorer"])
def test_the_id_of_a_shipped_model_is_refused_before_anything_is_done(manifest, tmp_path, capsys, more):
    out = tmp_path / "her2-star-2"
    code, words = refused(["train", "fit", str(manifest), "--out", str(out), *more], capsys)
    assert code == 2
    assert "'her2-star-2': a model of this id ships with her2path" in words
    assert not out.exists()


@pytest.mark.parametrize(
    ("name", "why"), [("MyLab-1", "which has small letters"), ("her2-star-2", "ships with her2path")]
)
def test_a_folder_whose_name_cannot_be_an_id_is_not_evaluated(tmp_path, capsys, name, why):
    folder = trained(tmp_path / name)
    code, words = refused(["train", "evaluate", str(folder)], capsys)
    assert code == 2
    assert why in words


@pytest.mark.parametrize("name", ["weights.safetensors", "fit.json"])
def test_a_folder_that_no_training_has_written_is_not_evaluated(tmp_path, capsys, name):
    folder = trained(tmp_path / "my-lab-1")
    (folder / name).unlink()
    code, words = refused(["train", "evaluate", str(folder)], capsys)
    assert code == 6
    assert f"{name} is missing; give the folder that `her2path train fit` has written" in words


@pytest.mark.parametrize("more", [[], ["--scorer"]], ids=["network", "scorer"])
@pytest.mark.parametrize("inside", [False, True])
def test_an_out_that_is_a_file_is_refused_before_scenes_are_composed(
    manifest, tmp_path, capsys, inside, more
):
    file = tmp_path / "my-lab-1"
    file.write_text("notes")
    out = file / "my-lab-2" if inside else file
    code, words = refused(["train", "fit", str(manifest), "--out", str(out), *more], capsys)
    assert code == 2
    assert f"'{file}' is a file, where a folder is needed; give another folder" in words
    assert "rehearsal" not in words


def test_an_out_that_cannot_be_written_to_is_refused_before_scenes_are_composed(manifest, capsys):
    code, words = refused(["train", "fit", str(manifest), "--out", "/proc/my-lab-1"], capsys)
    assert code == 2
    assert "'/proc' cannot be written to" in words
    assert "rehearsal" not in words


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_more_devices_without_a_gpu_are_said_to_be_processes(caplog):
    assert settle("auto", 4, workers=0).processes == 4
    assert "no GPU is used: `devices` means 4 processes on this processor" in caplog.text


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_one_device_without_a_gpu_needs_no_note(caplog):
    assert settle("auto", 1, workers=0).processes == 1
    assert not caplog.text
