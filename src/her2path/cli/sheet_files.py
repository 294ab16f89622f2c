"""Files of an image by the image's name: what the workflow records of a job then names no file.

Names of files and folders often name a patient.  Snakemake keeps the parameters and the command of every
job in the results and writes the command into its log where a job fails, so both hold ``sheet:<image_id>``
instead of a path.  The rows of the case sheet as they were when the run began lie in a temporary file that
only this user can read; it goes when the run ends.  So a sheet that is edited meanwhile changes nothing.
"""

from __future__ import annotations

import atexit
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from her2path.errors import ConfigError
from her2path.io.case_sheet import ImageRow

ROWS = "HER2PATH_ROWS"
"""Environment variable with the path of the file of rows; the workflow sets it."""
_PREFIX = "sheet:"
WHOLE = Path(_PREFIX)
"""Stands for the rows of the whole case sheet."""
_REGIONS = ("tumour_roi", "exclude_roi")


def hand_on(rows: Iterable[ImageRow]) -> None:
    """Keep rows for the steps that this process and its children start, unless a parent has done so."""
    if Path(os.environ.get(ROWS, "")).is_file():
        return
    handle, name = tempfile.mkstemp(prefix="her2path_", suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({row.image_id: row.model_dump(mode="json") for row in rows}, file)
    os.environ[ROWS] = name
    atexit.register(Path(name).unlink, missing_ok=True)


def reference(image_id: str) -> str:
    """Stand for a file of an image.

    Examples
    --------
    >>> reference("B24-001-her2")
    'sheet:B24-001-her2'
    """
    return f"{_PREFIX}{image_id}"


def without_paths(row: ImageRow) -> ImageRow:
    """Give a row of the case sheet with references instead of its paths."""
    stand_in = Path(reference(row.image_id))
    regions = {name: None if getattr(row, name) is None else stand_in for name in _REGIONS}
    return row.model_copy(update={"path": (stand_in,), **regions})


def with_files(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the references among the arguments of a step by what the case sheet names.

    Raises
    ------
    ConfigError
        There is a reference, but not within a run, or to an image that is not in its case sheet.
    """
    return {name: _with_file(name, value) for name, value in arguments.items()}


def _with_file(name: str, value: Any) -> Any:
    if isinstance(value, ImageRow):
        row = _row(value.path)
        return value if row is None else value.model_copy(update=_files(row))
    if value == WHOLE:
        return _rows_file()
    if isinstance(value, Path):
        row = _row([value])
        return value if row is None else _files(row)[name]
    if isinstance(value, list) and value and all(isinstance(item, Path) for item in value):
        row = _row(value)
        return value if row is None else list(row.path)
    return value


def _rows_file() -> Path:
    try:
        return Path(os.environ[ROWS])
    except KeyError as error:
        raise ConfigError(("only `her2path run` knows its rows; give the case sheet itself",)) from error


def _files(row: ImageRow) -> dict[str, Any]:
    return {"path": row.path, **{name: getattr(row, name) for name in _REGIONS}}


def _row(paths: Iterable[Path]) -> ImageRow | None:
    """Find the row that a reference names; None for plain paths."""
    first = str(next(iter(paths), ""))
    if not first.startswith(_PREFIX):
        return None
    image_id = first.removeprefix(_PREFIX)
    try:
        rows = json.loads(Path(os.environ[ROWS]).read_text(encoding="utf-8"))
        return ImageRow.model_validate(rows[image_id])
    except (KeyError, OSError) as error:
        detail = f"--image {first}: only `her2path run` knows this name; give the file of the image"
        raise ConfigError((detail,)) from error
