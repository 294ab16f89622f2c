"""A small DICOM phantom slide, measured, and the DICOM objects that are made of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from her2path.cli.step import OUTPUTS
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, IhcPhantomSpec
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import Producer, SlideDoc, read_document, required, write_document
from her2path.io.edited_cells import places_digest
from her2path.io.edits_documents import DrawnRegion, EditsDoc, EditsResult, GivenClass
from her2path.io.phantom_dicom import ScannedAs, write_dicom_slide
from her2path.io.tables import IHC_CELLS, read_table
from her2path.steps import ihc_score, slide_dicom
from tests.support.ihc_chain import find_cells, prepare, score

PLANTED = ("Grüneberg", "Roswitha", "P-4711", "19370511", "ACC-0815", "S24-1234-A1", "BC9988", "Dr. Who")
"""What no object may hold: names, birth date, numbers of patient, request, container, and a comment."""
TUMOUR = [[50, 60], [1250, 60], [1250, 1050], [700, 1050], [700, 600], [50, 600], [50, 60]]
EXCLUDED = [[300, 100], [500, 100], [500, 300], [300, 300], [300, 100]]
CONTROL = [[100, 700], [500, 700], [500, 1100], [100, 1100], [100, 700]]


@dataclass(frozen=True)
class MeasuredSlide:
    """A slide and where its artefacts lie."""

    folder: Path
    """Of the DICOM series."""
    at: SimpleNamespace
    sheet: ImageRow


def feature(ring: list[list[int]], name: str) -> dict[str, object]:
    """A QuPath annotation."""
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "classification": {"name": name}},
    }


def write_features(path: Path, *features: dict[str, object]) -> Path:
    """Write annotations as QuPath exports them."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def write_series(folder: Path, *, size: tuple[int, int] = (1300, 1200)) -> Path:
    """Write a DICOM phantom that names a person wherever a slide can."""
    classes = SCORE_PRESETS["2+"]
    spec = IhcPhantomSpec(seed=41, width_px=size[0], height_px=size[1], mpp=0.5, classes=classes)
    name, first, number, born, request, container, barcode, comment = PLANTED
    said = ScannedAs(
        patient_name=f"{name}^{first}",
        patient_id=number,
        birth_date=born,
        accession=request,
        container=container,
        specimen=f"{container}-2",
        barcode=barcode,
        comment=comment,
        label=np.full((64, 96, 3), 240, np.uint8),
    )
    write_dicom_slide(folder, render_ihc(spec).rgb, mpp=spec.mpp, scanned=said)
    return folder


def measure_series(folder: Path, out: Path, *, drawn: bool = True, **row: object) -> MeasuredSlide:
    """Run the IHC steps on a series, with drawn tumour, a part left out and control tissue."""
    if drawn:
        row["tumour_roi"] = write_features(
            out.parent / f"{out.name}.tumour.geojson", feature(TUMOUR, "Tumor")
        )
        exclude = (feature(EXCLUDED, "Ignore*"), feature(CONTROL, "Control: 2+"))
        row["exclude_roi"] = write_features(out.parent / f"{out.name}.exclude.geojson", *exclude)
    at, sheet = prepare(folder, out, **row)
    find_cells(folder, at, sheet)
    score(folder, at)
    return MeasuredSlide(folder, at, sheet)


def edit_series(slide: MeasuredSlide, folder: Path, *, cell_id: int, given: str) -> MeasuredSlide:
    """Let a person draw the tumour anew and give one cell another class; score the slide again."""
    table = read_table(slide.at.cells, IHC_CELLS)
    x, y = (table[name].to_numpy() for name in ("x_px0", "y_px0"))
    files = required(read_document(slide.at.slide, SlideDoc).result, slide.at.slide).files
    ring = tuple((float(x), float(y)) for x, y in TUMOUR)
    row = cell_id - 1
    result = EditsResult(
        by="reader1",
        on="2026-01-02",
        tool="QuPath",
        sha256="ab" * 32,
        image_id=slide.sheet.image_id,
        image_files=tuple(file.sha256 for file in files),
        cells=len(table),
        places_sha256=places_digest(x, y),
        regions=(DrawnRegion(kind="Tumor", polygons=((ring,),)),),
        corrections=(
            GivenClass(cell_id=cell_id, x_px0=x[row], y_px0=y[row], measured="Tumor: 2+", given=given),
        ),
    )
    at = SimpleNamespace(**vars(slide.at), edits=folder / "edits.json")
    at.score = folder / "ihc_score.json"
    write_document(at.edits, EditsDoc(produced_by=Producer(step="test", version="0"), result=result))
    others = {name: folder / IHC_FILES[name] for name in OUTPUTS["ihc_score"] if name != "score"}
    read = {name: getattr(at, name) for name in ("slide", "quality", "cells", "contours", "score", "edits")}
    ihc_score.run(image=[slide.folder], **read, **others, params=ihc_score.IhcScoreParams())
    return MeasuredSlide(slide.folder, at, slide.sheet)


def make_objects(slide: MeasuredSlide, dicom: Path, **params: object) -> Path:
    """Run slide_dicom; return its folder."""
    at = slide.at
    slide_dicom.run(
        image=[slide.folder],
        slide=at.slide,
        quality=at.quality,
        tissue=at.tissue,
        artefacts=at.artefacts,
        cells=at.cells,
        contours=at.contours,
        score=at.score,
        tumour_roi=slide.sheet.tumour_roi,
        exclude_roi=slide.sheet.exclude_roi,
        edits=getattr(at, "edits", None),
        dicom=dicom,
        params=slide_dicom.SlideDicomParams.model_validate(params),
    )
    return dicom
