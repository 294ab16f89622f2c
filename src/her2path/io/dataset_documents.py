"""`manifest.json`: a labelled dataset for training, with everything that says what it is.

Files are named relative to the manifest's own folder, so that a dataset can be moved as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from her2path.domain.ihc import IhcScore
from her2path.domain.label_classes import LabelClass
from her2path.errors import ArtefactError
from her2path.io.documents import Document, read_document
from her2path.io.files import sha256_of
from her2path.io.slides.opening import files_of

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")
ItemKind = Literal["cells", "regions", "masks", "tile", "slide"]
KINDS: tuple[ItemKind, ...] = ("cells", "regions", "masks", "tile", "slide")
SCORED_KINDS: tuple[ItemKind, ...] = ("tile", "slide")
"""Kinds whose label is one score for the whole image."""
MaskOf = Literal["nuclei", "cells", "Tumor", "Stroma", "Immune cells", "Necrosis", "Other", "Ignore*"]
"""What a mask shows: numbered objects, or the area of one class."""
OBJECT_MASKS: tuple[MaskOf, ...] = ("nuclei", "cells")


_ANOTHER = "give the manifest.json that `her2path train dataset` wrote"
_AGAIN = "run `her2path train dataset` again"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DatasetItem(_Part):
    """One image with its label."""

    item_id: str
    """Unique in the dataset; made of the digests of image and labels, so it outlives a move."""
    kind: ItemKind
    image: str
    """Relative to the manifest's folder, with forward slashes."""
    image_sha256: str
    labels: str | None = None
    """GeoJSON or mask, likewise; None where the label is a score."""
    labels_sha256: str | None = None
    score: IhcScore | None = None
    mpp: Annotated[float, Gt(0)]
    """Pixel size of level 0 in µm, from the sheet or the file."""
    patient_id: str
    """Pseudonym."""
    slide_id: str | None = None
    source: str
    licence: str
    split: Split
    complete: bool = False
    """Whether every cell of the image is labelled, so that a place without label holds none."""
    mask_of: MaskOf | None = None
    """What a mask shows; None for other kinds."""
    labelled: dict[str, Annotated[int, Ge(0)]]
    """Labels by class: cells, areas, objects of a mask, or 1 for the score of a tile or slide."""

    @field_validator("image", "labels")
    @classmethod
    def _relative(cls, value: str | None) -> str | None:
        if value is not None and (PurePosixPath(value).is_absolute() or ":" in value or "\\" in value):
            raise ValueError(f"{value!r} is no path relative to the manifest")
        return value

    @model_validator(mode="after")
    def _one_label(self) -> Self:
        scored = self.kind in SCORED_KINDS
        if scored != (self.score is not None) or scored != (self.labels is None):
            raise ValueError(f"an item of kind {self.kind} has {'a score' if scored else 'a file of labels'}")
        if (self.labels is None) != (self.labels_sha256 is None):
            raise ValueError("a file of labels has a digest")
        if (self.kind == "masks") != (self.mask_of is not None):
            raise ValueError("a mask, and only a mask, says what it shows")
        return self


DuplicateKind = Literal["same_file", "same_pixels", "same_field"]


class Duplicate(_Part):
    """Two items that show the same tissue."""

    one: str
    """Item id."""
    other: str
    how: DuplicateKind
    """The same bytes; the same pixels in another file; or the same tissue compressed again, turned,
    mirrored or cut elsewhere."""
    overlap: Annotated[float, Gt(0)] | None = None
    """Share of the smaller image that both show; None where it is all."""
    turned_deg: float | None = None
    """How far the other is turned against the one, in degrees; None where it is the same file or pixels."""
    mirrored: bool = False


class DatasetDoc(Document):
    """`manifest.json` (train_dataset)."""

    kind: ClassVar[str] = "dataset"

    name: str
    seed: Annotated[int, Ge(0)]
    """Of the split."""
    renamed: dict[str, LabelClass] = Field(default={})
    """Class that stands for a name of another project in the files of labels."""
    items: tuple[DatasetItem, ...]
    classes: dict[Split, dict[str, int]]
    """Labels by split and class."""
    patients: dict[Split, int]
    duplicates: tuple[Duplicate, ...] = ()
    """All within one split; a dataset with one across splits is refused."""
    warnings: tuple[str, ...] = ()
    """What a person should know about it."""

    def of_split(self, split: Split) -> tuple[DatasetItem, ...]:
        """Items of one split in the order of the manifest."""
        return tuple(item for item in self.items if item.split == split)


def item_path(manifest: Path, relative: str) -> Path:
    """File that a manifest names.

    Examples
    --------
    >>> item_path(Path("data/set/manifest.json"), "../tiles/a.png").as_posix()
    'data/set/../tiles/a.png'
    """
    return manifest.parent / relative


def read_dataset(path: Path, *, verify: bool = False) -> DatasetDoc:
    """Read a manifest.

    Parameters
    ----------
    path : Path
        `manifest.json`.
    verify : bool
        Whether to read every file and compare its digest.

    Raises
    ------
    ArtefactError
        The manifest cannot be understood; or, with `verify`, a file is missing or was changed since.
    """
    try:
        dataset = read_document(path, DatasetDoc)
    except ArtefactError as error:  # it may be a file of another kind, which is not to be deleted
        raise ArtefactError(error.name, error.detail, _ANOTHER) from error
    if verify:
        for item in dataset.items:
            _verify(path, item.image, item.image_sha256)
            if item.labels is not None and item.labels_sha256 is not None:
                _verify(path, item.labels, item.labels_sha256)
    return dataset


def image_sha256(path: Path) -> str:
    """Digest of an image: of its file, or of the digests of its files where it has several (MIRAX, DICOM)."""
    return joint_sha256([sha256_of(file) for file in files_of(path)])


def joint_sha256(digests: Sequence[str]) -> str:
    """Digest of an image by those of its files, the named one first."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _verify(manifest: Path, relative: str, digest: str) -> None:
    file = item_path(manifest, relative)
    if not file.is_file():
        raise ArtefactError(
            manifest.name,
            f"names {relative!r}, which is missing",
            f"restore it, or correct the sheet and {_AGAIN}",
        )
    if image_sha256(file) != digest:
        raise ArtefactError(manifest.name, f"{relative!r} was changed since the dataset was made", _AGAIN)
