"""Write a DICOM object whose bulk data lie in files, without holding them in memory.

pydicom copies a buffered element piece by piece, but puts every sequence together in memory first, and
all cells of a slide lie in one sequence.  Such a sequence is written here item by item, with delimiters
instead of lengths (PS3.5, 7.5); everything else is left to pydicom.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom import DataElement, Dataset
    from pydicom.filebase import DicomIO

_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM, _ITEM_END, _SEQUENCE_END = (struct.pack("<HH", 0xFFFE, number) for number in (0xE000, 0xE00D, 0xE0DD))


def save_dicom(path: Path, made: Dataset) -> None:
    """Write an object in explicit little-endian; memory is that of its largest element in memory."""
    # pydicom is loaded only where there are DICOM slides.
    from pydicom.filebase import DicomIO  # noqa: PLC0415
    from pydicom.filewriter import write_file_meta_info  # noqa: PLC0415

    if not any(element.VR == "SQ" and _is_bulky(element) for element in made):
        made.save_as(path, enforce_file_format=True)
        return
    with path.open("wb") as file:
        file.write(bytes(128) + b"DICM")
        out = DicomIO(file)
        out.is_little_endian, out.is_implicit_VR = True, False
        write_file_meta_info(out, made.file_meta, enforce_standard=True)
        _write_elements(out, made, made.get("SpecificCharacterSet", "ISO_IR 6"))


def _write_elements(out: DicomIO, dataset: Dataset, encoding: str) -> None:
    # As in `save_dicom`.
    from pydicom.filewriter import write_data_element  # noqa: PLC0415

    for element in dataset:
        if element.VR == "SQ" and _is_bulky(element):
            out.write(struct.pack("<HH2sH", element.tag.group, element.tag.element, b"SQ", 0) + _UNDEFINED)
            for item in element.value:
                out.write(_ITEM + _UNDEFINED)
                _write_elements(out, item, encoding)
                out.write(_ITEM_END + bytes(4))
            out.write(_SEQUENCE_END + bytes(4))
        else:
            write_data_element(out, element, encoding)


def _is_bulky(sequence: DataElement) -> bool:
    """Whether an element of a file lies somewhere in a sequence."""
    return any(
        element.is_buffered or (element.VR == "SQ" and _is_bulky(element))
        for item in sequence.value
        for element in item
    )
