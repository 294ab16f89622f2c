"""Files of a FISH phantom: OME-TIFF as microscopes write it, RGB captures, and truth tables.

The same arrays give the same bytes: no clock time is written, and the OME identifier is derived
from the seed.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import tifffile

from her2path.io.files import replacing, write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, "her2path.phantom.fish")
_CREATOR = "her2path phantom fish"


@dataclass(frozen=True, slots=True)
class RecordedChannel:
    """One colour of a fluorescence field, as its metadata state it."""

    role: str
    """Suffix of its file where each channel has one."""
    name: str
    emission_nm: float


FISH_CHANNELS = (
    RecordedChannel("DAPI", "DAPI", 461.0),
    RecordedChannel("HER2", "SpectrumOrange HER2", 588.0),
    RecordedChannel("CEP17", "SpectrumGreen CEP17", 524.0),
)
"""Channels of a phantom in their order, with the emission maxima of the dyes (nm)."""


@dataclass(frozen=True, slots=True)
class FieldCalibration:
    """Pixel and plane distances of a field, and the seed that names it."""

    mpp: float
    z_step_um: float
    seed: int


def write_ome(
    path: Path,
    planes: npt.NDArray[np.uint16] | npt.NDArray[np.uint8],
    calibration: FieldCalibration,
    *,
    channels: Sequence[RecordedChannel] = FISH_CHANNELS,
) -> None:
    """Write one OME-TIFF of all channels, compressed without loss.

    Parameters
    ----------
    path : Path
        File to write, ending in ``.ome.tif``.
    planes : ndarray of uint16 or uint8, shape (C, M, N) or (C, Z, M, N)
        Counts.
    calibration : FieldCalibration
        Physical sizes and seed.
    channels : sequence of RecordedChannel, length C
        What each channel is.

    Raises
    ------
    ValueError
        The number of channels or the shape does not fit.
    """
    if planes.ndim not in (3, 4) or len(planes) != len(channels):
        raise ValueError(f"{len(channels)} channels cannot describe planes of shape {planes.shape}")
    identity = f"{calibration.seed}/{'+'.join(channel.role for channel in channels)}"
    metadata: dict[str, Any] = {
        "axes": "CYX" if planes.ndim == 3 else "CZYX",
        "UUID": str(uuid.uuid5(_NAMESPACE, identity)),
        "Creator": _CREATOR,
        "PhysicalSizeX": calibration.mpp,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": calibration.mpp,
        "PhysicalSizeYUnit": "µm",
        "Channel": {
            "Name": [channel.name for channel in channels],
            "EmissionWavelength": [channel.emission_nm for channel in channels],
            "EmissionWavelengthUnit": ["nm"] * len(channels),
        },
    }
    if planes.ndim == 4:
        metadata |= {"PhysicalSizeZ": calibration.z_step_um, "PhysicalSizeZUnit": "µm"}
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            planes,
            ome=True,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 9},
            predictor=True,
            software=_CREATOR,
            metadata=metadata,
        )


def write_split(
    folder: Path,
    stem: str,
    planes: npt.NDArray[np.uint16] | npt.NDArray[np.uint8],
    calibration: FieldCalibration,
) -> tuple[Path, ...]:
    """Write one OME-TIFF per channel, as scanners do; return ``<stem>_DAPI.tif`` and its fellows."""
    paths = []
    for index, channel in enumerate(FISH_CHANNELS):
        path = folder / f"{stem}_{channel.role}.tif"
        write_ome(path, planes[index : index + 1], calibration, channels=(channel,))
        paths.append(path)
    return tuple(paths)


def write_rgb(path: Path, rgb: npt.NDArray[np.uint8], *, mpp: float) -> None:
    """Write an RGB capture (M, N, 3) as TIFF with its resolution in pixels per centimetre."""
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            rgb,
            photometric="rgb",
            compression="zlib",
            compressionargs={"level": 9},
            predictor=True,
            resolution=(1e4 / mpp, 1e4 / mpp),
            resolutionunit="CENTIMETER",
            software=_CREATOR,
            metadata=None,
        )


def write_labels(path: Path, labels: npt.NDArray[np.int32]) -> None:
    """Write the label image of the nuclei (M, N), int32, 0 = none."""
    with replacing(path) as temporary:
        tifffile.imwrite(
            temporary,
            labels,
            photometric="minisblack",
            compression="zlib",
            compressionargs={"level": 9},
            software=_CREATOR,
            metadata=None,
        )


def write_records(path: Path, kind: type[DataclassInstance], records: Sequence[DataclassInstance]) -> None:
    """Write records of one dataclass as tab-separated text, a column per field; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    names = [field.name for field in fields(kind)]
    writer.writerow(names)
    for record in records:
        writer.writerow([_cell(getattr(record, name)) for name in names])
    write_text(path, text.getvalue())


def write_record(path: Path, record: DataclassInstance) -> None:
    """Write one record, with the records in it, as JSON."""
    write_text(path, json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(value.value) if isinstance(value, Enum) else str(value)
