"""Rules as rows with a source, of which exactly one holds.

A set of rules is a tuple of `Rule`.  `decide` demands that exactly one of them holds for the
evidence: there is no default branch, no order and no precedence.  Two that hold, or none, is a
defect of her2path (`RuleSetError`), never a result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from her2path.errors import RuleSetError

E = TypeVar("E")
C = TypeVar("C")

POLICY = "her2path policy"
"""How the source of a rule begins where the guideline is silent and her2path had to decide."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[E, C]):
    """One row of a guideline: if `when` holds for the evidence, `then` is the conclusion."""

    id: str
    source: str
    """Publication and place, or ``her2path policy P<n> ...`` where the guideline is silent."""
    when: Callable[[E], bool]
    then: C

    def __post_init__(self) -> None:
        if not self.id or not self.source:
            raise ValueError("a rule needs an id and a source")

    @property
    def is_policy(self) -> bool:
        """Whether her2path, not the guideline, had to decide."""
        return self.source.startswith(POLICY)


@dataclass(frozen=True, slots=True)
class Decision(Generic[E, C]):
    """A conclusion and the rule it rests on."""

    conclusion: C
    rule: Rule[E, C]


def holding(evidence: E, rules: Sequence[Rule[E, C]]) -> tuple[Rule[E, C], ...]:
    """Return every rule that holds, for sets whose rules do not exclude each other."""
    return tuple([rule for rule in rules if rule.when(evidence)])


def decide(evidence: E, rules: Sequence[Rule[E, C]]) -> Decision[E, C]:
    """Draw the one conclusion that the rules allow.

    Raises
    ------
    RuleSetError
        No rule holds, or more than one: the rule set is defective.

    Examples
    --------
    >>> rules = (Rule("R1", "doc", lambda n: n < 2, "few"), Rule("R2", "doc", lambda n: n >= 2, "many"))
    >>> decide(2, rules).conclusion
    'many'
    """
    found = holding(evidence, rules)
    if len(found) != 1:
        word = "no rule holds" if not found else f"{len(found)} rules hold"
        among = found or tuple(rules)
        raise RuleSetError(f"{word} for {evidence!r}", tuple(rule.id for rule in among))
    return Decision(found[0].then, found[0])
