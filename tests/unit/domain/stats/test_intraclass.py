from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from her2path.domain.stats.intraclass import intraclass

# Shrout & Fleiss, Psychol Bull 86:420 (1979), table 2: four judges, six targets.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)


def _of(table):
    return intraclass(table, np.ones(table.shape, dtype=bool))


@pytest.mark.parametrize(
    ("form", "published"),
    # Shrout & Fleiss 1979, table 4.
    [
        ("ICC(1,1)", 0.17),
        ("ICC(2,1)", 0.29),
        ("ICC(3,1)", 0.71),
        ("ICC(1,k)", 0.44),
        ("ICC(2,k)", 0.62),
        ("ICC(3,k)", 0.91),
    ],
)
def test_forms_as_published(form, published):
    assert round(dict(_of(JUDGES).forms)[form].value, 2) == published


@pytest.mark.parametrize(
    ("form", "low", "high"),
    # What ICC() of the R package psych prints for the same table.
    [
        ("ICC(1,1)", -0.133, 0.72),
        ("ICC(2,1)", 0.019, 0.76),
        ("ICC(3,1)", 0.342, 0.95),
        ("ICC(1,k)", -0.884, 0.91),
        ("ICC(2,k)", 0.071, 0.93),
        ("ICC(3,k)", 0.676, 0.99),
    ],
)
def test_intervals_as_the_reference_program_prints_them(form, low, high):
    estimate = dict(_of(JUDGES).forms)[form]

    assert (round(estimate.low, 3), round(estimate.high, 2)) == (low, high)


@pytest.mark.parametrize("seed", range(20))
def test_forms_equal_those_from_the_analysis_of_variance_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    n, k = 12, 3
    table = rng.normal(0, 2, (n, 1)) + rng.normal(0, 1, (1, k)) + rng.normal(0, 1, (n, k))
    long = pd.DataFrame(
        {
            "value": table.ravel(),
            "case": np.repeat(np.arange(n), k).astype(str),
            "reader": np.tile(np.arange(k), n).astype(str),
        }
    )
    two_way = anova_lm(ols("value ~ C(case) + C(reader)", long).fit())["mean_sq"]
    one_way = anova_lm(ols("value ~ C(case)", long).fit())["mean_sq"]
    cases, readers, error = two_way["C(case)"], two_way["C(reader)"], two_way["Residual"]
    within = one_way["Residual"]

    got = dict(_of(table).forms)

    expected = {
        "ICC(1,1)": (cases - within) / (cases + (k - 1) * within),
        "ICC(2,1)": (cases - error) / (cases + (k - 1) * error + k * (readers - error) / n),
        "ICC(3,1)": (cases - error) / (cases + (k - 1) * error),
        "ICC(1,k)": (cases - within) / cases,
        "ICC(2,k)": (cases - error) / (cases + (readers - error) / n),
        "ICC(3,k)": (cases - error) / cases,
    }
    assert {form: one.value for form, one in got.items()} == pytest.approx(expected, abs=1e-9)


def _mean_squares(table):
    n, k = table.shape
    between = k * table.mean(axis=1).var(ddof=1)
    readers = n * table.mean(axis=0).var(ddof=1)
    total = table.var() * n * k
    error = (total - (n - 1) * between - (k - 1) * readers) / ((n - 1) * (k - 1))
    within = (total - (n - 1) * between) / (n * (k - 1))
    return between, readers, error, within


@pytest.mark.parametrize("seed", range(20))
def test_bounds_of_models_1_and_3_are_where_the_f_test_turns(seed):
    rng = np.random.default_rng(seed)
    n, k = 12, 3
    table = rng.normal(0, 2, (n, 1)) + rng.normal(0, 1, (n, k))
    between, _, error, within = _mean_squares(table)
    result = _of(table)

    for form, noise, degrees in (
        (result.icc_1_1, within, n * (k - 1)),
        (result.icc_3_1, error, (n - 1) * (k - 1)),
    ):
        for bound, tail in ((form.low, 0.975), (form.high, 0.025)):
            ratio = between / noise / (1 + k * bound / (1 - bound))
            assert stats.f.cdf(ratio, n - 1, degrees) == pytest.approx(tail, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_bounds_of_model_2_equal_those_of_mcgraw_and_wong(seed):
    # McGraw & Wong, Psychol Methods 1:30 (1996), table 7, ICC(A,1): degrees of freedom by a and b.
    rng = np.random.default_rng(seed)
    n, k = 15, 4
    table = rng.normal(0, 2, (n, 1)) + rng.normal(0, 1, (1, k)) + rng.normal(0, 1, (n, k))
    between, readers, error, _ = _mean_squares(table)
    form = _of(table).icc_2_1
    odds = form.value / (1 - form.value)
    a, b = k * odds / n, 1 + k * odds * (n - 1) / n
    degrees = (a * readers + b * error) ** 2 / (
        (a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    above, below = stats.f.ppf(0.975, n - 1, degrees), stats.f.ppf(0.975, degrees, n - 1)
    rest = k * readers + (k * n - k - n) * error

    assert form.low == pytest.approx(n * (between - above * error) / (above * rest + n * between), abs=1e-9)
    assert form.high == pytest.approx(n * (below * between - error) / (rest + n * below * between), abs=1e-9)


def test_below_0_the_interval_of_model_2_has_the_degrees_of_freedom_of_no_correlation():
    # McGraw & Wong, Psychol Methods 1:30 (1996), with 0 in place of the negative estimate: (n - 1)(k - 1).
    table = np.array([[1.0, 2.0], [2.0, 1.2], [1.5, 1.6], [1.9, 1.0], [1.1, 2.1], [1.7, 1.4]])
    n, k = table.shape
    between, readers, error, _ = _mean_squares(table)
    above, below = stats.f.ppf(0.975, n - 1, n - 1), stats.f.ppf(0.975, n - 1, n - 1)
    rest = k * readers + (k * n - k - n) * error

    found = _of(table).icc_2_1

    assert found.value < 0
    assert found.low == pytest.approx(n * (between - above * error) / (above * rest + n * between), abs=1e-9)
    assert found.high == pytest.approx(n * (below * between - error) / (rest + n * below * between), abs=1e-9)


def test_a_case_that_a_reader_left_out_is_left_out_and_counted():
    table = np.vstack((JUDGES, [5.0, 0.0, 5.0, 5.0]))
    measured = np.ones(table.shape, dtype=bool)
    measured[-1, 1] = False

    result = intraclass(table, measured)

    assert result.icc_2_1 == _of(JUDGES).icc_2_1
    assert (result.cases, result.left_out) == (6, 1)


def test_perfect_agreement_is_one_without_width():
    same = np.repeat(np.arange(5.0)[:, None], 3, axis=1)

    for _, estimate in _of(same).forms:
        assert (estimate.value, estimate.low, estimate.high) == (1.0, 1.0, 1.0)


def test_a_constant_difference_spoils_agreement_but_not_consistency():
    shifted = np.arange(5.0)[:, None] + np.array([[0.1, 1.1]])

    result = _of(shifted)

    assert result.icc_3_1.value == 1.0
    assert result.icc_2_1.value == pytest.approx(2.5 / (2.5 + 0.5))
    assert "constants" in result.icc_2_1.why
    assert not result.icc_2_k.has_interval


def test_readers_who_contradict_each_other_have_no_reliable_mean():
    opposed = np.column_stack((np.arange(6.0), -np.arange(6.0)))

    result = _of(opposed)

    assert result.icc_3_1.value == -1.0
    assert "more than chance" in result.icc_3_k.why


def test_cases_without_difference_have_no_consistency():
    result = _of(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]))

    assert result.icc_3_1.value is None
    assert "do not differ" in result.icc_3_1.why


def test_two_cases_read_crosswise_have_no_agreement_to_state():
    result = _of(np.array([[1.0, 0.0], [0.0, 1.0]]))

    assert result.icc_2_1.value is None
    assert "so few cases" in result.icc_2_1.why


@pytest.mark.parametrize(
    ("table", "why"),
    [
        pytest.param(np.zeros((5, 1)), "one reader", id="one reader"),
        pytest.param(np.array([[1.0, 2.0]]), "2 cases", id="one case"),
        pytest.param(np.zeros((0, 3)), "2 cases", id="empty stratum"),
        pytest.param(np.full((4, 3), 2.0), "all values are equal", id="one value throughout"),
    ],
)
def test_no_correlation_is_said_with_the_reason(table, why):
    result = _of(table)

    assert all(estimate.value is None and why in estimate.why for _, estimate in result.forms)


def test_the_reason_says_how_many_cases_were_lost_to_missing_values():
    measured = np.array([[True, True], [True, False], [False, True]])

    assert "2 were left out" in intraclass(np.ones((3, 2)), measured).icc_1_1.why


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        intraclass(np.ones((3, 2)), np.ones((2, 3), dtype=bool))
    with pytest.raises(ValueError, match="finite"):
        intraclass(np.full((3, 2), np.nan), np.ones((3, 2), dtype=bool))
