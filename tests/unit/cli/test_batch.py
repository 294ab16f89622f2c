"""What a batch says when it ends."""

from __future__ import annotations

import json

import pytest

from her2path.cli import batch, step
from her2path.config import Config
from her2path.errors import ConfigError
from her2path.io.call_entries import Reason
from her2path.io.documents import CallDoc, Producer


def call_with(*codes: str) -> CallDoc:
    status = "not_evaluable" if codes else "evaluated"
    return CallDoc(
        produced_by=Producer(step="case_call", version="0"),
        case_id="c",
        guideline="breast_2023",
        status=status,
        state="not_evaluable" if codes else "negative",
        reasons={f"image{n}": Reason(code=code, reason="why") for n, code in enumerate(codes)},
    )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([()], 0, id="all cases evaluated"),
        pytest.param([(), ("no_tissue",)], 1, id="one case not evaluable"),
        pytest.param([("no_tissue",), (step.DEFECT,)], 70, id="a defect of her2path on one image"),
    ],
)
def test_the_exit_code_says_the_worst_that_happened(codes, expected):
    assert batch.exit_code_of([call_with(*one) for one in codes]) == expected


def write_log(folder, name, *entries):
    path = folder / name / "image.log"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + "not json\n")


def test_a_failed_workflow_names_the_step_and_who_must_act(tmp_path):
    write_log(tmp_path, "slide_intake", {"level": "INFO", "message": "done"})
    write_log(tmp_path, "ihc_score", {"level": "ERROR", "message": "disk full", "exit_code": 5})
    error = batch.workflow_error(tmp_path)
    assert (str(error), error.exit_code) == ("ihc_score: disk full", 5)


def test_a_log_of_an_earlier_run_is_not_blamed(tmp_path):
    write_log(tmp_path, "ihc_score", {"level": "ERROR", "message": "disk full", "exit_code": 5})
    later = (tmp_path / "ihc_score" / "image.log").stat().st_mtime_ns + 1
    assert batch.workflow_error(tmp_path, since_ns=later).exit_code == 70


def test_a_failed_workflow_without_a_known_cause_is_a_defect(tmp_path):
    error = batch.workflow_error(tmp_path)
    assert error.exit_code == 70
    assert "snakemake.log" in str(error)


def test_a_folder_that_cannot_be_made_is_an_operators_fault(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file"), batch.locked(tmp_path / "file"):
        pytest.fail("the lock must not be granted")


def test_a_profile_that_is_nowhere_is_the_operators_to_correct(tmp_path):
    how = batch.Workflow(cores=1, profile=str(tmp_path / "nowhere"), dry_run=True, lock=0)
    with pytest.raises(ConfigError, match=r"--profile .*nowhere.* cannot be found; give the folder"):
        batch.start(Config(out=tmp_path), ["c"], how)
