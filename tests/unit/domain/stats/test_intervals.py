from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from her2path.domain.stats.intervals import clopper_pearson_interval, wilson_interval


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(20, 20, 83.9, 100.0), (40, 40, 91.2, 100.0), (57, 60, 86.3, 98.3), (95, 100, 88.8, 97.8)],
)
def test_wilson_interval_as_published(successes, total, low, high):
    # Values quoted in the shared rules, section 4 (95 %).
    got = wilson_interval(successes, total)

    assert [round(100 * bound, 1) for bound in got] == [low, high]


def test_nothing_of_something_begins_at_exactly_zero():
    low, high = wilson_interval(0, 50)

    assert low == 0.0
    assert 0.07 < high < 0.08


def test_more_confidence_widens_the_interval():
    assert wilson_interval(5, 50, confidence=0.99)[1] > wilson_interval(5, 50)[1]


@pytest.mark.parametrize(("successes", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(successes, total):
    with pytest.raises(ValueError, match="successes"):
        wilson_interval(successes, total)


@pytest.mark.parametrize("confidence", [0.0, 1.0, float("nan")])
def test_impossible_confidence_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence"):
        wilson_interval(1, 2, confidence=confidence)


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [(20, 20, 83.2, 100.0), (57, 60, 86.1, 99.0)],
)
def test_clopper_pearson_interval_as_published(successes, total, low, high):
    # Likewise.
    got = clopper_pearson_interval(successes, total)

    assert [round(100 * bound, 1) for bound in got] == [low, high]


def test_clopper_pearson_interval_of_20_random_shares_is_that_of_scipy():
    rng = np.random.default_rng(4)
    for total in rng.integers(1, 300, 20):
        successes = int(rng.integers(0, total + 1))
        expected = binomtest(successes, int(total)).proportion_ci(0.9, method="exact")
        got = clopper_pearson_interval(successes, int(total), confidence=0.9)
        assert got == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("successes", "total", "confidence"), [(6, 5, 0.95), (0, 0, 0.95), (1, 2, 1.0)])
def test_impossible_arguments_of_clopper_pearson_are_refused(successes, total, confidence):
    with pytest.raises(ValueError, match="got"):
        clopper_pearson_interval(successes, total, confidence=confidence)
