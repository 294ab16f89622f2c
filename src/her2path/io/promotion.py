"""Promoted models: where they lie, and the record that says what was promoted.

A promoted model is a folder beside others in the user's own models folder.  Its record holds the
digest of every file of it, so that a folder that was changed afterwards is refused by name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from her2path.errors import ArtefactError, ModelError
from her2path.io.documents import Document, read_document, write_document
from her2path.io.files import sha256_of
from her2path.io.model_card import Digest, GuardEntry, Id, WeightsEntry

FOLDER_VARIABLE = "HER2PATH_MODELS"
RECORD = "promotion.json"


class PromotionDoc(Document):
    """`promotion.json`, beside the files of a promoted model."""

    kind: ClassVar[str] = "promotion"

    id: Id
    files: dict[str, Digest]
    """Every other file of the folder."""
    compared_with: WeightsEntry
    """The model that was in use."""
    guards: tuple[GuardEntry, ...]
    """Guard sets that it passed."""


def promoted_folder() -> Path:
    """Folder of the user's own models: `HER2PATH_MODELS`, or the place for such data of the XDG standard."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME")
    # The standard asks to ignore a relative path.
    base = Path(data) if data and Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "her2path" / "models"


def promoted_ids() -> tuple[str, ...]:
    """Ids of the promoted models, whole or not."""
    found = (path.parent.name for path in promoted_folder().glob(f"*/{RECORD}"))
    return tuple(sorted(name for name in found if not name.startswith(".")))


def read_promotion(folder: Path) -> PromotionDoc:
    """Read the record of a promoted model and compare its files with it.

    Raises
    ------
    ModelError
        The record is damaged, or a file is missing, new or changed since the model was promoted.
    """
    remedy = "promote it again from where it was trained, under a new id"
    try:
        record = read_document(folder / RECORD, PromotionDoc)
    except ArtefactError as error:
        raise ModelError(folder.name, f"its {RECORD} {error.detail}; {remedy}") from error
    if record.id != folder.name:
        raise ModelError(folder.name, f"its {RECORD} is that of {record.id!r}; {remedy}")
    for name, digest in record.files.items():
        file = folder / name
        if not file.is_file():
            raise ModelError(folder.name, f"{name} is missing since it was promoted; {remedy}")
        if sha256_of(file) != digest:
            raise ModelError(folder.name, f"{name} was changed since it was promoted; {remedy}")
    return record


def install(source: Path, files: tuple[str, ...], record: PromotionDoc) -> Path:
    """Copy a model into the user's folder, whole or not at all.

    Parameters
    ----------
    source : Path
        Folder of the model.
    files : tuple of str
        Names of its files.
    record : PromotionDoc
        Its `files` are filled in from the copies.

    Returns
    -------
    Path
        Folder of the promoted model.

    Raises
    ------
    ModelError
        A promoted model of that id is there already.
    """
    target = promoted_folder() / record.id
    target.parent.mkdir(parents=True, exist_ok=True)
    # A name that begins with a dot is no model, and lies on the same disk: a rename there is one act.
    copy = Path(tempfile.mkdtemp(prefix=f".{record.id}.", suffix=".part", dir=target.parent))
    try:
        for name in files:
            shutil.copyfile(source / name, copy / name)
        digests: Mapping[str, str] = {name: sha256_of(copy / name) for name in sorted(files)}
        write_document(copy / RECORD, record.model_copy(update={"files": dict(digests)}))
        umask = os.umask(0)
        os.umask(umask)
        copy.chmod(0o777 & ~umask)  # mkdtemp makes private folders; models follow the umask
        if target.exists():
            raise ModelError(record.id, _taken(target))
        try:
            copy.rename(target)
        except OSError as error:
            if target.exists():
                raise ModelError(record.id, _taken(target)) from error
            raise
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    return target


def _taken(target: Path) -> str:
    return (
        f"a model of this id was promoted before, to the folder {target.parent.name!r}; results name models "
        "by their id, so give the new one another id (rename its folder and evaluate it again)"
    )
