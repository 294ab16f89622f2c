"""The list of scenes that a model is fitted to: their seeds and the digests of their files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Len
from pydantic import BaseModel, ConfigDict, ValidationError

from her2path.errors import ArtefactError
from her2path.io.files import sha256_of, write_text
from her2path.training.scenes import Scene, read_scene


class SceneEntry(BaseModel):
    """One scene."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Ge(0)]
    sha256: str


class Catalogue(BaseModel):
    """`scenes.json`; the files lie in the folder `scenes` beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    side_px: int
    variants: int
    scenes: Annotated[tuple[SceneEntry, ...], Len(1)]

    @property
    def digest(self) -> str:
        """One digest for all scenes."""
        return hashlib.sha256("".join(entry.sha256 for entry in self.scenes).encode()).hexdigest()


def scene_path(catalogue: Path, seed: int) -> Path:
    """File of one scene of a catalogue."""
    return catalogue.parent / "scenes" / f"{seed}.npz"


def write_catalogue(path: Path, *, seeds: list[int], side_px: int, variants: int) -> None:
    """List scenes whose files are there."""
    entries = tuple(SceneEntry(seed=seed, sha256=sha256_of(scene_path(path, seed))) for seed in seeds)
    found = Catalogue(side_px=side_px, variants=variants, scenes=entries)
    write_text(path, found.model_dump_json(indent=1) + "\n")


def read_catalogue(path: Path) -> Catalogue:
    """Read a catalogue; ArtefactError if it cannot be understood."""
    try:
        return Catalogue.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ArtefactError(path.name, f"is no list of scenes ({error})") from error


def read_scenes(path: Path) -> list[Scene]:
    """Read all scenes of a catalogue; ArtefactError if one was changed since it was listed."""
    scenes = []
    for entry in read_catalogue(path).scenes:
        file = scene_path(path, entry.seed)
        if not file.is_file() or sha256_of(file) != entry.sha256:
            raise ArtefactError(file.name, "is not the scene that was listed")
        scenes.append(read_scene(file))
    return scenes
