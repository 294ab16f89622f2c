"""Baselines: how many runs, what stands out, what has no spread."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.control_chart import (
    FEWEST_RUNS,
    as_percent,
    estimate_baseline,
    find_outliers,
    variance_stabilised,
)
from her2path.domain.verdict import NotEvaluable

ROSNER = np.fromstring(
    """
    -0.25 0.68 0.94 1.15 1.20 1.26 1.26 1.34 1.38 1.43 1.49 1.49 1.55 1.56 1.58 1.65 1.69 1.70 1.76 1.77 1.81
    1.91 1.94 1.96 1.99 2.06 2.09 2.10 2.14 2.15 2.23 2.24 2.26 2.35 2.37 2.40 2.47 2.54 2.62 2.64 2.90 2.92
    2.92 2.93 3.21 3.26 3.30 3.59 3.68 4.30 4.64 5.34 5.42 6.01
    """,
    sep=" ",
)


def test_outliers_are_those_of_rosners_example():
    # Rosner, Technometrics 25:165 (1983), example of 54 values; as worked out in the NIST/SEMATECH
    # e-Handbook, 1.3.5.17.3: exactly three outliers.
    assert ROSNER[list(find_outliers(ROSNER))].tolist() == [5.34, 5.42, 6.01]


def test_normal_values_have_an_outlier_in_one_baseline_of_twenty():
    rng = np.random.default_rng(7)
    share = np.mean([bool(find_outliers(rng.standard_normal(40))) for _ in range(400)])
    assert 0.02 < share < 0.09


def test_an_outlier_of_the_baseline_is_named_and_kept():
    values = np.array([*np.linspace(0.45, 0.55, 24), 0.9])
    found = estimate_baseline(values)
    assert found.outliers == (24,)
    assert found.mean == pytest.approx(values.mean())
    assert found.mean_without == pytest.approx(0.5)
    assert found.sd > 2 * found.sd_without


@pytest.mark.parametrize("runs", [0, 1, 3, FEWEST_RUNS - 1])
def test_too_few_runs_give_no_chart_and_say_how_many_are_needed(runs):
    found = estimate_baseline(np.linspace(0, 1, runs))
    assert isinstance(found, NotEvaluable)
    assert found.code == "too_few_runs"
    assert f"{runs} of the {FEWEST_RUNS} runs" in found.reason


def test_twenty_runs_are_enough():
    assert estimate_baseline(np.linspace(0, 1, FEWEST_RUNS)).runs == FEWEST_RUNS


@pytest.mark.parametrize("value", [0.0, 0.1, 100.0])
def test_a_control_that_never_varies_has_no_chart(value):
    assert estimate_baseline(np.full(30, value)).code == "constant_control"


def test_a_baseline_that_drifts_is_doubted():
    rng = np.random.default_rng(3)
    assert "not_independent" in estimate_baseline(np.linspace(0, 1, 40) + 0.01 * rng.random(40)).doubts


def test_a_skewed_baseline_is_doubted():
    values = np.random.default_rng(3).permutation(np.exp(np.linspace(-2, 4, 60)))
    assert "not_normal" in estimate_baseline(values).doubts


def test_a_normal_baseline_is_rarely_doubted():
    rng = np.random.default_rng(11)
    assert sum(bool(estimate_baseline(rng.standard_normal(30)).doubts) for _ in range(300)) < 15


@pytest.mark.parametrize("percent", [0.0, 0.3, 10.0, 50.0, 99.9, 100.0])
def test_percentages_come_back_from_their_scale(percent):
    assert as_percent(float(variance_stabilised(np.array([percent]))[0])) == pytest.approx(percent)


def test_percentages_scatter_alike_everywhere_on_their_scale():
    rng = np.random.default_rng(5)
    spread = [variance_stabilised(rng.binomial(2000, share, 4000) / 20).std() for share in (0.05, 0.5, 0.95)]
    assert max(spread) / min(spread) < 1.08
