"""Step cohort_report: all calls of a run as two tables and as a page."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.domain.guideline.registry import guideline_ids
from her2path.io.case_tables import CALLS
from her2path.io.cohort_files import read_cohort, read_rows
from her2path.io.files import write_text
from her2path.io.provenance import producer
from her2path.io.tables import write_table
from her2path.reports.calls_table import calls_columns, calls_csv
from her2path.reports.cohort_page import cohort_page
from her2path.reports.html.rendering import render_cohort

log = logging.getLogger(__name__)


class CohortReportParams(BaseModel):
    """What an operator may set for this step: nothing yet."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def run(
    *,
    sheet: Path,
    cases: Path,
    images: Path,
    pdf: Path | None = None,
    calls: Path,
    table: Path,
    cohort: Path,
    params: CohortReportParams,
) -> None:
    """Write `calls.csv`, `calls.parquet` and `cohort.html` of all cases of a sheet, in its order.

    `cases` and `images` are the folders of the results, `pdf` the name of the file beside each report.
    """
    found = read_cohort(read_rows(sheet, guidelines=guideline_ids()), cases=cases, images=images)
    documents = [case.call for case in found.cases]
    made_by = producer("cohort_report", params)
    page = cohort_page(found, report=made_by, pdf="" if pdf is None else pdf.name)
    write_text(calls, calls_csv(documents))
    with write_table(table, CALLS, produced_by=made_by) as writer:
        writer.append(calls_columns(documents))
    write_text(cohort, render_cohort(page))
    if found.unread:
        log.warning("%d cases are in no table: another version wrote their calls", len(found.unread))
    log.info("%d cases, %d without a final call", page.cases, page.attention)
