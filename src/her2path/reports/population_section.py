"""What a report says of two tumour cell populations: one result block for each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from her2path.io.call_entries import PopulationEntry, TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.trail_section import Cuts, TrailRow, trail_rows
from her2path.reports.wording import (
    ISH_NONE,
    Note,
    StateWords,
    ish_group_text,
    share_text,
    state_words,
    worded_comments,
)

_NAMES = MappingProxyType({"main": "Main population", "second": "Second population"})


@dataclass(frozen=True, slots=True)
class PopulationBlock:
    """The result of one population, ready for the page."""

    name: str
    share: str
    state: StateWords
    ish: str
    trail: tuple[TrailRow, ...]
    comments: tuple[Note, ...]


def population_blocks(call: CallDoc, cuts: Cuts) -> tuple[PopulationBlock, ...]:
    """Prepare the populations of a case; none where it is one population."""
    return tuple(_block(entry, call.guideline, cuts) for entry in call.populations)


def _block(entry: PopulationEntry, guideline: str, cuts: Cuts) -> PopulationBlock:
    return PopulationBlock(
        name=_NAMES[entry.population],
        share=share_text(entry.share_pct),
        state=state_words(entry.state, (comment.code for comment in entry.comments)),
        ish=ISH_NONE if entry.ish_group is None else ish_group_text(entry.ish_group),
        trail=trail_rows(entry.rule_trail, entry.comments, cuts),
        comments=worded_comments(entry.comments, guideline),
    )


def own_trail(call: CallDoc) -> tuple[TrailEntry, ...]:
    """Give the rules of the case itself; those of its populations stand in their blocks."""
    return call.rule_trail[-1:] if call.populations else call.rule_trail
