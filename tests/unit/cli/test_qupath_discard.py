"""Edits that are taken back, half taken back, or gone: no score may go on stating them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from her2path.cli import edited_image, qupath_import
from her2path.cli.main import app
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.edits_folder import EditsFolder, scored_otherwise
from her2path.io.slide_view_file import read_view
from tests.support.edited_results import (
    IMAGE,
    SIDE,
    bytes_of,
    discard,
    export,
    features,
    measure,
    run,
    score_of,
    take,
    with_class,
)
from tests.support.edited_slides import box, region


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    return measure(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def out(measured, tmp_path) -> Path:
    shutil.copytree(measured, tmp_path / "out")
    return tmp_path / "out"


def edited(out, tmp_path, new="Tumor: 3+"):
    """Take edits of all 1+ cells back."""
    cells = features(out)
    with_class(cells, "Tumor: 1+", new)
    code, words = take(out, export(tmp_path / "edited.geojson", cells))
    assert code == 0, words
    return EditsFolder.of(out, IMAGE)


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def killed(patch, module, name):
    """End the process where it comes to a function."""

    def kill(*_, **__):
        raise Killed

    patch.setattr(module, name, kill)


def test_hot_spots_stay_in_the_report_after_an_import(out, tmp_path):
    edited(out, tmp_path)
    stated = score_of(out).result.hot_spots
    shown = read_view(out / "images" / IMAGE / "view.tif").spots
    assert stated
    assert [s.x_px0 for s in shown] == pytest.approx([s.x_px0 for s in stated], abs=1)
    assert [s.y_px0 for s in shown] == pytest.approx([s.y_px0 for s in stated], abs=1)


@pytest.mark.parametrize("place", ["run_image", "finish_case", "finish_cohort"])
def test_a_discard_that_was_killed_is_finished_by_the_next(out, tmp_path, monkeypatch, place):
    first = bytes_of(out)
    edited(out, tmp_path)
    with monkeypatch.context() as patch:
        killed(patch, edited_image.chain, place)
        with pytest.raises(Killed):
            qupath_import.discard(out, IMAGE)
    code, words = discard(out)
    assert code == 0, words
    assert "had been put aside before" in words
    assert bytes_of(out) == first
    assert not EditsFolder.of(out, IMAGE).first_score.exists()
    assert discard(out)[0] == 2


def test_discarding_undoes_edits_whose_folder_was_deleted(out, tmp_path):
    first = bytes_of(out)
    shutil.rmtree(edited(out, tmp_path).path)
    code, words = discard(out)
    assert code == 0, words
    assert bytes_of(out) == first
    assert discard(out)[0] == 2


def test_an_edited_score_is_never_kept_as_the_first_one(out, tmp_path):
    first = score_of(out)
    folder = edited(out, tmp_path)
    shutil.rmtree(folder.path)
    file = export(tmp_path / "e.geojson", [region("Ignore*", box(0, 0, 90, 90))])
    code, words = take(out, file)
    assert code == 5
    assert "cannot be kept as the first result" in words
    assert "`her2path qupath discard` scores the slide as it was measured" in words
    assert not folder.path.exists()
    assert discard(out)[0] == 0
    assert take(out, file)[0] == 0
    assert read_document(folder.first_score, IhcScoreDoc) == first


def test_the_first_result_is_that_before_the_edits_that_count(out, tmp_path):
    first = score_of(out)
    folder = edited(out, tmp_path)
    assert discard(out)[0] == 0
    folder.first_score.write_text("of an earlier discard that was stopped", encoding="utf-8")
    edited(out, tmp_path, "Tumor: 2+")
    assert read_document(folder.first_score, IhcScoreDoc) == first


def test_edits_of_a_slide_that_was_moved_are_not_discarded_into_nothing(out, tmp_path):
    folder, before = edited(out, tmp_path), bytes_of(out)
    sheet = tmp_path / "cases.tsv"
    sheet.write_text("case_id\timage_id\tassay\tpath\nc1\ti1\tihc\tgone.tif\n")
    code, words = run("discard", "--out", out, "--image", IMAGE, "--cases", sheet)
    assert code == 2
    assert "was not found" in words
    assert bytes_of(out) == before
    assert folder.edits.is_file()


def test_a_score_of_edits_that_are_gone_is_found_before_a_run(out, tmp_path):
    assert scored_otherwise(out, [IMAGE, "never_run"]) == []
    folder = edited(out, tmp_path)
    assert scored_otherwise(out, [IMAGE]) == []
    folder.put_aside()
    assert scored_otherwise(out, [IMAGE]) == [folder]
    folder.score.write_text("no JSON", encoding="utf-8")
    assert scored_otherwise(out, [IMAGE]) == []


def test_edits_that_left_no_score_are_missed_when_they_are_gone(out, tmp_path):
    take(out, export(tmp_path / "e.geojson", [region("Ignore*", box(0, 0, SIDE, SIDE))]))
    folder = EditsFolder.of(out, IMAGE)
    assert score_of(out).result is None
    assert scored_otherwise(out, [IMAGE]) == []
    shutil.rmtree(folder.path)
    assert scored_otherwise(out, [IMAGE]) == [folder]
    assert discard(out)[0] == 0
    assert score_of(out).result.score == "1+"


def test_edits_that_are_not_scored_yet_are_no_part_of_a_project(out, tmp_path, monkeypatch):
    cells = features(out)
    with_class(cells, "Tumor: 1+", "Tumor: 3+")
    file = export(tmp_path / "e.geojson", cells)
    words = ["qupath", "import", "--out", str(out), "--image", IMAGE, "--by", "A.B.", str(file)]
    with monkeypatch.context() as patch:
        killed(patch, qupath_import, "score_again")
        with pytest.raises(Killed):
            CliRunner().invoke(app, words, catch_exceptions=False)
    code, said = run("project", "--out", out, tmp_path / "project")
    assert code == 5
    assert "does not know a person's edits of the slide; `her2path run` scores the slide again" in said
    assert not (tmp_path / "project").exists()
    code, said = take(out, file)
    assert code == 3
    assert "they are not in the score yet, `her2path run` scores them" in said
    code, said = take(out, file, "--replace")
    assert code == 0, said
    assert "not in the score" not in take(out, file)[1]
    assert run("project", "--out", out, tmp_path / "project")[0] == 0
