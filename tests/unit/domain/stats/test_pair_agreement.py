"""All that a table of two readers tells, and one reader against themselves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.confusion import exact_agreement, within_one_agreement
from her2path.domain.stats.gwet import gwet_ac
from her2path.domain.stats.intra_reader import intra_reader
from her2path.domain.stats.kappa import cohens_kappa, fleiss_kappa
from her2path.domain.stats.krippendorff_alpha import krippendorff_alpha
from her2path.domain.stats.pair_agreement import pair_agreement
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting
from tests.unit.domain.stats.agreement_tables import random_tables

FEW = Drawing(draws=200)


def test_every_figure_of_20_random_tables_is_that_of_its_own_function():
    for table in random_tables():
        found, tallies = pair_agreement(table, drawing=FEW), ReadTallies.of_table(table)
        assert found.kappa_quadratic == cohens_kappa(table, Weighting.QUADRATIC, drawing=FEW)
        assert found.exact == exact_agreement(table)
        assert found.within_one == within_one_agreement(table)
        assert found.ac1.value == pytest.approx(gwet_ac(tallies, drawing=FEW).value, abs=1e-12)
        expected = gwet_ac(tallies, Weighting.QUADRATIC, drawing=FEW).value
        assert found.ac2.value == pytest.approx(expected, abs=1e-12)
        assert found.alpha.value == krippendorff_alpha(tallies, drawing=FEW).value


def test_intervals_hold_their_value_and_end_within_the_range_of_the_coefficient():
    for table in random_tables():
        for field in dataclasses.fields(found := pair_agreement(table, drawing=FEW)):
            estimate = getattr(found, field.name)
            assert -1 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_an_empty_stratum_has_no_figure_and_every_figure_says_why():
    for estimate in dataclasses.astuple(pair_agreement(np.zeros((4, 4), np.int64))):
        assert estimate[0] is None
        assert estimate[-1] == "no case was read by both"


def test_one_category_leaves_only_agreement_itself():
    found = pair_agreement(np.diag([7, 0, 0, 0]))
    assert found.exact.value == found.ac1.value == found.ac2.value == 1.0
    assert found.exact.has_interval
    assert not found.ac2.has_interval
    assert [e.value for e in (found.kappa, found.kappa_linear, found.kappa_quadratic, found.alpha)] == [
        None
    ] * 4


def test_one_case_gives_no_error_and_no_certainty():
    found = pair_agreement(np.array([[0, 1], [0, 0]]))
    assert (found.exact.value, found.kappa.value, found.alpha.value) == (0.0, 0.0, 0.0)
    assert found.exact.high > 0.7


def test_two_sessions_of_a_reader_agree_as_two_readers_do():
    rng = np.random.default_rng(7)
    first = rng.integers(0, 4, 80)
    again = np.clip(first + rng.choice([-1, 0, 0, 0, 0, 2], 80), 0, 3)
    codes, table = np.stack([first, again], axis=1), np.zeros((4, 4), np.int64)
    np.add.at(table, (first, again), 1)
    found = intra_reader(codes, np.ones((80, 2), bool), categories=4, drawing=FEW)
    assert found.exact == exact_agreement(table)
    assert found.within_one == within_one_agreement(table)
    tallies = ReadTallies.of_table(table)
    assert found.kappa.value == pytest.approx(fleiss_kappa(tallies, drawing=FEW).value, abs=1e-12)
    assert found.alpha.value == pytest.approx(krippendorff_alpha(tallies, drawing=FEW).value, abs=1e-12)


def test_of_three_sessions_every_pair_counts_and_every_case_once():
    codes = np.array([[0, 0, 1], [2, 2, 2], [1, 3, 0], [3, 3, 0]])
    read = np.ones((4, 3), bool)
    read[3, 2] = False
    found = intra_reader(codes, read, categories=4)
    assert found.exact.value == pytest.approx((1 / 3 + 1 + 0 + 1) / 4)
    assert found.within_one.value == pytest.approx((1 + 1 + 1 / 3 + 1) / 4)
    assert found.exact.low < found.exact.value < found.exact.high


def test_a_case_read_once_says_nothing_of_repetition():
    found = intra_reader(np.array([[0, 1], [2, 0]]), np.array([[True, True], [True, False]]), categories=4)
    assert (found.cases, found.exact.value) == (1, 0.0)


def test_a_reader_without_a_second_session_has_no_intra_reader_agreement():
    found = intra_reader(np.array([[0], [1]]), np.ones((2, 1), bool), categories=4)
    assert (found.cases, found.exact.value) == (0, None)
    assert found.alpha.why == "no case was read in two sessions"


def test_a_reader_who_gave_one_answer_in_three_sessions_agrees_without_an_interval():
    found = intra_reader(np.zeros((5, 3), int), np.ones((5, 3), bool), categories=4)
    assert (found.exact.value, found.exact.low) == (1.0, None)
    assert found.kappa.value is None
