"""The case sheet that a results folder was made from."""

from __future__ import annotations

import json
from pathlib import Path

from her2path.domain.guideline.registry import guideline_ids
from her2path.errors import ConfigError
from her2path.io.case_sheet import CaseSheet, read_case_sheet


def sheet_of_run(out: Path, *, named: Path | None = None) -> CaseSheet:
    """Read the case sheet of a run, or the one that was named because it was moved since.

    Raises
    ------
    ConfigError
        The folder holds no results, or its sheet lies elsewhere now.
    """
    settings = out / "logs" / "config.json"
    if not (settings.is_file() if named is None else (out / "images").is_dir()):
        raise ConfigError((f"{out.name!r} holds no results of `her2path run`",))
    path = named
    if path is None:
        path = Path(json.loads(settings.read_text(encoding="utf-8"))["cases"])
        if not path.is_file():
            raise ConfigError(("the case sheet of the run was moved; name it with --cases",))
    return read_case_sheet(path, guidelines=guideline_ids())
