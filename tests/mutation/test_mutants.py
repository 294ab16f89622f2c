"""The mutants are the slips that they claim to be; otherwise killing them proves nothing."""

from __future__ import annotations

import ast

import pytest

from tests.mutation.mutants import TEXT, Mutant, mutants_of
from tests.mutation.report import report, score
from tests.mutation.trial import Result, Verdict

RULES = '''"""Words of the module are not mutated."""
from x import COPIES, RATIO, IshFinding, Rule

CUT: int = 6
RULES = (
    Rule("A", f"{SOURCE}: high", (RATIO >= 2) & ~(COPIES < 4), IshFinding.GROUP_1),
    Rule("B", "doc", RATIO < "1.8", IshFinding.NOT_AMPLIFIED, weak=True),
)


def first(rules: tuple[int, ...]) -> int | None:
    """Nor are those of a function."""
    if not rules or rules[0] is None:
        return None
    return rules[0] + 1
'''


def changes(source: str = RULES, *, texts: bool = True) -> set[tuple[str, str, str]]:
    return {(m.operator, m.before, m.after) for m in mutants_of("m", source, texts=texts)}


@pytest.mark.parametrize(
    "change",
    [
        ("end of a cut", "RATIO >= 2", "RATIO > 2"),
        ("comparison turned round", "RATIO >= 2", "RATIO < 2"),
        ("comparison turned round", "rules[0] is None", "rules[0] is not None"),
        ("condition: and/or", "(RATIO >= 2) & ~(COPIES < 4)", "(RATIO >= 2) | ~(COPIES < 4)"),
        ("condition: one part", "(RATIO >= 2) & ~(COPIES < 4)", "RATIO >= 2"),
        ("condition: one part", "(RATIO >= 2) & ~(COPIES < 4)", "~(COPIES < 4)"),
        ("condition: one part", "not rules or rules[0] is None", "not rules"),
        ("negation dropped", "~(COPIES < 4)", "COPIES < 4"),
        ("number", "6", "7"),
        ("number", "6", "5"),
        ("number", "'1.8'", "'1.9'"),
        ("number", "'1.8'", "'1.7'"),
        ("member swapped", "IshFinding.GROUP_1", "IshFinding.GROUP_2"),
        ("member swapped", "IshFinding.NOT_AMPLIFIED", "IshFinding.NOT_DONE"),
        ("quantity swapped", "RATIO", "COPIES"),
        ("row dropped", "Rule('B', 'doc', RATIO < '1.8', IshFinding.NOT_AMPLIFIED, weak=True)", ""),
        ("row dropped", "weak=True", ""),
        ("truth turned round", "True", "False"),
        ("arithmetic", "rules[0] + 1", "rules[0] - 1"),
        ("returns nothing", "return rules[0] + 1", "return None"),
        (TEXT, "'doc'", "'doc~'"),
    ],
)
def test_a_slip_of_each_kind_is_made(change):
    assert change in changes()


def test_what_has_no_behaviour_is_left_alone():
    found = changes()

    assert not any("Words of the module" in before or "Nor are those" in before for _, before, _ in found)
    assert not any(before in ("int", "tuple[int, ...]", "int | None") for _, before, _ in found)
    assert ("returns nothing", "return None", "return None") not in found


def test_words_can_be_left_alone():
    assert TEXT in {operator for operator, _, _ in changes()}
    assert TEXT not in {operator for operator, _, _ in changes(texts=False)}


def test_every_mutant_is_another_program_of_its_own_name():
    mutants = mutants_of("m", RULES, texts=True)
    programs = [ast.unparse(mutant.tree(RULES)) for mutant in mutants]

    assert len({mutant.key for mutant in mutants}) == len(mutants)
    assert ast.unparse(ast.parse(RULES)) not in programs


def _mutant(number: int, operator: str) -> Mutant:
    place = (("body", number),)
    return Mutant("her2path.m", number, operator, "a", "b", place, ast.Constant(number))


def test_the_score_leaves_out_what_cannot_be_imported_and_counts_what_was_not_run_against_it():
    mutants = [_mutant(n, "number") for n in range(5)]
    fates = (Verdict.KILLED, Verdict.KILLED, Verdict.SURVIVED, Verdict.INVALID)
    results = {
        m.key: Result(m.key, fate, "test_vectors.py::x") for m, fate in zip(mutants, fates, strict=False)
    }

    assert score(mutants, results) == 0.5
    assert "2 of 4 valid mutants killed: 50.0 %" in report({m.key: m for m in mutants}, results)


def test_a_change_that_the_pages_alone_show_is_named():
    mutant = _mutant(7, "number")
    killed = Result(mutant.key, Verdict.KILLED, "tests/unit/domain/guideline/test_documentation.py::y")

    assert "* `m.py:7` number: `a` → `b`" in report({mutant.key: mutant}, {mutant.key: killed})
