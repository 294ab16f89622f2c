"""Images with personal data in every place that a slide or its file can carry, and the sheet of a run.

Each place has a word of its own, so that a word that is found again says where it leaked from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, PngImagePlugin

from her2path.io.phantom_dicom import ScannedAs, write_dicom_slide

Rgb = npt.NDArray[np.uint8]
LABEL_RGB = (150, 255, 0)
"""Colour of label and macro pictures, which nothing on a stained slide and nothing that is drawn has."""


@dataclass
class Planted:
    """Words that were written into files, by the place that each of them was written to."""

    places: dict[str, str] = field(default_factory=dict)

    def word(self, place: str) -> str:
        """Give the word of a place: a name that occurs nowhere else."""
        stem = "".join(letter for letter in place.lower() if letter.isalnum())
        return self.places.setdefault(place, f"Zq{stem}Wojtkowska")

    def name(self, place: str) -> str:
        """Give a name with letters beyond ASCII, as names have them."""
        return self.places.setdefault(place, f"Yılmaz-Öz{''.join(c for c in place if c.isalnum())}ß")


def label_picture(planted: Planted, height: int = 240, width: int = 320) -> Rgb:
    """Draw a label: a name and a bar code in colours that nothing else has."""
    picture = np.full((height, width, 3), LABEL_RGB, np.uint8)
    cv2.putText(picture, planted.word("label"), (10, 60), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1)
    picture[100:140, 20:300:7] = 0
    return picture


def write_svs(path: Path, rgb: Rgb, planted: Planted, *, mpp: float = 0.5) -> Path:
    """Write a slide as Aperio's scanner does: pyramid, thumbnail, label and macro, and much free text."""
    height, width = rgb.shape[:2]
    told = {
        "AppMag": "20",
        "MPP": f"{mpp}",
        "User": planted.word("svs user"),
        "Filename": planted.word("svs file name"),
        "Barcode": planted.word("svs barcode"),
        "Patient Name": planted.name("svs patient"),
        "Title": planted.word("svs title"),
        "ScanScope ID": planted.word("svs scanner"),
        "Date": "03/07/41",
    }
    head = f"Aperio Image Library v12.0.15 {planted.word('svs head')}\r\n{width}x{height} JPEG/RGB Q=90"
    head += "".join(f"|{key} = {value}" for key, value in told.items())
    text = {
        "artist": planted.word("tiff artist"),
        "document": planted.word("tiff document"),
        "host": planted.word("tiff host"),
        "page": planted.word("tiff page name"),
        "xmp": planted.word("tiff xmp"),
        "copyright": planted.word("tiff copyright"),
        "private": planted.word("tiff private tag"),
    }
    extra = [
        (315, "s", 0, text["artist"], True),
        (269, "s", 0, text["document"], True),
        (316, "s", 0, text["host"], True),
        (285, "s", 0, text["page"], True),
        (33432, "s", 0, text["copyright"], True),
        (700, "B", len(text["xmp"]), text["xmp"].encode(), True),
        (65000, "s", 0, text["private"], True),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    shared: dict[str, Any] = {
        "photometric": "rgb",
        "metadata": None,
        "software": planted.word("tiff software"),
    }
    tiled = {**shared, "tile": (256, 256), "compression": "jpeg", "compressionargs": {"level": 95}}
    small = cv2.resize(rgb, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    label, macro = label_picture(planted), label_picture(planted, 300, 700)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(
            rgb,
            **tiled,
            description=head.encode(),
            extratags=extra,
            datetime=planted.places.setdefault("tiff date", "1941:03:07 10:00:00"),
        )
        thumb = head.encode() + b"\r\nthumbnail"
        tiff.write(small, **shared, compression="jpeg", rowsperstrip=16, description=thumb)
        tiff.write(small, **tiled, description=head.encode())
        kept = f"Aperio {planted.word('svs label text')}\r\nlabel 320x240"
        tiff.write(
            label, **shared, compression="lzw", rowsperstrip=16, subfiletype=1, description=kept.encode()
        )
        kept = f"Aperio {planted.word('svs macro text')}\r\nmacro 700x300"
        tiff.write(
            macro, **shared, compression="jpeg", rowsperstrip=16, subfiletype=9, description=kept.encode()
        )
    return path


def write_png(path: Path, rgb: Rgb, planted: Planted) -> Path:
    """Write a field as PNG with text, compressed text and EXIF."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", planted.word("png author"))
    text.add_text("Comment", planted.word("png compressed"), zip=True)
    text.add_itxt("Description", planted.name("png description"), lang="tr", tkey="Patient")
    exif = Image.Exif()
    exif[0x010E] = planted.word("exif description")
    exif[0x013B] = planted.word("exif artist")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, pnginfo=text, exif=exif, dpi=(300, 300))
    return path


def write_dicom(folder: Path, rgb: Rgb, planted: Planted, *, mpp: float = 0.5) -> Path:
    """Write a DICOM series with its patient, its study and its label."""
    scanned = ScannedAs(
        patient_name=f"{planted.word('dicom family')}^{planted.word('dicom given')}",
        patient_id=planted.word("dicom patient id"),
        birth_date="19410307",
        accession=planted.word("dicom accession")[:16],
        container=planted.word("dicom container"),
        specimen=planted.word("dicom specimen"),
        barcode=planted.word("dicom barcode"),
        comment=planted.word("dicom comment"),
        label=label_picture(planted),
    )
    planted.places["dicom accession"] = scanned.accession
    folder.mkdir(parents=True, exist_ok=True)
    return write_dicom_slide(folder, rgb, mpp=mpp, scanned=scanned)[0]


def write_ome(
    path: Path, planes: npt.NDArray[np.uint16], names: Mapping[str, float], planted: Planted
) -> Path:
    """Write a FISH field as OME-TIFF whose header names people in every element that can."""
    channels = list(names)
    metadata = {
        "axes": "CYX",
        "PhysicalSizeX": 0.16,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": 0.16,
        "PhysicalSizeYUnit": "µm",
        "Name": planted.word("ome image"),
        "Description": planted.word("ome description"),
        "Channel": {
            "Name": [f"{name} {planted.word(f'ome channel {name}')}" for name in channels],
            "EmissionWavelength": [names[name] for name in channels],
            "EmissionWavelengthUnit": ["nm"] * len(channels),
        },
        "Experimenter": {"FirstName": planted.word("ome first"), "LastName": planted.name("ome last")},
        "Project": {"Name": planted.word("ome project")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, planes, ome=True, metadata=metadata, photometric="minisblack")
    people = (
        f'<Experimenter ID="Experimenter:0" UserName="{planted.word("ome user")}"/>'
        f'<StructuredAnnotations><XMLAnnotation ID="Annotation:0"><Value>{planted.word("ome annotation")}'
        "</Value></XMLAnnotation></StructuredAnnotations>"
    )
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        xml = tiff.ome_metadata
        assert xml is not None
        tiff.pages[0].tags["ImageDescription"].overwrite(xml.replace("</OME>", f"{people}</OME>").encode())
    return path


def write_regions(path: Path, box: tuple[int, int, int, int], planted: Planted) -> Path:
    """Write a drawn region that carries a name, a description and metadata."""
    left, top, right, bottom = box
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    properties = {
        "objectType": "annotation",
        "name": planted.word("region name"),
        "metadata": {"patient": planted.word("region metadata")},
        "classification": {"name": planted.word("region class")},
    }
    feature = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }
    data = {"type": "FeatureCollection", "features": [feature], "name": planted.name("region collection")}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


FISH_CHANNELS = {"DAPI": 461.0, "SpectrumOrange HER2": 588.0, "SpectrumGreen CEP17": 524.0}


def write_planted_batch(folder: Path, samples: Path) -> tuple[Path, Planted]:
    """Write images of every kind under folders and files that name patients, and the sheet of a run.

    Good ones are measured; the others fail in every way that an image can, for messages leak, too.
    """
    planted = Planted()
    born = planted.places.setdefault("birth date of the folder", "07.03.1941")
    home = folder / planted.word("folder") / f"{planted.name('sub folder')} {born}"
    slide = tifffile.imread(samples / "demo_ihc2_g4" / "ihc.tif")
    small = np.ascontiguousarray(slide[:1024, :1024])
    planes = tifffile.imread(samples / "demo_ihc2_g4" / "fish_a.ome.tif")
    svs = write_svs(home / f"{planted.word('svs file')}.svs", slide, planted)
    png = write_png(home / f"{planted.word('png file')}.png", small, planted)
    dicom = write_dicom(home / planted.word("dicom folder"), small, planted)
    roi = write_regions(home / f"{planted.word('region file name')}.geojson", (40, 40, 1500, 1500), planted)
    ome = write_ome(home / f"{planted.word('ome file')}.ome.tif", planes, FISH_CHANNELS, planted)
    split = []
    for plane, (name, nm) in zip(planes, FISH_CHANNELS.items(), strict=True):
        path = home / f"{planted.word('split file')}_{name.split()[0]}.ome.tif"
        split.append(write_ome(path, plane[None], {name: nm}, planted))
    text = home / f"{planted.word('text file')}.svs"
    text.write_text(f"patient {planted.word('text content')}", encoding="utf-8")
    cut = home / f"{planted.word('cut file')}.svs"
    cut.write_bytes(svs.read_bytes()[: svs.stat().st_size // 2])
    dull = write_ome(
        home / f"{planted.word('odd file')}.ome.tif", planes, {"a": 10.0, "b": 20.0, "c": 30.0}, planted
    )
    broken = home / f"{planted.word('broken region')}.geojson"
    broken.write_text(roi.read_text(encoding="utf-8")[:-9] + planted.word("broken content"), encoding="utf-8")
    control = json.loads(roi.read_text(encoding="utf-8"))
    control["features"][0]["properties"]["classification"]["name"] = (
        f"Control: {planted.word('control class')}"
    )
    odd_control = home / f"{planted.word('control region')}.geojson"
    odd_control.write_text(json.dumps(control), encoding="utf-8")
    missing = home / f"{planted.word('missing file')}.svs"
    rows = [
        ("p1", "p1-ihc", "ihc", svs, "", roi, ""),
        ("p1", "p1-fish", "fish", ome, "", "", ""),
        ("p2", "p2-ihc", "ihc", png, "0.5", "", ""),
        ("p2", "p2-fish", "fish", ";".join(map(str, split)), "", "", ""),
        ("p3", "p3-ihc", "ihc", dicom, "", "", ""),
        ("p4", "p4-text", "ihc", text, "", "", ""),
        ("p5", "p5-cut", "ihc", cut, "", "", ""),
        ("p6", "p6-missing", "ihc", missing, "", "", ""),
        ("p7", "p7-channels", "fish", dull, "", "", ""),
        ("p8", "p8-region", "ihc", png, "0.5", broken, ""),
        ("p9", "p9-control", "ihc", png, "0.5", "", odd_control),
        ("p10", "p10-assay", "fish", png, "0.5", "", ""),
        ("p11", "p11-assay", "ihc", ome, "", "", ""),
    ]
    head = ("case_id", "image_id", "assay", "path", "mpp", "tumour_roi", "exclude_roi")
    sheet = folder / "cases.tsv"
    sheet.write_text("\n".join("\t".join(map(str, row)) for row in (head, *rows)) + "\n", encoding="utf-8")
    return sheet, planted
