from __future__ import annotations

import pytest

from her2path.domain.stats.intervals import wilson_interval


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
