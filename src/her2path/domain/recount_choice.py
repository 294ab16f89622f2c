"""Which nuclei a second person counts: others than the first count's where there are enough."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from her2path.domain.guideline.rejections import MIN_NUCLEI
from her2path.domain.verdict import NotEvaluable


@dataclass(frozen=True, slots=True)
class Candidate:
    """A nucleus that could be counted."""

    image_id: str
    nucleus_id: int
    rank: int | None
    """1 = the nucleus of its image that a reader would take first; None = not ranked."""
    in_first_count: bool
    in_two_plus: bool
    """Whether its image shows the area with IHC 2+."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sheet should hold."""

    nuclei: int
    seed: int
    may_reuse: bool = True
    """Whether nuclei of the first count may be shown where there are fewer than 20 others."""
    fill_up: bool = False
    """Whether they fill the sheet up although there are 20 others."""


def choose(candidates: Sequence[Candidate], wish: Wish) -> tuple[Candidate, ...] | NotEvaluable:
    """Choose nuclei for a recount, in the order in which they are shown.

    Nuclei that the first count did not use come first.  Where an area with IHC 2+ is named, half of
    the sheet comes from it, as far as it goes (Wolff 2018: the recount includes that area).  The
    images take turns, each giving its nuclei by rank, or in an order that the seed alone decides
    where they have none.  The order on the page is that of the seed, so that neither place nor
    rank can be read from a number.

    Parameters
    ----------
    candidates : sequence of Candidate
        In any order.
    wish : Wish
        How many, and whether nuclei of the first count may be shown again.

    Returns
    -------
    tuple of Candidate, or NotEvaluable
        The reason where fewer than 20 nuclei can be shown: such a sheet could not be read.
    """
    others = [c for c in candidates if not c.in_first_count]
    reuse = wish.may_reuse and (wish.fill_up or len(others) < MIN_NUCLEI)
    usable = list(candidates) if reuse else others
    if len(usable) < MIN_NUCLEI:
        return _too_few(len(others), len(candidates), wish)
    half = -(-wish.nuclei // 2)
    of_area = [c for c in candidates if c.in_two_plus and (wish.may_reuse or not c.in_first_count)]
    two_plus = _best(of_area, wish)[:half]
    # A nucleus of the area that is in the rest as well is shown once.
    chosen = tuple(dict.fromkeys((*two_plus, *_best(usable, wish))))[: wish.nuclei]
    return tuple(sorted(chosen, key=lambda c: _drawn(c, f"order {wish.seed}")))


def _too_few(others: int, found: int, wish: Wish) -> NotEvaluable:
    if wish.may_reuse:
        reason = f"only {found} nuclei can be counted, {MIN_NUCLEI} are needed"
    else:
        reason = (
            f"only {others} nuclei are not in the first count, {MIN_NUCLEI} are needed, and this guideline "
            "adds both counts"
        )
    return NotEvaluable("too_few_nuclei", f"{reason}; add images of other fields (observer 2)")


def _best(candidates: Iterable[Candidate], wish: Wish) -> list[Candidate]:
    """Sort by: not in the first count, then the images in turn, each by rank."""
    by_image: dict[tuple[bool, str], list[Candidate]] = {}
    for candidate in candidates:
        by_image.setdefault((candidate.in_first_count, candidate.image_id), []).append(candidate)
    turns: list[tuple[bool, int, str, Candidate]] = []
    for (used, image_id), found in by_image.items():
        found.sort(key=lambda c: (c.rank is None, c.rank or 0, _drawn(c, f"choice {wish.seed}")))
        turns += [(used, turn, image_id, candidate) for turn, candidate in enumerate(found)]
    return [turn[-1] for turn in sorted(turns, key=lambda turn: turn[:3])]


def _drawn(candidate: Candidate, purpose: str) -> bytes:
    """Draw a place in an order.  A digest, not a generator: its numbers never change with a library."""
    text = f"{purpose}\n{candidate.image_id}\n{candidate.nucleus_id}"
    return hashlib.sha256(text.encode()).digest()
