"""The numbers that rules compare: exact, by name, and absent where nobody measured them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from her2path.domain.guideline import quantities as q
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern, Reactivity
from her2path.domain.ish import IshReading, SignalSummary
from tests.support.grids import EVERY_STAINING, UNSTAINED

# Powers of two, so that each sum tells which of the cells are in it.
CELLS = {key: 2**n for n, key in enumerate((*EVERY_STAINING, UNSTAINED))}
READING = IhcReading(IhcTally(CELLS))
INCOMPLETE, BASOLATERAL, COMPLETE = Pattern.INCOMPLETE, Pattern.BASOLATERAL, Pattern.COMPLETE
FAINT, WEAK, MODERATE, STRONG = Intensity.FAINT, Intensity.WEAK, Intensity.MODERATE, Intensity.STRONG
EVERYWHERE = (INCOMPLETE, BASOLATERAL, COMPLETE)


def of(intensity: Intensity, *patterns: Pattern) -> set[tuple[Intensity, Pattern]]:
    return {(intensity, pattern) for pattern in patterns}


BREAST_COMPLETE = of(WEAK, COMPLETE) | of(MODERATE, COMPLETE) | of(STRONG, COMPLETE)
BREAST_LATERAL = of(MODERATE, INCOMPLETE, BASOLATERAL) | of(STRONG, INCOMPLETE, BASOLATERAL)
OTHER_MODERATE = of(WEAK, BASOLATERAL, COMPLETE) | of(MODERATE, *EVERYWHERE)


@pytest.mark.parametrize(
    ("quantity", "counted"),
    [
        (q.PCT_COMPLETE_INTENSE, of(STRONG, COMPLETE)),
        (q.PCT_COMPLETE, BREAST_COMPLETE),
        (q.PCT_LATERAL_OR_INTENSE, BREAST_LATERAL | of(STRONG, COMPLETE)),
        (q.PCT_FAINT, of(FAINT, *EVERYWHERE) | of(WEAK, INCOMPLETE, BASOLATERAL)),
        (q.PCT_UNUSUAL, BREAST_COMPLETE | BREAST_LATERAL),
        (q.PCT_STAINED, set(EVERY_STAINING)),
        (q.PCT_STRONG, of(STRONG, *EVERYWHERE)),
        (q.PCT_WEAK_MODERATE, OTHER_MODERATE),
        (q.PCT_MODERATE_UP, OTHER_MODERATE | of(STRONG, *EVERYWHERE)),
        (q.PCT_FAINT_LEVEL, of(FAINT, *EVERYWHERE) | of(WEAK, INCOMPLETE)),
    ],
    ids=lambda given: given.name if hasattr(given, "name") else "",
)
def test_a_percentage_counts_the_cells_that_its_words_say(quantity, counted):
    cells = sum(CELLS[key] for key in counted)

    assert quantity.value(READING) == Fraction(100 * cells, sum(CELLS.values()))
    assert quantity.value(IhcReading(IhcTally({}))) is None


@pytest.mark.parametrize("blank", [Fraction(0), Fraction(1, 3), Fraction(1, 10)])
def test_a_percentage_on_the_limit_of_blank_is_explained_by_it(blank):
    for cells in (0, 100, 300, 301, 302, 901, 1000):
        tally = IhcTally({(STRONG, COMPLETE): cells, UNSTAINED: 3000 - cells})
        reading = IhcReading(tally, limit_of_blank=blank)
        assert q.STRONG_OVER_BLANK(reading) is (Fraction(cells, 3000) > blank)


@pytest.mark.parametrize(
    ("quantity", "level"),
    [
        (q.CLUSTER_STRONG, Reactivity.STRONG),
        (q.CLUSTER_MODERATE_UP, Reactivity.WEAK_MODERATE),
        (q.CLUSTER_STAINED, Reactivity.FAINT),
    ],
)
def test_a_cluster_is_that_of_its_level_and_unknown_where_nobody_stated_it(quantity, level):
    sizes = {Reactivity.STRONG: 3, Reactivity.WEAK_MODERATE: 5, Reactivity.FAINT: 9}

    assert quantity.value(replace(READING, clusters=sizes)) == sizes[level]
    assert quantity.value(replace(READING, clusters={})) is None
    assert quantity.value(READING) is None
    assert quantity.value(IhcReading(IhcTally({UNSTAINED: 50}))) == 0


def test_ratio_and_copies_are_exact_and_a_single_probe_has_no_cep17():
    dual, single = (IshReading(SignalSummary(20, 90, cep17)) for cep17 in (44, None))

    assert [n.value(dual) for n in (q.RATIO, q.COPIES, q.CEP17_COPIES)] == [
        Fraction(90, 44),
        Fraction(9, 2),
        Fraction(11, 5),
    ]
    assert [n.value(single) for n in (q.RATIO, q.COPIES, q.CEP17_COPIES)] == [None, Fraction(9, 2), None]
    assert q.RATIO.value(IshReading(SignalSummary(20, 90, 0))) is None
    assert q.COPIES.value(IshReading(SignalSummary(0, 0, 0))) is None


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1, 2), Fraction(9, 20), Fraction(1)])
def test_a_share_of_nuclei_is_a_percentage_and_unknown_where_nobody_stated_it(share):
    count = IshReading(SignalSummary(20, 90, 44), share_ratio_at_least_2=share)

    assert q.SHARE_RATIO_2.value(count) == 100 * share
    assert q.SHARE_RATIO_2.value(replace(count, share_ratio_at_least_2=None)) is None
