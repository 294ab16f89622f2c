"""Are the simulated readers what they are said to be, and is coverage counted as it is told?"""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest

from her2path.domain.stats.confusion import confusion_table
from tests.validation.qa import tables
from tests.validation.qa.coverage import SLIPS, STUDIES, Condition, Coverage, measure
from tests.validation.qa.other_intervals import METHODS, other_intervals
from tests.validation.qa.parts import rows
from tests.validation.qa.simulated_readers import SCORES, Population
from tests.validation.store import keep, kept


def coverage(
    covered: int, *, method: str = "Wilson", slips: float = 0.1, truth: float = 0.8, of: int = 40
) -> Coverage:
    return Coverage(
        "pair", "exact", method, 40, slips, truth, simulations=100, covered=covered, width=10.0, of=100 * of
    )


def test_reads_fall_into_the_table_that_the_rates_of_the_readers_say():
    people = Population.of(SCORES, 0.2, readers=2)
    codes, read = people.draw(200_000, np.random.default_rng(1))
    table = confusion_table(codes[:, 0], codes[:, 1], read[:, 0] & read[:, 1], categories=4)
    assert people.joint(0, 1).sum() == pytest.approx(1)
    assert np.abs(table / table.sum() - people.joint(0, 1)).max() < 0.004


def test_readers_slip_as_often_as_they_are_said_to():
    people = Population.of(SCORES, 0.1, readers=1)
    assert people.slips == (0.1,)
    codes, read = people.draw(100_000, np.random.default_rng(2), sessions=2)
    both = read.all(axis=1)
    agreed = (codes[both, 0] == codes[both, 1]).mean()
    assert agreed == pytest.approx(float(np.trace(people.joint(0, 0))), abs=0.005)


@pytest.mark.parametrize("study", list(STUDIES))
def test_each_simulated_study_covers_most_truths_whichever_process_runs_it(study):
    condition = Condition(study, 60, SLIPS[1], 1)
    whole = measure((condition, 0, 12))
    assert all(c.simulations + c.undefined == 12 for c in whole)
    assert sum(c.covered for c in whole) > 0.8 * sum(c.simulations for c in whole)
    assert json.dumps([c.as_json() for c in whole])
    halves = [measure((condition, start, 6)) for start in (0, 6)]
    for one, first, second in zip(whole, *halves, strict=True):
        first.add(second)
        assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(first))


def test_usual_intervals_have_no_width_where_readers_agree_on_all_cases():
    agreed = np.diag([20, 10, 5, 5])
    found = other_intervals(
        agreed, {"exact": lambda t: np.einsum("...ii", t) / t.sum((-2, -1))}, np.random.default_rng(1)
    )
    assert set(found.values()) == {(1.0, 1.0)}
    assert [method for _, method in found] == list(METHODS)


def test_percentile_and_bca_lie_close_together_far_from_the_ends():
    table = np.array([[40, 20], [20, 40]])
    found = other_intervals(
        table, {"exact": lambda t: np.einsum("...ii", t) / t.sum((-2, -1))}, np.random.default_rng(1)
    )
    for low, high in found.values():
        assert (low, high) == pytest.approx((0.58, 0.75), abs=0.03)


def test_a_coverage_below_93_or_above_97_per_cent_is_missed():
    found = rows([coverage(92), coverage(95, slips=0.2), coverage(98, slips=0.03)])
    assert [(row.value, row.passed) for row in found] == [(92, False), (98, False)]
    assert found[0].detail == "40 cases, slips 0.1"


def test_clopper_and_pearson_may_cover_too_much_but_not_too_little():
    found = rows([coverage(99, method="Clopper-Pearson")])
    assert [row.passed for row in found] == [True, None]


def test_of_shares_that_hardly_any_study_can_show_nothing_is_asked():
    found = rows([coverage(80, truth=0.99, of=20)])
    assert [row.passed for row in found] == [None, None]
    assert found[0].name.endswith("rare")


def test_intervals_that_her2path_does_not_state_stand_in_a_table_of_their_own(tmp_path):
    own, other = coverage(95, method="Bayesian bootstrap over cases"), coverage(85, method="Wald")
    assert {row.name.split(", ")[1] for row in rows([own, other])} == {"Bayesian bootstrap over cases"}
    extra = {"coverages": [own.as_json(), other.as_json()]}
    keep(tmp_path, "agreement_pair", "her2path", rows([own, other]), extra)
    found = tables.tables(kept(tmp_path))
    assert "| exact | 95.0 (95.0 to 95.0) | 85.0 (85.0 to 85.0) |" in found["other methods"]
    assert "95.0 (truth 0.800, width 0.100)" in found["pair"]
    assert "Wald" not in found["pair"]


def test_every_table_has_its_place_on_the_page():
    marks = re.findall(r"<!-- generated: (.+?) -->", tables.PAGE.read_text(encoding="utf-8"))
    assert sorted(marks) == sorted(tables.tables({}))


def test_a_page_without_results_says_so():
    assert set(tables.tables({}).values()) == {"No results yet."}
