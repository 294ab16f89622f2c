"""Cells of control tissue in the table of cells: how they stain, and where they lie."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from her2path.domain.ihc import Intensity, Pattern
from her2path.io.tables import IHC_CELLS, open_table

SCORED = "control_tissue"
"""Exclusion of a cell that is scored with its control."""
_BATCH = 65_536


@dataclass
class ControlCells:
    """The cells of one piece of control tissue."""

    counts: Counter[tuple[Intensity, Pattern]] = field(default_factory=Counter)
    """Of those that are scored."""
    box_px0: tuple[float, float, float, float] | None = None
    """Left, top, right and bottom of all of them (level-0 pixels); None without any."""


def read_control_cells(cells: Path, *, controls: int) -> tuple[ControlCells, ...]:
    """Count the cells of each control of a slide, in the order of their numbers.

    Parameters
    ----------
    cells : Path
        ``ihc_cells.parquet``.
    controls : int
        How many the slide has; one without any cell is among them.
    """
    found = tuple(ControlCells() for _ in range(controls))
    if not found:
        return ()
    columns = ["x_px0", "y_px0", "intensity", "pattern", "control", "exclusion"]
    with open_table(cells, IHC_CELLS) as table:
        for batch in table.iter_batches(_BATCH, columns=columns):
            members = batch.filter(pc.is_valid(batch["control"]))
            number = members["control"].to_numpy(zero_copy_only=False)
            for control in np.unique(number):
                one, own = found[int(control) - 1], members.filter(pc.equal(members["control"], int(control)))
                xy = (own["x_px0"].to_numpy(), own["y_px0"].to_numpy())
                one.box_px0 = _joined(one.box_px0, (*(v.min() for v in xy), *(v.max() for v in xy)))
                scored = own.filter(pc.fill_null(pc.equal(own["exclusion"], SCORED), False))
                words = zip(scored["intensity"].to_pylist(), scored["pattern"].to_pylist(), strict=True)
                one.counts.update((Intensity(intensity), Pattern(pattern)) for intensity, pattern in words)
    return found


Box = tuple[float, float, float, float]


def _joined(one: Box | None, other: tuple[np.float64, ...]) -> Box:
    left, top, right, bottom = (float(edge) for edge in other)
    if one is None:
        return left, top, right, bottom
    return min(one[0], left), min(one[1], top), max(one[2], right), max(one[3], bottom)
