"""Outlines of chosen cells, read batch by batch."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ArtefactError
from her2path.io import cell_outlines
from her2path.io.cell_outlines import read_outlines
from her2path.io.documents import Producer
from her2path.io.tables import IHC_CONTOURS, write_table

CORNERS = 4


@pytest.fixture
def contours(tmp_path, monkeypatch):
    """Nine cells in batches of two; the first corner of a cell lies at its number."""
    monkeypatch.setattr(cell_outlines, "_BATCH", 2)
    path = tmp_path / "ihc_contours.parquet"
    ids = np.arange(1, 10)
    rings = [np.arange(2 * CORNERS, dtype=np.float32) + cell for cell in ids]
    with write_table(path, IHC_CONTOURS, produced_by=Producer(step="s", version="0")) as table:
        table.append({"cell_id": ids, "cell_xy_px0": rings, "nucleus_xy_px0": rings})
    return path


@pytest.mark.parametrize("wanted", [[1, 2, 3], [2, 9], [5], [], list(range(1, 10))])
def test_the_outlines_of_the_wanted_cells_come_in_their_order(contours, wanted):
    parts = list(read_outlines(contours, np.array(wanted, np.int64), corners=CORNERS))
    outlines = np.concatenate([np.empty((0, CORNERS, 2), np.float32), *parts])
    assert outlines.shape == (len(wanted), CORNERS, 2)
    assert outlines[:, 0, 0].tolist() == wanted
    assert (outlines[:, 0, 1] - outlines[:, 0, 0] == 1).all()
    assert max(map(len, parts)) <= 2


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        pytest.param([3, 12], "other cells", id="a cell that is not there"),
        pytest.param([3, 2], "order", id="cells in another order"),
    ],
)
def test_other_cells_than_those_of_the_table_are_a_fault_of_the_artefact(contours, wanted, message):
    with pytest.raises(ArtefactError, match=message):
        list(read_outlines(contours, np.array(wanted, np.int64), corners=CORNERS))


def test_outlines_with_another_number_of_corners_are_refused(contours):
    with pytest.raises(ArtefactError, match="5 corners"):
        list(read_outlines(contours, np.array([1], np.int64), corners=5))
