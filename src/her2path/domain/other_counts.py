"""What another count of the same kind could find: exact distributions of its totals.

No random numbers: the distribution of the totals of `n` nuclei drawn with replacement is the
`n`-fold convolution of what was counted, and is computed as such.  Both models live on a window
of totals; what lies outside is less than 1e-13 by Chernoff's bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import NucleusSignals, SignalSummary

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]

_NEGLECTED = float(-np.log(1e-14))
"""A tail of the window holds at most 1e-14; there are two to an axis."""
_SLOPES = np.geomspace(1e-5, 20, 400)
"""Chernoff's bound holds for any of them; the tightest is taken."""
_SMALLEST, _NOTHING = 1e-300, float(np.log(1e-30))
"""Frequencies of a smaller logarithm change no probability by more than 1e-30."""
_POINTS = 2**17
"""Points of a grid that are worked on at a time (1 MB)."""


@dataclass(frozen=True, slots=True)
class Window:
    """The totals of one colour, both ends included, outside which next to nothing lies."""

    low: int
    high: int

    @property
    def size(self) -> int:
        """Number of totals."""
        return self.high - self.low + 1


@dataclass(frozen=True, slots=True)
class Block:
    """Some of the possible totals with their probabilities."""

    her2: Integers
    """Shape (R, 1)."""
    cep17: Integers | None
    """Shape (1, C); None for a single probe, and then C is 1."""
    probability: Floats
    """Shape (R, C)."""


class OtherCounts(Protocol):
    """A distribution of the totals of HER2 and CEP17."""

    @property
    def her2(self) -> Window:
        """Where the HER2 totals lie."""

    @property
    def cep17(self) -> Window | None:
        """Where the CEP17 totals lie; None for a single probe."""

    def blocks(self) -> Iterator[Block]:
        """Go over all totals in blocks of about a megabyte; the probabilities sum to 1."""


def points_of(counts: OtherCounts) -> int:
    """Tell how many points its grid has, which is what time and memory depend on."""
    return counts.her2.size * (1 if counts.cep17 is None else counts.cep17.size)


@dataclass(frozen=True)
class Bootstrap:
    """Totals of as many nuclei drawn with replacement from those that were counted."""

    nuclei: tuple[NucleusSignals, ...]
    her2: Window
    cep17: Window | None

    @classmethod
    def of(cls, nuclei: Sequence[NucleusSignals]) -> Bootstrap:
        """Take the nuclei of one count, at least one; all of them with or all without CEP17.

        Raises
        ------
        ValueError
            There is no nucleus, or CEP17 was counted in some of them only.
        """
        cep17 = [nucleus.cep17 for nucleus in nuclei if nucleus.cep17 is not None]
        if not nuclei or len(cep17) not in (0, len(nuclei)):
            raise ValueError("a bootstrap needs nuclei, all with CEP17 or all without")
        return cls(tuple(nuclei), _of_sums([n.her2 for n in nuclei]), _of_sums(cep17) if cep17 else None)

    def blocks(self) -> Iterator[Block]:
        """Invert the `n`-th power of the characteristic function, row by row.

        The totals are counted round a ring as long as the window (rounded up to a length that the
        Fourier transform likes), so what lies outside comes in again on the other side.
        """
        rows = _fast_length(self.her2.size)
        columns = 1 if self.cep17 is None else _fast_length(self.cep17.size)
        mixed = self._mixed(rows, columns)
        her2 = _round_ring(self.her2, rows)
        cep17 = None if self.cep17 is None else _round_ring(self.cep17, columns)[None, :]
        for part in _slices(rows, columns):
            found = np.fft.irfft(mixed[part], n=columns, axis=1)
            # Rounding leaves some zeros at -1e-20.
            yield Block(her2[part, None], cep17, np.maximum(found, 0.0))

    def _mixed(self, rows: int, columns: int) -> Complexes:
        """Return the distribution over HER2 totals (rows) and frequencies of CEP17 (columns)."""
        n = len(self.nuclei)
        places = sorted({nucleus.her2 % rows for nucleus in self.nuclei})
        one = np.zeros((len(places), columns))
        for nucleus, times in Counter(self.nuclei).items():
            one[places.index(nucleus.her2 % rows), (nucleus.cep17 or 0) % columns] += times / n
        half = np.fft.rfft(one, axis=1).T
        mixed = np.zeros((rows, len(half)), dtype=np.complex128)
        for part in _slices(len(half), rows):
            spread = np.zeros((len(half[part]), rows), dtype=np.complex128)
            spread[:, places] = half[part]
            one_nucleus = np.fft.fft(spread, axis=1)
            # A wide distribution is smooth: most of its frequencies are zero to any precision.
            if n * np.log(np.abs(one_nucleus).max(initial=_SMALLEST)) > _NOTHING:
                mixed[:, part] = np.fft.ifft(_power(one_nucleus, n), axis=1).T
        return mixed


@dataclass(frozen=True)
class PoissonTotals:
    """Totals that vary like independent Poisson counts with the totals as their means.

    This is a model, for counts of which only the totals are known.  It takes signals for
    independent of each other; cells of one clone are more alike than that, cells of a mixed
    tumour less, and readers err in their own ways, so real counts scatter less or more.
    """

    summary: SignalSummary
    her2: Window
    cep17: Window | None

    @classmethod
    def of(cls, summary: SignalSummary) -> PoissonTotals:
        """Take the totals of a count with at least one signal of each colour.

        Raises
        ------
        ValueError
            A total is zero, of which nothing can be told about another count.
        """
        if summary.her2 == 0 or summary.cep17 == 0:
            raise ValueError("a total of zero says nothing of another count")
        cep17 = None if summary.cep17 is None else _of_poisson(summary.cep17)
        return cls(summary, _of_poisson(summary.her2), cep17)

    def blocks(self) -> Iterator[Block]:
        """Multiply the probabilities of both colours, row by row."""
        above = _poisson(self.summary.her2, self.her2)
        below, cep17 = np.ones(1), None
        if self.cep17 is not None and self.summary.cep17 is not None:
            below = _poisson(self.summary.cep17, self.cep17)
            cep17 = np.arange(self.cep17.low, self.cep17.high + 1, dtype=np.int64)[None, :]
        her2 = np.arange(self.her2.low, self.her2.high + 1, dtype=np.int64)
        for part in _slices(len(above), len(below)):
            yield Block(her2[part, None], cep17, above[part, None] * below[None, :])


def binomial(trials: int, share: float) -> Floats:
    """State the probability of 0 to `trials` successes, shape (trials + 1,).

    Examples
    --------
    >>> binomial(2, 0.5).tolist()
    [0.25, 0.5, 0.25]
    """
    if share in (0.0, 1.0):
        sure = np.zeros(trials + 1)
        sure[round(share) * trials] = 1.0
        return sure
    k = np.arange(trials, dtype=np.float64)
    return _from_ratios((trials - k) / (k + 1) * (share / (1 - share)), round(share * trials))


def _poisson(mean: int, window: Window) -> Floats:
    k = np.arange(window.low, window.high, dtype=np.float64)
    return _from_ratios(mean / (k + 1), mean - window.low)


def _from_ratios(ratios: Floats, start: int) -> Floats:
    """Build probabilities from the ratio of each to the one before.

    Starting at a place near the mode keeps every product between 0 and about 1, so that nothing
    overflows and large numbers lose no digits to logarithms of factorials.
    """
    up, down = np.cumprod(ratios[start:]), np.cumprod(1 / ratios[:start][::-1])
    found = np.concatenate((down[::-1], [1.0], up))
    normed: Floats = found / found.sum()
    return normed


def _of_sums(values: Sequence[int]) -> Window:
    """Bound the sum of as many values drawn with replacement."""
    counted = Counter(values)
    distinct = np.array(list(counted), dtype=np.float64)
    shares = np.array(list(counted.values())) / len(values)

    def log_mean_exp(slopes: Floats) -> Floats:
        exponents = slopes[:, None] * distinct
        top = exponents.max(axis=1)
        found: Floats = top + np.log(np.exp(exponents - top[:, None]) @ shares)
        return found * len(values)

    return _chernoff(
        log_mean_exp(_SLOPES),
        log_mean_exp(-_SLOPES),
        Window(len(values) * min(values), len(values) * max(values)),
    )


def _of_poisson(mean: int) -> Window:
    # The upper end of the support is never reached; it only has to be out of the way.
    return _chernoff(
        mean * np.expm1(_SLOPES), mean * np.expm1(-_SLOPES), Window(0, 2 * mean + 10 * len(_SLOPES))
    )


def _chernoff(upwards: Floats, downwards: Floats, support: Window) -> Window:
    """Find the window from the logarithm of E exp(s x) and of E exp(-s x) for all slopes s."""
    high = np.min((upwards + _NEGLECTED) / _SLOPES)
    low = np.max(-(downwards + _NEGLECTED) / _SLOPES)
    return Window(max(support.low, int(np.ceil(low))), min(support.high, int(np.floor(high))))


def _power(base: Complexes, exponent: int) -> Complexes:
    """Square and multiply: NumPy's own power of complex numbers takes logarithms and is slower."""
    found = np.ones_like(base)
    while exponent:
        if exponent % 2:
            found *= base
        exponent //= 2
        base = base * base
    return found


def _fast_length(size: int) -> int:
    """Find the next length without a prime factor above 5.

    Examples
    --------
    >>> _fast_length(97)
    100
    """
    length = size
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def _round_ring(window: Window, length: int) -> Integers:
    """State which total stands at each place of the ring."""
    place = np.arange(length, dtype=np.int64)
    totals: Integers = window.low + (place - window.low) % length
    return totals


def _slices(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, _POINTS // columns)
    return (slice(start, start + step) for start in range(0, rows, step))
