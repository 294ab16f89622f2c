"""Pictures for people, as PNG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from her2path.io.files import write_bytes

_COMPRESSION = 3
"""zlib level: half the time of the default, and a few per cent more bytes on tissue."""


def write_picture(path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    """Write RGB, shape (M, N, 3), whole or not at all."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    encoded, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, _COMPRESSION])
    if not encoded:
        raise ValueError(f"a picture of shape {rgb.shape} cannot be written as PNG")
    write_bytes(path, data.tobytes())
