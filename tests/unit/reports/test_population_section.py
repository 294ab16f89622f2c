from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import Controls
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.reports.population_section import own_distances, own_trail, population_blocks
from her2path.reports.trail_section import NO_CUTS
from her2path.reports.wording import headline
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei

AMPLIFIED = IshReading(SignalSummary(22, 190, 44), controls=Controls.PASS)
ON_BOTH_CUTS = IshReading(SignalSummary(20, 80, 40), controls=Controls.PASS)
IMAGES = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 2.6, 2.1))]
"""IHC 2+, and a main population in group 5."""


def called(second: SecondPopulation | None):
    return call_doc("c1", *IMAGES, setting=Setting("breast_2018", second=second))


COUNTED = called(SecondPopulation(Fraction(30, 100), AMPLIFIED))
OPEN = called(SecondPopulation(Fraction(1, 8)))


def test_two_populations_give_two_blocks_each_with_its_own_result():
    blocks = population_blocks(COUNTED, NO_CUTS)
    assert [(block.name, block.share, block.ish, block.state.short) for block in blocks] == [
        ("Main population", "70\xa0%", "ISH group 5", "negative"),
        ("Second population", "30\xa0%", "ISH group 1", "positive"),
    ]


def test_each_block_has_its_own_trail():
    main, second = population_blocks(COUNTED, NO_CUTS)
    assert [row.rule_id for row in main.trail] == ["IHC-2-COMPLETE", "ISH-G5", "CALL-G5"]
    assert [row.rule_id for row in second.trail] == ["IHC-2-COMPLETE", "ISH-G1", "CALL-G1"]


def test_the_trail_of_the_case_begins_where_those_of_its_populations_end():
    assert [entry.rule_id for entry in own_trail(COUNTED)] == ["POP-POSITIVE"]


def test_the_count_that_decides_is_explained_like_that_of_the_main_population():
    main, second = population_blocks(called(SecondPopulation(Fraction(30, 100), ON_BOTH_CUTS)), NO_CUTS)
    assert main.firmness is not None
    assert second.firmness is not None
    assert (main.firmness.of, second.firmness.of) == ("Main population", "Second population")
    assert "about 2 in 3 times" in second.firmness.chance
    assert second.firmness.margins[0] == "1 fewer HER2 signal would make it ISH group 5."
    assert [(row.quantity, row.value, row.distance) for row in second.distances][:2] == [
        ("HER2/CEP17 ratio", "2.00", "0.00"),
        ("Mean HER2 per nucleus", "4.00", "0.00"),
    ]
    assert [(n.name, n.value) for n in second.numbers] == [
        ("Counted nuclei", "20"),
        ("Mean HER2 per nucleus", "4.00"),
        ("Mean CEP17 per nucleus", "2.00"),
        ("HER2/CEP17 ratio", "2.00"),
    ]


def test_distances_of_a_population_stand_in_its_block_and_those_of_ihc_with_the_case():
    quantities = {distance.quantity for distance in own_distances(COUNTED)}
    assert quantities
    assert all(name.startswith("pct_") for name in quantities)
    assert own_distances(called(None)) == called(None).distance_to_cut


def test_one_population_has_no_block_and_keeps_its_trail():
    alone = called(None)
    assert population_blocks(alone, NO_CUTS) == ()
    assert own_trail(alone) == alone.rule_trail


def test_the_headline_names_the_result_of_both_populations():
    assert headline(COUNTED) == (
        "HER2 positive (IHC 2+, ISH group 5 in 70\xa0% and ISH group 1 in 30\xa0% of the cells)"
    )


@pytest.mark.parametrize(
    ("share", "main", "second"),
    [
        pytest.param(Fraction(1001, 10000), "89.99", "10.01", id="just above the cut"),
        pytest.param(Fraction("0.10000001"), "89.999999", "10.000001", id="a millionth above it"),
        pytest.param(Fraction(1, 3), "66.7", "33.3", id="away from it one decimal does"),
        pytest.param(Fraction("0.9996"), "0.04", "99.96", id="nearly all"),
    ],
)
def test_no_share_is_printed_as_the_cut_that_it_lies_beside(share, main, second):
    blocks = population_blocks(called(SecondPopulation(share, AMPLIFIED)), NO_CUTS)
    assert [block.share for block in blocks] == [f"{main}\xa0%", f"{second}\xa0%"]


def test_a_second_population_that_was_not_counted_asks_for_its_count_and_for_no_recount():
    _, second = population_blocks(OPEN, NO_CUTS)
    assert (second.ish, second.state.who) == ("no ISH result", "Laboratory")
    assert [note.code for note in second.comments] == ["ACT-COUNT-SECOND"]
    assert (second.firmness, second.distances, second.numbers) == (None, (), ())
    assert headline(OPEN).startswith("Pending: the second population must be counted (IHC 2+")
