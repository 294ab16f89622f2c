from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import Specimen, SpecimenFacts, TumourSite
from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.call_entries import SpecimenEntry
from her2path.reports.specimen_section import SITE_WORDS, site_warning, specimen_facts
from tests.support.case_documents import ONE_PLUS, Ihc, Setting, call_doc


def warned(guideline: str, site: TumourSite | None):
    return site_warning(call_doc("c1", Ihc(cells=ONE_PLUS), setting=Setting(guideline, SpecimenFacts(site))))


def test_every_site_is_worded():
    assert set(SITE_WORDS) == set(TumourSite)


def test_a_breast_guideline_on_a_stomach_tumour_warns_and_names_both():
    warning = warned("breast_2018", TumourSite.GASTROESOPHAGEAL)
    assert warning is not None
    assert (warning.made_for, warning.stated) == ("breast", "stomach or oesophagus")


@pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda guideline: guideline.id)
def test_a_guideline_warns_on_every_site_that_it_was_not_made_for_and_on_no_other(guideline):
    for site in TumourSite:
        assert (warned(guideline.id, site) is None) == (site in guideline.sites)


def test_a_site_that_was_not_stated_warns_of_nothing():
    assert warned("breast_2018", None) is None


def test_what_was_stated_of_the_specimen_is_printed_with_its_unit():
    facts = SpecimenFacts(TumourSite.BILIARY, Fraction(49, 2), Fraction(0))
    call = call_doc("c1", Ihc(cells=ONE_PLUS), setting=Setting(specimen=facts))
    assert [fact.value for fact in specimen_facts(call.specimen)] == [
        "resection",
        "bile ducts or gallbladder",
        "24.5 hours",
        "0 minutes",
    ]


def test_what_was_not_stated_of_the_specimen_is_never_a_number():
    assert {fact.value for fact in specimen_facts(SpecimenEntry())} == {"not stated"}
    assert specimen_facts(SpecimenEntry(kind=Specimen.BIOPSY))[0].value == "biopsy"
