from __future__ import annotations

import numpy as np
import pytest
import shapely

from her2path.domain.verdict import NotEvaluable
from her2path.imaging.control_areas import ControlAreas, locate_controls
from her2path.imaging.tissue_pieces import find_pieces

PX0 = 40.0
"""Level-0 pixels of a mask pixel: 0.25 µm and 10 µm."""


def located(*named: str, drawn: tuple[tuple[int, int, int, int], ...] = ()):
    """Control at the left, tumour, another control at the right; `drawn` in mask pixels x0, y0, x1, y1."""
    mask = np.zeros((200, 400), bool)
    mask[60:120, 10:70] = mask[20:180, 120:250] = mask[60:120, 300:390] = True
    pieces = find_pieces(mask, mpp=10.0)
    regions = [shapely.MultiPolygon([shapely.box(*(PX0 * edge for edge in box))]) for box in drawn]
    return locate_controls(pieces, named=named, drawn=regions, px0_per_px=PX0)


def at(areas: ControlAreas, *places: tuple[int, int]) -> list[int]:
    """Controls at places given as x, y in mask pixels."""
    xy = np.array(places, float) * PX0 + 1
    return areas.at(xy[:, 0], xy[:, 1]).tolist()


def test_named_pieces_are_controls_in_the_order_of_the_sheet():
    areas = located("right", "1")
    assert at(areas, (350, 90), (30, 90), (200, 90), (90, 90)) == [1, 2, 0, 0]
    assert int(areas.mask().sum()) == 60 * 60 + 60 * 90


def test_a_drawn_region_is_control_tissue_within_a_larger_piece():
    areas = located(drawn=((120, 20, 160, 180),))
    assert at(areas, (130, 90), (170, 90)) == [1, 0]
    assert int(areas.mask().sum()) == 40 * 160


def test_drawn_controls_come_before_named_ones():
    areas = located("left", drawn=((120, 20, 160, 180),))
    assert at(areas, (130, 90), (30, 90)) == [1, 2]


def test_a_slide_without_control_tissue_has_none_anywhere():
    areas = located()
    assert (len(areas), areas.mask().any()) == (0, False)


@pytest.mark.parametrize(
    ("named", "drawn", "words"),
    [
        pytest.param(("left", "1"), (), "name the same piece", id="one piece twice"),
        pytest.param(("1", "2", "3"), (), "none is left to score", id="every piece"),
        pytest.param(("4",), (), "there are 3", id="a number that no piece has"),
        pytest.param(("left",), ((10, 60, 40, 100),), "keep one of them", id="named and drawn"),
        pytest.param((), ((75, 10, 100, 40),), "holds no tissue", id="drawn on glass"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_reason(named, drawn, words):
    found = located(*named, drawn=drawn)
    assert isinstance(found, NotEvaluable)
    assert found.code == "control_piece"
    assert words in found.reason
