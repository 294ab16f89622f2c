"""Documents of the discordance review: ranked cases, keys of re-read lists, answers, adjudications.

First reads stand in `qa/reads.parquet` and are never changed by any of these.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from annotated_types import Ge
from pydantic import Field, field_validator, model_validator

from her2path.domain.discordance import Discordance
from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.reads import ClinicalCategory
from her2path.io.call_entries import Distance, TrailEntry
from her2path.io.documents import Count, Document
from her2path.io.qa_documents import EstimateEntry, QaEntry
from her2path.io.recount_documents import pseudonym_fault

Number = Annotated[int, Ge(1)]


class ReadingEntry(QaEntry):
    """What was read of a case, and what follows from it by the guideline; None = not read, or open."""

    ihc_score: IhcScore | None = None
    percentages: dict[StainingClass, float] = Field(default_factory=dict)
    """Per cent; classes that were not read are left out."""
    her2_signals: Count | None = None
    cep17_signals: Count | None = None
    nuclei: Count | None = None
    ish_group: str | None = None
    category: ClinicalCategory | None = None
    call: str | None = None
    comment: str = ""


class OpinionEntry(ReadingEntry):
    """The first read of a case by a reader, or the call of the software."""

    reader: str
    is_software: bool
    session: Count
    read_on: str | None
    """Date (ISO); None = not stated."""
    differs: Discordance | None
    """From the software; None for the software, and where they agree."""


class EvidenceEntry(QaEntry):
    """What the software's call of a case rests on."""

    rule_trail: tuple[TrailEntry, ...]
    distance_to_cut: tuple[Distance, ...]
    flags: tuple[str, ...]
    ihc: dict[str, int | float | str | None]
    ish: dict[str, int | float | str | None]
    files: dict[str, tuple[str, ...]]
    """Pictures and reports to look at, by what they are (``report``, ``overlay``, ``hot_spots``,
    ``gallery``, ...), relative to the results folder of the run."""


class RereadOpinion(ReadingEntry):
    """What a reader said of a case in a blinded re-read; beside the first read, never in its place."""

    list_id: str
    number: Number
    reader: str
    read_on: str
    blinded: bool
    """Whether the reader states not to have known the first results."""
    not_read: str = ""
    """Why it could not be read; empty = it was."""


class AdjudicationEntry(QaEntry):
    """Who decided on a discordant case, when, what, and why."""

    number: Number
    """In the order of recording."""
    case_id: str
    by: str
    decided_on: str
    """Date (ISO)."""
    ihc_score: IhcScore | None = None
    category: ClinicalCategory | None = None
    call: str | None = None
    why: str
    read_the_case: bool = False
    """Whether the one who decided is among its first readers."""

    @field_validator("by")
    @classmethod
    def _by(cls, value: str) -> str:
        if fault := pseudonym_fault(value):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _decides(self) -> Self:
        if self.ihc_score is None and self.call is None:
            raise ValueError("an adjudication states a score or a call")
        return self


class AdjudicationsResult(QaEntry):
    """All adjudications; a later one on a case stands, the earlier ones are kept."""

    entries: tuple[AdjudicationEntry, ...]

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if [entry.number for entry in self.entries] != list(range(1, len(self.entries) + 1)):
            raise ValueError("adjudications are numbered from 1 without a gap")
        return self

    def standing(self) -> dict[str, AdjudicationEntry]:
        """Give the last adjudication of each case."""
        return {entry.case_id: entry for entry in self.entries}


class AdjudicationsDoc(Document):
    """`qa/adjudications.json`: decisions on discordant cases."""

    kind: ClassVar[str] = "qa_adjudications"
    result: AdjudicationsResult | None = None


class ListedCase(QaEntry):
    """Which case a number of a re-read list is."""

    number: Number
    case_id: str
    guideline: str
    is_discordant: bool
    repeats: Number | None = None
    """Earlier number of the same case."""
    last_read_on: str | None = None
    """Last date on which anybody read it before (ISO); None = no date is known."""


class RereadKeyResult(QaEntry):
    """Which cases a list holds; not for the reader."""

    list_id: str
    seed: Count
    reader: str | None
    """For whom the list was made; None = for anybody."""
    items: tuple[ListedCase, ...]

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if [item.number for item in self.items] != list(range(1, len(self.items) + 1)):
            raise ValueError("cases are numbered from 1 without a gap")
        return self


class RereadKeyDoc(Document):
    """`qa/rereads/key.<list_id>.json`: not for the reader."""

    kind: ClassVar[str] = "qa_reread_key"
    result: RereadKeyResult | None = None


class RereadAnswer(ReadingEntry):
    """What was read under one number of a list."""

    number: Number
    case_id: str
    repeats: Number | None = None
    not_read: str = ""


class RereadResult(QaEntry):
    """A filled list as it was taken back."""

    list_id: str
    reader: str
    read_on: str
    did_not_know_first_results: bool
    answers: tuple[RereadAnswer, ...]


class RereadDoc(Document):
    """`qa/rereads/read.<list_id>.<reader>.json`: the answers of one reader."""

    kind: ClassVar[str] = "qa_reread"
    result: RereadResult | None = None


class WeightEntry(QaEntry):
    """One kind of disagreement, in the order of review."""

    kind: Discordance
    title: str
    reason: str
    """Why it stands at this place."""
    cases: Count


class RankedCase(QaEntry):
    """A discordant case and its place in the review."""

    rank: Number
    case_id: str
    kind: Discordance
    against_software: bool
    """Whether the software is one of the two who differ; readers alone differ where not."""
    differing: Count
    """Readers who differ from the software in this kind; of readers alone, pairs of them."""


class DiscordantCase(RankedCase):
    """A discordant case with its evidence side by side."""

    opinions: tuple[OpinionEntry, ...]
    """The software first, then readers by name; first reads only."""
    evidence: EvidenceEntry | None
    no_evidence: str = ""
    """Why the evidence of the software is not here; empty = it is."""
    rereads: tuple[RereadOpinion, ...] = ()
    adjudication: AdjudicationEntry | None = None


class RereadSummary(QaEntry):
    """How one reader read a list."""

    list_id: str
    reader: str
    read_on: str
    blinded: bool
    cases: Count
    not_read: Count
    repeats_agree: EstimateEntry
    """Share of cases that came twice with the same result both times."""
    discordant_cases: Count
    """Cases of the list on which first opinions differ."""
    keeps_first: Count
    """Of those that this reader had read before, cases with the same result as then."""
    read_before: Count
    takes_software: Count
    """Of the discordant ones, cases with the software's result."""
    fewest_days: int | None
    """Between this read and the last one before it, the least of the listed cases; None = no dates."""


class AdjudicationSummary(QaEntry):
    """Whom the adjudications followed; says nothing of the agreement of first reads."""

    cases: Count
    software: Count
    """Decided as the software had called."""
    all_readers: Count
    """Decided against the software and as all readers had said."""
    some_readers: Count
    """Decided against the software and as some readers had said."""
    neither: Count
    pending: Count
    """Discordant cases without an adjudication."""
    text: str
    """Why no agreement is worked out from these."""


class ReviewResult(QaEntry):
    """Discordant cases in the order of review."""

    weights: tuple[WeightEntry, ...]
    compared: Count
    """Cases with two opinions at least."""
    concordant: Count
    discordant: Count
    cases: tuple[DiscordantCase, ...]
    """The first of them, with evidence."""
    further: tuple[RankedCase, ...] = ()
    """The others."""
    rereads: tuple[RereadSummary, ...] = ()
    adjudications: tuple[AdjudicationEntry, ...] = ()
    """All, in the order of recording; also of cases that are not discordant any more."""
    after_adjudication: AdjudicationSummary


class ReviewDoc(Document):
    """`qa/review.json`: the discordance review (qa_review)."""

    kind: ClassVar[str] = "qa_review"
    result: ReviewResult | None = None
