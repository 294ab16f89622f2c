"""Outlines of chosen cells as arrays, batch by batch, from `ihc_contours`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from her2path.errors import ArtefactError
from her2path.io.tables import IHC_CONTOURS, open_table

_BATCH = 16_384


def read_outlines(
    contours: Path, cell_ids: npt.NDArray[np.int64], *, corners: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Read the outlines of some cells.

    Parameters
    ----------
    contours : Path
        Table `ihc_contours`.
    cell_ids : ndarray of int64, shape (n,)
        Cells wanted, in the order of the table, which is ascending.
    corners : int
        Corners that each outline has.

    Yields
    ------
    outlines : ndarray of float32, shape (k, corners, 2)
        Level-0 pixels, x first, in the order of `cell_ids`; the k sum to n.

    Raises
    ------
    ArtefactError
        A cell is missing or out of order, or its outline has another number of corners.
    """
    done = 0
    with open_table(contours, IHC_CONTOURS) as table:
        for batch in table.iter_batches(_BATCH, columns=["cell_id", "cell_xy_px0"]):
            ids = batch["cell_id"].to_numpy()
            wanted = np.isin(ids, cell_ids[done : done + len(ids)])
            chosen = batch["cell_xy_px0"].filter(wanted)
            if not np.array_equal(ids[wanted], cell_ids[done : done + len(chosen)]):
                raise ArtefactError(contours.name, "its cells are not in the order of the other table")
            if not pc.all(pc.equal(pc.list_value_length(chosen), 2 * corners), min_count=0).as_py():
                raise ArtefactError(contours.name, f"holds outlines that do not have {corners} corners")
            done += len(chosen)
            yield chosen.flatten().to_numpy(zero_copy_only=False).reshape(-1, corners, 2)
    if done != len(cell_ids):
        raise ArtefactError(contours.name, "it holds other cells than the other table")
