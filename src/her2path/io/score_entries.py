"""What `ihc_score.json` is made of: percentages with their intervals, chances, and hot spots."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict

from her2path.io.call_entries import SharePct

Count = Annotated[int, Ge(0)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Percentage(_Entry):
    """Share of the scored cells in per cent, with its 95 % interval (`IntervalMethod`)."""

    cells: Count
    pct: SharePct
    low_pct: SharePct
    high_pct: SharePct
    cells_low_pct: SharePct
    """Lower end of Wilson's interval, as if every cell were an independent observation: far too narrow
    where stained cells lie in patches, and stated for comparison only."""
    cells_high_pct: SharePct


class IntervalMethod(_Entry):
    """How the intervals of a score were worked out, and from how much tissue."""

    method: Literal["block_bootstrap", "wilson_of_areas"]
    """``block_bootstrap``: blocks of tissue drawn again.  ``wilson_of_areas``: too little tissue for
    that; each area of the correlation's size is taken for one observation."""
    block_um: Annotated[float, Gt(0)]
    """Edge of a block."""
    blocks: Annotated[int, Ge(1)]
    """Blocks with scored cells."""
    drawn_blocks: Count
    """Blocks in each sample: fewer than there are, because neighbouring blocks are alike."""
    draws: Count
    """Samples; 0 without a bootstrap."""
    reach_um: Annotated[float, Gt(0)]
    """Distance over which cells are more alike than by chance, about the size of the patches."""
    areas: Annotated[float, Ge(1)]
    """Windows of the correlation's size that the tissue holds: the degrees of freedom of the variance."""
    independent_cells: Annotated[float, Ge(1)]
    """Independent cells that would give percentages as certain as the scored ones do."""


class HotSpotEntry(_Entry):
    """A square area with much of what decided the score, for review."""

    x_px0: Annotated[float, Ge(0)]
    """Top left corner."""
    y_px0: Annotated[float, Ge(0)]
    size_px0: Annotated[float, Gt(0)]
    x_um: Annotated[float, Ge(0)]
    y_um: Annotated[float, Ge(0)]
    size_um: Annotated[float, Gt(0)]
    cells: Annotated[int, Ge(1)]
    """Scored cells in it."""
    pct: SharePct
    """Per cent of them that decided (`hot_spot_quantity`)."""
    percentages: dict[str, float]
    """Per cent of them by `StainingClass`."""
    h_score: Annotated[float, Ge(0)]
