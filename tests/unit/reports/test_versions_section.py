from __future__ import annotations

from her2path.io.call_entries import VersionEntry
from her2path.reports.versions_section import version_rows
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei

GROUP_3 = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(30, 6.2, 3.2))]
"""Ratio 1.94, 6.27 copies: positive at once in 2013, a recount is due since 2018."""


def rows(guideline: str, images):
    return version_rows(call_doc("c1", *images, setting=Setting(guideline)))


def test_the_chosen_guideline_stands_first_and_is_marked_as_chosen():
    first, *others = rows("breast_2013", GROUP_3)
    assert (first.guideline, first.is_chosen, first.differs) == ("breast_2013", True, False)
    assert not any(row.is_chosen for row in others)


def test_every_other_guideline_of_the_kind_of_tumour_is_listed_with_what_it_says():
    found = {
        row.guideline: (row.ihc, row.ish, row.state.short, row.differs)
        for row in rows("breast_2013", GROUP_3)
    }
    assert found == {
        "breast_2013": ("2+", "group 3", "positive", False),
        "breast_2007": ("2+", "equivocal", "equivocal", True),
        "breast_2015": ("2+", "group 3", "positive", False),
        "breast_2018": ("2+", "group 3", "recount needed", True),
        "breast_2023": ("2+", "group 3", "recount needed", True),
    }


def test_what_was_not_tested_is_a_dash():
    assert {row.ish for row in rows("breast_2018", [Ihc(cells=TWO_PLUS)])} == {"–"}


def test_a_guideline_that_is_alone_in_its_family_is_compared_with_none():
    assert rows("gastroesophageal_2016", GROUP_3) == ()


def test_a_version_that_cannot_read_the_evidence_says_why():
    silent = VersionEntry(
        guideline="odd_2030",
        title="",
        state="not_evaluable",
        differs=True,
        reason_code="specimen_not_stated",
        reason="say in `specimen` which it is",
    )
    call = call_doc("c1", *GROUP_3).model_copy(update={"other_versions": (silent,)})
    _, row = version_rows(call)
    assert (row.state.short, row.reason, row.ihc, row.ish) == ("not evaluable", silent.reason, "–", "–")
