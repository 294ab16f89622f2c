"""A minimal DICOM whole-slide image (one level, TILED_FULL, JPEG baseline) for reader tests."""

from __future__ import annotations

import struct
from pathlib import Path

import imagecodecs
import numpy as np

from tests.support.slides import Rgb

_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_SERIES = "1.2.826.0.1.3680043.8.498.1"
_LONG_LENGTH = (b"OB", b"SQ", b"UN", b"UT")


def _element(tag: int, kind: str, value: bytes | str | int | float) -> bytes:
    if isinstance(value, str):
        value = value.encode("ascii")
        value += (b"\0" if kind == "UI" else b" ") * (len(value) % 2)
    elif not isinstance(value, bytes):
        value = struct.pack({"US": "<H", "UL": "<I"}[kind], value)
    vr = kind.encode("ascii")
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    length = struct.pack("<HI", 0, len(value)) if vr in _LONG_LENGTH else struct.pack("<H", len(value))
    return head + length + value


def _item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def _frames(rgb: Rgb, tile: int) -> list[bytes]:
    rows, cols = -(-rgb.shape[0] // tile), -(-rgb.shape[1] // tile)
    padded = np.full((rows * tile, cols * tile, 3), 255, dtype=np.uint8)
    padded[: rgb.shape[0], : rgb.shape[1]] = rgb
    frames = []
    for r in range(rows):
        for c in range(cols):
            part = np.ascontiguousarray(padded[r * tile : (r + 1) * tile, c * tile : (c + 1) * tile])
            data = imagecodecs.jpeg8_encode(part, level=95, subsampling="422")
            frames.append(data + b"\0" * (len(data) % 2))
    return frames


def write_dicom(
    path: Path, rgb: Rgb, *, mpp: float, instance: int = 1, level: int = 0, tile: int = 256
) -> Path:
    """Write one level of a whole-slide image; several files of one folder make a pyramid."""
    uid = f"{_SERIES}.{instance}"
    frames = _frames(rgb, tile)
    offsets = np.cumsum([0, *(len(frame) + 8 for frame in frames)])[:-1]
    spacing = f"{mpp * 2**level / 1000:.8f}"
    measures = _element(0x00289110, "SQ", _item(_element(0x00280030, "DS", f"{spacing}\\{spacing}")))
    kind = "ORIGINAL\\PRIMARY\\VOLUME\\NONE" if level == 0 else "DERIVED\\PRIMARY\\VOLUME\\RESAMPLED"
    meta = (
        _element(0x00020002, "UI", _WHOLE_SLIDE)
        + _element(0x00020003, "UI", uid)
        + _element(0x00020010, "UI", _JPEG_BASELINE)
    )
    dataset = [
        _element(0x00080008, "CS", kind),
        _element(0x00080016, "UI", _WHOLE_SLIDE),
        _element(0x00080018, "UI", uid),
        _element(0x00080060, "CS", "SM"),
        _element(0x0020000D, "UI", f"{_SERIES}.0.1"),
        _element(0x0020000E, "UI", f"{_SERIES}.0"),
        _element(0x00200013, "IS", str(instance)),
        _element(0x00209311, "CS", "TILED_FULL"),
        _element(0x00280002, "US", 3),
        _element(0x00280004, "CS", "YBR_FULL_422"),
        _element(0x00280006, "US", 0),
        _element(0x00280008, "IS", str(len(frames))),
        _element(0x00280010, "US", tile),
        _element(0x00280011, "US", tile),
        _element(0x00280100, "US", 8),
        _element(0x00280101, "US", 8),
        _element(0x00280102, "US", 7),
        _element(0x00280103, "US", 0),
        _element(0x00480006, "UL", rgb.shape[1]),
        _element(0x00480007, "UL", rgb.shape[0]),
        _element(0x00480303, "UL", 1),
        _element(0x52009229, "SQ", _item(measures)),
        struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF),
        _item(struct.pack(f"<{len(frames)}I", *offsets)),
        *(_item(frame) for frame in frames),
        struct.pack("<HHI", 0xFFFE, 0xE0DD, 0),
    ]
    length = _element(0x00020000, "UL", len(meta))
    path.write_bytes(bytes(128) + b"DICM" + length + meta + b"".join(dataset))
    return path
