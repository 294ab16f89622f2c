"""Cells that earlier edits called tumour, and regions that a later file draws over them."""

from __future__ import annotations

import pytest

from her2path.domain.region_use import RegionUse
from her2path.io.edits_disputes import overruled_cells
from her2path.io.edits_documents import DrawnRegion, GivenClass
from tests.support.edited_slides import Cell, box, editable, edits

SLIDE = editable([Cell(1)] * 6)
TUMOUR = GivenClass(cell_id=1, x_px0=20, y_px0=20, measured="Tumor: 1+", given="Tumor: 3+")
STROMA = GivenClass(cell_id=2, x_px0=60, y_px0=20, measured="Tumor: 1+", given="Stroma")
EARLIER = edits(SLIDE, corrections=(TUMOUR, STROMA))


def drawn(kind, *place):
    (ring,) = box(*place)
    return DrawnRegion(kind=kind, polygons=((tuple((x, y) for x, y in ring),),))


@pytest.mark.parametrize(
    ("region", "where"),
    [
        pytest.param(drawn("Necrosis", 0, 0, 90, 90), "that is left out (1)", id="left out"),
        pytest.param(drawn("Control", 0, 0, 90, 90), "that is control tissue (1)", id="control tissue"),
        pytest.param(drawn("Tumor", 90, 0, 300, 90), "outside the tumour regions", id="tumour elsewhere"),
    ],
)
def test_a_region_over_cells_that_were_called_tumour_before_is_a_contradiction(region, where):
    later = edits(SLIDE, corrections=EARLIER.corrections, regions=(region,))
    (words,) = overruled_cells(later, EARLIER, RegionUse.REPLACE)
    assert words.startswith("cells that earlier edits called tumour lie")
    assert where in words


def test_tumour_that_is_only_added_leaves_no_cell_out():
    later = edits(SLIDE, corrections=EARLIER.corrections, regions=(drawn("Tumor", 90, 0, 300, 90),))
    assert overruled_cells(later, EARLIER, RegionUse.ADD) == ()


def test_a_cell_that_the_later_file_gives_anew_is_not_of_the_earlier_one():
    later = edits(SLIDE, corrections=(STROMA,), regions=(drawn("Necrosis", 0, 0, 90, 90),))
    assert overruled_cells(later, EARLIER, RegionUse.REPLACE) == ()


def test_cells_corrected_within_a_region_that_was_there_before_are_no_contradiction():
    region = drawn("Necrosis", 0, 0, 90, 90)
    earlier = EARLIER.model_copy(update={"regions": (region,)})
    assert overruled_cells(earlier, earlier, RegionUse.REPLACE) == ()
