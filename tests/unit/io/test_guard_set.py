"""The guard set that ships, and definitions that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2path.errors import ConfigError
from her2path.io.guard_set import read_guard, shipped_guard
from her2path.io.model_store import open_model
from her2path.training.evaluation_figures import figure

TEXT = shipped_guard().read_text(encoding="utf-8")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    assert old in TEXT
    path = tmp_path / "guard.yaml"
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_reference_of_the_shipped_guard_set_is_the_shipped_model():
    guard, _ = read_guard(shipped_guard())
    assert open_model(guard.reference.id).card.sha256 == guard.reference.sha256


def test_no_phantom_of_the_guard_set_may_ever_teach_a_model():
    guard, _ = read_guard(shipped_guard())
    for seen in (guard.phantoms, guard.unstained):
        assert seen.seeds.start >= 1_900_000
        assert seen.seeds.stop <= 2_000_000


def test_every_margin_is_one_of_a_figure_that_is_measured():
    guard, _ = read_guard(shipped_guard())
    assert all(figure(margin.figure).name == margin.figure for margin in guard.margins)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param("first_seed: 1950000", "first_seed: 1500000", "first_seed", id="seeds that teach"),
        pytest.param("margin: 1.0", "margin: 0", "margin", id="no margin at all"),
        pytest.param("figure: mean_recall", "figure: accuracy", "figure", id="an unknown figure"),
        pytest.param("figure: mean_recall", "figure: nuclei_f1", "one margin", id="one figure twice"),
        pytest.param("schema_version: 1", "schema_version: 9", "schema_version", id="another version"),
    ],
)
def test_a_definition_that_cannot_guard_is_refused(tmp_path, old, new, fault):
    with pytest.raises(ConfigError, match=fault):
        read_guard(changed(tmp_path, old, new))


def test_a_missing_definition_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"guard set mine\.yaml cannot be read"):
        read_guard(tmp_path / "mine.yaml")
