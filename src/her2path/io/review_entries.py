"""From first reads, answers and decisions to their written form, and back to opinions that are compared."""

from __future__ import annotations

from her2path.domain.discordance import Discordance, Opinion
from her2path.domain.ihc import StainingClass
from her2path.domain.reads import ReadResult
from her2path.io.opinions import FirstRead
from her2path.io.qa_review_entries import (
    AdjudicationEntry,
    ListedCase,
    OpinionEntry,
    ReadingEntry,
    RereadAnswer,
    RereadOpinion,
    RereadResult,
)
from her2path.io.reread_sheet import Answer


def opinion_entry(read: FirstRead, differs: Discordance | None) -> OpinionEntry:
    """Write down a first read, and how it differs from the software."""
    return OpinionEntry(
        reader=read.reader,
        is_software=read.is_software,
        session=read.session,
        read_on=None if read.read_on is None else read.read_on.isoformat(),
        differs=differs,
        ihc_score=read.opinion.score,
        percentages={
            name: share
            for name, share in zip(StainingClass, read.percentages, strict=True)
            if share is not None
        },
        her2_signals=read.her2_signals,
        cep17_signals=read.cep17_signals,
        nuclei=read.nuclei,
        ish_group=read.ish_group,
        category=read.opinion.category,
        call=read.opinion.call,
        comment=read.comment,
    )


def reread_answer(answer: Answer, result: ReadResult) -> RereadAnswer:
    """Write down what was read under a number, completed by the guideline."""
    item: ListedCase = answer.item
    findings = answer.findings
    return RereadAnswer(
        number=item.number,
        case_id=item.case_id,
        repeats=item.repeats,
        not_read=answer.not_read,
        ihc_score=result.score,
        percentages={name: float(share) for name, share in findings.percentages.items()},
        her2_signals=findings.her2,
        cep17_signals=findings.cep17,
        nuclei=findings.nuclei,
        ish_group=result.ish_group,
        category=result.category,
        call=result.call,
        comment=answer.comment,
    )


def reread_opinion(read: RereadResult, answer: RereadAnswer) -> RereadOpinion:
    """Place an answer beside the first reads of its case."""
    reading = answer.model_dump(include=set(ReadingEntry.model_fields))
    return RereadOpinion(
        **reading,
        list_id=read.list_id,
        number=answer.number,
        reader=read.reader,
        read_on=read.read_on,
        blinded=read.did_not_know_first_results,
        not_read=answer.not_read,
    )


def answered_opinion(answer: RereadAnswer) -> Opinion:
    """Take an answer as an opinion."""
    return Opinion(answer.ihc_score, answer.category, answer.call)


def adjudicated_opinion(entry: AdjudicationEntry) -> Opinion:
    """Take a decision as an opinion."""
    return Opinion(entry.ihc_score, entry.category, entry.call)
