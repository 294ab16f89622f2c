"""Faults of an edited file, gathered by what is wrong, so that a thousand of one kind are one line."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 5
"""Features that a fault names."""


class Faults:
    """What is wrong with the features of a file."""

    def __init__(self) -> None:
        self._features: dict[str, list[int]] = {}
        self._whole: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._features or self._whole)

    def add(self, feature: int, message: str) -> None:
        """Add a fault of a feature, counted from 1."""
        self._features.setdefault(message, []).append(feature)

    def of_file(self, message: str) -> None:
        """Add a fault of the file as a whole."""
        self._whole.append(message)

    def count(self, message: str) -> int:
        """Tell how many features have a fault."""
        return len(self._features.get(message, ()))

    def drop(self, message: str) -> None:
        """Take a fault back, because another one says it better."""
        self._features.pop(message, None)

    def listed(self) -> tuple[str, ...]:
        """Word all faults: those of the file first, the others by the first feature that has them.

        Examples
        --------
        >>> faults = Faults()
        >>> for feature in (2, 3, 5, 7, 11, 13):
        ...     faults.add(feature, "has no outline")
        >>> faults.listed()
        ('features 2, 3, 5, 7, 11 and 1 more: has no outline',)
        """
        by_place = sorted(self._features.items(), key=lambda item: item[1][0])
        return (*self._whole, *(f"{_named(features)}: {message}" for message, features in by_place))


def _named(features: Sequence[int]) -> str:
    if len(features) == 1:
        return f"feature {features[0]}"
    named = ", ".join(map(str, features[:_NAMED]))
    more = len(features) - _NAMED
    return f"features {named}" + (f" and {more} more" if more > 0 else "")
