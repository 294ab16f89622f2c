from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern
from her2path.imaging.ihc.cell_lattice import STAININGS, CellLattice, count_cells
from her2path.imaging.ihc.heterogeneity import StainingSpread, map_blocks, measure_heterogeneity
from her2path.imaging.ihc.hot_spots import find_hot_spots
from her2path.imaging.ihc.sampling import sample_tissue
from her2path.imaging.ihc.score_evidence import counted_by, named_shares

STRONG = STAININGS.index((Intensity.STRONG, Pattern.COMPLETE))
IS_STRONG = np.arange(len(STAININGS)) == STRONG


def tissue(strong: np.ndarray, *, cells: int = 10, row0: int = 4, col0: int = 8) -> CellLattice:
    """Squares of 62.5 µm with so many cells, of which `strong` are strong and complete."""
    counts = np.zeros((*strong.shape, len(STAININGS)), np.int64)
    counts[..., STRONG] = strong
    counts[..., 0] = cells - strong
    return CellLattice(counts, row0, col0)


def test_the_order_of_the_cells_changes_nothing():
    rng = np.random.default_rng(500_010)
    x, y = rng.uniform(1000, 4000, (2, 5000))
    staining = np.where(x < 2000, STRONG, 0).astype(np.int8)
    mixed = rng.permutation(5000)
    one, other = count_cells(x, y, staining), count_cells(x[mixed], y[mixed], staining[mixed])
    assert np.array_equal(one.counts, other.counts)
    assert np.array_equal(sample_tissue(one, draws=50).drawn, sample_tissue(other, draws=50).drawn)


def test_blocks_lie_on_the_grid_of_the_slide():
    blocks = map_blocks(tissue(np.full((4, 4), 5), row0=6, col0=7))
    assert set(blocks.row.tolist()) == {1, 2}
    assert set(blocks.col.tolist()) == {1, 2}
    assert blocks.cells.sum() == 160


def test_cells_that_lie_in_patches_are_less_certain_than_as_many_scattered_ones():
    rng = np.random.default_rng(500_011)
    patchy = 10 * np.kron(rng.integers(0, 2, (12, 12)), np.ones((4, 4), np.int64))
    scattered = rng.binomial(10, 0.5, (48, 48))
    wide, narrow = (sample_tissue(tissue(strong)).percentage(IS_STRONG) for strong in (patchy, scattered))
    assert wide.high_pct - wide.low_pct > 5 * (narrow.high_pct - narrow.low_pct)
    assert wide.low_pct < wide.cells_low_pct < wide.pct < wide.cells_high_pct < wide.high_pct


def test_no_stained_cell_leaves_the_interval_of_independent_cells():
    found = sample_tissue(tissue(np.zeros((24, 24), np.int64))).percentage(IS_STRONG)
    assert (found.low_pct, found.high_pct) == (0.0, found.cells_high_pct)
    assert found.high_pct > 0


def test_a_scrap_of_tissue_is_too_little_and_its_interval_says_so():
    found = sample_tissue(tissue(np.full((3, 3), 5)))
    assert found.plan is None
    assert found.basis.method == "wilson_of_areas"
    share = found.percentage(IS_STRONG)
    assert share.high_pct - share.low_pct > 50


@pytest.mark.parametrize(
    ("strong", "spread"),
    [
        pytest.param(np.zeros((16, 16), np.int64), StainingSpread.UNIFORM, id="no staining"),
        pytest.param(np.full((16, 16), 5), StainingSpread.SCATTERED, id="half the cells, everywhere"),
        pytest.param(
            np.repeat([[0, 10]], 16, axis=0).repeat(8, axis=1), StainingSpread.CLUSTERED, id="halves"
        ),
    ],
)
def test_staining_is_uniform_scattered_or_clustered(strong, spread):
    assert measure_heterogeneity(tissue(strong)).spread is spread


def test_halves_of_other_scores_are_all_between_blocks():
    strong = np.repeat([[0, 10]], 16, axis=0).repeat(8, axis=1)
    measures = measure_heterogeneity(tissue(strong)).measures
    assert measures["intraclass_correlation"] == pytest.approx(1)
    assert measures["quadratic_entropy"] == pytest.approx(1.5)
    assert (measures["h_score_low"], measures["h_score_high"]) == (0, 300)


def test_one_block_cannot_be_compared():
    found = measure_heterogeneity(tissue(np.full((4, 4), 5), row0=0, col0=0))
    assert found.spread is None
    assert found.measures["fields"] == 1


def test_the_hottest_window_comes_first_and_none_overlap():
    strong = np.zeros((24, 24), np.int64)
    strong[4:8, 12:16], strong[16:20, 2:6] = 10, 6
    first, second, *rest = find_hot_spots(tissue(strong), IS_STRONG)
    assert (first.x_um, first.y_um) == ((8 + 12) * 62.5, (4 + 4) * 62.5)
    assert (first.percentages["complete_intense"], second.percentages["complete_intense"]) == (100, 60)
    corners = [(spot.x_um, spot.y_um) for spot in (first, second, *rest)]
    for n, (x, y) in enumerate(corners):
        assert all(max(abs(x - u), abs(y - v)) >= 250 for u, v in corners[:n])


def test_few_cells_do_not_make_a_hot_spot():
    strong = np.zeros((24, 24), np.int64)
    strong[10, 10] = 3
    assert find_hot_spots(tissue(strong, cells=3), IS_STRONG) == ()


def test_no_window_begins_outside_the_slide():
    strong = np.zeros((8, 8), np.int64)
    strong[0, 0] = 10
    (spot, *_) = find_hot_spots(tissue(strong, row0=0, col0=0), IS_STRONG)
    assert (spot.x_um, spot.y_um) == (0, 0)


@pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
def test_every_percentage_counts_the_cells_that_the_guideline_counts(guideline):
    can_be = [(i is Intensity.NONE) == (p is Pattern.NONE) for i, p in STAININGS]
    counts = {s: n for n, (s, possible) in enumerate(zip(STAININGS, can_be, strict=True), 3) if possible}
    reading = IhcReading(IhcTally(counts))
    tally = np.array([counts.get(staining, 0) for staining in STAININGS])
    classes, others = named_shares(reading, guideline)
    for cut in guideline.ihc_cuts:
        name = cut.quantity.name.removeprefix("pct_")
        if name in {**classes, **others}:
            assert tally[counted_by(cut.quantity, reading)].sum() * 100 == cut.quantity.numerator(reading)
    assert tally[classes["stained"]].sum() == tally.sum() - tally[0]
