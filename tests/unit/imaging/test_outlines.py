"""Outlines as masks and back: no pixel is won, lost or shared on the way."""

import numpy as np
import pytest
from skimage.draw import polygon2mask

from her2path.imaging.outlines import inside, paint, trace


def test_a_pixel_is_inside_where_its_middle_is():
    below, above = (np.array([(x, 1), (5, 1), (5, 5), (x, 5)], float) for x in (1.49, 1.51))
    assert inside([below], (6, 6)).sum() == 4 * 4
    assert inside([above], (6, 6)).sum() == 4 * 3


def test_random_outlines_agree_with_another_implementation():
    rng = np.random.default_rng(3)
    for _ in range(20):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
        radius = rng.uniform(4, 18, 12)
        ring = np.column_stack([20 + radius * np.cos(angle), 24 + radius * np.sin(angle)])
        expected = polygon2mask((48, 40), ring[:, ::-1] - 0.5)
        assert np.array_equal(inside([ring], (48, 40)), expected)


def test_a_hole_is_a_ring_within_a_ring():
    ring = np.array([(0, 0), (8, 0), (8, 8), (0, 8)], float)
    hole = np.array([(2, 2), (6, 2), (6, 6), (2, 6)], float)
    assert inside([ring, hole], (8, 8)).sum() == 64 - 16


def test_cells_side_by_side_share_no_pixel_and_leave_none():
    left = np.array([(0, 0), (3.5, 0), (4.2, 6), (0, 6)], float)
    right = np.array([(3.5, 0), (8, 0), (8, 6), (4.2, 6)], float)
    one, other = inside([left], (6, 8)), inside([right], (6, 8))
    assert (one ^ other).all()


def test_an_outline_may_run_over_every_edge_of_the_image():
    ring = np.array([(-5, -5), (50, -5), (50, 50), (-5, 50)], float)
    assert inside([ring], (6, 8)).all()
    assert (paint([ring - 2], (6, 8)) == 1).all()


def test_a_later_outline_covers_an_earlier_one_and_an_empty_one_keeps_its_number():
    ring = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], float)
    painted = paint([ring, np.empty((0, 2)), ring + 2], (6, 6))
    assert np.unique(painted).tolist() == [0, 1, 3]
    assert (painted == 3).sum() == 16


@pytest.mark.parametrize("seed", range(4))
def test_objects_come_back_from_their_outlines(seed):
    rng = np.random.default_rng(seed)
    labels = np.zeros((60, 50), np.int32)
    rows, cols = np.indices(labels.shape)
    for number in range(1, 6):
        y, x = rng.integers(5, 45, 2)
        labels[(rows - y) ** 2 + 2 * (cols - x) ** 2 < rng.integers(20, 120)] = number
    for number, ring in trace(labels).items():
        whole = inside([ring], labels.shape)
        assert (whole & (labels == number)).sum() >= 0.5 * (labels == number).sum()  # the largest piece
        pieces = trace((labels == number).astype(np.int32))
        assert np.array_equal(inside([pieces[1]], labels.shape), whole)
