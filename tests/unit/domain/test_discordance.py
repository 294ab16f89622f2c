from __future__ import annotations

from itertools import product

import pytest

from her2path.domain.discordance import (
    ORDER,
    REASONS,
    TITLES,
    Discordance,
    Opinion,
    agree,
    discordance,
    ranked,
    repeats_result,
    review_case,
)
from her2path.domain.ihc import IhcScore
from her2path.domain.reads import ClinicalCategory

ZERO = Opinion(IhcScore.ZERO, ClinicalCategory.ZERO, "negative")
ZERO_UNKNOWN = Opinion(IhcScore.ZERO, None, "negative")
ULTRALOW = Opinion(IhcScore.ZERO, ClinicalCategory.ULTRALOW, "negative")
LOW_1 = Opinion(IhcScore.ONE_PLUS, ClinicalCategory.LOW, "negative")
LOW_2 = Opinion(IhcScore.TWO_PLUS, ClinicalCategory.LOW, "negative")
OPEN_2 = Opinion(IhcScore.TWO_PLUS, None, "needs_ish")
POSITIVE_2 = Opinion(IhcScore.TWO_PLUS, ClinicalCategory.POSITIVE, "positive")
POSITIVE_3 = Opinion(IhcScore.THREE_PLUS, ClinicalCategory.POSITIVE, "positive")
FAILED = Opinion(None, None, "not_evaluable")
SILENT = Opinion(None, None, None)
SCORE_ONLY_3 = Opinion(IhcScore.THREE_PLUS, None, None)
SCORE_ONLY_1 = Opinion(IhcScore.ONE_PLUS, None, None)
CATEGORY_ONLY = Opinion(None, ClinicalCategory.LOW, None)
ALL = (
    *(ZERO, ZERO_UNKNOWN, ULTRALOW, LOW_1, LOW_2, OPEN_2, POSITIVE_2, POSITIVE_3),
    *(FAILED, SILENT, SCORE_ONLY_3, SCORE_ONLY_1, CATEGORY_ONLY),
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(LOW_1, POSITIVE_3, Discordance.OPPOSITE_CALL, id="1+ negative, 3+ positive"),
        pytest.param(LOW_2, POSITIVE_2, Discordance.OPPOSITE_CALL, id="2+ both, ISH the other way"),
        pytest.param(CATEGORY_ONLY, POSITIVE_3, Discordance.OPPOSITE_CALL, id="a category without a call"),
        pytest.param(LOW_1, ZERO, Discordance.LOW_OR_NOT, id="1+ beside null"),
        pytest.param(LOW_1, ULTRALOW, Discordance.LOW_OR_NOT, id="1+ beside ultralow"),
        pytest.param(LOW_2, ZERO_UNKNOWN, Discordance.LOW_OR_NOT, id="0 that may be ultralow is not low"),
        pytest.param(ZERO, ULTRALOW, Discordance.ULTRALOW_OR_NOT, id="null beside ultralow"),
        pytest.param(OPEN_2, LOW_1, Discordance.ONE_CALL_OPEN, id="2+ asks for ISH, 1+ does not"),
        pytest.param(OPEN_2, POSITIVE_3, Discordance.ONE_CALL_OPEN, id="2+ asks for ISH, 3+ does not"),
        pytest.param(SCORE_ONLY_1, SCORE_ONLY_3, Discordance.SCORES_APART, id="scores without calls"),
        pytest.param(LOW_1, LOW_2, Discordance.ADJACENT_SCORE, id="1+ beside 2+ not amplified: both low"),
        pytest.param(POSITIVE_2, POSITIVE_3, Discordance.ADJACENT_SCORE, id="2+ amplified beside 3+"),
        pytest.param(ZERO, ZERO_UNKNOWN, None, id="0 beside a 0 that does not tell more"),
        pytest.param(LOW_1, FAILED, None, id="a case that one could not read is no disagreement"),
        pytest.param(LOW_1, SILENT, None, id="nothing said"),
    ],
)
def test_what_a_disagreement_changes(one, other, expected):
    assert discordance(one, other) is expected


def test_it_does_not_matter_who_is_named_first():
    for one, other in product(ALL, repeat=2):
        assert discordance(one, other) is discordance(other, one)


def test_nobody_disagrees_with_himself():
    assert all(discordance(one, one) is None for one in ALL)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(LOW_1, LOW_1, True, id="the same"),
        pytest.param(LOW_1, LOW_2, False, id="a step apart"),
        pytest.param(SCORE_ONLY_1, LOW_1, True, id="one states the score alone"),
        pytest.param(LOW_1, FAILED, None, id="one could not be read"),
        pytest.param(SCORE_ONLY_1, CATEGORY_ONLY, None, id="a score beside a category"),
        pytest.param(CATEGORY_ONLY, CATEGORY_ONLY, True, id="two categories"),
    ],
)
def test_opinions_agree_on_what_both_state(one, other, expected):
    assert agree(one, other) is expected


def test_calls_come_first_and_adjacent_scores_last():
    assert ORDER[0] is Discordance.OPPOSITE_CALL
    assert ORDER[1] is Discordance.LOW_OR_NOT
    assert ORDER[-1] is Discordance.ADJACENT_SCORE
    assert set(TITLES) == set(REASONS) == set(ORDER)


def test_a_case_takes_its_gravest_disagreement_and_counts_who_has_it():
    review = review_case("c", LOW_1, [LOW_1, POSITIVE_3, POSITIVE_2, ZERO])

    assert review.kind is Discordance.OPPOSITE_CALL
    assert review.against_software
    assert review.differing == 2
    assert review.by_reader == (
        None,
        Discordance.OPPOSITE_CALL,
        Discordance.OPPOSITE_CALL,
        Discordance.LOW_OR_NOT,
    )


def test_readers_who_differ_beside_a_software_that_is_open():
    review = review_case("c", OPEN_2, [LOW_1, POSITIVE_3])

    assert review.kind is Discordance.OPPOSITE_CALL
    assert not review.against_software
    assert review.differing == 1


def test_readers_are_compared_where_the_software_has_no_result():
    review = review_case("c", None, [ZERO, LOW_1, LOW_1])

    assert review.kind is Discordance.LOW_OR_NOT
    assert review.by_reader == (None, None, None)
    assert review.differing == 2


def test_one_reader_and_no_software_disagree_on_nothing():
    review = review_case("c", None, [ZERO])

    assert review.kind is None
    assert review.differing == 0
    assert not review.against_software


def test_order_of_review():
    reviews = [
        review_case("one step", LOW_1, [LOW_2]),
        review_case("agreed", LOW_1, [LOW_1]),
        review_case("b, one reader", LOW_1, [POSITIVE_3, LOW_1]),
        review_case("a, one reader", LOW_1, [POSITIVE_3, LOW_1]),
        review_case("c, two readers", LOW_1, [POSITIVE_3, POSITIVE_3]),
        review_case("readers alone", OPEN_2, [LOW_1, POSITIVE_3]),
        review_case("low or not", LOW_1, [ZERO, ZERO]),
    ]

    assert [one.case_id for one in ranked(reviews)] == [
        "c, two readers",
        "a, one reader",
        "b, one reader",
        "readers alone",
        "low or not",
        "one step",
    ]


COUNTED = Opinion(IhcScore.TWO_PLUS, ClinicalCategory.LOW, "negative")


@pytest.mark.parametrize(
    ("again", "same"),
    [
        (Opinion(IhcScore.TWO_PLUS, None, "needs_ish"), True),
        (Opinion(IhcScore.THREE_PLUS, ClinicalCategory.POSITIVE, "positive"), False),
        (Opinion(IhcScore.ONE_PLUS, ClinicalCategory.LOW, "negative"), False),
        (Opinion(None, None, "needs_ish"), None),
    ],
)
def test_a_read_without_a_count_is_held_against_a_count_by_what_both_have(again, same):
    assert repeats_result(COUNTED, again, counted=(True, False)) is same
    assert repeats_result(again, COUNTED, counted=(False, True)) is same


def test_reads_that_both_counted_are_held_by_their_calls():
    waiting = Opinion(IhcScore.TWO_PLUS, None, "needs_recount")

    assert repeats_result(COUNTED, waiting, counted=(True, True)) is False
