"""HER2-low, ultralow and null: an overlay that stays apart from the result.

ASCO/CAP 2023 declines to make these categories results.  They come from trials and labels, so
each is stated with its basis, and it never changes the state of a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.quantities import STAINED_OVER_BLANK, STAINED_WITHIN_BLANK
from her2path.domain.ihc import STAINED, IhcReading, IhcScore, StatedScore, TallyUnit
from her2path.domain.verdict import State


class Her2Category(StrEnum):
    """Expression category of the overlay."""

    POSITIVE = "positive"
    LOW = "low"
    ULTRALOW = "ultralow"
    NULL = "null"


_BASIS = {
    Her2Category.POSITIVE: "the result itself",
    Her2Category.LOW: "DESTINY-Breast04; FDA label 2022: IHC 1+, or 2+ with ISH not amplified",
    Her2Category.ULTRALOW: "DESTINY-Breast06; FDA label 2025: IHC 0 with membrane staining in <=10 %",
    Her2Category.NULL: "DESTINY-Breast06; FDA label 2025: IHC 0 without membrane staining",
}
_NULL_WITHIN_BLANK = (
    "DESTINY-Breast06; FDA label 2025, with her2path policy P4: IHC 0, no staining beyond the limit of blank"
)
_LEAST_PCT = 0.01
"""Smaller percentages are only bounded in words."""


@dataclass(frozen=True, slots=True)
class LowExpression:
    """A category and what it rests on."""

    category: Her2Category
    basis: str


def low_expression(
    state: State,
    score: IhcScore | None,
    reading: IhcReading | StatedScore | None,
    guideline: Guideline,
) -> LowExpression | None:
    """Find the overlay category of a case.

    Returns
    -------
    overlay : LowExpression or None
        None while a call is pending or cannot be made, without an IHC score behind a negative
        call, for a 0 that was stated without percentages, and where the guideline's tumour has
        no such categories.
    """
    if not guideline.has_low_expression_overlay:
        return None
    category = _category(state, score, reading)
    if category is None:
        return None
    if category is Her2Category.NULL and isinstance(reading, IhcReading) and STAINED_WITHIN_BLANK(reading):
        return LowExpression(category, f"{_NULL_WITHIN_BLANK} ({_read_as_stained(reading)})")
    return LowExpression(category, _BASIS[category])


def _read_as_stained(reading: IhcReading) -> str:
    """State how many cells were read as stained, as in ``40 of 10000 cells, 0.4 %, ...``."""
    stained, total = reading.cells_of(*STAINED), reading.tally.total
    pct = 100 * stained / total
    share = f"{pct:.3g} %" if pct >= _LEAST_PCT else f"less than {_LEAST_PCT} %"
    counted = f"{stained} of {total} cells, {share}," if reading.unit is TallyUnit.CELLS else share
    return f"{counted} read as stained"


def _category(
    state: State, score: IhcScore | None, reading: IhcReading | StatedScore | None
) -> Her2Category | None:
    if state is State.POSITIVE:
        return Her2Category.POSITIVE
    if state is not State.NEGATIVE or score is None:
        return None
    if score is not IhcScore.ZERO:
        return Her2Category.LOW
    if isinstance(reading, IhcReading):
        return Her2Category.ULTRALOW if STAINED_OVER_BLANK(reading) else Her2Category.NULL
    return None
