"""Calls of all cases of a batch and the quality of their images, found in a results folder.

Thousands of paths do not fit into a command, so the case sheet says which cases there are and in which
order; results of other cases, which an earlier sheet left in the folder, are not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from her2path.domain.case import Assay
from her2path.errors import ArtefactError, OtherVersionError
from her2path.io.case_sheet import CaseSheet, ImageRow, read_case_sheet
from her2path.io.documents import CallDoc, QualityDoc, read_document


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image of a case and the quality that was found."""

    image_id: str
    assay: Assay
    quality: QualityDoc | None = None
    """None: there is no such document, or it is of another version."""


@dataclass(frozen=True, slots=True)
class CohortCase:
    """The call of a case with its images in the order of the sheet."""

    call: CallDoc
    images: tuple[ImageFile, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadCase:
    """A case whose call another version of her2path wrote."""

    case_id: str
    found: str
    """What its document holds instead, in words."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The cases of a sheet in its order, and those that cannot be read."""

    cases: tuple[CohortCase, ...]
    unread: tuple[UnreadCase, ...] = ()


def read_rows(path: Path, *, guidelines: Iterable[str]) -> CaseSheet:
    """Read a case sheet, or its rows as a run hands them on to its steps (JSON by image id)."""
    if path.suffix != ".json":
        return read_case_sheet(path, guidelines=guidelines)
    rows = json.loads(path.read_text(encoding="utf-8"))
    return CaseSheet(tuple(ImageRow.model_validate(row) for row in rows.values()))


def read_cohort(sheet: CaseSheet, *, cases: Path, images: Path) -> Cohort:
    """Read the calls and qualities of all cases of a sheet.

    Parameters
    ----------
    sheet : CaseSheet
        Which cases and images there are.
    cases, images : Path
        The folders of a results folder that hold ``<case_id>/call.json`` and ``<image_id>/quality.json``.

    Raises
    ------
    ArtefactError
        A call is missing or damaged.  One of another version stands apart, and a quality that cannot be
        read is no failure either: no call rests on it, and the page says that it is not known.
    """
    found: list[CohortCase] = []
    unread: list[UnreadCase] = []
    for case_id in sheet.case_ids:
        try:
            call = read_document(cases / case_id / "call.json", CallDoc)
        except OtherVersionError as error:
            unread.append(UnreadCase(case_id, error.detail))
            continue
        found.append(CohortCase(call, tuple(_image(row, images) for row in sheet.images_of(case_id))))
    return Cohort(tuple(found), tuple(unread))


def _image(row: ImageRow, images: Path) -> ImageFile:
    try:
        quality = read_document(images / row.image_id / "quality.json", QualityDoc)
    except ArtefactError:
        quality = None
    return ImageFile(row.image_id, row.assay, quality)
