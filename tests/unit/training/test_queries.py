"""What to label next: unsure, and unlike what was asked for before."""

import numpy as np
import pytest

from her2path.training.queries import rank_queries, tile_candidates, uncertainty_of


def test_the_surest_cell_is_asked_for_last_among_cells_that_are_equally_unlike():
    unsure = np.array([0.2, 0.9, 0.5, 0.1])
    corners = np.eye(4) * 3
    assert rank_queries(unsure, corners, number=4).tolist() == [1, 2, 0, 3]


def test_of_a_hundred_alike_only_one_is_asked_for_before_something_else():
    unsure = np.concatenate([np.full(100, 0.95), [0.6]])
    places = np.concatenate([np.zeros((100, 2)), [[1.0, 1.0]]])
    chosen = rank_queries(unsure, places, number=2)
    assert 100 in chosen.tolist()


def test_cells_without_a_measure_are_unlike_those_that_have_it():
    unsure = np.full(4, 0.8)
    places = np.array([[1.0], [1.0], [np.nan], [1.0]])
    assert rank_queries(unsure, places, number=2).tolist() == [0, 2]


def test_no_cell_is_asked_for_twice_and_fewer_candidates_give_fewer():
    rng = np.random.default_rng(2)
    chosen = rank_queries(rng.random(30), rng.normal(size=(30, 3)), number=50).tolist()
    assert sorted(chosen) == list(range(30))
    assert rank_queries(np.zeros(0), np.zeros((0, 3)), number=5).tolist() == []


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_unit_of_a_measure_does_not_matter(scale):
    rng = np.random.default_rng(3)
    unsure, places = rng.random(200), rng.normal(size=(200, 3))
    same = rank_queries(unsure, places, number=20)
    assert (rank_queries(unsure, places * [scale, 1, 1], number=20) == same).all()


def test_alike_chances_of_two_scores_are_the_greatest_uncertainty():
    chances = np.array([[0.5, 0.5, 0, 0], [0.4, 0.3, 0.2, 0.1], [0.97, 0.01, 0.01, 0.01]])
    unsure = uncertainty_of(chances)
    assert unsure[0] == 1
    assert (np.diff(unsure) < 0).all()


def test_a_tile_is_as_unsure_as_its_cells_on_average_and_needs_ten_of_them():
    tiles = np.array([7] * 12 + [9] * 9)
    unsure = np.concatenate([np.linspace(0, 1, 12), np.ones(9)])
    features = np.full((21, 1), np.nan)
    features[:6] = 4.0
    found = tile_candidates(tiles, unsure, features)
    assert (found.number.tolist(), found.cells.tolist()) == ([7], [12])
    assert found.uncertainty[0] == pytest.approx(0.5)
    assert found.features[0, 0] == 4.0
