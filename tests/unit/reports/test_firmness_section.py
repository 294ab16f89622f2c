from __future__ import annotations

import pytest

from her2path.io.call_entries import MarginEntry, Reason, StabilityEntry
from her2path.reports.firmness_section import firmness_of
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc

NEAR = [(4, 2)] * 9 + [(3, 2)] * 5 + [(6, 3)] * 4 + [(7, 3), (5, 2)]
"""Twenty nuclei, 87 HER2 and 45 CEP17 signals: ratio 1.93, 4.35 copies."""
CALL = call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=NEAR), setting=Setting("breast_2018"))


def entry(**changes: object) -> StabilityEntry:
    plain: dict[str, object] = {
        "basis": "nuclei",
        "finding": "4",
        "nuclei": 20,
        "probabilities": {"4": 0.66, "1": 0.34},
        "another_finding": 0.34,
        "another_result": 0.34,
    }
    return StabilityEntry.model_validate(plain | changes)


def firm(**changes: object):
    found = firmness_of(CALL.model_copy(update={"stability": entry(**changes)}))
    assert found is not None
    return found


def test_the_chance_of_another_result_is_said_in_words_and_as_a_number():
    assert firm().chance == (
        "Another count of 20 nuclei would give another ISH result about 1 in 3 times (probability 34.0 %)."
    )


def test_a_count_that_no_drawing_moves_is_still_not_said_to_stand_for_ever():
    still = firm(probabilities={"4": 1.0}, another_finding=0.0, another_result=0.0)
    assert "less than 1 in 10\u202f000 times (probability < 0.01 %)" in still.chance
    assert [(group.name, group.probability) for group in still.groups] == [("ISH group 4", "> 99.99 %")]


def test_nuclei_that_are_all_alike_tell_no_chance_and_lead_to_the_margins():
    alike = firmness_of(call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=[(4, 2)] * 20)))  # on both cuts
    assert alike is not None
    assert alike.chance.startswith("The 20 counted nuclei are all alike, so drawing from them again always")
    assert alike.chance.endswith(
        "cannot be told from them. See instead by how little it would have to change."
    )
    assert (alike.basis, alike.beside, alike.groups) == ("", "", ())
    assert "1 fewer HER2 signal would make it ISH group 5." in alike.margins


def test_alike_nuclei_that_no_change_moves_point_nowhere():
    assert firm(nuclei_alike=True).chance.endswith("cannot be told from them.")


@pytest.mark.parametrize(
    ("basis", "words"), [("nuclei", "counted nuclei themselves"), ("poisson", "Poisson")]
)
def test_what_the_chance_was_worked_out_from_is_said(basis, words):
    assert words in firm(basis=basis).basis


def test_groups_that_are_one_result_by_the_guideline_are_told_apart_beside_the_chance():
    assert firm(another_result=0.11).beside.startswith("It would fall into another group about 1 in 3 times")
    assert firm().beside == ""


def test_results_are_listed_in_the_order_of_the_groups_and_impossible_ones_left_out():
    chances = {"indeterminate": 0.01, "5": 0.1, "1": 0.29, "4": 0.6, "3": 0.0}
    groups = firm(probabilities=chances).groups
    assert [(group.name, group.probability, group.is_this) for group in groups] == [
        ("ISH group 1", "29.0 %", False),
        ("ISH group 4", "60.0 %", True),
        ("ISH group 5", "10.0 %", False),
        ("no readable ISH", "1.0 %", False),
    ]


@pytest.mark.parametrize(
    ("counted", "change", "finding", "words"),
    [
        ("her2_signals", -2, "5", "2 fewer HER2 signals would make it ISH group 5."),
        ("her2_signals", 1, "1", "1 more HER2 signal would make it ISH group 1."),
        ("cep17_signals", -1, "amplified", "1 fewer CEP17 signal would make it ISH amplified."),
        (
            "nuclei_ratio_at_least_2",
            3,
            "amplified",
            "3 more nuclei with a ratio of 2.0 or more would make it ISH amplified.",
        ),
    ],
)
def test_the_smallest_change_that_moves_the_count_is_said_in_whole_numbers(counted, change, finding, words):
    margin = MarginEntry.model_validate({"counted": counted, "change": change, "finding": finding})
    assert firm(margin=(margin,)).margins == (words,)


def test_a_real_count_beside_the_cut_says_how_many_signals_it_lies_beside_it():
    found = firmness_of(CALL)
    assert found is not None
    assert "3 more HER2 signals would make it ISH group 1." in found.margins  # 90 = 2 x 45
    assert "8 fewer HER2 signals would make it ISH group 5." in found.margins  # 79 < 4 x 20
    assert [group.name for group in found.groups if group.is_this] == ["ISH group 4"]


def test_a_count_without_a_chance_says_why():
    why = Reason(code="count_not_readable", reason="the count cannot be read: fewer than 20 nuclei")
    found = firmness_of(CALL.model_copy(update={"stability": None, "no_stability": why}))
    assert found is not None
    assert (found.reason, found.chance, found.groups) == (why.reason, "", ())


def test_without_a_count_nothing_is_said_of_it():
    assert firmness_of(call_doc("c1", Ihc(cells=TWO_PLUS))) is None
