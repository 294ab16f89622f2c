"""Which cases a reader reads again, so that the list itself tells nothing.

Cases on which opinions differ are mixed with cases on which they agree, some cases come twice under two
numbers, and the order is drawn.  Only the key, which the reader is not given, says which number is what.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from her2path.domain.verdict import NotEvaluable

_ATTEMPTS = 200
"""Orders that are drawn to find one with repeats far apart."""


@dataclass(frozen=True, slots=True)
class ListWish:
    """What a list should hold."""

    seed: int
    discordant: int = 30
    """Most discordant cases; the first of the order of review are taken."""
    concordant: int | None = None
    """Concordant cases among them; None = as many as discordant ones."""
    repeats: int | None = None
    """Cases that come twice; None = a tenth of the cases, 1 at least."""

    def __post_init__(self) -> None:
        numbers = (self.seed, self.discordant, self.concordant, self.repeats)
        if any(number is not None and number < 0 for number in numbers):
            raise ValueError(f"numbers of cases and the seed are 0 or more, got {self}")


@dataclass(frozen=True, slots=True)
class ListItem:
    """One line of a list, as the key knows it."""

    number: int
    """From 1, in the order of reading."""
    case_id: str
    is_discordant: bool
    repeats: int | None = None
    """The earlier number of the same case; None = it comes here for the first time."""


def compose(
    discordant: Sequence[str], concordant: Sequence[str], wish: ListWish
) -> tuple[ListItem, ...] | NotEvaluable:
    """Draw a list for a blinded re-read.

    Parameters
    ----------
    discordant : sequence of str
        Cases in the order of review; the first are taken.
    concordant : sequence of str
        Cases on which all opinions agree, in any order; those on the list are drawn.
    wish : ListWish
        How many of each, and the seed.

    Returns
    -------
    tuple of ListItem, or NotEvaluable
        The reason where there is no discordant case to read again.

    Examples
    --------
    >>> made = compose(["d1", "d2"], ["c1", "c2", "c3"], ListWish(seed=1))
    >>> len(made), sum(item.repeats is not None for item in made)
    (5, 1)
    """
    wanted = list(discordant[: wish.discordant])
    if not wanted:
        return NotEvaluable("nothing_to_reread", "no discordant case is left to read again")
    others = len(wanted) if wish.concordant is None else wish.concordant
    mixed_in = _drawn(concordant, f"concordant {wish.seed}")[:others]
    cases = [*wanted, *mixed_in]
    twice = -(-len(cases) // 10) if wish.repeats is None else wish.repeats
    repeated = _drawn(cases, f"repeats {wish.seed}")[:twice]
    order = _order([*cases, *repeated], set(repeated), wish.seed)
    first: dict[str, int] = {}
    items = []
    for number, case_id in enumerate(order, start=1):
        items.append(ListItem(number, case_id, case_id in set(wanted), first.get(case_id)))
        first.setdefault(case_id, number)
    return tuple(items)


def _order(cases: Sequence[str], repeated: set[str], seed: int) -> list[str]:
    """Draw orders and take the first in which the two reads of a case are far apart, or the best."""
    far = len(cases) // 4
    best: tuple[int, list[str]] = (-1, [])
    # Two lines of one case must not stand in the order of the drawing, so each line has a name of its own.
    lines = [f"{at}\n{case_id}" for at, case_id in enumerate(cases)]
    for attempt in range(_ATTEMPTS):
        order = [line.split("\n", 1)[1] for line in _drawn(lines, f"order {seed} {attempt}")]
        apart = min((_distance(order, case_id) for case_id in repeated), default=far)
        if apart > best[0]:
            best = (apart, order)
        if apart >= far:
            break
    return best[1] if best[0] >= far else _moved_apart(best[1], repeated, far, seed)


def _moved_apart(order: Sequence[str], repeated: set[str], far: int, seed: int) -> list[str]:
    """Swap lines until the two of every case are far apart, as far as that can be."""
    moved = list(order)
    places: dict[str, list[int]] = {}
    for place, case_id in enumerate(moved):
        places.setdefault(case_id, []).append(place)

    def too_near(case_id: str) -> bool:
        found = places[case_id]
        return len(found) == 2 and abs(found[0] - found[1]) < far

    def swap(one: int, other: int) -> None:
        first, second = moved[one], moved[other]
        places[first][places[first].index(one)] = other
        places[second][places[second].index(other)] = one
        moved[one], moved[other] = second, first

    for case_id in filter(too_near, sorted(repeated)):
        for at in map(int, _drawn(map(str, range(len(moved))), f"apart {seed} {case_id}")):
            other, here = moved[at], places[case_id][1]
            if other == case_id or not too_near(case_id):
                continue
            was_near = too_near(other)
            swap(here, at)
            if too_near(case_id) or (too_near(other) and not was_near):
                swap(at, here)
    return moved


def _distance(order: Sequence[str], case_id: str) -> int:
    first = order.index(case_id)
    return order.index(case_id, first + 1) - first


def _drawn(names: Iterable[str], purpose: str) -> list[str]:
    """Draw an order of names.  By a digest, not a generator: its numbers never change with a library."""
    return sorted(names, key=lambda name: hashlib.sha256(f"{purpose}\n{name}".encode()).digest())
