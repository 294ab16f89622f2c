"""Step case_report: one self-contained HTML page for a case."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Assay
from her2path.io.documents import CallDoc, read_document
from her2path.io.files import sha256_of, write_text
from her2path.io.provenance import producer
from her2path.io.recount_documents import RecountDoc
from her2path.reports.case_page import CaseMaterial, case_page
from her2path.reports.evidence import ImageEvidence, gather_images, refuse_other_inputs
from her2path.reports.html.pictures import Picture, read_picture
from her2path.reports.html.rendering import render_case
from her2path.reports.ish_section import FIELD_PICTURES
from her2path.reports.score_section import BLOCK_MAP, HOT_SPOTS

log = logging.getLogger(__name__)

_PICTURES = {Assay.IHC: "overlay.png", Assay.FISH: "gallery.png"}
_CONTROLS = "controls.png"
_QUALITY = "quality.png"


class CaseReportParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    picture_side_px: Annotated[int, Ge(400), Le(8000)] = 2000
    """Longer side of a picture in the page (px): sharp on a 4K screen and in print at A4 width."""
    pictures_bytes: Annotated[int, Ge(100_000)] = 4_500_000
    """Share of a page for all PNG pictures of a case (bytes; a data URI takes a third more); a picture
    above its part of it is written as JPEG, so that a page can be sent by e-mail."""
    jpeg_quality: Annotated[int, Ge(50), Le(100)] = 85
    """Quality of such a JPEG: below 80 thin outlines of cells begin to smear."""


def run(
    *,
    call: Path,
    artefact: list[Path],
    recount: Path | None = None,
    report: Path,
    params: CaseReportParams,
) -> None:
    """Write the page of one case from its call and the artefacts of all its images."""
    document = read_document(call, CallDoc)
    images = gather_images(document, artefact)
    used = {"call.json": call} | ({} if recount is None else {"recount.json": recount})
    for image in images:
        names = [name for name, _ in image.documents] + [_PICTURES[image.facts.assay]]
        used |= {f"{image.image_id}/{n}": image.files[n] for n in names if n in image.files}
    controls = _with_controls(images)
    used |= {f"{image_id}/{_CONTROLS}": path for image_id, path in controls.items()}
    behind = _behind_scores(images)
    used |= behind
    fields = _fields(images)
    used |= fields
    examined = _examined(images)
    used |= {f"{image_id}/{_QUALITY}": path for image_id, path in examined.items()}
    inputs = {name: sha256_of(path) for name, path in sorted(used.items())}
    refuse_other_inputs(document, inputs)
    finished = _finished(images)
    shown = len(finished) + len(controls) + len(behind) + len(examined) + -(-len(fields) // 2)
    material = CaseMaterial(
        call=document,
        images=images,
        pictures=_pictures(finished, params, of=shown),
        recount=None if recount is None else read_document(recount, RecountDoc).result,
        control_pictures=_pictures(controls, params, of=shown),
        score_pictures=_pictures(behind, params, of=shown),
        # Outlines bear compression better than the numbers of a gallery: half a share each.
        field_pictures=_pictures(fields, params, of=2 * shown),
        quality_pictures=_pictures(examined, params, of=shown),
        report=producer("case_report", params),
        report_inputs=inputs,
    )
    html = render_case(case_page(material))
    write_text(report, html)
    log.info("report of %d images, %.1f MB", len(images), len(html) / 1e6)


def _finished(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of each image that has a result; placeholders of the others are not shown."""
    return {
        image.image_id: image.files[_PICTURES[image.facts.assay]]
        for image in images
        if image.has_result and _PICTURES[image.facts.assay] in image.files
    }


def _examined(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of tissue and artefacts of each IHC slide that could be examined."""
    return {
        image.image_id: image.files[_QUALITY]
        for image in images
        if image.facts.assay is Assay.IHC and image.quality.result is not None and _QUALITY in image.files
    }


def _with_controls(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of the control tissue of each slide that has some."""
    results = {image.image_id: image.score.result for image in images if image.score is not None}
    return {
        image.image_id: image.files[_CONTROLS]
        for image in images
        if (result := results.get(image.image_id)) and result.control and _CONTROLS in image.files
    }


def _behind_scores(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the pictures of blocks and hot spots, by ``<image_id>/<file>``."""
    return {
        f"{image.image_id}/{name}": image.files[name]
        for image in images
        for name in (BLOCK_MAP, HOT_SPOTS)
        if image.score is not None and image.has_result and name in image.files
    }


def _fields(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the pictures of the fields of each FISH image, by ``<image_id>/<file>``."""
    return {
        f"{image.image_id}/{name}": image.files[name]
        for image in images
        for name in FIELD_PICTURES
        if image.facts.assay is Assay.FISH and image.has_result and name in image.files
    }


def _pictures(shown: dict[str, Path], params: CaseReportParams, *, of: int) -> dict[str, Picture]:
    """Read pictures, of so many that share the page."""
    return {
        image_id: read_picture(
            path,
            most_side_px=params.picture_side_px,
            most_bytes=params.pictures_bytes // of,
            jpeg_quality=params.jpeg_quality,
        )
        for image_id, path in shown.items()
    }
