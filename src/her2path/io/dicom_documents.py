"""`dicom/objects.json`: which DICOM objects were made from a slide, and what they refer to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from her2path.io.dicom_writing import save_dicom
from her2path.io.documents import Document
from her2path.io.files import sha256_of

if TYPE_CHECKING:
    from pydicom import Dataset

FOLDER = "dicom"
"""Folder of the objects in ``images/<image_id>/``; only slides that come as DICOM have one."""
INDEX = "objects.json"
"""File of the folder that names the others, or says why there are none."""
Count = Annotated[int, Ge(0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DicomObject(_Part):
    """One file of the folder."""

    file: str
    modality: Literal["ANN", "SEG", "SR"]
    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    sha256: str
    size_bytes: Count
    holds: dict[str, Count]
    """Cells by class, pixels by segment, or groups of measurements."""


class DicomResult(_Part):
    """The objects of one slide."""

    study_instance_uid: str
    source_series_instance_uid: str
    source_instances: tuple[str, ...]
    """SOP Instance UIDs of the levels, the finest first; coordinates mean the first."""
    frame_of_reference_uid: str
    coordinates: Literal["2D", "3D"]
    """Of the cells: pixels of level 0, or mm on the glass."""
    identity: Literal["pseudonym", "source"]
    """Whose patient, container and specimen the objects name."""
    objects: tuple[DicomObject, ...]


class DicomDoc(Document):
    """What step `slide_dicom` made."""

    kind: ClassVar[str] = "dicom"
    result: DicomResult | None = None


def write_object(path: Path, made: Dataset, *, holds: Mapping[str, int]) -> DicomObject:
    """Write one object into the folder and say what it is."""
    save_dicom(path, made)
    return DicomObject(
        file=path.name,
        modality=made.Modality,
        sop_class_uid=made.SOPClassUID,
        sop_instance_uid=made.SOPInstanceUID,
        series_instance_uid=made.SeriesInstanceUID,
        sha256=sha256_of(path),
        size_bytes=path.stat().st_size,
        holds=dict(holds),
    )
