"""Whether the skeleton of a TIFF file is whole: every directory and every tag value lies in the file.

TIFF readers skip what they cannot follow and go on with the rest, so a cut-off slide can look like a
smaller one.  This walk refuses it instead.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from her2path.errors import UnreadableImageError
from her2path.io.damage import decoding

_TYPE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Size of one value of each TIFF 6.0 and BigTIFF data type."""
DAMAGED = "its TIFF structure is damaged"
"""Finding where tifffile or a codec fails on a file."""
_MAX_DIRECTORIES = 10_000
"""More directories than any slide has; a damaged chain may run in circles."""


@dataclass(frozen=True, slots=True)
class _Dialect:
    """Byte order and field widths of classic TIFF or BigTIFF."""

    order: str
    count: str
    entry: str
    offset: str

    def read(self, file: BinaryIO, layout: str) -> tuple[int, ...]:
        """Read fields at the file's position; struct.error at the end of the file."""
        return struct.unpack(self.order + layout, file.read(struct.calcsize(self.order + layout)))


def check_structure(path: Path, *, name: str) -> None:
    """Walk the chain of directories.

    Raises
    ------
    UnreadableImageError
        A directory or the values of a tag lie beyond the end of the file.
    """
    with decoding(name, "the file cannot be read"), path.open("rb") as file:
        try:
            seen = _walk(file, path.stat().st_size)
        except struct.error as error:
            raise UnreadableImageError(name, "the file is truncated within its TIFF structure") from error
    if not seen:
        raise UnreadableImageError(name, "the file is truncated: its TIFF structure points beyond its end")


def _walk(file: BinaryIO, size: int) -> bool:
    """Return whether all is within the file."""
    head = file.read(4)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:])[0] == 43
    dialect = _Dialect(order, "Q", "HHQ", "Q") if big else _Dialect(order, "H", "HHI", "I")
    if big:
        file.seek(8)
    (offset,) = dialect.read(file, dialect.offset)
    for _ in range(_MAX_DIRECTORIES):
        if offset == 0:
            return True
        if offset >= size:
            return False
        file.seek(offset)
        (entries,) = dialect.read(file, dialect.count)
        for _ in range(entries):
            _, kind, count = dialect.read(file, dialect.entry)
            (value,) = dialect.read(file, dialect.offset)
            length = _TYPE_BYTES.get(kind, 0) * count
            if length > struct.calcsize(dialect.offset) and value + length > size:
                return False
        (offset,) = dialect.read(file, dialect.offset)
    return False
