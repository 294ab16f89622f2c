"""Masks that people give as labels: numbered objects or the area of a class, as PNG or TIFF."""

from __future__ import annotations

from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from her2path.errors import ImageNotFoundError, LabelError, UnreadableImageError
from her2path.io.damage import DECODE_ERRORS, read_head
from her2path.io.slides.field import MAX_FIELD_PIXELS

_PNG, _TIFF = b"\x89PNG", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_COLOUR_TYPE, _PALETTE = 25, 3
"""Where a PNG says how its pixels are coded, and that they are indices of a palette (PNG, 11.2.1)."""
_TWO_VALUES = 2
_MOST = 0.5
"""Share of the image that no single cell or nucleus covers."""


def read_label_mask(path: Path, *, name: str, objects: bool) -> npt.NDArray[np.int32]:
    """Read a mask.

    Parameters
    ----------
    path : Path
        PNG or TIFF of one channel, or of three alike ones.
    name : str
        Name of the file for messages.
    objects : bool
        Whether it shows objects.  A mask of two values shows each connected piece as one; otherwise every
        value but 0 is one.

    Returns
    -------
    ndarray of int32, shape (M, N)
        Numbers of objects from 1, or 1 within the area; 0 elsewhere.

    Raises
    ------
    LabelError
        The file is missing, no such image, in colour, empty, or inverted.
    """
    values = _one_channel(_decoded(path, name), name)
    if not values.any():
        raise LabelError(name, "the mask is empty; leave the image out, or give its mask")
    if not objects:
        return np.asarray(values != 0, np.int32)
    found, numbered = np.unique(values, return_inverse=True)
    if len(found) <= _TWO_VALUES:
        numbers = cv2.connectedComponents((values != 0).astype(np.uint8), connectivity=4)[1]
    else:
        # Numbers as they are would be lost where they are large, negative or no integers.
        numbers = np.where(found == 0, 0, np.cumsum(found != 0))[numbered.reshape(values.shape)]
    numbers = np.asarray(numbers, np.int32)
    _refuse_inverted(numbers, name)
    return numbers


def _refuse_inverted(numbers: npt.NDArray[np.int32], name: str) -> None:
    largest = int(np.bincount(numbers[numbers > 0]).argmax())
    found = numbers == largest
    edges = (found[0], found[-1], found[:, 0], found[:, -1])
    if found.mean() > _MOST and all(edge.any() for edge in edges):
        detail = f"one object covers {100 * found.mean():.0f} % of the image and touches all its edges"
        remedy = "the mask is probably inverted, or its background has a number; write 0 where no object is"
        raise LabelError(name, f"{detail}; {remedy}")


def _decoded(path: Path, name: str) -> npt.NDArray[np.generic]:
    try:
        head = read_head(path, name=name)
        if head.startswith(_TIFF):
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages.first
                _check_size(page.imagewidth * page.imagelength, name)
                return np.asarray(page.asarray())
        if head.startswith(_PNG):
            width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
            _check_size(width * height, name)
            if head[_PNG_COLOUR_TYPE] == _PALETTE:  # the numbers are in the indices, not in the colours
                with Image.open(path) as indexed:
                    return np.asarray(indexed)
            return np.asarray(imagecodecs.png_decode(path.read_bytes()))
    except ImageNotFoundError as error:
        raise LabelError(name, "the file was not found; correct its path or restore the file") from error
    except UnreadableImageError as error:
        raise LabelError(name, error.detail) from error
    except DECODE_ERRORS as error:
        raise LabelError(
            name, f"the mask cannot be decoded ({type(error).__name__}); export it again"
        ) from error
    raise LabelError(name, "a mask is a PNG or TIFF; JPEG would blur its values")


def _check_size(pixels: int, name: str) -> None:
    if pixels > MAX_FIELD_PIXELS:
        raise LabelError(name, "the mask is too large to be read whole; cut image and mask into fields")


def _one_channel(values: npt.NDArray[np.generic], name: str) -> npt.NDArray[np.generic]:
    values = np.squeeze(values)
    if values.ndim == 3 and values.shape[2] in {2, 3, 4}:
        colours = values[..., : 1 if values.shape[2] == 2 else 3]  # an alpha channel says nothing
        if (colours != colours[..., :1]).any():
            raise LabelError(name, "the mask is a colour picture; save one number a pixel (8, 16 or 32 bit)")
        values = colours[..., 0]
    if values.ndim != 2 or values.dtype.kind not in "buif":
        raise LabelError(name, f"the mask has shape {values.shape}; save one number a pixel")
    return values
