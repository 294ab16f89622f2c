"""The dataset sheet: one row a labelled image, all faults reported at once.

Text with a header, in whatever dialect a spreadsheet saved it; empty cells mean the default.  Paths are
taken relative to the sheet's folder.  Whether the files can be read is found out later, likewise all at once.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from her2path.domain.ihc import IhcScore
from her2path.errors import CaseSheetError, SheetFault
from her2path.io.case_sheet import StatedMpp, id_fault
from her2path.io.dataset_documents import SCORED_KINDS, ItemKind, MaskOf, Split
from her2path.io.spreadsheet_text import cells_of, lines_of, lowered, mark_of, text_of

WHAT = "dataset"
"""What a `CaseSheetError` of this module names as unusable."""
_MAX_BYTES = 64 * 2**20
"""Largest sheet that is read: a quarter of a million rows."""


class LabelRow(BaseModel):
    """One row of the dataset sheet: an image and what is said of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    image: Path
    """Slide, tile or field."""
    kind: ItemKind
    """`cells`, `regions`: GeoJSON of QuPath; `masks`: of the image's size; `tile`, `slide`: a score."""
    labels: Path | None = None
    """GeoJSON or mask; empty for a tile or slide."""
    score: IhcScore | None = None
    """Score of the whole tile or slide: 0, 1+, 2+ or 3+."""
    mpp: StatedMpp | None = None
    """Pixel size in µm that overrides what the file says."""
    patient_id: str
    """Pseudonym; images of one patient are never parted."""
    source: str
    """Where the image comes from."""
    licence: str
    """Licence of image and labels, or the permission under which they are used."""
    split: Split | None = None
    """`train`, `val` or `test`; empty = drawn for the patient."""
    slide_id: str | None = None
    """Pseudonym of the slide that the image is cut from; a slide belongs to one patient."""
    complete: bool | None = None
    """`yes` where every cell of the image is labelled; empty = no, or yes for a mask of nuclei or cells."""
    mask_of: MaskOf | None = None
    """What a mask shows: `nuclei`, `cells`, or the class of an area."""

    @field_validator("patient_id", "slide_id")
    @classmethod
    def _safe_id(cls, value: str | None) -> str | None:
        if value is not None and (fault := id_fault(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _one_label(self) -> Self:
        if self.kind in SCORED_KINDS:
            if self.score is None:
                raise ValueError(
                    f"score: is empty, but a {self.kind} is labelled by its score, 0, 1+, 2+ or 3+"
                )
            if self.labels is not None:
                raise ValueError(f"labels: a {self.kind} has a score and no file of labels; leave it empty")
        elif self.labels is None:
            raise ValueError(f"labels: is empty; name the file that holds the {self.kind}")
        elif self.score is not None:
            raise ValueError(f"score: labels of kind {self.kind} have no score; leave it empty")
        if self.kind == "masks" and self.mask_of is None:
            raise ValueError(
                "mask_of: is empty; say what the mask shows: nuclei, cells, or the class of an area (Tumor)"
            )
        if self.kind != "masks" and self.mask_of is not None:
            raise ValueError("mask_of: only a mask says what it shows; leave it empty")
        return self


COLUMNS = tuple(LabelRow.model_fields)
REQUIRED = tuple(name for name, info in LabelRow.model_fields.items() if info.is_required())


@dataclass(frozen=True, slots=True)
class NumberedRow:
    """A row and where it stands, for messages about it."""

    number: int
    """Line of the sheet, 1 = header; for files of a folder their place in it, from 1."""
    row: LabelRow


def read_dataset_sheet(path: Path) -> tuple[NumberedRow, ...]:
    """Read and check a dataset sheet.

    Raises
    ------
    CaseSheetError
        With every fault, each with its row and column.
    """
    header, records = _read_records(path)
    if faults := list(_header_faults(header)):
        raise CaseSheetError(tuple(faults), WHAT)
    rows: list[NumberedRow] = []
    for number, cells in records:
        if len(cells) > len(header):
            faults.append(SheetFault(number, "", f"{len(cells)} cells, but the header has {len(header)}"))
            continue
        named = {name: text for name, text in zip(header, cells, strict=False) if text}
        row = parse_row(number, named, path.parent, faults)
        if row is not None:
            rows.append(NumberedRow(number, row))
    if not records:
        faults.append(SheetFault(0, "", "no rows; give one row per labelled image"))
    faults += leakage_faults(rows)
    if faults:
        raise CaseSheetError(tuple(sorted(faults, key=lambda fault: fault.row)), WHAT)
    return tuple(rows)


def parse_row(number: int, cells: dict[str, str], folder: Path, faults: list[SheetFault]) -> LabelRow | None:
    """Check one row; what is wrong with it is added to `faults`."""
    data: dict[str, object] = dict(cells)
    for name in ("image", "labels"):
        if name in cells:
            data[name] = folder / cells[name]
    for name in ("kind", "split", "complete"):
        if name in cells:
            data[name] = cells[name].lower()
    try:
        return LabelRow.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            message = str(item["msg"]).removeprefix("Value error, ")
            column = str(item["loc"][0]) if item["loc"] else message.partition(":")[0]
            message = message.removeprefix(f"{column}: ")
            if item["type"] == "missing":
                message = _MISSING.get(column, "is empty, but needed")
            elif item["loc"] and column in cells:
                wanted = _WANTED.get(column) if item["type"].endswith("_parsing") else None
                message = f"{wanted or message} (found {cells[column]!r})"
            faults.append(SheetFault(number, column, message))
        return None


_WANTED = {
    "mpp": "is no number with a decimal point; give µm per pixel, for example 0.25",
    "complete": "is neither yes nor no; leave it empty where it is not known",
}
_MISSING = {
    "licence": "is empty; state the licence, or under which permission the image is used",
    "source": "is empty; state where the image comes from",
    "patient_id": "is empty; give a pseudonym, so that no patient is both learnt from and tested on",
}


def leakage_faults(rows: Sequence[NumberedRow]) -> list[SheetFault]:
    """Find patients in two splits, slides of two patients, and images that are listed twice."""
    faults: list[SheetFault] = []
    splits: dict[str, NumberedRow] = {}
    slides: dict[str, NumberedRow] = {}
    spelt: dict[str, str] = {}
    listed: dict[object, int] = {}
    for found in rows:
        number, row = found.number, found.row
        if spelt.setdefault(row.patient_id.casefold(), row.patient_id) != row.patient_id:
            other = spelt[row.patient_id.casefold()]
            message = f"{row.patient_id!r} differs from {other!r} only in its case; spell one patient one way"
            faults.append(SheetFault(number, "patient_id", message))
        first = splits.setdefault(row.patient_id, found)
        if first.row.split != row.split:
            message = (
                f"patient {row.patient_id!r} is {row.split or '(empty)'} here and "
                f"{first.row.split or '(empty)'} in row {first.number}; give a patient one split"
            )
            faults.append(SheetFault(number, "split", message))
        if row.slide_id is not None:
            slide = slides.setdefault(row.slide_id, found)
            if slide.row.patient_id != row.patient_id:
                message = (
                    f"slide {row.slide_id!r} is of patient {row.patient_id!r} here and of "
                    f"{slide.row.patient_id!r} in row {slide.number}; a slide is of one patient"
                )
                faults.append(SheetFault(number, "slide_id", message))
        key = (os.path.normpath(row.image), row.kind)
        if (earlier := listed.setdefault(key, number)) != number:
            message = f"is the image of row {earlier} with labels of the same kind; list it once"
            faults.append(SheetFault(number, "image", message))
    return faults


def _read_records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    if not path.exists():
        raise CaseSheetError((SheetFault(0, "", f"{path.name!r} was not found; correct its path"),), WHAT)
    text = text_of(path, most_bytes=_MAX_BYTES, what="a dataset sheet")
    if isinstance(text, SheetFault):
        raise CaseSheetError((text,), WHAT)
    lines = lines_of(text)
    mark = mark_of(lines[:1], COLUMNS)
    if mark is None:
        detail = f"names no columns of a dataset in its first line; known are {', '.join(COLUMNS)}"
        raise CaseSheetError((SheetFault(1, "", detail),), WHAT)
    records = [cells_of(line, mark) for line in lines]
    return lowered(records[0]), [(n, cells) for n, cells in enumerate(records[1:], start=2) if cells]


def _header_faults(header: Sequence[str]) -> Iterable[SheetFault]:
    known = ", ".join(COLUMNS)
    for name in header:
        if name not in COLUMNS:
            yield SheetFault(1, name or "(no name)", f"unknown column; known are {known}")
    for name, n in Counter(header).items():
        if n > 1:
            yield SheetFault(1, name, "column appears twice")
    for name in REQUIRED:
        if name not in header:
            yield SheetFault(1, name, "column is missing")
