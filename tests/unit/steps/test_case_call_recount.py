"""A recount is a second person's: what the program counts again is a check and decides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from her2path.domain.ihc import Intensity, Pattern
from her2path.domain.ish import Probe
from her2path.errors import ArtefactError
from tests.support.measured_case import Case

TWO_PLUS = {(Intensity.MODERATE, Pattern.COMPLETE): 400, (Intensity.NONE, Pattern.NONE): 600}
GROUP_1 = [(8, 2)] * 20
GROUP_2 = [(3, 1)] * 14 + [(3, 2)] * 7
GROUP_3 = [(7, 4)] * 20
GROUP_4 = [(5, 4)] * 20


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """IHC 2+, and a first count that asks for a recount."""
    found = Case(tmp_path)
    found.ihc("i1", TWO_PLUS)
    return found


@pytest.mark.parametrize("second", [GROUP_3, GROUP_1], ids=["the same group", "another group"])
def test_the_programs_count_of_a_second_observers_images_settles_nothing(case, second):
    case.fish("f1", GROUP_3)
    case.fish("f2", second, observer=2)

    call = case.call()

    assert (call.state, call.recount) == ("needs_recount", {})
    assert "automatic_recount" in call.flags


@pytest.mark.parametrize(
    ("second", "group", "agrees"),
    [
        pytest.param(GROUP_3, "3", True, id="the same group"),
        pytest.param(GROUP_1, "1", False, id="another group"),
        pytest.param(GROUP_3[:19], None, None, id="too few nuclei for a group"),
    ],
)
def test_the_programs_count_is_shown_with_its_agreement(case, second, group, agrees):
    case.fish("f1", GROUP_3)
    case.fish("f2", second, observer=2)

    call = case.call()

    check = call.checks[0]
    assert (check.counted, check.nuclei, check.ish_group, check.agrees) == (
        "images_of_observer_2",
        len(second),
        group,
        agrees,
    )
    assert ("automatic_recount_differs" in call.flags) is (agrees is False)
    assert ("fewer than 20" in check.why) is (group is None)


def test_where_a_recount_is_pending_the_parts_of_the_first_count_are_checked_too(case):
    case.fish("f1", GROUP_3, area="a")
    case.fish("f2", GROUP_4, area="b")
    case.fish("f3", GROUP_4[:10], area="b")

    call = case.call()

    assert call.ish_group == "4"
    found = [
        (check.counted, check.name, check.nuclei, check.ish_group, check.agrees) for check in call.checks
    ]
    assert found == [
        ("part_of_first_count", "a", 20, "3", False),
        ("part_of_first_count", "b", 30, "4", True),
    ]


def test_a_final_call_has_no_checks(case):
    case.fish("f1", GROUP_1, area="a")
    case.fish("f2", GROUP_1, area="b")

    assert case.call().checks == ()


def test_an_automatic_count_contradicts_no_final_call_but_is_flagged(case):
    case.fish("f1", GROUP_1)
    case.fish("f2", GROUP_4, observer=2)

    call = case.call()

    assert call.state == "positive"
    assert {"automatic_recount", "automatic_recount_differs"} <= set(call.flags)


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        pytest.param(GROUP_2, GROUP_2, "negative", id="group 2 confirmed"),
        pytest.param(GROUP_3, GROUP_3, "positive", id="group 3 confirmed"),
        pytest.param(GROUP_4, GROUP_4, "negative", id="group 4 confirmed"),
        pytest.param(GROUP_3, GROUP_1, "needs_adjudication", id="another group"),
    ],
)
def test_the_read_of_a_second_person_completes_the_call(case, first, second, state):
    case.fish("f1", first)
    case.read(second, of={"f1": "f1"})

    call = case.call()

    assert call.state == state
    assert (call.recount["nuclei"], call.recount["her2_signals"]) == (len(second), sum(h for h, _ in second))
    assert (call.recount["reader"], call.recount["read_on"]) == ("AB", "2026-11-21")
    assert "recount" in call.inputs
    assert "recount_blinding_not_stated" not in call.flags


def test_a_persons_read_counts_and_the_program_stays_a_check(case):
    case.fish("f1", GROUP_3)
    case.fish("f2", GROUP_1, observer=2)
    case.read(GROUP_3, of={"f2": "f2"})

    call = case.call()

    assert call.state == "positive"
    assert call.checks[0].agrees is False
    assert "automatic_recount" not in call.flags
    assert "automatic_recount_differs" in call.flags


def test_a_reader_who_knew_the_first_result_confirms_nothing(case):
    case.fish("f1", GROUP_3)
    case.read(GROUP_3, of={"f1": "f1"}, blinded=False)

    call = case.call()

    assert call.state not in {"positive", "negative"}
    assert "recount_not_valid" in call.flags


@pytest.mark.parametrize(
    ("counted", "state"), [pytest.param(20, "positive", id="20"), pytest.param(19, "needs_recount", id="19")]
)
def test_a_read_needs_twenty_counted_nuclei(case, counted, state):
    case.fish("f1", GROUP_3)
    case.read([*GROUP_3[:counted], None, None], of={"f1": "f1"})

    call = case.call()

    assert call.state == state
    assert call.recount["nuclei_not_countable"] == 2


def test_a_read_of_images_that_were_replaced_is_not_used_and_said_so(case):
    case.fish("f1", GROUP_3, sha256="new scan")
    case.read(GROUP_3, of={"f1": "old scan"})

    call = case.call()

    assert (call.state, call.recount) == ("needs_recount", {})
    assert "recount_of_other_images" in call.flags


def test_a_read_of_another_case_is_refused(case):
    case.fish("f1", GROUP_3)
    case.read(GROUP_3, of={"f1": "f1"}, case_id="c2")

    with pytest.raises(ArtefactError, match="no read of case 'c1'"):
        case.call()


def test_nuclei_of_the_first_count_and_the_programs_own_counts_are_flagged(case):
    case.fish("f1", GROUP_3)
    case.read(GROUP_3, of={"f1": "f1"}, program=GROUP_3, in_first_count=True)

    assert {"recount_nuclei_reused", "recount_equals_program"} <= set(case.call().flags)


def test_one_nucleus_counted_otherwise_is_no_copy_of_the_program(case):
    case.fish("f1", GROUP_3)
    case.read([(8, 4), *GROUP_3[1:]], of={"f1": "f1"}, program=GROUP_3)

    assert "recount_equals_program" not in case.call().flags


def test_the_nuclei_of_a_recount_do_not_mix_with_those_of_the_first_count(case):
    case.fish("f1", [(3, 3)] * 20)
    case.read([(9, 3)] * 20, of={"f1": "f1"})

    call = case.call()

    assert call.stability is not None
    assert (call.stability.nuclei, call.stability.finding) == (20, "5")
    assert call.heterogeneity_2009 is not None
    assert call.heterogeneity_2009.share_pct == 0.0
    assert (call.ish["pct_nuclei_ratio_at_least_2"], call.recount["pct_nuclei_ratio_at_least_2"]) == (0, 100)


def test_a_single_probe_is_read_without_cep17(tmp_path):
    case = Case(tmp_path)
    case.fish("f1", [(7, None)] * 20, probe=Probe.SINGLE)
    case.read([(6, None)] * 20, of={"f1": "f1"}, probe=Probe.SINGLE)

    call = case.call()

    assert (call.state, call.recount["her2_mean"]) == ("positive", 6.0)


def test_where_further_nuclei_are_added_a_persons_read_stands_for_the_programs_count(tmp_path):
    stomach = "gastroesophageal_2016"
    case = Case(tmp_path)
    case.ihc("i1", TWO_PLUS, guideline=stomach)
    case.fish("f1", [(5, 3), (5, 4)] * 10, guideline=stomach)
    case.fish("f2", [(9, 4), (8, 3)] * 10, guideline=stomach, observer=2)
    case.read([(9, 3)] * 22, of={"f2": "f2"})

    call = case.call()

    assert (call.state, call.recount["reader"]) == ("positive", "AB")
    assert call.stability is not None
    assert call.stability.nuclei == 20 + 22
    assert call.checks == ()
