"""Whether a folder may become that of a new model; asked before a training takes its hours.

The folder's name is the model's id, by which results, cards and configurations name it.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from her2path.errors import ConfigError
from her2path.io.model_card import ID_PATTERN
from her2path.io.model_store import model_ids


def check_new_id(folder: Path) -> None:
    """Refuse the folder of a new model whose name cannot be its id.

    Raises
    ------
    ConfigError
        It has other signs than an id, or is the id of a model that ships with her2path.
    """
    name = folder.name
    if not re.fullmatch(ID_PATTERN, name):
        raise ConfigError(
            (
                f"{name!r}: the folder's name is the model's id, which has small letters (a to z), digits, "
                "dots, hyphens and underscores only and begins with a letter or digit, such as `my-lab-1`; "
                "give the folder such a name",
            )
        )
    if name in model_ids():
        raise ConfigError(
            (f"{name!r}: a model of this id ships with her2path; give the folder another name",)
        )


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written to; nothing is left there.

    Raises
    ------
    ConfigError
        It, or one that it would lie in, is a file, or may not be written to.
    """
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise ConfigError((f"{str(there)!r} is a file, where a folder is needed; give another folder",))
    try:
        with tempfile.TemporaryDirectory(prefix=".her2path.", dir=there):
            pass
    except OSError as error:
        raise ConfigError(
            (f"{str(there)!r} cannot be written to ({error.strerror}); give another folder",)
        ) from error
