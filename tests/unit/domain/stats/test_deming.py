from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from her2path.domain.stats.deming import Scatter, deming


def _by_singular_vectors(first, second, error_ratio):
    """Total least squares in units of the errors: the line along the first singular vector."""
    centred = np.column_stack((first - first.mean(), (second - second.mean()) / np.sqrt(error_ratio)))
    along = np.linalg.svd(centred, full_matrices=False)[2][0]
    slope = along[1] / along[0] * np.sqrt(error_ratio)
    return slope, second.mean() - slope * first.mean()


def _sample(seed, n=25):
    rng = np.random.default_rng(seed)
    true = rng.uniform(1, 10, n)
    return true + rng.normal(0, 0.5, n), 0.8 * true + 1 + rng.normal(0, 0.7, n)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("error_ratio", [0.25, 1.0, 4.0])
def test_line_equals_total_least_squares(seed, error_ratio):
    first, second = _sample(seed)

    line = deming(second, first, error_ratio=error_ratio)

    expected = _by_singular_vectors(first, second, error_ratio)
    assert (line.slope.value, line.intercept.value) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_interval_equals_a_jackknife_that_fits_each_line_anew(seed):
    first, second = _sample(seed)
    n = len(first)
    whole = np.array(_by_singular_vectors(first, second, 2.0))
    without = np.array(
        [_by_singular_vectors(np.delete(first, i), np.delete(second, i), 2.0) for i in range(n)]
    )
    error = (n * whole - (n - 1) * without).std(axis=0, ddof=1) / np.sqrt(n)
    reach = stats.t.ppf(0.975, n - 2) * error

    line = deming(second, first, error_ratio=2.0)

    assert (line.slope.low, line.intercept.low) == pytest.approx(tuple(whole - reach), abs=1e-9)
    assert (line.slope.high, line.intercept.high) == pytest.approx(tuple(whole + reach), abs=1e-9)


def _weighted_anew(first, second, error_ratio):
    """Weighted total least squares, round by round, each by singular vectors."""
    slope, intercept = _by_singular_vectors(first, second, error_ratio)
    for _ in range(60):
        off = (second - intercept - slope * first) / (error_ratio + slope**2)
        on_line = np.column_stack((first + slope * off, second - error_ratio * off))
        size = (error_ratio * on_line[:, 0] + on_line[:, 1]) / (1 + error_ratio)
        weights = 1 / size**2
        centre = np.average(np.column_stack((first, second)), axis=0, weights=weights)
        scaled = (np.column_stack((first, second)) - centre) * np.sqrt(weights)[:, None]
        along = np.linalg.svd(scaled / [1, np.sqrt(error_ratio)], full_matrices=False)[2][0]
        slope = along[1] / along[0] * np.sqrt(error_ratio)
        intercept = centre[1] - slope * centre[0]
    return slope, intercept


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("error_ratio", [0.5, 1.0, 2.0])
def test_weighted_line_equals_weighted_total_least_squares(seed, error_ratio):
    rng = np.random.default_rng(seed)
    true = np.exp(rng.normal(1, 0.5, 30))
    first, second = true * np.exp(rng.normal(0, 0.1, 30)), 1.3 * true * np.exp(rng.normal(0, 0.1, 30))

    line = deming(second, first, error_ratio=error_ratio, scatter=Scatter.PROPORTIONAL)

    expected = _weighted_anew(first, second, error_ratio)
    assert (line.slope.value, line.intercept.value) == pytest.approx(expected, abs=1e-9)


def _counted(seed, n):
    rng = np.random.default_rng(seed)
    true = np.exp(rng.normal(1, 0.5, n))
    return true * np.exp(rng.normal(0, 0.1, n)), 1.3 * true * np.exp(rng.normal(0, 0.1, n))


@pytest.mark.parametrize("seed", range(5))
def test_weighted_interval_equals_a_jackknife_that_finds_the_weights_of_each_line_anew(seed):
    # Linnet, Clin Chem 39:424 (1993): the whole procedure is repeated without each pair.
    first, second = _counted(seed, 20)
    n = len(first)
    whole = np.array(_weighted_anew(first, second, 1.0))
    without = np.array([_weighted_anew(np.delete(first, i), np.delete(second, i), 1.0) for i in range(n)])
    error = (n * whole - (n - 1) * without).std(axis=0, ddof=1) / np.sqrt(n)
    reach = stats.t.ppf(0.975, n - 2) * error

    line = deming(second, first, scatter=Scatter.PROPORTIONAL)

    assert (line.slope.low, line.intercept.low) == pytest.approx(tuple(whole - reach), abs=1e-9)
    assert (line.slope.high, line.intercept.high) == pytest.approx(tuple(whole + reach), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_weights_told_to_first_order_give_the_interval_of_those_found_anew(seed, monkeypatch):
    first, second = _counted(seed, 300)
    anew = deming(second, first, scatter=Scatter.PROPORTIONAL)
    monkeypatch.setattr("her2path.domain.stats.deming._MOST_FITTED_ANEW", 100)

    told = deming(second, first, scatter=Scatter.PROPORTIONAL)

    assert told.slope.value == pytest.approx(anew.slope.value, abs=1e-9)
    for one, other in ((told.slope, anew.slope), (told.intercept, anew.intercept)):
        assert one.high - one.low == pytest.approx(other.high - other.low, rel=2e-3)


def test_weights_do_not_depend_on_the_unit():
    first, second = _sample(6)

    one = deming(second, first, scatter=Scatter.PROPORTIONAL)
    other = deming(1000 * second, 1000 * first, scatter=Scatter.PROPORTIONAL)

    assert other.slope.value == pytest.approx(one.slope.value, abs=1e-9)
    assert other.slope.high == pytest.approx(one.slope.high, abs=1e-9)


def test_a_large_case_that_is_off_moves_a_weighted_line_less():
    first = np.append(np.linspace(1, 5, 20), 20.0)
    second = np.append(np.linspace(1, 5, 20) + 0.05 * np.sin(np.arange(20)), 30.0)

    plain = deming(second, first)
    weighted = deming(second, first, scatter=Scatter.PROPORTIONAL)

    assert abs(weighted.slope.value - 1) < abs(plain.slope.value - 1)


def test_weights_make_no_line_where_there_is_none():
    upright = deming(np.arange(5.0), np.full(5, 2.0), scatter=Scatter.PROPORTIONAL)

    assert upright.slope.value is None


def test_exchanged_methods_give_the_line_read_the_other_way_round():
    first, second = _sample(3)

    one, other = deming(second, first, error_ratio=2.0), deming(first, second, error_ratio=0.5)

    assert other.slope.value == pytest.approx(1 / one.slope.value, abs=1e-9)


def test_an_error_ratio_that_grows_moves_the_line_towards_least_squares():
    first, second = _sample(4)

    line = deming(second, first, error_ratio=1e9)

    assert line.slope.value == pytest.approx(stats.linregress(first, second).slope, abs=1e-6)


def test_falling_relations_have_a_line_too():
    first, second = _sample(5)

    assert deming(-second, first).slope.value == pytest.approx(-deming(second, first).slope.value, abs=1e-9)


def test_points_on_a_line_have_an_interval_without_width():
    first = np.arange(6, dtype=float)

    line = deming(3 * first - 2, first)

    assert (line.slope.low, line.slope.high) == pytest.approx((3, 3), abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        pytest.param([], [], "4 pairs", id="no pair"),
        pytest.param([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "4 pairs", id="three pairs"),
        pytest.param([2.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0], "go together", id="one method never changes"),
        pytest.param([1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], "go together", id="no relation at all"),
    ],
)
def test_no_line_is_said_with_the_reason(first, second, why):
    line = deming(np.array(first), np.array(second))

    assert line.slope.value is None
    assert why in line.slope.why


def test_a_line_that_hangs_on_one_case_has_no_interval():
    line = deming(np.array([1.0, 1.0, 1.0, 1.0, 9.0]), np.array([2.0, 2.5, 1.5, 2.0, 10.0]))

    assert line.slope.value is not None
    assert line.slope.why == "the line hangs on a single pair"


@pytest.mark.parametrize("error_ratio", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_error_ratio_is_refused(error_ratio):
    with pytest.raises(ValueError, match="error variances"):
        deming(np.arange(5.0), np.arange(5.0), error_ratio=error_ratio)


@pytest.mark.parametrize("second", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, np.inf]])
def test_measurements_that_are_no_pairs_are_refused(second):
    with pytest.raises(ValueError, match="pairs|length"):
        deming(np.arange(4.0), np.array(second))
