"""Which cells are taken for tumour cells where nobody has drawn it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from her2path.imaging.ihc.tumour import EXCLUSIONS, CellTraits, choose_tumour_cells

EPITHELIUM = {
    "nucleus_area_um2": 60.0,
    "elongation": 1.2,
    "hematoxylin": 0.15,
    "evidence": 0.09,
    "surround_od": 0.15,
    "gap_frac": 0.0,
    "greyness": 0.0,
}


def traits(*groups):
    """Cells from (n, left_um, changes): n cells on a 12 µm grid right of `left_um`."""
    parts = []
    for n, left, changes in groups:
        side = int(np.ceil(np.sqrt(n)))
        rows, cols = np.divmod(np.arange(n), side)
        values = {name: np.full(n, value, np.float32) for name, value in (EPITHELIUM | changes).items()}
        parts.append({"x_um": left + 12.0 * cols, "y_um": 12.0 * rows} | values)
    return CellTraits(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def words(*groups, drawn=False):
    choice = choose_tumour_cells(traits(*groups), drawn=drawn)
    sizes = np.cumsum([0, *(n for n, _, _ in groups)])
    found = [EXCLUSIONS[code] for code in choice.exclusion]
    return [Counter(found[a:b]) for a, b in pairwise(sizes)], choice


def test_contiguous_epithelium_is_scored():
    (nest,), choice = words((100, 0, {}))
    assert nest == {None: 100}
    assert choice.by_neighbourhood


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param(
            {"nucleus_area_um2": 25.0, "hematoxylin": 0.35, "elongation": 1.1}, "lymphocyte", id="small, dark"
        ),
        pytest.param({"elongation": 3.0, "nucleus_area_um2": 30.0}, "spindle", id="slender"),
        pytest.param({"gap_frac": 0.7}, "stroma", id="amid gaps"),
        pytest.param({"evidence": 0.02}, "indistinct", id="hardly a nucleus"),
        pytest.param({"hematoxylin": 0.06}, "indistinct", id="a gap between brown membranes"),
        pytest.param({"greyness": 1.0}, "debris", id="grey, as red cells are"),
    ],
)
def test_what_is_plainly_something_else_is_left_out(changes, word):
    (nest, other), _ = words((100, 0, {}), (40, 1000, changes))
    assert nest == {None: 100}
    assert other == {word: 40}


def test_small_pale_nuclei_are_no_lymphocytes():
    (nest, other), _ = words((100, 0, {}), (40, 1000, {"nucleus_area_um2": 25.0}))
    assert nest == {None: 100}
    assert other == {None: 40}


def test_a_cell_on_its_own_is_left_out():
    (nest, *singles), _ = words((100, 0, {}), *((1, 1000 + 100 * i, {}) for i in range(3)))
    assert nest == {None: 100}
    assert all(single == {"isolated": 1} for single in singles)


def test_lymphocytes_within_a_nest_do_not_make_it_stroma():
    dark = {"nucleus_area_um2": 25.0, "hematoxylin": 0.35}
    (nest, guests), _ = words((100, 0, {}), (9, 30, dark))
    assert nest == {None: 100}
    assert guests == {"lymphocyte": 9}


def test_a_tumour_that_grows_loosely_is_kept_and_said_to_be():
    # Signet-ring cells: all amid gaps, none contiguous.
    (loose, dark), choice = words(
        (60, 0, {"gap_frac": 0.6}), (20, 2000, {"nucleus_area_um2": 20.0, "hematoxylin": 0.4})
    )
    assert loose == {None: 60}
    assert dark == {"lymphocyte": 20}
    assert not choice.by_neighbourhood


def test_within_drawn_regions_the_neighbourhood_is_no_criterion():
    (nest, loose, single), _ = words((100, 0, {}), (10, 1000, {"gap_frac": 0.6}), (1, 3000, {}), drawn=True)
    assert (nest, loose, single) == ({None: 100}, {None: 10}, {None: 1})


def test_no_cells_are_no_fault():
    choice = choose_tumour_cells(traits((0, 0, {})))
    assert len(choice.exclusion) == 0


def test_the_order_of_the_cells_does_not_matter():
    mixed = traits((100, 0, {}), (30, 400, {"gap_frac": 0.7}), (5, 900, {}))
    order = np.random.default_rng(1).permutation(len(mixed))
    shuffled = CellTraits(**{name: getattr(mixed, name)[order] for name in (*EPITHELIUM, "x_um", "y_um")})
    assert (choose_tumour_cells(shuffled).exclusion == choose_tumour_cells(mixed).exclusion[order]).all()


@pytest.mark.parametrize(
    ("gland", "stroma", "found"),
    [
        pytest.param(144, 2000, True, id="7 %, 144 cells: enough for a percentage"),
        pytest.param(64, 2000, False, id="3 %, 64 cells: too few"),
        pytest.param(64, 300, True, id="18 %, 64 cells of a small specimen"),
    ],
)
def test_a_few_glands_in_much_stroma_are_told_apart_if_they_bear_a_percentage(gland, stroma, found):
    # Cells at the edge of a gland have neighbours on one side only and still belong to it.
    (glands, _), choice = words((gland, 0, {}), (stroma, 2000, {"gap_frac": 0.6}))
    assert choice.by_neighbourhood is found
    assert glands == {None: gland}


def test_a_learned_finder_speaks_for_itself():
    # Slender nuclei amid gaps: a rule of thumb would leave them out, a model that knows them need not.
    groups = ((100, 0, {"tumour": 0.5, "elongation": 3.0, "gap_frac": 0.6}), (50, 400, {"tumour": 0.49}))
    (tumour, other), choice = words(*groups)
    assert (tumour, other) == ({None: 100}, {"not_tumour": 50})
    assert choice.by_neighbourhood
