"""From densities to the words of the guidelines."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.ihc import CELL_SCORE, Intensity, Pattern, staining_class
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration, grade

CUTS = Calibration()
NAN = float("nan")


def graded(completeness, connectivity, excess):
    one = [np.array([value], np.float32) for value in (completeness, connectivity, excess)]
    grades = grade(*one, CUTS)
    return INTENSITIES[grades.intensity[0]], PATTERNS[grades.pattern[0]], int(grades.score[0])


@pytest.mark.parametrize(
    ("excess", "expected"),
    [
        pytest.param(CUTS.stained_rise_od, Intensity.FAINT, id="barely stained"),
        pytest.param(CUTS.weak_od_um - 1e-4, Intensity.FAINT, id="below weak"),
        pytest.param(CUTS.weak_od_um + 1e-4, Intensity.WEAK, id="weak"),
        pytest.param(CUTS.moderate_od_um + 1e-4, Intensity.MODERATE, id="moderate"),
        pytest.param(CUTS.strong_od_um + 1e-4, Intensity.STRONG, id="strong"),
    ],
)
def test_intensity_on_and_beside_each_cut(excess, expected):
    assert graded(1.0, 1.0, excess)[0] is expected


@pytest.mark.parametrize(
    ("completeness", "connectivity", "expected"),
    [
        pytest.param(1.0, 1.0, Pattern.COMPLETE, id="all around"),
        pytest.param(CUTS.complete, 0.3, Pattern.COMPLETE, id="on the cut, with many small gaps"),
        pytest.param(CUTS.complete - 0.01, CUTS.complete - 0.01, Pattern.BASOLATERAL, id="one gap"),
        pytest.param(0.5, 0.2, Pattern.INCOMPLETE, id="pieces"),
        pytest.param(0.2, 0.2, Pattern.INCOMPLETE, id="one small piece"),
    ],
)
def test_pattern_on_and_beside_each_cut(completeness, connectivity, expected):
    assert graded(completeness, connectivity, 0.3)[1] is expected


def test_less_stained_contour_than_noise_gives_is_none():
    assert graded(CUTS.min_completeness - 0.01, 0.1, 0.5) == (Intensity.NONE, Pattern.NONE, 0)
    assert graded(0.0, 0.0, NAN) == (Intensity.NONE, Pattern.NONE, 0)


def test_the_score_of_a_cell_is_that_of_its_guideline_class():
    for excess in (0.05, 0.2, 0.4, 0.8):
        for completeness, connectivity in ((0.2, 0.2), (0.5, 0.5), (0.9, 0.9)):
            intensity, pattern, score = graded(completeness, connectivity, excess)
            assert score == CELL_SCORE[staining_class(intensity, pattern)]


def test_cuts_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="must rise"):
        Calibration(weak_od_um=0.6)
    with pytest.raises(ValueError, match="must rise"):
        Calibration(complete=0.1)
