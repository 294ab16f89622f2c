from __future__ import annotations

from fractions import Fraction

from her2path.domain.case import Controls
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.reports.population_section import own_trail, population_blocks
from her2path.reports.trail_section import NO_CUTS
from her2path.reports.wording import headline
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei

AMPLIFIED = IshReading(SignalSummary(22, 190, 44), controls=Controls.PASS)
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


def test_one_population_has_no_block_and_keeps_its_trail():
    alone = called(None)
    assert population_blocks(alone, NO_CUTS) == ()
    assert own_trail(alone) == alone.rule_trail


def test_the_headline_names_the_result_of_both_populations():
    assert headline(COUNTED) == (
        "HER2 positive (IHC 2+, ISH group 5 in 70\xa0% and ISH group 1 in 30\xa0% of the cells)"
    )


def test_a_second_population_that_was_not_counted_asks_for_its_count_and_for_no_recount():
    _, second = population_blocks(OPEN, NO_CUTS)
    assert (second.ish, second.state.who) == ("no ISH result", "Laboratory")
    assert [note.code for note in second.comments] == ["ACT-COUNT-SECOND"]
    assert headline(OPEN).startswith("Pending: the second population must be counted (IHC 2+")
