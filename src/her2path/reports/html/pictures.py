"""Pictures inside a page: data URIs, made smaller where the page would become heavy."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from her2path.errors import ArtefactError

FEWEST_PX = 400
"""No picture is made smaller than this: below it single cells and signals cannot be seen."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture ready to stand in a page."""

    uri: str
    """Data URI; the page needs no other file."""
    width: int
    height: int
    reduced: bool
    """Whether the page shows fewer pixels than the file holds."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the picture itself; its URI takes a third more."""
        return 3 * (len(self.uri) - self.uri.index(",") - 1) // 4


def read_picture(path: Path, *, most_side_px: int, most_bytes: int, jpeg_quality: int) -> Picture:
    """Read a PNG as a data URI.

    Parameters
    ----------
    path : Path
        PNG of any size.
    most_side_px : int
        Longer side that the page shows at most; a larger picture is scaled down by area means.
    most_bytes : int
        A PNG above this size is written as JPEG with full chroma, which keeps thin coloured lines, and
        scaled down until it fits or is `FEWEST_PX` wide.
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
    pixels: npt.NDArray[np.uint8] | None = None
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        pixels = cast("npt.NDArray[np.uint8] | None", cv2.imread(str(path), cv2.IMREAD_COLOR_BGR))
    if pixels is None:
        raise ArtefactError(path.name, "not a readable PNG picture")
    height, width = pixels.shape[:2]
    shrink = most_side_px / max(height, width)
    if shrink >= 1 and len(data) <= most_bytes:
        return Picture(_data_uri("image/png", data), width, height, reduced=False)
    side = min(most_side_px, max(height, width))
    while True:
        shown = _scaled(pixels, side)
        jpeg = _jpeg(shown, jpeg_quality)
        if len(jpeg) <= most_bytes or side <= FEWEST_PX:
            break
        side = max(FEWEST_PX, round(0.8 * side))
    high, wide = shown.shape[:2]
    return Picture(_data_uri("image/jpeg", jpeg), wide, high, reduced=wide < width)


def _scaled(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    shrink = side / max(height, width)
    if shrink >= 1:
        return pixels
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _jpeg(pixels: npt.NDArray[np.uint8], quality: int) -> bytes:
    full_chroma = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    encoded, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality, *full_chroma])
    if not encoded:
        raise ValueError(f"a picture of shape {pixels.shape} cannot be encoded")
    return data.tobytes()


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
