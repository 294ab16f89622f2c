"""`qa.json`: all documents of quality assurance in one, with what the top of the page counts."""

from __future__ import annotations

from typing import ClassVar

from her2path.io.documents import Count, Document
from her2path.io.qa_documents import AgreementDoc, QaEntry
from her2path.io.qa_monitoring_entries import MonitoringDoc
from her2path.io.qa_review_entries import ReviewDoc


class EffectsEntry(QaEntry):
    """Disagreements of the software with readers, by what they change."""

    compared: Count
    """Pairs of a case and a reader in which software and reader both have a clinical category."""
    treatment: Count
    """Of them with different categories."""
    open: Count
    """Further ones that differ while one of both has no category yet."""
    same: Count
    """That differ on the score within one category."""


class NotComputedEntry(QaEntry):
    """A statistic without a value, or without an interval, for one reason."""

    statistic: str
    of: str
    missing: str
    """``value`` or ``interval``."""
    why: str
    times: Count
    first: str
    """The first comparison that it is missing from."""


class QaResult(QaEntry):
    """What the page shows."""

    effects: EffectsEntry
    not_computed: tuple[NotComputedEntry, ...]
    tables: dict[str, Count]
    """Rows of each table for spreadsheets, by its name."""
    agreement: AgreementDoc
    monitoring: MonitoringDoc | None
    """None = nothing was watched over time."""
    review: ReviewDoc | None
    """None = discordant cases were not ranked."""


class QaDoc(Document):
    """`qa.json`: every number of the page (qa_page)."""

    kind: ClassVar[str] = "qa"
    result: QaResult | None = None
