"""Features of a GeoJSON file one after the other, so that two million cells need no more memory than one.

QuPath writes a FeatureCollection or a bare list of features, plain, gzipped or zipped; objects may hold
others in ``properties.childObjects``, which are given after the one that holds them.
"""

from __future__ import annotations

import codecs
import gzip
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from her2path.errors import RegionError
from her2path.io.geojson import Json

_CHUNK = 2**20
_LARGEST = 2**29
"""Characters of one feature; an object that holds all cells of a slide can be as large as the file."""
_CHILDREN = ("childObjects", "children")
_OF_THE_DESKTOP = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""Files that macOS and Windows add to a folder."""
_CUT_OFF = "it is cut off, or not JSON; export it again"


def stream_features(path: Path, *, name: str) -> Iterator[Json]:
    """Give the features of a file as they come.

    Parameters
    ----------
    path : Path
        GeoJSON as it is, or compressed by gzip or zip, whatever its name says.
    name : str
        Name of the file for messages.

    Raises
    ------
    RegionError
        The file is missing, no JSON or no GeoJSON, cut off, or holds a feature that is too large; also
        after some features were given.
    """
    try:
        with _opened(path, name) as file:
            for feature in _Reader(file, name).features():
                yield from _with_children(feature)
    except FileNotFoundError as error:
        raise RegionError(name, "the file was not found") from error
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise RegionError(name, f"it cannot be decompressed ({error})") from error
    except UnicodeDecodeError as error:
        raise RegionError(name, "it is no text in UTF-8, so no GeoJSON") from error
    except OSError as error:
        raise RegionError(name, f"the file cannot be opened: {error.strerror}") from error


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes] | gzip.GzipFile]:
    with path.open("rb") as plain:
        head = plain.read(4)
        plain.seek(0)
        if head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=plain) as unzipped:
                yield unzipped
        elif head == b"PK\x03\x04":
            with zipfile.ZipFile(plain) as archive:
                inside = [item for item in archive.infolist() if _is_content(item)]
                if len(inside) != 1:
                    raise RegionError(name, f"the archive holds {len(inside)} files instead of one")
                with archive.open(inside[0]) as extracted:
                    yield extracted
        else:
            yield plain


def _is_content(item: zipfile.ZipInfo) -> bool:
    """Tell what a person packed from what the desktop adds: macOS beside each file ``__MACOSX/._<name>``."""
    *folders, name = item.filename.split("/")
    by_desktop = "__MACOSX" in folders or name.startswith("._") or name.lower() in _OF_THE_DESKTOP
    return not item.is_dir() and not by_desktop


def _with_children(feature: Json) -> Iterator[Json]:
    waiting = [feature]
    while waiting:
        one = waiting.pop()
        children: list[Json] = []
        properties = one.get("properties") if isinstance(one, dict) else None
        if isinstance(properties, dict):
            lists = (properties.pop(key, None) for key in _CHILDREN)
            children = [child for found in lists if isinstance(found, list) for child in found]
        yield one
        waiting += reversed(children)


class _Reader:
    """Takes JSON values off the front of a file."""

    def __init__(self, file: IO[bytes] | gzip.GzipFile, name: str) -> None:
        self._file = file
        self._name = name
        self._text = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode
        self._as_text = codecs.getincrementaldecoder("utf-8-sig")().decode

    def features(self) -> Iterator[Json]:
        first = self._peek()
        if first == "[":
            yield from self._elements()
        elif first == "{":
            yield from self._of_object()
        else:
            raise RegionError(self._name, "it is not JSON (empty, cut off, or another kind of file)")
        if self._peek():
            raise RegionError(self._name, "something stands behind its end; export it again")

    def _of_object(self) -> Iterator[Json]:
        self._take("{")
        members: dict[str, Json] = {}
        listed = False
        while self._peek() != "}":
            key = self._value()
            if not isinstance(key, str):
                raise RegionError(self._name, _CUT_OFF)
            self._take(":")
            if key == "features" and self._peek() == "[":
                listed = True
                yield from self._elements()
            else:
                members[key] = self._value()
            if self._peek() != "}":
                self._take(",")
        self._take("}")
        if not listed:
            if not isinstance(members.get("type"), str) or members["type"] == "FeatureCollection":
                raise RegionError(self._name, "it is JSON, but not GeoJSON")
            yield members

    def _elements(self) -> Iterator[Json]:
        self._take("[")
        while self._peek() != "]":
            yield self._value()
            if self._peek() != "]":
                self._take(",")
        self._take("]")

    def _take(self, wanted: str) -> None:
        if self._peek() != wanted:
            raise RegionError(self._name, _CUT_OFF)
        self._at += 1

    def _peek(self) -> str:
        """Show the next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if not self._text[self._at].isspace():
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _value(self) -> Json:
        self._peek()
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if len(self._text) - self._at > _LARGEST:
                    what = "holds an object of more than 512 MB; export without the hierarchy"
                    raise RegionError(self._name, what) from error
                if isinstance(error, RecursionError) or not self._more():
                    raise RegionError(self._name, _CUT_OFF) from error
                continue
            # A number at the end of what was read may go on.
            if end < len(self._text) or not self._more():
                self._at = end
                found: Json = value
                return found

    def _more(self) -> bool:
        """Read on, each time as much again as a value has taken so far."""
        if self._ended:
            return False
        data = self._file.read(max(_CHUNK, len(self._text) - self._at))
        self._ended = not data
        self._text = self._text[self._at :] + self._as_text(data, final=self._ended)
        self._at = 0
        return True
