"""What a person's regions and classes make of measured cells."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from her2path.domain.edits import (
    UNKNOWN,
    CellVerdict,
    DrawnPlaces,
    MeasuredCells,
    ReasonCodes,
    cell_verdict,
    exclusion_after,
    staining_given,
)
from her2path.domain.ihc import (
    CELL_SCORE,
    IhcScore,
    Intensity,
    Pattern,
    Reactivity,
    reactivity,
    staining_class,
)
from her2path.domain.region_use import RegionUse

CODES = ReasonCodes(outside=1, excluded=2, control=3)
STROMA, LYMPHOCYTE = 4, 5
STAININGS = [(i, p) for i, p in product(Intensity, Pattern) if (i is Intensity.NONE) == (p is Pattern.NONE)]


def after(exclusion, if_drawn=0, *, in_control=False, **drawn):
    """The reason of one cell; regions are given as whether they hold it."""
    places = {name: np.array([value]) if isinstance(value, bool) else value for name, value in drawn.items()}
    cells = MeasuredCells(
        np.array([exclusion], np.int8), np.array([if_drawn], np.int8), np.array([in_control])
    )
    return int(exclusion_after(cells, DrawnPlaces(**places), CODES)[0])


@pytest.mark.parametrize("measured", STAININGS, ids=str)
@pytest.mark.parametrize("score", IhcScore)
def test_a_cell_stains_as_the_score_that_a_person_gave_it(score, measured):
    intensity, pattern = staining_given(score, measured)
    assert CELL_SCORE[staining_class(intensity, pattern)] == list(IhcScore).index(score)
    assert (intensity is Intensity.NONE) == (pattern is Pattern.NONE)


@pytest.mark.parametrize("measured", STAININGS, ids=str)
@pytest.mark.parametrize("level", Reactivity)
def test_a_cell_stains_as_the_level_that_a_person_gave_it(level, measured):
    assert reactivity(*staining_given(level, measured)) is level


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Tumor: Negative", CellVerdict("Tumor: 0", True, IhcScore.ZERO)),
        ("Tumour", CellVerdict("Tumor", True)),
        ("tumour:strong", CellVerdict("Tumor: Strong", True, Reactivity.STRONG)),
        ("Necrosis", CellVerdict("Necrosis", False)),
        ("Ignore*", CellVerdict("Ignore*", False)),
        ("Control: 2+", None),
        ("Positive", None),
    ],
)
def test_the_class_of_a_cell_says_whether_it_is_scored_and_how_it_stains(words, expected):
    assert cell_verdict(words) == expected


@pytest.mark.parametrize("measured", STAININGS, ids=str)
def test_a_cell_that_keeps_its_score_keeps_its_staining(measured):
    level = CELL_SCORE[staining_class(*measured)]
    assert staining_given(list(IhcScore)[level], measured) == measured


@pytest.mark.parametrize(
    ("score", "measured", "given"),
    [
        pytest.param(
            "2+", ("strong", "complete"), ("moderate", "complete"), id="3+ to 2+: the pattern stays"
        ),
        pytest.param(
            "2+", ("weak", "incomplete"), ("moderate", "incomplete"), id="1+ to 2+: incomplete stays"
        ),
        pytest.param("2+", ("faint", "complete"), ("weak", "complete"), id="barely seen to 2+: closed, weak"),
        pytest.param("2+", ("none", "none"), ("moderate", "complete"), id="unstained to 2+: the typical one"),
        pytest.param("3+", ("moderate", "basolateral"), ("strong", "complete"), id="3+ is complete always"),
        pytest.param("1+", ("strong", "complete"), ("faint", "complete"), id="3+ to 1+"),
        pytest.param("1+", ("strong", "basolateral"), ("weak", "basolateral"), id="2+ to 1+"),
        pytest.param("0", ("strong", "complete"), ("none", "none"), id="3+ to 0"),
    ],
)
def test_a_given_score_keeps_of_the_measured_staining_what_it_can(score, measured, given):
    measured = (Intensity(measured[0]), Pattern(measured[1]))
    assert staining_given(IhcScore(score), measured) == (Intensity(given[0]), Pattern(given[1]))


def test_without_regions_nothing_changes():
    for exclusion in (0, 1, 2, 4, 5):
        assert after(exclusion) == exclusion
    assert after(CODES.control, in_control=True) == CODES.control


@pytest.mark.parametrize(
    ("exclusion", "if_drawn", "within", "use", "expected"),
    [
        pytest.param(0, 0, True, "replace", 0, id="scored, in the new tumour"),
        pytest.param(0, 0, False, "replace", 1, id="scored, beyond the new tumour"),
        pytest.param(0, 0, False, "add", 0, id="scored, beyond tumour that is added"),
        pytest.param(1, 0, True, "replace", 0, id="outside before, now within"),
        pytest.param(1, LYMPHOCYTE, True, "replace", LYMPHOCYTE, id="a lymphocyte within the new tumour"),
        pytest.param(1, 0, True, "add", 0, id="outside before, tumour is added"),
        pytest.param(1, 0, False, "add", 1, id="outside both"),
        pytest.param(STROMA, 0, True, "add", 0, id="lone cell that a person takes for tumour"),
        pytest.param(STROMA, 0, False, "add", STROMA, id="lone cell that nobody drew around"),
        pytest.param(1, UNKNOWN, True, "replace", UNKNOWN, id="never told by an older version"),
        pytest.param(1, UNKNOWN, False, "replace", 1, id="never told, and not needed"),
    ],
)
def test_drawn_tumour_chooses_among_measured_cells(exclusion, if_drawn, within, use, expected):
    assert after(exclusion, if_drawn, tumour=within, tumour_use=RegionUse(use)) == expected


@pytest.mark.parametrize(
    ("exclusion", "within", "use", "expected"),
    [
        pytest.param(0, True, "add", 2, id="scored, now left out"),
        pytest.param(0, False, "add", 0, id="scored, beside the region"),
        pytest.param(2, False, "add", 2, id="left out before stays so"),
        pytest.param(2, False, "replace", 0, id="the earlier region is lifted"),
        pytest.param(2, True, "replace", 2, id="left out by both"),
        pytest.param(1, True, "add", 2, id="left out outweighs outside"),
    ],
)
def test_regions_to_leave_out_outweigh_all_else(exclusion, within, use, expected):
    assert after(exclusion, left_out=within, left_out_use=RegionUse(use)) == expected
    assert after(0, left_out=True, tumour=True) == 2


def test_new_control_tissue_is_scored_on_its_own_and_is_no_tumour():
    assert after(0, control=True) == CODES.control
    assert after(1, 0, control=True) == CODES.control
    assert after(0, control=True, tumour=True) == CODES.control
    assert after(LYMPHOCYTE, LYMPHOCYTE, control=True) == LYMPHOCYTE
    assert after(0, control=True, left_out=True) == CODES.excluded
    assert after(0, control=False) == 0


def test_control_tissue_of_the_slide_stays_control_wherever_tumour_is_drawn():
    assert after(CODES.control, in_control=True, tumour=True) == CODES.control
    assert after(CODES.control, in_control=True, tumour=False) == CODES.control
    assert after(LYMPHOCYTE, in_control=True, tumour=True) == LYMPHOCYTE
    # A control that a region of the sheet left out is a control again where that is lifted.
    lifted = {"left_out": False, "left_out_use": RegionUse.REPLACE}
    assert after(2, 0, in_control=True, **lifted) == CODES.control
