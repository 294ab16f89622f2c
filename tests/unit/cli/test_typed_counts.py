"""Means of signals that were typed instead of totals."""

from __future__ import annotations

import pytest

from her2path.cli.call_inputs import read_case
from her2path.domain.decision import CaseCall, call_case


def case(**cells: str):
    return read_case({"ihc": "2+", **cells}, guideline="breast_2018")


def called(**cells: str) -> CaseCall:
    found, faults = case(**cells)
    assert found is not None, faults
    call = call_case(found.evidence, found.guideline)
    assert isinstance(call, CaseCall)
    return call


def reasons(**cells: str) -> list[str]:
    found, faults = case(**cells)
    assert found is None
    return [f"{column}: {message}" for column, message in faults]


def means(nuclei: int, her2: str, cep17: str) -> dict[str, str]:
    return {"nuclei": str(nuclei), "mean_her2": her2, "mean_cep17": cep17}


@pytest.mark.parametrize(
    ("typed", "group"),
    [
        pytest.param(means(21, "4.190476", "2.095238"), "1", id="88 over 44: ratio exactly 2.0"),
        pytest.param(means(21, "4.19", "2.10"), "1", id="two digits are enough to find 88 and 44 again"),
        pytest.param(means(100, "3.99", "1.99"), "2", id="copies 3.99"),
        pytest.param(means(20, "4", "2"), "1", id="on both cuts"),
        pytest.param(means(30, "4.1", "2.033333"), "1", id="123 over 61"),
        pytest.param(means(35, "8.1", "2.1"), "1", id="several totals, one group"),
    ],
)
def test_nothing_is_rounded_before_it_is_compared(typed, group):
    assert called(**typed).ish_group == group


def test_means_that_leave_the_group_open_are_not_decided():
    (reason,) = reasons(**means(35, "4.1", "2.1"))

    assert reason.startswith("mean_her2: the means are too coarse to decide by breast_2018")


def test_the_same_means_may_decide_by_another_guideline():
    typed = {"ihc": "2+", **means(35, "6.1", "3.5")}

    assert read_case(typed, guideline="breast_2013")[0] is not None


def test_a_mean_that_no_count_has_contradicts_its_nuclei():
    assert reasons(**means(20, "4.13", "2"))[0].startswith(
        "mean_her2: no whole number of signals in 20 nuclei"
    )


def test_means_of_very_many_nuclei_with_few_digits_are_too_coarse():
    assert "too coarse for" in reasons(**means(9_999_999, "4.1", "2.1"))[0]
    assert "too coarse for" in reasons(**means(2_003, "4.1", "2.1"))[0]


def test_totals_come_before_means_and_both_must_agree():
    totals = {"nuclei": "20", "her2_signals": "61", "cep17_signals": "40"}

    assert called(**totals, mean_her2="3.05", mean_cep17="2").ish_group == "5"
    assert "mean_her2: says 4.05, but 61 signals in 20 nuclei are 3.05 each" in reasons(
        **totals, mean_her2="4.05"
    )


def test_a_total_of_one_colour_and_a_mean_of_the_other_are_a_count():
    assert called(nuclei="20", her2_signals="80", mean_cep17="2").ish_group == "1"


@pytest.mark.parametrize(
    ("typed", "flagged"),
    [
        pytest.param(means(21, "4.190476", "2.095238"), False, id="six digits"),
        pytest.param(means(100, "3.99", "2.01"), False, id="two digits pin 100 nuclei"),
        pytest.param(means(21, "4.19", "2.10"), True, id="rounded, though only one count fits"),
        pytest.param(means(50, "4.0", "2.0"), True, id="4.0 may have been 3.96"),
        pytest.param({"nuclei": "50", "her2_signals": "200", "cep17_signals": "100"}, False, id="totals"),
    ],
)
def test_totals_that_the_digits_leave_in_doubt_are_flagged(typed, flagged):
    found, _ = case(**typed)

    assert found is not None
    assert ("totals_from_means" in found.flags) is flagged


def recounted(**cells: str) -> dict[str, str]:
    first = {"nuclei": "20", "her2_signals": "60", "cep17_signals": "28"}
    return {**first, "recount_available": "y", **cells}


@pytest.mark.parametrize(
    ("her2", "cep17", "state"),
    [
        pytest.param("3.2", "1.5", "negative", id="same group"),
        pytest.param("3.99", "1.99", "negative", id="same group, whole in 100 nuclei"),
        pytest.param("4", "2", "needs_adjudication", id="group 1"),
        pytest.param("3.9", "1.96", "needs_adjudication", id="group 5"),
    ],
)
def test_a_recount_by_means_alone_is_taken_as_exact_and_flagged(her2, cep17, state):
    cells = recounted(recount_mean_her2=her2, recount_mean_cep17=cep17)
    found, _ = case(**cells)

    assert found is not None
    assert "recount_nuclei_not_stated" in found.flags
    assert called(**cells).state == state


def test_a_recount_of_stated_size_can_be_too_small():
    cells = recounted(recount_mean_her2="3.2", recount_mean_cep17="1.6", recount_nuclei="15")

    assert called(**cells).state == "needs_recount"


def test_totals_of_a_recount_need_its_nuclei():
    (reason,) = reasons(**recounted(recount_her2="64", recount_cep17="30"))

    assert reason.startswith("recount_nuclei: is needed beside recount_her2, recount_cep17")


def test_means_of_a_recount_need_both_colours():
    assert reasons(**recounted(recount_mean_her2="3.2")) == [
        "recount_mean_cep17: is needed beside recount_mean_her2"
    ]


def test_a_recount_that_was_said_not_to_exist_is_a_contradiction():
    cells = recounted(recount_mean_her2="3.2", recount_mean_cep17="1.5") | {"recount_available": "n"}

    assert reasons(**cells)[0].startswith("recount_available: is no, but recount_mean_her2")


def test_no_nuclei_are_a_count_that_failed():
    assert called(nuclei="0").state == "indeterminate"


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        pytest.param("2.14", None, id="as counted"),
        pytest.param("2.142857", None, id="six digits"),
        pytest.param("1.9", "ratio: says 1.9, but the sum of HER2 over the sum of CEP17", id="another"),
    ],
)
def test_a_ratio_is_only_compared(ratio, message):
    counts = {"nuclei": "20", "her2_signals": "60", "cep17_signals": "28", "ratio": ratio}

    if message is None:
        assert called(**counts).ish_group == "2"
    else:
        assert reasons(**counts)[0].startswith(message)


def test_a_ratio_without_cep17_signals_is_a_contradiction():
    counts = {"nuclei": "20", "her2_signals": "60", "cep17_signals": "0"}

    assert called(**counts, ratio="0").state == "indeterminate"
    assert reasons(**counts, ratio="2")[0].startswith("ratio: is given, but without CEP17")


def test_a_second_population_of_nothing_is_none():
    first = {"nuclei": "20", "her2_signals": "60", "cep17_signals": "28"}

    assert called(**first, second_population_pct="0").populations == ()
    assert called(**first, second_population_pct="12").state == "needs_recount"
    assert (
        "second_nuclei: is given, but"
        in reasons(
            **first, second_population_pct="0", second_nuclei="20", second_her2="160", second_cep17="40"
        )[0]
    )
    assert reasons(**first, second_nuclei="20", second_her2="160", second_cep17="40") == [
        "second_population_pct: is needed: how many of the tumour cells are in it"
    ]


def test_a_single_probe_has_no_share_of_amplified_nuclei_in_either_count():
    first = {"probe": "single", "nuclei": "20", "her2_signals": "80"}
    second = {"recount_nuclei": "20", "recount_her2": "90"}

    assert called(**first, **second).ish_group == "equivocal"
    assert reasons(**first, **second, recount_pct_cells_ratio_ge2="50") == [
        "recount_pct_cells_ratio_ge2: a single probe has no ratio"
    ]
    assert called(**first, recount_mean_her2="4.5").ish_group == "equivocal"


def stomach(**cells: str):
    first = {"specimen": "resection", "nuclei": "20", "her2_signals": "100", "cep17_signals": "70"}
    return read_case({"ihc": "2+", **first, **cells}, guideline="gastroesophageal_2016")


WHOLE = "gastroesophageal_2016 adds the recount to the first count; give whole totals of both"


def test_a_recount_that_is_added_must_be_known_in_whole_signals():
    _, faults = stomach(recount_nuclei="35", recount_mean_her2="8.1", recount_mean_cep17="3.6")

    assert faults == [("recount_mean_her2", WHOLE)]


def test_a_first_count_to_which_another_is_added_must_be_known_in_whole_signals():
    # 142 to 145 signals are written 4.1 over 35 nuclei: with 136 more the mean is 3.97 to 4.01.
    again = {"recount_nuclei": "35", "recount_her2": "136", "recount_cep17": "109"}
    typed = {"ihc": "2+", "specimen": "resection", **means(35, "4.1", "3.1")}

    assert read_case(typed, guideline="gastroesophageal_2016")[1] == []
    assert read_case({**typed, **again}, guideline="gastroesophageal_2016")[1] == [("mean_her2", WHOLE)]
    too_few = {**again, "recount_nuclei": "19"}
    assert read_case({**typed, **too_few}, guideline="gastroesophageal_2016")[1] == []


def test_a_mean_that_leaves_the_group_open_is_named_even_beside_a_total():
    typed = {"nuclei": "35", "her2_signals": "147", "mean_cep17": "2.1"}

    assert reasons(**typed)[0].startswith("mean_cep17: the means are too coarse to decide")


def test_no_fault_of_a_count_hides_another():
    first = {"nuclei": "x", "her2_signals": "80", "cep17_signals": "40", "ratio": "two"}
    again = {"recount_nuclei": "y", "recount_her2": "80", "recount_cep17": "40"}
    asked = {"recount_blinded": "maybe", "recount_other_nuclei": "perhaps"}

    _, faults = case(**first, **again, **asked)

    assert {name for name, _ in faults} == {"nuclei", "ratio", "recount_nuclei", *asked}


def test_a_recount_of_unknown_size_is_added_where_its_size_changes_nothing():
    found, faults = stomach(recount_mean_her2="9", recount_mean_cep17="3")

    assert found is not None, faults
    assert "recount_nuclei_not_stated" in found.flags


def test_an_unreadable_recount_of_unknown_size_is_not_asked_for_more():
    assert stomach(recount_mean_her2="0", recount_mean_cep17="3")[0] is not None


def test_a_cohort_word_for_not_stated_is_the_same_as_an_empty_cell():
    count = {"nuclei": "20", "her2_signals": "80", "cep17_signals": "40"}

    assert called(**count, probe="na", recount_available="na").ish_group == "1"


def test_a_cell_is_quoted_by_its_first_words_only():
    (reason,) = reasons(nuclei="x" * 1000, her2_signals="80", cep17_signals="40")

    assert len(reason) < 200
