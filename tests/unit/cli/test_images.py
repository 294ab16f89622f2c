from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from her2path.cli.main import app
from her2path.errors import CaseSheetError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param(["--control-piece", "middle"], "no piece of tissue", id="no such place"),
        pytest.param(["--control-score", "3+"], "without control_piece", id="score of nothing"),
        pytest.param(
            ["--control-piece", "Left, 2", "--control-score", "3+"], "1 scores for 2 pieces", id="one of two"
        ),
    ],
)
def test_control_tissue_on_the_command_line_is_checked_like_that_of_a_sheet(tmp_path: Path, options, words):
    result = CliRunner().invoke(app, ["ihc", "slide.tif", "--out", str(tmp_path), *options])
    assert isinstance(result.exception, CaseSheetError)
    assert words in str(result.exception)
