"""Evaluation of a model folder, and its promotion: what is refused, and what is used afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from her2path.cli.main import app
from her2path.errors import ConfigError, ModelError
from her2path.io.documents import read_document
from her2path.io.evaluation_documents import EvaluationDoc
from her2path.io.files import sha256_of
from her2path.io.model_entries import ModelOrigin
from her2path.io.model_store import open_model
from her2path.steps import ihc_cells, train_evaluate
from her2path.training.promotion import promote
from tests.support.trained_models import SHIPPED, small_guard, trained

runner = CliRunner()


def evaluate(folder: Path, guard: Path, **params: object) -> EvaluationDoc:
    train_evaluate.run(
        weights=folder / "weights.safetensors",
        record=folder / "fit.json",
        dataset=None,
        guards=[guard],
        evaluation=folder / "evaluation.json",
        page=folder / "evaluation.html",
        card=folder / "model.yaml",
        params=train_evaluate.TrainEvaluateParams(**params),
    )
    return read_document(folder / "evaluation.json", EvaluationDoc)


@pytest.fixture(scope="module")
def guard(tmp_path_factory) -> Path:
    return small_guard(tmp_path_factory.mktemp("guard"))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory, guard) -> Path:
    """The shipped weights under another id: not worse, by nothing."""
    folder = trained(tmp_path_factory.mktemp("models") / "her2-own-1")
    evaluate(folder, guard)
    return folder


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory, guard) -> Path:
    """A model that takes too much for a nucleus."""
    folder = trained(tmp_path_factory.mktemp("models") / "her2-spoilt-1", invents=3.0)
    evaluate(folder, guard)
    return folder


@pytest.fixture(autouse=True)
def own_models(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "own models"
    monkeypatch.setenv("HER2PATH_MODELS", str(folder))
    return folder


@pytest.fixture
def model(evaluated, tmp_path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(evaluated, tmp_path / "trained" / evaluated.name))


def changed_card(folder: Path, **changes: object) -> None:
    card = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    (folder / "model.yaml").write_text(yaml.safe_dump(card | changes), encoding="utf-8")


def changed_evaluation(folder: Path, change) -> None:
    """Change an evaluation, and the digest on the card with it."""
    path = folder / "evaluation.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")
    card = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    card["evaluation"]["sha256"] = sha256_of(path)
    (folder / "model.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")


def test_the_same_weights_differ_from_themselves_by_nothing_and_pass(evaluated):
    (part,) = read_document(evaluated / "evaluation.json", EvaluationDoc).sets
    assert part.passed
    assert {d.value for row in part.figures for d in row.difference} == {0.0}
    assert all(entry.only_new == entry.only_old == 0 and entry.p_value == 1 for entry in part.mcnemar)


def test_the_card_holds_the_figures_and_the_digest_of_the_evaluation(evaluated):
    card = open_model(str(evaluated)).card
    assert card.evaluation is not None
    assert card.evaluation.sha256 == sha256_of(evaluated / "evaluation.json")
    assert card.evaluation.compared_with.id == SHIPPED
    assert {metric.name for metric in card.metrics} >= {"nuclei, F1 (centre within 4 µm)"}
    assert card.parent is not None
    assert card.parent.id == SHIPPED


def test_an_evaluation_has_the_same_bytes_again(evaluated, guard, tmp_path):
    again = Path(shutil.copytree(evaluated, tmp_path / evaluated.name))
    evaluate(again, guard)
    for name in ("evaluation.json", "evaluation.html", "model.yaml"):
        assert (again / name).read_bytes() == (evaluated / name).read_bytes()


def test_the_page_fetches_nothing_and_says_that_the_guard_set_was_passed(evaluated):
    page = (evaluated / "evaluation.html").read_text(encoding="utf-8")
    assert "Guard sets passed" in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")


def test_a_worse_model_is_refused_with_what_it_is_worse_at(spoilt, guard):
    with pytest.raises(
        ModelError, match=r"'her2-spoilt-1'.*not shown to be as good.*nuclei_f1 -0\."
    ) as caught:
        promote(spoilt, guard=guard)
    assert caught.value.exit_code == 6
    assert "Not to be promoted" in (spoilt / "evaluation.html").read_text(encoding="utf-8")


def test_a_refused_model_may_be_used_as_a_folder_and_a_guard_set_of_ones_own_replaces_none(spoilt, guard):
    with pytest.raises(ModelError, match="train it with more labels") as caught:
        promote(spoilt, guard=guard)
    words = str(caught.value)
    assert "`ihc_cells: {model: ./her2-spoilt-1}`" in words
    assert "flagged `model_not_promoted`" in words
    assert "beside the one that ships, never instead of it" in words


def test_a_scorer_that_is_refused_is_told_that_its_cuts_are_those_of_one_laboratory(tmp_path, guard):
    folder = trained(tmp_path / "my-cuts")
    parent = open_model(SHIPPED)
    shutil.copy(parent.weights_path, folder / "weights.safetensors")
    cuts = parent.card.calibration.cuts | {"weak_od_um": 0.01, "least_chance": 0.05}
    changed_card(
        folder,
        sha256=parent.card.sha256,
        calibration=parent.card.calibration.model_dump() | {"id": folder.name, "cuts": cuts},
    )
    evaluate(folder, guard)
    with pytest.raises(ModelError, match="stained_pct") as caught:
        promote(folder, guard=guard)
    assert f"its cuts alone differ from {SHIPPED}" in str(caught.value)
    assert "fit them to labels of more laboratories; or use it" in str(caught.value)


def test_a_model_without_a_card_is_refused(model, guard):
    (model / "model.yaml").unlink()
    with pytest.raises(ModelError, match=r"no card.*train evaluate"):
        promote(model, guard=guard)


def test_a_model_that_was_never_evaluated_is_refused(tmp_path, guard):
    with pytest.raises(ModelError, match="holds no evaluation"):
        promote(trained(tmp_path / "her2-new-1"), guard=guard)


def test_weights_that_are_not_those_of_the_card_are_refused(model, guard):
    other = trained(model.parent / "other", noise=0.01)
    shutil.copy(other / "weights.safetensors", model / "weights.safetensors")
    with pytest.raises(ModelError, match="SHA-256"):
        promote(model, guard=guard)


def test_the_evaluation_of_other_weights_is_refused(model, guard):
    other = trained(model.parent / "other", noise=0.01)
    shutil.copy(other / "weights.safetensors", model / "weights.safetensors")
    changed_card(model, sha256=sha256_of(model / "weights.safetensors"))
    with pytest.raises(ModelError, match="evaluation of other weights"):
        promote(model, guard=guard)


@pytest.mark.parametrize(
    ("entry", "change"),
    [
        ("calibration", {"cuts": {"weak_od_um": 0.05}}),
        ("calibration", {"limit_of_blank_pct": 0.01}),
        ("licence", "any use"),
        ("metrics", []),
        ("known_failures", []),
    ],
)
def test_a_card_that_was_changed_since_the_evaluation_is_refused_by_its_entry(model, guard, entry, change):
    card = yaml.safe_load((model / "model.yaml").read_text(encoding="utf-8"))
    changed_card(model, **{entry: card[entry] | change if isinstance(change, dict) else change})
    with pytest.raises(
        ModelError, match=rf"model\.yaml was changed since it was evaluated \({entry}\); run .*train evaluate"
    ):
        promote(model, guard=guard)


def test_a_card_that_is_only_worded_anew_is_still_the_one_that_was_evaluated(model, guard):
    changed_card(model)
    assert promote(model, guard=guard)[0].id == model.name


def test_a_record_of_the_training_that_was_changed_since_the_evaluation_is_refused(model, guard):
    with (model / "fit.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(ModelError, match=r"fit\.json was changed since it was evaluated"):
        promote(model, guard=guard)


def test_a_model_without_the_record_of_its_training_is_refused(model, guard):
    (model / "fit.json").unlink()
    with pytest.raises(ModelError, match=r"fit\.json, the record of its training, is missing"):
        promote(model, guard=guard)


def forged(target: Path, name: str) -> None:
    """Give the record of a promotion the digest that a file has now."""
    record = json.loads((target / "promotion.json").read_text(encoding="utf-8"))
    record["files"][name] = sha256_of(target / name)
    (target / "promotion.json").write_text(json.dumps(record), encoding="utf-8")


def test_a_promoted_model_whose_record_of_promotion_was_changed_with_it_does_not_verify(model, guard):
    _, target = promote(model, guard=guard)
    card = yaml.safe_load((target / "model.yaml").read_text(encoding="utf-8"))
    changed_card(target, calibration=card["calibration"] | {"limit_of_blank_pct": 0.01})
    forged(target, "model.yaml")
    result = runner.invoke(app, ["models", "verify", model.name])
    assert isinstance(result.exception, ModelError)
    assert "changed since it was evaluated (calibration)" in str(result.exception)


def test_an_evaluated_folder_that_was_changed_does_not_verify(model):
    assert runner.invoke(app, ["models", "verify", str(model)]).exit_code == 0
    (model / "fit.json").unlink()
    result = runner.invoke(app, ["models", "verify", str(model)])
    assert "fit.json, the record of its training, is missing" in str(result.exception)


def test_an_evaluation_that_is_not_that_of_the_card_is_refused(model, guard):
    with (model / "evaluation.json").open("a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(ModelError, match="not the one that its card is of"):
        promote(model, guard=guard)


def test_a_verdict_that_does_not_follow_from_the_counts_is_refused(spoilt, guard, tmp_path):
    model = Path(shutil.copytree(spoilt, tmp_path / spoilt.name))

    def pass_all(data: dict) -> None:
        for row in data["sets"][0]["verdicts"][0]["margins"]:
            row["passed"] = True

    changed_evaluation(model, pass_all)
    with pytest.raises(ModelError, match="does not follow from its counts"):
        promote(model, guard=guard)


def test_an_evaluation_without_verdicts_is_refused(model, guard):
    changed_evaluation(model, lambda data: data["sets"][0].update(verdicts=[]))
    with pytest.raises(ModelError, match="does not follow from its counts"):
        promote(model, guard=guard)


def test_an_evaluation_on_another_guard_set_is_refused(model, tmp_path):
    other = tmp_path / "guard.yaml"
    other.write_text(
        small_guard(tmp_path).read_text(encoding="utf-8").replace("0.02", "0.01"), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="not evaluated on guard set small-guard as it is now"):
        promote(model, guard=other)


def test_an_evaluation_by_another_version_is_refused(model, guard):
    changed_evaluation(model, lambda data: data["produced_by"].update(version="0.0.1"))
    with pytest.raises(ModelError, match=r"evaluated by her2path 0\.0\.1"):
        promote(model, guard=guard)


def test_a_comparison_with_weights_that_changed_is_refused(model, guard):
    changed_evaluation(model, lambda data: data["compared_with"][0].update(sha256="0" * 64))
    with pytest.raises(ModelError, match=f"other weights than '{SHIPPED}' has now"):
        promote(model, guard=guard)


def test_a_comparison_with_a_model_that_is_gone_is_refused(model, guard):
    changed_evaluation(model, lambda data: data["compared_with"][0].update(id="her2-gone-1"))
    with pytest.raises(ModelError, match=r"'her2-gone-1', which is no model in use"):
        promote(model, guard=guard)


def test_the_id_of_a_shipped_model_is_refused(model, guard):
    shipped = model.rename(model.parent / SHIPPED)
    changed_card(shipped, id=SHIPPED)
    with pytest.raises(ModelError, match="of this id ships with her2path; rename its folder"):
        promote(shipped, guard=guard)


def test_an_id_is_promoted_once(model, guard):
    promote(model, guard=guard)
    with pytest.raises(ModelError, match="was promoted before"):
        promote(model, guard=guard)


def test_a_promoted_model_is_opened_by_its_id_and_says_what_it_is(model, guard, own_models):
    _, target = promote(model, guard=guard)
    found = open_model(model.name)
    assert target == found.folder == own_models / model.name
    entry = found.entry()
    assert (entry.origin, entry.parent, entry.guards) == (ModelOrigin.PROMOTED, SHIPPED, ("small-guard",))
    assert open_model(str(target)).origin is ModelOrigin.PROMOTED


def test_a_folder_that_nobody_promoted_says_so(model):
    assert open_model(str(model)).entry().origin is ModelOrigin.FOLDER


@pytest.mark.parametrize("name", ["weights.safetensors", "model.yaml", "evaluation.json"])
def test_a_promoted_model_that_was_changed_is_refused_by_name(model, guard, name):
    _, target = promote(model, guard=guard)
    with (target / name).open("ab") as file:
        file.write(b"\n")
    with pytest.raises(ModelError, match=rf"'{model.name}'.*{name} was changed since it was promoted"):
        open_model(model.name)


def test_a_promoted_model_that_lost_a_file_is_refused_by_name(model, guard):
    _, target = promote(model, guard=guard)
    (target / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match=r"weights\.safetensors is missing since it was promoted"):
        open_model(model.name)


def test_a_promoted_model_that_was_removed_is_refused_by_name(model, guard, monkeypatch):
    _, target = promote(model, guard=guard)
    shutil.rmtree(target)
    monkeypatch.chdir(model.parent)  # where a folder of that name lies
    with pytest.raises(ModelError, match=rf"'{model.name}'.*promoted one \(none; HER2PATH_MODELS"):
        open_model(model.name)


def test_the_folder_of_promoted_models_is_that_of_the_xdg_standard(model, guard, monkeypatch, tmp_path):
    monkeypatch.delenv("HER2PATH_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    _, target = promote(model, guard=guard)
    assert target == tmp_path / "data" / "her2path" / "models" / model.name


def test_a_failed_promotion_leaves_nothing(spoilt, guard, own_models):
    with pytest.raises(ModelError):
        promote(spoilt, guard=guard)
    assert not own_models.exists() or not list(own_models.iterdir())


def test_models_are_listed_shown_and_verified_with_where_they_come_from(model, guard):
    promote(model, guard=guard)
    listed = runner.invoke(app, ["models", "list"])
    assert f"{SHIPPED}\tshipped" in listed.output
    assert f"{model.name}\tpromoted" in listed.output
    assert f"from {SHIPPED}" in listed.output
    shown = runner.invoke(app, ["models", "show", model.name]).output
    assert shown.startswith(f"# {model.name}: promoted; passed small-guard\n")
    assert f"{model.name}: promoted, whole" in runner.invoke(app, ["models", "verify", model.name]).output


def test_a_damaged_promoted_model_does_not_hide_the_others(model, guard):
    _, target = promote(model, guard=guard)
    (target / "weights.safetensors").unlink()
    listed = runner.invoke(app, ["models", "list"])
    assert f"{SHIPPED}\tshipped" in listed.output
    assert f"{model.name}\tnot usable" in listed.output
    assert listed.exit_code == 6


def test_weights_without_a_record_of_their_training_are_refused(tmp_path, guard):
    folder = trained(tmp_path / "her2-new-1")
    (folder / "model.yaml").unlink()
    with pytest.raises(ModelError, match="the folder that a training has written"):
        evaluate(folder, guard)


def test_a_model_to_compare_with_that_is_not_there_is_refused(tmp_path, guard):
    with pytest.raises(ModelError, match="no-such-model"):
        evaluate(trained(tmp_path / "her2-new-1"), guard, against="no-such-model")


def test_a_guard_set_that_asks_for_what_it_does_not_hold_is_refused(tmp_path):
    bad = tmp_path / "bad.yaml"
    text = small_guard(tmp_path).read_text(encoding="utf-8").replace("unstained:", "# unstained:")
    bad.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="stained_pct needs `unstained`"):
        evaluate(trained(tmp_path / "her2-new-1"), bad)


def test_the_model_in_use_is_the_one_that_cells_are_found_with():
    assert train_evaluate.TrainEvaluateParams().against == ihc_cells.IhcCellsParams().model
