"""Documents of quality assurance: how far software and readers agree (`qa/agreement.json`).

Every number that the page shows stands here; the page computes none.  `first` is always the row of a
table and the method under test, `second` its column and the one it is held against.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from her2path.domain.reads import Endpoint
from her2path.domain.stats.estimate import Estimate
from her2path.io.documents import Count, Document


class QaEntry(BaseModel):
    """Base of all parts of these documents."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EstimateEntry(QaEntry):
    """A statistic with its interval, or the reason for none; the written form of `Estimate`."""

    value: float | None
    low: float | None
    high: float | None
    method: str
    confidence: float
    n: Count
    why: str = ""

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateEntry:
        """Write down an estimate."""
        return cls(
            value=estimate.value,
            low=estimate.low,
            high=estimate.high,
            method=estimate.method,
            confidence=estimate.confidence,
            n=estimate.n,
            why=estimate.why,
        )


class CaseGroup(QaEntry):
    """Cases that something holds for."""

    cases: Count
    """How many."""
    case_ids: tuple[str, ...]
    """The first of them in their order, 50 at most."""


class LeftOutEntry(CaseGroup):
    """Cases (or reads) that a comparison could not use."""

    reason: str
    """Machine-readable: ``without_call``, ``without_read``, ``not_evaluable``, ``no_value_first``, ..."""
    text: str
    """The reason in a sentence."""
    reads: Count
    """Reads concerned, of all readers."""


class ReaderEntry(QaEntry):
    """One reader, and what there is of them."""

    reader: str
    is_software: bool
    cases: Count
    reads: Count
    sessions: Count
    """Most sessions of one case."""
    first_on: str | None
    """Date of the first read (ISO); None = no dates."""
    last_on: str | None
    values: dict[Endpoint, dict[str, Count]]
    """Reads of session 1 by level of the endpoint; a read without a value is under none of them."""
    counted: Count
    """Reads with ISH counts."""
    contradictions: dict[str, CaseGroup] = {}
    """Reads that contradict themselves by the guideline, by `Contradiction`."""


Kind = Literal[
    "software_reader",
    "readers",
    "software_majority",
    "reader_majority",
    "software_reference",
    "reader_reference",
    "intra_reader",
]
"""What a pair is: software against a reader, two readers, either against the majority of the (other)
readers or against the named reference, or one reader in two sessions."""


MAJORITY = "majority"
"""Name under which the majority of the (other) readers stands in a pair."""


class PercentAgreementEntry(QaEntry):
    """Agreement on positive and negative calls in one treatment of what is neither."""

    analysis: str
    """How calls that are neither were treated, by name; see `text`."""
    text: str
    table: tuple[tuple[Count, Count], tuple[Count, Count]] | None
    """Rows: first positive, first negative; columns: second positive, second negative.  None at the least
    and the most, where each measure has counts of its own (`n` of its estimate)."""
    estimates: dict[str, EstimateEntry]
    """``positive``, ``negative``, ``overall``, each also with the suffix ``_clopper_pearson``; against a
    reference also ``sensitivity`` and ``specificity``."""


class PairEntry(QaEntry):
    """Agreement of two readers on one endpoint."""

    kind: Kind
    endpoint: Endpoint
    first: str
    second: str
    """Reader; ``majority`` for that of the (other) readers; of ``intra_reader`` the same reader."""
    first_session: Count = 1
    """1 = first read of each case by this reader, whatever number the reader gave it."""
    second_session: Count = 1
    stratum: str = ""
    """``site``, ``scanner``, ``clone``, ``batch`` or ``specimen``; empty = all cases."""
    stratum_value: str = ""
    cases: Count
    """That both have a value of."""
    levels: tuple[str, ...]
    """Of rows and columns, ascending."""
    table: tuple[tuple[Count, ...], ...]
    estimates: dict[str, EstimateEntry]
    """``exact``, ``exact_clopper_pearson``, ``within_one``, ``kappa``, ``kappa_linear``,
    ``kappa_quadratic``, ``ac1``, ``ac2`` (quadratic weights), ``alpha``; by stratum and of very many
    readers only ``exact``, ``exact_clopper_pearson`` and ``kappa_quadratic``; of ``intra_reader`` with
    three sessions or more also ``all_sessions`` (share of pairs of sessions that agree)."""
    percent_agreement: tuple[PercentAgreementEntry, ...] = ()
    """Of calls."""
    left_out: dict[str, Count] = {}
    """Cases that one of the two read and that are missing here, by reason: ``not_read``,
    ``not_evaluable`` or ``no_value``, with ``_first``, ``_second`` or ``_both``."""
    days_between: tuple[int, int, int] | None = None
    """Of ``intra_reader``: least, median and greatest days between the two reads; None = no dates."""


class AmongReadersEntry(QaEntry):
    """How the software agrees with the readers, beside how they agree with each other."""

    endpoint: Endpoint
    stratum: str = ""
    stratum_value: str = ""
    readers: Count
    cases: Count
    """With a value of the software and of two readers at least: those of the difference."""
    estimates: dict[str, EstimateEntry]
    """``software_readers`` (mean share of readers that the software agrees with, over cases with a value of
    both), ``readers_readers`` (mean share of pairs of readers that agree, over cases with a value of two
    readers), ``difference`` (first minus second, over `cases` alone; none where they are fewer than ten)."""
    statement: str
    """What the difference says, in a sentence."""


class MultiRaterEntry(QaEntry):
    """Agreement of several readers at once."""

    endpoint: Endpoint
    stratum: str = ""
    stratum_value: str = ""
    with_software: bool
    raters: tuple[str, ...]
    cases: Count
    estimates: dict[str, EstimateEntry]
    """``fleiss``, ``alpha``, ``ac2``."""


class CategoryEffectEntry(CaseGroup):
    """One way in which software and a reader differ on the score, and what becomes of the category."""

    first: str
    second: str
    first_score: str | None
    second_score: str | None
    first_category: str | None
    """None = there is none yet."""
    second_category: str | None
    changes: Literal["none", "treatment", "open"]
    """Whether the category differs; ``open`` = one of them has none yet."""


class CutEntry(QaEntry):
    """Agreement on one side of a cut-point or the other."""

    cut: float
    table: tuple[tuple[Count, Count], tuple[Count, Count]]
    """Rows: first at or above, below; columns: second likewise."""
    estimates: dict[str, EstimateEntry]
    """``overall``, ``overall_clopper_pearson``, ``positive``, ``negative``, ``kappa``."""
    case_ids: tuple[str, ...] = ()
    """Cases on different sides, the first 50."""


class PointsEntry(QaEntry):
    """Values to plot; where there are many, those farthest apart and others evenly chosen."""

    of: Count
    """Cases that they were chosen from."""
    case_ids: tuple[str, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]


class MethodEntry(QaEntry):
    """Comparison of two readers on a measured quantity."""

    kind: Kind
    quantity: Literal["her2_cep17_ratio", "her2_mean", "cep17_mean"]
    first: str
    second: str
    first_session: Count = 1
    second_session: Count = 1
    cases: Count
    estimates: dict[str, EstimateEntry]
    """``bias``, ``lower_limit``, ``upper_limit`` (Bland-Altman; ratios first / second, since they are
    taken on logarithms), ``proportional_bias`` (slope of the log ratio on the mean of the logarithms),
    ``icc`` (two-way random, absolute agreement, of logarithms); of plotted pairs also ``deming_slope``,
    ``deming_intercept``, ``passing_bablok_slope``, ``passing_bablok_intercept``."""
    cuts: tuple[CutEntry, ...] = ()
    points: PointsEntry | None = None
    """None for pairs that are not plotted."""
    left_out: dict[str, Count] = {}
    """Cases that both read and that are missing here: ``not_counted`` by one of them, ``no_signal``
    where a logarithm or ratio asks for one."""


class StudyCheckEntry(QaEntry):
    """A rule for validation studies, held against this one."""

    name: str
    title: str
    source: str
    status: Literal["met", "not_met", "cannot_be_told"]
    found: str
    """What this study has, in words."""
    needed: str
    does_not_check: str


class AgreementResult(QaEntry):
    """Who was compared with whom on what, and how far they agree."""

    guidelines: tuple[str, ...]
    """By which calls and categories were made."""
    reference: str | None
    """Reader who was named as the reference standard; None = there is none, so no sensitivity."""
    cases: Count
    """Cases with a call of the software and a read."""
    reads: Count
    """Reads by persons."""
    readers: tuple[ReaderEntry, ...]
    """The software first, then in natural order of their names."""
    seed: Count
    draws: Count
    """Of the bootstrap."""
    confidence: float
    strata: dict[str, dict[str, Count]]
    """Cases by value of each stratum that was stated."""
    pairs: tuple[PairEntry, ...]
    among_readers: tuple[AmongReadersEntry, ...]
    multi_rater: tuple[MultiRaterEntry, ...]
    category_effects: tuple[CategoryEffectEntry, ...]
    methods: tuple[MethodEntry, ...]
    study_checks: tuple[StudyCheckEntry, ...]
    left_out: tuple[LeftOutEntry, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the page must know to read the numbers, in sentences."""


class AgreementDoc(Document):
    """`qa/agreement.json`: how far software and readers agree (qa_agreement)."""

    kind: ClassVar[str] = "qa_agreement"
    result: AgreementResult | None = None
