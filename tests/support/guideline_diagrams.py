"""The decision trees of a guideline as Mermaid diagrams, which a Markdown viewer draws.

A leaf is a rule: its id, its result and, where her2path had to decide, the policy.  Results differ in
words and shape, and in colour as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Any

from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, Outcome, Scoring
from her2path.domain.guideline.rules import Rule, decide
from her2path.domain.verdict import State
from tests.support.decision_tree import Interval, Leaf, Node, Question, Split
from tests.support.guideline_trees import (
    UNCHANGED,
    call_tree,
    ihc_tree,
    ish_tree,
    ish_words,
    recount_tree,
    single_probe_only,
)
from tests.support.policies import policies_in


class Look(Enum):
    """How a leaf is drawn: opening and closing bracket of its shape, fill and border."""

    POSITIVE = ("{{", "}}", "#f7c4b6", "#a5351a")
    NEGATIVE = ("([", "])", "#cfe2f3", "#1f5c99")
    EQUIVOCAL = ("[/", "/]", "#fff0b3", "#8a6d00")
    OPEN = ("[/", "\\]", "#e6d5f0", "#6a3d8f")
    INDETERMINATE = ("[[", "]]", "#e3e3e3", "#555555")
    PLAIN = ("(", ")", "#ffffff", "#555555")


_OF_STATE = {
    State.POSITIVE: Look.POSITIVE,
    State.NEGATIVE: Look.NEGATIVE,
    State.EQUIVOCAL: Look.EQUIVOCAL,
    State.INDETERMINATE: Look.INDETERMINATE,
}


@dataclass(frozen=True)
class Sign:
    """What stands in a leaf, and how it looks."""

    lines: tuple[str, ...]
    look: Look
    is_policy: bool = False


Signs = Mapping[str, Sign]
_CONFIGURATION = '%%{init: {"flowchart": {"wrappingWidth": 300, "nodeSpacing": 20, "rankSpacing": 45}}}%%'


def ihc_diagram(guideline: Guideline) -> str:
    """Draw the score; the look of a leaf is what the score alone leads to."""
    signs = {rule.id: _of_scoring(rule, guideline) for rule in guideline.ihc}
    return drawn(ihc_tree(guideline), signs, "TD")


def ish_diagram(guideline: Guideline, *, dual: bool) -> str:
    """Draw the ISH result; the look of a leaf is what it leads to beside an IHC that asks for ISH."""
    rules = guideline.ish_dual if dual else guideline.ish_single
    signs = {
        rule.id: _sign(rule, (ish_words((rule.then,), guideline),), _look_of_ish(rule.then, guideline))
        for rule in rules
    }
    return drawn(ish_tree(rules, dual=dual), signs, "LR")


def call_diagrams(guideline: Guideline) -> tuple[str, ...]:
    """Draw the call from IHC and a first count; a second one where only a single probe gives a finding."""
    alone = single_probe_only(guideline)
    rest = [finding for finding in IshFinding if finding not in alone]
    signs = _of_calls(guideline)
    return tuple(drawn(call_tree(guideline, ish), signs, "LR") for ish in (rest, alone) if ish)


def recount_diagram(guideline: Guideline) -> str | None:
    """Draw what a recount changes; None where it changes nothing."""
    tree = recount_tree(guideline)
    return None if isinstance(tree, Leaf) else drawn(tree, _of_calls(guideline), "LR")


def _of_scoring(rule: Rule[Any, Scoring], guideline: Guideline) -> Sign:
    scoring = rule.then
    extent = "" if scoring.reads_as is None else f", {scoring.reads_as} by its extent"
    state = _state(scoring.finding, IshFinding.NOT_DONE, guideline)
    return _sign(rule, (f"IHC {scoring.score}{extent}",), _OF_STATE.get(state, Look.OPEN))


def _look_of_ish(finding: IshFinding, guideline: Guideline) -> Look:
    asking = [
        ihc
        for ihc in guideline.ihc_findings
        if _state(ihc, IshFinding.NOT_DONE, guideline) is State.NEEDS_ISH
    ]
    # A label that rests on IHC asks for no ISH: then its result leads nowhere.
    return _OF_STATE.get(_state(asking[0], finding, guideline), Look.OPEN) if asking else Look.PLAIN


def _state(ihc: IhcFinding, ish: IshFinding, guideline: Guideline) -> State:
    return decide(Findings(ihc, ish), guideline.combined).conclusion.state


def _of_calls(guideline: Guideline) -> Signs:
    signs = {rule.id: _of_call(rule) for rule in guideline.combined}
    return {**signs, UNCHANGED: Sign((UNCHANGED,), Look.PLAIN)}


def _of_call(rule: Rule[Any, Outcome]) -> Sign:
    state = rule.then.state
    return _sign(rule, (state_words(state), *rule.then.comments), _OF_STATE.get(state, Look.OPEN))


def state_words(state: State) -> str:
    """Say a state as a pathologist writes it: needs ISH."""
    return state.replace("_", " ").replace("ish", "ISH").replace("ihc", "IHC")


def _sign(rule: Rule[Any, Any], result: tuple[str, ...], look: Look) -> Sign:
    policy = (f"policy {', '.join(policies_in(rule.source))}",) if rule.is_policy else ()
    return Sign((rule.id, *result, *policy), look, rule.is_policy)


@dataclass
class _Sketch:
    """Lines of a diagram in the making."""

    signs: Signs
    lines: list[str] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def put(self, node: Node) -> str:
        """Write a node and what follows from it; return its name."""
        name = f"n{next(self.numbers)}"
        if isinstance(node, Leaf):
            self._put_leaf(name, self.signs[node.rule_id])
        else:
            self._put_split(name, node)
        return name

    def _put_leaf(self, name: str, sign: Sign) -> None:
        opening, closing, _, _ = sign.look.value
        self.lines.append(f'{name}{opening}"{_text("<br/>".join(sign.lines))}"{closing}')
        self.members.setdefault(sign.look.name.lower(), []).append(name)
        if sign.is_policy:
            self.members.setdefault("policy", []).append(name)

    def _put_split(self, name: str, split: Split) -> None:
        self.lines.append(f'{name}["{_text(_asked(split.question))}"]')
        self.members.setdefault("question", []).append(name)
        for branch in split.branches:
            then = self.put(branch.then)
            self.lines.append(f'{name} -->|"{_text(split.question.say(branch.answers))}"| {then}')


def _asked(question: Question) -> str:
    unit = question.quantity.unit if isinstance(question, Interval) else ""
    return question.words + (f"<br/>{unit.replace('per cent', '%')}" if unit.startswith("per cent") else "")


def _text(words: str) -> str:
    # Mermaid reads HTML: only the line breaks are meant as such.
    return words.replace("<", "&lt;").replace(">", "&gt;").replace("&lt;br/&gt;", "<br/>")


def drawn(tree: Node, signs: Signs, direction: str) -> str:
    """Write a tree as a fenced Mermaid block.

    Parameters
    ----------
    tree : Node
        Its leaves name rules.
    signs : mapping
        What stands in the leaf of each rule.
    direction : str
        TD (top down) or LR (left to right).
    """
    sketch = _Sketch(signs)
    sketch.put(tree)
    looks = {look.name.lower(): look.value[2:] for look in Look}
    styles = [
        f"classDef {name} fill:{fill},stroke:{border},color:#111111"
        for name, (fill, border) in looks.items()
        if name in sketch.members
    ]
    if "question" in sketch.members:
        styles.append("classDef question fill:#ffffff,stroke:#111111,color:#111111,stroke-width:2px")
    if "policy" in sketch.members:
        styles.append("classDef policy stroke-width:3px,stroke-dasharray:6 4")
    classes = [f"class {','.join(members)} {name}" for name, members in sketch.members.items()]
    lines = "\n".join(f"    {line}" for line in (*sketch.lines, *styles, *sorted(classes)))
    return f"```mermaid\n{_CONFIGURATION}\nflowchart {direction}\n{lines}\n```"
