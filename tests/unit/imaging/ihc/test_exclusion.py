from __future__ import annotations

import numpy as np
import pytest
import shapely

from her2path.imaging.artefacts import ArtefactKind, artefact_code
from her2path.imaging.ihc.exclusion import exclude_cells
from her2path.imaging.ihc.tumour import EXCLUSIONS

SIDE = 12
STEP_PX0 = 24.0
"""Cells on a square grid, 12 µm apart at 0.5 µm a pixel."""


def field(*, control_from: float = np.inf) -> dict[str, np.ndarray]:
    """Epithelium without gaps; cells right of `control_from` belong to control 1."""
    rows, columns = (place.ravel() for place in np.mgrid[:SIDE, :SIDE])
    n = SIDE**2
    same = {
        "nucleus_area_um2": 60.0,
        "elongation": 1.2,
        "hematoxylin": 0.4,
        "evidence": 0.3,
        "surround_od": 0.3,
        "gap_frac": 0.0,
        "greyness": 0.0,
        "tumour": 1.0,
    }
    table = {name: np.full(n, value, np.float32) for name, value in same.items()}
    x = STEP_PX0 * (columns + 1.0)
    table |= {"x_px0": x, "y_px0": STEP_PX0 * (rows + 1.0), "cut": np.zeros(n, bool)}
    return table | {"control": (x > control_from).astype(np.int16), "artefact": np.zeros(n, np.uint8)}


def excluded(table, *, tumour=None, left_out=None, tells_tumour=False) -> np.ndarray:
    choice = exclude_cells(table, tumour=tumour, left_out=left_out, mpp=0.5, tells_tumour=tells_tumour)
    return np.array([EXCLUSIONS[code] for code in choice.exclusion], object)


def box(left: float, right: float) -> shapely.MultiPolygon:
    return shapely.MultiPolygon([shapely.box(left, 0, right, 1000)])


MIDDLE = STEP_PX0 * (SIDE / 2 + 0.5)


def test_cells_of_control_tissue_are_not_scored_with_the_case():
    table = field(control_from=MIDDLE)
    words = excluded(table)
    assert set(words[table["control"] == 1]) == {"control_tissue"}
    assert set(words[table["control"] == 0]) == {None}


def test_control_tissue_is_measured_outside_the_drawn_tumour():
    table = field(control_from=MIDDLE)
    words = excluded(table, tumour=box(0, MIDDLE / 2))
    own = table["control"] == 0
    assert set(words[~own]) == {"control_tissue"}
    assert set(words[own]) == {None, "outside_tumour_region"}


def test_what_a_person_leaves_out_of_control_tissue_counts_for_neither():
    table = field(control_from=MIDDLE)
    words = excluded(table, left_out=box(MIDDLE, MIDDLE + 3 * STEP_PX0))
    assert (words == "excluded_region").sum() == 3 * SIDE
    assert (words == "control_tissue").sum() == 3 * SIDE


def test_a_lymphocyte_of_control_tissue_is_a_lymphocyte():
    table = field(control_from=MIDDLE)
    one = np.flatnonzero(table["control"])[20]
    table["nucleus_area_um2"][one], table["hematoxylin"][one] = 20.0, 0.8
    assert excluded(table)[one] == "lymphocyte"


def test_a_cell_of_control_tissue_that_the_image_cuts_is_not_scored():
    table = field(control_from=MIDDLE)
    one = np.flatnonzero(table["control"])[20]
    table["cut"][one] = True
    assert excluded(table)[one] == "image_border"


@pytest.mark.parametrize("tells_tumour", [True, False])
def test_a_finder_of_tumour_cells_does_not_choose_those_of_control_tissue(tells_tumour):
    # Cell lines and tonsil are no tumour.
    table = field(control_from=MIDDLE)
    table["tumour"][:] = 0.0
    words = excluded(table, tells_tumour=tells_tumour)
    assert set(words[table["control"] == 1]) == {"control_tissue"}
    assert set(words[table["control"] == 0]) == ({"not_tumour"} if tells_tumour else {None})


def test_how_the_case_is_chosen_does_not_depend_on_its_control():
    table = field(control_from=MIDDLE)
    own = table["control"] == 0
    alone = {name: values[own] for name, values in table.items()}
    table["evidence"][~own] = 5.0
    assert (excluded(table)[own] == excluded(alone)).all()


def test_control_tissue_of_nothing_but_dust_has_no_cell():
    table = field(control_from=MIDDLE)
    table["greyness"][table["control"] == 1] = 0.9
    words = excluded(table)
    assert set(words[table["control"] == 1]) == {"debris"}


@pytest.mark.parametrize("kind", list(ArtefactKind))
def test_a_cell_in_an_artefact_is_not_scored_and_says_in_which(kind):
    table = field()
    table["artefact"][:SIDE] = artefact_code(kind)
    words = excluded(table)
    assert set(words[:SIDE]) == {kind.value}
    assert set(words[SIDE:]) == {None}
