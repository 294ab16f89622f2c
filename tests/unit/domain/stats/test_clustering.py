from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.clustering import measure_clustering, student_quantile


def patches(edge: int, *, side: int = 48, seed: int = 500_000) -> tuple[np.ndarray, np.ndarray]:
    """Squares of ten cells; all cells of a patch of `edge` squares are stained or none."""
    rng = np.random.default_rng(seed)
    many = side // edge
    stained = np.kron(rng.integers(0, 2, size=(many, many)), np.ones((edge, edge), np.int64))
    cells = np.full((side, side), 10)
    return cells, 10 * stained[None]


def test_the_variance_of_patches_is_that_of_so_many_coin_tosses():
    found = [measure_clustering(*patches(4, seed=seed)).variance for seed in range(500_000, 500_040)]
    assert np.mean(found) == pytest.approx(0.25 / 12**2, rel=0.3)


def test_cells_of_patches_tell_as_much_as_so_many_coin_tosses():
    assert measure_clustering(*patches(8)).observations == pytest.approx(36, rel=0.4)


def test_squares_without_correlation_have_the_shortest_reach():
    assert measure_clustering(*patches(1)).reach <= 2


def test_larger_patches_reach_further_and_leave_fewer_areas():
    small, large = (measure_clustering(*patches(edge)) for edge in (2, 8))
    assert small.reach < large.reach
    assert small.areas > 4 * large.areas


def test_it_does_not_matter_where_on_the_lattice_the_tissue_lies():
    cells, marked = patches(4)
    moved = measure_clustering(np.pad(cells, 8), np.pad(marked, ((0, 0), (8, 8), (8, 8))))
    assert moved.variance == pytest.approx(measure_clustering(cells, marked).variance, rel=1e-9)


def test_no_cell_is_no_lattice():
    with pytest.raises(ValueError, match="no cell"):
        measure_clustering(np.zeros((3, 3), np.int64), np.zeros((1, 3, 3), np.int64))


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (10, 2.228), (60, 2.000)])
def test_quantiles_are_those_of_the_tables(freedom, quantile):
    assert student_quantile(0.975, freedom) == pytest.approx(quantile, abs=0.002)
