"""What cells express, read behind their contours."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.imaging.ihc.expression import ExpressionMaps
from her2path.imaging.ihc.rays import ANGLES, COS

MPP = 0.5


def maps(top: int = 0, left: int = 0) -> ExpressionMaps:
    """A cell of 8 µm radius at (24, 24) µm that stains its right half; its neighbours stain all."""
    rows, columns = np.indices((48, 48)) + 0.5
    inside = np.hypot(rows - 24, columns - 24) < 8
    chance = np.where(inside & (columns < 24), 0.0, 1.0)
    root = np.where(inside, 0.5, 0.9)
    return ExpressionMaps(np.stack([chance, root], -1).astype(np.float32), top, left, MPP)


def read(found: ExpressionMaps, contour_um: float, x_um: float = 24, y_um: float = 24):
    # The middle of the first pixel lies half a pixel within the tile.
    place = [np.array([um / MPP - 0.5]) for um in (x_um, y_um)]
    return found.along(*place, np.full((1, ANGLES), contour_um, np.float32))


@pytest.mark.parametrize("contour_um", [7.5, 8.0, 8.5])
def test_a_cell_is_read_on_its_own_side_of_the_border(contour_um):
    own = read(maps(), contour_um)
    assert own.chance[0, COS > 0.3] == pytest.approx(1)
    assert own.chance[0, COS < -0.3] == pytest.approx(0, abs=0.3)
    assert own.amount_od_um[0] == pytest.approx(0.25, abs=0.06)


def test_maps_that_begin_within_the_tile_are_read_at_the_same_place():
    whole = read(maps(), 8)
    moved = read(maps(top=4, left=6), 8, x_um=27, y_um=26)
    np.testing.assert_array_equal(whole.chance, moved.chance)


def test_no_cells_give_empty_arrays():
    none = np.zeros(0)
    assert maps().along(none, none, np.zeros((0, ANGLES), np.float32)).chance.shape == (0, ANGLES)
