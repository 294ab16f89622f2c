"""Software beside readers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from her2path.domain.stats.among_readers import among_readers


def reads(seed: int, *, cases: int = 120, readers: int = 4, slips: float = 0.2):
    """Readers, the last column the software, who slip alike; one read in ten is missing."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, cases)
    codes = np.where(
        rng.random((cases, readers + 1)) < slips, rng.integers(0, 4, (cases, readers + 1)), truth[:, None]
    )
    read = rng.random((cases, readers + 1)) > 0.1
    return codes[:, -1], read[:, -1], codes[:, :-1], read[:, :-1]


@pytest.mark.parametrize("seed", range(20))
def test_shares_of_20_random_sets_are_those_counted_case_by_case(seed):
    software, software_read, codes, read = reads(seed, cases=30)
    own, others, gaps = [], [], []
    for i in range(30):
        seen = codes[i][read[i]]
        if software_read[i] and len(seen) >= 1:
            own.append(np.mean(seen == software[i]))
        if len(seen) >= 2:
            others.append(np.mean([a == b for a, b in combinations(seen, 2)]))
        if software_read[i] and len(seen) >= 2:
            gaps.append(own[-1] - others[-1])
    found = among_readers(software, software_read, codes, read)
    assert (found.cases, found.with_readers.n, found.of_readers.n) == (len(gaps), len(own), len(others))
    assert found.with_readers.value == pytest.approx(np.mean(own), abs=1e-9)
    assert found.of_readers.value == pytest.approx(np.mean(others), abs=1e-9)
    assert found.difference.value == pytest.approx(np.mean(gaps), abs=1e-9)


def test_software_that_always_differs_is_below_the_readers():
    readers = np.tile(np.arange(4).repeat(10)[:, None], (1, 3))
    all_read = np.ones(readers.shape, bool)
    found = among_readers(3 - readers[:, 0], all_read[:, 0], readers, all_read)
    assert found.difference.value == -1.0
    assert found.difference.high < -0.8


def test_perfect_agreement_of_all_leaves_a_difference_of_0_with_an_interval_about_it():
    readers = np.tile(np.arange(4).repeat(10)[:, None], (1, 3))
    all_read = np.ones(readers.shape, bool)
    found = among_readers(readers[:, 0], all_read[:, 0], readers, all_read)
    assert found.with_readers.value == found.of_readers.value == 1.0
    assert found.difference.value == 0.0
    assert found.difference.low < 0 < found.difference.high


def test_one_reader_cannot_be_compared_with_others():
    found = among_readers(np.array([0]), np.ones(1, bool), np.array([[0]]), np.ones((1, 1), bool))
    assert (found.cases, found.of_readers.value, found.difference.value) == (0, None, None)
    assert found.of_readers.why == "no case was read by two readers"
    assert found.difference.why.startswith("no case was read by the software and two readers")


def test_two_cases_that_two_readers_shared_do_not_speak_for_the_hundred_they_divided():
    cases = 102
    software, codes = np.zeros(cases, int), np.zeros((cases, 2), int)
    read = np.zeros((cases, 2), bool)
    read[:51, 0] = read[49:, 1] = True
    codes[:10] = 1  # one reader differs on ten cases that only they read
    found = among_readers(software, np.ones(cases, bool), codes, read)
    assert (found.with_readers.value, found.with_readers.n) == (pytest.approx(92 / 102), 102)
    assert (found.of_readers.value, found.of_readers.n) == (1.0, 2)
    assert (found.difference.value, found.difference.n) == (None, 2)
    assert found.difference.why.startswith("only 2 cases were read")


@pytest.mark.parametrize(("cases", "judged"), [(9, False), (10, True)])
def test_a_difference_is_judged_on_ten_cases_and_not_on_nine(cases, judged):
    all_read = np.ones((cases, 2), bool)
    found = among_readers(np.zeros(cases, int), all_read[:, 0], np.zeros((cases, 2), int), all_read)
    assert (found.difference.value is not None) is judged


def test_readers_are_compared_on_cases_that_the_software_could_not_evaluate():
    evaluated = np.arange(20) >= 5
    readers = np.stack([np.arange(20) % 4, np.where(evaluated, np.arange(20) % 4, 3)], axis=1)
    found = among_readers(readers[:, 0], evaluated, readers, np.ones((20, 2), bool))
    assert (found.with_readers.n, found.cases, found.of_readers.n) == (15, 15, 20)
    assert found.of_readers.value < 1.0 == found.with_readers.value


def test_one_case_is_compared_with_hardly_any_certainty():
    found = among_readers(np.array([1]), np.ones(1, bool), np.array([[1, 1]]), np.ones((1, 2), bool))
    assert (found.with_readers.value, found.cases) == (1.0, 1)
    assert found.with_readers.low < 0.5


def test_other_cases_for_the_software_are_refused():
    with pytest.raises(ValueError, match="same cases"):
        among_readers(np.array([0]), np.ones(1, bool), np.zeros((2, 2), int), np.ones((2, 2), bool))
