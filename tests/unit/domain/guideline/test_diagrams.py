"""The diagrams are made from the rules: whoever follows an arrow ends at the rule that decides."""

from __future__ import annotations

import random
import re
from fractions import Fraction
from itertools import product

import pytest

from her2path.domain.case import Specimen
from her2path.domain.guideline.findings import Findings, IshFinding, RecountFinding, all_findings
from her2path.domain.guideline.quantities import COPIES, PCT_STAINED, RATIO, STAINED_OVER_BLANK
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.guideline.rules import Rule, decide
from her2path.domain.ihc import IhcReading, IhcTally, Reactivity
from her2path.domain.ish import IshReading, SignalSummary
from tests.support.decision_tree import Branch, Interval, Leaf, Node, Split, Survey, grown, leaves
from tests.support.grids import EVERY_STAINING, UNSTAINED
from tests.support.guideline_diagrams import (
    Look,
    Sign,
    call_diagrams,
    drawn,
    ihc_diagram,
    ish_diagram,
    recount_diagram,
)
from tests.support.guideline_trees import UNCHANGED, call_tree, ihc_tree, ish_tree, recount_tree

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
RANDOM_CASES = 1500


def _walked(node: Node, evidence: object) -> str:
    return node.rule_id if isinstance(node, Leaf) else node.leaf_of(evidence).rule_id


def _chance() -> random.Random:
    return random.Random(2018)  # noqa: S311  (it draws test cases, not secrets)


def _random_reading(chance: random.Random) -> IhcReading:
    """Draw a tally of any size with few kinds of staining, most of them near 0, 10, 30 or 50 %."""
    total = chance.choice([20, 40, 100, 137, 1000])
    cells, left = {}, total
    for kind in chance.sample(EVERY_STAINING, chance.randint(0, 4)):
        near = total * chance.choice([0, 5, 10, 30, 50]) // 100 + chance.randint(-1, 2)
        cells[kind] = min(max(near, 0), left)
        left -= cells[kind]
    sizes = sorted(chance.choices([0, 4, 5, 40], k=3))
    return IhcReading(
        IhcTally({**cells, UNSTAINED: left}),
        limit_of_blank=chance.choice([Fraction(0), Fraction(1, 50), Fraction(9, 100)]),
        specimen=chance.choice([Specimen.RESECTION, Specimen.BIOPSY]),
        clusters=dict(zip(Reactivity, sizes, strict=False)),
    )


@EVERY
def test_whoever_follows_the_diagram_of_the_score_ends_at_the_rule_that_decides(guideline):
    chance, tree = _chance(), ihc_tree(guideline)
    for _ in range(RANDOM_CASES):
        reading = _random_reading(chance)
        assert _walked(tree, reading) == decide(reading, guideline.ihc).rule.id, reading


@pytest.mark.parametrize(
    ("guideline", "dual"),
    [
        pytest.param(guideline, dual, id=f"{guideline.id}, {'dual' if dual else 'single'} probe")
        for guideline in GUIDELINES.values()
        for dual in (True, False)
        if dual or guideline.ish_single
    ],
)
def test_whoever_follows_the_diagram_of_the_signals_ends_at_the_rule_that_decides(guideline, dual):
    rules = guideline.ish_dual if dual else guideline.ish_single
    chance, tree = _chance(), ish_tree(rules, dual=dual)
    for _ in range(RANDOM_CASES):
        nuclei = chance.choice([20, 25, 60])
        summary = SignalSummary(
            nuclei,
            chance.randint(1, 12) * nuclei // 2 + chance.randint(0, 1),
            chance.randint(1, 10) * nuclei // 2 if dual else None,
        )
        reading = IshReading(summary, share_ratio_at_least_2=Fraction(chance.randint(0, nuclei), nuclei))
        assert _walked(tree, reading) == decide(reading, rules).rule.id, reading


@EVERY
def test_whoever_follows_the_diagrams_of_the_call_ends_at_the_rule_that_decides(guideline):
    call, recount = call_tree(guideline, IshFinding), recount_tree(guideline)
    for found in all_findings(guideline.ihc_findings, guideline.ish_findings):
        first = Findings(found.ihc, found.ish)
        again = found.recount is not RecountFinding.NONE
        walked = _walked(recount, found) if again else _walked(call, first)
        expected = decide(first if walked == UNCHANGED else found, guideline.combined).rule.id
        assert (_walked(call, first) if walked == UNCHANGED else walked) == expected, found


def _ids_in(diagrams: tuple[str | None, ...]) -> set[str]:
    """Read the first line of every box that no arrow leaves."""
    found = set()
    for diagram in filter(None, diagrams):
        left = set(re.findall(r"^    (n\d+) -->", diagram, re.MULTILINE))
        boxes = re.findall(r"^    (n\d+)\W+?\"(.+?)\"", diagram, re.MULTILINE)
        found |= {words.split("<br/>")[0] for name, words in boxes if name not in left}
    return found


@EVERY
def test_every_leaf_is_a_rule_and_every_rule_is_a_leaf(guideline):
    assert _ids_in((ihc_diagram(guideline),)) == {rule.id for rule in guideline.ihc}
    assert _ids_in((ish_diagram(guideline, dual=True),)) == {rule.id for rule in guideline.ish_dual}
    if guideline.ish_single:
        assert _ids_in((ish_diagram(guideline, dual=False),)) == {r.id for r in guideline.ish_single}
    calls = _ids_in((*call_diagrams(guideline), recount_diagram(guideline)))
    assert calls - {UNCHANGED} == {rule.id for rule in guideline.combined}


def test_a_guideline_in_which_no_recount_matters_has_no_diagram_of_it():
    assert [g.id for g in GUIDELINES.values() if recount_diagram(g) is None] == [
        "pantumour_tdxd_2024",
        "biliary_zanidatamab_2024",
    ]


@EVERY
def test_no_diagram_asks_what_the_answer_before_has_settled(guideline):
    def check(node: Node, asked: dict[object, set[int]]) -> None:
        if isinstance(node, Split):
            assert len(node.branches) > 1
            for branch in node.branches:
                still = asked.get(node.question, set(branch.answers))
                assert still & set(branch.answers), "an arrow that nobody can take"
                check(branch.then, {**asked, node.question: still & set(branch.answers)})

    for tree in (ihc_tree(guideline), ish_tree(guideline.ish_dual, dual=True), recount_tree(guideline)):
        check(tree, {})


def test_an_interval_is_stated_with_its_ends():
    (copies,) = Survey.of(
        [
            Rule("HIGH", "test", COPIES > 6, ""),
            Rule("SIX", "test", (COPIES >= 6) & (COPIES <= 6), ""),
            Rule("MID", "test", (COPIES >= 4) & (COPIES < 6), ""),
        ]
    ).questions

    assert [copies.say([n]) for n in range(4)] == ["> 6.0", "exactly 6.0", "≥ 4.0 and < 6.0", "< 4.0"]
    assert copies.say([0, 1, 2]) == "≥ 4.0"
    assert copies.say([1, 2, 3]) == "≤ 6.0"
    assert Interval(PCT_STAINED, ((Fraction(0), True),)).say([1]) == "none"
    assert Interval(PCT_STAINED, ((Fraction(0), True),)).say([0]) == "> 0 %"


def test_the_limit_of_blank_is_a_question_of_its_own():
    (blank,) = Survey.of([Rule("R", "test", STAINED_OVER_BLANK, "")]).questions

    assert (blank.words, blank.say([0]), blank.say([1])) == (
        "stained",
        "> limit of blank",
        "≤ limit of blank",
    )


def test_answers_to_which_the_same_follows_share_an_arrow():
    rules = [
        Rule("FEW", "test", (RATIO < 2) & (COPIES < 6), ""),
        Rule("MANY", "test", (RATIO < 2) & (COPIES >= 6), ""),
        Rule("RATIO", "test", RATIO >= 2, ""),
    ]
    survey = Survey.of(rules)
    names = {(0, 0): "RATIO", (0, 1): "RATIO", (1, 0): "MANY", (1, 1): "FEW"}

    tree = grown({point: names[point] for point in product(range(2), repeat=2)}, survey)

    ratio, copies = survey.questions
    below = Split(copies, (Branch((0,), Leaf("MANY")), Branch((1,), Leaf("FEW"))))
    assert tree == Split(ratio, (Branch((0,), Leaf("RATIO")), Branch((1,), below)))
    assert [leaf.rule_id for leaf in leaves(tree)] == ["RATIO", "MANY", "FEW"]


def test_a_leaf_shows_rule_result_and_policy_and_its_words_are_no_markup():
    signs = {"R-1": Sign(("R-1", "ratio <2.0", "policy P9"), Look.NEGATIVE, is_policy=True)}

    lines = drawn(Leaf("R-1"), signs, "LR").splitlines()

    assert lines[2:4] == ["flowchart LR", '    n0(["R-1<br/>ratio &lt;2.0<br/>policy P9"])']
    assert "    class n0 policy" in lines
