"""Figures and verdicts from counts of pictures, at the edges: one picture, one class, nothing stained."""

from __future__ import annotations

import numpy as np
import pytest

from her2path.io.evaluation_documents import EvaluatedItem, PairedEntry
from her2path.io.guard_set import Margin
from her2path.io.model_card import WeightsEntry
from her2path.training.evaluation_counts import Counts, counts_entry, counts_of, joined, part
from her2path.training.evaluation_figures import BY_CLASS, CELLS, FIGURES, NUCLEI
from her2path.training.evaluation_summary import (
    blank_entries,
    blank_shares,
    figure_entries,
    figure_entry,
    mcnemar_entries,
    reliability_entries,
    subgroup_entries,
    verdicts,
)

OLD = WeightsEntry(id="her2-old", sha256="0" * 64)
MARGINS = (Margin(figure="nuclei_f1", margin=0.02, why="a test"),)


def counted(
    *, matched: int = 90, table: np.ndarray | None = None, stained: tuple[int, int] = (100, 3)
) -> Counts:
    sums = np.zeros((3, 10))
    sums[:, 9] = [10, 9.5, 9]
    return joined(
        {
            "nuclei": np.array([100, 100, matched]),
            "cells": np.zeros((4, 5)) if table is None else table,
            "stained": np.array(stained),
            "tumour_chances": sums,
        }
    )


def item(number: int, new: Counts, old: Counts, *, pairs: tuple[int, ...] = (0, 0, 0, 0), **facts: str):
    both, only_new, only_old, neither = pairs
    return EvaluatedItem(
        item_id=f"i{number}",
        unit=facts.get("unit", str(number)),
        source=facts.get("source", "phantoms"),
        style=facts.get("style", "pale counterstain"),
        is_blank=False,
        new=counts_entry(new),
        old=(counts_entry(old),),
        paired=(PairedEntry(both=both, only_new=only_new, only_old=only_old, neither=neither),),
    )


def rows(items, found=FIGURES):
    return {row.name: row for row in figure_entries(found, items, models=2, units="pictures")}


def test_counts_are_written_and_read_without_loss():
    counts = counted(table=np.arange(20).reshape(4, 5))
    assert counts_of(item(1, counts, counts).new).tolist() == counts.tolist()


def test_one_picture_gives_figures_without_intervals_and_says_why():
    row = rows([item(1, counted(matched=90), counted(matched=80))])["nuclei_f1"]
    assert (row.new.value, row.old[0].value, row.difference[0].value) == (0.9, 0.8, 0.1)
    assert row.new.low is None
    assert row.difference[0].why == "fewer than 5 pictures"


def test_images_of_one_patient_are_one_unit():
    items = [item(n, counted(), counted(), unit="p1") for n in range(8)]
    assert rows(items)["nuclei_f1"].new.n == 1


def test_a_picture_of_one_class_only_has_recall_of_that_class_alone():
    table = np.zeros((4, 5))
    table[2, 2] = 30
    found = rows([item(n, counted(table=table), counted(table=table)) for n in range(6)], BY_CLASS.values())
    assert list(found) == ["recall_2"]


def test_pictures_without_a_labelled_cell_have_no_figure_of_cells():
    items = [item(n, counted(), counted()) for n in range(6)]
    assert figure_entry(CELLS, items, models=2, units="pictures") is None
    assert mcnemar_entries(items, ["her2-old"]) == ()


def test_pictures_on_which_nothing_stains_have_their_figures_all_the_same():
    table = np.zeros((4, 5))
    table[0, 0] = 50
    items = [item(n, counted(table=table), counted(table=table), pairs=(50, 0, 0, 0)) for n in range(6)]
    found = rows(items)
    assert (found["cells_right"].new.value, found["mean_recall"].new.value) == (1, 1)
    assert mcnemar_entries(items, ["her2-old"])[0].p_value == 1


def test_identical_models_differ_by_nothing_and_pass():
    items = [item(n, counted(matched=80 + n), counted(matched=80 + n)) for n in range(6)]
    difference = rows(items)["nuclei_f1"].difference[0]
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    (verdict,) = verdicts(MARGINS, items, [], [OLD], units="pictures")
    assert verdict.passed


@pytest.mark.parametrize(
    ("lost", "passed"),
    [
        pytest.param(1, True, id="one nucleus in a hundred: within the margin"),
        pytest.param(2, False, id="two: on the margin, not above it"),
        pytest.param(5, False, id="five"),
    ],
)
def test_a_loss_is_held_against_the_margin(lost, passed):
    items = [item(n, counted(matched=90 - lost), counted(matched=90)) for n in range(6)]
    (verdict,) = verdicts(MARGINS, items, [], [OLD], units="pictures")
    assert verdict.passed is passed


def test_what_could_not_be_measured_passes_nothing():
    margins = (Margin(figure="stained_pct", margin=1.0, why="a test"),)
    items = [item(n, counted(), counted()) for n in range(6)]
    (verdict,) = verdicts(margins, items, [], [OLD], units="pictures")
    assert not verdict.passed
    assert verdict.margins[0].difference.value is None


def test_more_staining_on_blank_tissue_is_a_loss():
    margins = (Margin(figure="stained_pct", margin=1.0, why="a test"),)
    blanks = [item(n, counted(stained=(100, 6)), counted(stained=(100, 3))) for n in range(6)]
    (verdict,) = verdicts(margins, [], blanks, [OLD], units="pictures")
    assert verdict.margins[0].difference.value == pytest.approx(-3)
    assert not verdict.passed


def test_the_limit_of_blank_is_that_of_pictures_with_enough_cells():
    blanks = [item(n, counted(stained=(100, n)), counted(stained=(40, 40))) for n in range(6)]
    assert blank_shares(blanks, 0).tolist() == [0, 1, 2, 3, 4, 5]
    new, old = blank_entries(blanks, ["new", "old"])
    assert new.limit_pct.value == pytest.approx(4.75)
    assert (old.pictures, old.limit_pct.value, old.worst_pct) == (0, None, None)


def test_groups_hold_each_picture_once_by_source_and_by_style():
    items = [
        item(n, counted(), counted(), source="a" if n < 4 else "b", style="dark counterstain")
        for n in range(6)
    ]
    found = {
        (group.axis, group.group): group.pictures for group in subgroup_entries(items, models=2, units="p")
    }
    assert found == {("source", "a"): 4, ("source", "b"): 2, ("style", "dark counterstain"): 6}


def test_a_diagram_has_the_points_of_both_models_and_none_of_what_nobody_knows():
    items = [item(n, counted(), counted()) for n in range(6)]
    found = reliability_entries(items, ["new", "old"], units="pictures")
    assert [(entry.output, entry.model) for entry in found] == [("tumour", "new"), ("tumour", "old")]
    (point,) = found[0].points
    assert (point.chance, point.share, point.n) == (0.95, 0.9, 60)
    assert found[0].error.value == pytest.approx(0.05)


def test_parts_of_counts_do_not_overlap():
    counts = counted()
    assert part(counts, "nuclei").tolist() == [100, 100, 90]
    assert NUCLEI.statistic(counts) == pytest.approx(0.9)
