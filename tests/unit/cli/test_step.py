"""The step runner: what happens to files when an image cannot be measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel, ConfigDict

from her2path.cli import step
from her2path.domain.case import Assay
from her2path.errors import ArtefactError, ConfigError, ImageNotFoundError
from her2path.io import placeholders, tables
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.slide_view_file import read_view


class NoParams(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def row_of(path: Path, **cells) -> ImageRow:
    return ImageRow(case_id="c", image_id="i", assay=Assay.IHC, path=(path,), **cells)


def step_that(raises: BaseException, *, name: str = "slide_intake") -> step.Step:
    def run(*, image: list[Path], row: ImageRow, slide: Path, params: NoParams) -> None:
        raise raises

    return step.Step(name, run, NoParams)


def test_a_missing_image_ends_in_a_document_with_the_reason(tmp_path):
    slide = tmp_path / "slide.json"
    loaded = step.load_step("slide_intake")
    gone = tmp_path / "gone.svs"
    why = step.execute(loaded, {"image": [gone], "row": row_of(gone), "slide": slide}, loaded.params())
    assert why is not None
    assert why.code == "missing_file"
    assert json.loads(slide.read_text())["not_evaluable"]["code"] == "missing_file"


def test_the_reason_travels_through_every_later_step_of_an_ihc_image(tmp_path):
    gone = tmp_path / "gone.svs"
    known = {name: tmp_path / file for name, file in IHC_FILES.items()}
    known |= {"image": [gone], "row": row_of(gone), "tumour_roi": None, "exclude_roi": None}
    known |= {"edits": None, "workers": 1}
    for name in ("slide_intake", "slide_quality", "slide_tiles", "ihc_cells", "ihc_score", "slide_view"):
        loaded = step.load_step(name)
        why = step.execute(loaded, {key: known[key] for key in loaded.arguments}, loaded.params())
        assert why is not None
        assert why.code == "missing_file"
    assert tables.read_table(known["cells"], tables.IHC_CELLS).num_rows == 0
    assert b"missing_file" in pq.read_schema(known["cells"]).metadata[b"her2path.not_evaluable"]
    assert json.loads(known["geojson"].read_text())["features"] == []
    assert known["overlay"].read_bytes().startswith(b"\x89PNG")
    assert read_view(known["view"]) is None


def test_an_unforeseen_failure_is_a_defect_of_this_image_not_of_the_batch(tmp_path):
    slide = tmp_path / "slide.json"
    arguments = {"image": [], "row": row_of(tmp_path), "slide": slide}
    why = step.execute(step_that(ZeroDivisionError("boom")), arguments, NoParams())
    assert why is not None
    assert why.code == step.DEFECT
    assert "ZeroDivisionError" in why.reason
    # The text of an unforeseen error may hold a path; it stays in the log.
    assert "boom" not in why.reason


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), ArtefactError("x", "y")],
    ids=["full disk", "damaged artefact"],
)
def test_what_is_not_an_images_fault_is_raised_and_leaves_no_file(tmp_path, error):
    arguments = {"image": [], "row": row_of(tmp_path), "slide": tmp_path / "slide.json"}
    with pytest.raises(type(error)):
        step.execute(step_that(error), arguments, NoParams())
    assert list(tmp_path.iterdir()) == []


def test_the_reason_is_the_message_of_the_error(tmp_path):
    arguments = {"image": [], "row": row_of(tmp_path), "slide": tmp_path / "slide.json"}
    why = step.execute(step_that(ImageNotFoundError("i")), arguments, NoParams())
    assert why is not None
    assert why.reason == str(ImageNotFoundError("i"))


@pytest.mark.parametrize("name", ["train_evaluate", "train_scorer", "train_next"])
def test_an_image_that_a_training_cannot_read_is_named_and_leaves_no_file(tmp_path, name):
    arguments = {"image": [], "row": row_of(tmp_path), "slide": tmp_path / "slide.json"}
    with pytest.raises(ImageNotFoundError):
        step.execute(step_that(ImageNotFoundError("i"), name=name), arguments, NoParams())
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_step_is_refused():
    with pytest.raises(ConfigError, match="unknown step 'nonsense'"):
        step.load_step("nonsense")


def test_arguments_follow_from_the_signature(tmp_path):
    loaded = step.load_step("slide_intake")
    row = row_of(tmp_path / "a.svs")
    argv = ["--image", "a.svs", "b.svs", "--row", row.model_dump_json(), "--slide", "slide.json"]
    arguments, params = step.parse_arguments(loaded, argv)
    assert arguments == {"image": [Path("a.svs"), Path("b.svs")], "row": row, "slide": Path("slide.json")}
    assert params == loaded.params()


def test_an_unknown_parameter_of_a_step_is_a_configuration_fault():
    loaded = step.load_step("slide_tiles")
    argv = ["--slide", "a", "--quality", "b", "--tissue", "c", "--tiles", "d", "--params", '{"target_mp": 1}']
    with pytest.raises(ConfigError, match="target_mp"):
        step.parse_arguments(loaded, argv)


def test_a_file_that_is_no_artefact_gets_no_placeholder(tmp_path):
    why = placeholders.NotEvaluable("x", "y")
    made_by = placeholders.Producer(step="s", version="0")
    with pytest.raises(ArtefactError, match="no artefact"):
        placeholders.write_not_evaluable(tmp_path / "notes.txt", why, producer=made_by, facts=None)


def test_the_command_ends_with_the_exit_code_of_who_must_act():
    done = subprocess.run(
        [sys.executable, "-m", "her2path.cli.main", "step", "nonsense"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "unknown step" in done.stderr
