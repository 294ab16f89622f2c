"""Every combination of findings is decided once, and as the guideline's table says."""

from __future__ import annotations

import pytest

from her2path.domain.guideline.findings import (
    NOT_CONTRADICTED,
    Findings,
    IhcFinding,
    IshFinding,
    Match,
    RecountFinding,
    all_findings,
)
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import decide
from tests.support.published.calls import TABLES

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)


def lattice(guideline) -> tuple[Findings, ...]:
    return all_findings(guideline.ihc_findings, guideline.ish_findings)


def words(outcome) -> str:
    return " ".join([outcome.state, *outcome.comments, *(f"+{flag}" for flag in outcome.flags)])


def test_every_guideline_has_its_printed_table():
    assert set(TABLES) == set(GUIDELINES)


@EVERY
def test_exactly_one_rule_holds_for_every_combination_and_says_what_the_table_says(guideline):
    printed = TABLES[guideline.id]
    wrong = {
        str(found): (called, printed.read(found))
        for found in lattice(guideline)
        if (called := words(decide(found, guideline.combined).conclusion)) != printed.read(found)
    }
    assert not wrong


@EVERY
def test_every_combined_rule_decides_somewhere(guideline):
    used = {decide(found, guideline.combined).rule.id for found in lattice(guideline)}

    assert used == {rule.id for rule in guideline.combined}


@EVERY
def test_every_comment_belongs_to_some_result(guideline):
    used = {code for rule in guideline.combined for code in rule.then.comments}

    # 2018 shares its texts with 2023, which alone adds the note on low expression.
    assert set(guideline.comments) - {"NOTE-LOW"} == used | {"ACT-COUNT-SECOND"}
    assert guideline.low_expression_comment == ("NOTE-LOW" if guideline.id == "breast_2023" else None)


@EVERY
def test_whatever_is_open_says_who_must_act_and_nothing_else_does(guideline):
    for found in lattice(guideline):
        outcome = decide(found, guideline.combined).conclusion
        is_open = outcome.state.is_pending or outcome.state in ("indeterminate", "equivocal")
        assert any(code.startswith("ACT-") for code in outcome.comments) is is_open, found


@EVERY
def test_a_policy_that_decides_a_finding_is_named_by_the_rule(guideline):
    for found in lattice(guideline):
        decision = decide(found, guideline.combined)
        if "policy" in decision.conclusion.flags:
            assert decision.rule.is_policy, found


@pytest.mark.parametrize(
    ("name", "size"),
    [
        # tests without a recount: (IHC rows) x (ISH not done or failed) less nothing at all;
        # with an ISH that was read: (IHC rows) x (ISH results) x (four findings of a recount).
        pytest.param("breast_2018", 6 * 2 - 1 + 6 * 8 * 4, id="4 scores, 5 groups and 3 results"),
        pytest.param("breast_2007", 6 * 2 - 1 + 6 * 3 * 4, id="4 scores, 3 results"),
        pytest.param("colorectal_heracles_2015", 7 * 2 - 1 + 7 * 2 * 4, id="5 extents, 2 results"),
    ],
)
def test_the_lattice_leaves_no_combination_out(name, size):
    assert len(lattice(GUIDELINES[name])) == len(set(lattice(GUIDELINES[name]))) == size


def test_a_lattice_needs_no_order_of_its_results():
    one = all_findings((IhcFinding.ZERO, IhcFinding.TWO_PLUS), (IshFinding.GROUP_1, IshFinding.GROUP_5))
    other = all_findings((IhcFinding.TWO_PLUS, IhcFinding.ZERO), (IshFinding.GROUP_5, IshFinding.GROUP_1))

    assert set(one) == set(other)


def test_findings_without_any_test_are_refused():
    with pytest.raises(ValueError, match="^findings need at least one test$"):
        Findings(IhcFinding.NOT_DONE, IshFinding.NOT_DONE)


@pytest.mark.parametrize("ish", [IshFinding.NOT_DONE, IshFinding.INDETERMINATE])
@pytest.mark.parametrize("recount", sorted(set(RecountFinding) - {RecountFinding.NONE}))
def test_a_recount_of_nothing_is_refused(ish, recount):
    with pytest.raises(ValueError, match="^a recount is compared with a first count that can be read$"):
        Findings(IhcFinding.TWO_PLUS, ish, recount)


def test_a_row_allows_any_recount_that_does_not_contradict():
    row = Match.of([IhcFinding.ZERO], [IshFinding.GROUP_1])

    held = {r for r in RecountFinding if row(Findings(IhcFinding.ZERO, IshFinding.GROUP_1, r))}
    assert held == set(NOT_CONTRADICTED) == set(RecountFinding) - {RecountFinding.OTHER}
    assert not row(Findings(IhcFinding.ONE_PLUS, IshFinding.GROUP_1))
    assert not row(Findings(IhcFinding.ZERO, IshFinding.GROUP_2))


def test_findings_that_stand_for_no_test_or_no_reading_are_no_results():
    assert {f for f in IshFinding if not f.is_result} == {IshFinding.NOT_DONE, IshFinding.INDETERMINATE}
    assert [str(f) for f in IshFinding if f.is_group] == ["1", "2", "3", "4", "5"]
