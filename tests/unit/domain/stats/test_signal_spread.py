"""Spread over nuclei: intervals that random drawing agrees with, and what has none."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from her2path.domain.ish import NucleusSignals
from her2path.domain.stats.signal_spread import chromosome_17, ratio_spread, share_amplified, spread_of
from her2path.domain.verdict import NotEvaluable

RNG = np.random.default_rng(5)
HER2 = (RNG.poisson(8, 40) + 1).tolist()
CEP17 = (RNG.poisson(1.2, 40) + 1).tolist()
NUCLEI = [NucleusSignals(*pair) for pair in zip(HER2, CEP17, strict=True)]


def drawn_again(times: int = 40_000):
    chosen = np.random.default_rng(6).integers(0, len(NUCLEI), (times, len(NUCLEI)))
    return np.array(HER2)[chosen], np.array(CEP17)[chosen]


def test_the_interval_of_a_mean_is_that_of_drawing_nuclei_again():
    expected = np.percentile(drawn_again()[0].mean(axis=1), (2.5, 97.5))
    assert spread_of(HER2).interval == pytest.approx(expected, abs=0.05)


def test_the_interval_of_the_ratio_is_that_of_drawing_nuclei_again():
    her2, cep17 = drawn_again()
    expected = np.percentile(her2.sum(axis=1) / cep17.sum(axis=1), (2.5, 97.5))
    found = ratio_spread(NUCLEI)
    assert found.ratio == sum(HER2) / sum(CEP17)
    assert found.bootstrap == pytest.approx(expected, abs=0.02)
    assert found.fieller == pytest.approx(expected, rel=0.1)


def test_no_interval_of_a_ratio_reaches_below_zero():
    # One nucleus holds most signals, so that even the mean of HER2 may be zero to Fieller.
    skewed = [NucleusSignals(1, 2)] * 11 + [NucleusSignals(200, 2)]
    low, high = ratio_spread(skewed).fieller
    assert low == 0
    assert high > ratio_spread(skewed).ratio


def test_range_and_spread_are_those_of_the_nuclei():
    spread = spread_of([1, 2, 2, 7])
    assert (spread.signals, spread.nuclei, spread.least, spread.most) == (12, 4, 1, 7)
    assert spread.sd == pytest.approx(np.std([1, 2, 2, 7], ddof=1))
    assert spread.cv == pytest.approx(spread.sd / 3)


def test_a_single_nucleus_has_no_spread():
    spread = spread_of([5])
    assert spread.sd is None
    assert spread.cv is None


@pytest.mark.parametrize(
    ("counts", "code"),
    [([2, 4] * 4 + [2], "too_few_nuclei"), ([2] * 30, "nuclei_alike")],
    ids=["nine nuclei", "thirty nuclei with two signals each"],
)
def test_an_interval_that_would_mislead_is_not_stated(counts, code):
    assert isinstance(spread_of(counts).interval, NotEvaluable)
    assert spread_of(counts).interval.code == code


def test_ten_nuclei_have_an_interval():
    assert not isinstance(spread_of([2, 4] * 5).interval, NotEvaluable)


@pytest.mark.parametrize(
    "nuclei",
    [[NucleusSignals(4, None)] * 20, [NucleusSignals(4, 0)] * 20, []],
    ids=["single probe", "no CEP17 signal anywhere", "no nucleus"],
)
def test_without_cep17_there_is_no_ratio(nuclei):
    assert ratio_spread(nuclei) is None


def test_a_nucleus_on_a_ratio_of_two_is_amplified():
    nuclei = [NucleusSignals(4, 2), NucleusSignals(3, 2), NucleusSignals(6, 3), NucleusSignals(2, 2)]
    assert share_amplified(nuclei) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("cep17", "note"),
    [
        pytest.param([3] * 10, "polysomy", id="mean 3.0: on the cut"),
        pytest.param([3] * 9 + [2], None, id="mean 2.9"),
        pytest.param([1] * 12 + [2] * 8, None, id="60 % single signals: on the cut"),
        pytest.param([1] * 13 + [2] * 7, "monosomy", id="65 % single signals"),
        pytest.param([], None, id="single probe"),
    ],
)
def test_polysomy_and_monosomy_on_and_beside_their_cuts(cep17, note):
    assert chromosome_17(cep17) == note
