"""Evaluation on labelled images of a dataset: what a phantom's labels say is what its scene says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from her2path.errors import ArtefactError, ConfigError
from her2path.io.dataset_documents import DatasetDoc, DatasetItem
from her2path.io.documents import Producer, write_document
from her2path.io.files import sha256_of
from her2path.io.model_store import open_model
from her2path.training.evaluation import ready_stored
from her2path.training.evaluation_counts import measure, part
from her2path.training.evaluation_report import Compared, evaluate_dataset, evaluate_guard
from her2path.training.evaluation_truth import truth_of_labels, truth_of_scene
from her2path.training.label_windows import labelled_images
from tests.support.labelled_phantoms import labelled, write_labelled_cells, write_labelled_tile

SIDE = 256


@pytest.fixture(scope="module")
def model():
    return ready_stored(open_model("her2-star-2"))


def item(folder: Path, kind: str, image: str, **facts: object) -> DatasetItem:
    labels = facts.get("labels")
    known = {
        "item_id": image,
        "kind": kind,
        "image": image,
        "image_sha256": sha256_of(folder / image),
        "labels_sha256": None if labels is None else sha256_of(folder / str(labels)),
        "mpp": 0.5,
        "patient_id": "p1",
        "source": "phantoms",
        "licence": "Apache-2.0",
        "split": "test",
        "labelled": {},
    }
    return DatasetItem(**known | facts)


def write_manifest(folder: Path, *items: DatasetItem) -> Path:
    path = folder / "manifest.json"
    made = Producer(step="train_dataset", version="0")
    write_document(
        path, DatasetDoc(produced_by=made, name="own", seed=0, items=items, classes={}, patients={"test": 1})
    )
    return path


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    """A labelled phantom as files, and the phantom itself."""
    folder = tmp_path_factory.mktemp("cells")
    found = labelled(3, side_px=SIDE)
    write_labelled_cells(folder, "c", found, patient_id="p1")
    return folder, found


@pytest.fixture(scope="module")
def manifest(phantom):
    folder, _ = phantom
    null = labelled(101, side_px=SIDE, mix="null")
    write_labelled_tile(folder, "tile_0.png", null, patient_id="p1")
    return write_manifest(
        folder,
        item(folder, "cells", "c.tif", labels="c.geojson", complete=True),
        item(folder, "tile", "tile_0.png", score="0"),
    )


@pytest.fixture(scope="module")
def evaluated(manifest, model):
    return evaluate_dataset(Compared((model, model)), manifest)


def test_labels_of_a_phantom_say_what_its_scene_says(manifest, phantom, model):
    dataset = DatasetDoc.model_validate_json(manifest.read_bytes())
    (image,) = labelled_images(manifest, dataset, dataset.items[0])
    by_labels = measure(model, truth_of_labels(image)).counts
    by_scene = measure(model, truth_of_scene(phantom[1].scene, seed=phantom[1].scene.spec.seed)).counts
    # Outlines are simplified, the picture is compressed once more, and slivers are no labels.
    for name in ("nuclei", "tumour_nuclei"):
        assert np.abs(part(by_labels, name) - part(by_scene, name)).max() <= 6, name
    same = np.abs(part(by_labels, "cells") - part(by_scene, "cells")).sum()
    assert same <= 0.15 * part(by_scene, "cells").sum()


def test_each_kind_of_label_gives_its_figures(evaluated):
    assert {row.name for row in evaluated.figures} >= {
        "nuclei_f1",
        "cells_right",
        "tiles_right",
        "tumour_ece",
    }


def test_images_of_one_patient_give_no_interval(evaluated):
    assert {row.new.why for row in evaluated.figures} == {"fewer than 5 patients"}
    assert evaluated.units == "patients"


def test_tissue_scored_0_is_listed_as_blank(evaluated):
    assert [blank.item_id for blank in evaluated.blanks] == ["tile_0.png"]


def test_a_model_beside_itself_differs_by_nothing(evaluated):
    assert all(row.difference[0].value == 0 for row in evaluated.figures)


def test_a_file_that_was_changed_since_is_refused(manifest, model, tmp_path):
    for file in manifest.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "c.geojson").write_text("{}", encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"c\.geojson.*changed"):
        evaluate_dataset(Compared((model, model)), tmp_path / "manifest.json")


def test_a_dataset_without_a_test_split_is_refused(phantom, model):
    folder, _ = phantom
    trained = item(folder, "cells", "c.tif", labels="c.geojson", split="train")
    path = folder / "train_only" / "manifest.json"
    path.parent.mkdir()
    document = write_manifest(
        folder / "train_only", trained.model_copy(update={"image": "../c.tif", "labels": "../c.geojson"})
    )
    with pytest.raises(ArtefactError, match="no image in the split `test`"):
        evaluate_dataset(Compared((model, model)), document)


def own_guard(folder: Path, manifest: Path, sha256: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(
        f"id: our-lab-1\nwhat: our own cells\ndataset: {{manifest: {manifest}, sha256: {sha256}}}\n"
        "margins:\n- {figure: cells_right, margin: 0.05, why: a test}\n",
        encoding="utf-8",
    )
    return path


def test_a_guard_set_of_own_images_needs_enough_patients_to_pass(manifest, model, tmp_path):
    found = evaluate_guard(Compared((model, model)), own_guard(tmp_path, manifest, sha256_of(manifest)))
    assert (found.kind, found.units, found.passed) == ("guard", "patients", False)
    assert found.verdicts[0].margins[0].difference.why == "fewer than 5 patients"


def test_a_guard_set_whose_manifest_was_changed_is_refused(manifest, model, tmp_path):
    with pytest.raises(ConfigError, match="is not the manifest that it names"):
        evaluate_guard(Compared((model, model)), own_guard(tmp_path, manifest, "a" * 64))
