"""Pictures inside a page: data URIs, made smaller where the page would become heavy."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2

from her2path.errors import ArtefactError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to stand in a page."""

    uri: str
    """Data URI; the page needs no other file."""
    width: int
    height: int
    reduced: bool
    """Whether the page shows fewer pixels than the file holds."""


def read_picture(path: Path, *, most_side_px: int, most_bytes: int, jpeg_quality: int) -> Picture:
    """Read a PNG as a data URI.

    Parameters
    ----------
    path : Path
        PNG of any size.
    most_side_px : int
        Longer side that the page shows at most; a larger picture is scaled down by area means.
    most_bytes : int
        A PNG above this size is written as JPEG with full chroma, which keeps thin coloured lines.
    jpeg_quality : int
        Quality of such a JPEG, 1 to 100.

    Raises
    ------
    ArtefactError
        The file is missing or no picture.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(path.name, f"cannot be read ({error.__class__.__name__})") from error
    pixels = None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_BGR)
    if pixels is None:
        raise ArtefactError(path.name, "not a readable PNG picture")
    height, width = pixels.shape[:2]
    shrink = most_side_px / max(height, width)
    if shrink >= 1 and len(data) <= most_bytes:
        return Picture(_data_uri("image/png", data), width, height, reduced=False)
    if shrink < 1:
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        jpeg_quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    encoded, jpeg = cv2.imencode(".jpg", pixels, options)
    if not encoded:
        raise ArtefactError(path.name, "cannot be encoded for the report")
    return Picture(_data_uri("image/jpeg", jpeg.tobytes()), width, height, reduced=shrink < 1)


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
