from __future__ import annotations

import numpy as np
import pytest

from her2path.errors import ArtefactError
from her2path.io.dicom_cells import spool_cells
from her2path.io.documents import Producer
from her2path.io.tables import IHC_CELLS, IHC_CONTOURS, write_table

MADE_BY = Producer(step="test", version="0")
SQUARE = [0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]


def write_cells(folder, outlines, *, ids=None, groups=1):
    """Cells of score 2, 20 pixels apart, with these outlines; in several groups of rows."""
    count = len(outlines)
    numbers = np.arange(1, count + 1)
    columns = {name: [None] * count for name in IHC_CELLS.names}
    for field in IHC_CELLS:
        if not field.nullable:
            columns[field.name] = [0] * count
    columns |= {
        "cell_id": numbers,
        "x_px0": 20.0 * numbers,
        "y_px0": 5.0 * numbers,
        "cell_score": [2] * count,
    }
    columns |= {
        "intensity": ["moderate"] * count,
        "pattern": ["complete"] * count,
        "in_tumour": [True] * count,
    }
    with write_table(folder / "cells.parquet", IHC_CELLS, produced_by=MADE_BY) as table:
        table.append(columns)
    drawn = {
        "cell_id": numbers if ids is None else ids,
        "cell_xy_px0": outlines,
        "nucleus_xy_px0": [[]] * count,
    }
    with write_table(folder / "contours.parquet", IHC_CONTOURS, produced_by=MADE_BY) as table:
        for part in np.array_split(np.arange(count), groups):
            table.append({name: [values[place] for place in part] for name, values in drawn.items()})
    return folder / "cells.parquet", folder / "contours.parquet"


def test_a_cell_whose_outline_has_collapsed_becomes_a_point_so_that_none_is_lost(tmp_path):
    cells, contours = write_cells(tmp_path, [SQUARE, SQUARE[:4], [], SQUARE])
    polygons, points = sorted(
        spool_cells(cells, contours, tmp_path, outlines=True), key=lambda g: g.starts is None
    )
    assert (polygons.graphic, polygons.cells, points.graphic, points.cells) == ("POLYGON", 2, "POINT", 2)
    assert np.fromfile(points.coordinates, "<f4").tolist() == [40.0, 10.0, 60.0, 15.0]
    assert np.fromfile(points.measures["cell_id"].values, "<f4").tolist() == [2.0, 3.0]


def test_outlines_of_any_number_of_corners_begin_where_the_list_says(tmp_path):
    triangle = SQUARE[:6]
    cells, contours = write_cells(tmp_path, [SQUARE, triangle, SQUARE], groups=2)
    (group,) = spool_cells(cells, contours, tmp_path, outlines=True)
    values, starts = np.fromfile(group.coordinates, "<f4"), np.fromfile(group.starts, "<u4")
    assert starts.tolist() == [1, 9, 15]
    assert values[starts[1] - 1 : starts[2] - 1].tolist() == triangle


def test_a_number_that_some_cells_lack_names_the_cells_that_have_it(tmp_path):
    cells, contours = write_cells(tmp_path, [SQUARE, SQUARE])
    (group,) = spool_cells(cells, contours, tmp_path, outlines=True)
    assert "membrane_od" not in group.measures
    assert group.measures["nucleus_od"].places is None


@pytest.mark.parametrize("ids", [[1, 3], [2, 1]])
def test_tables_of_other_cells_are_refused(tmp_path, ids):
    cells, contours = write_cells(tmp_path, [SQUARE, SQUARE], ids=ids)
    with pytest.raises(ArtefactError, match="other cells"):
        spool_cells(cells, contours, tmp_path, outlines=True)
