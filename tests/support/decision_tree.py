"""Decision trees made from rules by evaluation, so that a diagram cannot say what the rules do not.

Rules state conditions, not an order.  A tree asks their quantities and facts one after the other, in
the order in which the rules name them, and only where the answer still matters: impossible answers and
answers that lead to the same place are left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.domain.guideline.conditions import Comparison, Fact, Quantity, cut_words
from her2path.domain.guideline.definition import condition_of
from her2path.domain.guideline.findings import Findings
from her2path.domain.guideline.quantities import OverBlank
from her2path.domain.guideline.rules import Rule

Answers = tuple[int, ...]
"""One answer to each question, by its place in the list of questions."""
Points = Mapping[Answers, str]
"""The rule that holds for each feasible combination of answers."""


class Question(ABC):
    """Something that a tree asks; its answers are numbered in the order in which they are drawn."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What is asked."""

    @abstractmethod
    def answer(self, evidence: Any) -> int:
        """Answer it for one case."""

    @abstractmethod
    def answers_on(self, grid: Any, size: int) -> npt.NDArray[np.int64]:
        """Answer it for each point of a grid."""

    @abstractmethod
    def say(self, answers: Sequence[int]) -> str:
        """Put answers that lead to the same place into words."""

    def branches(self, parts: Mapping[int, Points], place: int, survey: Survey) -> tuple[Branch, ...]:
        """Grow a tree behind each answer; answers with the same tree share a branch.

        Parameters
        ----------
        parts : mapping
            The points of each answer.
        place : int
            Of this question in the survey.
        survey : Survey
            All questions.
        """
        del place
        found: list[Branch] = []
        for answer in sorted(parts):
            then = grown(parts[answer], survey)
            if found and found[-1].then == then:
                found[-1] = Branch((*found[-1].answers, answer), then)
            else:
                found.append(Branch((answer,), then))
        return tuple(found)


@dataclass(frozen=True, eq=False)
class Interval(Question):
    """Between which cut-points does a quantity lie?  Answer 0 is the highest interval."""

    quantity: Quantity[Any]
    cuts: tuple[tuple[Fraction, bool], ...]
    """From low to high; True where the cut itself belongs to what lies below it."""

    @property
    def words(self) -> str:
        """Name the quantity, with its unit where the cut-points do not carry it."""
        return self.quantity.label

    def _above(self, cut: tuple[Fraction, bool]) -> Comparison[Any]:
        value, is_below = cut
        return Comparison(self.quantity, ">" if is_below else ">=", value)

    def answer(self, evidence: Any) -> int:
        """Count the cut-points that lie above."""
        return sum(not self._above(cut)(evidence) for cut in self.cuts)

    def answers_on(self, grid: Any, size: int) -> npt.NDArray[np.int64]:
        """Count the cut-points that lie above, at each point."""
        above = [np.broadcast_to(self._above(cut).on_grid(grid), size) for cut in self.cuts]
        return np.sum(~np.stack(above), axis=0)

    def say(self, answers: Sequence[int]) -> str:
        """State the interval as guidelines do: ≥ 4.0 and < 6.0."""
        from_top = self.cuts[::-1]
        upper = from_top[answers[0] - 1] if answers[0] > 0 else None
        lower = from_top[answers[-1]] if answers[-1] < len(from_top) else None
        if upper is not None and lower is not None and upper[0] == lower[0]:
            return f"exactly {self._print(upper[0])}"
        parts = [] if lower is None else [f"{'>' if lower[1] else '≥'} {self._print(lower[0])}"]
        if upper is not None:
            parts.append(f"{'≤' if upper[1] else '<'} {self._print(upper[0])}" if upper[0] else "none")
        return " and ".join(parts)

    def _print(self, cut: Fraction) -> str:
        return cut_words(Comparison(self.quantity, ">", cut))


@dataclass(frozen=True, eq=False)
class YesNo(Question):
    """Does a fact hold?  Answer 0 is yes."""

    fact: Fact[Any]

    @property
    def words(self) -> str:
        """Ask for the fact, or between it and its opposite."""
        if isinstance(self.fact, OverBlank):
            return self.fact.quantity.label
        return f"{self.fact} or {self.fact.otherwise}?" if self.fact.otherwise else f"{self.fact}?"

    def answer(self, evidence: Any) -> int:
        """Ask the evidence."""
        return int(not self.fact(evidence))

    def answers_on(self, grid: Any, size: int) -> npt.NDArray[np.int64]:
        """Ask each point."""
        return np.broadcast_to(~self.fact.on_grid(grid), size).astype(np.int64)

    def say(self, answers: Sequence[int]) -> str:
        """Say yes or no, or the fact itself where its opposite has a name."""
        holds = answers[0] == 0
        if isinstance(self.fact, OverBlank):
            return f"{'>' if holds else '≤'} limit of blank"
        if self.fact.otherwise:
            return str(self.fact) if holds else self.fact.otherwise
        return "yes" if holds else "no"


@dataclass(frozen=True, eq=False)
class Finding(Question):
    """Which finding has a test?"""

    attribute: str
    """Of `Findings`: ihc, ish or recount."""
    known: tuple[Any, ...]
    """The possible findings in the order in which they are drawn."""
    listed: Callable[[Sequence[Any]], str]
    """Puts several of them into words."""

    @property
    def words(self) -> str:
        """Name the test."""
        return self.attribute if self.attribute == "recount" else self.attribute.upper()

    def answer(self, evidence: Findings) -> int:
        """Look the finding up."""
        return self.known.index(getattr(evidence, self.attribute))

    def answers_on(self, grid: Any, size: int) -> npt.NDArray[np.int64]:
        """Look the findings up."""
        assert len(grid) == size
        return np.array([self.answer(findings) for findings in grid], dtype=np.int64)

    def branches(self, parts: Mapping[int, Points], place: int, survey: Survey) -> tuple[Branch, ...]:
        """Join findings that never lead to different rules, also where one has fewer combinations.

        IHC that is not done and IHC that cannot be read share an arrow although "not done" beside
        an ISH that is not done is no case.
        """
        groups: list[tuple[list[int], dict[Answers, str]]] = []
        for answer in sorted(parts):
            for members, joined in groups:
                alike = {_with(key, place, members[0]): rule for key, rule in parts[answer].items()}
                if all(joined.get(key, rule) == rule for key, rule in alike.items()):
                    members.append(answer)
                    joined.update(alike)
                    break
            else:
                groups.append(([answer], dict(parts[answer])))
        return tuple(Branch(tuple(members), grown(joined, survey)) for members, joined in groups)

    def say(self, answers: Sequence[int]) -> str:
        """List the findings."""
        return self.listed([self.known[answer] for answer in answers])


@dataclass(frozen=True)
class Leaf:
    """Where a rule is left over."""

    rule_id: str


@dataclass(frozen=True)
class Branch:
    """An arrow: the answers that lead to one place."""

    answers: Answers
    then: Leaf | Split


@dataclass(frozen=True)
class Split:
    """A question and where its answers lead."""

    question: Question
    branches: tuple[Branch, ...]

    def leaf_of(self, evidence: Any) -> Leaf:
        """Walk down the tree with one case."""
        answer = self.question.answer(evidence)
        (branch,) = (branch for branch in self.branches if answer in branch.answers)
        return branch.then if isinstance(branch.then, Leaf) else branch.then.leaf_of(evidence)


Node = Leaf | Split


@dataclass(frozen=True)
class Survey:
    """The questions that may be asked, and which of them each rule looks at."""

    questions: tuple[Question, ...]
    """In the order of the answers of a point."""
    asked_by: Mapping[str, tuple[int, ...]]
    """Places of questions by rule id, both in order of appearance."""

    @classmethod
    def of(cls, rules: Iterable[Rule[Any, Any]]) -> Survey:
        """List what the conditions of rules ask."""
        cuts: dict[Quantity[Any], set[tuple[Fraction, bool]]] = {}
        asked: dict[str, tuple[Quantity[Any] | Fact[Any], ...]] = {}
        for rule in rules:
            atoms = condition_of(rule).atoms
            asked[rule.id] = tuple(a.quantity if isinstance(a, Comparison) else a for a in atoms)
            for atom in atoms:
                if isinstance(atom, Comparison):
                    cuts.setdefault(atom.quantity, set()).add((atom.cut, atom.relation in {">", "<="}))
        order = list(dict.fromkeys(what for of_rule in asked.values() for what in of_rule))
        questions = tuple(
            Interval(what, tuple(sorted(cuts[what]))) if isinstance(what, Quantity) else YesNo(what)
            for what in order
        )
        places = {rule: tuple(order.index(what) for what in of_rule) for rule, of_rule in asked.items()}
        return cls(questions, places)

    @classmethod
    def of_findings(cls, questions: Sequence[Question], rule_ids: Iterable[str]) -> Survey:
        """Let every rule look at every finding."""
        return cls(tuple(questions), dict.fromkeys(rule_ids, tuple(range(len(questions)))))

    def answers(self, evidence: Any) -> Answers:
        """Answer every question for one case."""
        return tuple(question.answer(evidence) for question in self.questions)

    def places_for(self, rules: set[str]) -> tuple[int, ...]:
        """List the questions that these rules look at."""
        named = (places for rule, places in self.asked_by.items() if rule in rules)
        return tuple(dict.fromkeys(place for places in named for place in places))


def grown(points: Points, survey: Survey) -> Node:
    """Grow the tree that leads each point to its rule.

    Parameters
    ----------
    points : mapping
        For each feasible combination of answers the id of the rule that holds.
    survey : Survey
        What may be asked; a question that does not matter any more is not asked.
    """
    rules = set(points.values())
    if len(rules) == 1:
        return Leaf(rules.pop())
    for place in survey.places_for(rules):
        parts: dict[int, dict[Answers, str]] = {}
        for answers, rule in points.items():
            parts.setdefault(answers[place], {})[answers] = rule
        if len(parts) > 1:
            question = survey.questions[place]
            branches = question.branches(parts, place, survey)
            return Split(question, branches) if len(branches) > 1 else branches[0].then
    raise AssertionError(f"{sorted(rules)} hold for the same answers")


def _with(answers: Answers, place: int, answer: int) -> Answers:
    return (*answers[:place], answer, *answers[place + 1 :])


def leaves(node: Node) -> tuple[Leaf, ...]:
    """List the leaves from top to bottom."""
    if isinstance(node, Leaf):
        return (node,)
    return tuple(leaf for branch in node.branches for leaf in leaves(branch.then))
