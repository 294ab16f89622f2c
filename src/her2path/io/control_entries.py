"""What documents and tables say of control tissue on a slide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from her2path.domain.control_tissue import ControlScore, ControlVerdict, judge_control
from her2path.domain.guideline.policies import MIN_CELLS
from her2path.domain.ihc import STAINED, IhcReading, IhcScore, StainingClass
from her2path.domain.verdict import NotEvaluable
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
    membrane_od: float | None = None
    """DAB optical density of the membrane, the median over the stained ones of the scored cells: what a
    control chart follows.  None = no membrane is stained."""
    stained_cells: Annotated[int, Ge(0)] = 0
    """Scored cells that the median rests on."""
    verdict: ControlVerdict
    reason: str
    """The verdict in words."""


def control_entry(
    named: NamedControl,
    reading: IhcReading,
    scored: ControlScore | NotEvaluable,
    *,
    staining: tuple[float | None, int],
) -> ControlEntry:
    """Write down what one piece of control tissue came to, with its verdict (P23).

    `staining` is the optical density of its stained membranes, and in how many cells it was measured.
    """
    if isinstance(scored, NotEvaluable):
        return ControlEntry(
            piece=named.piece,
            expected=named.expected,
            cells=reading.tally.total,
            membrane_od=staining[0],
            stained_cells=staining[1],
            verdict=ControlVerdict.NOT_EVALUABLE,
            reason=f"could not be scored: {_of_control(scored)}",
        )
    verdict = judge_control(named.expected, scored.score, scored.possible)
    shares = {str(name): reading.cells_of(name) for name in StainingClass}
    shares["stained"] = reading.cells_of(*STAINED)
    return ControlEntry(
        piece=named.piece,
        expected=named.expected,
        score=scored.score,
        possible=tuple(score for score in IhcScore if score in scored.possible),
        cells=reading.tally.total,
        percentages={name: 100 * cells / reading.tally.total for name, cells in shares.items()},
        membrane_od=staining[0],
        stained_cells=staining[1],
        verdict=verdict,
        reason=_VERDICT_WORDS[verdict].format(expected=named.expected, score=scored.score),
    )


def _of_control(why: NotEvaluable) -> str:
    """Word a reason for control tissue where it speaks of the tumour."""
    return {
        "no_tumour_cells": "no epithelium-like cell was found in it",
        "too_few_tumour_cells": f"fewer than {MIN_CELLS} epithelium-like cells were found in it",
    }.get(why.code, why.reason)


_VERDICT_WORDS: Mapping[ControlVerdict, str] = MappingProxyType(
    {
        ControlVerdict.ACCEPTED: "scores {score}, as it should",
        ControlVerdict.FAILED: "scores {score} and should score {expected}: the run failed",
        ControlVerdict.DOUBTFUL: "scores {score} and should score {expected}, which lies within the "
        "uncertainty of its cells: neither accepted nor failed",
        ControlVerdict.NOT_COMPARED: "scores {score}; nobody stated what it should score",
    }
)

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
