"""Weights of cases, and the imaginary case among them."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.domain.stats import bayesian_bootstrap
from her2path.domain.stats.bayesian_bootstrap import (
    Drawing,
    draw_sums,
    draw_tables,
    drawn_estimate,
    fewer_cases,
    imaginary_case,
    imaginary_tallies,
)
from her2path.domain.stats.read_tallies import ReadTallies

FEW = Drawing(draws=400)
TABLE = np.array([[30, 4, 0, 0], [3, 25, 5, 1], [0, 2, 18, 2], [0, 0, 1, 9]])


def test_the_imaginary_case_differs_rather_by_one_category_than_by_three():
    masses = imaginary_case(np.full(4, 0.25)).reshape(4, 4)
    assert masses.sum() == pytest.approx(1)
    assert np.trace(masses) == pytest.approx(1 / 3)
    assert masses[0, 1] == pytest.approx(3 * masses[0, 3])


def test_the_imaginary_case_keeps_to_the_categories_that_were_chosen():
    masses = imaginary_case(np.array([0.6, 0.0, 0.4, 0.0])).reshape(4, 4)
    assert masses[1].sum() == masses[:, 3].sum() == 0


def test_of_one_category_there_is_no_imaginary_case_and_no_drawing():
    assert imaginary_case(np.array([1.0, 0.0])) is None
    assert draw_tables(np.diag([5, 0]), FEW) is None


def test_without_cases_nothing_is_drawn():
    assert draw_tables(np.zeros((4, 4), np.int64), FEW) is None


def test_drawn_tables_hold_as_many_cases_as_there_are_and_scatter_about_their_shares():
    drawn = draw_tables(TABLE, FEW)
    assert np.allclose(drawn.sum(axis=(1, 2)), 100)
    assert drawn.mean(axis=0)[0, 0] == pytest.approx(30, abs=0.7)
    # A share of 0.3 of 100 cases scatters by sqrt(0.3 * 0.7 / 99).
    assert drawn[:, 0, 0].std() == pytest.approx(100 * np.sqrt(0.3 * 0.7 / 99), rel=0.15)


def test_a_disagreement_that_was_not_seen_is_drawn_all_the_same():
    drawn = draw_tables(np.diag([10, 10, 10, 10]), FEW)
    assert (drawn[:, 0, 1] > 0).any()


def test_sums_do_not_depend_on_how_many_are_drawn_at_a_time(monkeypatch):
    tallies = ReadTallies.of_table(TABLE)
    features = tallies.patterns.astype(np.float64)
    of_imaginary = imaginary_tallies(tallies).patterns.astype(np.float64)
    at_once = draw_sums(tallies, features, of_imaginary, FEW)
    monkeypatch.setattr(bayesian_bootstrap, "_CHUNK", 200)
    assert np.allclose(draw_sums(tallies, features, of_imaginary, FEW), at_once)


def test_among_five_readers_one_differs_on_an_imaginary_case():
    five = ReadTallies(np.array([[5, 0], [4, 1]]), np.array([7, 2]))
    assert imaginary_tallies(five).patterns.tolist() == [[5, 0], [4, 1], [1, 4], [0, 5]]


@pytest.mark.parametrize(("cases", "weight"), [(1, 0.5), (4, 0.5), (5, 0.6), (100, 0.98)])
def test_few_cases_weigh_less_but_never_less_than_half(cases, weight):
    assert fewer_cases(cases) == pytest.approx(weight)


def test_where_most_drawings_have_no_value_there_is_no_interval():
    drawn = np.array([np.nan] * 60 + [0.5] * 40)
    estimate = drawn_estimate(0.4, drawn, cases=3, drawing=FEW)
    assert (estimate.value, estimate.low) == (0.4, None)
    assert "most drawings" in estimate.why


def test_the_interval_holds_the_value():
    estimate = drawn_estimate(1.0, np.linspace(0.8, 0.9, 101), cases=40, drawing=FEW)
    assert (round(estimate.low, 4), estimate.high) == (0.8025, 1.0)
