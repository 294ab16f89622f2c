"""What a report says of other guidelines: the same evidence, read by other versions."""

from __future__ import annotations

from dataclasses import dataclass

from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.call_entries import VersionEntry
from her2path.io.documents import CallDoc
from her2path.reports.wording import NOT_EVALUABLE, StateWords, ish_group_text, state_words, words_of


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One guideline and what it says, as printed."""

    guideline: str
    title: str
    """Empty where this version of her2path does not know it."""
    ihc: str
    ish: str
    state: StateWords
    comments: tuple[str, ...]
    """Codes."""
    reason: str
    """Why it says nothing; empty where it does."""
    is_chosen: bool
    differs: bool


def version_rows(call: CallDoc) -> tuple[VersionRow, ...]:
    """List the chosen guideline and the others of its family, in their own order; none without others."""
    if not call.other_versions:
        return ()
    return (_chosen(call), *(_other(entry) for entry in call.other_versions))


def _chosen(call: CallDoc) -> VersionRow:
    return VersionRow(
        guideline=call.guideline,
        title=guideline_title(call.guideline),
        ihc=_printed(call.ihc_score),
        ish="–" if call.ish_group is None else _ish(call.ish_group),
        state=words_of(call),
        comments=tuple(comment.code for comment in call.comments),
        reason="",
        is_chosen=True,
        differs=False,
    )


def _other(entry: VersionEntry) -> VersionRow:
    return VersionRow(
        guideline=entry.guideline,
        title=entry.title,
        ihc=_printed(entry.ihc_score),
        ish="–" if entry.ish_group is None else _ish(entry.ish_group),
        state=state_words(entry.state, entry.comments),
        comments=entry.comments,
        reason=(entry.reason or "") if entry.state == NOT_EVALUABLE else "",
        is_chosen=False,
        differs=entry.differs,
    )


def _printed(score: object) -> str:
    return "–" if score is None else str(score)


def _ish(group: str) -> str:
    return ish_group_text(group).removeprefix("ISH ")


def guideline_title(guideline: str) -> str:
    """Title of a guideline; empty where this version of her2path does not know it."""
    return GUIDELINES[guideline].title if guideline in GUIDELINES else ""
