"""The page of all cases: what its template prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from her2path.domain.guideline.definition import CommentKind
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import State
from her2path.io.documents import CallDoc, Producer
from her2path.reports.html.plots import Segment, bar_chart
from her2path.reports.model_words import model_words
from her2path.reports.number_names import code_words
from her2path.reports.numbers import count_text, number_text
from her2path.reports.odds import probability_text
from her2path.reports.wording import (
    CATEGORY_WORDS,
    NOT_EVALUABLE,
    STATE_WORDS,
    StateWords,
    headline,
    ish_group_text,
    notes_of,
    reason_sentences,
    state_words,
    words_of,
)

# What somebody must act on comes first: failed, then pending, then unsettled, then final.
_ORDER: tuple[str, ...] = (
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
_FILLS = {
    "positive": "#8a3a00",
    "negative": "#0b5394",
    "unsettled": "#6b4fa0",
    "pending": "#c77700",
    "failed": "#5f6368",
}
_NEUTRAL = "#0b5394"


@dataclass(frozen=True, slots=True)
class CohortRow:
    """One case in the table."""

    case_id: str
    href: str
    """Relative address of its report."""
    state: StateWords
    rank: int
    """Place of its state when sorted by urgency."""
    headline: str
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
    note: str
    """Why it has no result, or what must be done for one."""
    remarks: str
    """Codes of its other comments, and its flags."""


@dataclass(frozen=True, slots=True)
class VersionChanges:
    """What a guideline that was not chosen would change in the cohort."""

    guideline: str
    title: str
    read: str
    """Cases that it was asked about."""
    changed: str
    """Those of them that it would call otherwise."""
    moves: tuple[str, ...]
    """From which call to which, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with its heading."""

    title: str
    chart: Markup


@dataclass(frozen=True, slots=True)
class CohortPage:
    """All that the template of a cohort prints."""

    cases: int
    attention: int
    """Cases without a final call."""
    rows: tuple[CohortRow, ...]
    figures: tuple[Figure, ...]
    versions: tuple[VersionChanges, ...]
    states: tuple[str, ...]
    """States that occur, for the filter."""
    guidelines: tuple[str, ...]
    models: tuple[str, ...]
    """Models that measured the IHC images."""
    version: str


def cohort_page(calls: Sequence[CallDoc], *, report: Producer) -> CohortPage:
    """Prepare the page of all cases; those that somebody must act on come first.

    Parameters
    ----------
    calls : sequence of CallDoc
        In the order of the case sheet, which is kept within a state.
    report : Producer
        Who writes the page.
    """
    ranked = sorted(calls, key=lambda call: _ORDER.index(call.state))
    return CohortPage(
        cases=len(calls),
        attention=sum(call.state not in {State.POSITIVE, State.NEGATIVE} for call in calls),
        rows=tuple(_row(call) for call in ranked),
        figures=_figures(calls),
        versions=version_changes(calls),
        states=tuple(dict.fromkeys(words_of(call).short for call in ranked)),
        guidelines=tuple(sorted({call.guideline for call in calls})),
        models=tuple(sorted({model_words(model) for call in calls for model in call.models})),
        version=report.version,
    )


def _row(call: CallDoc) -> CohortRow:
    h_score, her2_mean, ratio = (
        call.ihc.get("h_score"),
        call.ish.get("her2_mean"),
        call.ish.get("her2_cep17_ratio"),
    )
    actions = [note.text for note in notes_of(call) if note.kind == CommentKind.ACTION]
    remarks = [note.code for note in notes_of(call) if note.kind != CommentKind.ACTION]
    chances = _chances(call)
    return CohortRow(
        case_id=call.case_id,
        href=f"cases/{call.case_id}/report.html",
        state=words_of(call),
        rank=_ORDER.index(call.state),
        headline=headline(call),
        ihc_score="" if call.ihc_score is None else str(call.ihc_score),
        ish_group=_ish(call),
        category=CATEGORY_WORDS.get(call.her2_category, call.her2_category) if call.her2_category else "",
        h_score=_measured(h_score, 0),
        her2_mean=_measured(her2_mean, 2),
        ratio=_measured(ratio, 2),
        another_count=" and ".join(map(probability_text, chances)),
        another_key=max(chances, default=None),
        note=" ".join(reason_sentences(call) or actions),
        remarks=", ".join([*remarks, *(code_words(flag) for flag in call.flags)]),
    )


def _chances(call: CallDoc) -> list[float]:
    """List how likely another count of each population gives another result, as far as that is known."""
    found = [one.stability for one in (call.populations or (call,))]
    return [one.another_result for one in found if one is not None and not one.nuclei_alike]


def _ish(call: CallDoc) -> str:
    """Name the ISH result, of both populations where there are two."""
    groups = [population.ish_group for population in call.populations] or [call.ish_group]
    names = ["" if group is None else ish_group_text(group).removeprefix("ISH ") for group in groups]
    return " and ".join(name or "none" for name in names) if len(names) > 1 else names[0]


def version_changes(calls: Sequence[CallDoc]) -> tuple[VersionChanges, ...]:
    """Count, for each guideline that was not chosen, the cases that it would call otherwise."""
    read: Counter[str] = Counter()
    changed: dict[str, Counter[tuple[str, str]]] = {}
    titles: dict[str, str] = {}
    for call in calls:
        for entry in call.other_versions:
            titles[entry.guideline] = entry.title
            read[entry.guideline] += 1
            moves = changed.setdefault(entry.guideline, Counter())
            if entry.differs:
                here, there = words_of(call).short, state_words(entry.state, entry.comments).short
                moves[here, there] += 1
    return tuple(
        VersionChanges(
            guideline=name,
            title=titles[name],
            read=count_text(read[name]),
            changed=count_text(changed[name].total()),
            moves=tuple(f"{n} {here} → {there}" for (here, there), n in _most_first(changed[name])),
        )
        for name in sorted(read)
    )


def _most_first(moves: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(moves.items(), key=lambda item: (-item[1], item[0]))


def _measured(value: object, digits: int) -> str:
    return number_text(float(value), digits=digits) if isinstance(value, int | float) else ""


def _figures(calls: Sequence[CallDoc]) -> tuple[Figure, ...]:
    states = Counter(str(call.state) for call in calls)
    scores = Counter("" if call.ihc_score is None else str(call.ihc_score) for call in calls)
    groups = Counter(call.ish_group or "" for call in calls)
    state_bars = [
        _bar(STATE_WORDS[state].short, states[state], _FILLS[STATE_WORDS[state].look])
        for state in _ORDER
        if states[state]
    ]
    score_bars = [_bar(f"IHC {score}", scores[score]) for score in IhcScore] + [
        _bar("no IHC score", scores[""])
    ]
    group_bars = [_bar(ish_group_text(group), groups[group]) for group in sorted(groups) if group]
    return (
        Figure("Calls", bar_chart(state_bars, title="Cases by call")),
        Figure("IHC scores", bar_chart(score_bars, title="Cases by IHC score")),
        Figure(
            "ISH groups", bar_chart([*group_bars, _bar("no ISH", groups[""])], title="Cases by ISH group")
        ),
    )


def _bar(label: str, n: int, fill: str = _NEUTRAL) -> Segment:
    return Segment(label, n, fill, str(n))
