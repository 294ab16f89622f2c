"""What a step logs stays in the results: it names the image by its id and never its file."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from her2path.cli import logs

FILE = Path("/scans/Doe Jane/Doe^Jane 1941.svs")


@pytest.fixture(autouse=True)
def package_as_before():
    """Leave no handler behind that writes to a stream of this test."""
    yield
    logging.getLogger("her2path").handlers = []


@contextmanager
def step(*files: Path) -> Iterator[None]:
    """Log as a step does."""
    logs.start(logging.INFO)
    with logs.concealing(files):
        yield


def logged(capsys) -> list[dict[str, str]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_path_and_a_file_name_are_left_out_of_a_message(capsys):
    with step(FILE):
        logging.getLogger("her2path.x").warning("%s: no label, see %s", FILE, FILE.name)
    assert logged(capsys)[0]["message"] == "(file of the image): no label, see (file of the image)"


def test_a_path_is_left_out_of_the_trace_of_a_defect(capsys):
    try:
        raise OSError(5, "input/output error", str(FILE))
    except OSError:
        with step(FILE):
            logging.getLogger("her2path.x").exception("defect")
    trace = logged(capsys)[0]["trace"]
    assert "Doe" not in trace
    assert "OSError" in trace


def test_other_files_of_the_same_folder_lose_the_name_of_the_folder(capsys):
    with step(FILE):
        logging.getLogger("her2path.x").warning("%s", FILE.with_name("level_1.dcm"))
    assert logged(capsys)[0]["message"] == "(file of the image)/level_1.dcm"


def test_what_a_library_logs_or_warns_of_names_no_file_either(capsys):
    with step(FILE), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("tifffile").warning("<TiffFile %r> OME series failed", FILE.name)
        warnings.warn(f"{FILE} has no pixel size", stacklevel=1)
    found = logged(capsys)
    assert [line["logger"] for line in found] == ["tifffile", "py.warnings"]
    assert "Doe" not in str(found)


def test_after_the_step_libraries_log_as_before(capsys):
    before = list(logging.getLogger().handlers)
    with step(FILE):
        pass
    assert logging.getLogger().handlers == before


def test_a_short_relative_path_garbles_no_line(capsys):
    with step(Path("a")):
        logging.getLogger("her2path.x").warning("a mask was measured")
    assert logged(capsys)[0]["message"] == "a mask was measured"
