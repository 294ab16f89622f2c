"""What is typed wrongly never becomes a call, whatever stands beside it."""

from __future__ import annotations

import csv
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from her2path.cli.call_columns import ALIASES, COLUMNS, header_faults, ignored
from her2path.cli.call_table import FAULTY, call_table
from her2path.domain.guideline.registry import guideline_ids
from her2path.io.count_table import CountTable

VECTORS = Path(__file__).parents[1] / "golden" / "vectors.csv"
ROWS = list(csv.reader(VECTORS.read_text(encoding="utf-8").splitlines()))
HEADER, CASES = tuple(ALIASES.get(name, name) for name in ROWS[0]), ROWS[1:]
_FREE = ("case_id", "note", "guideline")
CHECKED = tuple(name for name in COLUMNS if name not in _FREE)
GARBAGE = (
    "nan",
    "NaN",
    "inf",
    "-inf",
    "-1",
    "-0",
    "1e3",
    "1,5",
    "½",
    "٣",
    "two",
    "0x10",
    "1_000",
    "+",
    ".",
    "5.",
)


def called(header: tuple[str, ...], cells: list[str]) -> dict[str, str]:
    table = CountTable(header, ((2, tuple(cells)),))
    (result,) = call_table(table, guideline="breast_2023").results
    return {"call": result.call, "reason": result.cell("reason"), "cells": ";".join(result.cells)}


@given(st.sampled_from(CASES), st.sampled_from(CHECKED), st.sampled_from(GARBAGE))
def test_a_cell_that_is_neither_number_nor_word_makes_its_row_faulty(cells, column, text):
    header = HEADER if column in HEADER else (*HEADER, column)
    changed = [*cells, ""][: len(header)]
    changed[header.index(column)] = text

    found = called(header, changed)

    assert found["call"] == FAULTY
    assert column in found["reason"]


@given(st.sampled_from(CASES), st.permutations(range(len(HEADER))))
def test_the_order_of_the_columns_changes_nothing(cells, order):
    shuffled = called(tuple(HEADER[n] for n in order), [cells[n] for n in order])

    assert shuffled == called(HEADER, cells)


@given(st.sampled_from(CASES), st.text(max_size=20), st.text(alphabet="qxz", min_size=4, max_size=12))
def test_a_column_of_the_laboratory_changes_nothing(cells, text, name):
    assert name in ignored((*HEADER, name))
    assert called((*HEADER, name), [*cells, text]) == called(HEADER, cells)


@given(st.sampled_from(sorted(COLUMNS)), st.data())
def test_a_letter_too_few_in_a_long_name_is_noticed(name, data):
    place = data.draw(st.integers(0, len(name) - 1))
    slip = name[:place] + name[place + 1 :]

    if len(name) >= 8 and slip not in COLUMNS:
        assert header_faults((slip,), added=())


TYPED = st.dictionaries(
    st.sampled_from(CHECKED), st.sampled_from(("0", "1", "20", "50", "100", "2.5", "yes", "2+"))
)


@settings(max_examples=300)
@given(TYPED, st.sampled_from(guideline_ids()))
def test_whatever_is_typed_has_one_outcome_and_a_reason_if_it_is_no_call(typed, guideline):
    header = ("guideline", *typed)

    found = called(header, [guideline, *typed.values()])

    assert found["reason"] or found["call"] not in (FAULTY, "not_evaluable", "indeterminate")
