from __future__ import annotations

import pytest

from her2path.io.call_entries import Distance, TrailEntry
from her2path.reports.trail_section import cell_cuts, distance_rows, trail_rows
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei

CALL = call_doc("c1", Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 4.6, 3.0)), setting=Setting("breast_2018"))


def entry(**changes: object) -> TrailEntry:
    plain: dict[str, object] = {"rule_id": "R", "source": "S", "conclusion": "IHC 1+"}
    return TrailEntry.model_validate(plain | changes)


def far(**changes: object):
    plain: dict[str, object] = {
        "quantity": "cluster_strong",
        "value": 7.0,
        "cut": 5.0,
        "distance": 2.0,
        "unit": "cells",
    }
    distance = Distance.model_validate(plain | changes)
    return CALL.model_copy(update={"distance_to_cut": (distance,)})


def second(pct: float) -> str:
    (row,) = trail_rows([entry(numbers={"second_population_pct": pct})], ())
    return row.numbers[0].value


def test_each_rule_says_what_had_to_hold():
    ihc, ish, call = trail_rows(CALL.rule_trail, CALL.comments)
    assert ihc.condition == "complete intense ≤ 10 % and complete > 10 %"
    assert "HER2/CEP17 ratio < 2.0" in ish.condition
    assert call.condition.startswith("IHC 2+")


def test_a_rule_without_a_condition_keeps_its_numbers():
    (row,) = trail_rows([entry(numbers={"ihc": "2+", "ish": "not_done"})], ())
    assert [(number.name, number.value) for number in row.numbers] == [("IHC", "2+"), ("ISH", "not done")]


def test_findings_that_the_condition_names_are_not_printed_twice():
    (row,) = trail_rows([entry(condition="IHC 2+, ISH 4", numbers={"ihc": "2+", "ish": "4"})], ())
    assert row.numbers == ()


def test_a_whole_percentage_is_printed_like_any_other():
    (row,) = trail_rows([entry(numbers={"pct_strong": 26, "scored_cells": 26})], ())
    assert [number.value for number in row.numbers] == ["26", "26.00 %"]


@pytest.mark.parametrize(
    ("pct", "printed"),
    [(10.0, "10.00 %"), (10.001, "10.001 %"), (10.000000000000002, "10.000000000000002 %")],
)
def test_the_share_of_a_second_population_is_never_printed_as_its_cut(pct, printed):
    assert second(pct) == printed


def test_names_of_columns_in_a_conclusion_stay_as_they_are_written():
    (row,) = trail_rows([entry(conclusion="indeterminate: `pct_cells` is not_stated")], ())
    assert row.conclusion == "indeterminate: `pct_cells` is not stated"


def test_whole_cells_are_printed_without_decimals():
    (row,) = distance_rows(far().distance_to_cut)
    assert (row.quantity, row.value, row.cut, row.distance) == (
        "Largest cluster of strong cells",
        "7",
        "5",
        "+2",
    )


def test_only_shares_of_tumour_cells_cut_the_bar_of_the_staining():
    share = {"quantity": "pct_nuclei_ratio_at_least_2", "unit": "per cent of nuclei", "cut": 50.0}
    blank = {"quantity": "pct_stained_over_blank", "unit": "per cent of tumour cells", "cut": 0.5}
    stained = {"quantity": "pct_stained", "unit": "per cent of tumour cells", "cut": 10.0}
    assert cell_cuts(far()) == cell_cuts(far(**share)) == cell_cuts(far(**blank)) == {}
    assert cell_cuts(far(**stained)) == {"pct_stained": (10.0,)}
