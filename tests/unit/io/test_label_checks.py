"""Labelled cells that cannot be: of no cell's size, beyond the image, of two classes."""

import pytest
import shapely

from her2path.domain.label_classes import LabelClass
from her2path.io.label_checks import contradicting, implausible
from her2path.io.labels import DrawnCell

SIZE = 1000, 800


def cell(x=100.0, y=100.0, *, um=12.0, kind=LabelClass.TUMOUR_2, feature=1, nucleus=None):
    """Give a round cell at 0.5 um a pixel."""
    return DrawnCell(kind, shapely.Point(x, y).buffer(um), nucleus, feature)


def words(*cells):
    return implausible(cells, size_px0=SIZE, mpp=0.5)


def row_of(n, **what):
    return [cell(100 + 120 * place, feature=place + 1, **what) for place in range(n)]


def test_usual_cells_and_few_odd_ones_are_no_fault():
    assert words(*row_of(5)) is None
    assert words(*row_of(5), cell(y=400, um=3), cell(300, 400, um=70)) is None
    assert words() is None


@pytest.mark.parametrize("um", [2.75, 4.5, 45.0, 110.0])
def test_a_median_that_no_cells_have_names_the_pixel_size(um):
    found = words(cell(400, 400, um=um, feature=3))
    assert f"median diameter of {um:.3g} µm at 0.5 µm a pixel (feature 3" in found
    assert "pixel size is wrong" in found
    assert ("areas were drawn" in found) == (um > 40)


def test_one_cell_of_the_size_of_an_area_is_named():
    assert "feature 9 is a cell of 120 µm" in words(*row_of(5), cell(400, 500, um=120, feature=9))


def test_a_cell_largely_beyond_the_image_is_named_and_a_cut_one_is_not():
    assert words(*row_of(3), cell(0.5, 300)) is None
    found = words(*row_of(3), cell(-4, 300, feature=8))
    assert found.startswith(
        "of 4 cells 1 lie largely beyond the image of 1000 x 800 pixels (feature 8 first)"
    )


def test_a_nucleus_that_lies_away_from_its_cell_is_named():
    assert words(cell(nucleus=shapely.Point(102, 100).buffer(6))) is None
    found = words(*row_of(2), cell(y=400, feature=7, nucleus=shapely.Point(300, 400).buffer(6)))
    assert found.startswith("of 1 nuclei 1 lie outside their cells (feature 7 first)")


def test_one_cell_of_two_classes_is_refused():
    other = cell(101, kind=LabelClass.IMMUNE, feature=2)
    found = words(cell(), other)
    assert "(1 pair; first: feature 1 is Tumor: 2+, feature 2 Immune cells)" in found
    assert words(cell(), cell(101, feature=2)) is None
    assert words(cell(), cell(115, kind=LabelClass.IMMUNE, feature=2)) is None


def test_a_cell_of_which_nothing_is_said_contradicts_none():
    assert contradicting([cell(), cell(kind=LabelClass.IGNORE)]) == []
    assert contradicting([]) == []
