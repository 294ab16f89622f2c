from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import save

from her2path.errors import ModelError, UnsuitableImageError
from her2path.io.model_store import open_model


def card(folder: Path, **changes: object) -> dict[str, object]:
    """A card for the weights in a folder."""
    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    return {
        "id": folder.name,
        "architecture": "star-unet-24-32-96",
        "mpp": 0.5,
        "inputs": ["hematoxylin", "dab", "residual"],
        "outputs": ["nucleus"],
        "sha256": digest,
        "parameters": 4,
        "licence": "Apache-2.0",
        "data": [{"name": "phantoms", "what": "two of them", "licence": "Apache-2.0", "seeds": [1, 2]}],
        "adaptation": "none",
        "training": {
            "command": "make",
            "seed": 1,
            "steps": 2,
            "threads": 1,
            "processor": "any",
            "code": "0",
        },
        "metrics": [{"name": "F1", "on": "phantoms", "value": 0.9, "low": 0.8, "high": 0.95, "slides": 3}],
        "calibration": {
            "id": "learned-1",
            "cuts": {"weak_od": 0.1},
            "limit_of_blank_pct": 1.0,
            "measured_on": "phantoms",
        },
        "intended_use": "tests",
        "known_failures": ["everything else"],
        **changes,
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "her2-x"
    found.mkdir()
    (found / "weights.safetensors").write_bytes(save({"stem.bias": np.ones(4, np.float32)}))
    (found / "model.yaml").write_text(yaml.safe_dump(card(found)), encoding="utf-8")
    return found


def test_a_model_whose_weights_are_those_of_its_card_is_loaded(folder):
    assert open_model(str(folder)).load_weights()["stem.bias"].tolist() == [1, 1, 1, 1]


def test_weights_with_another_digest_are_refused_by_name(folder):
    (folder / "weights.safetensors").write_bytes(save({"stem.bias": np.zeros(4, np.float32)}))
    with pytest.raises(ModelError, match=r"'her2-x'.*SHA-256.*install the model again") as caught:
        open_model(str(folder)).load_weights()
    assert caught.value.exit_code == 6


def test_missing_weights_are_refused_by_name(folder):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"'her2-x'.*weights\.safetensors is missing"):
        open_model(str(folder)).load_weights()


def test_a_folder_without_a_card_is_refused_by_name(folder):
    (folder / "model.yaml").unlink()
    with pytest.raises(ModelError, match=r"'her2-x'.*no model\.yaml"):
        open_model(str(folder))


def test_an_unknown_id_names_the_known_ones():
    with pytest.raises(ModelError, match=r"'no-such-model'.*give the id of a model that ships"):
        open_model("no-such-model")


def test_a_card_with_an_unknown_key_is_refused(folder):
    (folder / "model.yaml").write_text(yaml.safe_dump(card(folder, accuracy=1.0)), encoding="utf-8")
    with pytest.raises(ModelError, match="accuracy"):
        open_model(str(folder))


def test_the_card_of_another_model_is_refused(folder):
    (folder / "model.yaml").write_text(yaml.safe_dump(card(folder, id="her2-y")), encoding="utf-8")
    with pytest.raises(ModelError, match="that of 'her2-y'"):
        open_model(str(folder))


@pytest.mark.parametrize("mpp", [pytest.param(0.5, id="as trained"), pytest.param(0.49, id="2 % off")])
def test_an_image_of_about_the_pixel_size_is_taken(folder, mpp):
    open_model(str(folder)).expect_mpp(mpp, image_id="i")


def test_a_model_for_coarser_pixels_than_the_configuration_sets_is_refused_with_the_remedy(folder):
    with pytest.raises(ModelError, match=r"trained for 0\.5 µm/px.*target_mpp: 0\.5"):
        open_model(str(folder)).expect_mpp(0.25, image_id="i")


def test_an_image_scanned_coarser_than_the_model_needs_is_not_evaluable(folder):
    with pytest.raises(UnsuitableImageError, match=r"'i'.*0\.65 µm/px.*model: null") as caught:
        open_model(str(folder)).expect_mpp(0.65, image_id="i")
    assert caught.value.code == "too_coarse"
