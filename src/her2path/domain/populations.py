"""Genetic heterogeneity: a second population with its own count, and the call from both.

A discrete second population of more than 10 % of the tumour cells is counted on its own and
reported beside the main one (ASCO/CAP since 2013).  The cell-level definition of the panel of 2009
(Vance et al., Arch Pathol Lab Med 133:611) is kept as an extra: it names a case heterogeneous by
single nuclei and never changes a call.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cache

from her2path.domain.guideline.rules import POLICY, Rule, decide
from her2path.domain.ish import IshReading, NucleusSignals, share_with_ratio
from her2path.domain.verdict import State

APART_ABOVE = Fraction(1, 10)
"""A population must be more than this share of the tumour cells to be counted apart (Wolff 2013 to 2023)."""


@dataclass(frozen=True, slots=True)
class SecondPopulation:
    """A discrete second population with more HER2 signals per nucleus than the main one."""

    share: Fraction
    """Share (0 to 1) of the tumour cells on the slide."""
    count: IshReading | None = None
    """Nuclei counted within it; None = not counted yet."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"a second population is a share above 0 and below 1, got {self.share}")

    @property
    def reading(self) -> IshReading | None:
        """Its count as a guideline reads it: one population in one place is not asked for two areas."""
        return None if self.count is None else replace(self.count, areas=None)

    @property
    def is_apart(self) -> bool:
        """Whether it is large enough to be reported apart."""
        return self.share > APART_ABOVE


class Population(StrEnum):
    """Which of two populations a result is about."""

    MAIN = "main"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class PopulationStates:
    """What each population would be called by itself."""

    main: State
    second: State


_PENDING = tuple(state for state in State if state.is_pending)
_FINAL = (State.EQUIVOCAL, State.NEGATIVE)
APART = "Wolff 2013 to 2023, heterogeneity"
"""Source of counting a second population apart."""
APART_ADOPTED = f"{POLICY} P21: taken over from {APART}"
"""The same where the guideline itself does not speak of it."""


def _any(states: PopulationStates, *wanted: State) -> bool:
    return states.main in wanted or states.second in wanted


def _pending_of(states: PopulationStates) -> tuple[State, ...]:
    return tuple(s for s in (states.main, states.second) if s.is_pending)


def _is(wanted: State) -> Rule[PopulationStates, State]:
    return Rule(
        f"POP-{wanted.upper().replace('_', '-')}",
        f"{POLICY} P21: a population that is not settled keeps the case open",
        lambda s: not _any(s, State.POSITIVE) and _pending_of(s)[:1] == (wanted,),
        wanted,
    )


@cache
def population_rules(source: str) -> tuple[Rule[PopulationStates, State], ...]:
    """Build the rules of how two results combine, of which exactly one holds.

    Parameters
    ----------
    source : str
        `APART` or `APART_ADOPTED`: on whose authority populations are counted apart.
    """
    return (
        Rule(
            "POP-POSITIVE",
            f"{source}: one positive population makes the case positive",
            lambda s: _any(s, State.POSITIVE),
            State.POSITIVE,
        ),
        *(_is(state) for state in _PENDING),
        Rule(
            "POP-INDETERMINATE",
            f"{POLICY} P21: a population that cannot be read keeps the case open",
            lambda s: not _any(s, State.POSITIVE, *_PENDING) and _any(s, State.INDETERMINATE),
            State.INDETERMINATE,
        ),
        Rule(
            "POP-EQUIVOCAL",
            f"{POLICY} P21: an equivocal population keeps the case open",
            lambda s: s.main in _FINAL and s.second in _FINAL and _any(s, State.EQUIVOCAL),
            State.EQUIVOCAL,
        ),
        Rule(
            "POP-NEGATIVE",
            f"{source}: both populations are negative",
            lambda s: s.main is State.NEGATIVE and s.second is State.NEGATIVE,
            State.NEGATIVE,
        ),
    )


def combine(main: State, second: State, source: str = APART) -> tuple[State, Rule[PopulationStates, State]]:
    """Draw the state of a case from its two populations, with the rule it rests on."""
    decision = decide(PopulationStates(main, second), population_rules(source))
    return decision.conclusion, decision.rule


@dataclass(frozen=True, slots=True)
class CellHeterogeneity:
    """The cell-level definition of 2009, from single nuclei."""

    share_above: Fraction
    """Share (0 to 1) of the nuclei with a ratio above 2.2."""

    @property
    def is_heterogeneous(self) -> bool:
        """More than 5 % and less than 50 % of the nuclei."""
        return Fraction(5, 100) < self.share_above < Fraction(50, 100)


def cell_heterogeneity(nuclei: Iterable[NucleusSignals]) -> CellHeterogeneity | None:
    """Measure heterogeneity nucleus by nucleus; None where no nucleus has a ratio.

    Examples
    --------
    >>> nuclei = [NucleusSignals(9, 4)] + 9 * [NucleusSignals(2, 2)]
    >>> cell_heterogeneity(nuclei).is_heterogeneous
    True
    """
    share = share_with_ratio(nuclei, lambda her2, cep17: 10 * her2 > 22 * cep17)
    return None if share is None else CellHeterogeneity(share)
