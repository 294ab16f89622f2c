"""Step `slide_dicom`: write what was measured on a DICOM slide as DICOM objects that refer to it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.guideline.registry import find_guideline
from her2path.errors import ArtefactError
from her2path.io.dicom_cells import spool_cells
from her2path.io.dicom_documents import INDEX, DicomDoc, DicomObject, DicomResult, write_object
from her2path.io.documents import (
    IhcScoreDoc,
    QualityDoc,
    SlideDoc,
    SlideResult,
    read_document,
    required,
    write_document,
)
from her2path.io.drawn_areas import read_drawn_areas
from her2path.io.edited_cells import read_slide_edits
from her2path.io.files import artefact_name, replacing_folder, sha256_of
from her2path.io.masks import read_codes, read_mask
from her2path.io.provenance import digests, producer
from her2path.io.qupath_cells import scheme_of
from her2path.io.slides.dicom_series import read_levels
from her2path.io.slides.opening import files_of

if TYPE_CHECKING:
    from pydicom import Dataset

_AGAIN = "run the case again; where that finds nothing to do, delete this file first"


class SlideDicomParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cells_as: Literal["outlines", "centres"] = "outlines"
    """How cells are drawn: as polygons, or as points, which take a fifth of the space."""
    coordinates: Literal["glass", "pixels"] = "glass"
    """Of the cells: mm in the slide's frame of reference (type 3D), or pixels of its finest level (2D)."""
    region_mpp: Annotated[float, Ge(0.25), Le(16)] = 2.0
    """Pixel size (µm) of the segmentation of regions, never finer than the slide's."""
    identity: Literal["pseudonym", "source"] = "pseudonym"
    """Whom the objects name: the sheet's pseudonyms, or the patient, container and specimen as the slide
    states them, which filing them beside the slide asks for and which then leave her2path."""


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    tissue: Path,
    artefacts: Path,
    cells: Path,
    contours: Path,
    score: Path,
    tumour_roi: Path | None = None,
    exclude_roi: Path | None = None,
    edits: Path | None = None,
    dicom: Path,
    params: SlideDicomParams,
) -> None:
    """Write a folder with annotations of the cells, segmentations, the report, and their list."""
    # highdicom and pydicom take seconds to load, and only slides that come as DICOM need them.
    from her2path.reports.dicom_objects import Measured, slide_objects  # noqa: PLC0415
    from her2path.reports.dicom_source import Named, origin_of, placement_of  # noqa: PLC0415

    files = {"slide": slide, "quality": quality, "tissue": tissue, "artefacts": artefacts, "cells": cells}
    files |= {"contours": contours, "score": score}
    given = {"tumour_roi": tumour_roi, "exclude_roi": exclude_roi, "edits": edits}
    inputs = digests(**files, **{name: path for name, path in given.items() if path is not None})
    document, made_by = read_document(slide, SlideDoc), producer("slide_dicom", params)
    facts, sheet = required(document.result, slide), document.sheet
    levels = read_levels(image[0], name=sheet.image_id)
    _check_same(levels[0], image[0], facts, slide)
    named = Named(sheet.case_id, sheet.image_id, keep_identity=params.identity == "source")
    made_of = inputs | {"made_by": made_by.model_dump_json()}
    origin = origin_of(levels, named, made_of=made_of, version=made_by.version)
    edit = read_slide_edits(edits, cells, facts)
    measured = Measured(
        sheet,
        facts,
        required(read_document(score, IhcScoreDoc).result, score),
        read_mask(tissue),
        read_codes(artefacts),
        required(read_document(quality, QualityDoc).result, quality).mask_mpp,
        read_drawn_areas(tumour_roi, exclude_roi, edit, image_id=sheet.image_id),
    )
    on_glass = params.coordinates == "glass"
    with (
        replacing_folder(dicom, mark=INDEX, overwrite=True) as folder,
        tempfile.TemporaryDirectory(prefix=".spool.", dir=dicom.parent) as spool,
        ExitStack() as held,
    ):
        folder.mkdir()
        groups = spool_cells(
            cells,
            contours,
            Path(spool),
            outlines=params.cells_as == "outlines",
            scheme=scheme_of(find_guideline(sheet.guideline)),
            placed=placement_of(origin.finest).mm if on_glass else None,
            edited=edit.cells,
        )
        objects = [
            write_object(folder / made.file, made.dataset, holds=made.holds)
            for made in slide_objects(
                origin,
                measured,
                groups,
                on_glass=on_glass,
                opened=lambda path: held.enter_context(path.open("rb")),
                region_mpp=params.region_mpp,
            )
        ]
        result = _result(levels, objects, params)
        write_document(folder / INDEX, DicomDoc(produced_by=made_by, inputs=inputs, result=result))


def _check_same(finest: Dataset, image: Path, slide: SlideResult, path: Path) -> None:
    """Refuse a series that is not what was measured: its objects would be filed in another study."""
    size = int(finest.TotalPixelMatrixColumns), int(finest.TotalPixelMatrixRows)
    if size != (slide.width_px0, slide.height_px0):
        raise ArtefactError(
            artefact_name(path), "is of another slide than the DICOM series has become", _AGAIN
        )
    if [sha256_of(file) for file in files_of(image)] != [file.sha256 for file in slide.files]:
        detail = "was made of other files than the DICOM series has now"
        raise ArtefactError(artefact_name(path), detail, _AGAIN)


def _result(levels: tuple[Dataset, ...], objects: list[DicomObject], params: SlideDicomParams) -> DicomResult:
    finest = levels[0]
    return DicomResult(
        study_instance_uid=finest.StudyInstanceUID,
        source_series_instance_uid=finest.SeriesInstanceUID,
        source_instances=tuple(level.SOPInstanceUID for level in levels),
        frame_of_reference_uid=finest.FrameOfReferenceUID,
        coordinates="3D" if params.coordinates == "glass" else "2D",
        identity=params.identity,
        objects=tuple(objects),
    )
