"""Krippendorff's alpha of ordered categories."""

from __future__ import annotations

import krippendorff
import numpy as np
import pytest

from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.krippendorff_alpha import (
    alpha_of_sums,
    coincidence_features,
    krippendorff_alpha,
)
from her2path.domain.stats.read_tallies import ReadTallies
from tests.unit.domain.stats.agreement_tables import four_raters, irrcac_tables, reads_of, tallies_of

FEW = Drawing(draws=200)


def by_pairs(reads: list[list[int | None]]) -> float:
    """Alpha by its definition (Krippendorff 2004, chapter 11), pair of reads by pair of reads."""
    rows = [[code for code in row if code is not None] for row in reads]
    rows = [row for row in rows if len(row) > 1]
    pooled = [code for row in rows for code in row]

    def distance(a: int, b: int) -> float:
        low, high = sorted((a, b))
        between = sum(low <= code <= high for code in pooled)
        return (between - (pooled.count(a) + pooled.count(b)) / 2) ** 2 if a != b else 0.0

    seen = sum(
        distance(a, b) / (len(row) - 1)
        for row in rows
        for i, a in enumerate(row)
        for j, b in enumerate(row)
        if i != j
    ) / len(pooled)
    chance = sum(distance(a, b) for a in pooled for b in pooled) / (len(pooled) * (len(pooled) - 1))
    return 1 - seen / chance


def test_20_random_sets_of_reads_with_missing_ones_agree_with_the_definition_and_the_library():
    for table in irrcac_tables():
        got = krippendorff_alpha(tallies_of(table), drawing=FEW).value
        codes, read = reads_of(table["reads"])
        library = krippendorff.alpha(np.where(read, codes, np.nan).T, level_of_measurement="ordinal")
        assert got == pytest.approx(by_pairs(table["reads"]), abs=1e-9)
        assert got == pytest.approx(library, abs=1e-9)


def test_alpha_of_drawings_is_worked_out_as_that_of_the_reads():
    for table in irrcac_tables():
        paired = tallies_of(table).paired()
        sums = paired.cases @ coincidence_features(paired)
        assert float(alpha_of_sums(sums)) == pytest.approx(by_pairs(table["reads"]), abs=1e-9)


def test_krippendorffs_example_with_missing_reads_has_the_published_alpha():
    # Krippendorff, Computing Krippendorff's alpha-reliability (2011): 12 units, 4 observers; ordinal
    # 0.815.  The same reads stand in Gwet's handbook.
    assert round(krippendorff_alpha(four_raters(), drawing=FEW).value, 3) == 0.815


def test_perfect_agreement_is_1_with_a_lower_bound_below():
    estimate = krippendorff_alpha(ReadTallies.of_table(np.diag([10, 10, 10, 10])))
    assert estimate.value == estimate.high == 1.0
    assert 0.5 < estimate.low < 0.99


def test_one_category_leaves_alpha_undefined():
    estimate = krippendorff_alpha(ReadTallies.of_table(np.diag([0, 12, 0, 0])))
    assert estimate.value is None
    assert "one category" in estimate.why


def test_other_categories_in_cases_read_once_do_not_define_alpha():
    reads, read = np.array([[0, 0], [0, 0], [3, 0]]), np.array([[True, True], [True, True], [True, False]])
    assert krippendorff_alpha(ReadTallies.of_reads(reads, read, categories=4)).value is None


def test_one_case_that_differs_has_an_alpha_and_a_wide_interval():
    estimate = krippendorff_alpha(ReadTallies.of_table(np.array([[0, 1], [0, 0]])))
    assert estimate.value == 0.0
    assert estimate.n == 1


def test_one_reader_has_no_alpha():
    alone = ReadTallies.of_reads(np.array([[0], [1]]), np.ones((2, 1), bool), categories=4)
    assert krippendorff_alpha(alone).why == "no case was read twice or more"
