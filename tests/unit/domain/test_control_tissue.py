from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import Controls, Specimen
from her2path.domain.control_tissue import (
    ControlScore,
    ControlVerdict,
    SlideEnd,
    judge_control,
    place_of,
    run_controls,
    score_control,
)
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import GUIDELINES, find_guideline
from her2path.domain.ihc import IhcReading, IhcScore, IhcTally, Intensity, Pattern
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.verdict import NotEvaluable

ZERO, ONE, TWO, THREE = IhcScore
ACCEPTED, FAILED, DOUBTFUL = ControlVerdict.ACCEPTED, ControlVerdict.FAILED, ControlVerdict.DOUBTFUL
NOT_EVALUABLE, NOT_COMPARED = ControlVerdict.NOT_EVALUABLE, ControlVerdict.NOT_COMPARED
STRONG = (Intensity.STRONG, Pattern.COMPLETE)
MODERATE = (Intensity.MODERATE, Pattern.COMPLETE)
FAINT = (Intensity.FAINT, Pattern.INCOMPLETE)
NONE = (Intensity.NONE, Pattern.NONE)


def scored(cells, *, guideline: str = "breast_2023", **known):
    reading = IhcReading(IhcTally(cells), limit_of_blank=Fraction(1, 200), **known)
    return score_control(reading, find_guideline(guideline), interval=wilson_interval)


@pytest.mark.parametrize(
    ("word", "place"), [("left", SlideEnd.LEFT), ("bottom", SlideEnd.BOTTOM), ("1", 1), ("12", 12)]
)
def test_a_piece_is_named_by_its_end_of_the_slide_or_its_number(word, place):
    assert place_of(word) == place


@pytest.mark.parametrize("word", ["0", "-1", "middle", "Left", "1.5", "", "²", "10000"])
def test_no_other_word_names_a_piece(word):
    with pytest.raises(ValueError, match="no piece of tissue"):
        place_of(word)


@pytest.mark.parametrize(
    ("expected", "score", "possible", "verdict"),
    [
        pytest.param(THREE, THREE, {THREE}, ACCEPTED, id="exactly the expected score"),
        pytest.param(THREE, THREE, {TWO, THREE}, ACCEPTED, id="exactly, though uncertain"),
        pytest.param(THREE, TWO, {TWO, THREE}, DOUBTFUL, id="beside it, within the uncertainty"),
        pytest.param(THREE, TWO, {TWO}, FAILED, id="beside it, and sure"),
        pytest.param(ZERO, ONE, {ZERO, ONE}, DOUBTFUL, id="a negative control that may be one"),
        pytest.param(ZERO, TWO, {ZERO, ONE, TWO}, FAILED, id="two scores away, however uncertain"),
        pytest.param(None, TWO, {TWO}, NOT_COMPARED, id="nobody stated the score"),
    ],
)
def test_a_control_is_held_against_the_score_it_should_have(expected, score, possible, verdict):
    assert judge_control(expected, score, possible) is verdict


@pytest.mark.parametrize(
    ("cells", "score", "possible"),
    [
        pytest.param({STRONG: 800, NONE: 200}, THREE, {THREE}, id="clearly 3+"),
        pytest.param({NONE: 1000}, ZERO, {ZERO}, id="clearly 0"),
        pytest.param({STRONG: 95, MODERATE: 400, NONE: 505}, TWO, {TWO, THREE}, id="9.5 % strong of 1000"),
        pytest.param({STRONG: 70, MODERATE: 400, NONE: 530}, TWO, {TWO}, id="7 % strong of 1000"),
        pytest.param({STRONG: 2, NONE: 24}, TWO, {TWO, THREE}, id="7.7 % strong of 26 cells"),
        pytest.param({FAINT: 105, NONE: 895}, ONE, {ZERO, ONE}, id="10.5 % faint of 1000"),
    ],
)
def test_a_score_is_uncertain_as_far_as_the_intervals_of_its_shares_reach(cells, score, possible):
    found = scored(cells)
    assert isinstance(found, ControlScore)
    assert (found.score, found.possible) == (score, possible)


def test_a_control_that_something_rejects_is_no_control():
    with pytest.raises(ValueError, match="could reject it"):
        scored({(Intensity.NONE, Pattern.NONE): 100}, artefact_over_most=True)


def test_too_few_cells_of_a_control_are_not_scored():
    found = scored({STRONG: 19})
    assert isinstance(found, NotEvaluable)
    assert found.code == "too_few_tumour_cells"


@pytest.mark.parametrize("guideline", sorted(GUIDELINES))
def test_a_control_is_read_as_a_resection_by_every_guideline(guideline):
    for specimen in (None, *Specimen):
        found = scored({STRONG: 800, NONE: 200}, guideline=guideline, specimen=specimen)
        assert isinstance(found, ControlScore)
        assert found.score is THREE


@pytest.mark.parametrize(
    ("stated", "verdicts", "controls"),
    [
        pytest.param("unknown", [], "unknown", id="nothing on the slide"),
        pytest.param("pass", [], "pass", id="nothing on the slide, stated"),
        pytest.param("unknown", [ACCEPTED, ACCEPTED], "pass", id="measured"),
        pytest.param("unknown", [ACCEPTED, NOT_COMPARED], "pass", id="one of them without expectation"),
        pytest.param("unknown", [ACCEPTED, FAILED], "fail", id="one of two failed"),
        pytest.param("pass", [FAILED], "fail", id="measured failure outweighs the sheet"),
        pytest.param("fail", [ACCEPTED], "fail", id="stated failure outweighs the measurement"),
        pytest.param("unknown", [ACCEPTED, DOUBTFUL], "unknown", id="doubt is no pass"),
        pytest.param("unknown", [ACCEPTED, NOT_EVALUABLE], "unknown", id="one cannot be scored"),
        pytest.param("unknown", [NOT_COMPARED], "unknown", id="no expectation at all"),
        pytest.param("pass", [DOUBTFUL], "pass", id="doubt does not undo the laboratory's pass"),
    ],
)
def test_sheet_and_slide_together_say_whether_the_run_passed(stated, verdicts, controls):
    assert run_controls(Controls(stated), verdicts).controls is Controls(controls)


@pytest.mark.parametrize(
    ("stated", "verdicts", "flags"),
    [
        pytest.param("unknown", [ACCEPTED], {Flag.CONTROLS_BY_MEASUREMENT}, id="taken for a pass"),
        pytest.param("pass", [ACCEPTED], set(), id="both agree"),
        pytest.param("fail", [ACCEPTED], {Flag.CONTROL_TISSUE_CONTRADICTS}, id="sheet failed, slide passed"),
        pytest.param(
            "pass",
            [FAILED],
            {Flag.CONTROL_TISSUE_FAILED, Flag.CONTROL_TISSUE_CONTRADICTS},
            id="sheet passed, slide failed",
        ),
        pytest.param("fail", [FAILED], {Flag.CONTROL_TISSUE_FAILED}, id="both failed"),
        pytest.param("unknown", [DOUBTFUL], {Flag.CONTROL_TISSUE_DOUBTFUL}, id="doubtful"),
        pytest.param("pass", [NOT_EVALUABLE], {Flag.CONTROL_TISSUE_NOT_EVALUABLE}, id="not evaluable"),
        pytest.param("pass", [NOT_COMPARED], {Flag.CONTROL_TISSUE_NOT_COMPARED}, id="not compared"),
    ],
)
def test_how_the_controls_were_found_is_flagged(stated, verdicts, flags):
    assert set(run_controls(Controls(stated), verdicts).flags) == flags
