"""A QuPath project: the folder that QuPath 0.5 and 0.6 open with *File > Project > Open project*.

``project.qpproj`` is JSON.  What it must hold was read from QuPath's sources (`DefaultProject`,
`ImageServers`, `ImageServerBuilder`, `OpenslideServerBuilder`; GPL, so nothing of them is copied here).
Objects live in QuPath's own binary files (``data/<n>/data.qpdata``, serialised Java), which only QuPath
can write: they lie beside the project as GeoJSON, and a script of the project takes them in.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from her2path.io.files import replacing, write_text
from her2path.io.qupath_cells import CellClass

PROJECT = "project.qpproj"
LAYERS = "her2path"
"""Folder of the project that holds the objects of each image, by its id."""
FACTS = "image.json"
"""File in the folder of an image: what the script checks before it takes anything in."""
SCRIPTS = ("her2path_import.groovy", "her2path_export.groovy")
_FORMAT = "0.5.0"
"""Version of QuPath whose format this is; QuPath 0.2 and later refuse a project that names none."""
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that ZIP can say: the same objects give the same bytes."""
_COPY_BYTES = 2**20


class Reader(StrEnum):
    """Which of QuPath's readers opens an image: the name of its Java class."""

    OPENSLIDE = "qupath.lib.images.servers.openslide.OpenslideServerBuilder"
    BIOFORMATS = "qupath.lib.images.servers.bioformats.BioFormatsServerBuilder"
    IMAGEIO = "qupath.lib.images.servers.ImageIoImageServerBuilder"


def reader_of(vendor: str) -> Reader:
    """Choose a reader by what `slide.json` says of the file.

    Examples
    --------
    >>> reader_of("aperio").name, reader_of("ome-tiff").name, reader_of("png").name
    ('OPENSLIDE', 'BIOFORMATS', 'IMAGEIO')
    """
    if vendor in {"jpeg", "png", "bmp"}:
        return Reader.IMAGEIO
    return Reader.BIOFORMATS if vendor in {"tiff", "ome-tiff", "imagej"} else Reader.OPENSLIDE


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """One image of a project."""

    image_id: str
    """Its name in QuPath's list, and that of its folder."""
    paths: tuple[Path, ...]
    """Absolute; several = one file a channel."""
    reader: Reader
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Shown beside the image; QuPath sorts the list by them."""


def write_project(
    folder: Path, images: Sequence[ProjectImage], classes: Iterable[CellClass], *, lies_in: Path
) -> None:
    """Write the files that QuPath reads when it opens the project, ``project.qpproj`` last.

    No clock and no random number: the same images give the same bytes.  `lies_in` is the folder that
    `folder` will be when all is written.
    """
    entries = []
    for number, image in enumerate(images, start=1):
        builder = _builder(image)
        write_text(folder / "data" / str(number) / "server.json", _json(builder))
        entry: dict[str, Any] = {"serverBuilder": builder, "entryID": number, "imageName": image.image_id}
        if image.description:
            entry["description"] = image.description
        entries.append(entry | {"metadata": dict(image.metadata)})
    write_text(folder / "classifiers" / "classes.json", _json({"pathClasses": [*map(_path_class, classes)]}))
    for name in SCRIPTS:
        text = files("her2path.io").joinpath("qupath_scripts", name).read_text(encoding="utf-8")
        write_text(folder / "scripts" / name, text)
    project = {
        "version": _FORMAT,
        "createTimestamp": 0,
        "modifyTimestamp": 0,
        # Where it lay when it was written: with it QuPath finds slides that were moved together with it.
        "uri": (lies_in.absolute() / PROJECT).as_uri(),
        "lastID": len(images),
        "images": entries,
    }
    write_text(folder / PROJECT, _json(project))


def _builder(image: ProjectImage) -> dict[str, Any]:
    parts = [_uri_builder(path, image.reader) for path in image.paths]
    if len(parts) == 1:
        return parts[0]
    return {"builderType": "channels", "builder": parts[0], "channels": parts}


def _uri_builder(path: Path, reader: Reader) -> dict[str, Any]:
    # Without metadata QuPath takes those of the file; a list of arguments must be there, be it empty.
    return {
        "builderType": "uri",
        "providerClassName": str(reader),
        "uri": path.absolute().as_uri(),
        "args": [],
    }


def _path_class(kind: CellClass) -> dict[str, Any]:
    red, green, blue = kind.rgb
    # A Java int: opaque, so the highest bit is set and the number negative.
    return {"name": kind.name, "color": (red << 16 | green << 8 | blue) - (1 << 24)}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def zip_objects(source: Path, target: Path) -> None:
    """Compress a GeoJSON file into a ZIP, which QuPath reads as such (it reads no gzip).

    Cells take a fifth of their size; memory is bounded by a megabyte.
    """
    entry = zipfile.ZipInfo(source.name, _ZIP_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with (
        replacing(target) as temporary,
        zipfile.ZipFile(temporary, "w", compresslevel=1) as archive,
        source.open("rb") as plain,
        archive.open(entry, "w", force_zip64=True) as packed,
    ):
        while part := plain.read(_COPY_BYTES):
            packed.write(part)
