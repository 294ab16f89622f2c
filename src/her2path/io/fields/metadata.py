"""What the headers of fluorescence files say: pixel sizes, channel names, wavelengths."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import tifffile

from her2path.io.fields.channels import ChannelHint
from her2path.units import MppOrigin, PixelSize, is_plausible_mpp

_UNIT_UM = {
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "\\u00b5m": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "in": 25400.0,
    "inch": 25400.0,
}
_SQUARE_FRAC = 0.02
"""Edges that differ by more are no square pixels, and every area would be wrong."""


@dataclass(frozen=True, slots=True)
class OmeHead:
    """The parts of an OME header that matter here."""

    pixel_size: PixelSize | None
    hints: tuple[ChannelHint, ...]
    significant_bits: int | None


def read_ome_head(xml: str) -> OmeHead:
    """Read pixel size, channel names and wavelengths of the first image of an OME header."""
    image = _first(tifffile.xml2dict(xml).get("OME", {}).get("Image", {}))
    pixels = _first(image.get("Pixels", {}))
    sizes = [
        _length_um(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        for axis in "XY"
    ]
    bits = pixels.get("SignificantBits")
    return OmeHead(
        pixel_size=square_pixel(sizes[0], sizes[1], origin="ome_metadata"),
        hints=tuple(_ome_channel(c) for c in _list(pixels.get("Channel", []))),
        significant_bits=bits if isinstance(bits, int) and 1 <= bits <= 16 else None,
    )


def imagej_pixel_size(tif: Any) -> PixelSize | None:
    """Pixel size of an ImageJ hyperstack; None if its unit is pixels or not stated."""
    unit = str((tif.imagej_metadata or {}).get("unit", "")).strip().lower()
    edges = [_per_resolution(tif.pages[0], axis) for axis in "XY"]
    factor = _UNIT_UM.get(unit)
    if factor is None or edges[0] is None or edges[1] is None:
        return None
    return square_pixel(edges[0] * factor, edges[1] * factor, origin="tiff_resolution")


def tiff_pixel_size(tif: Any) -> PixelSize | None:
    """Pixel size from the resolution tags of a plain TIFF; None unless it is one of a microscope."""
    tag = tif.pages[0].tags.get("ResolutionUnit")
    factor = {2: _UNIT_UM["inch"], 3: _UNIT_UM["cm"]}.get(int(tag.value) if tag else 2)
    edges = [_per_resolution(tif.pages[0], axis) for axis in "XY"]
    if factor is None or edges[0] is None or edges[1] is None:
        return None
    return square_pixel(edges[0] * factor, edges[1] * factor, origin="tiff_resolution")


def imagej_hints(tif: Any, channels: int, planes: int) -> tuple[ChannelHint, ...]:
    """Channel names of an ImageJ hyperstack from its slice labels (channels vary fastest)."""
    labels = (tif.imagej_metadata or {}).get("Labels")
    if not isinstance(labels, list) or len(labels) != channels * planes:
        return ()
    return tuple(ChannelHint(name=str(label)) for label in labels[:channels])


def hamamatsu_hint(properties: dict[str, str]) -> ChannelHint | None:
    """Filter name and emission of a Hamamatsu fluorescence scan; None for bright-field."""
    for key, value in sorted(properties.items()):
        if "NDP Shading Data" in key:
            name = re.search(r"[;\r\n]Name=([^\r\n;]*)", value)
            emission = re.search(r"EmissionWaveLength=(\d+)", value)
            nm = float(emission[1]) if emission else 0.0
            return ChannelHint(name=name[1].strip() if name else "", emission_nm=nm or None)
    return None


def square_pixel(x_um: float | None, y_um: float | None, *, origin: MppOrigin) -> PixelSize | None:
    """Build a pixel size from its two edges (µm); None if missing, implausible or not square."""
    if x_um is None or y_um is None or not (is_plausible_mpp(x_um) and is_plausible_mpp(y_um)):
        return None
    if abs(x_um - y_um) > _SQUARE_FRAC * x_um:
        return None
    return PixelSize((x_um + y_um) / 2, origin)


def _per_resolution(page: Any, axis: str) -> float | None:
    tag = page.tags.get(f"{axis}Resolution")
    if tag is None:
        return None
    over, under = tag.value
    return under / over if over and under else None


def _length_um(value: object, unit: object) -> float | None:
    factor = _UNIT_UM.get(str(unit).strip().lower())
    if factor is None or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) * factor


def _ome_channel(channel: dict[str, Any]) -> ChannelHint:
    nm = _length_um(channel.get("EmissionWavelength"), channel.get("EmissionWavelengthUnit", "nm"))
    name = str(channel.get("Name") or channel.get("Fluor") or "")
    return ChannelHint(name=name, emission_nm=round(nm * 1e3, 3) if nm else None)


def _list(value: Any) -> list[dict[str, Any]]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, dict)]


def _first(value: Any) -> dict[str, Any]:
    found = _list(value)
    return found[0] if found else {}
