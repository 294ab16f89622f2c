"""Fluorescence files that must never become a count: one for every way to be wrong that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.domain.ish import IshGroup
from her2path.imaging.phantoms.fish import FishPhantomSpec, capture_rgb, render_fish, spec_for_group
from tests.support.fish_fields import NAMES, write_ome

ROLES = ("dapi", "her2", "cep17")
Planes = npt.NDArray[np.uint16]
_SPEC = spec_for_group(IshGroup.GROUP_5, FishPhantomSpec(seed=517_000, width_px=448, height_px=448))


@dataclass(frozen=True)
class BadInput:
    """A file, the cells of its row, and the code of the reason that it gets."""

    code: str
    write: Callable[[Path], Path]
    cells: Mapping[str, Any] = field(default_factory=dict)


@cache
def planes_of(**over: Any) -> Planes:
    """Render a small phantom field (C, M, N) or (C, Z, M, N)."""
    return render_fish(replace(_SPEC, **over)).planes


def bad_inputs() -> dict[str, BadInput]:
    """Every bad input by what is wrong with it."""
    return {
        "a file of 0 bytes": BadInput("unreadable_image", _empty),
        "a truncated OME-TIFF": BadInput("unreadable_image", _truncated),
        "no pixel size": BadInput("no_pixel_size", _ome(PhysicalSizeX=None, PhysicalSizeY=None)),
        "a blank field": BadInput("blank_field", _of(_noise)),
        "a bright-field image": BadInput("bright_field", _bright_field, {"mpp": 0.16}),
        "an inverted field": BadInput("bright_field", _of(lambda: 4095 - planes_of())),
        "ink instead of light": BadInput("pixel_type", _cmyk, {"mpp": 0.16}),
        "DAPI alone": BadInput("channels", _of(lambda: planes_of()[:1])),
        "a dual probe without CEP17": BadInput("channels", _of(lambda: planes_of()[:2])),
        "two DAPI channels": BadInput("channels", _ome(Channel={"Name": ["DAPI", "Hoechst", "FITC"]})),
        "channels nobody names": BadInput("channels", _ome(Channel=None)),
        "probes exchanged in the sheet": BadInput(
            "channels", _ome(), {"channels": ("dapi", "cep17", "her2")}
        ),
        "wavelengths against the sheet": BadInput(
            "channels", _wavelengths, {"channels": ("dapi", "cep17", "her2")}
        ),
        "DAPI exchanged with a probe": BadInput(
            "channels", _ome(Channel=None), {"channels": ("her2", "dapi", "cep17")}
        ),
        "pages that may be planes": BadInput("channels", _pages),
        "focus planes called channels": BadInput("axes", _planes_as_channels, {"channels": ROLES}),
        "channels called focus planes": BadInput("axes", _channels_as_planes),
        "c and z exchanged": BadInput("axes", _exchanged),
        "a time series": BadInput("axes", _time_series, {"channels": ROLES}),
        "saturated DAPI": BadInput("saturated", _of(_saturated)),
        "no focus": BadInput("out_of_focus", _of(_blurred)),
        "orange spots only": BadInput("no_signals", _of(lambda: _without(2))),
        "green spots only": BadInput("no_signals", _of(lambda: _without(1))),
    }


def _of(planes: Callable[[], Planes]) -> Callable[[Path], Path]:
    return lambda folder: write_ome(folder / "field.ome.tif", planes())


def _ome(**over: Any) -> Callable[[Path], Path]:
    return lambda folder: write_ome(folder / "field.ome.tif", planes_of(), **over)


def _empty(folder: Path) -> Path:
    (folder / "field.ome.tif").touch()
    return folder / "field.ome.tif"


def _truncated(folder: Path) -> Path:
    path = write_ome(folder / "field.ome.tif", planes_of())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def _noise() -> Planes:
    return np.random.default_rng(1).normal(100, 5, (3, 448, 448)).astype(np.uint16)


def _saturated() -> Planes:
    planes = planes_of().copy()
    planes[0] = np.clip((planes[0].astype(float) - 40) * 10, 0, 4095)
    return planes


def _blurred() -> Planes:
    return np.stack([cv2.GaussianBlur(plane, (0, 0), 8) for plane in planes_of()])


def _without(channel: int) -> Planes:
    planes = planes_of().copy()
    planes[channel] = np.random.default_rng(2).normal(60, 5, planes[channel].shape)
    return planes


def _bright_field(folder: Path) -> Path:
    rgb = np.random.default_rng(3).integers(180, 230, (448, 448, 3)).astype(np.uint8)
    cv2.imwrite(str(folder / "field.png"), rgb)
    return folder / "field.png"


def _cmyk(folder: Path) -> Path:
    ink = np.dstack([255 - capture_rgb(planes_of()), np.zeros((448, 448), np.uint8)])
    tifffile.imwrite(folder / "field.tif", ink, photometric="separated")
    return folder / "field.tif"


def _wavelengths(folder: Path) -> Path:
    channel = {"Name": ["a", "b", "c"], "EmissionWavelength": [461.0, 588.0, 524.0]}
    return write_ome(folder / "field.ome.tif", planes_of(), Channel=channel)


def _pages(folder: Path) -> Path:
    tifffile.imwrite(folder / "field.tif", planes_of(), photometric="minisblack", metadata=None)
    return folder / "field.tif"


def _imagej(folder: Path, planes: Planes, axes: str) -> Path:
    metadata = {"axes": axes, "unit": "um"}
    tifffile.imwrite(folder / "field.tif", planes, imagej=True, resolution=(6.25, 6.25), metadata=metadata)
    return folder / "field.tif"


def _planes_as_channels(folder: Path) -> Path:
    return _imagej(folder, planes_of(z_planes=3)[0], "CYX")


def _channels_as_planes(folder: Path) -> Path:
    return _imagej(folder, planes_of(), "ZYX")


def _time_series(folder: Path) -> Path:
    return _imagej(folder, planes_of(z_planes=3)[0], "TYX")


def _exchanged(folder: Path) -> Path:
    names = {"Name": list(NAMES)}
    return write_ome(folder / "field.ome.tif", planes_of(z_planes=3), axes="ZCYX", Channel=names)
