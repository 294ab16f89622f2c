from __future__ import annotations

import math
import tracemalloc
from collections import Counter
from fractions import Fraction
from itertools import product
from time import process_time

import numpy as np
import pytest

from her2path.domain.ish import NucleusSignals, SignalSummary
from her2path.domain.other_counts import Bootstrap, OtherCounts, PoissonTotals, binomial, points_of


def nuclei(*pairs: tuple[int, int | None]) -> tuple[NucleusSignals, ...]:
    return tuple(NucleusSignals(*pair) for pair in pairs)


def table(counts: OtherCounts) -> dict[tuple[int, int | None], float]:
    """Every pair of totals with its probability."""
    found = {}
    for block in counts.blocks():
        for (row, column), p in np.ndenumerate(block.probability):
            cep17 = None if block.cep17 is None else int(block.cep17[0, column])
            found[int(block.her2[row, 0]), cep17] = float(p)
    return found


def every_draw(counted: tuple[NucleusSignals, ...]) -> dict[tuple[int, int | None], Fraction]:
    """All ways to draw as many nuclei with replacement, one by one, in fractions."""
    draws: Counter[tuple[int, int | None]] = Counter()
    for drawn in product(counted, repeat=len(counted)):
        cep17 = None if drawn[0].cep17 is None else sum(n.cep17 or 0 for n in drawn)
        draws[sum(n.her2 for n in drawn), cep17] += 1
    return {totals: Fraction(times, len(counted) ** len(counted)) for totals, times in draws.items()}


@pytest.mark.parametrize(
    "counted",
    [
        pytest.param(nuclei((4, 2)), id="one nucleus"),
        pytest.param(nuclei((2, 2), (6, 1), (9, 3)), id="three nuclei"),
        pytest.param(nuclei((0, 0), (0, 5), (7, 0), (7, 0)), id="nuclei without signals"),
        pytest.param(nuclei((2, 2), (2, 2), (2, 2), (40, 2), (3, 3)), id="one amplified nucleus"),
        pytest.param(nuclei((2, None), (6, None), (9, None), (9, None)), id="single probe"),
    ],
)
def test_the_bootstrap_is_that_of_drawing_every_combination(counted):
    found, expected = table(Bootstrap.of(counted)), every_draw(counted)

    assert set(expected) <= set(found)
    for totals, p in found.items():
        assert p == pytest.approx(float(expected.get(totals, 0)), abs=1e-14)


def test_a_rare_nucleus_with_many_signals_keeps_its_long_tail():
    counts = Bootstrap.of(nuclei(*[(2, None)] * 199, (62, None)))

    found = table(counts)

    for k in range(counts.her2.high // 60):
        exact = math.comb(200, k) * Fraction(1, 200) ** k * Fraction(199, 200) ** (200 - k)
        assert found.get((400 + 60 * k, None), 0.0) == pytest.approx(float(exact), rel=1e-9, abs=1e-14)
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)
    assert counts.her2.low == 400
    assert counts.her2.high > 400 + 60 * 12


def test_nuclei_that_are_all_alike_leave_nothing_to_chance():
    counts = Bootstrap.of(nuclei(*[(4, 2)] * 20))

    assert {totals for totals, p in table(counts).items() if p > 1e-14} == {(80, 40)}
    assert points_of(counts) == 1


@pytest.mark.parametrize(
    "counted", [(), nuclei((4, 2), (4, None))], ids=["no nucleus", "CEP17 in one nucleus only"]
)
def test_a_bootstrap_needs_nuclei_of_one_kind(counted):
    with pytest.raises(ValueError, match="needs nuclei"):
        Bootstrap.of(counted)


def wide() -> tuple[NucleusSignals, ...]:
    """200 nuclei with 0 to 60 signals of each colour, as wide as counts of people can be."""
    drawn = np.random.default_rng(1).integers(0, 61, size=(200, 2)).tolist()
    return nuclei(*((her2, cep17) for her2, cep17 in drawn))


def test_the_widest_count_needs_less_than_300_megabytes():
    tracemalloc.start()
    total = sum(float(block.probability.sum()) for block in Bootstrap.of(wide()).blocks())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert total == pytest.approx(1, abs=1e-12)
    assert peak < 300e6


def test_the_widest_count_takes_less_than_a_second():
    def seconds() -> float:
        start = process_time()
        for _ in Bootstrap.of(wide()).blocks():
            pass
        return process_time() - start

    assert min(seconds() for _ in range(3)) < 1


@pytest.mark.parametrize("mean", [1, 2, 40, 1000])
def test_poisson_totals_have_the_probabilities_of_the_formula(mean):
    counts = PoissonTotals.of(SignalSummary(20, mean, None))

    for (k, _), p in table(counts).items():
        assert p == pytest.approx(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)), rel=1e-9)
    outside = 1 - math.fsum(table(counts).values())
    assert abs(outside) < 1e-12
    assert counts.her2.low == 0 or counts.her2.low > mean - 9 * math.sqrt(mean)


def test_poisson_totals_of_both_colours_are_independent():
    her2, cep17 = (table(PoissonTotals.of(SignalSummary(20, mean, None))) for mean in (60, 3))

    both = table(PoissonTotals.of(SignalSummary(20, 60, 3)))

    assert both[64, 2] == pytest.approx(her2[64, None] * cep17[2, None])
    assert math.fsum(both.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("summary", [SignalSummary(20, 0, 40), SignalSummary(20, 40, 0)])
def test_a_total_of_zero_says_nothing_of_another_count(summary):
    with pytest.raises(ValueError, match="total of zero"):
        PoissonTotals.of(summary)


@pytest.mark.parametrize(
    ("trials", "share"), [(20, 0.5), (20, 0.05), (7, 0.999), (300, 0.25), (5, 0.0), (5, 1.0), (1, 0.5)]
)
def test_binomial_probabilities_are_those_of_the_formula(trials, share):
    exact = Fraction(str(share))

    expected = [
        float(math.comb(trials, k) * exact**k * (1 - exact) ** (trials - k)) for k in range(trials + 1)
    ]

    assert binomial(trials, share).tolist() == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_a_binomial_of_many_trials_neither_overflows_nor_vanishes():
    found = binomial(100_000, 0.3)

    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert int(found.argmax()) == 30_000
