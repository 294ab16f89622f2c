"""Conditions of rules as data: they decide, and they can also be read, listed and drawn.

A rule reads like the guideline: ``(RATIO < 2) & (COPIES >= 6)``.  The same object decides for a
case, states itself in words, names its cut-points, and decides for a whole grid of counts at once.

Numbers are compared as integers: a quantity is a numerator over a denominator, a cut-point an
exact fraction, so that a case on the cut never depends on rounding.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

E = TypeVar("E")
Mask = npt.NDArray[np.bool_]


class Condition(ABC, Generic[E]):
    """Something that holds for the evidence or does not."""

    __slots__ = ()

    @abstractmethod
    def __call__(self, evidence: E) -> bool:
        """Tell whether it holds."""

    @abstractmethod
    def on_grid(self, grid: Any) -> Mask:
        """Tell for each point of a grid whether it holds.

        Parameters
        ----------
        grid : object
            Has the attributes of the evidence; its numbers are integer arrays of one shape.
        """

    @property
    @abstractmethod
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """The single statements that it is made of, in order of appearance, each once."""

    @abstractmethod
    def __str__(self) -> str:
        """State it in words."""

    def __and__(self, other: Condition[E]) -> Condition[E]:
        return All(_flat(All, self, other))

    def __or__(self, other: Condition[E]) -> Condition[E]:
        return AnyOf(_flat(AnyOf, self, other))

    @abstractmethod
    def __invert__(self) -> Condition[E]:
        """Turn it round."""


def _flat(kind: type[All[E]] | type[AnyOf[E]], *parts: Condition[E]) -> tuple[Condition[E], ...]:
    return tuple(one for part in parts for one in (part.parts if isinstance(part, kind) else (part,)))


@dataclass(frozen=True, eq=False)
class Quantity(Generic[E]):
    """A number of the evidence, kept as numerator and denominator.

    Comparing it with a number makes a condition: ``RATIO >= 2``.
    """

    name: str
    """Key in documents and tables, with its unit."""
    label: str
    """Words, as in "HER2/CEP17 ratio"."""
    unit: str
    """What the number counts, as in "signals per nucleus"."""
    numerator: Callable[[E], int]
    denominator: Callable[[E], int]
    is_known: Callable[[E], bool] = lambda _: True
    """Whether the evidence holds it; what is not measured is never 0."""

    def value(self, evidence: E) -> Fraction | None:
        """State the number exactly; None where it is not known or its denominator is zero."""
        below = self.denominator(evidence)
        return Fraction(self.numerator(evidence), below) if below and self.is_known(evidence) else None

    def __ge__(self, cut: int | str) -> Condition[E]:
        return Comparison(self, ">=", Fraction(cut))

    def __gt__(self, cut: int | str) -> Condition[E]:
        return Comparison(self, ">", Fraction(cut))

    def __le__(self, cut: int | str) -> Condition[E]:
        return Comparison(self, "<=", Fraction(cut))

    def __lt__(self, cut: int | str) -> Condition[E]:
        return Comparison(self, "<", Fraction(cut))


_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_OPPOSITE = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Comparison(Condition[E]):
    """A quantity beside a cut-point."""

    quantity: Quantity[E]
    relation: str
    cut: Fraction

    def __call__(self, evidence: E) -> bool:
        """Compare in integers.

        Raises
        ------
        ValueError
            The denominator is zero, so the quantity is not defined; a rejection rule comes first.
        """
        below = self.quantity.denominator(evidence)
        if not below:
            raise ValueError(f"{self.quantity.label} is not defined: it divides by zero")
        compare, cut, scale = self._integers
        holds: bool = compare(self.quantity.numerator(evidence) * scale, cut * below)
        return holds

    @cached_property
    def _integers(self) -> tuple[Callable[[Any, Any], Any], int, int]:
        # Taken apart once: this is asked several million times for a large table.
        return _RELATIONS[self.relation], self.cut.numerator, self.cut.denominator

    def on_grid(self, grid: Any) -> Mask:
        """Compare at each point; a point without a denominator is the caller's to leave out."""
        above, below = self.quantity.numerator(grid), self.quantity.denominator(grid)
        compare, cut, scale = self._integers
        mask: Mask = compare(above * scale, cut * below)
        return mask

    @property
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """Itself."""
        return (self,)

    def __invert__(self) -> Condition[E]:
        return Comparison(self.quantity, _OPPOSITE[self.relation], self.cut)

    def __str__(self) -> str:
        if not self.cut and self.relation in _AT_ZERO:
            cells = " cells" if self.quantity.unit.startswith("per cent") else ""
            return f"{_AT_ZERO[self.relation]} {self.quantity.label}{cells}"
        return f"{self.quantity.label} {_SIGNS[self.relation]} {cut_words(self)}"


_COUNTED = ("cells", "nuclei", "signals")
_AT_ZERO = {"<=": "no", ">": "any"}
"""Nothing here is below zero, so these two say more in words."""
_SIGNS = {">=": "≥", ">": ">", "<=": "≤", "<": "<"}


def cut_words(comparison: Comparison[E]) -> str:
    """Print a cut-point with its unit, as guidelines print it: 2.0, 4.0, 10 %."""
    cut = comparison.cut
    if comparison.quantity.unit.startswith("per cent"):
        return f"{float(cut):g} %"
    # What is counted has no decimals; ratios and means are printed with one.
    return f"{float(cut):g}" if comparison.quantity.unit in _COUNTED else f"{float(cut):.1f}"


@dataclass(frozen=True)
class Fact(Condition[E]):
    """A statement that is no comparison with a fixed cut-point."""

    words: str
    test: Callable[[E], bool]
    otherwise: str = ""
    """How its opposite is said; empty = "not: " and the words."""

    def __call__(self, evidence: E) -> bool:
        """Ask the evidence."""
        return self.test(evidence)

    def on_grid(self, grid: Any) -> Mask:
        """Ask the grid, which answers with an array."""
        return np.asarray(self.test(grid), dtype=np.bool_)

    def __invert__(self) -> Condition[E]:
        return Not(self)

    @property
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """Itself."""
        return (self,)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class All(Condition[E]):
    """Every part holds."""

    parts: tuple[Condition[E], ...]

    def __call__(self, evidence: E) -> bool:
        """Ask the parts in their order, until one does not hold."""
        # A loop, since a generator costs more than most conditions and calls are made by the 100 000.
        for part in self.parts:  # noqa: SIM110
            if not part(evidence):
                return False
        return True

    def on_grid(self, grid: Any) -> Mask:
        """Ask all parts."""
        return reduce(np.logical_and, (part.on_grid(grid) for part in self.parts))

    @property
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """Those of the parts."""
        return _distinct(self.parts)

    def __invert__(self) -> Condition[E]:
        return AnyOf(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        return self._words

    @cached_property
    def _words(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, AnyOf) else str(part) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(Condition[E]):
    """At least one part holds."""

    parts: tuple[Condition[E], ...]

    def __call__(self, evidence: E) -> bool:
        """Ask the parts in their order, until one holds."""
        for part in self.parts:  # noqa: SIM110  (as in `All`)
            if part(evidence):
                return True
        return False

    def on_grid(self, grid: Any) -> Mask:
        """Ask all parts."""
        return reduce(np.logical_or, (part.on_grid(grid) for part in self.parts))

    @property
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """Those of the parts."""
        return _distinct(self.parts)

    def __invert__(self) -> Condition[E]:
        return All(tuple(~part for part in self.parts))

    def __str__(self) -> str:
        return self._words

    @cached_property
    def _words(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, All) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Not(Condition[E]):
    """A fact does not hold; a comparison and a compound turn round by themselves."""

    fact: Fact[E]

    def __call__(self, evidence: E) -> bool:
        """Turn the answer round."""
        return not self.fact(evidence)

    def on_grid(self, grid: Any) -> Mask:
        """Turn the answers round."""
        return np.logical_not(self.fact.on_grid(grid))

    @property
    def atoms(self) -> tuple[Comparison[E] | Fact[E], ...]:
        """The fact."""
        return (self.fact,)

    def __invert__(self) -> Condition[E]:
        return self.fact

    def __str__(self) -> str:
        return self.fact.otherwise or f"not: {self.fact}"


def _distinct(parts: tuple[Condition[E], ...]) -> tuple[Comparison[E] | Fact[E], ...]:
    return tuple(dict.fromkeys(atom for part in parts for atom in part.atoms))
