from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import Controls
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, StatedScore
from her2path.domain.ish import IshReading, NucleusSignals, SignalSummary
from her2path.domain.populations import Population, SecondPopulation
from her2path.domain.stability import Basis, Stability
from her2path.domain.verdict import NotEvaluable

BREAST, STOMACH = GUIDELINES["breast_2023"], GUIDELINES["gastroesophageal_2016"]
TWO_PLUS = StatedScore(IhcScore.TWO_PLUS, Controls.PASS)
EQUIVOCAL = [NucleusSignals(5, 3), NucleusSignals(5, 4)] * 10  # ratio 1.43, copies 5.0, CEP17 3.5
POSITIVE = [NucleusSignals(9, 3), NucleusSignals(9, 4)] * 10
NEGATIVE = [NucleusSignals(3, 3), NucleusSignals(3, 4)] * 10


def count(nuclei: list[NucleusSignals]) -> IshReading:
    return IshReading(SignalSummary.of(nuclei), areas=2, controls=Controls.PASS)


def test_ihc_alone_has_other_versions_and_nothing_to_count_again():
    found = explain(CaseEvidence(ihc=TWO_PLUS), BREAST)

    assert len(found.other_versions) == 4
    assert (found.stability, found.heterogeneity_2009) == (None, None)


def test_single_nuclei_tell_how_safe_and_how_mixed_a_count_is():
    nuclei = POSITIVE[:6] + NEGATIVE[:14]

    found = explain(CaseEvidence(ish=count(nuclei)), BREAST, nuclei)

    assert isinstance(found.stability, Stability)
    assert found.stability.basis is Basis.NUCLEI
    assert found.heterogeneity_2009 is not None
    assert found.heterogeneity_2009.share_above == Fraction(6, 20)
    assert found.heterogeneity_2009.is_heterogeneous


def test_totals_alone_say_nothing_of_single_nuclei():
    found = explain(CaseEvidence(ish=count(POSITIVE)), BREAST)

    assert isinstance(found.stability, Stability)
    assert found.stability.basis is Basis.POISSON
    assert found.heterogeneity_2009 is None


def test_a_count_that_cannot_be_read_says_why_it_has_no_stability():
    found = explain(CaseEvidence(ish=count(POSITIVE[:10])), BREAST, POSITIVE[:10])

    assert isinstance(found.stability, NotEvaluable)


@pytest.mark.parametrize(
    ("guideline", "first", "second", "nuclei"),
    [
        pytest.param(BREAST, EQUIVOCAL, EQUIVOCAL, 20, id="a recount only confirms"),
        pytest.param(STOMACH, EQUIVOCAL, EQUIVOCAL, 40, id="further nuclei of an equivocal count are added"),
        pytest.param(STOMACH, NEGATIVE, EQUIVOCAL, 20, id="a clear first count stands"),
        pytest.param(STOMACH, EQUIVOCAL, EQUIVOCAL[:10], 20, id="too few further nuclei are not added"),
    ],
)
def test_the_stability_is_that_of_the_group_which_the_call_states(guideline, first, second, nuclei):
    evidence = CaseEvidence(ihc=TWO_PLUS, ish=count(first), recount=count(second))

    call, found = call_case(evidence, guideline), explain(evidence, guideline, first, second).stability

    assert isinstance(call, CaseCall)
    assert isinstance(found, Stability)
    assert (found.nuclei, found.basis) == (nuclei, Basis.NUCLEI)
    assert found.finding is call.ish_group


@pytest.mark.parametrize("areas", [1, 2, None])
def test_a_second_population_that_is_apart_has_a_stability_and_distances_of_its_own(areas):
    other = IshReading(SignalSummary(20, 80, 40), areas=areas, controls=Controls.PASS)
    evidence = CaseEvidence(ish=count(NEGATIVE), second=SecondPopulation(Fraction(11, 100), other))

    found = explain(evidence, BREAST, NEGATIVE)

    assert isinstance(found.stability, Stability)
    assert isinstance(found.second_stability, Stability)
    assert (found.stability.finding, found.second_stability.finding) == ("5", "1")
    assert (found.stability.basis, found.second_stability.basis) == (Basis.NUCLEI, Basis.POISSON)
    assert found.second_stability.another_finding > 0.5
    assert [d.distance for d in found.counts[Population.SECOND].distances] == [0.0, 0.0, -2.0]
    assert found.counts[Population.MAIN].distances[0].value == pytest.approx(60 / 70)


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(SecondPopulation(Fraction(1, 10), count(POSITIVE)), id="10 % is not more than 10 %"),
        pytest.param(None, id="one population"),
    ],
)
def test_without_a_population_apart_nothing_is_said_of_one(second):
    found = explain(CaseEvidence(ish=count(NEGATIVE), second=second), BREAST)

    assert (found.second_stability, dict(found.counts)) == (None, {})


def test_a_second_population_that_was_not_counted_has_no_stability():
    evidence = CaseEvidence(ish=count(NEGATIVE), second=SecondPopulation(Fraction(1, 2)))

    found = explain(evidence, BREAST)

    assert found.second_stability is None
    assert list(found.counts) == [Population.MAIN]


def test_nuclei_of_one_of_two_added_counts_are_not_taken_for_both():
    evidence = CaseEvidence(ihc=TWO_PLUS, ish=count(EQUIVOCAL), recount=count(POSITIVE))

    found = explain(evidence, STOMACH, EQUIVOCAL).stability

    assert isinstance(found, Stability)
    assert (found.nuclei, found.basis) == (40, Basis.POISSON)
