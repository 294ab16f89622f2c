"""What a report says of two tumour cell populations: one result block for each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from her2path.io.call_entries import Distance, PopulationEntry, TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.firmness_section import Firmness, firmness_of
from her2path.reports.trail_section import (
    Cuts,
    DistanceRow,
    NamedNumber,
    TrailRow,
    distance_rows,
    named_numbers,
    trail_rows,
)
from her2path.reports.wording import (
    ISH_NONE,
    Note,
    StateWords,
    ish_group_text,
    share_text,
    state_words,
    worded_comments,
)

_NUMBERS = ("nuclei", "her2_mean", "cep17_mean", "her2_cep17_ratio", "pct_nuclei_ratio_at_least_2")
"""What a block shows of its count; all numbers stand in its rule trail."""
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
    numbers: tuple[NamedNumber, ...]
    """Of its count; empty without one."""
    distances: tuple[DistanceRow, ...]
    firmness: Firmness | None
    """None where nothing was counted."""


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
        numbers=named_numbers({name: entry.ish[name] for name in _NUMBERS if name in entry.ish}, cuts),
        distances=distance_rows(entry.distance_to_cut),
        firmness=firmness_of(entry, _NAMES[entry.population]),
    )


def own_distances(call: CallDoc) -> tuple[Distance, ...]:
    """Give the distances of the case itself; those of its populations stand in their blocks."""
    told = call.populations[0].distance_to_cut if call.populations else ()
    return tuple(distance for distance in call.distance_to_cut if distance not in told)


def own_trail(call: CallDoc) -> tuple[TrailEntry, ...]:
    """Give the rules of the case itself; those of its populations stand in their blocks."""
    return call.rule_trail[-1:] if call.populations else call.rule_trail
