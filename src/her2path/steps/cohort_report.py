"""Step cohort_report: all calls of a run as a table and as a page."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.io.documents import CallDoc, read_document
from her2path.io.files import write_text
from her2path.io.provenance import producer
from her2path.reports.calls_table import calls_csv
from her2path.reports.cohort_page import cohort_page
from her2path.reports.html.rendering import render_cohort

log = logging.getLogger(__name__)


class CohortReportParams(BaseModel):
    """What an operator may set for this step: nothing yet."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def run(*, call: list[Path], calls: Path, cohort: Path, params: CohortReportParams) -> None:
    """Write `calls.csv` and `cohort.html` from the calls of all cases, in the order given."""
    documents = [read_document(path, CallDoc) for path in call]
    page = cohort_page(documents, report=producer("cohort_report", params))
    write_text(calls, calls_csv(documents))
    write_text(cohort, render_cohort(page))
    log.info("%d cases, %d without a final call", page.cases, page.attention)
