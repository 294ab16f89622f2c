"""`view.tif`: a slide as it is shown in a page; a pyramid of JPEG tiles and its hot spots at full resolution.

The file holds pixels, their geometry, the regions that a person drew and the digest of the slide, by which
another slide's view is told, and nothing else of the slide: no label or overview picture, no name, no text
of the scanner.  Its tiles are complete JPEG streams, so a page
shows them as they are.
The first page is the finest level, those of half the size follow; then one page for each hot spot.
Any TIFF reader opens the file (OpenSlide, QuPath, tifffile).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile

from her2path.errors import ArtefactError
from her2path.io.files import artefact_name, replacing

_SCHEMA = "slide_view/2"
_UM_PER_CM = 1e4


@dataclass(frozen=True, slots=True)
class ViewLevel:
    """One level of the pyramid as encoded tiles."""

    downsample: float
    """Level-0 pixels of the slide per pixel."""
    width: int
    height: int
    tile: int
    """Edge of a tile in pixels; those at the right and lower border reach beyond the level."""
    tiles: tuple[bytes, ...]
    """Complete JPEG streams, row by row."""


@dataclass(frozen=True, slots=True)
class ViewSpot:
    """One hot spot as a picture."""

    x_px0: float
    y_px0: float
    downsample: float
    width: int
    height: int
    jpeg: bytes


Ring = tuple[tuple[int, int], ...]
"""Corners in whole level-0 pixels, x first; the first is not repeated."""


@dataclass(frozen=True, slots=True)
class ShownArea:
    """All areas of one kind; a ring within another is a hole."""

    kind: str
    """Name of a QuPath class, or ``tissue``."""
    rings: tuple[Ring, ...]


@dataclass(frozen=True, slots=True)
class SlideView:
    """What a page shows of a slide."""

    levels: tuple[ViewLevel, ...]
    """The finest first."""
    spots: tuple[ViewSpot, ...]
    """In the order of their ranks."""
    regions: tuple[ShownArea, ...] = ()
    """Regions of the case sheet."""
    slide_sha256: str = ""
    """SHA-256 of the slide's (first) file, as `slide.json` states it."""

    @property
    def size_bytes(self) -> int:
        """Bytes of all tiles."""
        return sum(len(tile) for level in self.levels for tile in level.tiles)

    @property
    def total_bytes(self) -> int:
        """Bytes of all tiles and hot spots."""
        return self.size_bytes + sum(len(spot.jpeg) for spot in self.spots)


def encode_jpeg(rgb: npt.NDArray[np.uint8], *, quality: int) -> bytes:
    """Encode RGB, shape (M, N, 3), as a complete baseline JPEG with halved chroma."""
    data = imagecodecs.jpeg8_encode(
        np.ascontiguousarray(rgb),
        level=quality,
        colorspace="RGB",
        outcolorspace="YCBCR",
        subsampling="420",
        optimize=True,
    )
    return bytes(data)


def write_view(path: Path, view: SlideView, *, mpp: float) -> None:
    """Write a view whole or not at all; `mpp` is the pixel size of the slide in µm."""
    with replacing(path) as temporary, tifffile.TiffWriter(temporary) as tiff:
        for number, level in enumerate(view.levels):
            where: dict[str, object] = {"schema": _SCHEMA, "level": number, "downsample": level.downsample}
            if number == 0:
                where["slide"] = view.slide_sha256
                where["regions"] = [{"kind": area.kind, "rings": area.rings} for area in view.regions]
            _write_page(
                tiff,
                level.tiles,
                (level.height, level.width),
                where,
                mpp=mpp * level.downsample,
                tile=(level.tile, level.tile),
                subfiletype=1 if number else 0,
            )
        for rank, spot in enumerate(view.spots, start=1):
            where = {
                "schema": _SCHEMA,
                "spot": rank,
                "downsample": spot.downsample,
                "x_px0": spot.x_px0,
                "y_px0": spot.y_px0,
            }
            shape = (spot.height, spot.width)
            mpp_here = mpp * spot.downsample
            _write_page(tiff, [spot.jpeg], shape, where, mpp=mpp_here, rowsperstrip=spot.height)


def _write_page(
    tiff: tifffile.TiffWriter,
    segments: Sequence[bytes],
    shape: tuple[int, int],
    where: dict[str, object],
    *,
    mpp: float,
    **layout: Any,
) -> None:
    tiff.write(
        iter(segments),
        shape=(*shape, 3),
        dtype=np.uint8,
        compression="jpeg",
        photometric="ycbcr",
        subsampling=(2, 2),
        metadata=None,
        software=False,
        description=json.dumps(where, sort_keys=True),
        resolution=(_UM_PER_CM / mpp, _UM_PER_CM / mpp),
        resolutionunit="CENTIMETER",
        **layout,
    )


def read_view(path: Path) -> SlideView | None:
    """Read a view; None where the slide could not be read, so that the file is a placeholder.

    Raises
    ------
    ArtefactError
        The file is missing, damaged, or no view of this version.
    """
    try:
        with tifffile.TiffFile(path) as tiff:
            pages = [page if isinstance(page, tifffile.TiffPage) else page.aspage() for page in tiff.pages]
            if len(pages) == 1 and not pages[0].description:
                return None
            places = [_place(page, path) for page in pages]
            found = list(zip(pages, places, [_segments(tiff, page) for page in pages], strict=True))
            return SlideView(
                levels=tuple(_level(*page) for page in found if "level" in page[1]),
                spots=tuple(_spot(*page) for page in found if "spot" in page[1]),
                regions=tuple(_area(area) for _, place, _ in found for area in place.get("regions", ())),
                slide_sha256=places[0]["slide"],
            )
    except (OSError, ValueError, LookupError, TypeError, tifffile.TiffFileError) as error:
        detail = f"cannot be read ({type(error).__name__})"
        raise ArtefactError(artefact_name(path), detail) from error


def _area(stated: dict[str, Any]) -> ShownArea:
    return ShownArea(stated["kind"], tuple(tuple((x, y) for x, y in ring) for ring in stated["rings"]))


def _place(page: tifffile.TiffPage, path: Path) -> dict[str, Any]:
    try:
        place = json.loads(page.description)
    except ValueError:
        place = None
    if not isinstance(place, dict) or place.get("schema") != _SCHEMA:
        raise ArtefactError(artefact_name(path), f"is no view of a slide of version {_SCHEMA!r}")
    return place


def _segments(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> tuple[bytes, ...]:
    return tuple(_bytes(tiff, zip(page.dataoffsets, page.databytecounts, strict=True)))


def _bytes(tiff: tifffile.TiffFile, places: Iterable[tuple[int, int]]) -> Iterable[bytes]:
    for offset, count in places:
        tiff.filehandle.seek(offset)
        data: bytes = tiff.filehandle.read(count)
        if len(data) != count:
            raise tifffile.TiffFileError("a tile lies beyond the end of the file")
        yield data


def _level(page: tifffile.TiffPage, place: dict[str, Any], tiles: tuple[bytes, ...]) -> ViewLevel:
    return ViewLevel(place["downsample"], page.imagewidth, page.imagelength, page.tilewidth, tiles)


def _spot(page: tifffile.TiffPage, place: dict[str, Any], jpeg: tuple[bytes, ...]) -> ViewSpot:
    return ViewSpot(
        place["x_px0"], place["y_px0"], place["downsample"], page.imagewidth, page.imagelength, jpeg[0]
    )
