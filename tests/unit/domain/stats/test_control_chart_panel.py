"""A panel from its runs: what is judged, by what, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.control_chart import Baseline
from her2path.domain.stats.control_chart_panel import began_together, compare_batches, first_runs, watch
from her2path.domain.stats.control_chart_westgard import Westgard
from her2path.domain.verdict import NotEvaluable


def runs(later, *, controls=1, baseline=30, seed=1):
    """A baseline in control with mean 0.5 and SD 0.05, and later runs at so many SD."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((baseline, controls))
    z = (z - z.mean(axis=0)) / z.std(axis=0, ddof=1)
    values = 0.5 + 0.05 * np.vstack(
        [z, np.broadcast_to(np.array(later, float)[:, None], (len(later), controls))]
    )
    return values, np.ones(values.shape, bool), np.arange(len(values)) < baseline


def test_a_run_at_four_sd_breaks_1_3s_by_its_row():
    found = watch(*runs([0.0, 4.0]))
    assert [(b.rule, b.at) for b in found.breaches] == [("1-3s", 31)]
    assert found.z[31, 0] == pytest.approx(4)


def test_a_value_beyond_2_sd_that_breaks_nothing_else_is_a_warning():
    assert [str(b.rule) for b in watch(*runs([0.0, 2.5, 0.0])).breaches] == ["1-2s"]


def test_rules_that_are_not_in_use_break_nothing():
    assert [b.rule for b in watch(*runs([4.0]), rules=(Westgard.R13S,)).breaches] == ["1-3s"]


def test_a_lasting_shift_raises_the_drift_charts_and_is_dated():
    found = watch(*runs([-0.5] * 5 + [1.5] * 15, controls=3, baseline=60))
    first = next(alarm for alarm in found.drifts if alarm.chart == "CUSUM")
    assert first.onset == 65
    assert 65 < first.at < 75
    assert first.side == "above"


def test_runs_of_the_baseline_and_before_it_are_not_judged():
    values, there, _ = runs([0.0] * 3)
    values[2] = 2.0
    reference = (np.arange(len(values)) >= 5) & (np.arange(len(values)) < 30)
    found = watch(values, there, reference)
    assert found.breaches == ()
    assert np.flatnonzero(found.judged).tolist() == [30, 31, 32]


def test_a_scanner_with_three_runs_has_no_chart_and_says_why():
    found = watch(np.full((3, 2), 0.5), np.ones((3, 2), bool), np.ones(3, bool))
    assert isinstance(found, NotEvaluable)
    assert "3 of the 20 runs" in found.reason


def test_a_constant_control_takes_no_part_and_the_others_are_charted():
    values, there, baseline = runs([0.0, 5.0], controls=2)
    values[:, 1] = 100.0
    found = watch(values, there, baseline)
    assert isinstance(found.baselines[0], Baseline)
    assert found.baselines[1].code == "constant_control"
    assert not found.measured[:, 1].any()


def test_a_run_without_any_control_is_not_judged():
    values, there, baseline = runs([0.0, 4.0, 0.0])
    there[31] = False
    found = watch(values, there, baseline)
    assert found.breaches == ()
    assert np.flatnonzero(found.judged).tolist() == [30, 32]


def test_no_run_at_all_is_no_chart():
    assert watch(np.empty((0, 1)), np.empty((0, 1), bool), np.empty(0, bool)).code == "too_few_runs"


def test_a_batch_of_one_run_is_compared_with_the_baseline():
    combined = np.array([0.0] * 30 + [4.5, 0.1, -0.2])
    found = compare_batches(
        combined, np.array([30, 31, 32]), [None] * 30 + ["L2", "L3", "L3"], baseline_runs=30
    )
    assert [(b.batch, b.runs, b.alarm) for b in found] == [("L2", (30,), True), ("L3", (31, 32), False)]


def test_runs_without_a_batch_are_compared_with_nothing():
    assert compare_batches(np.zeros(3), np.arange(3), [None] * 3, baseline_runs=30) == ()
    assert compare_batches(np.zeros(3), np.arange(3), [], baseline_runs=30) == ()


def test_batches_in_control_alarm_in_one_panel_of_a_hundred():
    rng = np.random.default_rng(6)
    alarms = 0
    names = [f"L{i // 7}" for i in range(42)]
    for _ in range(3000):
        base = rng.standard_normal(25)
        later = (rng.standard_normal(42) - base.mean()) / base.std(ddof=1)
        alarms += any(b.alarm for b in compare_batches(later, np.arange(42), names, baseline_runs=25))
    # Holm's bound is not reached where the batches share a baseline.
    assert 0.003 < alarms / 3000 < 0.013


def test_a_control_that_was_added_later_does_not_delay_the_baseline_of_the_others():
    measured = np.ones((80, 3), bool)
    measured[:50, 2] = False
    first = first_runs(measured, 20, np.zeros(80, bool))
    assert first.sum(axis=0).tolist() == [20, 20, 20]
    assert np.flatnonzero(first[:, 0])[-1] == 19
    assert np.flatnonzero(first[:, 2]).tolist() == list(range(50, 70))
    assert began_together(first) == ((0, 1), (2,))


def test_a_control_that_is_measured_in_every_third_run_has_a_panel_of_its_own():
    measured = np.ones((80, 3), bool)
    measured[:, 0] = np.arange(80) % 3 == 0
    assert began_together(first_runs(measured, 20, np.zeros(80, bool))) == ((1, 2), (0,))


def test_controls_that_miss_a_run_now_and_then_stay_together():
    measured = np.random.default_rng(1).random((60, 3)) > 0.15
    assert began_together(first_runs(measured, 20, np.zeros(60, bool))) == ((0, 1, 2),)


def test_a_control_without_enough_runs_parts_no_panel():
    measured = np.ones((60, 3), bool)
    measured[4:, 0] = False
    assert began_together(first_runs(measured, 20, np.zeros(60, bool))) == ((0, 1, 2),)


def test_each_control_is_judged_as_soon_as_its_own_baseline_is_complete():
    values, there, _ = runs([0.0] * 20, controls=2, baseline=30)
    there[:5, 1] = False
    values[22], values[26] = 0.9, 0.9
    found = watch(values, there, first_runs(there, 20, np.zeros(50, bool)))
    assert np.flatnonzero(found.judged)[0] == 20
    assert {(b.at, b.controls) for b in found.breaches if b.rule == "1-3s"} == {
        (22, (0,)),
        (26, (0,)),
        (26, (1,)),
    }
