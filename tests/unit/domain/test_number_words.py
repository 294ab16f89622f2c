"""Counts and differences within sentences."""

from __future__ import annotations

import pytest

from her2path.domain.number_words import MINUS, counted, natural_order, signed


@pytest.mark.parametrize(("n", "words"), [(0, "0 runs have"), (1, "1 run has"), (2, "2 runs have")])
def test_one_thing_is_no_plural(n, words):
    assert counted(n, "run", verb=("has", "have")) == words
    assert counted(n, "run") == words.rsplit(" ", 1)[0]


def test_a_difference_below_zero_has_a_minus_sign_and_no_hyphen():
    assert signed(-2.34, digits=1) == f"{MINUS}2.3"
    assert signed(2.34, digits=2) == "+2.34"


def test_numbered_readers_stand_in_the_order_of_their_numbers():
    names = ["reader_10", "reader_2", "7", "AB", "reader_01", "reader_1"]
    assert sorted(names, key=natural_order) == ["7", "AB", "reader_01", "reader_1", "reader_2", "reader_10"]


def test_a_difference_that_rounds_to_nothing_is_not_below_0():
    assert signed(-0.04, digits=1) == "+0.0"
    assert signed(-0.06, digits=1) == f"{MINUS}0.1"
