from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from her2path.domain.case import Controls
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.domain.reading import Count
from her2path.domain.stability import Basis, Stability, stability
from her2path.domain.verdict import NotEvaluable

B2013, B2018 = GUIDELINES["breast_2013"], GUIDELINES["breast_2018"]
STOMACH, HERACLES = GUIDELINES["gastroesophageal_2016"], GUIDELINES["colorectal_heracles_2015"]
G1, G2, G3, G4, G5 = (IshFinding(str(number)) for number in range(1, 6))
AMPLIFIED, NOT_AMPLIFIED = IshFinding.AMPLIFIED, IshFinding.NOT_AMPLIFIED

AT_THE_CUT = [(4, 2)] * 8 + [(6, 2), (2, 2), (5, 2), (3, 2), (6, 3), (3, 1), (5, 3), (4, 2)] + [(4, 2)] * 4
"""20 nuclei with 82 HER2 and 41 CEP17 signals: ratio 2.0, copies 4.1."""


def nuclei(pairs: list[tuple[int, int | None]]) -> tuple[NucleusSignals, ...]:
    return tuple(NucleusSignals(*pair) for pair in pairs)


def totals(n: int, her2: int, cep17: int | None, **more: object) -> IshReading:
    return IshReading(SignalSummary(n, her2, cep17), **more)  # type: ignore[arg-type]


def stable(reading: IshReading, guideline=B2018, counted: tuple[NucleusSignals, ...] = ()) -> Stability:
    found = stability(reading, guideline, counted)
    assert isinstance(found, Stability)
    return found


def one_by_one(pairs: list[tuple[int, int | None]], guideline=B2018) -> Stability:
    counted = nuclei(pairs)
    share = share_with_ratio(counted, ratio_is_at_least_2)
    return stable(IshReading(SignalSummary.of(counted), share_ratio_at_least_2=share), guideline, counted)


@pytest.mark.parametrize(
    ("pairs", "guideline"),
    [
        pytest.param(AT_THE_CUT, B2018, id="20 nuclei on ratio 2.0"),
        pytest.param([(9, 4), (6, 3), (5, 4), (7, 2)] * 6, B2018, id="24 nuclei near copies 6.0"),
        pytest.param([(9, 4), (6, 3), (5, 4), (3, 3)] * 6, STOMACH, id="stomach, CEP17 above 3.0"),
        pytest.param([(4, 2), (1, 1), (3, 2), (9, 0)] * 5, HERACLES, id="share of amplified nuclei"),
    ],
)
def test_the_bootstrap_agrees_with_drawing_nuclei_by_chance(pairs, guideline):
    drawn = np.random.default_rng(0).integers(0, len(pairs), size=(20_000, len(pairs)))
    sums = np.array(pairs)[drawn].sum(axis=1).tolist()
    found = one_by_one(pairs, guideline)
    if guideline is HERACLES:
        # Only nuclei with CEP17 are drawn again, because the others have no ratio.
        kept = [pair for pair in pairs if pair[1]]
        amplified = np.array([her2 >= 2 * cep17 for her2, cep17 in kept])
        chosen = np.random.default_rng(0).integers(0, len(kept), size=(20_000, len(kept)))
        readings = [
            totals(20, 80, 40, share_ratio_at_least_2=Fraction(k, len(kept)))
            for k in amplified[chosen].sum(axis=1).tolist()
        ]
    else:
        readings = [totals(len(pairs), her2, cep17) for her2, cep17 in sums]
    times = Counter(decide(reading, guideline.ish_dual).conclusion for reading in readings)

    assert set(times) <= set(found.probabilities)
    for name, p in found.probabilities.items():
        assert times[name] / 20_000 == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / 20_000) + 1e-9)


def test_twenty_nuclei_on_ratio_two_are_a_coin_toss():
    found = one_by_one(AT_THE_CUT)

    assert (found.finding, found.basis, found.nuclei) == (G1, Basis.NUCLEI, 20)
    ratio_at_least_2 = found.probabilities[G1] + found.probabilities[G2]
    assert 0.5 < ratio_at_least_2 < 0.6  # the cut itself belongs to the upper side
    assert found.margins[0].change == -1


def test_more_nuclei_of_the_same_kind_make_a_result_safer():
    pairs = [(5, 2), (4, 2), (6, 2), (5, 3), (4, 2)]  # ratio 2.18, copies 4.8

    others = [one_by_one(pairs * k).another_finding for k in (4, 8, 16)]

    assert others == sorted(others, reverse=True)
    assert others[0] > 10 * others[2]


def test_a_clear_amplification_stays_one_whoever_counts():
    assert one_by_one([(12, 2), (14, 2), (9, 2), (13, 2)] * 5).another_finding == 0
    assert stable(totals(20, 240, 40)).another_finding == 0


def test_a_clear_result_rests_on_its_margins():
    found = stable(totals(20, 240, 40))

    assert [(m.counted, m.change, m.finding) for m in found.margins] == [
        ("her2_signals", -161, G5),
        ("cep17_signals", 81, G3),
    ]


def test_nuclei_that_are_all_alike_leave_nothing_to_chance_even_on_the_cut():
    found = one_by_one([(4, 2)] * 20)

    assert found.probabilities == {G1: 1.0, G2: 0.0, G3: 0.0, G4: 0.0, G5: 0.0}
    assert found.margins[0].change == -1


def test_totals_alone_are_taken_for_poisson_counts():
    found = stable(totals(20, 120, None))

    assert found.basis is Basis.POISSON
    at_least_120 = 1 - sum(math.exp(k * math.log(120) - 120 - math.lgamma(k + 1)) for k in range(120))
    assert found.probabilities[AMPLIFIED] == pytest.approx(at_least_120, abs=1e-9)


def test_poisson_totals_of_two_colours_are_summed_over_the_guidelines_own_groups():
    found = stable(totals(20, 84, 42))

    def poisson(k: int, mean: int) -> float:
        return math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))

    exact = dict.fromkeys(found.probabilities, 0.0)
    for her2, cep17 in product(range(20, 160), range(5, 90)):
        group = decide(totals(20, her2, cep17), B2018.ish_dual).conclusion
        exact[group] += poisson(her2, 84) * poisson(cep17, 42)
    assert found.probabilities == pytest.approx(exact, abs=1e-9)


def test_another_count_without_a_signal_of_one_colour_would_be_indeterminate():
    found = stable(totals(20, 60, 1))

    assert found.probabilities[IshFinding.INDETERMINATE] == pytest.approx(math.exp(-1), abs=1e-9)
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-9)
    assert IshFinding.INDETERMINATE not in stable(totals(20, 60, 40)).probabilities


def test_groups_that_are_one_result_by_the_guideline_are_no_other_result():
    found = one_by_one(AT_THE_CUT, B2013)

    another = sum(p for name, p in found.probabilities.items() if not B2013.is_one_result(G1, name))
    assert found.another_result == pytest.approx(another, abs=1e-9)
    assert found.another_result < found.another_finding


@pytest.mark.parametrize(
    ("share", "probability"),
    [
        pytest.param(Fraction(10, 20), Fraction(616_666, 2**20), id="10 of 20: on the cut"),
        pytest.param(Fraction(20, 20), Fraction(1), id="all of them"),
        pytest.param(Fraction(0), Fraction(0), id="none of them"),
    ],
)
def test_a_stated_share_of_amplified_nuclei_is_binomial(share, probability):
    found = stable(totals(20, 120, 60, share_ratio_at_least_2=share), HERACLES)

    assert found.basis is Basis.NUCLEI
    assert found.probabilities[AMPLIFIED] == pytest.approx(float(probability), abs=1e-9)


def test_a_share_beside_a_guideline_of_totals_changes_nothing():
    stated = totals(20, 84, 42, share_ratio_at_least_2=Fraction(1, 2))

    assert stable(stated) == stable(totals(20, 84, 42))


@pytest.mark.parametrize(
    ("reading", "guideline", "said"),
    [
        pytest.param(totals(19, 80, 40), B2018, "fewer than 20 nuclei", id="19 nuclei"),
        pytest.param(totals(20, 80, 0), B2018, "no CEP17 signal", id="no CEP17"),
        pytest.param(totals(20, 80, 40, controls=Controls.FAIL), B2018, "controls", id="controls"),
        pytest.param(totals(20, 80, 40, areas=1), B2018, "two areas", id="one area"),
        pytest.param(totals(20, 80, 40), HERACLES, "how many nuclei", id="no share"),
        pytest.param(totals(20, 80, None), STOMACH, "single probe", id="single probe of the stomach"),
    ],
)
def test_a_count_that_cannot_be_read_has_no_stability(reading, guideline, said):
    found = stability(reading, guideline)

    assert isinstance(found, NotEvaluable)
    assert found.code == "count_not_readable"
    assert said in found.reason


def test_a_recount_is_not_asked_for_a_second_area():
    one_area = totals(20, 80, 40, areas=1)

    assert isinstance(stability(one_area, B2018, count=Count.RECOUNT), Stability)


def test_nuclei_of_another_count_are_refused():
    with pytest.raises(ValueError, match="do not sum"):
        stability(totals(20, 81, 40), B2018, nuclei([(4, 2)] * 20))


@pytest.mark.parametrize(
    ("reading", "finding"),
    [
        pytest.param(totals(10**8, 3 * 10**8, 2 * 10**8), G5, id="dual probe, a billion signals"),
        pytest.param(totals(10**8, 9 * 10**8, 2 * 10**8), G1, id="dual probe, amplified"),
        pytest.param(
            totals(10**13, 3 * 10**13, None), NOT_AMPLIFIED, id="single probe, more than cells in a body"
        ),
    ],
)
def test_huge_totals_far_from_every_cut_are_certain(reading, finding):
    found = stable(reading)

    assert (found.finding, found.probabilities[finding], found.another_finding) == (finding, 1.0, 0.0)


def test_huge_totals_on_a_cut_are_not_worked_out():
    found = stability(totals(10**8, 4 * 10**8, 2 * 10**8), B2018)

    assert isinstance(found, NotEvaluable)
    assert found.code == "count_too_large"


def test_probabilities_that_do_not_sum_to_one_are_no_result():
    with pytest.raises(ValueError, match="do not sum to 1"):
        Stability(Basis.POISSON, G1, 20, {G1: 0.5, G2: 0.4}, 0.4, ())


@pytest.mark.parametrize(
    ("pairs", "guideline", "alike"),
    [
        pytest.param([(4, 2)] * 20, B2018, True, id="identical nuclei"),
        pytest.param([(4, 2)] * 18 + [(5, 2), (3, 2)], B2018, False, id="the same totals of unlike nuclei"),
        pytest.param([(4, 2), (9, 3)] * 10, HERACLES, True, id="all of them with a ratio of 2.0 or more"),
        pytest.param([(3, 2), (2, 3)] * 10, HERACLES, True, id="none of them with a ratio of 2.0 or more"),
        pytest.param([(4, 2), (3, 2)] * 10, HERACLES, False, id="half of them with a ratio of 2.0 or more"),
    ],
)
def test_nuclei_that_are_alike_in_what_is_counted_are_told(pairs, guideline, alike):
    assert one_by_one(pairs, guideline).nuclei_alike is alike


def test_totals_alone_are_never_taken_for_alike_nuclei():
    assert not stable(totals(20, 80, 40)).nuclei_alike


@pytest.mark.parametrize(
    ("pairs", "overstates"),
    [
        pytest.param(
            [(2, 1), (2, 2), (2, 1), (3, 2), (4, 2), (6, 3), (5, 3)] * 3 + [(4, 1)],
            True,
            id="nuclei that the section cuts alike in both colours",
        ),
        pytest.param(
            [(1, 2)] * 16 + [(24, 2)] * 4, False, id="a few nuclei with very many HER2 signals among others"
        ),
    ],
)
def test_the_model_of_the_totals_errs_to_either_side(pairs, overstates):
    nuclei_based, model = one_by_one(pairs), stable(totals(*_sums(pairs)))
    assert (model.another_finding > nuclei_based.another_finding) is overstates


def _sums(pairs: list[tuple[int, int]]) -> tuple[int, int, int]:
    return len(pairs), sum(her2 for her2, _ in pairs), sum(cep17 for _, cep17 in pairs)
