"""What objects derived from a DICOM slide take over from it, and how their own identity is made.

Taken over are identifiers (study, series, instances, frame of reference, specimen), geometry and optical
paths: what another system needs to lay the result over the slide.  Names, dates, accession numbers,
identifiers of container and specimen, and all free text stay behind; the pseudonyms of the case sheet
take their place.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from her2path.reports.dicom_concepts import MANUFACTURER, scheme

_NAMESPACE = uuid.UUID("a4d5e1c8-4b0f-5c33-8d7e-2f4b7a1d9e60")
"""Namespace of the UIDs; changing it changes every written object."""
_MAKING = "19000101", "000000"
"""Date and time of the content.  The standard demands one, a clock would make every run another object,
and the day of the scan is none of the reader's business (PS3.15, table E.1-1: a dummy)."""
_KEPT = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "Modality",
    "ImageType",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixRows",
    "TotalPixelMatrixFocalPlanes",
    "TotalPixelMatrixOriginSequence",
    "ImageOrientationSlide",
    "NumberOfOpticalPaths",
    "DimensionOrganizationType",
    "DimensionOrganizationSequence",
    "DimensionIndexSequence",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_OF_THE_PERSON = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
)
_STANDARD_SCHEMES = frozenset({"SCT", "DCM", "SRT", "LN"})


D = TypeVar("D", bound=Dataset)
_LONGEST = 64
"""Characters of a name or an identifier (PS3.5, 6.2: PN, LO)."""


@dataclass(frozen=True, slots=True)
class Named:
    """The pseudonyms of a slide, and whether its own names are kept beside them."""

    case_id: str
    image_id: str
    keep_identity: bool = False
    """Patient, study, container and specimen as the slide states them, for filing beside it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The slide that objects are derived from, as they may know it."""

    levels: tuple[Dataset, ...]
    """The finest first."""
    made_from: str
    """Digest of all that the objects are made from: other content is another object."""
    version: str
    """Of her2path."""

    @property
    def finest(self) -> Dataset:
        """Level 0, whose pixels all coordinates mean."""
        return self.levels[0]

    def uid(self, what: str) -> str:
        """Make the UID of a part; the same for the same content, another one otherwise."""
        return f"2.25.{uuid.uuid5(_NAMESPACE, f'{self.made_from}/{what}').int}"

    @property
    def device_uid(self) -> str:
        """UID of this version of her2path as an observer."""
        return f"2.25.{uuid.uuid5(_NAMESPACE, f'device {self.version}').int}"

    def head(self, what: str, *, number: int, description: str) -> dict[str, Any]:
        """Arguments that all objects are made with."""
        return {
            "series_instance_uid": self.uid(f"series {what}"),
            "series_number": 9000 + number,
            "series_description": description,
            "sop_instance_uid": self.uid(what),
            "instance_number": 1,
            "manufacturer": MANUFACTURER,
            "manufacturer_model_name": MANUFACTURER,
            "software_versions": self.version,
            "device_serial_number": self.version,
            "content_date": _MAKING[0],
            "content_time": _MAKING[1],
            "specific_character_set": "ISO_IR 192",
            "coding_schemes": [scheme()],
        }


def origin_of(levels: Sequence[Dataset], named: Named, *, made_of: Mapping[str, str], version: str) -> Origin:
    """Take over from a slide's headers what derived objects need, and nothing else.

    Parameters
    ----------
    levels : sequence of Dataset
        Headers, the finest level first.
    named : Named
    made_of : mapping of str to str
        Everything else that the objects are made from: digests of files, and parameters.
    version : str
        Of her2path.
    """
    stated = ",".join(f"{name}={digest}" for name, digest in sorted(made_of.items()))
    instances = ",".join(str(level.SOPInstanceUID) for level in levels)
    made_from = f"{instances}/{stated}/{version}/{named}"
    return Origin(tuple(_taken_over(level, named) for level in levels), made_from, version)


def _taken_over(header: Dataset, named: Named) -> Dataset:
    kept = Dataset()
    for keyword in _KEPT:
        if keyword in header:
            kept[keyword] = header[keyword]
    # A name of one part ends with a caret (PS3.5, 6.2.1), for which the longest pseudonym leaves no room.
    kept.PatientName, kept.PatientID = f"{named.case_id}^"[:_LONGEST], named.case_id
    kept.PatientBirthDate = kept.PatientSex = kept.AccessionNumber = kept.StudyID = ""
    kept.StudyDate = kept.StudyTime = kept.ReferringPhysicianName = ""
    kept.ContainerIdentifier = named.image_id
    kept.IssuerOfTheContainerIdentifierSequence = []
    kept.ContainerTypeCodeSequence = _standard_codes(header, "ContainerTypeCodeSequence")
    found = header.get("SpecimenDescriptionSequence") or [Dataset()]
    kept.SpecimenDescriptionSequence = [_specimen(item, named, place) for place, item in enumerate(found)]
    if named.keep_identity:
        for keyword in (*_OF_THE_PERSON, "ContainerIdentifier"):
            if header.get(keyword):
                kept[keyword] = header[keyword]
    return kept


def _specimen(item: Dataset, named: Named, place: int) -> Dataset:
    kept = Dataset()
    suffix = f"-{place + 1}" if place else ""
    kept.SpecimenIdentifier = named.case_id[: _LONGEST - len(suffix)] + suffix
    if named.keep_identity and item.get("SpecimenIdentifier"):
        kept.SpecimenIdentifier = item.SpecimenIdentifier
    unknown = uuid.uuid5(_NAMESPACE, f"{named.case_id}/{named.image_id}/{place}").int
    kept.SpecimenUID = item.get("SpecimenUID") or f"2.25.{unknown}"
    kept.IssuerOfTheSpecimenIdentifierSequence = []
    kept.SpecimenPreparationSequence = []
    for keyword in ("SpecimenTypeCodeSequence", "PrimaryAnatomicStructureSequence"):
        if coded := _standard_codes(item, keyword):
            setattr(kept, keyword, coded)
    return kept


def _standard_codes(item: Dataset, keyword: str) -> list[Dataset]:
    """Take over codes of public schemes; a scheme of a laboratory's own may say anything."""
    coded = []
    for found in item.get(keyword) or ():
        if found.get("CodingSchemeDesignator") in _STANDARD_SCHEMES and found.get("CodeValue"):
            kept = Dataset()
            kept.CodeValue, kept.CodingSchemeDesignator = found.CodeValue, found.CodingSchemeDesignator
            kept.CodeMeaning = found.get("CodeMeaning", "")
            coded.append(kept)
    return coded


@dataclass(frozen=True, slots=True)
class Placement:
    """Where level-0 pixels lie on the glass."""

    first: npt.NDArray[np.float64]
    """Centre of the first pixel, mm, shape (2,)."""
    right: npt.NDArray[np.float64]
    """Step from one column to the next, mm, shape (2,)."""
    down: npt.NDArray[np.float64]
    """Step from one row to the next, mm."""

    def mm(self, xy_px0: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn level-0 pixels, shape (n, 2), into mm on the glass.

        Pixels are counted from the corner of the image, so the centre of the first one is 0.5, 0.5.
        """
        return self.first + (xy_px0[:, :1] - 0.5) * self.right + (xy_px0[:, 1:] - 0.5) * self.down

    def px0(self, xy_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn mm on the glass back into level-0 pixels."""
        steps = np.stack([self.right, self.down], axis=1)
        return np.asarray(np.linalg.solve(steps, (xy_mm - self.first).T).T + 0.5)


def placement_of(finest: Dataset) -> Placement:
    """Read from a header where its pixels lie.

    Examples
    --------
    >>> header = Dataset()
    >>> header.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    >>> corner, measures, shared = Dataset(), Dataset(), Dataset()
    >>> corner.XOffsetInSlideCoordinateSystem, corner.YOffsetInSlideCoordinateSystem = 20, 40
    >>> header.TotalPixelMatrixOriginSequence = [corner]
    >>> measures.PixelSpacing = [0.001, 0.001]
    >>> shared.PixelMeasuresSequence = [measures]
    >>> header.SharedFunctionalGroupsSequence = [shared]
    >>> placement_of(header).mm(np.array([[0.5, 0.5], [1000.5, 0.5], [0.5, 2000.5]])).round(3).tolist()
    [[20.0, 40.0], [20.0, 39.0], [18.0, 40.0]]
    """
    corner = finest.TotalPixelMatrixOriginSequence[0]
    first = [corner.XOffsetInSlideCoordinateSystem, corner.YOffsetInSlideCoordinateSystem]
    turned = np.array(finest.ImageOrientationSlide, np.float64)
    down_mm, right_mm = map(float, spacing_of(finest))
    return Placement(np.array(first, np.float64), turned[:2] * right_mm, turned[3:5] * down_mm)


def spacing_of(finest: Dataset) -> tuple[float, float]:
    """Read the distance of rows and of columns in mm."""
    measures = finest.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    return float(measures.PixelSpacing[0]), float(measures.PixelSpacing[1])


def without_clock(dataset: D) -> D:
    """Take away when an object was made, which would make it another object at every run."""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        dataset.pop(keyword, None)
    for equipment in dataset.get("ContributingEquipmentSequence") or ():
        equipment.pop("ContributionDateTime", None)
    return dataset
