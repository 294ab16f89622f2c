"""Who made an artefact, with which parameters, from which files."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel

from her2path.io.documents import Producer
from her2path.io.files import sha256_of


def producer(step: str, params: BaseModel) -> Producer:
    """Name a step, the version of her2path and the parameters it ran with."""
    return Producer(step=step, version=version("her2path"), params=params.model_dump(mode="json"))


def digests(**paths: Path) -> dict[str, str]:
    """SHA-256 of each file under the name it is given."""
    return {name: sha256_of(path) for name, path in sorted(paths.items())}
