"""Search of every file below a folder for words, wherever a format may hide them.

A file is searched as it lies there, and again after whatever it holds was unpacked: columns and
metadata of Parquet, tags and text of pictures, streams of PDF, embedded data of pages, members of
archives, values of HDF5 and Zarr.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import struct
import unicodedata
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.ipc
import pyarrow.parquet as pq
import tifffile
from PIL import Image

_DATA_URI = re.compile(rb"data:[\w/+.;=\-]*base64,([A-Za-z0-9+/=\s]+)")
_BASE64 = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{60,}={0,2}")
_PDF_STREAM = re.compile(rb"stream\r?\n")
_PDF_HEX = re.compile(rb"<((?:[0-9A-Fa-f]{2}){4,})>")
_JPEG_START = b"\xff\xd8\xff"
_DEPTH = 4
_STEM = 12
"""Characters by which a word is known."""


@dataclass(frozen=True)
class Found:
    """A word in a file."""

    place: str
    file: str
    where: str

    def __str__(self) -> str:
        return f"{self.place!r} in {self.file} ({self.where})"


def search(folder: Path, words: Mapping[str, str]) -> list[Found]:
    """Search names and contents of all files below a folder, hidden ones too.

    Parameters
    ----------
    folder : Path
    words : dict
        What to look for, by the place that it comes from.
    """
    # Messages quote the beginning of what they name, so a part of a word tells as much as the whole.
    wanted = {
        place: _spellings(word) | _spellings(word[:_STEM], whole=False) for place, word in words.items()
    }
    found: set[Found] = set()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        for where, data in _parts(path):
            small = data.lower()
            found |= {
                Found(place, name, where)
                for place, spellings in wanted.items()
                if any(spelling in small for spelling in spellings)
            }
    return sorted(found, key=str)


def _spellings(word: str, *, whole: bool = True) -> set[bytes]:
    """Spell a word as files do: encodings, escapes of JSON, URLs and HTML, Base64; in small letters."""
    forms = {word, word.lower(), *(unicodedata.normalize(form, word) for form in ("NFC", "NFD"))}
    texts = {*forms, *(json.dumps(form)[1:-1] for form in forms), *map(urllib.parse.quote, forms)}
    texts |= {"".join(c if ord(c) < 128 else f"&#{ord(c)};" for c in form) for form in forms}
    texts |= {"".join(c if ord(c) < 128 else f"&#x{ord(c):x};" for c in form) for form in forms}
    # As the bytes that are searched, only ASCII is spelled small.
    spelled = {text.encode().lower() for text in texts}
    for coding in ("utf-16-le", "utf-16-be", "latin-1", "cp1254"):
        spelled |= {form.encode(coding, errors="ignore").lower() for form in forms}
    for start in range(3 if whole else 0):
        # Without the characters at both ends, which depend on what stands beside the word.
        encoded = base64.b64encode(b"\0" * start + word.encode())
        spelled.add(encoded[4:-4].lower())
    return {spelling for spelling in spelled if len(spelling) >= 8}


def _parts(path: Path) -> Iterator[tuple[str, bytes]]:
    yield "its name", path.name.encode()
    stem = path.name.encode()
    for text in (stem, stem.split(b".")[0]):
        yield "its name, decoded", _unbased(text)
    if path.is_symlink():
        yield "its target", str(path.readlink()).encode()
    if not path.is_file():
        return
    data = path.read_bytes()
    yield from unpacked(data, path.name)
    if path.name == "zarr.json" and json.loads(data)["node_type"] == "array":
        yield "Zarr array", _zarr_values(path.parent)


def unpacked(data: bytes, name: str, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Give bytes as they are and everything that they hold, by where it lies."""
    where = name if depth else "raw"
    yield where, data
    if depth > _DEPTH:
        return
    for magic, texts in _TEXTS.items():
        if data.startswith(magic):
            yield from ((f"{where}: {what}", text) for what, text in texts(data))
    for magic, members in _MEMBERS.items():
        if data.startswith(magic):
            for what, member in members(data):
                yield from unpacked(member, f"{where}: {what}", depth + 1)
    for number, text in enumerate(_DATA_URI.findall(data)):
        yield from unpacked(_unbased(text), f"{where}: embedded {number}", depth + 1)
    if depth == 0 and not data.startswith(b"PAR1"):
        for text in _BASE64.findall(data):
            yield f"{where}: Base64", _unbased(text)


def _unbased(text: bytes) -> bytes:
    text = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    return base64.b64decode(text[: len(text) // 4 * 4])


def _parquet(data: bytes) -> Iterator[tuple[str, bytes]]:
    file = pq.ParquetFile(io.BytesIO(data))
    metadata = file.schema_arrow.metadata or {}
    texts = [*metadata.keys(), *metadata.values(), str(file.metadata).encode()]
    # pandas and Arrow keep a schema of their own in Base64.
    own = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if own:
        schema = pyarrow.ipc.read_schema(pyarrow.py_buffer(base64.b64decode(own)))
        texts.append(schema.to_string(truncate_metadata=False).encode())
    for column in file.read().columns:
        kind = str(column.type)
        if any(word in kind for word in ("string", "dictionary", "binary")):
            texts += [str(value).encode() for value in set(map(str, column.to_pylist()))]
    yield "Parquet", b"\n".join(texts)


def _png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind in (b"IDAT", b"IEND"):
            continue
        yield "PNG text", kind + body
        for start in range(len(body)):
            if body[start : start + 1] == b"\x78":
                try:
                    yield "PNG text", zlib.decompress(body[start:])
                    break
                except zlib.error:
                    continue


def _tiff_tags(data: bytes) -> Iterator[tuple[str, bytes]]:
    texts = []
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        for page in tiff.pages:
            for tag in page.aspage().tags.values():
                if tag.count < 100_000:
                    value = tag.value
                    texts.append(value if isinstance(value, bytes) else str(value).encode())
    yield "TIFF tags", b"\n".join(texts)


def _pdf_strings(data: bytes) -> Iterator[tuple[str, bytes]]:
    for text in _PDF_HEX.findall(data):
        yield "PDF string", binascii.unhexlify(text)


def _pdf_streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    for found in _PDF_STREAM.finditer(data):
        body = data[found.end() : data.find(b"endstream", found.end())]
        try:
            yield "PDF stream", zlib.decompressobj().decompress(body)
        except zlib.error:
            yield "PDF stream", body


def _zip_names(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            yield "name in archive", member.filename.encode() + member.comment
        yield "comment of archive", archive.comment


def _zip_members(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            yield member.filename, archive.read(member)


def _gzip(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "gzip", gzip.decompress(data)


def _hdf5_values(data: bytes) -> Iterator[tuple[str, bytes]]:
    import h5py  # noqa: PLC0415  (optional)

    texts: list[bytes] = []

    def visit(name: str, node: h5py.Group | h5py.Dataset) -> None:
        texts.append(name.encode())
        texts.extend(f"{key}={value!r}".encode() for key, value in node.attrs.items())
        if isinstance(node, h5py.Dataset) and node.dtype.kind in "OSU":
            values = np.atleast_1d(node[()])
            texts.extend(v if isinstance(v, bytes) else str(v).encode() for v in values.ravel().tolist())

    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(visit)
    yield "HDF5", b"\n".join(texts)


_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_Texts = Callable[[bytes], Iterator[tuple[str, bytes]]]
_TEXTS: Mapping[bytes, _Texts] = {
    b"PAR1": _parquet,
    _PNG_MAGIC: _png_texts,
    **dict.fromkeys(_TIFF_MAGIC, _tiff_tags),
    b"%PDF-": _pdf_strings,
    b"PK\x03\x04": _zip_names,
    b"\x89HDF\r\n\x1a\n": _hdf5_values,
}
"""What reads the text of a format, by how its files begin."""
_MEMBERS: Mapping[bytes, _Texts] = {b"%PDF-": _pdf_streams, b"PK\x03\x04": _zip_members, b"\x1f\x8b": _gzip}
"""What unpacks a format that holds others."""


def _zarr_values(folder: Path) -> bytes:
    import zarr  # noqa: PLC0415  (optional)

    array = zarr.open_array(folder, mode="r")
    values = np.atleast_1d(array[...])
    if values.dtype.kind in "iufb":
        return b""
    return "\n".join(map(str, values.ravel().tolist())).encode()


def pictures(folder: Path) -> Iterator[tuple[str, npt.NDArray[np.uint8]]]:
    """Give every picture below a folder as RGB: files, and those within pages, PDFs and TIFFs."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            for where, data in unpacked(path.read_bytes(), path.name):
                for number, picture in enumerate(_decoded(data)):
                    yield f"{name} ({where}, {number})", picture


def _decoded(data: bytes) -> Iterable[npt.NDArray[np.uint8]]:
    if data.startswith(_TIFF_MAGIC):
        with tifffile.TiffFile(io.BytesIO(data)) as tiff:
            for page in tiff.pages:
                pixels = page.asarray()
                if pixels.dtype == np.uint8 and pixels.ndim == 3:
                    yield pixels[..., :3]
    elif data.startswith((_PNG_MAGIC, _JPEG_START)):
        try:
            with Image.open(io.BytesIO(data)) as image:
                yield np.asarray(image.convert("RGB"))
        except (OSError, ValueError):
            return  # a table of a JPEG, which holds no pixels
    elif data[128:132] == b"DICM" or data[:5] == b"%PDF-":
        for start in (found.start() for found in re.finditer(_JPEG_START, data)):
            try:
                with Image.open(io.BytesIO(data[start:])) as image:
                    yield np.asarray(image.convert("RGB"))
            except (OSError, ValueError):
                continue


def colour_share(picture: npt.NDArray[np.uint8], rgb: tuple[int, int, int]) -> float:
    """Share of the pixels that have about a colour."""
    near = np.abs(picture.astype(np.int16) - np.array(rgb, np.int16)).max(axis=2) < 40
    return float(near.mean())
