"""Commands `her2path models ...`: the models that ship are whole, and their cards say what they must."""

from __future__ import annotations

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from her2path.cli.main import app
from her2path.errors import ModelError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.learned import CALIBRATION
from her2path.io.model_store import model_ids, open_model

runner = CliRunner()


def test_every_model_that_ships_is_listed_and_whole():
    listed = runner.invoke(app, ["models", "list"]).output
    for name in model_ids():
        assert name in listed
        verified = runner.invoke(app, ["models", "verify", name])
        assert verified.exit_code == 0
        assert open_model(name).card.sha256 in verified.output


def test_a_card_is_shown_as_it_is_written_below_where_the_model_comes_from():
    for name in model_ids():
        origin, card = runner.invoke(app, ["models", "show", name]).output.split("\n", 1)
        assert origin == f"# {name}: shipped"
        assert card == (open_model(name).folder / "model.yaml").read_text(encoding="utf-8")


def test_an_unknown_model_is_refused():
    result = runner.invoke(app, ["models", "show", "no-such-model"])
    assert isinstance(result.exception, ModelError)


@pytest.mark.parametrize("name", model_ids())
def test_the_cuts_of_a_card_are_those_of_the_measures_it_goes_with(name):
    """Membranes are measured by the same code whoever finds the nuclei: new cuts need a new card."""
    own = open_model(name).card.calibration
    calibration = Calibration(id=own.id, limit_of_blank_pct=own.limit_of_blank_pct, **own.cuts)
    expected = replace(CALIBRATION, limit_of_blank_pct=own.limit_of_blank_pct)
    assert calibration == expected, "run the step train_card again"


@pytest.mark.parametrize("name", model_ids())
def test_a_model_knows_only_phantoms_of_training_seeds(name):
    for source in open_model(name).card.data:
        if source.seeds is not None:
            assert 1_000_000 <= source.seeds[0] <= source.seeds[1] < 1_900_000


def test_a_folder_without_a_card_is_not_promoted(tmp_path, monkeypatch):
    monkeypatch.setenv("HER2PATH_MODELS", str(tmp_path / "own"))
    (tmp_path / "her2-new-1").mkdir()
    result = runner.invoke(app, ["models", "promote", str(tmp_path / "her2-new-1")])
    assert isinstance(result.exception, ModelError)
    assert "it has no card (model.yaml); run `her2path train evaluate`" in str(result.exception)


def test_a_shipped_model_is_not_promoted_under_its_own_id(tmp_path, monkeypatch):
    monkeypatch.setenv("HER2PATH_MODELS", str(tmp_path / "own"))
    result = runner.invoke(app, ["models", "promote", str(open_model(model_ids()[0]).folder)])
    assert isinstance(result.exception, ModelError)
    assert "ships with her2path" in str(result.exception)
