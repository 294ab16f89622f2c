"""Pictures for people, as PNG that says by a digest of which slide it is."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from her2path.io.files import write_bytes

_COMPRESSION = 3
"""zlib level: half the time of the default, and a few per cent more bytes on tissue."""
_HEAD = 33
"""Bytes of a PNG's signature and first chunk, after which a text may stand (PNG 1.2, section 4.3)."""
_KEYWORD = b"her2path slide sha256\0"


def write_picture(path: Path, rgb: npt.NDArray[np.uint8], *, slide_sha256: str = "") -> None:
    """Write RGB, shape (M, N, 3), whole or not at all, with the digest of the slide that it shows."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
    if not encoded:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be written as PNG")
    write_bytes(path, of_slide(data.tobytes(), slide_sha256))


def of_slide(png: bytes, sha256: str) -> bytes:
    """Put the digest of its slide into a PNG; empty leaves it as it is."""
    if not sha256:
        return png
    body = b"tEXt" + _KEYWORD + sha256.encode("ascii")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_HEAD] + chunk + png[_HEAD:]


def slide_of(png: bytes) -> str | None:
    """Read of which slide a PNG is; None where it does not say, as those of earlier versions."""
    start = _HEAD + 8 + len(_KEYWORD)
    if png[_HEAD + 4 : start] != b"tEXt" + _KEYWORD:
        return None
    (length,) = struct.unpack(">I", png[_HEAD : _HEAD + 4])
    return png[start : _HEAD + 8 + length].decode("latin-1")
