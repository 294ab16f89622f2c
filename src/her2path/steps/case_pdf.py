"""Step case_pdf: the report of a case as PDF, for the laboratory's own system and its archive."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.errors import OtherVersionError
from her2path.io.files import write_bytes
from her2path.io.provenance import producer
from her2path.reports.case_material import PictureLimits, gather_case
from her2path.reports.case_pdf import PRINTED_PICTURES, case_pdf, unread_pdf

log = logging.getLogger(__name__)


class CasePdfParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    picture_side_px: Annotated[int, Ge(400), Le(8000)] = 1400
    """Longer side of a picture (px): 200 dots per inch over the width of an A4 sheet."""
    pictures_bytes: Annotated[int, Ge(100_000)] = 2_000_000
    """Share of the file for all pictures of a case (bytes); many systems refuse a large document."""
    jpeg_quality: Annotated[int, Ge(50), Le(100)] = 85
    """Quality of a picture that is above its share as PNG."""


def run(
    *,
    call: Path,
    artefact: list[Path],
    recount: Path | None = None,
    report: Path,
    params: CasePdfParams,
) -> None:
    """Write the PDF of one case from its call and the artefacts of all its images."""
    made_by = producer("case_pdf", params)
    try:
        material = gather_case(
            call=call,
            artefacts=artefact,
            recount=recount,
            limits=PictureLimits(
                params.picture_side_px, params.pictures_bytes, params.jpeg_quality, files=PRINTED_PICTURES
            ),
            report=made_by,
            report_name="report.pdf",
        )
    except OtherVersionError as error:
        # As on the page: every case has a report, and this one says why it shows nothing.
        log.warning("not shown: %s", error)
        write_bytes(report, unread_pdf(call.parent.name, found=error.detail, version=made_by.version))
        return
    pdf = case_pdf(material)
    write_bytes(report, pdf)
    log.info("PDF of %d images, %.1f MB", len(material.images), len(pdf) / 1e6)
    for gap in material.gaps:
        log.warning("%s", gap)
