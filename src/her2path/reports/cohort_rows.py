"""The rows of the table of all cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from her2path.domain.case import Assay
from her2path.domain.guideline.definition import CommentKind
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import State
from her2path.io.cohort_files import CohortCase
from her2path.io.documents import CallDoc
from her2path.reports.cohort_filters import Filter, filters_of, token
from her2path.reports.cohort_quality import VERDICT_WORDS, CaseQuality, case_quality, finding_words
from her2path.reports.number_names import code_words
from her2path.reports.numbers import number_text
from her2path.reports.odds import probability_text
from her2path.reports.wording import (
    CATEGORY_WORDS,
    NOT_EVALUABLE,
    Note,
    StateWords,
    ish_group_text,
    notes_of,
    reason_sentences,
    reason_title,
    words_of,
)

# What somebody must act on comes first: failed, then pending, then unsettled, then final.
ORDER: tuple[str, ...] = (
    NOT_EVALUABLE,
    State.NEEDS_ADJUDICATION,
    State.NEEDS_RECOUNT,
    State.NEEDS_ISH,
    State.NEEDS_IHC,
    State.INDETERMINATE,
    State.EQUIVOCAL,
    State.POSITIVE,
    State.NEGATIVE,
)
FINAL = frozenset({State.POSITIVE, State.NEGATIVE})
OPEN = "call-open"
"""Token of every case without a final call."""
NO_ISH = "no ISH"
UNREAD_ISH = "no result"
"""ISH was made, but its count could not be read, or the case has no call."""
NO_SCORE = "no IHC score"
NO_CATEGORY = "none"


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One case in the table."""

    case_id: str
    href: str
    """Relative address of its report."""
    pdf: str
    """That of its PDF; empty where none is made."""
    state: StateWords
    rank: int
    """Place of its state when sorted by urgency."""
    ihc_score: str
    ish_group: str
    category: str
    h_score: str
    her2_mean: str
    ratio: str
    another_count: str
    """Probability that another count gives another ISH result, of both populations where there are two.

    Empty where it is not known.
    """
    another_key: float | None
    """Place when sorted by it: the larger one."""
    quality: CaseQuality
    quality_key: int
    """Place when sorted by it: the worst first."""
    who: str
    """Who must act; empty where only the signature is left."""
    note: str
    """Why it has no result, or the codes of what must be done (see `Action`)."""
    remarks: str
    """Codes of its other comments, and its flags."""
    guideline: str
    tokens: Mapping[str, str]
    """What it can be filtered by: words by token."""


def cohort_rows(cases: Sequence[CohortCase], *, pdf: str = "") -> tuple[CohortRow, ...]:
    """Prepare the rows, the most urgent first and otherwise in the order given.

    `pdf` is the file name of the PDF beside each report; empty where none is made.
    """
    ranked = sorted(cases, key=lambda case: ORDER.index(case.call.state))
    return tuple(_row(case, pdf) for case in ranked)


def cohort_filters(rows: Sequence[CohortRow]) -> tuple[Filter, ...]:
    """List the filters that would tell cases apart, each with the choices that occur."""
    return filters_of([row.tokens for row in rows], _ORDER_OF_CHOICES)


_ORDER_OF_CHOICES: Mapping[str, Sequence[str]] = {
    "ihc": (*IhcScore, NO_SCORE),
    "ish": (),
    "quality": tuple(VERDICT_WORDS.values()),
    "category": (*CATEGORY_WORDS.values(), NO_CATEGORY),
}
"""Calls keep the order of the rows: the most urgent first."""


def _row(case: CohortCase, pdf: str) -> CohortRow:
    call = case.call
    words, quality = words_of(call), case_quality(case)
    h_score, her2_mean, ratio = (
        call.ihc.get("h_score"),
        call.ish.get("her2_mean"),
        call.ish.get("her2_cep17_ratio"),
    )
    chances = _chances(call)
    return CohortRow(
        case_id=call.case_id,
        href=f"cases/{call.case_id}/report.html",
        pdf=pdf and f"cases/{call.case_id}/{pdf}",
        state=words,
        rank=ORDER.index(call.state),
        ihc_score="" if call.ihc_score is None else str(call.ihc_score),
        ish_group=" and ".join(_groups(case)),
        category=_category(call),
        h_score=_measured(h_score, 0),
        her2_mean=_measured(her2_mean, 2),
        ratio=_measured(ratio, 2),
        another_count=" and ".join(map(probability_text, chances)),
        another_key=max(chances, default=None),
        quality=quality,
        quality_key=list(VERDICT_WORDS).index(quality.verdict),
        who="" if call.state in FINAL else words.who,
        note=" ".join(reason_sentences(call)) or ", ".join(note.code for note in actions_of(call)),
        remarks=", ".join(_remarks(call)),
        guideline=call.guideline,
        tokens=dict(_tokens(case, words, quality)),
    )


def _tokens(case: CohortCase, words: StateWords, quality: CaseQuality) -> Iterable[tuple[str, str]]:
    """List what a case can be filtered by, as tokens with their words."""
    call = case.call
    if call.state not in FINAL:
        yield OPEN, "all without a final call"
    found = {
        "call": [words.short],
        "who": [words.who],
        "ihc": [NO_SCORE if call.ihc_score is None else str(call.ihc_score)],
        "ish": _groups(case) or [NO_ISH],
        "category": [_category(call) or NO_CATEGORY],
        "quality": [VERDICT_WORDS[quality.verdict], *map(finding_words, (*quality.warnings, *quality.notes))],
        "remark": [*(note.code for note in actions_of(call)), *_remarks(call)],
        "reason": [reason_title(reason.code) for reason in call.reasons.values()],
        "guideline": [call.guideline],
    }
    for name, several in found.items():
        for said in several:
            yield token(name, said), said


def _category(call: CallDoc) -> str:
    return CATEGORY_WORDS.get(call.her2_category, call.her2_category) if call.her2_category else ""


def actions_of(call: CallDoc) -> list[Note]:
    """List the comments of a call that say who must do what."""
    return [note for note in notes_of(call) if note.kind == CommentKind.ACTION]


def _remarks(call: CallDoc) -> list[str]:
    codes = [note.code for note in notes_of(call) if note.kind != CommentKind.ACTION]
    return [*codes, *(code_words(flag) for flag in call.flags)]


def _chances(call: CallDoc) -> list[float]:
    """List how likely another count of each population gives another result, as far as that is known."""
    found = [one.stability for one in (call.populations or (call,))]
    return [one.another_result for one in found if one is not None and not one.nuclei_alike]


def _groups(case: CohortCase) -> list[str]:
    """Name the ISH result, of both populations where there are two; empty where no ISH was made."""
    call = case.call
    groups = [population.ish_group for population in call.populations] or [call.ish_group]
    names = ["" if group is None else ish_group_text(group).removeprefix("ISH ") for group in groups]
    if any(names):
        return [name or "none" for name in names]
    return [UNREAD_ISH] if call.ish or any(image.assay is Assay.FISH for image in case.images) else []


def _measured(value: object, digits: int) -> str:
    return number_text(float(value), digits=digits) if isinstance(value, int | float) else ""
