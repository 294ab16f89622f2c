"""The ordinal scorer: cuts that follow what people said, as far as they said enough."""

from dataclasses import replace

import numpy as np
import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.imaging.ihc.calibration import INTENSITIES, PATTERNS, Calibration, grade
from her2path.training.scorer import Labels, MeasuredCells, ScoredArea, ScoredCells, Scorer, fit_scorer

START = Calibration()
THEIRS = replace(START, weak_od_um=0.20, moderate_od_um=0.42, strong_od_um=0.95, complete=0.75)
"""A laboratory whose stain is darker and whose readers ask for more closed membranes."""


def cells(number, seed, *, unstained=0.2):
    rng = np.random.default_rng(seed)
    completeness = rng.uniform(0.02, 1, number)
    excess = np.exp(rng.normal(np.log(0.4), 0.8, number))
    excess[rng.random(number) < unstained] = np.nan
    return MeasuredCells(completeness, excess)


def by_cuts(measured, cuts):
    graded = grade(
        measured.completeness.astype(np.float32),
        np.full(len(measured), 0.2, np.float32),
        measured.excess_od_um.astype(np.float32),
        cuts,
    )
    return graded.score.astype(np.int64)


def read_by(cuts, patient, number, seed):
    measured = cells(number, seed)
    return ScoredCells(patient, measured, by_cuts(measured, cuts))


def test_chances_of_a_cell_sum_to_one_and_follow_the_words_of_the_guideline_far_from_all_cuts():
    table = [(0.99, 2.0, 3), (0.99, 0.3, 2), (0.3, 1.2, 2), (0.3, 0.05, 1), (0.99, 0.04, 1), (0.3, np.nan, 0)]
    measured = MeasuredCells(np.array([row[0] for row in table]), np.array([row[1] for row in table]))
    chances = Scorer(START, excess_width=0.05, completeness_width=0.02).chances(measured)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert chances.argmax(axis=1).tolist() == [row[2] for row in table]


def test_the_hardest_scorer_is_the_calibration_itself():
    measured = cells(500, 3)
    chances = Scorer(START, excess_width=1e-4, completeness_width=1e-5).chances(measured)
    assert (chances.argmax(axis=1) == by_cuts(measured, START)).all()


@pytest.mark.parametrize(("share", "score"), [(0.02, 0), (0.07, 0), (0.13, 3), (0.6, 3)])
def test_an_area_is_scored_by_ten_per_cent_of_its_cells(share, score):
    strong = round(200 * share)
    measured = MeasuredCells(
        np.array([0.99] * strong + [0.05] * (200 - strong)),
        np.array([3.0] * strong + [np.nan] * (200 - strong)),
    )
    scorer = Scorer(START, completeness_width=0.02, share_width=0.01)
    assert scorer.area_chances([measured]).argmax() == score


def test_many_scored_cells_bring_the_cuts_to_those_that_their_reader_used():
    fitted = fit_scorer(Labels(cells=(read_by(THEIRS, "p1", 3000, 1),)), START).calibration
    for name in ("weak_od_um", "moderate_od_um", "strong_od_um", "complete"):
        assert getattr(fitted, name) == pytest.approx(getattr(THEIRS, name), rel=0.08), name


def test_scored_tiles_alone_move_the_cuts_towards_those_that_their_reader_used():
    areas = []
    for seed in range(80):
        rng = np.random.default_rng([7, seed])
        level = rng.uniform(0.05, 1.4)
        measured = MeasuredCells(rng.uniform(0.6, 1, 150), level * np.exp(rng.normal(0, 0.3, 150)))
        reached = [(by_cuts(measured, THEIRS) >= k).mean() > 0.10 for k in (1, 2, 3)]
        areas.append(ScoredArea("p", measured, sum(reached)))
    fitted = fit_scorer(Labels(areas=tuple(areas)), START).calibration
    assert abs(fitted.strong_od_um - THEIRS.strong_od_um) < abs(START.strong_od_um - THEIRS.strong_od_um) / 3


def test_three_labels_move_a_cut_less_than_half_of_the_way():
    fitted = fit_scorer(Labels(cells=(read_by(THEIRS, "p1", 3, 1),)), START).calibration
    assert START.strong_od_um <= fitted.strong_od_um < (START.strong_od_um + THEIRS.strong_od_um) / 2


def test_a_label_that_is_a_slip_of_the_pen_does_not_move_a_cut_far():
    read = read_by(START, "p1", 400, 1)
    faulty = read.score.copy()
    faulty[np.flatnonzero(faulty == 0)[0]] = 3
    clean = fit_scorer(Labels(cells=(read,)), START).calibration
    slipped = fit_scorer(Labels(cells=(replace(read, score=faulty),)), START).calibration
    assert slipped.strong_od_um == pytest.approx(clean.strong_od_um, rel=0.03)


def test_cuts_rise_whatever_the_labels_say():
    measured = cells(300, 5)
    upside_down = ScoredCells("p1", measured, 3 - by_cuts(measured, START))
    fitted = fit_scorer(Labels(cells=(upside_down,)), START).calibration
    assert 0 < fitted.weak_od_um < fitted.moderate_od_um < fitted.strong_od_um
    assert 0 < fitted.min_completeness < fitted.basolateral < fitted.complete <= 1


def test_a_scorer_without_labels_is_refused():
    with pytest.raises(ValueError, match="at least one label"):
        fit_scorer(Labels(), START)


def test_a_patient_drawn_twice_counts_twice():
    labels = Labels(cells=(read_by(THEIRS, "p1", 5, 1), read_by(THEIRS, "p2", 5, 2)))
    assert [one.patient for one in labels.of(["p2", "p2"]).cells] == ["p2", "p2"]
    assert labels.patients == ("p1", "p2")


def test_the_table_of_soft_chances_is_that_of_the_domain():
    # One cell in the middle of every intensity and pattern: the likeliest score is the domain's.
    cuts = START
    amounts = {
        Intensity.FAINT: cuts.weak_od_um / 3,
        Intensity.WEAK: (cuts.weak_od_um * cuts.moderate_od_um) ** 0.5,
        Intensity.MODERATE: (cuts.moderate_od_um * cuts.strong_od_um) ** 0.5,
        Intensity.STRONG: 3 * cuts.strong_od_um,
    }
    scorer = Scorer(cuts, excess_width=0.02, completeness_width=0.01)
    for excess in amounts.values():
        for completeness, connectivity in ((0.95, 0.95), (0.5, 0.5), (0.3, 0.1)):
            one = [np.array([value], np.float32) for value in (completeness, connectivity, excess)]
            graded = grade(one[0], one[1], one[2], cuts)
            soft = scorer.chances(MeasuredCells(one[0].astype(float), one[2].astype(float)))
            assert soft.argmax() == graded.score[0], (
                INTENSITIES[graded.intensity[0]],
                PATTERNS[graded.pattern[0]],
            )
    assert Pattern.BASOLATERAL in PATTERNS
