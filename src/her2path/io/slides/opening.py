"""Open a bright-field image of any supported kind, told by its content and not by its suffix."""

from __future__ import annotations

from pathlib import Path

import openslide
import tifffile

from her2path.errors import UnreadableImageError, UnsuitableImageError
from her2path.io.damage import decoding, read_head
from her2path.io.slides import field, stated
from her2path.io.slides.dicom_series import series_files, slide_file
from her2path.io.slides.openslide import OpenSlideLevels
from her2path.io.slides.pyramid import Levels, PyramidSlide
from her2path.io.slides.tiff import check_segments, fast_levels
from her2path.io.slides.tiff_structure import DAMAGED, check_structure

_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_JPEG_MAGIC = b"\xff\xd8\xff"
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_SLIDE_SUFFIXES = frozenset({".svs", ".ndpi", ".scn", ".mrxs", ".bif", ".vms", ".vmu", ".svslide"})
"""Suffixes of whole-slide formats; such a file is never taken for a plain field."""
_RGB_PHOTOMETRICS = (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)


def open_slide(path: Path, *, name: str) -> PyramidSlide:
    """Open a bright-field image: whole-slide formats, plain TIFF, JPEG and PNG.

    Parameters
    ----------
    path : Path
        File of the image; of a DICOM slide any of its files, or their folder.
    name : str
        Id of the image for messages; they never show the path.

    Raises
    ------
    ImageNotFoundError
        There is no such file.
    UnreadableImageError
        It is empty, truncated, damaged, not an image, or may not be read.
    UnsuitableImageError
        It is an image, but not 8-bit colour, or too large for its format.
    """
    path = slide_file(path, name=name)
    head = read_head(path, name=name)
    is_tiff = head.startswith(_TIFF_MAGIC)
    is_image = is_tiff or head.startswith((_JPEG_MAGIC, _PNG_MAGIC))
    vendor = _detect(path, name)
    if is_tiff and vendor != "hamamatsu":  # NDPI beyond 4 GB bends the 32-bit offsets of TIFF
        check_structure(path, name=name)
    if vendor is not None:
        return _whole_slide(path, name, vendor, is_tiff=is_tiff)
    if is_image and path.suffix.lower() in _SLIDE_SUFFIXES:
        # What is left of a MIRAX slide without its folder is a JPEG thumbnail; it must not be scored.
        detail = (
            f"OpenSlide does not recognise this {path.suffix} slide: it is damaged or parts of it are missing"
        )
        raise UnreadableImageError(name, detail)
    if is_tiff:
        return _plain_tiff(path, name)
    if head.startswith(_JPEG_MAGIC):
        levels = field.ArrayLevels(field.read_jpeg(path, name=name))
        return PyramidSlide(levels, vendor="jpeg", stated=stated.resolve([]))
    if head.startswith(_PNG_MAGIC):
        levels = field.ArrayLevels(field.read_png(path, name=name))
        return PyramidSlide(levels, vendor="png", stated=stated.resolve([]))
    raise UnreadableImageError(name, _what_it_is(head))


def files_of(path: Path) -> tuple[Path, ...]:
    """All files that an image consists of; the first is the one that stands for it.

    A MIRAX slide keeps its pixels in a folder of the same stem, and its own file comes first; a DICOM
    slide is a series of files, the finest level first, whichever of them (or their folder) is named.
    """
    if path.suffix.lower() == ".mrxs" and path.with_suffix("").is_dir():
        return (path, *(p for p in sorted(path.with_suffix("").iterdir()) if p.is_file()))
    return series_files(slide_file(path, name="slide")) or (path,)


def _what_it_is(head: bytes) -> str:
    if head[128:132] == b"DICM":
        return "a DICOM file, but not of a whole-slide image that OpenSlide reads"
    try:
        head[:1000].decode("utf-8")
    except UnicodeDecodeError:
        return "its content is of no known image format"
    return "it holds text, not an image"


def _detect(path: Path, name: str) -> str | None:
    with decoding(name, "OpenSlide cannot tell its format"):
        vendor: str | None = openslide.OpenSlide.detect_format(path)
    return vendor


def _whole_slide(path: Path, name: str, vendor: str, *, is_tiff: bool) -> PyramidSlide:
    if is_tiff:
        with decoding(name, DAMAGED), tifffile.TiffFile(path) as tiff:
            check_segments(tiff, name=name)
            if vendor == "generic-tiff":
                _check_colour(tiff.pages.first, name)
            ome = stated.from_ome(tiff.ome_metadata)
    else:
        ome = []
    with decoding(name, "OpenSlide cannot open it"), openslide.OpenSlide(path) as slide:
        properties = dict(slide.properties)
    found = stated.from_openslide(properties, vendor=vendor)
    levels: Levels = OpenSlideLevels(path, name=name)
    if is_tiff and vendor in ("generic-tiff", "aperio"):
        with decoding(name, DAMAGED):
            fast = fast_levels(path, levels, name=name)
        if fast is not None:
            levels.close()
            levels = fast
    return PyramidSlide(levels, vendor=vendor, stated=stated.resolve(found + ome))


def _plain_tiff(path: Path, name: str) -> PyramidSlide:
    with decoding(name, DAMAGED), tifffile.TiffFile(path) as tiff:
        check_segments(tiff, name=name)
        page = tiff.pages.first
        _check_colour(page, name)
        found = stated.from_tiff(page) + stated.from_ome(tiff.ome_metadata)
        levels = field.ArrayLevels(field.read_tiff_page(page, name=name))
    return PyramidSlide(levels, vendor="tiff", stated=stated.resolve(found))


def _check_colour(page: tifffile.TiffPage, name: str) -> None:
    if page.dtype is None or page.dtype.name != "uint8":
        kind = "unknown" if page.dtype is None else page.dtype.name
        detail = f"its pixels are {kind}, but bright-field IHC needs 8-bit colour"
        raise UnsuitableImageError(name, f"{detail}; give the scanner's RGB image, or set `assay` to fish")
    if page.photometric not in _RGB_PHOTOMETRICS or page.samplesperpixel not in (3, 4):
        detail = f"it has {page.samplesperpixel} channel(s) that are not red, green and blue"
        raise UnsuitableImageError(name, f"{detail}; give the scanner's RGB image, or set `assay` to fish")
