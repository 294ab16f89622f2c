"""Conditions decide, turn round, name their parts and say themselves in words."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from her2path.domain.guideline.conditions import All, AnyOf, Comparison, Fact, Not, Quantity, cut_words

COPIES = Quantity("copies", "HER2 copies", "signals per nucleus", lambda n: n.her2, lambda n: n.nuclei)
SHARE = Quantity("pct", "stained", "per cent of tumour cells", lambda n: 100 * n.her2, lambda n: n.nuclei)
CELLS = Quantity("cells", "largest cluster", "cells", lambda n: n.her2, lambda _: 1, lambda n: n.is_known)
NUCLEI = Quantity("nuclei", "counted nuclei", "nuclei", lambda n: n.nuclei, lambda _: 1)
SIGNALS = Quantity("signals", "HER2 signals", "signals", lambda n: n.her2, lambda _: 1)
BIOPSY = Fact("biopsy", lambda n: n.is_biopsy, "resection")
TILTED = Fact("tilted", lambda n: n.is_tilted)


def case(her2: int, nuclei: int = 20, **more: bool) -> SimpleNamespace:
    known = {"is_known": True, "is_biopsy": False, "is_tilted": False}
    return SimpleNamespace(her2=her2, nuclei=nuclei, **known | more)


def on_grid(condition, numbers, **more: bool) -> list[bool]:
    return np.broadcast_to(condition.on_grid(case(np.array(numbers), **more)), len(numbers)).tolist()


@pytest.mark.parametrize(
    ("condition", "below", "on", "above"),
    [
        pytest.param(COPIES >= 4, False, True, True, id="4.0 or more"),
        pytest.param(COPIES > 4, False, False, True, id="more than 4.0"),
        pytest.param(COPIES <= 4, True, True, False, id="4.0 or fewer"),
        pytest.param(COPIES < 4, True, False, False, id="fewer than 4.0"),
    ],
)
def test_a_cut_belongs_to_the_side_that_names_it(condition, below, on, above):
    numbers, expected = (79, 80, 81), [below, on, above]

    assert [condition(case(n)) for n in numbers] == expected
    assert on_grid(condition, numbers) == expected
    assert [(~condition)(case(n)) for n in numbers] == [not e for e in expected]
    assert on_grid(~condition, numbers) == [not e for e in expected]


def test_a_cut_with_decimals_is_exact():
    near = COPIES >= "2.2"

    assert near.cut == Fraction(11, 5)
    assert [near(case(n)) for n in (43, 44, 45)] == on_grid(near, (43, 44, 45)) == [False, True, True]


def test_a_quantity_is_exact_and_what_is_not_measured_is_no_number():
    assert COPIES.value(case(90)) == Fraction(9, 2)
    assert COPIES.value(case(0)) == 0
    assert COPIES.value(case(0, nuclei=0)) is None
    assert CELLS.value(case(4)) == 4
    assert CELLS.value(case(4, is_known=False)) is None


def test_a_comparison_without_a_denominator_is_an_error_not_an_answer():
    with pytest.raises(ValueError, match="^HER2 copies is not defined: it divides by zero$"):
        (COPIES < 4)(case(0, nuclei=0))


MANY, FEW = COPIES >= 6, COPIES < 4


@pytest.mark.parametrize(("is_biopsy", "her2"), list(product([False, True], [79, 80, 119, 120])))
def test_parts_combine_as_their_words_say(is_biopsy, her2):
    here = case(her2, is_biopsy=is_biopsy)
    many, few = her2 >= 120, her2 < 80
    for condition, expected in (
        (BIOPSY & MANY, is_biopsy and many),
        (BIOPSY | MANY, is_biopsy or many),
        (~BIOPSY & (MANY | FEW), not is_biopsy and (many or few)),
        ((BIOPSY & MANY) | FEW, (is_biopsy and many) or few),
        (~(BIOPSY & MANY), not (is_biopsy and many)),
        (~(BIOPSY | MANY), not (is_biopsy or many)),
        (~~BIOPSY, is_biopsy),
        (~(~BIOPSY & ~MANY), is_biopsy or many),
    ):
        assert condition(here) is expected, str(condition)
        assert on_grid(condition, [her2, her2], is_biopsy=is_biopsy) == [expected, expected]


def test_a_part_that_settles_the_matter_is_the_last_one_asked():
    """A ratio without CEP17 is not defined; a part before it may say that it is not needed."""
    undefined, here = COPIES < 4, case(0, nuclei=0)

    assert not (BIOPSY & undefined)(here)
    assert (TILTED | undefined)(case(0, nuclei=0, is_tilted=True))


def test_a_chain_is_one_condition_however_it_was_put_together():
    for chain, kind in ((BIOPSY & MANY & FEW, All), (BIOPSY | MANY | FEW, AnyOf)):
        assert isinstance(chain, kind)
        assert chain.parts == (BIOPSY, MANY, FEW)
    assert (BIOPSY & (MANY & FEW)).parts == (BIOPSY, MANY, FEW)
    assert (BIOPSY | (MANY | FEW)).parts == (BIOPSY, MANY, FEW)
    assert (BIOPSY & (MANY | FEW)).parts == (BIOPSY, AnyOf((MANY, FEW)))


def test_turning_round_twice_is_the_condition_itself():
    assert ~~MANY == MANY
    assert ~~BIOPSY is BIOPSY
    assert AnyOf((Not(BIOPSY), COPIES < 6)) == ~(BIOPSY & MANY)
    assert All((Not(BIOPSY), COPIES < 6)) == ~(BIOPSY | MANY)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (COPIES >= 4, "HER2 copies ≥ 4.0"),
        (COPIES > "2.2", "HER2 copies > 2.2"),
        (SHARE <= 10, "stained ≤ 10 %"),
        (SHARE < "0.5", "stained < 0.5 %"),
        (CELLS >= 5, "largest cluster ≥ 5"),
        (NUCLEI >= 20, "counted nuclei ≥ 20"),
        (SIGNALS > 5, "HER2 signals > 5"),
        (SIGNALS > 0, "any HER2 signals"),
        (SIGNALS <= 0, "no HER2 signals"),
        (SIGNALS >= 0, "HER2 signals ≥ 0"),
        (SIGNALS < 0, "HER2 signals < 0"),
        (SHARE > 0, "any stained cells"),
        (SHARE <= 0, "no stained cells"),
        (BIOPSY, "biopsy"),
        (~BIOPSY, "resection"),
        (~TILTED, "not: tilted"),
        (BIOPSY & (COPIES >= 6), "biopsy and HER2 copies ≥ 6.0"),
        (BIOPSY & (MANY | FEW), "biopsy and (HER2 copies ≥ 6.0 or HER2 copies < 4.0)"),
        (BIOPSY | (MANY & ~TILTED), "biopsy or (HER2 copies ≥ 6.0 and not: tilted)"),
        (BIOPSY | MANY, "biopsy or HER2 copies ≥ 6.0"),
    ],
)
def test_a_condition_says_itself_in_the_words_of_a_guideline(condition, words):
    assert str(condition) == words


def test_a_cut_is_printed_with_its_unit():
    assert [cut_words(c) for c in (COPIES >= 2, SHARE >= 10, CELLS >= 5)] == ["2.0", "10 %", "5"]


def test_a_fact_on_a_grid_is_true_or_false_whatever_its_test_answers_with():
    odd = Fact("an odd number of signals", lambda n: n.her2 % 2)

    assert odd.on_grid(case(np.array([2, 3]))).dtype == np.bool_
    assert on_grid(odd & (COPIES >= 0), [2, 3]) == [False, True]
    assert on_grid(~odd, [2, 3]) == [True, False]


def test_every_statement_is_listed_once_and_in_order():
    condition = ~BIOPSY & (MANY | FEW) & (MANY | TILTED)

    assert condition.atoms == (BIOPSY, MANY, FEW, TILTED)
    assert (BIOPSY | MANY | BIOPSY).atoms == (BIOPSY, MANY)
    assert (~TILTED).atoms == TILTED.atoms == (TILTED,)
    assert isinstance(MANY, Comparison)
    assert MANY.atoms == (MANY,)
