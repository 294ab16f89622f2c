from __future__ import annotations

from pathlib import Path

import pytest
import torch

from her2path.cli.main import main
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
