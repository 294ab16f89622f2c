"""The pixel size that a file states, and what it states instead where that is unusable.

Order: the scanner's own property, then the TIFF resolution, then OME metadata.  A screen resolution
(72, 96 or 300 dots per inch) comes out as hundreds of micrometres and is refused like any other
value that no microscope makes.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

import tifffile

from her2path.io.slides.pyramid import StatedPixelSize
from her2path.units import MppOrigin, PixelSize, is_plausible_mpp

_MAX_ANISOTROPY = 0.02
"""Largest relative difference of a pixel's two edges that is taken for rounding."""
_TIFF_UNITS_UM = {2: 25_400.0, 3: 10_000.0}
"""TIFF 6.0 ResolutionUnit: inch, centimetre, in micrometres; 1 (none) states no length."""
_OME_UNITS_UM = {"µm": 1.0, "um": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4, "m": 1e6}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edges of a pixel in µm as found in one place of a file."""

    x_um: float
    y_um: float
    origin: MppOrigin
    place: str


def resolve(candidates: list[Candidate]) -> StatedPixelSize:
    """Take the first usable candidate; else say what is wrong with each.

    Examples
    --------
    >>> resolve([Candidate(352.8, 352.8, "tiff_resolution", "the TIFF resolution")]).finding
    'the TIFF resolution states 352.8 µm/px, which no microscope makes'
    """
    faults = []
    for candidate in candidates:
        fault = _fault(candidate)
        if fault is None:
            mean = (candidate.x_um + candidate.y_um) / 2
            return StatedPixelSize(PixelSize(mean, candidate.origin), "")
        faults.append(f"{candidate.place} {fault}")
    return StatedPixelSize(None, "; ".join(faults) or "the file states no pixel size")


def _fault(candidate: Candidate) -> str | None:
    x, y = candidate.x_um, candidate.y_um
    edges = {f"{x:.4g}": None, f"{y:.4g}": None}  # a dict keeps the order and drops the equal
    found = " x ".join(edges)
    if not (is_plausible_mpp(x) and is_plausible_mpp(y)):
        return f"states {found} µm/px, which no microscope makes"
    if abs(x - y) > _MAX_ANISOTROPY * max(x, y):
        return f"states pixels that are not square ({found} µm/px)"
    return None


def from_openslide(properties: Mapping[str, str], *, vendor: str) -> list[Candidate]:
    """Read OpenSlide's `openslide.mpp-*`, which for a generic TIFF it takes from the TIFF resolution."""
    if "openslide.mpp-x" not in properties or "openslide.mpp-y" not in properties:
        return []
    x, y = _number(properties["openslide.mpp-x"]), _number(properties["openslide.mpp-y"])
    if vendor == "generic-tiff":
        return [Candidate(x, y, "tiff_resolution", "the TIFF resolution")]
    return [Candidate(x, y, "vendor", "the scanner's header")]


def from_tiff(page: tifffile.TiffPage) -> list[Candidate]:
    """Read XResolution and YResolution of a page where their unit is a length."""
    kind = _tag(page, "ResolutionUnit", 2)
    unit = _TIFF_UNITS_UM.get(kind) if isinstance(kind, int) else None
    x, y = _rational(_tag(page, "XResolution", None)), _rational(_tag(page, "YResolution", None))
    if unit is None or x is None or y is None:
        return []
    x_um, y_um = (unit / value if value else math.inf for value in (x, y))
    return [Candidate(x_um, y_um, "tiff_resolution", "the TIFF resolution")]


def from_ome(xml: str | None) -> list[Candidate]:
    """Read PhysicalSizeX and PhysicalSizeY of the first image of OME metadata."""
    if not xml:
        return []
    try:
        root = ET.fromstring(xml)  # noqa: S314  (expat >= 2.4 refuses entity bombs, no DTD is fetched)
    except ET.ParseError:
        return []
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "Pixels":
            edges = [_ome_edge(element, axis) for axis in "XY"]
            if edges[0] is not None and edges[1] is not None:
                return [Candidate(edges[0], edges[1], "ome_metadata", "the OME metadata")]
            return []
    return []


def _ome_edge(pixels: ET.Element, axis: str) -> float | None:
    text = pixels.get(f"PhysicalSize{axis}")
    unit = _OME_UNITS_UM.get(pixels.get(f"PhysicalSize{axis}Unit", "µm").replace("μ", "µ"))
    return None if text is None or unit is None else _number(text) * unit


def _number(text: str) -> float:
    """Read a number; what is none becomes NaN, which no check accepts."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _tag(page: tifffile.TiffPage, name: str, default: int | None) -> object:
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _rational(value: object) -> float | None:
    if not isinstance(value, tuple) or len(value) != 2:
        return None
    return float(value[0]) / float(value[1]) if value[1] else math.nan
