"""What documents and tables say of control tissue on a slide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from her2path.domain.control_tissue import ControlVerdict
from her2path.domain.ihc import IhcScore
from her2path.errors import ArtefactError

FACT = "controls"
"""Name under which the table of cells states the slide's controls."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NamedControl(_Entry):
    """Control tissue as the case sheet or a region names it."""

    piece: str
    """``left``, ``2``, ... as in the case sheet, or ``region 1`` of those drawn."""
    expected: IhcScore | None = None
    """None = not stated."""


class ControlEntry(NamedControl):
    """Control tissue and what was measured on it."""

    score: IhcScore | None = None
    """None = not evaluable."""
    possible: tuple[IhcScore, ...] = ()
    """The score and those that the intervals of its percentages allow."""
    cells: Annotated[int, Ge(0)]
    """Epithelium-like cells that were scored."""
    percentages: dict[str, float] = {}
    """By `StainingClass`, and ``stained`` for all but none; empty without a score."""
    verdict: ControlVerdict
    reason: str
    """The verdict in words."""


_NAMES = TypeAdapter(tuple[NamedControl, ...])


def named_controls(
    drawn: Iterable[IhcScore | None], pieces: Sequence[str], scores: Sequence[IhcScore]
) -> tuple[NamedControl, ...]:
    """List the controls of a slide in the order of their numbers: drawn regions, then named pieces.

    Parameters
    ----------
    drawn : iterable of IhcScore or None
        Expected scores of the drawn regions.
    pieces : sequence of str
        Words of `control_piece`.
    scores : sequence of IhcScore
        Words of `control_score`: as many as `pieces`, or none.
    """
    regions = (NamedControl(piece=f"region {n}", expected=score) for n, score in enumerate(drawn, start=1))
    expected: Sequence[IhcScore | None] = scores or [None for _ in pieces]
    named = (NamedControl(piece=piece, expected=score) for piece, score in zip(pieces, expected, strict=True))
    return (*regions, *named)


def controls_fact(controls: tuple[NamedControl, ...]) -> dict[str, str]:
    """Write the controls as a fact of the table of cells; nothing where there are none."""
    return {FACT: _NAMES.dump_json(controls).decode()} if controls else {}


def controls_of(facts: Mapping[str, str], *, name: str) -> tuple[NamedControl, ...]:
    """Read the controls from the facts of a table; ArtefactError where they are damaged."""
    if FACT not in facts:
        return ()
    try:
        return _NAMES.validate_json(facts[FACT])
    except ValidationError as error:
        raise ArtefactError(name, f"its controls do not follow their schema ({error})") from error
