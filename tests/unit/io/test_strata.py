"""Strata say where and how a case was stained; what is not stated is none."""

from __future__ import annotations

from datetime import date

import pytest

from her2path.errors import CaseSheetError
from her2path.io.reads_mapping import ReadsMapping
from her2path.io.strata import Strata, read_strata

TODAY = date(2026, 11, 22)


def read(tmp_path, text, mapping=None):
    path = tmp_path / "strata.tsv"
    path.write_text(text, encoding="utf-8")
    return read_strata(path, today=TODAY, mapping=mapping or ReadsMapping())


def test_what_is_not_stated_is_none(tmp_path):
    found = read(tmp_path, "case_id\tsite\tclone\tdate\nc1\tA\t\t2026-01-02\nc2\t\t4B5\t\n")

    assert found["c1"] == Strata(site="A", stained_on=date(2026, 1, 2))
    assert found["c2"] == Strata(clone="4B5")


def test_other_names_of_columns(tmp_path):
    mapping = ReadsMapping(strata_columns={"site": "Klinik"})

    assert read(tmp_path, "case_id;Klinik\nc1;Nord\n", mapping)["c1"].site == "Nord"


def test_a_kind_of_specimen_is_read_in_capitals_or_not(tmp_path):
    assert read(tmp_path, "case_id\tspecimen\nc1\tBiopsy\nc2\t\n") == {
        "c1": Strata(specimen="biopsy"),
        "c2": Strata(),
    }


def test_a_kind_of_specimen_that_no_guideline_knows_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(CaseSheetError) as caught:
        read(tmp_path, "case_id\tspecimen\nc1\tautopsy\n")

    assert [str(fault) for fault in caught.value.faults] == [
        "row 2, specimen: 'autopsy' is no kind of specimen; known are resection, biopsy, cytology"
    ]


def test_a_day_of_staining_before_1990_is_refused(tmp_path):
    with pytest.raises(CaseSheetError, match="row 2, date: 1926-01-02 lies before 1990; correct the year"):
        read(tmp_path, "case_id\tdate\nc1\t1926-01-02\n")


def test_all_faults_at_once(tmp_path):
    with pytest.raises(CaseSheetError) as caught:
        read(tmp_path, f"case_id\tsite\tdate\nc1\t{'x' * 65}\t2027-01-01\nc1\tA\t\n\tB\t\nc2\tA\t\tmore\n")

    assert [str(fault) for fault in caught.value.faults] == [
        f"row 2, site: {'x' * 20!r}... is no name; write 64 letters at most, on one line",
        "row 2, date: 2027-01-01 lies in the future",
        "row 3, case_id: 'c1' stands in row 2 already; give one row a case",
        "row 4, case_id: is empty; name the case",
        "row 5: has more cells than the table has columns ('more')",
    ]
    assert "the table of strata cannot be used" in str(caught.value)
