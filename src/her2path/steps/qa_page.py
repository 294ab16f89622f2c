"""Step qa_page: the page of quality assurance, all its numbers in one document, and its tables."""

from __future__ import annotations

import logging
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.io.documents import read_document, required, write_document
from her2path.io.files import write_text
from her2path.io.provenance import digests, producer
from her2path.io.qa_documents import AgreementDoc, AgreementResult
from her2path.io.qa_monitoring_entries import MonitoringDoc
from her2path.io.qa_page_documents import EffectsEntry, NotComputedEntry, QaDoc, QaResult
from her2path.io.qa_review_entries import ReviewDoc
from her2path.reports.html.rendering import render_qa
from her2path.reports.qa_page import QaDocuments, QaPage, qa_page
from her2path.reports.qa_summary import count_effects

log = logging.getLogger(__name__)


class QaPageParams(BaseModel):
    """What an operator may set for this step: nothing yet."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def run(
    *,
    agreement: Path,
    monitoring: Path | None = None,
    review: Path | None = None,
    page: Path,
    numbers: Path,
    tables: Path,
    params: QaPageParams,
) -> None:
    """Write `qa.html`, `qa.json`, and one CSV per table into the folder `tables`."""
    documents = QaDocuments(
        read_document(agreement, AgreementDoc),
        None if monitoring is None else read_document(monitoring, MonitoringDoc),
        None if review is None else read_document(review, ReviewDoc),
    )
    result = required(documents.agreement.result, agreement)
    given = {"agreement": agreement, "monitoring": monitoring, "review": review}
    made_by = producer("qa_page", params)
    shown = qa_page(documents, result, report=made_by)
    for sheet in shown.tables:
        write_text(tables / f"{sheet.name}.csv", sheet.text)
    document = QaDoc(
        produced_by=made_by,
        inputs=digests(**{name: path for name, path in given.items() if path is not None}),
        result=_numbers(documents, result, shown),
    )
    write_document(numbers, document)
    # Last, so that whoever sees the page finds the tables that it names.
    write_text(page, render_qa(shown))
    log.info("%d cases, %d reads, %d tables", result.cases, result.reads, len(shown.tables))


def _numbers(documents: QaDocuments, result: AgreementResult, shown: QaPage) -> QaResult:
    return QaResult(
        effects=EffectsEntry(**asdict(count_effects(result))),
        not_computed=tuple(NotComputedEntry(**asdict(gap)) for gap in shown.missing),
        tables={sheet.name: len(sheet.rows) for sheet in shown.tables},
        agreement=documents.agreement,
        monitoring=documents.monitoring,
        review=documents.review,
    )
