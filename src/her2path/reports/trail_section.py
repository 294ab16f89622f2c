"""What a report says of the way to a call: the rules that held, and the distance to each cut-point."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.guideline.quantities import PER_CENT
from her2path.domain.populations import APART_ABOVE
from her2path.io.call_entries import Comment, Distance, TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.html.plots import distance_bar
from her2path.reports.number_names import OVER_BLANK, in_listing_order, label_of
from her2path.reports.numbers import count_text, number_text, percentage_text, signed_text, value_text
from her2path.reports.wording import conclusion_words

_CELLS = "cells"
"""Unit of numbers that are whole cells, such as the largest cluster of a biopsy."""
_FINDINGS = frozenset({"ihc", "ish", "recount"})
Cuts = Mapping[str, tuple[float, ...]]
_OF_CELLS: Cuts = MappingProxyType({"second_population_pct": (float(100 * APART_ABOVE),)})
"""Cut-points to which no distance is stated."""
NO_CUTS: Cuts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NamedNumber:
    """A number as printed, with its name."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One rule of the trail as printed."""

    rule_id: str
    source: str
    conclusion: str
    condition: str
    """What had to hold, in words; empty where a person stated the result."""
    numbers: tuple[NamedNumber, ...]


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """One distance to a cut-point as printed."""

    quantity: str
    value: str
    cut: str
    distance: str
    unit: str
    bar: Markup


def trail_rows(
    trail: Iterable[TrailEntry], comments: Iterable[Comment], cuts: Cuts = NO_CUTS
) -> tuple[TrailRow, ...]:
    """Word the rules that held, in order.

    Parameters
    ----------
    trail : iterable of TrailEntry
        The rules.
    comments : iterable of Comment
        Those of the result that the trail leads to: they tell which count a state still asks for.
    cuts : mapping of str to tuple of float
        Cut-points that a printed number must be told from, by its name.
    """
    codes = tuple(comment.code for comment in comments)
    return tuple(
        TrailRow(
            rule_id=entry.rule_id,
            source=entry.source,
            conclusion=conclusion_words(entry.conclusion, codes),
            condition=entry.condition,
            # Of a rule that combines findings, the condition names them already.
            numbers=()
            if entry.condition and entry.numbers.keys() <= _FINDINGS
            else named_numbers(entry.numbers, cuts),
        )
        for entry in trail
    )


def named_numbers(
    numbers: Mapping[str, int | float | str | None], cuts: Cuts = NO_CUTS
) -> tuple[NamedNumber, ...]:
    """Name and print numbers of a call in the order in which a page lists them."""
    return tuple(
        NamedNumber(
            label_of(name), value_text(name, numbers[name], cuts=cuts.get(name, _OF_CELLS.get(name, ())))
        )
        for name in in_listing_order(numbers)
    )


def cuts_by_quantity(call: CallDoc) -> Cuts:
    """Cut-points that the counts of a call were measured against, ascending, by the name of the number."""
    found: dict[str, set[float]] = {}
    apart = (distance for one in call.populations for distance in one.distance_to_cut)
    for distance in (*call.distance_to_cut, *apart):
        found.setdefault(distance.quantity, set()).add(distance.cut)
    return MappingProxyType({name: tuple(sorted(found[name])) for name in sorted(found)})


def cell_cuts(call: CallDoc) -> Cuts:
    """Cut-points in per cent of the tumour cells; neither the limit of blank nor a share of nuclei is one."""
    cuts = cuts_by_quantity(call)
    names = {d.quantity for d in call.distance_to_cut if d.unit == PER_CENT}
    return {name: cuts[name] for name in cuts if name in names and not name.endswith(OVER_BLANK)}


def distance_rows(distances: Iterable[Distance]) -> tuple[DistanceRow, ...]:
    """Print the distance of every number to each of its cut-points."""
    return tuple(_distance_row(distance) for distance in distances)


def _distance_row(distance: Distance) -> DistanceRow:
    per_cent = " %" if distance.quantity.startswith("pct_") else ""
    relative = distance.distance / distance.cut if distance.cut else 2 * math.copysign(1, distance.distance)
    is_count = distance.unit == _CELLS
    show = percentage_text if per_cent else number_text
    value = show(distance.value, cuts=(distance.cut,))
    return DistanceRow(
        quantity=label_of(distance.quantity),
        value=count_text(round(distance.value)) if is_count else value + per_cent,
        cut=f"{distance.cut:g}{per_cent}",
        distance=signed_text(distance.distance, digits=0 if is_count else 2),
        unit=distance.unit,
        bar=distance_bar(relative if distance.distance else 0.0),
    )
