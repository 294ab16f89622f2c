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
from her2path.errors import ArtefactError
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


def read_rows(path: Path, *, guidelines: Iterable[str]) -> CaseSheet:
    """Read a case sheet, or its rows as a run hands them on to its steps (JSON by image id)."""
    if path.suffix != ".json":
        return read_case_sheet(path, guidelines=guidelines)
    rows = json.loads(path.read_text(encoding="utf-8"))
    return CaseSheet(tuple(ImageRow.model_validate(row) for row in rows.values()))


def read_cohort(sheet: CaseSheet, *, cases: Path, images: Path) -> tuple[CohortCase, ...]:
    """Read the calls and qualities of all cases of a sheet, in its order.

    Parameters
    ----------
    sheet : CaseSheet
        Which cases and images there are.
    cases, images : Path
        The folders of a results folder that hold ``<case_id>/call.json`` and ``<image_id>/quality.json``.

    Raises
    ------
    ArtefactError
        A call is missing, damaged or of another version.  A quality that cannot be read is no failure:
        no call rests on it, and the page says that it is not known.
    """
    return tuple(
        CohortCase(
            read_document(cases / case_id / "call.json", CallDoc),
            tuple(_image(row, images) for row in sheet.images_of(case_id)),
        )
        for case_id in sheet.case_ids
    )


def _image(row: ImageRow, images: Path) -> ImageFile:
    try:
        quality = read_document(images / row.image_id / "quality.json", QualityDoc)
    except ArtefactError:
        quality = None
    return ImageFile(row.image_id, row.assay, quality)
