"""Cells of control tissue in the table of cells: how they stain, and where they lie."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from her2path.domain.ihc import Intensity, Pattern
from her2path.io.edited_cells import EditedCells, cell_batches

SCORED = "control_tissue"
"""Exclusion of a cell that is scored with its control."""
_BATCH = 65_536


Box = tuple[float, float, float, float]
"""Left, top, right and bottom in level-0 pixels."""


@dataclass(frozen=True, slots=True)
class ControlCells:
    """The cells of one piece of control tissue."""

    cells: int
    """All that were found in it."""
    box_px0: Box | None
    """Around all of them; None without any."""
    counts: Counter[tuple[Intensity, Pattern]]
    """Of those that are scored: the epithelium-like ones."""
    cell_id: npt.NDArray[np.int64]
    """Of those that are scored, in ascending order."""
    cell_score: npt.NDArray[np.int8]
    """0 to 3, likewise."""
    membrane_od: float | None = None
    """Median over the stained ones; None where no membrane is stained."""
    stained_cells: int = 0
    """Scored cells with a stained membrane."""


def read_control_cells(
    cells: Path, *, controls: int, edited: EditedCells | None = None
) -> tuple[ControlCells, ...]:
    """Read the cells of each control of a slide, in the order of their numbers.

    Parameters
    ----------
    cells : Path
        ``ihc_cells.parquet``.
    controls : int
        How many the slide has; one without any cell is among them.
    edited : EditedCells, optional
        What a person changed.
    """
    if not controls:
        return ()
    columns = ["cell_id", "x_px0", "y_px0", "intensity", "pattern", "cell_score", "membrane_od"]
    columns += ["control", "exclusion"]
    batches = cell_batches(cells, columns, size=_BATCH, edited=edited)
    parts = [pa.Table.from_batches([batch.filter(pc.is_valid(batch["control"]))]) for batch in batches]
    members = pa.concat_tables(parts, promote_options="permissive")
    return tuple(
        _control(members.filter(pc.equal(members["control"], number))) for number in range(1, controls + 1)
    )


def _control(members: pa.Table) -> ControlCells:
    x, y = members["x_px0"].to_numpy(), members["y_px0"].to_numpy()
    scored = members.filter(pc.fill_null(pc.equal(members["exclusion"], SCORED), False))
    od = scored["membrane_od"].drop_null().to_numpy()
    words = zip(scored["intensity"].to_pylist(), scored["pattern"].to_pylist(), strict=True)
    return ControlCells(
        cells=members.num_rows,
        box_px0=(float(x.min()), float(y.min()), float(x.max()), float(y.max())) if len(x) else None,
        counts=Counter((Intensity(intensity), Pattern(pattern)) for intensity, pattern in words),
        cell_id=scored["cell_id"].to_numpy(),
        cell_score=scored["cell_score"].to_numpy(),
        membrane_od=float(np.median(od)) if len(od) else None,
        stained_cells=len(od),
    )
