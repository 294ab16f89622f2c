"""CUSUM and EWMA against worked examples, and what is combined to them."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.control_chart_drift import (
    cusum,
    cusum_alarms,
    ewma,
    ewma_alarms,
    ewma_sd,
    mean_correlation,
    shift_together,
    together,
)

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4: lambda 0.3, target 50, s 2.0539.
NIST = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5, 49.6, 47.6, 49.9, 51.3, 47.8, 51.2]
NIST += [52.6, 52.4, 53.6, 52.1]
NIST_EWMA = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33, 50.11, 49.36, 49.52]
NIST_EWMA += [50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]
# Montgomery & Runger, Applied Statistics and Probability for Engineers, tables 16-7 and 16-8: target 99, K 1.
CONCENTRATION = [102.0, 94.8, 98.3, 98.4, 102.0, 98.5, 99.0, 97.7, 100.0, 98.1, 101.3, 98.7, 101.1, 98.4]
CONCENTRATION += [97.0, 96.7, 100.3, 101.4, 97.2, 101.0]
UPPER = [2, 0, 0, 0, 2, 0.5, 0, 0, 0, 0, 1.3, 0, 1.1, 0, 0, 0, 0.3, 1.7, 0, 1]
LOWER = [0, 3.2, 2.9, 2.5, 0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 1, 2.3, 0, 0, 0.8, 0]
# Montgomery, Introduction to Statistical Quality Control, tables 9.1 and 9.2: target 10, sigma 1, K 0.5, H 5;
# the mean moved to 11 from the 21st on, and the chart alarms at the 29th.
MOVED = [9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08]
MOVED += [
    9.37,
    10.62,
    10.31,
    8.52,
    10.84,
    10.90,
    9.33,
    12.29,
    11.50,
    10.60,
    11.08,
    10.38,
    11.62,
    11.31,
    10.52,
]


def test_the_ewma_is_that_of_the_nist_handbook():
    assert 50 + ewma(np.array(NIST) - 50, 0.3) == pytest.approx(NIST_EWMA, abs=0.0051)


def test_the_long_term_limit_of_the_ewma_is_that_of_the_nist_handbook():
    assert 50 + 3 * 2.0539 * ewma_sd(200, 0.3)[-1] == pytest.approx(52.5884, abs=5e-5)


def test_the_cusum_is_that_of_montgomery_and_runger():
    up, down = cusum(np.array(CONCENTRATION) - 99, 1.0)
    assert up == pytest.approx(UPPER, abs=1e-9)
    assert down == pytest.approx(LOWER, abs=1e-9)


def test_the_cusum_of_montgomery_alarms_at_the_29th_and_dates_the_shift():
    up, down = cusum(np.array(MOVED) - 10, 0.5)
    (alarm,) = cusum_alarms(up, down, 5.0)
    assert up[28] == pytest.approx(5.28)
    # The book counts seven periods above zero at the 29th: the shift began between the 22nd and 23rd.
    assert (alarm.side, alarm.at + 1, alarm.onset + 1, alarm.until + 1) == ("above", 29, 23, 30)


def test_an_ewma_alarm_ends_where_the_chart_is_back():
    smooth = ewma(np.array([0.0, 0.0, 6.0, 6.0, -9.0, 0.0]), 0.2)
    (alarm,) = ewma_alarms(smooth, 3.0)
    assert (alarm.chart, alarm.side, alarm.onset, alarm.at, alarm.until) == ("EWMA", "above", 2, 2, 3)


def test_a_cusum_that_dips_below_its_limit_and_was_never_back_at_0_is_one_alarm():
    up, down = cusum(np.array([3.0, 3.0, -1.0, 3.0, -9.0, 3.0, 3.0]), 0.5)
    alarms = cusum_alarms(up, down, 4.0)
    assert [(a.onset, a.at, a.until) for a in alarms if a.side == "above"] == [(0, 1, 3), (5, 6, 6)]


def test_drift_alarms_need_runs():
    empty = np.empty(0)
    assert cusum_alarms(empty, empty, 4.0) == ewma_alarms(empty, 3.0) == ()


def test_the_controls_together_have_variance_one_whatever_they_share():
    rng = np.random.default_rng(2)
    z = np.sqrt(0.6) * rng.standard_normal((40_000, 3)) + np.sqrt(0.4) * rng.standard_normal((40_000, 1))
    there = rng.random(z.shape) < 0.7
    joined = together(z, there, 0.4)
    for many in (1, 2, 3):
        assert joined[there.sum(axis=1) == many].std() == pytest.approx(1, abs=0.03)
    assert (joined[~there.any(axis=1)] == 0).all()


def test_more_controls_move_further_unless_they_vary_as_one():
    assert shift_together(4, 0.0) == pytest.approx(2)
    assert shift_together(4, 1.0) == pytest.approx(1)


def test_the_correlation_is_that_of_the_pairs():
    rng = np.random.default_rng(4)
    z = rng.standard_normal((50, 3)) + 0.8 * rng.standard_normal((50, 1))
    z = (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)
    pairs = np.corrcoef(z.T)[np.triu_indices(3, 1)]
    assert mean_correlation(z, np.ones(z.shape, bool)) == pytest.approx(pairs.mean())


@pytest.mark.parametrize(
    "z", [np.zeros((30, 1)), np.zeros((2, 2)), np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])]
)
def test_no_correlation_is_taken_from_one_control_two_runs_or_opposite_ones(z):
    assert mean_correlation(z, np.ones(z.shape, bool)) == 0
