"""Staining of the cytoplasm that leaves no membrane to be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cytoplasm import Cytoplasm, judge_cytoplasm

CUTS = Calibration()
NAN = np.nan


def judge(contrast, cytoplasm):
    return judge_cytoplasm(np.asarray(contrast, np.float32), np.asarray(cytoplasm, np.float32), CUTS)


@pytest.mark.parametrize(
    ("contrast", "cytoplasm", "expected"),
    [
        pytest.param(0.17, 0.12, Cytoplasm.CLEAR, id="a real 2+ core"),
        pytest.param(0.32, 0.20, Cytoplasm.CLEAR, id="a real 3+ core"),
        pytest.param(0.03, 0.05, Cytoplasm.CLEAR, id="faint membranes, hardly any blush"),
        pytest.param(0.12, 0.13, Cytoplasm.DOUBTFUL, id="faint membranes on a tinted slide"),
        pytest.param(0.10, 0.119, Cytoplasm.DOUBTFUL, id="pale cytoplasm that membranes hardly exceed"),
        pytest.param(
            0.10, 0.125, Cytoplasm.OBSCURING, id="the same beside cytoplasm as dense as weak membranes"
        ),
        pytest.param(0.13, 0.27, Cytoplasm.OBSCURING, id="granular cytoplasm without membranes"),
        pytest.param(0.06, 0.27, Cytoplasm.OBSCURING, id="flat cytoplasm without membranes"),
    ],
)
def test_membranes_are_weighed_against_the_cytoplasm_beside_them(contrast, cytoplasm, expected):
    assert judge([contrast] * 30, [cytoplasm] * 30) is expected


@pytest.mark.parametrize(
    ("certainty", "cytoplasm", "expected"),
    [
        pytest.param(0.54, 0.20, Cytoplasm.OBSCURING, id="unsure beside dense cytoplasm"),
        pytest.param(0.54, 0.08, Cytoplasm.DOUBTFUL, id="unsure beside tinted cytoplasm"),
        pytest.param(0.54, 0.03, Cytoplasm.CLEAR, id="unsure beside clear cytoplasm"),
        pytest.param(0.56, 0.20, Cytoplasm.DOUBTFUL, id="hardly sure"),
        pytest.param(0.60, 0.20, Cytoplasm.CLEAR, id="sure beside dense cytoplasm"),
    ],
)
def test_a_learned_finder_is_judged_by_how_sure_it_is(certainty, cytoplasm, expected):
    cuts = replace(CUTS, unsure=0.56, sure=0.60)
    many = np.ones(30, np.float32)
    assert judge_cytoplasm(0.1 * many, cytoplasm * many, cuts, certainty=certainty * many) is expected


def test_without_a_stained_cell_there_is_nothing_to_doubt():
    assert judge([], []) is Cytoplasm.CLEAR


def test_cells_without_visible_cytoplasm_say_nothing():
    assert judge([0.06, 0.06, 0.2], [NAN, NAN, 0.1]) is Cytoplasm.CLEAR


def test_a_few_odd_cells_do_not_condemn_a_slide():
    assert judge([0.2] * 20 + [0.01] * 9, [0.1] * 29) is Cytoplasm.CLEAR
