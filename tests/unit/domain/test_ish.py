from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.guideline.quantities import COPIES, RATIO
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    Probe,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)


def test_a_summary_is_the_sum_over_the_nuclei():
    nuclei = [NucleusSignals(4, 2), NucleusSignals(10, 3)]

    assert SignalSummary.of(nuclei) == SignalSummary(2, 14, 5)
    assert SignalSummary.of(nuclei, probe=Probe.SINGLE) == SignalSummary(2, 14, None)


def test_a_dual_probe_count_needs_both_colours_in_every_nucleus():
    with pytest.raises(ValueError, match="CEP17 in every nucleus"):
        SignalSummary.of([NucleusSignals(4, 2), NucleusSignals(4, None)])


@pytest.mark.parametrize(("her2", "cep17"), [(-1, 2), (2, -1)])
def test_a_nucleus_cannot_hold_less_than_no_signal(her2, cep17):
    with pytest.raises(ValueError, match=">= 0"):
        NucleusSignals(her2, cep17)


@pytest.mark.parametrize("numbers", [(-1, 0, 0), (20, 1.5, 2), (20, True, 2), (20, 4, -1)])
def test_a_summary_holds_counts_only(numbers):
    with pytest.raises(ValueError, match="integer >= 0"):
        SignalSummary(*numbers)


def test_signals_without_a_nucleus_are_refused():
    with pytest.raises(ValueError, match="without a nucleus"):
        SignalSummary(0, 1, 0)


def test_fields_add_up_and_probes_do_not_mix():
    assert SignalSummary(20, 80, 40) + SignalSummary(10, 60, 20) == SignalSummary(30, 140, 60)
    assert SignalSummary(20, 80, None) + SignalSummary(10, 60, None) == SignalSummary(30, 140, None)
    with pytest.raises(ValueError, match="cannot be summed"):
        SignalSummary(20, 80, 40) + SignalSummary(20, 80, None)


def test_printed_numbers_are_sum_over_sum():
    summary = SignalSummary(20, 90, 30)

    assert (summary.her2_cep17_ratio, summary.her2_mean, summary.cep17_mean) == (3.0, 4.5, 1.5)
    assert summary.probe is Probe.DUAL


def test_what_is_not_defined_is_none_and_never_compared():
    empty, single = SignalSummary(0, 0, 0), SignalSummary(20, 80, None)

    assert (empty.her2_cep17_ratio, empty.her2_mean, empty.cep17_mean) == (None, None, None)
    assert (single.her2_cep17_ratio, single.cep17_mean, single.probe) == (None, None, Probe.SINGLE)
    for summary in (empty, single):
        with pytest.raises(ValueError, match="ratio is not defined"):
            (RATIO >= 2)(IshReading(summary))
    with pytest.raises(ValueError, match="copies per nucleus is not defined"):
        (COPIES >= 4)(IshReading(empty))


@pytest.mark.parametrize("name", ["areas", "weak_signals", "cytoplasmic_signals"])
@pytest.mark.parametrize("value", [-1, 1.5, True])
def test_what_is_known_of_a_count_is_a_count(name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer"):
        IshReading(SignalSummary(20, 80, 40), **{name: value})


def test_counted_signals_are_those_of_both_colours():
    assert IshReading(SignalSummary(20, 80, 40)).counted_signals == 120
    assert IshReading(SignalSummary(20, 80, None)).counted_signals == 80


@pytest.mark.parametrize("share", [Fraction(-1, 100), Fraction(101, 100)])
def test_a_share_of_the_nuclei_lies_between_none_and_all(share):
    with pytest.raises(ValueError, match="is 0 to 1"):
        IshReading(SignalSummary(20, 80, 40), share_ratio_at_least_2=share)


@pytest.mark.parametrize(
    ("pairs", "share"),
    [
        pytest.param([(4, 2), (3, 2)], Fraction(1, 2), id="ratio 2.0 is on the cut, 1.5 below"),
        pytest.param([(4, 2), (4, 0)], Fraction(1), id="a nucleus without CEP17 has no ratio"),
        pytest.param([(0, 2)], Fraction(0), id="a nucleus without HER2 has the ratio 0"),
        pytest.param([(4, 0)], None, id="no nucleus has a ratio"),
        pytest.param([(4, None)], None, id="single probe"),
        pytest.param([], None, id="no nucleus"),
    ],
)
def test_the_share_of_amplified_nuclei_counts_those_that_have_a_ratio(pairs, share):
    assert share_with_ratio([NucleusSignals(*pair) for pair in pairs], ratio_is_at_least_2) == share
