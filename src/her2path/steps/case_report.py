"""Step case_report: one self-contained HTML page for a case."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.errors import OtherVersionError
from her2path.io.files import write_text
from her2path.io.provenance import producer
from her2path.reports.case_material import PictureLimits, gather_case
from her2path.reports.case_page import case_page
from her2path.reports.html.rendering import render_case, render_unread_case
from her2path.reports.slide_material import SlideLimits

log = logging.getLogger(__name__)


class CaseReportParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    picture_side_px: Annotated[int, Ge(400), Le(8000)] = 2000
    """Longer side of a picture in the page (px): sharp on a 4K screen and in print at A4 width."""
    pictures_bytes: Annotated[int, Ge(100_000)] = 2_000_000
    """Share of a page for all PNG pictures of a case (bytes; a data URI takes a third more); a picture
    above its part of it is written as JPEG, so that a page can be sent by e-mail."""
    jpeg_quality: Annotated[int, Ge(50), Le(100)] = 85
    """Quality of such a JPEG: below 80 thin outlines of cells begin to smear."""
    slides_bytes: Annotated[int, Ge(100_000)] = 2_600_000
    """Share of a page for the zoomable views of all IHC slides of a case, with their hot spots (bytes,
    likewise); beyond it the finest level is left out.  The view of one slide fits by the defaults of
    `slide_view`."""
    slide_cells: Annotated[int, Ge(1000)] = 50_000
    """Most cells of all slides that are drawn in a page (5 bytes each); the choice is the same each time."""
    slide_outlines: Annotated[int, Ge(0)] = 20_000
    """Of them, cells with an outline (32 bytes each); the others are signs."""


def run(
    *,
    call: Path,
    artefact: list[Path],
    recount: Path | None = None,
    report: Path,
    params: CaseReportParams,
) -> None:
    """Write the page of one case from its call and the artefacts of all its images."""
    made_by = producer("case_report", params)
    try:
        material = gather_case(
            call=call,
            artefacts=artefact,
            recount=recount,
            limits=_limits(params),
            report=made_by,
            report_name="report.html",
        )
    except OtherVersionError as error:
        # Every case has a page, so that one which cannot be shown says so where people look.
        log.warning("not shown: %s", error)
        unread = render_unread_case(call.parent.name, found=error.detail, version=made_by.version)
        write_text(report, unread)
        return
    html = render_case(case_page(material))
    write_text(report, html)
    log.info("report of %d images, %.1f MB", len(material.images), len(html) / 1e6)
    for gap in material.gaps:
        log.warning("%s", gap)


def _limits(params: CaseReportParams) -> PictureLimits:
    return PictureLimits(
        params.picture_side_px,
        params.pictures_bytes,
        params.jpeg_quality,
        SlideLimits(params.slides_bytes, params.slide_cells, params.slide_outlines),
    )
