from __future__ import annotations

import pytest

from her2path.domain.guideline.rules import Rule, decide, holding
from her2path.errors import RuleSetError

FEW = Rule("FEW", "paper", lambda n: n < 2, "few")
MANY = Rule("MANY", "paper", lambda n: n > 2, "many")
ALSO_FEW = Rule("ALSO-FEW", "her2path policy P1: why", lambda n: n < 1, "few as well")


def test_the_one_rule_that_holds_decides_and_is_named():
    decision = decide(3, (FEW, MANY))

    assert (decision.conclusion, decision.rule.id) == ("many", "MANY")


def test_a_gap_stops_everything_and_names_the_rules():
    with pytest.raises(RuleSetError, match="no rule holds for 2") as error:
        decide(2, (FEW, MANY))

    assert error.value.rule_ids == ("FEW", "MANY")
    assert error.value.exit_code == 70


def test_a_contradiction_stops_everything_and_names_the_rules_that_hold():
    with pytest.raises(RuleSetError, match="2 rules hold for 0") as error:
        decide(0, (FEW, MANY, ALSO_FEW))

    assert error.value.rule_ids == ("FEW", "ALSO-FEW")


def test_an_empty_set_of_rules_is_a_defect_not_a_result():
    with pytest.raises(RuleSetError, match="no rule holds"):
        decide(1, ())


def test_all_rules_that_hold_are_found_in_their_order():
    assert holding(0, (ALSO_FEW, MANY, FEW)) == (ALSO_FEW, FEW)


def test_a_policy_can_be_told_from_a_guideline():
    assert [rule.is_policy for rule in (FEW, ALSO_FEW)] == [False, True]


@pytest.mark.parametrize(("rule_id", "source"), [("", "paper"), ("R", "")])
def test_a_rule_without_id_or_source_is_refused(rule_id, source):
    with pytest.raises(ValueError, match="id and a source"):
        Rule(rule_id, source, bool, "x")
