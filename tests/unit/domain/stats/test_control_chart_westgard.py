"""Westgard's rules, each on and beside its limit, and against a slow re-statement."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats.control_chart_westgard import Westgard, broken, find_breaches


def found(columns, measured=None):
    """Rule and run of each breach on a chart of one control or more (a list a control)."""
    z = np.array(columns, float).T
    there = np.ones(z.shape, bool) if measured is None else np.array(measured, bool).T
    return [(str(b.rule), b.at) for b in find_breaches(z, there)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([2.0], [], id="on 2 SD"),
        pytest.param([2.01], [("1-2s", 0)], id="beyond 2 SD: a warning alone"),
        pytest.param([3.0], [("1-2s", 0)], id="on 3 SD"),
        pytest.param([-3.01], [("1-2s", 0), ("1-3s", 0)], id="beyond 3 SD below"),
        pytest.param([2.1, 2.1], [("1-2s", 0), ("2-2s", 1)], id="two beyond 2 SD"),
        pytest.param([2.1, -2.1], [("1-2s", 0), ("1-2s", 1)], id="two on opposite sides over runs: no R-4s"),
        pytest.param([2.1, 0, 2.1], [("1-2s", 0), ("1-2s", 2)], id="two not in a row"),
        pytest.param([1.1, 1.1, 1.1], [], id="three beyond 1 SD"),
        pytest.param([1.1, 1.1, 1.1, 1.1], [("4-1s", 3)], id="four beyond 1 SD"),
        pytest.param([1.1, 1.1, 1.0, 1.1], [], id="one of four on 1 SD"),
        pytest.param([0.1] * 9, [], id="nine on one side"),
        pytest.param([-0.1] * 10, [("10x", 9)], id="ten on one side"),
        pytest.param([0.1] * 9 + [0.0], [], id="the tenth on the mean"),
        pytest.param([0.1] * 14, [("10x", 9)], id="fourteen are one breach"),
    ],
)
def test_a_rule_on_and_beside_its_limit(values, expected):
    assert found([values]) == expected


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        pytest.param([[2.1], [-2.1]], ["1-2s", "1-2s", "R-4s"], id="one above, one below"),
        pytest.param([[2.1], [-2.0]], ["1-2s"], id="the other on 2 SD"),
        pytest.param([[2.1], [2.1]], ["1-2s", "1-2s", "2-2s"], id="both above"),
    ],
)
def test_controls_of_one_run_are_held_against_each_other(controls, expected):
    assert sorted(rule for rule, _ in found(controls)) == expected


def test_a_breach_names_all_runs_that_it_rests_on():
    z = np.array([[0.0], *[[1.2]] * 5, [0.0]])
    (breach,) = find_breaches(z, np.ones(z.shape, bool))
    assert (breach.rule, breach.at, breach.runs, breach.side) == (Westgard.R41S, 4, (1, 2, 3, 4, 5), "above")


def test_a_breach_within_a_run_names_that_run_and_its_controls_alone():
    z = np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 2.5]])
    (breach,) = (b for b in find_breaches(z, np.ones(z.shape, bool)) if b.rule is Westgard.R22S)
    assert (breach.runs, breach.controls) == ((1,), (0, 2))


def test_a_run_without_the_control_neither_breaks_nor_ends_a_series():
    values = [1.2, 1.2, 9.0, 1.2, 1.2]
    assert found([values], [[True, True, False, True, True]]) == [("4-1s", 4)]


def test_no_run_breaks_no_rule():
    assert find_breaches(np.empty((0, 2)), np.empty((0, 2), bool)) == ()


def slow(z, there):
    """The rules as their paper words them, value by value."""
    hits = set()
    for c in range(z.shape[1]):
        past = []
        for r in range(z.shape[0]):
            if not there[r, c]:
                continue
            past.append(z[r, c])
            for sign, side in ((1, "above"), (-1, "below")):
                last = [sign * value for value in past]
                plan = (("1-2s", 1, 2), ("1-3s", 1, 3), ("2-2s", 2, 2), ("4-1s", 4, 1), ("10x", 10, 0))
                for name, many, limit in plan:
                    if len(last) >= many and all(value > limit for value in last[-many:]):
                        hits.add((name, side, r, c))
    for r in range(z.shape[0]):
        high = [c for c in range(z.shape[1]) if there[r, c] and z[r, c] > 2]
        low = [c for c in range(z.shape[1]) if there[r, c] and z[r, c] < -2]
        if high and low:
            hits |= {("R-4s", "apart", r, c) for c in high + low}
        hits |= {("2-2s", "above", r, c) for c in high if len(high) > 1}
        hits |= {("2-2s", "below", r, c) for c in low if len(low) > 1}
    return hits


@pytest.mark.parametrize("gaps", [0.0, 0.15])
@pytest.mark.parametrize("seed", range(20))
def test_rules_equal_a_slow_restatement(seed, gaps):
    rng = np.random.default_rng(seed)
    z = 1.7 * rng.standard_normal((60, 3)) + np.repeat(rng.choice([0, 1.5], 6), 10)[:, None]
    there = rng.random(z.shape) >= gaps
    fast = {
        (str(rule), side, int(r), int(c))
        for (rule, side), places in broken(z[None], there[None]).items()
        for r, c in zip(*np.nonzero(places[0]), strict=True)
    }
    assert fast == slow(z, there)
