"""Reliability of chances, against scikit-learn where it has it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from her2path.domain.stats.reliability import (
    BINS,
    expected_calibration_error,
    points,
    reliability_sums,
)


@pytest.mark.parametrize("seed", range(20))
def test_points_of_the_diagram_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    # Without the edges of bins, which scikit-learn finds by other sums.
    chance = rng.integers(0, 1000, 300) / 1000 + 0.0005
    came_true = rng.random(300) < chance**1.5
    true, stated = calibration_curve(came_true, chance, n_bins=BINS, strategy="uniform")
    found = points(reliability_sums(chance, came_true))
    assert [p[0] for p in found] == pytest.approx(stated, abs=1e-12)
    assert [p[1] for p in found] == pytest.approx(true, abs=1e-12)


def test_the_error_is_the_mean_distance_from_the_diagonal_weighted_by_count():
    rng = np.random.default_rng(1)
    chance, came_true = rng.random(500), rng.random(500) < 0.3
    slow = 0.0
    for low in np.arange(0, 1, 0.1):
        inside = (chance >= low) & (chance < low + 0.1)
        if inside.any():
            slow += inside.mean() * abs(chance[inside].mean() - came_true[inside].mean())
    assert float(expected_calibration_error(reliability_sums(chance, came_true))) == pytest.approx(slow)


def test_chances_of_nothing_have_no_error():
    empty = reliability_sums(np.zeros(0), np.zeros(0, bool))
    assert np.isnan(expected_calibration_error(empty))
    assert points(empty) == []


def test_certain_chances_that_come_true_have_no_error():
    sums = reliability_sums(np.array([0.0, 1.0, 1.0]), np.array([False, True, True]))
    assert float(expected_calibration_error(sums)) == 0


def test_sums_of_two_images_are_those_of_both_together():
    rng = np.random.default_rng(2)
    chance, came_true = rng.random(100), rng.random(100) < 0.5
    both = reliability_sums(chance[:40], came_true[:40]) + reliability_sums(chance[40:], came_true[40:])
    assert both == pytest.approx(reliability_sums(chance, came_true))


@pytest.mark.parametrize("bad", [pytest.param(-0.1, id="below 0"), pytest.param(1.1, id="above 1")])
def test_a_number_that_is_no_chance_is_refused(bad):
    with pytest.raises(ValueError, match="between 0 and 1"):
        reliability_sums(np.array([bad]), np.array([True]))
