"""The page of all cases: what its template prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup

from her2path.domain.ihc import IhcScore
from her2path.io.cohort_files import Cohort, UnreadCase
from her2path.io.documents import CallDoc, Producer
from her2path.reports.cohort_filters import Filter, token
from her2path.reports.cohort_quality import VERDICT_WORDS, QualityOverview, Verdict, quality_overview
from her2path.reports.cohort_rows import (
    FINAL,
    NO_ISH,
    NO_SCORE,
    ORDER,
    UNREAD_ISH,
    CohortRow,
    actions_of,
    cohort_filters,
    cohort_rows,
)
from her2path.reports.html.plots import Segment, bar_chart
from her2path.reports.model_words import model_words
from her2path.reports.numbers import count_text, counted_text, number_text
from her2path.reports.wording import (
    CATEGORY_WORDS,
    STATE_WORDS,
    state_words,
    words_of,
)

_FILLS = {
    "positive": "#8a3a00",
    "negative": "#0b5394",
    "unsettled": "#6b4fa0",
    "pending": "#8a6100",
    "failed": "#5f6368",
}
_NEUTRAL = "#0b5394"
T = TypeVar("T", str, tuple[str, str])


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
class Waiting:
    """Cases that wait for the same person."""

    who: str
    token: str
    """Chooses them in the filter."""
    cases: str
    calls: tuple[str, ...]
    """What they wait for, the most frequent first."""


@dataclass(frozen=True, slots=True)
class Action:
    """What the guideline asks for; the table names it by its code."""

    code: str
    text: str
    token: str
    """Chooses its cases in the filter."""
    cases: str


@dataclass(frozen=True, slots=True)
class CohortPage:
    """All that the template of a cohort prints."""

    cases: int
    attention: int
    """Cases without a final call."""
    counts: tuple[str, str]
    """Both of them as printed."""
    waiting: tuple[Waiting, ...]
    actions: tuple[Action, ...]
    """The most frequent first."""
    rows: tuple[CohortRow, ...]
    symbols: tuple[tuple[str, str], ...]
    """Style class and shape of the states that occur."""
    tones: Mapping[str, str]
    """Colours of the style classes."""
    filters: tuple[Filter, ...]
    numbers: Mapping[str, int]
    """Of the tokens that a filter offers: in thousands of rows they are shorter than words."""
    figures: tuple[Figure, ...]
    quality: QualityOverview
    versions: tuple[VersionChanges, ...]
    guidelines: tuple[str, ...]
    models: tuple[str, ...]
    """Models that measured the IHC images."""
    edited: str
    """How many cases a person edited; empty if none."""
    unread: tuple[UnreadCase, ...]
    """In no number and no row of the page."""
    made_by: tuple[str, ...]
    """Other versions of her2path that made some of the calls, in words."""
    version: str


def cohort_page(cohort: Cohort, *, report: Producer, pdf: str = "") -> CohortPage:
    """Prepare the page of all cases; those that somebody must act on come first.

    Parameters
    ----------
    cohort : Cohort
        In the order of the case sheet, which is kept within a state.
    report : Producer
        Who writes the page.
    pdf : str
        File name of the PDF beside each report; empty where none is made.
    """
    cases = cohort.cases
    calls = [case.call for case in cases]
    rows = cohort_rows(cases, pdf=pdf)
    filters = cohort_filters(rows)
    attention = sum(call.state not in FINAL for call in calls)
    edited = sum(bool(call.edits) for call in calls)
    return CohortPage(
        cases=len(calls),
        attention=attention,
        counts=(count_text(len(calls)), count_text(attention)),
        waiting=_waiting(calls),
        actions=_actions(calls),
        rows=rows,
        symbols=tuple(dict.fromkeys((row.state.look, row.state.symbol) for row in rows)),
        tones=_FILLS,
        filters=filters,
        numbers={c.token: n for n, c in enumerate(c for each in filters for c in each.choices)},
        figures=_figures(rows),
        quality=quality_overview(cases),
        versions=version_changes(calls),
        guidelines=tuple(sorted({call.guideline for call in calls})),
        models=tuple(sorted({model_words(model) for call in calls for model in call.models})),
        edited=counted_text(edited) if edited else "",
        unread=cohort.unread,
        made_by=_other_versions(calls, report.version),
        version=report.version,
    )


def _waiting(calls: Sequence[CallDoc]) -> tuple[Waiting, ...]:
    found: dict[str, Counter[str]] = {}
    for call in calls:
        if call.state not in FINAL:
            words = words_of(call)
            found.setdefault(words.who, Counter())[words.short] += 1
    ranked = sorted(found.items(), key=lambda item: (-item[1].total(), item[0]))
    return tuple(
        Waiting(
            who=who,
            token=token("who", who),
            cases=counted_text(calls_of.total()),
            calls=tuple(f"{words} {count_text(n)}" for words, n in _most_first(calls_of)),
        )
        for who, calls_of in ranked
    )


def _actions(calls: Sequence[CallDoc]) -> tuple[Action, ...]:
    # Guidelines word the same code in their own way.
    found = Counter((note.code, note.text) for call in calls for note in actions_of(call))
    return tuple(
        Action(code, text, token("remark", code), counted_text(n)) for (code, text), n in _most_first(found)
    )


def _other_versions(calls: Sequence[CallDoc], version: str) -> tuple[str, ...]:
    made = Counter(call.produced_by.version for call in calls)
    return tuple(f"{counted_text(made[v], noun='call')} by {v}" for v in sorted(made) if v != version)


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


def _most_first(counts: Mapping[T, int]) -> list[tuple[T, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _figures(rows: Sequence[CohortRow]) -> tuple[Figure, ...]:
    """Count each case once in every chart."""
    states = Counter(row.rank for row in rows)
    scores = Counter(row.ihc_score for row in rows)
    groups = Counter(row.ish_group for row in rows)
    categories = Counter(row.category for row in rows)
    verdicts = Counter(row.quality.verdict for row in rows)
    state_bars = [
        (STATE_WORDS[state].short, states[rank], _FILLS[STATE_WORDS[state].look])
        for rank, state in enumerate(ORDER)
        if states[rank]
    ]
    score_bars = [(f"IHC {score}", scores[score], _NEUTRAL) for score in IhcScore]
    group_bars = [
        ("ISH without a result" if group == UNREAD_ISH else f"ISH {group}", groups[group], _NEUTRAL)
        for group in sorted(groups)
        if group
    ]
    category_bars = [(words, categories[words], _NEUTRAL) for words in CATEGORY_WORDS.values()]
    quality_bars = [
        (words, verdicts[verdict], _NEUTRAL)
        for verdict, words in VERDICT_WORDS.items()
        if verdicts[verdict] or verdict is not Verdict.UNKNOWN
    ]
    return (
        _figure("Calls", state_bars),
        _figure("IHC scores", [*score_bars, (NO_SCORE, scores[""], _NEUTRAL)]),
        _figure("ISH groups", [*group_bars, (NO_ISH, groups[""], _NEUTRAL)]),
        _figure("Categories for trials", [*category_bars, ("none", categories[""], _NEUTRAL)]),
        _figure("Quality, worst image of the case", quality_bars),
    )


def _figure(title: str, bars: Sequence[tuple[str, int, str]]) -> Figure:
    total = sum(n for _, n, _ in bars)
    drawn = [Segment(label, n, fill, _part(n, total)) for label, n, fill in bars]
    return Figure(title, bar_chart(drawn, title=f"Cases: {title}"))


def _part(n: int, total: int) -> str:
    if n in {0, total}:
        return count_text(n)
    return f"{count_text(n)} ({number_text(100 * n / total, digits=0, cuts=(0.0, 100.0))} %)"
