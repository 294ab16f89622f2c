"""Files that appear whole or not at all, and their digests."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name in the folder of `path` and rename it to `path` on success.

    A failure (a full disk, an exception, a kill) leaves no file under `path` but the old one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; artefacts follow the umask
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give an empty folder within `folder`, whose files move there together on success.

    A failure leaves the files of `folder` as they were.  They move in the order of their names, those
    of deeper folders first: a page comes after what it was made from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staged.", dir=folder) as name:
        stage = Path(name)
        yield stage
        made = [path.relative_to(stage) for path in stage.rglob("*") if path.is_file()]
        for path in sorted(made, key=lambda path: (-len(path.parts), path)):
            (folder / path.parent).mkdir(parents=True, exist_ok=True)
            (stage / path).replace(folder / path)


@contextmanager
def replacing_folder(folder: Path, *, mark: str, overwrite: bool = False) -> Iterator[Path]:
    """Give the name of a folder to make beside `folder`, and rename it to `folder` on success.

    Parameters
    ----------
    folder : Path
        Folder that appears whole or not at all.
    mark : str
        File that tells a folder of this kind: another folder is never replaced.
    overwrite : bool
        Replace a folder of this kind.

    Raises
    ------
    FileExistsError
        There is something else of this name, or it may not be replaced.
    """
    if folder.exists() and not (overwrite and (folder / mark).is_file()):
        raise FileExistsError(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent) as name:
        made = Path(name) / "made"
        yield made
        if folder.exists():
            folder.rename(Path(name) / "before")
        made.rename(folder)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def artefact_name(path: Path) -> str:
    """Name an artefact in messages: the folder says of which image or case it is.

    Examples
    --------
    >>> artefact_name(Path("out/images/c1-ihc/quality.json"))
    'c1-ihc/quality.json'
    """
    return "/".join(path.parts[-2:])


def state_of(path: Path) -> str:
    """Tell whether a file changed since it was last asked: its size and time, or why it has none.

    Of a folder (a DICOM slide may be named by it) the digest of the same of all its files, since their
    names are nobody's business.

    Examples
    --------
    >>> state_of(Path("no such file"))
    'FileNotFoundError'
    """
    try:
        stated = path.stat()
        if path.is_dir():
            found = {file.name: file.stat() for file in path.iterdir()}
            states = sorted((name, one.st_size, one.st_mtime_ns) for name, one in found.items())
            return f"folder {hashlib.sha256(repr(states).encode()).hexdigest()}"
    except OSError as error:
        return type(error).__name__
    return f"{stated.st_size} bytes, {stated.st_mtime_ns} ns"


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
