"""The page of quality assurance: what its template prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from her2path.domain.reads import Endpoint
from her2path.io.documents import Document, Producer
from her2path.io.qa_documents import AgreementDoc, AgreementResult
from her2path.io.qa_monitoring_entries import MonitoringDoc, MonitoringResult
from her2path.io.qa_review_entries import ReviewDoc, ReviewResult
from her2path.reports.html.scales import isolated
from her2path.reports.numbers import count_text, counted_text
from her2path.reports.qa_agreement_section import endpoint_section
from her2path.reports.qa_blocks import Block, Head, Section, Words, id_list, table
from her2path.reports.qa_comparison_section import comparison_section
from her2path.reports.qa_gaps import Gap, gaps
from her2path.reports.qa_monitoring_section import monitoring_section
from her2path.reports.qa_monitoring_tables import monitoring_tables
from her2path.reports.qa_review_section import review_section
from her2path.reports.qa_review_tables import review_tables
from her2path.reports.qa_study_section import (
    checks_section,
    effects_section,
    intra_section,
    readers_section,
    strata_section,
)
from her2path.reports.qa_summary import Summary, summarise
from her2path.reports.qa_tables import CsvTable, agreement_tables
from her2path.reports.qa_words import capitalised


@dataclass(frozen=True, slots=True)
class QaPage:
    """All that the template of quality assurance prints."""

    title: str
    guidelines: str
    reference: str
    summary: Summary
    sections: tuple[Section, ...]
    version: str
    tables: tuple[CsvTable, ...]
    """For spreadsheets, each once, in the order of the page."""

    missing: tuple[Gap, ...]
    """Statistics without a value or an interval."""


@dataclass(frozen=True, slots=True)
class QaDocuments:
    """What the page is made of."""

    agreement: AgreementDoc
    monitoring: MonitoringDoc | None = None
    """None = nothing was watched over time."""

    review: ReviewDoc | None = None
    """None = discordant cases were not ranked."""

    @property
    def reviewed(self) -> ReviewResult | None:
        """The discordance review, if there is one."""
        return None if self.review is None else self.review.result

    @property
    def watched(self) -> MonitoringResult | None:
        """What was watched over time, if anything was."""
        return None if self.monitoring is None else self.monitoring.result


def qa_page(documents: QaDocuments, result: AgreementResult, *, report: Producer) -> QaPage:
    """Prepare the page.

    Parameters
    ----------
    documents : QaDocuments
        What was computed.
    result : AgreementResult
        That of `documents.agreement`, which the caller has made sure of.
    report : Producer
        Who writes the page.
    """
    found = gaps(result)
    tables = _tables(documents, result, found)
    sections = (
        readers_section(result),
        *(endpoint_section(result, endpoint) for endpoint in Endpoint),
        effects_section(result),
        intra_section(result),
        strata_section(result),
        comparison_section(result),
        review_section(documents.reviewed),
        monitoring_section(documents.watched),
        checks_section(result),
        _missing_section(result, found),
        _origin_section(documents, result, tables),
    )
    return QaPage(
        title=f"Quality assurance of {counted_text(result.cases)}",
        guidelines=", ".join(result.guidelines),
        reference="none named" if result.reference is None else isolated(result.reference),
        summary=summarise(result, documents.watched, found),
        sections=sections,
        version=report.version,
        tables=tables,
        missing=found,
    )


def _tables(documents: QaDocuments, result: AgreementResult, missing: Sequence[Gap]) -> tuple[CsvTable, ...]:
    columns = ("statistic", "of", "missing", "why", "times", "first")
    rows = tuple((g.statistic, g.of, g.missing, g.why, g.times, g.first) for g in missing)
    return (
        *agreement_tables(result),
        *monitoring_tables(documents.watched),
        *review_tables(documents.reviewed),
        CsvTable("not_computed", columns, rows),
    )


def _missing_section(result: AgreementResult, found: Sequence[Gap]) -> Section:
    blocks: list[Block] = [*_left_out(result), *_not_computed(found)]
    return Section("missing", "What was left out or could not be computed", tuple(blocks))


def _left_out(result: AgreementResult) -> list[Block]:
    if not result.left_out:
        return [Words("No case and no read was left out.", "quiet")]
    heads = (Head("What"), Head("Cases", numeric=True), Head("Reads", numeric=True), Head("Which"))
    rows = [
        (capitalised(e.text), count_text(e.cases), count_text(e.reads), id_list(e.case_ids, e.cases))
        for e in result.left_out
    ]
    return [table("Cases and reads that were left out", heads, rows, csv="left_out")]


def _not_computed(found: Sequence[Gap]) -> list[Block]:
    if not found:
        return [Words("Every statistic that was asked for has a value and an interval.", "quiet")]
    heads = (
        Head("Statistic"),
        Head("On"),
        Head("Missing"),
        Head("Why"),
        Head("Times", numeric=True),
        Head("First in"),
    )
    rows = [(g.statistic, g.of, g.missing, g.why, count_text(g.times), g.first) for g in found]
    return [table("Statistics without a value or an interval", heads, rows, csv="not_computed")]


def _origin_section(documents: QaDocuments, result: AgreementResult, tables: Sequence[CsvTable]) -> Section:
    words = Words(
        f"Intervals hold the true value in about {100 * result.confidence:g} % of such studies. Those made "
        f"by drawing cases anew (bootstrap) rest on {count_text(result.draws)} draws with the seed "
        f"{result.seed}: the same reads give the same numbers. `qa.json` holds every number of this page."
    )
    heads = (Head("Table"), Head("Rows", numeric=True))
    rows = [(f"tables/{one.name}.csv", count_text(len(one.rows))) for one in tables]
    listing = table("Tables for spreadsheets", heads, rows, csv="")
    made: list[tuple[str, Document]] = [("agreement", documents.agreement)]
    if documents.monitoring is not None:
        made.append(("monitoring", documents.monitoring))
    if documents.review is not None:
        made.append(("review", documents.review))
    origin_heads = (
        Head("Document"),
        Head("Step"),
        Head("Version of her2path"),
        Head("Input"),
        Head("SHA-256"),
    )
    origin_rows = [row for name, document in made for row in _origin_rows(name, document)]
    origins = table("What the numbers were made from", origin_heads, origin_rows, csv="")
    return Section("origin", "Methods, tables and origin", (words, listing, origins))


def _origin_rows(name: str, document: Document) -> list[tuple[str, ...]]:
    step = document.produced_by
    return [(name, step.step, step.version, key, digest) for key, digest in sorted(document.inputs.items())]
