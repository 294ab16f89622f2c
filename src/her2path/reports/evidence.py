"""The artefacts of a case, gathered by image.

A report reads documents, small tables and finished pictures; it never opens a slide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from her2path.domain.case import Assay
from her2path.errors import ArtefactError, OtherVersionError
from her2path.io.documents import (
    CallDoc,
    Document,
    FishCountsDoc,
    IhcScoreDoc,
    Producer,
    QualityDoc,
    SheetFacts,
    SlideDoc,
    read_document,
)
from her2path.io.tables import FISH_NUCLEI, open_table, produced_by_of

_RESULT_FILES = MappingProxyType({Assay.IHC: "ihc_score.json", Assay.FISH: "fish_counts.json"})
_TABLES = MappingProxyType(
    {
        Assay.IHC: ("tiles.parquet", "ihc_cells.parquet"),
        Assay.FISH: ("fish_objects.parquet", "fish_signals.parquet"),
    }
)
"""One table of each step that writes no document, in the order of the steps."""


@dataclass(frozen=True, slots=True)
class ImageEvidence:
    """What is known of one image of a case."""

    image_id: str
    files: MappingProxyType[str, Path]
    """Its artefacts by file name."""
    slide: SlideDoc
    quality: QualityDoc
    score: IhcScoreDoc | None
    """None for a FISH image."""
    counts: FishCountsDoc | None
    """None for an IHC image."""
    tables: tuple[tuple[str, Producer], ...]
    """Tables of the steps that write no document, and who made them."""

    @property
    def facts(self) -> SheetFacts:
        """What the case sheet says of the image."""
        return self.slide.sheet

    @property
    def has_result(self) -> bool:
        """Whether the image was measured to the end."""
        measured = self.score or self.counts
        return measured is not None and measured.result is not None

    @property
    def flags(self) -> tuple[str, ...]:
        """What the measurement asks a person to look at."""
        measured = self.score or self.counts
        return measured.result.flags if measured is not None and measured.result is not None else ()

    @property
    def documents(self) -> tuple[tuple[str, Document], ...]:
        """The documents of the image with their file names, in the order of the steps."""
        result = self.score or self.counts
        found: list[tuple[str, Document | None]] = [
            ("slide.json", self.slide),
            ("quality.json", self.quality),
            (_RESULT_FILES[self.facts.assay], result),
        ]
        return tuple((name, document) for name, document in found if document is not None)

    @property
    def producers(self) -> tuple[tuple[str, Producer], ...]:
        """Who made each artefact, in the order of the steps."""
        made = [(name, document.produced_by) for name, document in self.documents]
        return (*made[:2], *self.tables, *made[2:])


def gather_images(call: CallDoc, artefacts: Iterable[Path]) -> tuple[ImageEvidence, ...]:
    """Group `artefacts` by the folder that holds them and read their documents.

    Parameters
    ----------
    call : CallDoc
        The case's call; it names the images it rests on.
    artefacts : iterable of Path
        Files ``.../<image_id>/<artefact>`` of all images of the case, in any order.

    Returns
    -------
    tuple of ImageEvidence
        IHC before FISH, then by image id.

    Raises
    ------
    ArtefactError
        A document is missing or damaged, belongs to another case, or the call names an image
        without artefacts: a report must not leave out what its call rests on.
    """
    folders = _folders(call, artefacts)
    return _sorted(_read_image(image_id, files, call.case_id) for image_id, files in folders.items())


def gather_readable(
    call: CallDoc, artefacts: Iterable[Path]
) -> tuple[tuple[ImageEvidence, ...], dict[str, str]]:
    """Gather as `gather_images` does, but leave out images whose results another version wrote.

    Returns
    -------
    images : tuple of ImageEvidence
        Those that this version can read.
    left_out : dict of str to str
        What was found of the others, by image id.
    """
    images, left_out = [], {}
    for image_id, files in sorted(_folders(call, artefacts).items()):
        try:
            images.append(_read_image(image_id, files, call.case_id))
        except OtherVersionError as error:
            left_out[image_id] = f"{error.name} {error.detail}"
    return _sorted(images), left_out


def _folders(call: CallDoc, artefacts: Iterable[Path]) -> dict[str, dict[str, Path]]:
    folders: dict[str, dict[str, Path]] = {}
    for path in artefacts:
        folders.setdefault(path.parent.name, {})[path.name] = path
    if missing := sorted(set(call.images) - folders.keys()):
        raise ArtefactError("call.json", f"rests on image {missing[0]!r}, whose artefacts were not given")
    return folders


def _sorted(images: Iterable[ImageEvidence]) -> tuple[ImageEvidence, ...]:
    return tuple(sorted(images, key=lambda image: (image.facts.assay is Assay.FISH, image.image_id)))


def refuse_other_inputs(call: CallDoc, found: Mapping[str, str]) -> None:
    """Refuse documents that are not those the call was made from.

    Parameters
    ----------
    call : CallDoc
        The call; its `inputs` name each document ``<image_id>/<stem>``.
    found : mapping of str to str
        SHA-256 of the documents that a report would show, as ``<image_id>/<file name>``.

    Raises
    ------
    ArtefactError
        A digest differs: the page would show other numbers than the call rests on.
    """
    for name, sha256 in sorted(found.items()):
        stated = call.inputs.get(name.removesuffix(".json"))
        if stated is not None and stated != sha256:
            raise ArtefactError(f"cases/{call.case_id}/call.json", f"was made from another {name}")


def _read_image(image_id: str, files: dict[str, Path], case_id: str) -> ImageEvidence:
    slide = read_document(_file(files, image_id, "slide.json"), SlideDoc)
    if (slide.sheet.image_id, slide.sheet.case_id) != (image_id, case_id):
        found = f"{slide.sheet.image_id!r} of case {slide.sheet.case_id!r}"
        raise ArtefactError(
            f"{image_id}/slide.json", f"is of image {found}, expected one of case {case_id!r}"
        )
    quality = read_document(_file(files, image_id, "quality.json"), QualityDoc)
    result = _file(files, image_id, _RESULT_FILES[slide.sheet.assay])
    is_ihc = slide.sheet.assay is Assay.IHC
    if (nuclei := files.get("fish_nuclei.parquet")) is not None:
        open_table(nuclei, FISH_NUCLEI).close()
    return ImageEvidence(
        image_id=image_id,
        files=MappingProxyType(dict(sorted(files.items()))),
        slide=slide,
        quality=quality,
        score=read_document(result, IhcScoreDoc) if is_ihc else None,
        counts=None if is_ihc else read_document(result, FishCountsDoc),
        tables=tuple(
            (name, produced_by_of(files[name])) for name in _TABLES[slide.sheet.assay] if name in files
        ),
    )


def _file(files: dict[str, Path], image_id: str, name: str) -> Path:
    if name not in files:
        raise ArtefactError(f"{image_id}/{name}", "was not given to the report")
    return files[name]
