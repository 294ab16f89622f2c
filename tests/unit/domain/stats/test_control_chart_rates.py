"""Run lengths against published tables, and simulated rates against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from her2path.domain.stats.control_chart_drift import mean_correlation, together
from her2path.domain.stats.control_chart_rates import (
    DRIFT,
    Panel,
    alarm_shares,
    cusum_run_length,
    design_drift,
    ewma_run_length,
    first_alarms,
    known_run_length,
    simulated_runs,
)
from her2path.domain.stats.control_chart_westgard import Westgard

# Montgomery, Introduction to Statistical Quality Control, table 9.3: k 1/2 with h 4 and h 5.
CUSUM_TABLE = {
    4: {0: 168, 0.25: 74.2, 0.5: 26.6, 0.75: 13.3, 1: 8.38, 1.5: 4.75, 2: 3.34, 3: 2.19},
    5: {0: 465, 0.25: 139, 0.5: 38.0, 0.75: 17.0, 1: 10.4, 1.5: 5.75, 2: 4.01, 3: 2.57},
}
# Lucas & Saccucci, Technometrics 32:1 (1990): L and lambda of mean run length 500.
EWMA_500 = [(0.4, 3.054), (0.25, 2.998), (0.2, 2.962), (0.1, 2.814), (0.05, 2.615)]


@pytest.mark.parametrize(("h", "shift"), [(h, shift) for h, row in CUSUM_TABLE.items() for shift in row])
def test_run_lengths_of_the_cusum_are_montgomerys(h, shift):
    assert cusum_run_length(0.5, h, shift=shift) == pytest.approx(CUSUM_TABLE[h][shift], rel=0.006)


@pytest.mark.parametrize(("weight", "limit"), EWMA_500)
def test_run_lengths_of_the_ewma_are_those_of_lucas_and_saccucci(weight, limit):
    assert ewma_run_length(weight, limit) == pytest.approx(500, rel=0.005)


@pytest.mark.parametrize(
    ("rule", "closed"),
    [
        (Westgard.WARNING_12S, 1 / math.erfc(2 / math.sqrt(2))),
        (Westgard.R13S, 1 / math.erfc(3 / math.sqrt(2))),
        # Ten alike of a fair coin, counted from either side: 2^10 - 1.
        (Westgard.R10X, 1023),
    ],
)
def test_run_lengths_of_westgard_rules_equal_closed_forms(rule, closed):
    assert known_run_length(rule) == pytest.approx(closed)


def test_one_control_cannot_break_a_rule_within_a_run():
    assert known_run_length(Westgard.R4S) is None


@pytest.mark.parametrize("rule", [Westgard.R22S, Westgard.R41S])
def test_exact_run_lengths_agree_with_simulation(rule):
    z = np.random.default_rng(9).standard_normal((1000, 1500, 1))
    z = z + 1.0
    first = first_alarms(z, z[..., 0], design_drift(Panel(20)))[str(rule)]
    assert first.mean() == pytest.approx(known_run_length(rule, shift=1.0), rel=0.08)


def test_limits_of_a_long_baseline_are_those_of_known_parameters():
    limits = design_drift(Panel(1_000_000))
    share = 1 - math.exp(-100 / 370)
    # The same share of alarms in 100 runs from the exact run length, whose distribution is nearly geometric.
    assert 1 - math.exp(-100 / cusum_run_length(limits.slack, limits.decision)) == pytest.approx(
        share, abs=0.02
    )


def test_a_short_baseline_widens_the_limits():
    assert (
        design_drift(Panel(20)).decision
        > design_drift(Panel(60)).decision
        > design_drift(Panel(500)).decision
    )


@pytest.mark.parametrize("panel", [Panel(20), Panel(20, 3, 0.3), Panel(60, 2, 0.5), Panel(60, 3, 0.0)])
def test_drift_charts_alarm_falsely_as_often_as_stated(panel):
    limits = design_drift(panel)
    found = alarm_shares(panel, limits, seed=123)
    stated = 1 - math.exp(-100 / 370)
    for chart in DRIFT:
        # Correlations below 0 are taken for 0, which makes charts of uncorrelated controls slower.
        assert stated - 0.07 < found[chart] < stated + 0.03


def brute_force(panel, runs, series, seed):
    """Baselines drawn run by run."""
    rng = np.random.default_rng(seed)
    n, many = panel.baseline_runs, panel.controls
    for _ in range(series):
        shared = math.sqrt(panel.correlation) * rng.standard_normal((n + runs, 1))
        x = math.sqrt(1 - panel.correlation) * rng.standard_normal((n + runs, many)) + shared
        base = x[:n]
        z = (x - base.mean(axis=0)) / base.std(axis=0, ddof=1)
        there = np.ones(z.shape, bool)
        yield z[n:], together(z, there, mean_correlation(z[:n], there[:n]))[n:]


def test_simulated_baselines_equal_baselines_drawn_run_by_run():
    panel, runs = Panel(20, 3, 0.4), 50
    limits = design_drift(panel)
    drawn = list(brute_force(panel, runs, 1500, 77))
    slow = first_alarms(np.array([z for z, _ in drawn]), np.array([c for _, c in drawn]), limits)
    fast = first_alarms(*simulated_runs(panel, runs, series=6000), limits)
    for rule in ("1-3s", "2-2s", "10x", *DRIFT):
        assert (slow[rule] <= runs).mean() == pytest.approx((fast[rule] <= runs).mean(), abs=0.045)


def test_rules_in_use_make_up_the_set():
    panel = Panel(30)
    limits = design_drift(panel)
    few, all_rules = alarm_shares(panel, limits, rules=(Westgard.R13S,)), alarm_shares(panel, limits)
    assert few["Westgard"] == few["1-3s"] < all_rules["Westgard"]
    assert all_rules["drift"] <= all_rules["all"]
    assert "Westgard" not in alarm_shares(panel, limits, rules=())
