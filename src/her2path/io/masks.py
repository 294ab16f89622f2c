"""Masks as 8-bit PNG: 255 = inside and 0 = outside, or one code per pixel."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from her2path.errors import ArtefactError
from her2path.io.files import write_bytes


def write_mask(path: Path, mask: npt.NDArray[np.bool_]) -> None:
    """Write a mask, shape (M, N), whole or not at all."""
    write_codes(path, mask.astype(np.uint8) * 255)


def read_mask(path: Path) -> npt.NDArray[np.bool_]:
    """Read a mask, shape (M, N).

    Raises
    ------
    ArtefactError
        The file is missing or no PNG.
    """
    return read_codes(path) > 127


def write_codes(path: Path, codes: npt.NDArray[np.uint8]) -> None:
    """Write one code per pixel, shape (M, N), whole or not at all."""
    encoded, data = cv2.imencode(".png", codes)
    if not encoded:
        raise ValueError(f"a mask of shape {codes.shape} cannot be written as PNG")
    write_bytes(path, data.tobytes())


def read_codes(path: Path) -> npt.NDArray[np.uint8]:
    """Read one code per pixel, uint8, shape (M, N).

    Raises
    ------
    ArtefactError
        The file is missing or no PNG.
    """
    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise ArtefactError(path.name, f"cannot be read ({error.strerror})") from error
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    if image is None:
        raise ArtefactError(path.name, "is not a readable PNG mask")
    return np.asarray(image, np.uint8)
