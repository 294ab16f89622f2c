"""A slide that is a series of DICOM files: which files belong to it, and what their headers say.

OpenSlide reads the pixels (`her2path.io.slides.openslide`); headers are read with pydicom, because
objects that are derived from a slide refer to its files by their identifiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from her2path.errors import UnreadableImageError, UnsuitableImageError
from her2path.io.damage import DECODE_ERRORS, decoding

if TYPE_CHECKING:
    from pydicom import Dataset

_PREAMBLE = 128
_MAGIC = b"DICM"
_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
"""VL Whole Slide Microscopy Image Storage."""
_TOLD_APART_BY = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "ImageType",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows",
]
_NEEDED = (
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "ImageOrientationSlide",
    "TotalPixelMatrixOriginSequence",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows",
    "SharedFunctionalGroupsSequence",
)


def is_dicom(path: Path) -> bool:
    """Tell by its content whether a file is DICOM; a missing or unreadable file is none."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE + len(_MAGIC))[_PREAMBLE:] == _MAGIC
    except OSError:
        return False


def names_dicom(path: Path) -> bool:
    """Tell whether a case sheet's path names a DICOM slide: one of its files, or their folder.

    What cannot be looked at is none; whoever opens it says why.
    """
    try:
        return any(map(is_dicom, _files_in(path))) if path.is_dir() else is_dicom(path)
    except OSError:
        return False


def slide_file(path: Path, *, name: str) -> Path:
    """Find the file of the finest level where `path` is a folder; any other path stays as it is.

    Raises
    ------
    UnreadableImageError
        The folder holds no DICOM slide, or more than one.
    """
    if not path.is_dir():
        return path
    try:
        members = [_member(file) for file in _files_in(path)]
    except OSError as error:
        raise UnreadableImageError(name, f"its folder cannot be opened: {type(error).__name__}") from error
    series = {found.series: found for found in members if found and found.is_level}
    if not series:
        detail = "the path names a folder, not a file, and the folder holds no DICOM slide"
        raise UnreadableImageError(name, detail)
    if len(series) > 1:
        detail = f"the folder holds {len(series)} DICOM slides; name a file of the one that is meant"
        raise UnreadableImageError(name, detail)
    return series_files(next(iter(series.values())).path)[0]


def series_files(path: Path) -> tuple[Path, ...]:
    """Find all files of the series that a DICOM file belongs to; none for any other file.

    The finest level comes first, whichever file was named, so that a slide has one identity; coarser
    levels follow, then pictures of the label and the whole glass.
    """
    named = _member(path)
    if named is None:
        return ()
    others = (_member(file) for file in _files_in(path.parent) if file != path)
    members = [named, *(found for found in others if found and found.series == named.series)]
    return tuple(found.path for found in sorted(members, key=lambda found: found.rank))


def read_levels(path: Path, *, name: str) -> tuple[Dataset, ...]:
    """Read the headers of the levels of a DICOM slide, the finest first.

    Parameters
    ----------
    path : Path
        One of its files, or their folder.
    name : str
        Id of the image for messages.

    Raises
    ------
    UnreadableImageError
        A header cannot be read.
    UnsuitableImageError
        A header lacks what derived objects must refer to.
    """
    # pydicom's dictionaries take as long to load as all of OpenSlide, and only DICOM slides need them.
    from pydicom import dcmread  # noqa: PLC0415

    levels = []
    for file in series_files(slide_file(path, name=name)):
        with decoding(name, "its DICOM header is damaged"):
            header = dcmread(file, stop_before_pixels=True)
            is_level = _is_level(header)
        if is_level:
            levels.append(header)
    if not levels:
        raise UnsuitableImageError(name, "it is no DICOM whole-slide image", code="dicom_source")
    for header in levels:
        if lacking := _lacking(header):
            detail = f"its DICOM header lacks {', '.join(lacking)}, which derived objects must refer to"
            raise UnsuitableImageError(name, detail, code="dicom_source")
    return tuple(levels)


def _lacking(header: Dataset) -> list[str]:
    """Name what a header must state and does not: identifiers, and where its pixels lie."""
    lacking = [keyword for keyword in _NEEDED if not header.get(keyword)]
    within = {
        "SharedFunctionalGroupsSequence": "PixelMeasuresSequence",
        "TotalPixelMatrixOriginSequence": "XOffsetInSlideCoordinateSystem",
    }
    return lacking + [
        inner
        for outer, inner in within.items()
        if outer not in lacking and header[outer].value[0].get(inner) in (None, "")
    ]


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of a series."""

    path: Path
    series: str
    is_level: bool
    pixels: int
    uid: str

    @property
    def rank(self) -> tuple[bool, int, str]:
        return not self.is_level, -self.pixels, self.uid


def _member(path: Path) -> _Member | None:
    if not is_dicom(path):
        return None
    # As in `read_levels`.
    from pydicom import dcmread  # noqa: PLC0415

    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(_TOLD_APART_BY))
        series = header.get("SeriesInstanceUID")
        if not series:
            return None
        pixels = int(header.get("TotalPixelMatrixColumns") or 0) * int(
            header.get("TotalPixelMatrixRows") or 0
        )
        return _Member(path, str(series), _is_level(header), pixels, str(header.get("SOPInstanceUID", "")))
    except DECODE_ERRORS:
        return None  # whoever reads its pixels says what is wrong with it


def _is_level(header: Dataset) -> bool:
    kind: Sequence[str] = header.get("ImageType") or ()
    return header.get("SOPClassUID") == _WHOLE_SLIDE and len(kind) > 2 and kind[2] == "VOLUME"


def _files_in(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.iterdir() if path.is_file()))
