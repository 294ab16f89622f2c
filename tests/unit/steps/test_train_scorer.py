"""A scorer fitted to a dataset: cuts that moved, weights that did not, and a card that says so."""

import json
from types import SimpleNamespace

import pytest

from her2path.errors import LabelError, ModelError
from her2path.io.documents import read_document
from her2path.io.model_store import open_model
from her2path.io.scorer_document import ScorerDoc
from her2path.steps import train_dataset, train_scorer
from her2path.training.evaluation_origin import draft_card
from her2path.training.scorer_fit import FITTED
from tests.support.labelled_phantoms import cells_dataset, masks_folder, tiles_folder

pytestmark = pytest.mark.xdist_group("train_scorer")


def dataset(folder, sheet):
    manifest = folder / "manifest.json"
    train_dataset.run(
        sheet=sheet,
        earlier=None,
        manifest=manifest,
        page=folder / "dataset.html",
        workers=1,
        params=train_dataset.TrainDatasetParams(name="scored"),
    )
    return manifest


def fit(manifest, folder, **params):
    folder.mkdir(exist_ok=True)
    train_scorer.run(
        dataset=manifest,
        weights=folder / "weights.safetensors",
        record=folder / "fit.json",
        params=train_scorer.TrainScorerParams(**{"draws": 0, **params}),
    )
    return read_document(folder / "fit.json", ScorerDoc)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Six patients with all cells scored, and the cuts fitted to them."""
    folder = tmp_path_factory.mktemp("scored")
    manifest = dataset(folder, cells_dataset(folder, patients=6, side_px=256))
    model = folder / "my-cuts"
    return SimpleNamespace(manifest=manifest, folder=model, made=fit(manifest, model, draws=4))


def test_cells_of_the_training_split_alone_are_fitted_to(fitted):
    train, val = fitted.made.labels["train"], fitted.made.labels["val"]
    assert train.cells > 50
    assert val.cells > 10
    assert {(measure.of, measure.on, measure.n) for measure in fitted.made.measures} == {
        ("cells", "train", train.cells),
        ("cells", "val", val.cells),
    }


def test_cuts_move_within_reason_and_with_an_interval_over_patients(fitted):
    assert tuple(cut.name for cut in fitted.made.cuts) == FITTED
    assert any(cut.after != cut.before for cut in fitted.made.cuts)
    for cut in fitted.made.cuts:
        assert cut.before / 3 < cut.after < 3 * cut.before
        assert cut.low is not None
        assert cut.low <= cut.high


def test_the_weights_are_those_of_the_model_that_it_began_with(fitted):
    shipped = open_model("her2-star-2")
    assert (fitted.folder / "weights.safetensors").read_bytes() == shipped.weights_path.read_bytes()
    assert fitted.made.model.sha256 == shipped.card.sha256


def test_the_same_labels_give_the_same_record(fitted, tmp_path):
    again = fit(fitted.manifest, tmp_path / "my-cuts", draws=4)
    assert again == fitted.made


def test_the_card_has_the_new_cuts_under_the_models_own_name(fitted):
    weights, record = fitted.folder / "weights.safetensors", fitted.folder / "fit.json"
    card = draft_card(weights, record, manifest=fitted.manifest)
    shipped = open_model("her2-star-2").card
    assert card.calibration.id == card.id == "my-cuts"
    moved = {cut.name: cut.after for cut in fitted.made.cuts}
    assert card.calibration.cuts == shipped.calibration.cuts | moved
    assert card.parent == fitted.made.model
    assert any("scored cells" in source.what for source in card.data)


def test_a_record_beside_other_weights_is_refused(fitted, tmp_path):
    other = tmp_path / "my-cuts"
    other.mkdir()
    (other / "weights.safetensors").write_bytes(b"other weights")
    (other / "fit.json").write_bytes((fitted.folder / "fit.json").read_bytes())
    with pytest.raises(ModelError, match="not those whose cuts"):
        draft_card(other / "weights.safetensors", other / "fit.json", manifest=None)


def test_scores_of_tiles_alone_are_labels_too(tmp_path):
    sheet = tmp_path / "dataset.tsv"
    folder = tiles_folder(tmp_path / "tiles", each=3)
    lines = ["image\tkind\tscore\tmpp\tpatient_id\tsource\tlicence"]
    for number, path in enumerate(sorted(folder.glob("*.png"))):
        score = path.stem.rsplit("_", 1)[1]
        lines.append(f"tiles/{path.name}\ttile\t{score}\t0.5\tp{number}\tphantom\tCC0")
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = fit(dataset(tmp_path, sheet), tmp_path / "my-cuts")
    assert made.labels["train"].areas + made.labels["train"].bare >= 6
    assert made.labels["train"].cells == 0
    assert all(measure.of == "areas" for measure in made.measures)


def test_a_dataset_without_scores_is_refused_with_what_to_label(tmp_path):
    sheet = tmp_path / "dataset.tsv"
    folder = masks_folder(tmp_path / "masks", images=4)
    lines = ["image\tkind\tlabels\tmask_of\tmpp\tpatient_id\tsource\tlicence"]
    lines += [
        f"masks/f{number}.png\tmasks\tmasks/f{number}_mask.tif\tnuclei\t0.5\tp{number}\tphantom\tCC0"
        for number in range(len(list(folder.glob("*_mask.tif"))))
    ]
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match="label cells `Tumor: 0` to `Tumor: 3"):
        fit(dataset(tmp_path, sheet), tmp_path / "my-cuts")


def test_a_record_that_hides_that_nothing_was_validated_is_refused(fitted):
    data = json.loads((fitted.folder / "fit.json").read_text(encoding="utf-8"))
    data["measures"] = [measure for measure in data["measures"] if measure["on"] == "train"]
    with pytest.raises(ValueError, match="or says why not"):
        ScorerDoc.model_validate(data)
