"""Damaged files: what their decoders raise, told in words that hold nothing of a file's name or content.

Decoders put paths into their messages, and a path may name a person.  The reason of an
`UnreadableImageError` reaches `call.json` and the report, so it is a sentence of ours and the
class of the error; the decoder's own text is logged for debugging only.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openslide
from PIL import Image

from her2path.errors import ImageNotFoundError, UnreadableImageError

log = logging.getLogger(__name__)

DECODE_ERRORS: tuple[type[Exception], ...] = (
    openslide.OpenSlideError,
    Image.DecompressionBombError,
    OSError,
    ValueError,  # tifffile's own errors
    RuntimeError,  # those of imagecodecs
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,  # a damaged header that claims an absurd size
    SyntaxError,  # Pillow on broken PNG chunks, the XML parser on a broken OME header
    struct.error,
    zlib.error,
)
"""What decoders raise on damaged files: they trust the tags, so a damaged one surfaces as almost any
built-in error."""
_HEAD_BYTES = 1024


@contextmanager
def decoding(name: str, what: str) -> Iterator[None]:
    """Turn what a decoder raises into an `UnreadableImageError`.

    Parameters
    ----------
    name : str
        Id of the image.
    what : str
        Finding in plain words, for example ``its pixels cannot be decoded``.

    Raises
    ------
    UnreadableImageError
        The block raised one of `DECODE_ERRORS`.

    Examples
    --------
    >>> with decoding("i17", "its header is damaged"):
    ...     raise ValueError("bad byte in /scans/Jane_Doe.tif")
    Traceback (most recent call last):
    her2path.errors.UnreadableImageError: image 'i17' cannot be read (its header is damaged: ValueError); \
export or scan it again
    """
    try:
        yield
    except DECODE_ERRORS as error:
        log.debug("%s: %s: %s", name, what, error)
        raise UnreadableImageError(name, f"{what}: {type(error).__name__}") from error


def read_head(path: Path, *, name: str) -> bytes:
    """Read the first bytes of an image file, which tell its format.

    Raises
    ------
    ImageNotFoundError
        There is no such file.
    UnreadableImageError
        It is empty, a folder, or may not be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError as error:
        raise ImageNotFoundError(name) from error
    except IsADirectoryError as error:
        raise UnreadableImageError(name, "the path names a folder, not a file") from error
    except OSError as error:
        reason = error.strerror or error.__class__.__name__
        raise UnreadableImageError(name, f"the file cannot be opened: {reason}") from error
    if not head:
        raise UnreadableImageError(name, "the file is empty (0 bytes)")
    return head
