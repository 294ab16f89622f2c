from __future__ import annotations

import pytest

from her2path.domain.case import Controls, Specimen
from her2path.domain.comparison import VersionCall, other_versions
from her2path.domain.decision import CaseEvidence
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import TYPICAL_STAINING, IhcReading, IhcTally, StainingClass
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.verdict import NotEvaluable, State

B2018 = GUIDELINES["breast_2018"]
INTENSE, COMPLETE, LATERAL, FAINT, NONE = StainingClass


def ihc(specimen: Specimen | None = None, **percent: int) -> IhcReading:
    cells = {StainingClass(name): n for name, n in percent.items()}
    tally = IhcTally({TYPICAL_STAINING[name]: n for name, n in cells.items()})
    return IhcReading(tally, controls=Controls.PASS, specimen=specimen)


def ish(her2: int, cep17: int) -> IshReading:
    return IshReading(SignalSummary(20, her2, cep17), areas=2, controls=Controls.PASS)


def by_others(guideline=B2018, **evidence: object) -> dict[str, VersionCall]:
    found = other_versions(CaseEvidence(**evidence), guideline)  # type: ignore[arg-type]
    return {version.guideline: version for version in found}


def test_every_other_version_of_the_family_is_asked_in_the_order_of_the_registry():
    found = by_others(ihc=ihc(none=100))

    assert list(found) == ["breast_2007", "breast_2013", "breast_2015", "breast_2023"]
    assert found["breast_2007"].title == GUIDELINES["breast_2007"].title


def test_twenty_per_cent_intense_was_no_three_plus_in_2007():
    found = by_others(ihc=ihc(complete_intense=20, none=80))

    early, late = found["breast_2007"], found["breast_2023"]
    assert (early.state, early.ihc_score, early.differs) == (State.NEEDS_ISH, "2+", True)
    assert (late.state, late.ihc_score, late.differs) == (State.POSITIVE, "3+", False)


def test_group_two_with_a_low_score_was_positive_in_2013():
    found = by_others(ihc=ihc(incomplete_faint=50, none=50), ish=ish(60, 28))

    early, late = found["breast_2013"], found["breast_2023"]
    assert (early.state, early.ish_group, early.differs) == (State.POSITIVE, "2", True)
    assert (late.state, late.ish_group, late.differs) == (State.NEGATIVE, "2", False)
    assert "G2" in late.comments
    assert "G2" not in early.comments


def test_another_score_of_the_same_result_does_not_differ():
    found = by_others(ihc=ihc(incomplete_faint=5, none=95))

    assert (found["breast_2007"].ihc_score, found["breast_2007"].differs) == ("1+", False)
    assert found["breast_2023"].ihc_score == "0"


def test_a_version_that_asks_for_more_than_is_known_says_so():
    found = by_others(GUIDELINES["colorectal_heracles_2015"], ihc=ihc(none=100))

    version = found["colorectal_harmonised_2019"]
    assert isinstance(version.state, NotEvaluable)
    assert version.state.code == "specimen_not_stated"
    assert (version.ihc_score, version.ish_group, version.comments) == (None, None, ())
    assert version.differs


def test_versions_that_are_equally_at_a_loss_do_not_differ():
    assert not by_others(ihc=ihc(none=3))["breast_2023"].differs


@pytest.mark.parametrize("guideline", ["gastroesophageal_2016", "biliary_zanidatamab_2024"])
def test_a_guideline_without_other_versions_is_compared_with_none(guideline):
    assert by_others(GUIDELINES[guideline], ihc=ihc(Specimen.RESECTION, none=100)) == {}


def test_only_the_given_guidelines_are_asked():
    chosen = (GUIDELINES["breast_2023"], GUIDELINES["gastroesophageal_2016"])

    found = other_versions(CaseEvidence(ihc=ihc(none=100)), B2018, chosen)

    assert [version.guideline for version in found] == ["breast_2023"]
