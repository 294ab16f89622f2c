"""The recount on the page: a person's counts beside the program's, and checks that decide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.domain.ish import Probe
from her2path.io.call_entries import CheckEntry
from her2path.io.documents import read_document
from her2path.io.recount_documents import RecountDoc
from her2path.reports.ish_section import IshCuts
from her2path.reports.recount_section import check_rows, recount_section
from tests.support.measured_case import Case

TWO_PLUS = {(Intensity.MODERATE, Pattern.COMPLETE): 400, (Intensity.NONE, Pattern.NONE): 600}
GROUP_3 = [(7, 4)] * 20
CUTS = IshCuts(ratio=(2.0,), copies=(4.0, 6.0))


def section_of(root: Path, counts, *, image="f1", **how):
    case = Case(root)
    case.ihc("i1", TWO_PLUS)
    case.fish("f1", GROUP_3)
    case.read(counts, of={"f1": image}, **how)
    return recount_section(read_document(case.recount, RecountDoc).result, case.call(), CUTS)


def test_both_counts_of_the_same_nuclei_stand_side_by_side(tmp_path):
    section = section_of(tmp_path, [*GROUP_3, (9, 5), None], program=[(7, 4)])

    assert (section.reader, section.read_on, section.blinded) == ("AB", "2026-11-21", True)
    found = [(row.name, row.nuclei, row.her2, row.cep17) for row in section.totals]
    assert found == [
        ("Counted by AB", "21", "149", "85"),
        ("The program, on the same nuclei", "21", "147", "84"),
    ]
    assert section.agreement == (
        "HER2: the same in 20 of 21 nuclei, within one signal in 20.",
        "CEP17: the same in 20 of 21 nuclei, within one signal in 21.",
    )


def test_every_nucleus_is_listed_with_what_is_to_be_said_of_it(tmp_path):
    section = section_of(tmp_path, [*GROUP_3, (9, 5), None], program=[(7, 4)], in_first_count=True)

    assert [(row.number, row.read, row.program, row.differs) for row in section.nuclei[19:]] == [
        ("20", "7 / 4", "7 / 4", False),
        ("21", "9 / 5", "7 / 4", True),
        ("22", "–", "7 / 4", False),
    ]
    assert section.nuclei[0].remark == "also in the first count"
    assert section.nuclei[21].remark == "not counted: overlapping"


def test_a_read_that_the_call_does_not_use_is_not_shown(tmp_path):
    assert section_of(tmp_path, GROUP_3, image="replaced since") is None


def test_a_single_probe_is_compared_by_her2_alone(tmp_path):
    case = Case(tmp_path)
    case.fish("f1", [(7, None)] * 20, probe=Probe.SINGLE)
    case.read([(6, None)] * 20, of={"f1": "f1"}, probe=Probe.SINGLE, program=[(7, None)])

    section = recount_section(read_document(case.recount, RecountDoc).result, case.call(), CUTS)

    assert section.agreement == ("HER2: the same in 0 of 20 nuclei, within one signal in 20.",)
    assert (section.nuclei[0].read, section.dual) == ("6", False)


@pytest.mark.parametrize(
    ("group", "agrees", "verdict"),
    [
        pytest.param("3", True, "group 3, as the first count", id="same"),
        pytest.param("1", False, "group 1, another than the first count", id="another"),
        pytest.param(
            "not_amplified", None, "not amplified, nothing to compare with", id="first count unreadable"
        ),
        pytest.param(None, None, "no group: too few", id="no group"),
    ],
)
def test_a_check_says_its_group_and_whether_it_is_that_of_the_first_count(group, agrees, verdict):
    check = CheckEntry(
        counted="part_of_first_count",
        name="A",
        nuclei=20,
        her2_signals=140,
        cep17_signals=80,
        ish_group=group,
        why="" if group else "too few",
        agrees=agrees,
    )
    row = check_rows([check], CUTS)[0]
    assert (row.name, row.ratio, row.remark) == ("Part of the first count: A", "1.75", verdict)
