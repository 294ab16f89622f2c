"""Rejections by measured shares, on and beside their cut-points, like set against like."""

from __future__ import annotations

import pytest

from her2path.domain.count_quality import CountQuality, Part, pooled
from her2path.domain.guideline.rejections import ISH_REJECTIONS
from her2path.domain.guideline.rules import holding
from her2path.domain.ish import IshReading, SignalSummary

NOTHING = Part(0, 0)


def rejected_by(**over: object) -> set[str]:
    reading = IshReading(SignalSummary(20, 60, 40), areas=2, **over)
    return {rule.id for rule in holding(reading, ISH_REJECTIONS)}


@pytest.mark.parametrize(
    ("unresolved", "poor"),
    [
        pytest.param(Part(20, 40), False, id="half of the nuclei: on the cut"),
        pytest.param(Part(21, 40), True, id="more than half"),
        pytest.param(Part(19, 19), None, id="too few nuclei met to tell"),
    ],
)
def test_poor_nuclei_on_and_beside_the_cut(unresolved, poor):
    assert CountQuality(NOTHING, NOTHING, unresolved, NOTHING).poor_nuclei is poor


@pytest.mark.parametrize(
    ("obscured", "strong"),
    [
        pytest.param(Part(10, 40), False, id="a quarter of the nuclei: on the cut"),
        pytest.param(Part(11, 40), True, id="more than a quarter"),
        pytest.param(NOTHING, None, id="no nucleus"),
    ],
)
def test_autofluorescence_on_and_beside_the_cut(obscured, strong):
    assert CountQuality(NOTHING, NOTHING, NOTHING, obscured).autofluorescence is strong


def test_images_of_a_case_are_judged_together():
    one = CountQuality(Part(1, 10), Part(2, 20), Part(19, 19), NOTHING)
    other = CountQuality(Part(0, 5), Part(0, 5), Part(0, 21), NOTHING)
    assert pooled([one, other]) == CountQuality(Part(1, 15), Part(2, 25), Part(19, 40), NOTHING)
    assert pooled([one, other]).poor_nuclei is False


def test_a_part_larger_than_the_whole_is_refused():
    with pytest.raises(ValueError, match="of 3"):
        Part(4, 3)


@pytest.mark.parametrize(
    ("cytoplasmic", "among", "is_rejected"),
    [
        pytest.param(11, None, False, id="typed: 11 beside 100 counted ones"),
        pytest.param(12, None, True, id="typed: 12 beside 100 counted ones"),
        pytest.param(30, 300, False, id="measured: 30 of 300 around all nuclei, on the cut"),
        pytest.param(31, 300, True, id="measured: 31 of 300"),
    ],
)
def test_signals_over_cytoplasm_are_set_against_those_of_the_same_cells(cytoplasmic, among, is_rejected):
    found = rejected_by(cytoplasmic_signals=cytoplasmic, cytoplasmic_among=among)
    assert ("ISH-REJECT-CYTOPLASM" in found) == is_rejected


@pytest.mark.parametrize(
    ("weak", "among", "is_rejected"),
    [
        pytest.param(33, None, False, id="typed: 33 beside 100"),
        pytest.param(34, None, True, id="typed: 34 beside 100"),
        pytest.param(50, 200, False, id="measured: 50 of 200, on the cut"),
        pytest.param(51, 200, True, id="measured: 51 of 200"),
    ],
)
def test_weak_signals_are_set_against_those_that_were_looked_at(weak, among, is_rejected):
    assert ("ISH-REJECT-WEAK" in rejected_by(weak_signals=weak, weak_among=among)) == is_rejected


def test_what_was_not_stated_or_is_part_of_nothing_has_no_share():
    not_stated = IshReading(SignalSummary(20, 60, 40))
    of_nothing = IshReading(SignalSummary(0, 0, 0), weak_signals=0, cytoplasmic_signals=0)
    for reading in (not_stated, of_nothing):
        assert reading.weak_share is None
        assert reading.cytoplasmic_share is None


def test_more_signals_than_there_are_is_refused():
    with pytest.raises(ValueError, match="no part of"):
        IshReading(SignalSummary(20, 60, 40), cytoplasmic_signals=5, cytoplasmic_among=4)


def test_a_whole_without_a_part_is_refused():
    with pytest.raises(ValueError, match="no part of"):
        IshReading(SignalSummary(20, 60, 40), weak_among=4)
