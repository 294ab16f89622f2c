"""A second population is suggested where it is discrete, large enough and of consequence."""

from __future__ import annotations

import pytest

from her2path.domain.ish import NucleusSignals, SignalSummary
from her2path.domain.stats.second_population import Place, look_for_second_population
from her2path.domain.verdict import NotEvaluable


def nuclei(*parts: tuple[int, int, int | None]) -> list[NucleusSignals]:
    return [NucleusSignals(her2, cep17) for times, her2, cep17 in parts for _ in range(times)]


MAIN = ((20, 2, 2), (8, 1, 1), (8, 3, 2))


def test_an_amplified_population_is_suggested_with_its_own_sums():
    found = look_for_second_population(nuclei(*MAIN, (3, 14, 2), (3, 18, 2)))
    assert found.second == SignalSummary(6, 96, 12)
    assert found.main == SignalSummary(36, 72, 64)
    assert found.members == tuple(range(36, 42))
    assert found.p_value <= 0.05
    assert not found.ratio_alike
    assert found.place is None


@pytest.mark.parametrize(
    ("members", "is_suggested"),
    [pytest.param(4, False, id="4 of 40 nuclei: 10 %"), pytest.param(5, True, id="5 of 41 nuclei: 12 %")],
)
def test_more_than_ten_per_cent_of_the_nuclei_are_needed(members, is_suggested):
    found = look_for_second_population(nuclei(*MAIN, (members, 16, 2)))
    assert (found is not None) == is_suggested


def test_dividing_cells_of_a_diploid_tumour_are_no_second_population():
    # Four copies of each, most of them in the section: the mean stays below 4.
    assert look_for_second_population(nuclei((20, 2, 2), (8, 1, 1), (4, 3, 3), (4, 4, 4))) is None


def test_a_doubled_genome_is_suggested_but_said_to_have_the_same_ratio():
    found = look_for_second_population(nuclei((16, 2, 2), (14, 3, 3), (10, 12, 12)))
    assert found.ratio_alike


def test_a_homogeneous_amplified_tumour_is_one_population():
    spread = [
        (1, her2, 2) for her2 in (6, 7, 8, 8, 9, 9, 10, 10, 10, 11, 11, 11, 12, 12, 13, 13, 14, 15, 16, 18)
    ]
    assert look_for_second_population(nuclei(*spread, *spread)) is None


@pytest.mark.parametrize(
    ("order", "place"),
    [
        pytest.param(lambda i: i, Place.CLUSTERED, id="members at one end of the field"),
        pytest.param(lambda i: (i * 7) % 42, Place.INTERMINGLED, id="members among the others"),
    ],
)
def test_it_is_said_whether_its_nuclei_lie_together(order, place):
    places = [(float(order(i) % 7), float(order(i) // 7)) for i in range(42)]
    assert look_for_second_population(nuclei(*MAIN, (6, 16, 2)), places).place is place


BROAD = (6, 7, 8, 8, 9, 11, 11, 20, 26, 40, 46, 47)
"""Copies of amplified nuclei with clusters: so wide that one broad population explains them all."""


def broad_field(order):
    """Eight rows of five nuclei, of which twelve are amplified, at places in a given order."""
    counts = nuclei((14, 2, 2), (8, 1, 2), (6, 3, 2), *((1, her2, 2) for her2 in BROAD))
    return counts, [(float(order(i) % 5), float(order(i) // 5)) for i in range(40)]


def test_broad_copies_are_a_second_population_where_they_lie_together():
    counts, places = broad_field(lambda i: i)
    found = look_for_second_population(counts, places)
    assert found.p_value > 0.05
    assert found.place is Place.CLUSTERED
    assert found.second == SignalSummary(12, sum(BROAD), 24)


def test_broad_copies_that_lie_anywhere_may_be_one_population():
    counts, places = broad_field(lambda i: (i * 17) % 40)
    assert look_for_second_population(counts, places) is None


def test_fewer_than_twenty_nuclei_do_not_tell():
    found = look_for_second_population(nuclei((14, 2, 2), (5, 16, 2)))
    assert isinstance(found, NotEvaluable)
    assert found.code == "too_few_nuclei"


def test_a_single_probe_is_looked_at_by_copies_alone():
    found = look_for_second_population(nuclei((20, 2, None), (8, 1, None), (6, 15, None)))
    assert found.second == SignalSummary(6, 90, None)
    assert not found.ratio_alike
