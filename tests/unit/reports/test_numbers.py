from __future__ import annotations

import pytest

from her2path.domain.number_words import MINUS
from her2path.reports.numbers import count_text, number_text, percentage_text, signed_text, value_text


@pytest.mark.parametrize(
    ("value", "cut", "printed"),
    [
        pytest.param(10.0, 10.0, "10.00", id="on the cut"),
        pytest.param(10.001, 10.0, "10.001", id="just above: 10.00 would read as on the cut"),
        pytest.param(9.99996, 10.0, "9.99996", id="just below, five decimals needed"),
        pytest.param(1.99999999, 2.0, "1.99999999", id="a hundred millionth below"),
        pytest.param(11.004, 10.0, "11.00", id="away from the cut two decimals do"),
    ],
)
def test_a_number_beside_a_cut_is_never_printed_as_the_cut(value, cut, printed):
    assert number_text(value, cuts=(cut,)) == printed


def test_not_measured_is_a_dash_and_zero_is_a_zero():
    assert number_text(None) == count_text(None) == "–"
    assert number_text(0.0) == "0.00"
    assert count_text(0) == "0"


def test_negative_numbers_carry_a_minus_sign_and_thousands_a_narrow_space():
    assert number_text(-1.5) == f"{MINUS}1.50"
    assert count_text(1_234_567) == "1\u202f234\u202f567"


def test_a_small_difference_is_never_printed_as_zero():
    assert signed_text(0.0004) == "+0.0004"
    assert signed_text(-0.0004) == f"{MINUS}0.0004"


def test_a_named_value_gets_its_unit():
    assert value_text("limit_of_blank_pct", 0.5) == "0.50 %"
    assert value_text("her2_mean", 4.5) == "4.50"
    assert value_text("nuclei", 40) == "40"
    assert value_text("ihc", "2+") == "2+"


@pytest.mark.parametrize(
    ("pct", "printed"),
    [
        pytest.param(100 / 40_001, "< 0.01", id="1 stained cell of 40 001"),
        pytest.param(100 * 40_000 / 40_001, "> 99.99", id="all other cells"),
        pytest.param(0.0, "0.00", id="none at all"),
        pytest.param(100.0, "100.00", id="all of them"),
        pytest.param(0.0051, "0.01", id="rounds to what can be printed"),
    ],
)
def test_one_rare_cell_is_not_printed_as_none_nor_the_others_as_all(pct, printed):
    assert percentage_text(pct) == printed
    assert value_text("pct_stained", pct) == f"{printed} %"


def test_a_rare_cell_beside_a_cut_at_zero_keeps_its_digits():
    assert percentage_text(0.0025, cuts=(0.0,)) == "0.003"
