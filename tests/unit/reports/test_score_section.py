from __future__ import annotations

from her2path.reports.score_section import is_without_spread, score_section
from tests.support.case_documents import CLEAN, TWO_PLUS, Ihc, score_doc


def section(cells, **interval):
    result = score_doc(Ihc("a1", cells)).result
    changed = result.model_copy(update={"interval": result.interval.model_copy(update=interval)})
    return score_section("a1", changed, {})


def test_as_many_independent_cells_as_scored_ones_are_not_told_as_a_loss():
    assert "tell no more than" not in section(TWO_PLUS, independent_cells=1000.0).basis
    scarce = section(TWO_PLUS, independent_cells=1000.0, method="wilson_of_areas", draws=0).basis
    assert scarce.startswith("The tissue holds only 30 areas of 125 µm")


def test_both_numbers_of_cells_are_written_alike():
    many = {name: 10 * cells for name, cells in TWO_PLUS.items()}
    words = "the 10\u202f000 scored cells tell no more than about 1\u202f253 independent ones would."
    assert section(many, independent_cells=1253.4).basis.endswith(words)


def test_cells_that_all_stain_alike_tell_nothing_of_other_samples():
    alike = section(CLEAN)
    assert alike.chance.startswith("The 1\u202f000 scored cells all stain alike")
    assert alike.scores == alike.categories == ()
    assert not alike.is_uncertain


def test_cells_that_differ_tell_how_likely_another_score_is():
    assert not is_without_spread(score_doc(Ihc("a1", TWO_PLUS)).result)
    assert section(TWO_PLUS).scores


def test_the_ends_of_a_narrow_interval_are_told_apart():
    assert section({"incomplete_faint": 1, "none": 40_000}).of_cells == "< 0.01 to 0.01 %"
