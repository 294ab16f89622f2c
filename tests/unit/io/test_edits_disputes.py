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
EARLIER = edits(SLIDE, by="A.B.", on="2026-11-18", corrections=(TUMOUR, STROMA)).signed()
LATER = edits(SLIDE, by="C.D.", on="2026-11-20", corrections=EARLIER.corrections)


def later(**changes):
    return LATER.model_copy(update=changes).signed()


def drawn(kind, *place):
    (ring,) = box(*place)
    return DrawnRegion(kind=kind, polygons=((tuple((x, y) for x, y in ring),),))


@pytest.mark.parametrize(
    ("region", "where"),
    [
        pytest.param(drawn("Necrosis", 0, 0, 90, 90), "of C.D. that is left out", id="left out"),
        pytest.param(drawn("Control", 0, 0, 90, 90), "of C.D. that is control tissue", id="control tissue"),
        pytest.param(
            drawn("Tumor", 90, 0, 300, 90), "outside the tumour regions of C.D.", id="tumour elsewhere"
        ),
    ],
)
def test_a_region_over_cells_that_were_called_tumour_before_is_a_contradiction(region, where):
    (words,) = overruled_cells(later(regions=(region,)), EARLIER)
    assert words.startswith("1 cells that A.B. called tumour on 2026-11-18 lie")
    assert where in words
    assert "draw it without them, or give them another class" in words


def test_cells_that_are_called_tumour_in_an_earlier_region_are_a_contradiction():
    earlier = EARLIER.model_copy(
        update={"corrections": (), "regions": (drawn("Necrosis", 0, 0, 90, 90),)}
    ).signed()
    (words,) = overruled_cells(later(corrections=(TUMOUR,), regions=earlier.regions), earlier)
    assert words.startswith(
        "1 cells that C.D. called tumour on 2026-11-20 lie in a region of A.B. that is left out"
    )
    assert "give them no class in this file" in words


def test_all_contradictions_are_told_at_once():
    regions = (drawn("Necrosis", 0, 0, 90, 90), drawn("Tumor", 90, 0, 300, 90))
    assert len(overruled_cells(later(regions=regions), EARLIER)) == 2


def test_tumour_that_is_only_added_leaves_no_cell_out():
    added = later(regions=(drawn("Tumor", 90, 0, 300, 90),), tumour_use=RegionUse.ADD)
    assert overruled_cells(added, EARLIER) == ()


def test_a_cell_that_the_later_file_gives_anew_is_not_of_the_earlier_one():
    found = later(corrections=(STROMA,), regions=(drawn("Necrosis", 0, 0, 90, 90),))
    assert overruled_cells(found, EARLIER) == ()


def test_what_was_taken_before_is_no_news():
    region = drawn("Necrosis", 0, 0, 90, 90)
    earlier = EARLIER.model_copy(update={"regions": (region, drawn("Tumor", 90, 0, 300, 90))}).signed()
    assert overruled_cells(later(regions=earlier.regions), earlier) == ()
