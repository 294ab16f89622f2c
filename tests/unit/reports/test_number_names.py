from __future__ import annotations

import pytest

from her2path.domain.guideline.registry import GUIDELINES
from her2path.reports.number_names import NUMBER_LABELS, in_listing_order, label_of
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, call_doc, nuclei


def test_numbers_are_listed_in_reading_order_and_unknown_ones_last():
    order = in_listing_order(["zzz", "her2_mean", "aaa", "pct_none", "pct_complete_intense"])
    assert order == ["pct_complete_intense", "pct_none", "her2_mean", "aaa", "zzz"]
    assert label_of("zzz_yyy") == "zzz yyy"


def test_every_number_of_a_real_call_has_a_label():
    call = call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 7.2, 4.1)))
    names = {name for entry in call.rule_trail for name in entry.numbers}
    names |= {d.quantity.removesuffix("_over_blank") for d in call.distance_to_cut}
    assert names <= set(NUMBER_LABELS)


@pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda guideline: guideline.id)
def test_every_number_that_a_guideline_compares_has_a_label(guideline):
    compared = {cut.quantity.name for cut in (*guideline.ihc_cuts, *guideline.ish_cuts)}
    compared |= {quantity.name for quantity in guideline.blanks}
    assert compared <= set(NUMBER_LABELS)


def test_no_two_numbers_share_a_label():
    assert len(set(NUMBER_LABELS.values())) == len(NUMBER_LABELS)
