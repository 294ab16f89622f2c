"""Phantoms as DICOM: a whole-slide series of several levels that OpenSlide and viewers open.

One file a level (VL Whole Slide Microscopy Image, JPEG baseline, TILED_FULL), after Supplement 145 of
the standard.  UIDs are made from the pixels, so that the same phantom gives the same bytes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import Dataset, FileDataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID, JPEGBaseline8Bit, VLWholeSlideMicroscopyImageStorage

from her2path.io.files import replacing
from her2path.io.phantom_files import (
    FILE_QUALITY,
    LEVEL_FACTOR,
    TILE_PX,
    encoded_tiles,
    level_count,
    reduced,
)

Rgb = npt.NDArray[np.uint8]

_NAMESPACE = uuid.UUID("3d1f7a52-8c0b-5f4e-9a51-5a0a5b0f9c11")
_MAX_FRAME_BYTES = 2**32 - 1
"""The table of frame offsets holds 32-bit numbers."""
_SLIDE_MM = (25.0, 75.0)
"""Edges of a glass slide; X runs along the short one (PS3.3, C.8.12.2.1)."""
_DATE, _TIME = "20240102", "030405"
"""A phantom was never scanned; the same for all, so that it is the same bytes at any time."""


@dataclass(frozen=True, slots=True)
class ScannedAs:
    """What a scanner and its laboratory write into a file beside the pixels; made up for a phantom."""

    patient_name: str = "Phantom^IHC"
    patient_id: str = "PHANTOM"
    birth_date: str = ""
    """``YYYYMMDD``, or empty."""
    accession: str = ""
    container: str = "PHANTOM-SLIDE"
    """Identifier of the glass slide, which is often printed on its label."""
    specimen: str = "PHANTOM-BLOCK"
    barcode: str = ""
    comment: str = ""
    """Free text of the image."""
    label: Rgb | None = None
    """Picture of the label, shape (M, N, 3); written as an image of its own."""


def write_dicom_slide(
    folder: Path,
    block: Rgb,
    *,
    mpp: float,
    repeat: int = 1,
    quality: int = FILE_QUALITY,
    scanned: ScannedAs | None = None,
) -> tuple[Path, ...]:
    """Write a series of levels (and a label) into a folder; return its files, the finest level first.

    Parameters
    ----------
    folder : Path
        Takes ``level_0.dcm``, ``level_1.dcm``, ... and ``label.dcm``.
    block : ndarray of uint8, shape (M, N, 3)
        The image, or the block that fills it by repetition.
    mpp : float
        Pixel size in µm.
    repeat : int
        The block is set side by side `repeat` times in both directions.
    quality : int
        JPEG quality of the tiles.
    scanned : ScannedAs, optional
        What else the files say.

    Raises
    ------
    ValueError
        The slide needs levels that do not divide the repeated block, or holds more than a file's
        offset table can point at.
    """
    said = scanned or ScannedAs()
    seed = hashlib.sha256(np.ascontiguousarray(block).tobytes() + repr((mpp, repeat, quality)).encode())
    series = _Series(seed.hexdigest(), mpp, (block.shape[0] * repeat, block.shape[1] * repeat), said)
    paths = []
    for level in range(level_count(block.shape[:2], repeat)):
        shape = (block.shape[0] * repeat, block.shape[1] * repeat)
        frames = [_even(tile) for tile in encoded_tiles(block, shape, quality)]
        paths.append(folder / f"level_{level}.dcm")
        _write(paths[-1], series.image(level, shape, TILE_PX), frames)
        block = reduced(block)
    if said.label is not None:
        paths.append(folder / "label.dcm")
        _write_label(paths[-1], series, said.label, quality)
    return tuple(paths)


def _even(data: bytes) -> bytes:
    return data + b"\0" * (len(data) % 2)


def _write(path: Path, image: FileDataset, frames: Sequence[bytes]) -> None:
    if sum(len(frame) + 8 for frame in frames) > _MAX_FRAME_BYTES:
        raise ValueError("the slide is too large for one DICOM file a level (4 GB)")
    image.NumberOfFrames = len(frames)
    pixels = image.Rows * image.Columns * 3 * len(frames)
    image.LossyImageCompressionRatio = f"{pixels / sum(map(len, frames)):.4f}"
    image.PixelData = encapsulate(list(frames))
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    with replacing(path) as temporary:
        image.save_as(temporary, enforce_file_format=True)


def _write_label(path: Path, series: _Series, label: Rgb, quality: int) -> None:
    size = label.shape[:2]
    side = max(-(-edge // 16) * 16 for edge in size)
    padded = np.full((side, side, 3), 255, np.uint8)
    padded[: size[0], : size[1]] = label
    frame = next(iter(encoded_tiles(padded, (side, side), quality, tile_px=side)))
    image = series.image(0, (side, side), side)
    # A picture of glass and paper, beside the tissue: never a level of the pyramid.
    image.ImageType = ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = series.uid("label")
    image.InstanceNumber = 100
    image.SpecimenLabelInImage = "YES"
    image.BarcodeValue, image.LabelText = series.said.barcode, series.said.container
    _write(path, image, [_even(frame)])


@dataclass(frozen=True, slots=True)
class _Series:
    """What all files of one series share."""

    digest: str
    mpp: float
    shape: tuple[int, int]
    """Rows and columns of level 0."""
    said: ScannedAs

    def uid(self, what: str) -> UID:
        return UID(f"2.25.{uuid.uuid5(_NAMESPACE, f'{self.digest}/{what}').int}")

    def image(self, level: int, shape: tuple[int, int], tile_px: int) -> FileDataset:
        """Everything of one level but its frames."""
        image = FileDataset("", {}, file_meta=self._meta(f"level {level}"), preamble=bytes(128))
        derived = "DERIVED" if level else "ORIGINAL"
        image.ImageType = [derived, "PRIMARY", "VOLUME", "RESAMPLED" if level else "NONE"]
        image.SOPClassUID = VLWholeSlideMicroscopyImageStorage
        image.SOPInstanceUID = self.uid(f"level {level}")
        image.InstanceNumber = level + 1
        self._describe_patient_and_study(image)
        self._describe_equipment(image)
        self._describe_specimen(image)
        _describe_pixels(image, tile_px)
        self._place(image, level, shape)
        _describe_light_path(image)
        return image

    def _meta(self, what: str) -> FileMetaDataset:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
        meta.MediaStorageSOPInstanceUID = self.uid(what)
        meta.TransferSyntaxUID = JPEGBaseline8Bit
        meta.ImplementationClassUID = UID(f"2.25.{_NAMESPACE.int}")
        meta.ImplementationVersionName = "HER2PATH"
        return meta

    def _describe_patient_and_study(self, image: Dataset) -> None:
        said = self.said
        image.SpecificCharacterSet = "ISO_IR 192"
        image.PatientName, image.PatientID = said.patient_name, said.patient_id
        image.PatientBirthDate, image.PatientSex = said.birth_date, ""
        image.StudyInstanceUID, image.SeriesInstanceUID = self.uid("study"), self.uid("series")
        image.StudyID, image.AccessionNumber, image.ReferringPhysicianName = "1", said.accession, ""
        image.StudyDate = image.ContentDate = _DATE
        image.StudyTime = image.ContentTime = _TIME
        image.AcquisitionDateTime = _DATE + _TIME
        image.SeriesNumber, image.Modality = 1, "SM"
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = self.uid("slide"), "SLIDE_CORNER"
        if said.comment:
            image.ImageComments = said.comment

    def _describe_equipment(self, image: Dataset) -> None:
        image.Manufacturer, image.ManufacturerModelName = "her2path", "IHC phantom"
        image.DeviceSerialNumber, image.SoftwareVersions = "0", "1"
        image.AcquisitionContextSequence = []

    def _describe_specimen(self, image: Dataset) -> None:
        image.ContainerIdentifier, image.IssuerOfTheContainerIdentifierSequence = self.said.container, []
        image.ContainerTypeCodeSequence = [_coded(codes.SCT.MicroscopeSlide)]
        specimen = Dataset()
        specimen.SpecimenIdentifier, specimen.SpecimenUID = self.said.specimen, self.uid("specimen")
        specimen.IssuerOfTheSpecimenIdentifierSequence = []
        specimen.SpecimenTypeCodeSequence = [_coded(codes.SCT.TissueSection)]
        specimen.SpecimenShortDescription = "Synthetic tissue"
        specimen.SpecimenPreparationSequence = []
        specimen.PrimaryAnatomicStructureSequence = [_coded(Code("76752008", "SCT", "Breast"))]
        image.SpecimenDescriptionSequence = [specimen]

    def _place(self, image: Dataset, level: int, shape: tuple[int, int]) -> None:
        """State where the pixels lie on the glass: columns run along -Y and rows along -X."""
        spacing = self.mpp * LEVEL_FACTOR**level / 1000
        height, width = (edge * self.mpp / 1000 for edge in self.shape)
        image.ImagedVolumeWidth, image.ImagedVolumeHeight, image.ImagedVolumeDepth = width, height, 1.0
        image.TotalPixelMatrixRows, image.TotalPixelMatrixColumns = shape
        image.TotalPixelMatrixFocalPlanes = 1
        image.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
        corner = Dataset()
        # The centre of the first pixel, which lies half a pixel within the corner that all levels share.
        corner.XOffsetInSlideCoordinateSystem = f"{(_SLIDE_MM[0] + height - spacing) / 2:.9f}"
        corner.YOffsetInSlideCoordinateSystem = f"{(_SLIDE_MM[1] + width - spacing) / 2:.9f}"
        image.TotalPixelMatrixOriginSequence = [corner]
        measures, kind, shared = Dataset(), Dataset(), Dataset()
        measures.SliceThickness, measures.PixelSpacing = "0.001", [f"{spacing:.9f}"] * 2
        kind.FrameType = list(image.ImageType)
        shared.PixelMeasuresSequence, shared.WholeSlideMicroscopyImageFrameTypeSequence = [measures], [kind]
        optical = Dataset()
        optical.OpticalPathIdentifier = "1"
        shared.OpticalPathIdentificationSequence = [optical]
        image.SharedFunctionalGroupsSequence = [shared]
        organisation = Dataset()
        organisation.DimensionOrganizationUID = self.uid("dimensions")
        image.DimensionOrganizationSequence = [organisation]
        image.DimensionOrganizationType = "TILED_FULL"


def _describe_pixels(image: Dataset, tile_px: int) -> None:
    image.SamplesPerPixel, image.PhotometricInterpretation, image.PlanarConfiguration = 3, "YBR_FULL_422", 0
    image.Rows = image.Columns = tile_px
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 8, 8, 7, 0
    image.BurnedInAnnotation, image.LossyImageCompression = "NO", "01"
    image.LossyImageCompressionMethod = "ISO_10918_1"
    image.SpecimenLabelInImage, image.FocusMethod = "NO", "AUTO"
    image.ExtendedDepthOfField, image.VolumetricProperties = "NO", "VOLUME"


def _describe_light_path(image: Dataset) -> None:
    """One bright-field path; colours are those of sRGB."""
    path = Dataset()
    path.OpticalPathIdentifier, path.OpticalPathDescription = "1", "Brightfield"
    path.IlluminationTypeCodeSequence = [_coded(codes.DCM.BrightfieldIllumination)]
    path.IlluminationColorCodeSequence = [_coded(Code("414298005", "SCT", "Full Spectrum"))]
    path.ICCProfile, path.ColorSpace = _srgb(), "SRGB"
    path.ObjectiveLensPower = "20"
    image.OpticalPathSequence = [path]
    image.NumberOfOpticalPaths = 1


def _srgb() -> bytes:
    # Pillow's module for colour profiles is needed by nothing else.
    from PIL import ImageCms  # noqa: PLC0415

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[12:16] = b"scnr"  # PS3.3, C.11.15: of an input device
    profile[24:36] = bytes(12)  # its clock
    return _even(bytes(profile))


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = code.value, code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
