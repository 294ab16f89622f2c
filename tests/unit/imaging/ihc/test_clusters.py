"""Clusters: which stained cells hang together."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern, Reactivity
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.clusters import (
    LEVELS,
    TOUCHING_UM,
    Outlines,
    counted_ranks,
    largest_clusters,
    neighbours,
    rank_of,
)
from her2path.imaging.ihc.rays import ANGLES, ring_points

RADIUS = 6.0
TOUCH = 2 * RADIUS + TOUCHING_UM


def round_cells(centres, radius=RADIUS) -> Outlines:
    """Cells of a given radius in µm at their centres."""
    xy = np.array(centres, float).reshape(-1, 2)
    radii = np.broadcast_to(np.asarray(radius, np.float32).reshape(-1, 1), (len(xy), ANGLES))
    zero = np.zeros(len(xy))
    return Outlines(xy, ring_points(zero, zero, radii).astype(np.float16))


def columns(centres, *, width, height) -> Outlines:
    """Columnar cells that stand upright: ellipses."""
    xy = np.array(centres, float).reshape(-1, 2)
    theta = np.arange(ANGLES) * 2 * np.pi / ANGLES
    radii = 1 / np.hypot(np.cos(theta) / (width / 2), np.sin(theta) / (height / 2))
    zero = np.zeros(len(xy))
    return Outlines(xy, ring_points(zero, zero, np.tile(radii, (len(xy), 1))).astype(np.float16))


def found(cells: Outlines) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in neighbours(cells).tolist()}


def sizes(cells: Outlines, ranks) -> list[int]:
    by_level = largest_clusters(np.array(ranks, np.int8), neighbours(cells))
    return [by_level[level] for level in LEVELS]


@pytest.mark.parametrize(
    ("distance", "touching"),
    [
        pytest.param(TOUCH - 0.1, True, id="outlines less than 2 µm apart"),
        pytest.param(TOUCH + 0.1, False, id="outlines more than 2 µm apart"),
        pytest.param(RADIUS, True, id="outlines that overlap by half a cell"),
        pytest.param(0.5, True, id="two outlines around nearly the same place"),
    ],
)
@pytest.mark.parametrize("angle", [0.0, np.pi / 2, np.pi, -np.pi / 4])
def test_cells_are_neighbours_where_their_outlines_touch(distance, touching, angle):
    cells = round_cells([(50, 50), (50 + distance * np.cos(angle), 50 + distance * np.sin(angle))])
    assert found(cells) == ({(0, 1)} if touching else set())


def test_a_small_cell_touches_a_large_one_whichever_comes_first():
    centres, radii = [(0, 0), (15, 0)], [10, 4]
    assert found(round_cells(centres, radii)) == {(0, 1)}
    assert found(round_cells(centres[::-1], radii[::-1])) == {(0, 1)}


def test_columnar_cells_touch_side_by_side_but_not_across_the_next_one():
    row = columns([(0, 0), (7, 0), (14, 0)], width=7, height=22)
    assert found(row) == {(0, 1), (1, 2)}


def test_two_glands_back_to_back_with_stroma_between_them_are_two_clusters():
    gland = [(7 * k, 0) for k in range(6)]
    beyond = [(7 * k, 22 + 4) for k in range(5)]
    cells = columns([*gland, *beyond], width=7, height=22)
    assert sizes(cells, [3] * 11) == [6, 6, 6]


def test_a_cluster_of_five_is_five_and_a_gap_leaves_four():
    row = [(12 * k, 0) for k in range(5)]
    assert sizes(round_cells(row), [3] * 5) == [5, 5, 5]
    apart = [*row[:4], (4 * 12 + 5, 0)]
    assert sizes(round_cells(apart), [3] * 5) == [4, 4, 4]


def test_strong_cells_count_in_the_clusters_of_weaker_levels_and_weaker_cells_break_strong_ones():
    row = round_cells([(12 * k, 0) for k in range(6)])
    assert sizes(row, [3, 3, 2, 3, 1, 3]) == [6, 4, 2]


def test_an_unstained_cell_between_breaks_a_cluster():
    row = round_cells([(12 * k, 0) for k in range(5)])
    assert sizes(row, [1, 1, 0, 1, 1]) == [2, 0, 0]


def test_no_cells_have_no_cluster_and_a_single_cell_is_a_cluster_of_one():
    assert sizes(round_cells([]), []) == [0, 0, 0]
    assert sizes(round_cells([(5, 5)]), [3]) == [1, 1, 1]
    assert sizes(round_cells([(5, 5)]), [0]) == [0, 0, 0]


def test_the_order_of_the_cells_changes_nothing():
    rng = np.random.default_rng(3)
    centres, radii = rng.uniform(0, 600, (2500, 2)), rng.uniform(4, 9, 2500)
    ranks = rng.integers(0, 4, 2500)
    order = rng.permutation(2500)
    expected = sizes(round_cells(centres, radii), ranks)
    assert expected[0] > expected[1] > expected[2] > 1
    assert sizes(round_cells(centres[order], radii[order]), ranks[order]) == expected


def test_pairs_are_those_of_a_search_over_all_pairs():
    rng = np.random.default_rng(4)
    centres, radii = rng.uniform(0, 150, (150, 2)), rng.uniform(4, 9, 150)
    distance = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    gap = distance - radii[:, None] - radii
    pairs = neighbours(round_cells(centres, radii))
    assert len(pairs) == len(found(round_cells(centres, radii)))
    touching = np.zeros((150, 150), bool)
    touching[pairs.min(axis=1), pairs.max(axis=1)] = True
    upper = np.triu(np.ones((150, 150), bool), 1)
    # Corners of two circles lie up to 0.4 µm farther apart than the circles.
    assert touching[upper & (gap < TOUCHING_UM - 0.4)].all()
    assert not touching[gap > TOUCHING_UM + 0.02].any()


def test_many_cells_are_looked_at_piece_by_piece_without_losing_a_contact():
    grid = np.stack(np.meshgrid(np.arange(200), np.arange(200)), axis=-1).reshape(-1, 2) * 12.0
    cells = round_cells(grid)
    assert len(neighbours(cells)) == 2 * 200 * 199


@pytest.mark.parametrize(
    ("intensity", "pattern", "level"),
    [
        (Intensity.STRONG, Pattern.INCOMPLETE, Reactivity.STRONG),
        (Intensity.WEAK, Pattern.COMPLETE, Reactivity.WEAK_MODERATE),
        (Intensity.WEAK, Pattern.INCOMPLETE, Reactivity.FAINT),
    ],
)
def test_cells_are_ranked_by_the_levels_of_the_guideline(intensity, pattern, level):
    assert LEVELS[rank_of(intensity, pattern) - 1] is level
    assert rank_of(Intensity.NONE, Pattern.NONE) == 0


def test_outlines_with_another_number_of_corners_are_refused():
    with pytest.raises(ValueError, match="shape"):
        Outlines(np.zeros((1, 2)), np.zeros((1, 8, 2), np.float16))


@pytest.mark.parametrize(
    ("rank", "completeness", "counts"),
    [
        pytest.param(3, 0.39, False, id="strong on less than a side: what one neighbour lends"),
        pytest.param(3, 0.40, True, id="strong along a side"),
        pytest.param(2, 0.39, False, id="moderate on less than a side"),
        pytest.param(2, 0.40, True, id="moderate along a side"),
        pytest.param(1, 0.20, True, id="faint on any part of the membrane"),
        pytest.param(0, 0.0, False, id="unstained"),
    ],
)
def test_above_faint_a_cell_counts_if_it_stains_along_a_side(rank, completeness, counts):
    counted = counted_ranks(np.array([rank], np.int8), np.array([completeness]), Calibration())
    assert counted.tolist() == [rank if counts else 0]


def test_one_strong_cell_among_unstained_ones_makes_no_cluster_of_the_borders_that_it_lends():
    around = [(12 * np.cos(angle), 12 * np.sin(angle)) for angle in np.arange(6) * np.pi / 3]
    pairs = neighbours(round_cells([(0, 0), *around]))
    ranks, completeness = np.full(7, 3, np.int8), np.array([1.0, *[0.25] * 6])
    assert largest_clusters(ranks, pairs)[Reactivity.STRONG] == 7
    counted = counted_ranks(ranks, completeness, Calibration())
    assert set(largest_clusters(counted, pairs).values()) == {1}
