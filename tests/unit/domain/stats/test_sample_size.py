from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from her2path.domain.stats.intervals import clopper_pearson_interval, wilson_interval
from her2path.domain.stats.sample_size import (
    ShareInterval,
    cases_for_kappa,
    cases_for_lower_bound,
    cases_for_width,
    expected_interval,
)
from her2path.domain.stats.weighting import Weighting

WILSON, EXACT = ShareInterval.WILSON, ShareInterval.CLOPPER_PEARSON
_OF_STATSMODELS = {WILSON: "wilson", EXACT: "beta"}


def _random_plans():
    rng = np.random.default_rng(11)
    return [
        (round(float(rng.uniform(0.5, 1)), 3), round(float(rng.uniform(0.05, 0.3)), 3)) for _ in range(20)
    ]


@pytest.mark.parametrize("method", list(ShareInterval))
@pytest.mark.parametrize(("share", "width"), _random_plans())
def test_one_case_fewer_would_be_too_few(share, width, method):
    plan = cases_for_width(share, width, method=method)

    def width_of(cases):
        low, high = proportion_confint(share * cases, cases, method=_OF_STATSMODELS[method])
        return high - low

    assert width_of(plan.cases) <= width + 1e-9
    assert width_of(plan.cases - 1) > width
    assert plan.high - plan.low == pytest.approx(width_of(plan.cases), abs=1e-9)


@pytest.mark.parametrize(
    ("method", "low", "high"), [(WILSON, 86.3, 98.3), (EXACT, 86.1, 99.0)], ids=["Wilson", "Clopper-Pearson"]
)
def test_interval_of_57_in_60_as_quoted(method, low, high):
    # Shared rules, section 4: 57 of 60 cases.
    got = expected_interval(57 / 60, 60, method=method)

    assert [round(100 * bound, 1) for bound in got] == [low, high]


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("method", list(ShareInterval))
def test_agreement_of_all_or_none_has_a_bound_at_the_end(share, method):
    bounds = expected_interval(share, 40, method=method)

    assert share in bounds


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("method", list(ShareInterval))
def test_each_further_case_narrows_the_interval(share, method):
    widths = [np.ptp(expected_interval(share, cases, method=method)) for cases in range(2, 300)]

    assert np.all(np.diff(widths) < 0)


@pytest.mark.parametrize("method", list(ShareInterval))
@pytest.mark.parametrize(("share", "at_least"), [(0.97, 0.9), (0.95, 0.9), (0.8, 0.5), (0.99, 0.95)])
def test_the_lower_bound_gets_there_as_often_as_stated_from_the_answer_on(share, at_least, method):
    interval = wilson_interval if method is WILSON else clopper_pearson_interval

    def power(cases):
        seen = np.arange(cases + 1)
        reached = np.array([interval(int(x), cases)[0] >= at_least - 1e-12 for x in seen])
        return float(stats.binom.pmf(seen, cases, share)[reached].sum())

    plan = cases_for_lower_bound(share, at_least, method=method)

    assert power(plan.cases - 1) < 0.8
    assert plan.power == pytest.approx(power(plan.cases), abs=1e-9)
    assert all(power(plan.cases + more) >= 0.8 for more in range(40))


def test_more_power_asks_for_more_cases():
    some = cases_for_lower_bound(0.97, 0.9, method=WILSON, power=0.8).cases

    assert cases_for_lower_bound(0.97, 0.9, method=WILSON, power=0.9).cases > some


def test_agreement_at_the_bound_cannot_be_shown_to_exceed_it():
    plan = cases_for_lower_bound(0.9, 0.9, method=WILSON)

    assert plan.cases is None
    assert "no number of cases" in plan.why


def test_a_bound_too_close_to_the_agreement_is_out_of_reach():
    assert "too close" in cases_for_lower_bound(0.5001, 0.5, method=WILSON).why


@pytest.mark.parametrize("method", list(ShareInterval))
def test_a_width_that_no_study_reaches_is_out_of_reach(method):
    plan = cases_for_width(0.5, 1e-6, method=method)

    assert plan.cases is None
    assert "greater width" in plan.why


@pytest.mark.parametrize(("kappa", "share"), [(0.6, 0.3), (0.8, 0.5), (0.4, 0.1), (0.0, 0.5)])
def test_two_categories_equal_the_closed_variance_of_kappa(kappa, share):
    # Variance at equal shares of both readers: Bloch & Kraemer, Biometrics 45:269 (1989).
    of_one = (1 - kappa) * ((1 - kappa) * (1 - 2 * kappa) + kappa * (2 - kappa) / (2 * share * (1 - share)))
    z = stats.norm.ppf(0.975)

    plan = cases_for_kappa(kappa, (share, 1 - share), 0.2)

    assert plan.cases == math.ceil(of_one * (2 * z / 0.2) ** 2)
    half = z * math.sqrt(of_one / plan.cases)
    assert plan.low == pytest.approx(kappa - half, abs=1e-9)


@pytest.mark.parametrize("weighting", [Weighting.UNWEIGHTED, Weighting.LINEAR, Weighting.QUADRATIC])
def test_weights_do_not_matter_for_two_categories(weighting):
    plain = cases_for_kappa(0.7, (0.4, 0.6), 0.2)

    assert cases_for_kappa(0.7, (0.4, 0.6), 0.2, weighting=weighting).cases == plain.cases


def test_a_rare_category_asks_for_more_cases():
    even = cases_for_kappa(0.8, (0.5, 0.5), 0.2).cases

    assert cases_for_kappa(0.8, (0.95, 0.05), 0.2).cases > 3 * even


def test_a_kappa_of_unreachable_precision_is_out_of_reach():
    assert "greater width" in cases_for_kappa(0.5, (0.5, 0.5), 1e-5).why


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(lambda: cases_for_width(1.2, 0.1, method=WILSON), id="agreement above 1"),
        pytest.param(lambda: cases_for_width(0.9, 0.0, method=WILSON), id="no width"),
        pytest.param(lambda: cases_for_width(0.9, 0.1, method=WILSON, confidence=1.0), id="certainty"),
        pytest.param(lambda: cases_for_lower_bound(0.9, 0.0, method=WILSON), id="no bound"),
        pytest.param(lambda: cases_for_lower_bound(0.9, 0.8, method=WILSON, power=1.0), id="certain power"),
        pytest.param(lambda: expected_interval(0.9, 0, method=WILSON), id="no case"),
        pytest.param(lambda: cases_for_kappa(1.0, (0.5, 0.5), 0.1), id="perfect kappa"),
        pytest.param(lambda: cases_for_kappa(0.5, (0.5, 0.5), 2.0), id="kappa wider than its range"),
        pytest.param(lambda: cases_for_kappa(0.5, (1.0,), 0.1), id="one category"),
        pytest.param(lambda: cases_for_kappa(0.5, (0.5, 0.6), 0.1), id="shares above 1 in all"),
        pytest.param(
            lambda: cases_for_kappa(0.5, (0.5, 0.5), 0.1, weighting=Weighting.ORDINAL), id="unknown variance"
        ),
    ],
)
def test_plans_that_make_no_sense_are_refused(plan):
    with pytest.raises(ValueError, match="between|below 1|need|known"):
        plan()
