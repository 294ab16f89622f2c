"""Charts of shares: limits of small groups, groups that differ, and their false alarms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from her2path.domain.stats.control_chart_drift import cusum
from her2path.domain.stats.control_chart_shares import (
    FEWEST_CASES,
    FEWEST_GROUPS,
    LEVEL,
    SLACK,
    ShareBaseline,
    design_share_drift,
    estimate_share,
    share_limits,
    share_scores,
)

WELL_KNOWN = ShareBaseline(
    groups=2000, cases=1_000_000, positive=160_000, correlation=0.0, laney_sigma=1.0, known_as=1_000_000.0
)


def counts(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 20, 73])
def test_limits_of_a_known_share_are_quantiles_of_the_binomial(size):
    limits = share_limits(WELL_KNOWN, size)
    usual = stats.binom(size, 0.16)
    assert usual.sf(limits.high - 1) <= LEVEL / 2 < usual.sf(limits.high - 2)
    assert usual.cdf(limits.low) <= LEVEL / 2 < usual.cdf(limits.low + 1)
    assert limits.false_alarm == pytest.approx(usual.sf(limits.high - 1) + usual.cdf(limits.low), rel=0.01)


def test_a_group_of_one_case_never_alarms_where_the_share_is_usual():
    limits = share_limits(WELL_KNOWN, 1)
    assert (limits.low, limits.high, limits.false_alarm) == (-1, 2, 0.0)


def test_one_case_alarms_where_the_share_was_never_seen():
    never = estimate_share(np.zeros(50, np.int64), np.full(50, 100))
    assert share_limits(never, 1).high == 1


@pytest.mark.parametrize("size", [1, 3, 10, 40])
def test_no_group_size_alarms_more_often_than_stated(size):
    baseline = ShareBaseline(20, 400, 60, 0.03, 1.3, 250.0)
    assert 0 <= share_limits(baseline, size).false_alarm <= LEVEL


def test_a_baseline_that_is_hardly_known_has_wider_limits():
    hardly = ShareBaseline(12, 100, 16, 0.0, 1.0, 100.0)
    assert share_limits(hardly, 40).high > share_limits(WELL_KNOWN, 40).high


def test_groups_that_differ_by_chance_alone_have_no_correlation_of_note():
    rng = np.random.default_rng(1)
    cases = rng.integers(1, 30, 400)
    found = estimate_share(rng.binomial(cases, 0.3), cases)
    assert found.correlation < 0.02
    assert found.laney_sigma == pytest.approx(1, abs=0.15)


def test_groups_that_differ_show_how_far():
    rng = np.random.default_rng(2)
    cases = rng.integers(5, 40, 600)
    found = estimate_share(rng.binomial(cases, rng.beta(0.3 * 9, 0.7 * 9, 600)), cases)
    assert found.correlation == pytest.approx(0.1, abs=0.02)
    assert found.laney_sigma > 1.4
    assert found.known_as < 0.5 * found.cases


def test_groups_of_one_case_say_nothing_of_how_far_groups_differ():
    found = estimate_share(np.tile([0, 1], 60), np.ones(120, np.int64))
    assert (found.correlation, found.laney_sigma) == (0, None)


@pytest.mark.parametrize("share", [0, 1])
def test_a_share_of_none_or_all_has_a_baseline_with_an_interval(share):
    found = estimate_share(np.full(20, 10 * share), np.full(20, 10))
    low, high = found.interval
    assert low <= share <= high
    assert high - low < 0.03
    assert found.laney_sigma is None


def test_groups_without_cases_are_no_groups():
    found = estimate_share(counts(*[2] * 12, 0), counts(*[10] * 12, 0))
    assert (found.groups, found.cases) == (12, 120)


@pytest.mark.parametrize(
    ("groups", "each", "code"),
    [
        pytest.param(0, 1, "too_few_groups", id="nothing"),
        pytest.param(FEWEST_GROUPS - 1, 50, "too_few_groups", id="one group too few"),
        pytest.param(FEWEST_GROUPS, (FEWEST_CASES - 1) // FEWEST_GROUPS, "too_few_cases", id="too few cases"),
    ],
)
def test_too_little_gives_no_chart_and_says_why(groups, each, code):
    assert estimate_share(np.zeros(groups, np.int64), np.full(groups, each)).code == code


def test_laneys_sigma_is_the_moving_range_over_its_normal_value():
    positive, cases = counts(1, 4, 2, 6, 3, 5, 2, 4, 1, 6, 3, 4), np.full(12, 10)
    share = positive.sum() / 120
    z = (positive / 10 - share) / np.sqrt(share * (1 - share) / 10)
    # 1.128 is the mean range of two standard normal values (d2).
    expected = np.mean([abs(b - a) for a, b in pairwise(z)]) / 1.128379
    assert estimate_share(positive, cases).laney_sigma == pytest.approx(expected, rel=1e-6)


def test_scores_of_groups_in_control_are_centred_and_never_wider_than_normal():
    rng = np.random.default_rng(3)
    cases = rng.choice([1, 4, 12, 30], 20_000)
    scores = share_scores(WELL_KNOWN, rng.binomial(cases, 0.16), cases)
    assert abs(scores.mean()) < 0.02
    for size in (1, 4, 12, 30):
        assert scores[cases == size].std() < 1.02


def test_a_group_without_cases_scores_nothing():
    assert share_scores(WELL_KNOWN, counts(0, 3), counts(0, 10))[0] == 0


@pytest.mark.parametrize("rho", [0.0, 0.05])
def test_the_cusum_of_shares_alarms_falsely_as_often_as_stated(rho):
    sizes, base = counts(1, 5, 9, 20), ShareBaseline(60, 600, 96, rho, 1.0, 600 / (1 + rho * 12))
    limit = design_share_drift(base, sizes)
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(600):
        # An independent world of which this baseline is a fair picture.
        truth = rng.beta(0.16 * base.known_as + 0.5, 0.84 * base.known_as + 0.5)
        shares = rng.beta(truth * (1 / rho - 1), (1 - truth) * (1 / rho - 1), 100) if rho else truth
        cases = rng.choice(sizes, 100)
        up, down = cusum(share_scores(base, rng.binomial(cases, shares), cases), SLACK)
        alarms += max(up.max(), down.max()) > limit
    assert alarms / 600 == pytest.approx(1 - np.exp(-100 / 370), abs=0.055)
