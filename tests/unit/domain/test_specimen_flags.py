"""The tumour's site and the handling of the specimen warn; they never change a call."""

from __future__ import annotations

from fractions import Fraction

import pytest

from her2path.domain.case import SpecimenFacts, TumourSite
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, StatedScore

EVERY = pytest.mark.parametrize("guideline", list(GUIDELINES))


def flags(guideline: str, **facts: object) -> set[str]:
    evidence = CaseEvidence(ihc=StatedScore(IhcScore.ZERO), specimen=SpecimenFacts(**facts))
    call = call_case(evidence, GUIDELINES[guideline])
    assert isinstance(call, CaseCall)
    return set(call.flags)


def test_a_breast_guideline_on_a_gastric_tumour_warns_and_still_calls_as_asked():
    assert "guideline_site" in flags("breast_2018", site=TumourSite.GASTROESOPHAGEAL)
    assert "guideline_site" not in flags("breast_2018", site=TumourSite.BREAST)
    assert "guideline_site" in flags("gastroesophageal_2016", site=TumourSite.BREAST)


@EVERY
def test_a_site_that_nobody_stated_warns_of_nothing(guideline):
    assert "guideline_site" not in flags(guideline)


@pytest.mark.parametrize("site", TumourSite)
def test_a_label_for_all_solid_tumours_fits_every_site(site):
    assert "guideline_site" not in flags("pantumour_tdxd_2024", site=site)


@pytest.mark.parametrize(
    ("guideline", "hours", "warns"),
    [
        ("breast_2018", "5.9", True),
        ("breast_2018", "6", False),
        ("breast_2018", "72", False),
        ("breast_2018", "72.1", True),
        ("breast_2013", "72", False),
        ("breast_2007", "5.9", True),
        ("breast_2007", "48", False),
        ("breast_2007", "48.1", True),
        ("gastroesophageal_2016", "72.1", True),
    ],
)
def test_hours_in_formalin_on_and_beside_the_range(guideline, hours, warns):
    assert ("fixation_out_of_range" in flags(guideline, fixation_hours=Fraction(hours))) is warns


@EVERY
@pytest.mark.parametrize(("minutes", "warns"), [("60", False), ("60.5", True)])
def test_an_hour_to_fixation_is_allowed_and_a_minute_more_is_flagged(guideline, minutes, warns):
    found = flags(guideline, cold_ischaemia_minutes=Fraction(minutes))
    assert ("cold_ischaemia_long" in found) is warns


@EVERY
def test_handling_that_nobody_stated_is_not_flagged(guideline):
    assert not {"fixation_out_of_range", "cold_ischaemia_long"} & flags(guideline)


def test_a_negative_time_is_refused():
    with pytest.raises(ValueError, match="fixation_hours must be >= 0"):
        SpecimenFacts(fixation_hours=Fraction(-1))
