"""What an estimate can hold, and what it cannot."""

from __future__ import annotations

import math

import pytest

from her2path.domain.stats.estimate import Estimate


def test_a_value_stands_with_its_bounds_and_their_method():
    estimate = Estimate(0.9, 0.77, 0.96, "Wilson", n=40)
    assert (estimate.value, estimate.low, estimate.high) == (0.9, 0.77, 0.96)
    assert estimate.confidence == 0.95
    assert estimate.has_interval


def test_where_nothing_can_be_estimated_the_reason_stands_instead():
    estimate = Estimate.none("no case was read", "Wilson")
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 0)
    assert estimate.why == "no case was read"
    assert not estimate.has_interval


def test_a_value_without_interval_says_why():
    assert Estimate.point(1.0, "a single case", "bootstrap", n=1).why == "a single case"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param((math.nan, None, None, "x", 0.95, 1, "y"), "finite", id="NaN"),
        pytest.param((0.5, 0.1, math.inf, "x", 0.95, 1, ""), "finite", id="an endless interval"),
        pytest.param((0.5, 0.1, None, "x", 0.95, 1, ""), "two bounds", id="one bound"),
        pytest.param((None, 0.1, 0.2, "x", 0.95, 1, ""), "two bounds", id="bounds of nothing"),
        pytest.param((0.5, 0.6, 0.4, "x", 0.95, 1, ""), "above the upper", id="bounds swapped"),
        pytest.param((0.5, 0.4, 0.6, "", 0.95, 1, ""), "need a method", id="no method"),
        pytest.param((0.5, 0.4, 0.6, "x", 1.0, 1, ""), "need a method", id="certainty"),
        pytest.param((0.5, 0.4, 0.6, "x", 0.95, -1, ""), "need a method", id="fewer than no cases"),
        pytest.param((0.5, None, None, "x", 0.95, 1, ""), "say why", id="no interval, no reason"),
        pytest.param((0.5, 0.4, 0.6, "x", 0.95, 1, "y"), "say why", id="a reason beside an interval"),
    ],
)
def test_nonsense_is_refused(fields, told):
    with pytest.raises(ValueError, match=told):
        Estimate(*fields)
