"""The command line: help, errors and their exit codes."""

from __future__ import annotations

import errno

import pytest

from her2path.cli import main
from her2path.errors import CaseSheetError, ConfigError, RuleSetError, SheetFault


def run(capsys, *argv: str) -> tuple[int, str, str]:
    try:
        main.main(argv)
        code: object = 0
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    assert isinstance(code, int)
    return code, captured.out, captured.err


@pytest.mark.parametrize(
    "command",
    ["run", "call", "ihc", "fish", "step", "selftest", "slide info", "slide quality", "phantom ihc"],
)
def test_every_command_explains_itself(capsys, command):
    arguments = command.split()
    # `step` hands its options on to the step, so the list of commands explains it.
    code, out, _ = run(capsys, *(["--help"] if command == "step" else [*arguments, "--help"]))
    assert code == 0
    assert arguments[-1] in out


@pytest.mark.parametrize("command", [["ihc", "--out"], ["fish", "--out"]])
def test_a_missing_image_is_refused_by_name_with_exit_code_4(capsys, tmp_path, command):
    code, _, err = run(capsys, *command, str(tmp_path / "out"), str(tmp_path / "nowhere.svs"))
    assert code == 4
    assert "was not found" in err


def test_the_name_of_a_file_reaches_no_output_unless_it_is_asked_for(capsys, tmp_path):
    (tmp_path / "Jane_Doe.svs").write_text("no slide")
    code, out, err = run(capsys, "ihc", str(tmp_path / "Jane_Doe.svs"), "--out", str(tmp_path / "out"))
    assert code == 4
    texts = [p.read_text(errors="replace") for p in (tmp_path / "out").rglob("*.*") if p.is_file()]
    assert not [text for text in (out, err, *texts) if "Jane" in text]
    assert not list((tmp_path / "out").rglob("*Jane*"))


def test_an_unknown_guideline_lists_the_known_ones(capsys, tmp_path):
    code, _, err = run(capsys, "ihc", "x.svs", "--out", str(tmp_path), "--guideline", "breast_1066")
    assert code == 3
    assert "breast_2023" in err


def test_the_kind_of_specimen_that_some_guidelines_ask_for_can_be_said(capsys, tmp_path):
    (tmp_path / "x.svs").write_text("no slide")
    typed = ["ihc", str(tmp_path / "x.svs"), "--out", str(tmp_path / "out"), "--specimen"]

    assert run(capsys, *typed, "autopsy")[0] == 3
    run(capsys, *typed, "Biopsy")

    (document,) = (tmp_path / "out").rglob("slide.json")
    assert '"specimen": "biopsy"' in document.read_text(encoding="utf-8")


def test_an_absurd_pixel_size_is_refused_before_anything_is_written(capsys, tmp_path):
    code, _, err = run(capsys, "ihc", "x.svs", "--out", str(tmp_path / "out"), "--mpp", "250")
    assert code == 3
    assert "mpp" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(("x",)), 2),
        (CaseSheetError((SheetFault(2, "mpp", "x"),)), 3),
        (RuleSetError("x"), 70),
        (OSError(errno.ENOSPC, "No space left on device"), 5),
    ],
)
def test_each_error_ends_with_the_code_of_who_must_act(error, code):
    assert main.outcome(error)[1] == code


@pytest.mark.parametrize("error", [OSError(errno.EIO, "odd"), ZeroDivisionError("odd")])
def test_what_nobody_foresaw_is_a_defect_that_asks_to_be_reported(error):
    message, code = main.outcome(error)
    assert code == 70
    assert "report" in message
    assert "odd" in message


def test_a_folder_that_is_a_file_is_an_operators_fault(capsys, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "x.png").write_bytes(b"")
    code, _, err = run(capsys, "ihc", str(tmp_path / "x.png"), "--out", str(tmp_path / "file" / "out"))
    assert code == 2
    assert "Traceback" not in err
