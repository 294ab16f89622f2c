"""What a report says of slides that a person edited: who, when, what changed, and the score before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from her2path.io.documents import CallDoc
from her2path.io.edits_entry import EditsEntry
from her2path.reports.numbers import count_text, number_text


@dataclass(frozen=True, slots=True)
class EditsBlock:
    """The edits of one slide, ready for the page."""

    image_id: str
    who: str
    before: str
    changes: tuple[str, ...]
    comments: tuple[str, ...]
    """As each person wrote them, with the name where several edited the slide."""


def edits_blocks(call: CallDoc) -> tuple[EditsBlock, ...]:
    """Word the edits that a call rests on, by image; empty where nobody edited anything."""
    return tuple(_block(image_id, entry) for image_id, entry in sorted(call.edits.items()))


def _block(image_id: str, entry: EditsEntry) -> EditsBlock:
    earlier = [f"{one.by} on {one.on} (in {one.tool})" for one in entry.earlier]
    return EditsBlock(
        image_id=image_id,
        who=f"Edited by {entry.by} on {entry.on} in {entry.tool}"
        + (f", after {', '.join(earlier)}" if earlier else "")
        + ".",
        before=_before(entry),
        changes=tuple(_changes(entry)),
        comments=tuple(_comments(entry)),
    )


def _comments(entry: EditsEntry) -> Iterator[str]:
    made = [*((one.by, one.on, one.comment) for one in entry.earlier), (entry.by, entry.on, entry.comment)]
    for by, on, comment in made:
        if comment:
            yield f"{by} on {on}: {comment}" if entry.earlier else comment


def _before(entry: EditsEntry) -> str:
    if entry.score_before is None:
        why = "" if entry.no_score_before is None else f" ({entry.no_score_before.reason})"
        return f"As measured, without the edits, the slide had no score{why}."
    words = f"As measured, without the edits, the slide was scored {entry.score_before}"
    if entry.h_score_before is not None:
        words += f", H-score {number_text(entry.h_score_before, digits=1)}"
    if entry.scored_cells_before is not None:
        words += f", {count_text(entry.scored_cells_before)} scored cells"
    return f"{words}."


def _changes(entry: EditsEntry) -> list[str]:
    regions = [f"{count_text(n)} of class {kind}" for kind, n in entry.regions_changed.items()]
    found = [f"Regions drawn: {', '.join(regions)}."] if regions else []
    found += [
        f"{count_text(n)} cell{'' if n == 1 else 's'} from {measured} to {given}."
        for measured, targets in entry.cells_changed.items()
        for given, n in targets.items()
    ]
    found += [
        f"{count_text(n)} cell{'' if n == 1 else 's'} no longer of the class that {by} had given."
        for by, n in entry.cells_overruled.items()
    ]
    if entry.cells_let_in:
        found.append(f"{count_text(entry.cells_let_in)} cells are scored because of the regions.")
    if entry.cells_left_out:
        found.append(f"{count_text(entry.cells_left_out)} cells are no longer scored because of the regions.")
    if entry.unmeasured_pct:
        found.append(
            f"{number_text(entry.unmeasured_pct, digits=1)} % of the tissue in the drawn tumour was not "
            "measured and has no share in the score."
        )
    return found
