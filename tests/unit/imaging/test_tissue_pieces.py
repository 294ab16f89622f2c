from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.control_tissue import SlideEnd
from her2path.domain.verdict import NotEvaluable
from her2path.imaging.tissue_pieces import CRUMB_UM2, GAP_UM, Pieces, find_pieces, mark_pieces, piece_at

MPP = 10.0


def slide(*boxes: tuple[int, int, int, int], shape: tuple[int, int] = (200, 400)) -> Pieces:
    """Tissue in boxes (top, left, bottom, right), 10 µm a pixel: 2 x 4 mm."""
    mask = np.zeros(shape, bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    return find_pieces(mask, mpp=MPP)


TUMOUR = (20, 150, 180, 390)
CONTROL = (60, 10, 120, 70)


def test_pieces_are_numbered_from_left_to_right():
    pieces = slide(TUMOUR, CONTROL)
    assert pieces.boxes.tolist() == [list(CONTROL), list(TUMOUR)]
    assert pieces.area_um2.tolist() == [60 * 60 * 100, 160 * 240 * 100]
    assert (pieces.labels[60, 10], pieces.labels[20, 150], pieces.labels[0, 0]) == (1, 2, 0)


def test_pieces_above_one_another_are_numbered_from_the_top():
    pieces = slide((110, 10, 190, 200), (10, 10, 60, 200))
    assert pieces.boxes[:, 0].tolist() == [10, 110]


@pytest.mark.parametrize(
    ("gap", "count"),
    [
        pytest.param(int(GAP_UM / MPP) - 1, 1, id="just under the gap: a tear"),
        pytest.param(int(GAP_UM / MPP) + 3, 2, id="just over it: two pieces"),
    ],
)
def test_parts_belong_together_up_to_a_stated_gap(gap, count):
    assert len(slide((20, 20, 120, 100), (20, 100 + gap, 120, 300))) == count


def test_a_crumb_belongs_to_the_piece_it_lies_nearest_to():
    edge = int((CRUMB_UM2**0.5) / MPP) - 1
    pieces = slide(TUMOUR, CONTROL, (160, 15, 160 + edge, 15 + edge), shape=(400, 400))
    assert len(pieces) == 2
    assert pieces.labels[161, 16] == 1
    # The box of a piece is that of its tissue, not of its crumbs.
    assert pieces.boxes[0].tolist() == list(CONTROL)


def test_where_all_tissue_is_crumbs_each_is_a_piece():
    assert len(slide((10, 10, 20, 20), (100, 300, 110, 310))) == 2


def test_a_slide_without_tissue_has_no_piece():
    assert len(slide()) == 0


def test_numbers_do_not_depend_on_the_order_in_which_parts_are_met():
    boxes = [(20, 10, 100, 60), (110, 100, 190, 160), (10, 200, 90, 260), (60, 310, 180, 390)]
    one, other = slide(*boxes), slide(*boxes[::-1])
    assert (one.labels == other.labels).all()


@pytest.mark.parametrize(
    ("place", "number"),
    [(SlideEnd.LEFT, 1), (SlideEnd.RIGHT, 2), (1, 1), (2, 2)],
)
def test_a_piece_is_found_by_its_end_or_number(place, number):
    assert piece_at(slide(TUMOUR, CONTROL), place) == number


def test_top_and_bottom_are_ends_too():
    pieces = slide((10, 50, 60, 300), (110, 10, 190, 390))
    assert (piece_at(pieces, SlideEnd.TOP), piece_at(pieces, SlideEnd.BOTTOM)) == (2, 1)


@pytest.mark.parametrize(
    ("boxes", "place", "words"),
    [
        pytest.param([TUMOUR], SlideEnd.LEFT, "the tissue is one piece", id="one piece"),
        pytest.param([TUMOUR, CONTROL], 3, "there are 2", id="a number that no piece has"),
        pytest.param(
            [TUMOUR, CONTROL, (155, 10, 195, 70)], SlideEnd.LEFT, "pieces 1 and 2 both", id="two at the left"
        ),
        pytest.param([TUMOUR, CONTROL], SlideEnd.TOP, "pieces 1 and 2 both", id="side by side, none on top"),
    ],
)
def test_a_word_that_fits_no_piece_or_two_finds_none_and_says_what_to_do(boxes, place, words):
    found = piece_at(slide(*boxes), place)
    assert isinstance(found, NotEvaluable)
    assert found.code == "control_piece"
    assert words in found.reason
    assert "quality picture" in found.reason or "exclude_roi" in found.reason


def test_pieces_are_drawn_with_their_numbers_and_the_control_in_another_colour():
    pieces = slide(TUMOUR, CONTROL)
    picture = np.full((400, 800, 3), 240, np.uint8)
    plain = mark_pieces(picture, pieces, scale=2.0)
    marked = mark_pieces(picture, pieces, scale=2.0, controls=frozenset({1}))
    assert (picture == 240).all()
    assert (plain[360, 400] != 240).any()
    assert (plain[238:242, 22] != marked[238:242, 22]).any()
    assert (plain[360, 400] == marked[360, 400]).all()
