from __future__ import annotations

import math

import pytest

from her2path.reports.odds import odds_text, probability_text


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        pytest.param(0.0, "less than 1 in 10\u202f000 times", id="none found is not never"),
        pytest.param(0.00009, "less than 1 in 10\u202f000 times", id="too rare to say how rare"),
        pytest.param(0.0001, "about 1 in 10\u202f000 times", id="just not too rare"),
        pytest.param(0.0123, "about 1 in 81 times", id="one in eighty-one"),
        pytest.param(0.11, "about 1 in 9 times", id="one in nine, not one in eight"),
        pytest.param(0.27, "about 1 in 4 times", id="about a quarter"),
        pytest.param(0.29, "about 3 in 10 times", id="three in ten"),
        pytest.param(0.342, "about 1 in 3 times", id="about a third"),
        pytest.param(0.5, "about 1 in 2 times", id="a coin toss"),
        pytest.param(0.66, "about 2 in 3 times", id="about two thirds"),
        pytest.param(0.75, "about 3 in 4 times", id="three quarters"),
        pytest.param(0.97, "about 32 in 33 times", id="nearly always"),
        pytest.param(0.99995, "nearly every time", id="too sure to say how sure"),
        pytest.param(1.0, "nearly every time", id="nothing else found is not always"),
    ],
)
def test_a_probability_is_said_as_times_in_so_many_times(probability, words):
    assert odds_text(probability) == words


def test_the_words_never_lie_far_from_the_number():
    for n in range(1, 1000):
        probability = n / 1000
        of = odds_text(probability).removeprefix("about ").removesuffix(" times").replace("\u202f", "")
        times, total = map(int, of.split(" in "))
        rarer = min(probability, 1 - probability)
        assert abs(times / total - probability) <= min(0.05, 0.13 * rarer + 0.005)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        odds_text(wrong)


@pytest.mark.parametrize(
    ("probability", "printed"),
    [
        pytest.param(0.239, "23.9 %", id="one decimal does"),
        pytest.param(0.00357, "0.36 %", id="below one per cent a second decimal tells more"),
        pytest.param(0.0004, "0.04 %", id="0.0 would read as never"),
        pytest.param(0.9996, "99.96 %", id="100.0 would read as always"),
        pytest.param(0.0001, "0.01 %", id="the smallest that can be told"),
        pytest.param(0.9998, "99.98 %", id="nearly the largest that can be told"),
        pytest.param(1e-9, "< 0.01 %", id="below what can be told"),
        pytest.param(1 - 1e-9, "> 99.99 %", id="above what can be told"),
        pytest.param(0.0, "< 0.01 %", id="none found"),
        pytest.param(1.0, "> 99.99 %", id="nothing else found"),
    ],
)
def test_a_chance_is_never_printed_as_none_or_all(probability, printed):
    assert probability_text(probability) == printed
