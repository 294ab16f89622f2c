from __future__ import annotations

import numpy as np

from her2path.domain.stats.block_bootstrap import Resampling, draw_tallies, plan_drawings
from her2path.domain.stats.clustering import Clustering

CELLS = np.full(100, 50)
MARKED = (50 * np.random.default_rng(500_001).integers(0, 2, size=(1, 100))).astype(np.int64)
BETWEEN = float(((MARKED - MARKED.mean()) ** 2).sum()) / CELLS.sum() ** 2


def test_as_many_blocks_are_drawn_as_make_the_variance_the_measured_one():
    plan = plan_drawings(CELLS, MARKED, Clustering(1, 1e9, 2 * BETWEEN, 100))
    assert plan == Resampling(100, 50)
    counts = np.stack([MARKED[0], CELLS - MARKED[0]], axis=1)
    drawn = draw_tallies(counts, plan, draws=4000)
    shares = drawn[:, 0] / drawn.sum(axis=1)
    assert np.var(shares) / (2 * BETWEEN) == np.clip(np.var(shares) / (2 * BETWEEN), 0.9, 1.1)


def test_few_independent_areas_widen_the_drawings_as_student_did():
    many = plan_drawings(CELLS, MARKED, Clustering(1, 1000, 2 * BETWEEN, 100))
    few = plan_drawings(CELLS, MARKED, Clustering(1, 6, 2 * BETWEEN, 100))
    assert few.drawn < many.drawn


def test_blocks_that_do_not_differ_are_all_drawn():
    assert plan_drawings(CELLS, 0 * MARKED, Clustering(1, 50, 0.0, 100)) == Resampling(100, 99)


def test_too_few_blocks_or_areas_cannot_be_drawn():
    assert plan_drawings(CELLS[:19], MARKED[:, :19], Clustering(1, 50, BETWEEN, 100)) is None
    assert plan_drawings(CELLS, MARKED, Clustering(1, 3.9, BETWEEN, 100)) is None


def test_the_same_blocks_give_the_same_drawings_however_many_fit_into_memory(monkeypatch):
    counts = np.stack([MARKED[0], CELLS - MARKED[0]], axis=1)
    whole = draw_tallies(counts, Resampling(100, 40), draws=50)
    monkeypatch.setattr("her2path.domain.stats.block_bootstrap._CHUNK", 200)
    assert np.array_equal(draw_tallies(counts, Resampling(100, 40), draws=50), whole)
