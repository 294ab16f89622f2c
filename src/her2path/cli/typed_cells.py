"""The cells of one case as a person typed them, and everything wrong with them.

A cell is either empty (nothing was measured or stated) or text that is checked.  Nothing is
rounded, repaired or guessed; faults are collected, so that all of them are reported at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

W = TypeVar("W", bound=StrEnum)

# [0-9], not \d: the digits of other scripts are text here.  Tables made by programs print up to 17 places.
# A column of whole numbers with an empty cell comes out of a spreadsheet or a data frame as 20.0.
_INTEGER = re.compile(r"([0-9]+)(?:\.0+)?")
_DECIMAL = re.compile(r"([0-9]+)(?:\.[0-9]{1,25})?")
_MOST_DIGITS = 9
_LARGEST = "must be at most 999999999"
_YES = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
NOT_STATED = "na"
"""Word that a table may use for what is not stated, where a word is asked for."""


@dataclass(slots=True)
class TypedCells:
    """The cells of one case and the faults found in them."""

    texts: Mapping[str, str]
    """Stripped text by column; an empty cell is left out."""
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Column and message, in the order of discovery."""

    def has(self, *names: str) -> bool:
        """Whether any of these cells is filled."""
        return not self.texts.keys().isdisjoint(names)

    def filled(self, names: Iterable[str]) -> list[str]:
        """Those of the names whose cells are filled."""
        return [name for name in names if name in self.texts]

    def fault(self, name: str, message: str) -> None:
        """Note a fault."""
        self.faults.append((name, message))

    def integer(self, name: str) -> int | None:
        """Read a whole number, 0 or more; None if it is empty or faulty."""
        text = self.texts.get(name)
        if text is None:
            return None
        match = _INTEGER.fullmatch(text)
        if match is None:
            self.fault(name, f"must be a whole number, 0 or more (found {_quoted(text)})")
            return None
        if len(match[1]) > _MOST_DIGITS:
            self.fault(name, f"{_LARGEST} (found {_quoted(text)})")
            return None
        return int(match[1])

    def number(self, name: str, what: str = "a number, 0 or more, written like 4.25") -> Decimal | None:
        """Read a number, 0 or more; None if it is empty or faulty."""
        text = self.texts.get(name)
        if text is None:
            return None
        match = _DECIMAL.fullmatch(text)
        if match is None:
            self.fault(name, f"must be {what} (found {_quoted(text)})")
            return None
        if len(match[1]) > _MOST_DIGITS:
            self.fault(name, f"{_LARGEST} (found {_quoted(text)})")
            return None
        return Decimal(text)

    def percentage(self, name: str) -> Decimal | None:
        """Read a number from 0 to 100; None if it is empty or faulty."""
        what = "a percentage from 0 to 100, written like 12.5"
        value = self.number(name, what)
        if value is not None and value > 100:
            self.fault(name, f"must be {what} (found {_quoted(self.texts[name])})")
            return None
        return value

    def share(self, name: str) -> Fraction | None:
        """Read a percentage as the exact share (0 to 1) that its digits state."""
        value = self.percentage(name)
        return None if value is None else Fraction(value) / 100

    def yes_no(self, name: str) -> bool | None:
        """Read yes or no; None if it is empty, na or faulty."""
        text = self.texts.get(name, NOT_STATED).lower()
        if text != NOT_STATED and text not in _YES:
            self.fault(name, f"must be yes or no (found {_quoted(self.texts[name])})")
        return _YES.get(text)

    def word(self, name: str, words: Mapping[str, W]) -> W | None:
        """Read one of a few words, in capitals or not; None if it is empty, na or faulty."""
        text = self.texts.get(name)
        if text is None:
            return None
        found = words.get(text.lower())
        if found is None and text.lower() != NOT_STATED:
            self.fault(name, f"must be one of {', '.join(words)} (found {_quoted(text)})")
        return found

    def refuse(self, names: Iterable[str], message: str) -> None:
        """Note that these cells, where filled, contradict the rest of the row."""
        for name in self.filled(names):
            self.fault(name, message)


def words_of(kind: type[W]) -> dict[str, W]:
    """Return the members of an enumeration by their words."""
    return {str(member): member for member in kind}


def _quoted(text: str) -> str:
    # A cell may hold a novel; what is wrong with it shows in its first words.
    return repr(text if len(text) <= 60 else f"{text[:60]}...")
