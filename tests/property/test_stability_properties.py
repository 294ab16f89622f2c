"""What must hold for every count, whatever its numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.domain.margins import Counted
from her2path.domain.stability import Basis, Stability, stability

BY_SHARE = "colorectal_heracles_2015"
guidelines = st.sampled_from(list(GUIDELINES))
nuclei = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8)), min_size=20, max_size=30)


def stable(guideline: str, reading: IshReading, counted: tuple[NucleusSignals, ...] = ()) -> Stability:
    found = stability(reading, GUIDELINES[guideline], counted)
    assert isinstance(found, Stability)
    return found


@given(
    guidelines.filter(lambda name: name != BY_SHARE),
    st.integers(20, 40),
    st.integers(1, 300),
    st.integers(1, 200),
)
def test_no_smaller_change_than_the_margin_leads_to_another_group(guideline, n, her2, cep17):
    rules = GUIDELINES[guideline].ish_dual
    reading = IshReading(SignalSummary(n, her2, cep17))

    def group(**totals: int) -> str:
        return decide(replace(reading, summary=replace(reading.summary, **totals)), rules).conclusion

    found = {(m.counted, m.change > 0): m for m in stable(guideline, reading).margins}
    for name, counted, now in (("her2", Counted.HER2, her2), ("cep17", Counted.CEP17, cep17)):
        for sign, reach in ((-1, now - 1), (1, 400)):
            turns = (by for by in range(1, reach + 1) if group(**{name: now + sign * by}) != group())
            first = next(turns, None)
            margin = found.get((counted, sign > 0))
            if first is not None:
                assert margin is not None
                assert (margin.change, margin.finding) == (sign * first, group(**{name: now + sign * first}))
            else:
                assert margin is None or abs(margin.change) > reach


@given(guidelines, nuclei)
def test_the_probabilities_of_a_bootstrap_sum_to_one(guideline, pairs):
    counted = tuple(NucleusSignals(*pair) for pair in pairs)
    share = share_with_ratio(counted, ratio_is_at_least_2)
    reading = IshReading(SignalSummary.of(counted), share_ratio_at_least_2=share)

    found = stability(reading, GUIDELINES[guideline], counted)

    if isinstance(found, Stability):
        assert found.basis is Basis.NUCLEI
        assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-9)
        assert found.another_finding == pytest.approx(1 - found.probabilities[found.finding], abs=1e-9)
        assert found.another_result <= found.another_finding + 1e-12
    else:
        assert min(reading.summary.her2, reading.summary.cep17) == 0


@given(guidelines, nuclei, st.randoms(use_true_random=False))
def test_the_order_of_the_nuclei_changes_no_probability(guideline, pairs, rng):
    def of(some) -> object:
        counted = tuple(NucleusSignals(*pair) for pair in some)
        share = share_with_ratio(counted, ratio_is_at_least_2)
        reading = IshReading(SignalSummary.of(counted), share_ratio_at_least_2=share)
        return stability(reading, GUIDELINES[guideline], counted)

    shuffled = list(pairs)
    rng.shuffle(shuffled)

    one, other = of(pairs), of(shuffled)
    if isinstance(one, Stability) and isinstance(other, Stability):
        for name, p in one.probabilities.items():
            assert other.probabilities[name] == pytest.approx(p, abs=1e-9)
    else:
        assert one == other
