from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from her2path.domain.ish import SignalSummary
from her2path.domain.means import (
    agrees,
    decimal_places,
    exact_summary,
    half_step,
    possible_totals,
    ratio_agrees,
)


@pytest.mark.parametrize(
    ("mean", "nuclei", "total"),
    [
        pytest.param("4", 20, 80, id="whole as it stands"),
        pytest.param("5.99", 100, 599, id="beside the cut at 6.0"),
        pytest.param("2.033333", 30, 61, id="61 of 30, printed with six digits"),
        pytest.param("4.190476", 21, 88, id="88 of 21"),
        pytest.param("2.095238", 21, 44, id="44 of 21: a ratio of exactly 2.0 with 88"),
        pytest.param("0", 20, 0, id="no signal"),
        pytest.param("4.190476190476191", 21, 88, id="88 of 21, divided by a program"),
        pytest.param("0.0476190476190476", 21, 1, id="1 of 21, by a program that drops the last digit"),
    ],
)
def test_a_mean_goes_back_to_the_signals_it_came_from(mean, nuclei, total):
    assert possible_totals(Decimal(mean), nuclei).nearest == total


def test_a_rounded_mean_leaves_several_totals():
    possible = possible_totals(Decimal("4.1"), 35)

    assert (possible.lowest, possible.highest, possible.nearest, possible.count) == (142, 145, 144, 4)
    assert (possible.is_exact, possible.is_certain) == (False, False)


def test_a_whole_product_may_still_be_a_rounded_mean():
    assert possible_totals(Decimal("4.0"), 50).is_exact
    assert not possible_totals(Decimal("4.0"), 50).is_certain
    assert possible_totals(Decimal("4.00"), 50).is_certain


def test_a_mean_that_no_whole_count_gives_has_no_total():
    assert possible_totals(Decimal("4.13"), 20).count == 0


def test_a_mean_below_its_last_digit_is_no_negative_count():
    assert possible_totals(Decimal("0"), 30).lowest == 0


@pytest.mark.parametrize(
    ("number", "places", "step"),
    [("4", 0, "1/2"), ("4.0", 1, "1/20"), ("4.10", 2, "1/200"), ("1E+2", 0, "1/2")],
)
def test_rounding_moves_a_number_by_half_of_its_last_digit(number, places, step):
    assert decimal_places(Decimal(number)) == places
    assert half_step(Decimal(number)) == Fraction(step)


def test_what_is_not_finite_has_no_digits():
    assert decimal_places(Decimal("NaN")) == 0


@pytest.mark.parametrize(
    ("mean", "holds"), [("4.19", True), ("4.190476", True), ("4.2", True), ("4.20", False), ("4.3", False)]
)
def test_a_total_and_a_mean_agree_to_the_digits_written(mean, holds):
    assert agrees(88, 21, Decimal(mean)) is holds


@pytest.mark.parametrize(
    ("ratio", "holds"),
    [
        pytest.param("2", True, id="exactly"),
        pytest.param("2.00", True, id="with its zeros"),
        pytest.param("1.99", False, id="a whole digit off"),
        pytest.param("1.995", False, id="five thousandths off, typed to a thousandth"),
        pytest.param("1.9999999999999998", True, id="a quotient of doubles"),
        pytest.param("1.98", False, id="two digits off"),
        pytest.param("1.9", False, id="rounded away over 0.05"),
        pytest.param("1", False, id="a whole number is no licence"),
    ],
)
def test_a_ratio_fits_its_totals(ratio, holds):
    assert ratio_agrees(SignalSummary(21, 88, 44), Decimal(ratio)) is holds


@pytest.mark.parametrize("cep17", [0, None])
def test_without_cep17_signals_there_is_no_ratio_to_compare(cep17):
    with pytest.raises(ValueError, match="no ratio"):
        ratio_agrees(SignalSummary(20, 80, cep17), Decimal(2))


@pytest.mark.parametrize(
    ("her2", "cep17", "expected"),
    [
        pytest.param("5.99", "3.1", SignalSummary(100, 599, 310), id="whole in 100 nuclei"),
        pytest.param("4.5", "2", SignalSummary(20, 90, 40), id="at least 20"),
        pytest.param("4.125", "2", SignalSummary(24, 99, 48), id="eighths: the next after 20"),
        pytest.param("6", None, SignalSummary(20, 120, None), id="single probe"),
        pytest.param("4.190476190476191", "2", SignalSummary(21, 88, 42), id="88 of 21 by a program"),
    ],
)
def test_means_without_a_number_of_nuclei_are_taken_as_exact(her2, cep17, expected):
    found = exact_summary(Decimal(her2), None if cep17 is None else Decimal(cep17), fewest=20)

    assert found == expected
