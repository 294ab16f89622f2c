"""Fine-tuning end to end on two small phantoms; what a killed process leaves is in tests/validation."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from her2path.errors import ArtefactError, ConfigError, LabelError, ModelError
from her2path.io.model_store import models_folder, open_model
from her2path.reports.training_curves import render_curves
from her2path.steps.train_dataset import TrainDatasetParams
from her2path.steps.train_dataset import run as make_dataset
from her2path.steps.train_finetune import TrainFinetuneParams, run
from her2path.training.finetune import Start
from her2path.training.finetune_checkpoint import read_checkpoint
from her2path.training.finetune_data import prepare
from her2path.training.finetune_hardware import settle
from her2path.training.finetune_module import StepsOfEpoch
from her2path.training.finetune_record import TuningRecipe, read_finetune
from tests.support.labelled_phantoms import cells_dataset

TINY = TrainFinetuneParams(
    epochs=2,
    steps=2,
    labelled_patches=1,
    patch_px=64,
    rehearsal_scenes=1,
    rehearsal_px=256,
    guard_scenes=1,
    device="cpu",
    workers=0,
)
FILES = ("weights", "losses", "curves", "record")


def dataset_of(sheet: Path) -> Path:
    manifest = sheet.parent / "manifest.json"
    params = TrainDatasetParams(val=0.3, test=0.0)
    make_dataset(sheet=sheet, manifest=manifest, page=sheet.parent / "dataset.html", workers=1, params=params)
    return manifest


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    return dataset_of(cells_dataset(tmp_path_factory.mktemp("data"), patients=3, side_px=256))


def fine_tuned(manifest: Path, folder: Path, params: TrainFinetuneParams = TINY) -> dict[str, Path]:
    names = ("weights.safetensors", "losses.csv", "curves.svg", "fit.json")
    files = {key: folder / name for key, name in zip(FILES, names, strict=True)}
    run(dataset=manifest, params=params, **files)
    return files


@pytest.fixture(scope="module")
def tuned(manifest, tmp_path_factory) -> dict[str, Path]:
    return fine_tuned(manifest, tmp_path_factory.mktemp("model"))


def test_a_fine_tuned_model_is_a_folder_like_any_model(tuned):
    made = read_finetune(tuned["record"])
    shipped = open_model("her2-star-2")
    assert made.started_from.id == "her2-star-2"
    assert made.started_from.sha256 == shipped.card.sha256
    weights = load_file(tuned["weights"])
    assert {name: value.shape for name, value in weights.items()} == {
        name: value.shape for name, value in shipped.load_weights().items()
    }
    rows = tuned["losses"].read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "0", "1", "2"]
    assert "<svg" in tuned["curves"].read_text()
    assert list(tuned["weights"].parent.glob("work/tensorboard/events.*"))


def test_the_record_says_what_was_taught_and_the_figure_before_and_after(tuned):
    made = read_finetune(tuned["record"])
    assert made.images["train"] >= 1
    assert any(name.startswith("Tumor: ") for name in made.taught["train"])
    assert made.figure is not None
    assert made.figure.after.value >= made.figure.before.value
    assert made.guard.after.value >= made.guard.before.value - made.recipe.guard_loss


def test_the_same_fine_tuning_gives_the_same_bytes(manifest, tuned, tmp_path):
    again = fine_tuned(manifest, tmp_path)
    for name in ("weights", "losses", "curves", "record"):
        assert again[name].read_bytes() == tuned[name].read_bytes(), name


def test_a_finished_fine_tuning_is_not_done_again_and_says_so(tuned, manifest, caplog):
    caplog.set_level("INFO", logger="her2path")
    before = tuned["weights"].read_bytes()
    checkpoint = tuned["weights"].parent / "work" / "checkpoint.ckpt"
    stamp = checkpoint.stat().st_mtime_ns
    fine_tuned(manifest, tuned["weights"].parent)
    assert tuned["weights"].read_bytes() == before
    assert checkpoint.stat().st_mtime_ns == stamp
    assert "this fine-tuning was finished before" in caplog.text
    assert "stopped" not in caplog.text


def test_a_checkpoint_of_another_fine_tuning_is_refused_by_what_differs(tuned, manifest):
    with pytest.raises(ArtefactError, match="another recipe.*give another `--out`"):
        fine_tuned(manifest, tuned["weights"].parent, TINY.model_copy(update={"rate": 2e-4}))


def test_a_checkpoint_of_another_architecture_is_refused_by_both_names(tuned):
    checkpoint = tuned["weights"].parent / "work" / "checkpoint.ckpt"
    with pytest.raises(ArtefactError, match="'star-unet-24-32-96', the model is of 'star-unet-9'"):
        read_checkpoint(checkpoint, {"architecture": "star-unet-9"})


def test_a_damaged_checkpoint_is_refused(tmp_path):
    (tmp_path / "checkpoint.ckpt").write_bytes(b"half a file")
    with pytest.raises(ArtefactError, match="no checkpoint of a fine-tuning"):
        read_checkpoint(tmp_path / "checkpoint.ckpt", {"architecture": "star-unet-24-32-96"})


def test_a_model_of_an_unknown_architecture_is_refused(tmp_path):
    folder = tmp_path / "her2-star-2"
    shutil.copytree(models_folder() / "her2-star-2", folder)
    card = folder / "model.yaml"
    card.write_text(card.read_text().replace("star-unet-24-32-96", "star-unet-9"))
    with pytest.raises(ModelError, match="architecture 'star-unet-9' is unknown"):
        Start.of(open_model(str(folder)))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_refused_with_what_to_do():
    with pytest.raises(ConfigError, match="no CUDA device is seen; give `--device cpu`"):
        settle("cuda", None, workers=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_the_processor_is_taken():
    assert settle("auto", None, workers=0).device == "cpu"


def changed(manifest: Path, folder: Path, **update: object) -> Path:
    """Copy a dataset and change each of its items."""
    shutil.copytree(manifest.parent, folder)
    path = folder / "manifest.json"
    found = json.loads(path.read_text())
    found["items"] = [item | update for item in found["items"]]
    path.write_text(json.dumps(found))
    return path


RECIPE = replace(TINY.recipe(), rehearsal_scenes=1)


def test_what_an_operator_does_not_set_is_as_the_recipe_has_it():
    assert TrainFinetuneParams().recipe() == TuningRecipe()


def test_a_dataset_without_images_to_train_on_is_refused(manifest, tmp_path):
    with pytest.raises(LabelError, match="the split `train` is empty; give images of more patients"):
        prepare(changed(manifest, tmp_path / "data", split="val"), RECIPE, cache=tmp_path)


def test_scores_of_tiles_alone_teach_the_segmentation_nothing(manifest, tmp_path):
    tiles = changed(
        manifest, tmp_path / "data", kind="tile", labels=None, labels_sha256=None, score="2+", complete=False
    )
    with pytest.raises(LabelError, match="of kind tile.*teach the scorer alone"):
        prepare(tiles, RECIPE, cache=tmp_path)


def test_processes_share_the_lessons_of_an_epoch_and_take_none_twice():
    epoch = 0
    samplers = [StepsOfEpoch(lambda: epoch, steps=3, rank=rank, world=2) for rank in range(2)]
    first = [list(sampler) for sampler in samplers]
    assert first == [[0, 2, 4], [1, 3, 5]]
    epoch = 1
    assert [list(sampler) for sampler in samplers] == [[6, 8, 10], [7, 9, 11]]


def test_the_learning_rate_rises_and_falls_to_nothing():
    recipe = TuningRecipe(epochs=5, steps=10, warm_up=10)
    factors = np.array([recipe.factor_at(step) for step in range(50)])
    assert factors.argmax() in (9, 10)
    assert (np.diff(factors[:10]) > 0).all()
    assert (np.diff(factors[10:]) < 0).all()
    assert factors[-1] < 0.01


def test_curves_mark_the_epoch_that_was_kept_and_leave_gaps_where_nothing_was_measured():
    rows = [
        {"rehearsal": None, "labels": None, "figure": 0.6, "guard": 0.8},
        {"rehearsal": 1.0, "labels": 0.8, "figure": 0.7, "guard": 0.8},
        {"rehearsal": 0.9, "labels": 0.5, "figure": 0.65, "guard": 0.79},
    ]
    drawn = render_curves(rows, best_epoch=1, figure="cells read right, F1")
    assert "kept" in drawn
    assert "2 epochs; the weights of epoch 1 were kept" in drawn
    assert render_curves(rows, best_epoch=1, figure="cells read right, F1") == drawn
