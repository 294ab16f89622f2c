"""A fine-tuning that is killed goes on after its last epoch, and ends with the same weights.

The process is killed for good (SIGKILL), in the midst of an epoch, after some epochs were kept:
``pytest tests/validation/training``.  It takes a minute or two, hence it is no unit test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from her2path.steps.train_dataset import TrainDatasetParams
from her2path.steps.train_dataset import run as make_dataset
from her2path.training.finetune_record import read_finetune
from tests.support.labelled_phantoms import cells_dataset

CONFIG = """\
train_finetune:
  epochs: 4
  steps: 4
  patience: 4
  labelled_patches: 1
  patch_px: 64
  rehearsal_scenes: 1
  rehearsal_px: 256
  guard_scenes: 1
  device: cpu
  workers: 0
"""
PATIENCE_S = 240


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    sheet = cells_dataset(folder, patients=3, side_px=256)
    path = folder / "manifest.json"
    params = TrainDatasetParams(val=0.3, test=0.0)
    make_dataset(sheet=sheet, manifest=path, page=folder / "dataset.html", workers=1, params=params)
    (folder / "config.yaml").write_text(CONFIG)
    return path


def command(manifest: Path, out: Path, *more: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "her2path.cli.main",
        "train",
        "fit",
        str(manifest),
        "--out",
        str(out),
        "--config",
        str(manifest.parent / "config.yaml"),
        *more,
    ]


@pytest.fixture(scope="module")
def whole(manifest, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "model"
    subprocess.run(command(manifest, out), check=True)
    return out


def epochs_kept(checkpoint: Path) -> int:
    rows = torch.load(checkpoint, weights_only=True)["her2path"]["rows"]
    return max(int(row["epoch"]) for row in rows)


def killed_after_epochs(manifest: Path, out: Path, epochs: int, *more: str) -> None:
    """Start a fine-tuning and kill it once so many epochs were kept and the next one has begun."""
    told = out.parent / "told.txt"
    with told.open("w") as stream:
        process = subprocess.Popen(command(manifest, out, *more), stderr=stream)
        deadline = time.monotonic() + PATIENCE_S
        while f"epoch {epochs} of" not in told.read_text():
            assert process.poll() is None, told.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        # An epoch is told of when it was judged, and kept right after.
        checkpoint = out / "work" / "checkpoint.ckpt"
        while not checkpoint.is_file() or epochs_kept(checkpoint) < epochs:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (out / "weights.safetensors").exists()


@pytest.mark.parametrize(("epochs", "workers"), [(1, "1"), (2, "0")])
def test_a_killed_fine_tuning_ends_with_the_weights_of_one_that_was_not(
    manifest, whole, tmp_path, epochs, workers
):
    """`whole` had no process beside it that makes lessons; one that fetches them ahead changes nothing."""
    out = tmp_path / "model"
    killed_after_epochs(manifest, out, epochs, "--workers", workers)
    again = command(manifest, out, "--workers", workers)
    done = subprocess.run(again, check=True, capture_output=True, text=True)
    # What was kept is not done again.
    assert f"going on after epoch {epochs} of a run that was stopped" in done.stderr
    assert "epoch 0 of" not in done.stderr
    assert f"epoch {epochs - 1} of" not in done.stderr
    for name in ("weights.safetensors", "losses.csv", "curves.svg"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    assert read_finetune(out / "fit.json").figure == read_finetune(whole / "fit.json").figure


def test_two_processes_fine_tune_one_model_together(manifest, tmp_path):
    """Several GPUs are several processes; on the processor the same way is open."""
    out = tmp_path / "model"
    subprocess.run(command(manifest, out, "--devices", "2", "--epochs", "2"), check=True)
    made = read_finetune(out / "fit.json")
    assert made.machine.processes == 2
    assert made.epochs == 2
    assert (out / "weights.safetensors").is_file()
