"""One observer's signals as a person typed them: totals, or means that are taken back to totals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import product

from her2path.cli.typed_cells import TypedCells
from her2path.domain.guideline.rejections import MIN_NUCLEI
from her2path.domain.ish import Probe, SignalSummary
from her2path.domain.means import EXACT_PLACES, agrees, decimal_places, exact_summary, possible_totals

# Beyond it the means are so coarse for so many nuclei that nothing can rest on them.
_MOST_TOTALS = 10_000


@dataclass(frozen=True, slots=True)
class CountColumns:
    """The columns that hold one observer's count."""

    nuclei: str
    her2: str
    cep17: str
    her2_mean: str = ""
    cep17_mean: str = ""
    """Empty: this count is given by totals only."""

    all: tuple[str, ...] = field(init=False)
    """Every column, the number of nuclei first."""

    def __post_init__(self) -> None:
        names = (self.nuclei, self.her2, self.cep17, self.her2_mean, self.cep17_mean)
        object.__setattr__(self, "all", tuple(name for name in names if name))


FIRST = CountColumns("nuclei", "her2_signals", "cep17_signals", "mean_her2", "mean_cep17")
RECOUNT = CountColumns(
    "recount_nuclei", "recount_her2", "recount_cep17", "recount_mean_her2", "recount_mean_cep17"
)
SECOND_POPULATION = CountColumns("second_nuclei", "second_her2", "second_cep17")


@dataclass(frozen=True, slots=True)
class TypedCount:
    """What a typed count can have been; more than one where its means were rounded."""

    likeliest: SignalSummary
    """The totals nearest to the means."""
    others: tuple[SignalSummary, ...] = ()
    """Further totals that are written as the same means, if the means are not whole as they stand."""
    beside: tuple[SignalSummary, ...] = ()
    """Totals that are written as the same means too, where the likeliest were taken as exact."""
    from_means: bool = False
    """Whether the totals are not beyond doubt, because they were worked out from rounded means."""
    nuclei_stated: bool = True

    def chosen(self, finding_of: Callable[[SignalSummary], object]) -> SignalSummary | None:
        """Choose the totals to go on with; None if it matters to the finding which ones they were."""
        first = finding_of(self.likeliest)
        return self.likeliest if all(finding_of(other) == first for other in self.others) else None

    def narrowed(self, fits: Callable[[SignalSummary], bool]) -> TypedCount | None:
        """Keep the totals that fit what else was typed; None if there are none."""
        among = [one for one in (self.likeliest, *self.others) if fits(one)]
        beside = [one for one in self.beside if fits(one)]
        if among:
            return replace(self, likeliest=among[0], others=tuple(among[1:]), beside=tuple(beside))
        if beside:
            # The means are not exact after all: each of the totals that fit has to be called.
            return replace(self, likeliest=beside[0], others=tuple(beside[1:]), beside=())
        return None


@dataclass(frozen=True, slots=True)
class _Totals:
    """The whole totals of one colour, the likeliest first."""

    values: tuple[int, ...]
    is_certain: bool = True
    beside: tuple[int, ...] = ()
    """Others that the digits would allow, though the mean is whole as it stands."""


def typed_count(
    cells: TypedCells, columns: CountColumns, probe: Probe, *, nuclei_needed: bool = True
) -> TypedCount | None:
    """Read one observer's count; faults are left in `cells`.

    Returns
    -------
    count : TypedCount or None
        None if none was typed, or if it is faulty.
    """
    if not cells.has(*columns.all):
        return None
    before = len(cells.faults)
    if probe is Probe.SINGLE:
        cells.refuse((columns.cep17, columns.cep17_mean), "a single probe has no CEP17 signals")
    nuclei = cells.integer(columns.nuclei)
    means = cells.has(columns.her2_mean) and not cells.has(columns.her2, columns.cep17)
    if not nuclei_needed and means and columns.nuclei not in cells.texts:
        return _of_means_alone(cells, columns, probe, before)
    if columns.nuclei not in cells.texts:
        cells.fault(columns.nuclei, f"is needed beside {', '.join(cells.filled(columns.all))}")
    her2 = _totals(cells, columns, (columns.her2, columns.her2_mean), nuclei)
    colours = [her2]
    if probe is Probe.DUAL:
        colours.append(_totals(cells, columns, (columns.cep17, columns.cep17_mean), nuclei))
    if len(cells.faults) > before or nuclei is None:
        return None
    known = [colour for colour in colours if colour is not None]
    if len(known) < len(colours):
        return None
    if math.prod(len(colour.values) for colour in known) > _MOST_TOTALS:
        cells.fault(columns.her2_mean, "the means are too coarse for so many nuclei; give whole totals")
        return None
    summaries = [SignalSummary(nuclei, one[0], one[1] if len(one) > 1 else None) for one in _pairs(known)]
    from_means = not all(colour.is_certain for colour in known)
    return TypedCount(summaries[0], tuple(summaries[1:]), _beside(known, nuclei, summaries), from_means)


def _beside(
    colours: Sequence[_Totals], nuclei: int, called: Sequence[SignalSummary]
) -> tuple[SignalSummary, ...]:
    """List the totals that means taken as exact would allow as rounded numbers."""
    if not any(colour.beside for colour in colours):
        return ()
    every = [(*colour.values, *colour.beside) for colour in colours]
    if math.prod(len(values) for values in every) > _MOST_TOTALS:
        # The outermost ones: findings change one way along each colour.
        every = [(min(values), max(values)) for values in every]
    pairs = (SignalSummary(nuclei, one[0], one[1] if len(one) > 1 else None) for one in product(*every))
    return tuple(one for one in pairs if one not in called)


def _pairs(colours: Iterable[_Totals]) -> Iterator[tuple[int, ...]]:
    return product(*(colour.values for colour in colours))


def _of_means_alone(cells: TypedCells, columns: CountColumns, probe: Probe, before: int) -> TypedCount | None:
    """Take means as exact where nobody wrote over how many nuclei they go."""
    her2 = cells.number(columns.her2_mean)
    cep17 = cells.number(columns.cep17_mean) if probe is Probe.DUAL else None
    if probe is Probe.DUAL and columns.cep17_mean not in cells.texts:
        cells.fault(columns.cep17_mean, f"is needed beside {columns.her2_mean}")
    if len(cells.faults) > before or her2 is None:
        return None
    return TypedCount(exact_summary(her2, cep17, fewest=MIN_NUCLEI), nuclei_stated=False)


def _totals(
    cells: TypedCells, columns: CountColumns, names: tuple[str, str], nuclei: int | None
) -> _Totals | None:
    """Find the total of one colour from a total, a mean or both."""
    total, mean = cells.integer(names[0]), cells.number(names[1]) if names[1] else None
    filled = cells.filled(names)
    if nuclei is None or (filled and total is None and mean is None):
        return None
    if nuclei == 0:
        if total or mean:
            cells.fault(columns.nuclei, "is 0, but signals were counted")
        # Over no nuclei the sum is 0: the count was tried and is too small, which is no result.
        return _Totals((0,))
    if not filled:
        beside = ", ".join(cells.filled(columns.all))
        either = f" (or {names[1]})" if names[1] else ""
        cells.fault(names[0], f"is needed beside {beside}{either}")
        return None
    if total is not None:
        if mean is not None and not agrees(total, nuclei, mean):
            message = f"says {mean}, but {total} signals in {nuclei} nuclei are {total / nuclei:.6g} each"
            cells.fault(names[1], message)
        return _Totals((total,))
    return None if mean is None else _of_mean(cells, names[1], mean, nuclei)


def _of_mean(cells: TypedCells, name: str, mean: Decimal, nuclei: int) -> _Totals | None:
    possible = possible_totals(mean, nuclei)
    if possible.count == 0:
        message = f"no whole number of signals in {nuclei} nuclei has a mean of {mean}; check both"
        cells.fault(name, message)
        return None
    if possible.is_exact:
        ends = range(possible.lowest, possible.highest + 1)
        if possible.count > _MOST_TOTALS:
            ends = range(possible.lowest, possible.highest + 1, possible.highest - possible.lowest)
        others = tuple(n for n in ends if n != possible.nearest)
        return _Totals((possible.nearest,), possible.is_certain, others)
    if possible.count > _MOST_TOTALS:
        cells.fault(name, f"is too coarse for {nuclei} nuclei; give whole totals")
        return None
    more = (n for n in range(possible.lowest, possible.highest + 1) if n != possible.nearest)
    certain = possible.is_certain and decimal_places(mean) >= EXACT_PLACES
    return _Totals((possible.nearest, *more), certain)
