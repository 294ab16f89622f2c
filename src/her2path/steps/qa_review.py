"""Step qa_review: discordant cases by clinical weight, with their evidence, re-reads and decisions."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict

from her2path.domain.discordance import (
    ORDER,
    REASONS,
    TITLES,
    CaseReview,
    Opinion,
    discordance,
    ranked,
    repeats_result,
)
from her2path.domain.stats.proportion import wilson_estimate
from her2path.io.documents import write_document
from her2path.io.opinions import CaseReads, FirstRead, read_cases
from her2path.io.provenance import digests, producer
from her2path.io.qa_documents import EstimateEntry
from her2path.io.qa_review_entries import (
    AdjudicationEntry,
    AdjudicationSummary,
    DiscordantCase,
    RankedCase,
    RereadAnswer,
    RereadKeyResult,
    RereadOpinion,
    RereadResult,
    RereadSummary,
    ReviewDoc,
    ReviewResult,
    WeightEntry,
)
from her2path.io.reread_sheet import fewest_days
from her2path.io.review_entries import adjudicated_opinion, answered_opinion, opinion_entry, reread_opinion
from her2path.io.review_folder import adjudications_in, answers_in, keys_in
from her2path.io.run_evidence import evidence_of

log = logging.getLogger(__name__)
_NO_AGREEMENT = (
    "No agreement is worked out from decisions: only cases on which first opinions differ are decided, so "
    "every decision could only raise it (discrepant resolution, FDA 2007). The agreement of this study is "
    "that of the first reads."
)
Rereads = Mapping[str, Sequence[RereadOpinion]]


class QaReviewParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    cases_with_evidence: Annotated[int, Ge(0)] = 200
    """How many discordant cases, the gravest first, are listed with all reads and the software's evidence;
    the others are listed by name and kind."""


def run(
    *,
    table: Path,
    calls: Path,
    rereads: Path | None = None,
    adjudications: Path | None = None,
    review: Path,
    params: QaReviewParams,
) -> None:
    """Rank discordant cases and write `qa/review.json`; `rereads` is the folder of keys and answers."""
    results = calls if calls.is_dir() else calls.parent
    keys = {} if rereads is None else keys_in(rereads)
    answers = () if rereads is None else answers_in(rereads)
    decided = adjudications_in(adjudications) if adjudications is not None else None
    entries = () if decided is None else decided.entries
    standing = {} if decided is None else decided.standing()
    cases = {case.case_id: case for case in read_cases(table)}
    reviews = [case.review() for case in cases.values() if case.is_compared]
    order = ranked(reviews)
    again = _by_case(answers)
    shown = order[: params.cases_with_evidence]
    counted = Counter(one.kind for one in order)
    result = ReviewResult(
        weights=tuple(
            WeightEntry(kind=kind, title=TITLES[kind], reason=REASONS[kind], cases=counted[kind])
            for kind in ORDER
        ),
        compared=len(reviews),
        concordant=len(reviews) - len(order),
        discordant=len(order),
        cases=tuple(
            _case(rank, one, cases[one.case_id], results, again, standing)
            for rank, one in enumerate(shown, start=1)
        ),
        further=tuple(
            _ranked(rank, one) for rank, one in enumerate(order[len(shown) :], start=len(shown) + 1)
        ),
        rereads=tuple(
            _reread_summary(one, keys[one.list_id], cases) for one in answers if one.list_id in keys
        ),
        adjudications=entries,
        after_adjudication=_adjudication_summary(order, cases, standing),
    )
    inputs = digests(reads=table)
    write_document(review, ReviewDoc(produced_by=producer("qa_review", params), inputs=inputs, result=result))
    log.info("%d of %d cases are discordant", len(order), len(reviews))


def _by_case(answers: Sequence[RereadResult]) -> Rereads:
    found: dict[str, list[RereadOpinion]] = {}
    for one in answers:
        for answer in one.answers:
            found.setdefault(answer.case_id, []).append(reread_opinion(one, answer))
    return found


def _ranked(rank: int, one: CaseReview) -> RankedCase:
    return RankedCase.model_validate(_head(rank, one))


def _head(rank: int, one: CaseReview) -> dict[str, object]:
    return {
        "rank": rank,
        "case_id": one.case_id,
        "kind": one.kind,
        "against_software": one.against_software,
        "differing": one.differing,
    }


def _case(
    rank: int,
    one: CaseReview,
    case: CaseReads,
    results: Path,
    again: Rereads,
    standing: Mapping[str, AdjudicationEntry],
) -> DiscordantCase:
    opinions = [] if case.software is None else [opinion_entry(case.software, None)]
    opinions += [opinion_entry(read, kind) for read, kind in zip(case.readers, one.by_reader, strict=True)]
    evidence = evidence_of(results, one.case_id)
    missing = isinstance(evidence, str)
    return DiscordantCase.model_validate(
        {
            **_head(rank, one),
            "opinions": tuple(opinions),
            "evidence": None if missing else evidence,
            "no_evidence": evidence if missing else "",
            "rereads": tuple(again.get(one.case_id, ())),
            "adjudication": standing.get(one.case_id),
        }
    )


def _reread_summary(one: RereadResult, key: RereadKeyResult, cases: Mapping[str, CaseReads]) -> RereadSummary:
    by_number = {answer.number: answer for answer in one.answers}
    pairs = [
        _same(answer, answered_opinion(by_number[answer.repeats]), by_number[answer.repeats].her2_signals)
        for answer in one.answers
        if answer.repeats is not None and answer.repeats in by_number
    ]
    compared = [same for same in pairs if same is not None]
    first = [answer for answer in one.answers if answer.repeats is None]
    before = [_first_read(cases.get(answer.case_id), one.reader) for answer in first]
    software = [_software_read(cases.get(answer.case_id)) for answer in first]
    kept = _agreements(first, before)
    discordant = {item.case_id for item in key.items if item.is_discordant}
    taken = _agreements(first, software)
    return RereadSummary(
        list_id=one.list_id,
        reader=one.reader,
        read_on=one.read_on,
        blinded=one.did_not_know_first_results,
        cases=len(first),
        not_read=sum(bool(answer.not_read) for answer in one.answers),
        repeats_agree=EstimateEntry.of(
            wilson_estimate(sum(compared), len(compared), none_why="no case that came twice was read twice")
        ),
        discordant_cases=len(discordant),
        keeps_first=sum(same is True for same in kept),
        read_before=sum(same is not None for same in kept),
        takes_software=sum(
            same is True and answer.case_id in discordant for same, answer in zip(taken, first, strict=True)
        ),
        fewest_days=fewest_days(key, one.read_on),
    )


def _agreements(answers: Sequence[RereadAnswer], others: Sequence[FirstRead | None]) -> list[bool | None]:
    return [
        None if other is None else _same(answer, other.opinion, other.her2_signals)
        for answer, other in zip(answers, others, strict=True)
    ]


def _same(answer: RereadAnswer, other: Opinion, signals: int | None) -> bool | None:
    """Tell whether an answer says the same as another read, which counted `signals` or nothing."""
    counted = (answer.her2_signals is not None, signals is not None)
    return repeats_result(answered_opinion(answer), other, counted=counted)


def _first_read(case: CaseReads | None, reader: str) -> FirstRead | None:
    found = () if case is None else case.readers
    return next((read for read in found if read.reader == reader), None)


def _software_read(case: CaseReads | None) -> FirstRead | None:
    return None if case is None or case.software_opinion is None else case.software


def _software_opinion(case: CaseReads | None) -> Opinion | None:
    return None if case is None else case.software_opinion


def _adjudication_summary(
    order: Sequence[CaseReview], cases: Mapping[str, CaseReads], standing: Mapping[str, AdjudicationEntry]
) -> AdjudicationSummary:
    counts: Counter[str] = Counter()
    decided = [one for one in order if one.case_id in standing]
    for one in decided:
        case, decision = cases[one.case_id], adjudicated_opinion(standing[one.case_id])
        software = _software_opinion(case)
        with_readers = [discordance(decision, read.opinion) is None for read in case.readers]
        if software is not None and discordance(decision, software) is None:
            counts["software"] += 1
        elif all(with_readers):
            counts["all_readers"] += 1
        else:
            counts["some_readers" if any(with_readers) else "neither"] += 1
    return AdjudicationSummary(
        cases=len(decided),
        software=counts["software"],
        all_readers=counts["all_readers"],
        some_readers=counts["some_readers"],
        neither=counts["neither"],
        pending=len(order) - len(decided),
        text=_NO_AGREEMENT,
    )
