"""Nuclei for a recount: others than the first count's, every area, in an order that tells nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest

from her2path.domain.recount_choice import Candidate, Wish, choose
from her2path.domain.verdict import NotEvaluable


def nuclei(image_id, n, *, used=False, ranked=True, two_plus=False, start=1):
    return [Candidate(image_id, i, i if ranked else None, used, two_plus) for i in range(start, start + n)]


def test_nuclei_of_the_first_count_are_left_out_where_there_are_twenty_others():
    chosen = choose([*nuclei("a", 40, used=True), *nuclei("b", 20)], Wish(30, 0))
    assert {one.image_id for one in chosen} == {"b"}
    assert len(chosen) == 20


def test_they_fill_up_only_where_there_are_fewer():
    chosen = choose([*nuclei("a", 40, used=True), *nuclei("b", 19)], Wish(30, 0))
    assert sum(not one.in_first_count for one in chosen) == 19
    assert len(chosen) == 30


def test_on_request_they_fill_the_sheet_up():
    chosen = choose([*nuclei("a", 40, used=True), *nuclei("b", 20)], Wish(30, 0, fill_up=True))
    assert (len(chosen), sum(one.in_first_count for one in chosen)) == (30, 10)


@pytest.mark.parametrize(("n", "enough"), [pytest.param(20, True, id="20"), pytest.param(19, False, id="19")])
def test_fewer_than_twenty_nuclei_are_no_sheet(n, enough):
    chosen = choose(nuclei("a", n, used=True), Wish(30, 0))
    assert isinstance(chosen, NotEvaluable) is not enough
    if not enough:
        assert "only 19 nuclei can be counted, 20 are needed" in chosen.reason


def test_a_guideline_that_adds_both_counts_shows_no_nucleus_twice():
    found = [*nuclei("a", 40, used=True), *nuclei("b", 19)]
    chosen = choose(found, Wish(30, 0, may_reuse=False))
    assert isinstance(chosen, NotEvaluable)
    assert "only 19 nuclei are not in the first count" in chosen.reason


def test_the_best_ranked_of_each_image_are_taken_in_turn():
    chosen = choose([*nuclei("a", 50), *nuclei("b", 50)], Wish(30, 0))
    assert {(one.image_id, one.rank) for one in chosen} == {(i, r) for i in "ab" for r in range(1, 16)}


def test_without_ranks_the_seed_alone_chooses():
    found = nuclei("a", 100, ranked=False)
    first, again, other = (choose(found, Wish(30, seed)) for seed in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


def test_the_order_of_the_candidates_does_not_matter():
    found = [*nuclei("a", 30), *nuclei("b", 30, ranked=False)]
    assert choose(found, Wish(25, 3)) == choose(found[::-1], Wish(25, 3))


def test_numbers_tell_neither_rank_nor_image():
    chosen = choose([*nuclei("a", 15), *nuclei("b", 15)], Wish(30, 0))
    assert [one.rank for one in chosen] != sorted(one.rank for one in chosen)
    changes = sum(x.image_id != y.image_id for x, y in pairwise(chosen))
    assert changes > 8


def test_half_of_the_sheet_comes_from_the_area_with_ihc_2():
    chosen = choose([*nuclei("a", 60), *nuclei("b", 60), *nuclei("c", 60, two_plus=True)], Wish(30, 0))
    assert sum(one.in_two_plus for one in chosen) >= 15


def test_the_area_with_ihc_2_is_shown_even_if_the_first_count_holds_it():
    chosen = choose([*nuclei("a", 60), *nuclei("c", 10, used=True, two_plus=True)], Wish(30, 0))
    assert sum(one.in_two_plus for one in chosen) == 10
    assert len(set(chosen)) == 30
