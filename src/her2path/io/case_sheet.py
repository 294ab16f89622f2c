"""The case sheet: one row per image, all faults reported at once.

A sheet is a tab-separated UTF-8 file with a header.  Empty cells mean the default.  Paths are
taken relative to the sheet's folder.  What the sheet says is checked here, before any image is
opened; whether an image can be read is found out later and never stops the other cases.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, field_validator

from her2path.domain.case import Assay, Controls, Specimen, TumourSite
from her2path.domain.control_tissue import place_of
from her2path.domain.guideline.registry import DEFAULT_GUIDELINE
from her2path.domain.ihc import IhcScore
from her2path.domain.ish import Probe
from her2path.errors import CaseSheetError, SheetFault
from her2path.units import plausible_mpp

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ID_HELP = "use letters, digits, `.`, `_` and `-` only, 64 at most, beginning with a letter or digit"


def id_fault(value: str) -> str | None:
    """Say why `value` cannot be the id of a case or image; None if it can."""
    if not _ID.fullmatch(value) or ".." in value or value.endswith("."):
        return f"{value!r} cannot be an id; {_ID_HELP}"
    return None


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORDS = ("assay", "specimen", "probe", "controls", "tumour_site")
"""Columns that hold one of a few words, in capitals or not."""
_LISTS = {"channels": ";", "control_piece": ",", "control_score": ","}
"""Columns that hold several words, and the mark between them."""
CHANNEL_ROLES = ("dapi", "her2", "cep17", "other")
_PROBE_COLOURS = ("orange", "red", "green")
FIXATION_HOURS_MAX = 336
"""Longest time in formalin taken for real (hours, two weeks): six hours written in minutes are more."""
COLD_ISCHAEMIA_MINUTES_MAX = 4320
"""Longest way to the fixative taken for real (minutes): three days, a weekend in the refrigerator."""
_OF_THE_DEFAULT = (None, TumourSite.BREAST)
"""Sites for which the guideline may be left empty: it is a breast guideline then."""
_OF_THE_CASE = ("specimen", "tumour_site", "fixation_hours", "cold_ischaemia_minutes")
"""Columns about the specimen that may be left empty: one row states them for all rows of its case."""


StatedMpp = Annotated[float, AfterValidator(plausible_mpp)]
"""Pixel size that a sheet states (µm/px)."""


class ImageRow(BaseModel):
    """One row of the case sheet: an image and what is known of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    case_id: str
    """Pseudonym of the case; becomes a folder name."""
    image_id: str
    """Pseudonym of the image, unique in the sheet; becomes a folder name."""
    assay: Assay
    path: tuple[Path, ...]
    """File of the image; several, separated by `;`, where each channel has a file of its own."""
    guideline: str = DEFAULT_GUIDELINE
    """Guideline that the operator chooses; never guessed from the organ."""
    specimen: Specimen | None = None
    """Kind of specimen; empty = not stated, which some guidelines refuse."""
    mpp: StatedMpp | None = None
    """Pixel size in µm that overrides what the file says."""
    tumour_roi: Path | None = None
    """QuPath GeoJSON of the tumour regions; only cells within are scored."""
    exclude_roi: Path | None = None
    """QuPath GeoJSON of regions to leave out (artefacts, in-situ components); those of the class
    ``Control`` are control tissue, which is scored on its own."""
    control_piece: tuple[str, ...] = ()
    """Separate pieces of tissue that are control tissue: `left`, `right`, `top`, `bottom` or a number."""
    control_score: tuple[IhcScore, ...] = ()
    """Score that each of them should have, in the same order; empty = not stated."""
    probe: Probe = Probe.DUAL
    channels: tuple[str, ...] = ()
    """Roles of the channels in order (`dapi;her2;cep17`); empty = found by name or wavelength.  Kits
    that label HER2 green are stated as such: `dapi;her2:green;cep17:orange`."""
    area: str = ""
    """Label of the tumour area that a FISH image shows."""
    observer: Annotated[int, Ge(1)] = 1
    """1 = first count, 2 = other fields for a recount: the program's count of them is a check."""
    controls: Controls = Controls.UNKNOWN
    tumour_site: TumourSite | None = None
    """Where the tumour grew; empty = not stated.  It never chooses the guideline."""
    fixation_hours: float | None = None
    """Time in formalin (hours); empty = not stated."""
    cold_ischaemia_minutes: float | None = None
    """Time from the cut-off of blood to the fixative (minutes); empty = not stated."""

    @field_validator("path")
    @classmethod
    def _some_path(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        if not value:
            raise ValueError("is empty; give the file of the image")
        return value

    @field_validator("case_id", "image_id")
    @classmethod
    def _safe_id(cls, value: str) -> str:
        if fault := id_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("area")
    @classmethod
    def _safe_area(cls, value: str) -> str:
        if value and not _ID.fullmatch(value):
            raise ValueError(f"{value!r} cannot be the label of an area; {_ID_HELP}")
        return value

    @field_validator("fixation_hours")
    @classmethod
    def _plausible_hours(cls, value: float | None) -> float | None:
        return _within(value, FIXATION_HOURS_MAX, "time in formalin; give hours")

    @field_validator("cold_ischaemia_minutes")
    @classmethod
    def _plausible_minutes(cls, value: float | None) -> float | None:
        return _within(value, COLD_ISCHAEMIA_MINUTES_MAX, "time to the fixative; give minutes")

    @field_validator("control_piece")
    @classmethod
    def _known_places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        places = [place_of(word) for word in value]
        if doubled := [word for word, place in zip(value, places, strict=True) if places.count(place) > 1]:
            raise ValueError(f"piece {doubled[0]!r} is named twice")
        return value

    @field_validator("channels")
    @classmethod
    def _known_roles(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        allowed = (*CHANNEL_ROLES, *(f"{probe}:{c}" for probe in ("her2", "cep17") for c in _PROBE_COLOURS))
        if unknown := [word for word in value if word not in allowed]:
            raise ValueError(f"unknown channel {unknown[0]!r}; use {', '.join(CHANNEL_ROLES)}")
        roles = [word.partition(":")[0] for word in value]
        if doubled := [role for role in ("dapi", "her2", "cep17") if roles.count(role) > 1]:
            raise ValueError(f"channel {doubled[0]!r} is named twice")
        return value


def _within(value: float | None, most: int, what: str) -> float | None:
    """Refuse a time that is negative, not finite or too long to be meant."""
    if value is not None and not (math.isfinite(value) and 0 <= value <= most):
        raise ValueError(f"{value:g} is no plausible {what}, 0 to {most}")
    return None if value is None else abs(value)  # a "-0" of the sheet is 0


COLUMNS = tuple(ImageRow.model_fields)
REQUIRED = tuple(name for name, info in ImageRow.model_fields.items() if info.is_required())


@dataclass(frozen=True)
class CaseSheet:
    """A checked case sheet."""

    rows: tuple[ImageRow, ...]

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Ids of the cases in the order of their first row."""
        return tuple(self._by_case)

    def images_of(self, case_id: str) -> tuple[ImageRow, ...]:
        """All images of one case in the sheet's order; KeyError if there is none."""
        return tuple(self._by_case[case_id])

    def image(self, image_id: str) -> ImageRow:
        """Return the row of one image; KeyError if there is none."""
        return self._by_image[image_id]

    # The workflow asks for rows several times a job, and a batch has thousands of jobs.
    @cached_property
    def _by_case(self) -> dict[str, list[ImageRow]]:
        found: dict[str, list[ImageRow]] = {}
        for row in self.rows:
            found.setdefault(row.case_id, []).append(row)
        return found

    @cached_property
    def _by_image(self) -> dict[str, ImageRow]:
        return {row.image_id: row for row in self.rows}


def read_case_sheet(path: Path, *, guidelines: Iterable[str]) -> CaseSheet:
    """Read and check a case sheet.

    Parameters
    ----------
    path : Path
        Tab-separated UTF-8 file (a byte-order mark is accepted).
    guidelines : iterable of str
        Ids of the guidelines that may be named in it.

    Raises
    ------
    CaseSheetError
        With every fault that was found, each with its row and column.
    """
    header, records = _read_records(path)
    faults = _header_faults(header)
    if faults:
        raise CaseSheetError(tuple(faults))
    rows: list[tuple[int, ImageRow]] = []
    for number, record in records:
        if len(record) > len(header):
            faults.append(SheetFault(number, "", f"{len(record)} cells, but the header has {len(header)}"))
            continue
        cells = {name: text for name, text in zip(header, record, strict=False) if text}
        if strange := [name for name, text in cells.items() if _CONTROL.search(text)]:
            faults += [SheetFault(number, name, "holds a control character; retype it") for name in strange]
            continue
        row = _parse_row(number, cells, path.parent, faults)
        if row is not None:
            rows.append((number, row))
    if not records:
        faults.append(SheetFault(0, "", "no rows; give one row per image"))
    faults += _guideline_faults(rows, frozenset(guidelines))
    faults += _duplicate_faults(rows)
    faults += _case_faults(rows)
    faults += [fault for number, row in rows for fault in control_faults(number, row)]
    if faults:
        raise CaseSheetError(tuple(sorted(faults, key=lambda fault: fault.row)))
    return CaseSheet(_completed([row for _, row in rows]))


def _read_records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        wrong = "is not UTF-8 (UTF-16?)" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        detail = f"{wrong}; give a tab-separated UTF-8 file"
        raise CaseSheetError((SheetFault(0, "", detail),)) from error
    # One line is one row whatever it holds: a CSV reader would let a stray quote swallow the rows behind it.
    lines = [[_unquoted(cell) for cell in line.split("\t")] for line in text.split("\n")]
    if not any(any(line) for line in lines):
        raise CaseSheetError((SheetFault(0, "", "is empty; its first line names the columns"),))
    lines = [_without_trailing_blanks(line) for line in lines]
    return lines[0], [(n, line) for n, line in enumerate(lines[1:], start=2) if line]


def _without_trailing_blanks(cells: list[str]) -> list[str]:
    """Drop the empty cells that a spreadsheet leaves at the end of a line."""
    last = max((n for n, cell in enumerate(cells, start=1) if cell), default=0)
    return cells[:last]


def _unquoted(cell: str) -> str:
    """Undo the quotes that a spreadsheet sets around a cell which holds quotes itself."""
    text = cell.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"').strip()
    return text


def _header_faults(header: Sequence[str]) -> list[SheetFault]:
    if len(header) == 1 and len(re.split("[,;]", header[0])) >= len(REQUIRED):
        return [
            SheetFault(1, "", "columns are separated by commas or semicolons; save the sheet tab-separated")
        ]
    faults = [
        SheetFault(1, name or "(no name)", f"unknown column; known are {', '.join(COLUMNS)}")
        for name in header
        if name not in COLUMNS
    ]
    faults += [SheetFault(1, name, "column appears twice") for name, n in Counter(header).items() if n > 1]
    faults += [SheetFault(1, name, "column is missing") for name in REQUIRED if name not in header]
    return faults


def _parse_row(number: int, cells: dict[str, str], folder: Path, faults: list[SheetFault]) -> ImageRow | None:
    data: dict[str, object] = dict(cells)
    if "path" in cells:
        data["path"] = tuple(folder / part.strip() for part in cells["path"].split(";") if part.strip())
    for name in ("tumour_roi", "exclude_roi"):
        if name in cells:
            data[name] = folder / cells[name]
    for name, mark in _LISTS.items():
        if name in cells:
            data[name] = tuple(part.strip().lower() for part in cells[name].split(mark))
    for name in _WORDS:
        if name in cells:
            data[name] = cells[name].lower()
    try:
        return ImageRow.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            column = str(item["loc"][0]) if item["loc"] else ""
            faults.append(SheetFault(number, column, _plain(item["msg"], cells.get(column))))
        return None


def _plain(message: str, cell: str | None) -> str:
    if cell is None:
        return "is empty, but needed"
    text = message.removeprefix("Value error, ")
    return text if text.startswith(repr(cell)) else f"{text} (found {cell!r})"


def _guideline_faults(rows: Sequence[tuple[int, ImageRow]], known: frozenset[str]) -> list[SheetFault]:
    named = ", ".join(sorted(known))
    elsewhere = {row.case_id: row.tumour_site for _, row in rows if row.tumour_site not in _OF_THE_DEFAULT}
    faults = []
    for number, row in rows:
        if row.guideline not in known:
            message = f"unknown {row.guideline!r}; known are {named}"
            faults.append(SheetFault(number, "guideline", message))
        elif "guideline" not in row.model_fields_set and row.case_id in elsewhere:
            message = f"is empty, but the tumour is {elsewhere[row.case_id]}; choose one of {named}"
            faults.append(SheetFault(number, "guideline", message))
    return faults


def control_faults(number: int, row: ImageRow) -> list[SheetFault]:
    """Find what is stated of control tissue and cannot be."""
    pieces, scores = len(row.control_piece), len(row.control_score)
    if row.assay is not Assay.IHC and pieces + scores:
        column = "control_piece" if pieces else "control_score"
        return [SheetFault(number, column, "only an IHC slide has control tissue that is scored")]
    if scores and not pieces:
        message = (
            "is given without control_piece; name the piece, or draw it in exclude_roi and give it the "
            f"class `Control: {row.control_score[0]}`"
        )
        return [SheetFault(number, "control_score", message)]
    if scores not in (0, pieces):
        message = f"has {scores} scores for {pieces} pieces; give one for each, in the same order"
        return [SheetFault(number, "control_score", message)]
    return []


def _duplicate_faults(rows: Sequence[tuple[int, ImageRow]]) -> list[SheetFault]:
    faults = []
    seen: dict[str, tuple[int, str]] = {}
    cases: dict[str, str] = {}
    for number, row in rows:
        # Ids become folders, and some file systems do not tell upper case from lower case.
        first = seen.setdefault(row.image_id.casefold(), (number, row.image_id))
        if first[0] != number:
            faults.append(
                SheetFault(number, "image_id", f"{row.image_id!r} is already used in row {first[0]}")
            )
        spelt = cases.setdefault(row.case_id.casefold(), row.case_id)
        if spelt != row.case_id:
            message = f"{row.case_id!r} differs from {spelt!r} only in its case"
            faults.append(SheetFault(number, "case_id", message))
    return faults


def _completed(rows: Sequence[ImageRow]) -> tuple[ImageRow, ...]:
    """Give every row of a case what one of them states of the specimen."""
    stated: dict[str, dict[str, object]] = {}
    for row in rows:
        known = {name: getattr(row, name) for name in _OF_THE_CASE if getattr(row, name) is not None}
        stated.setdefault(row.case_id, {}).update(known)
    return tuple(row.model_copy(update=stated[row.case_id]) for row in rows)


def _case_faults(rows: Sequence[tuple[int, ImageRow]]) -> list[SheetFault]:
    """Find rows of one case that contradict each other."""
    faults = []
    stated: dict[str, dict[str, object]] = {}
    fish: dict[str, ImageRow] = {}
    shown: dict[object, int] = {}
    for number, row in rows:
        said = stated.setdefault(row.case_id, {})
        for name in ("guideline", *_OF_THE_CASE):
            value = getattr(row, name)
            if value is not None and value != said.setdefault(name, value):
                message = f"{value!s} contradicts {said[name]!s} in another row of this case"
                faults.append(SheetFault(number, name, message))
        if row.assay is Assay.FISH:
            probe = fish.setdefault(row.case_id, row).probe
            if row.probe is not probe:
                faults.append(SheetFault(number, "probe", f"{row.probe} contradicts {probe} of this case"))
        elif len(row.path) > 1:
            faults.append(SheetFault(number, "path", "an IHC image is one file"))
        view = (row.case_id, row.assay, row.observer, row.path, row.tumour_roi, row.exclude_roi)
        if (earlier := shown.setdefault(view, number)) != number:
            message = f"is the image of row {earlier} with the same regions; its cells would be counted twice"
            faults.append(SheetFault(number, "path", message))
    return faults
