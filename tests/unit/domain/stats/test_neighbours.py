"""Marked points that lie together, and that lie among the others."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.neighbours import clustering_p_value

GRID = [(float(row), float(col)) for row in range(8) for col in range(8)]


def test_a_patch_is_clustered():
    assert clustering_p_value(GRID, [row < 3 and col < 3 for row, col in GRID]) == 0.001


def test_a_chequered_board_is_intermingled():
    assert clustering_p_value(GRID, [(row + col) % 2 == 0 for row, col in GRID]) > 0.9


def test_marks_at_random_are_called_clustered_no_more_often_than_stated():
    rng = np.random.default_rng(3)
    found = [clustering_p_value(GRID, rng.random(64) < 0.2) for _ in range(60)]
    assert sum(p <= 0.05 for p in found) <= 8


def test_a_population_that_fills_one_of_two_fields_is_clustered():
    # Both fields have the same coordinates: neighbours are looked for within a field only.
    places, fields = GRID[:16] + GRID[:16], ["a"] * 16 + ["b"] * 16
    marked = [field == "a" for field in fields]
    assert clustering_p_value(places, marked, fields) == 0.001


def test_points_that_are_alone_in_their_fields_have_no_neighbourhood_to_speak_of():
    fields = [str(number) for number in range(6)]
    assert clustering_p_value(GRID[:6], [True] * 3 + [False] * 3, fields) is None


@pytest.mark.parametrize("marked", [[True] + [False] * 63, [True] * 64], ids=["one", "all"])
def test_one_or_all_points_have_no_neighbourhood_to_speak_of(marked):
    assert clustering_p_value(GRID, marked) is None
