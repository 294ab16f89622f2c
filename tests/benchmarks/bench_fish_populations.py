"""How often a second population is suggested where there is none, how often where there is one, and
how often the intervals of a count hold the truth.

``python -m tests.benchmarks fish_populations``: simulated counts, no images.  Copies are lost
by the cut of the section one by one (binomial); a nucleus that keeps no copy of a colour is not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import NucleusSignals
from her2path.domain.stats.second_population import PopulationSuggestion, look_for_second_population
from her2path.domain.stats.signal_spread import ratio_spread, spread_of
from her2path.domain.verdict import NotEvaluable

SIZES = (20, 40, 100)
KEPT = 0.75
"""Share of the copies that a section holds."""
_SEED = 560_001
Copies = npt.NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], tuple[Copies, Copies]]


def cut(rng: np.random.Generator, her2: Copies, cep17: Copies) -> tuple[Copies, Copies]:
    """Lose copies to the cut of the section."""
    return rng.binomial(her2, KEPT), rng.binomial(cep17, KEPT)


def copies(her2: int, cep17: int) -> Draw:
    """Every nucleus holds the same."""
    return lambda rng, n: cut(rng, np.full(n, her2), np.full(n, cep17))


def dividing(rng: np.random.Generator, n: int) -> tuple[Copies, Copies]:
    """A diploid tumour of which 15 % have doubled their genome to divide."""
    doubled = np.where(rng.random(n) < 0.15, 4, 2)
    return cut(rng, doubled, doubled)


def scattered(mean: float, size: float | None) -> Draw:
    """Amplified: Poisson (`size` None) or negative binomial copies in the section, two CEP17."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Copies, Copies]:
        her2 = rng.poisson(mean, n) if size is None else rng.negative_binomial(size, size / (size + mean), n)
        return her2, rng.binomial(2, KEPT, n)

    return draw


def skewed(rng: np.random.Generator, n: int) -> tuple[Copies, Copies]:
    """Log-normal copies: median 11, a factor of 1.65 to either side."""
    return np.rint(rng.lognormal(np.log(11), 0.5, n)).astype(np.int64), rng.binomial(2, KEPT, n)


def mixed(share: float, second: Draw) -> Draw:
    """A diploid tumour with a share of another population."""

    def draw(rng: np.random.Generator, n: int) -> tuple[Copies, Copies]:
        is_second = rng.random(n) < share
        main, other = copies(2, 2)(rng, n), second(rng, n)
        return np.where(is_second, other[0], main[0]), np.where(is_second, other[1], main[1])

    return draw


ONE = {
    "diploid": copies(2, 2),
    "diploid, 15 % dividing": dividing,
    "four copies of both": copies(4, 4),
    "Poisson, mean 5": scattered(5, None),
    "Poisson, mean 12": scattered(12, None),
    "negative binomial, mean 12, size 4": scattered(12, 4),
    "negative binomial, mean 15, size 2": scattered(15, 2),
    "log-normal, median 11": skewed,
}
TWO = {
    f"{name}, {100 * share:.0f} %": mixed(share, second)
    for name, second in (
        ("Poisson, mean 6", scattered(6, None)),
        ("Poisson, mean 12", scattered(12, None)),
        ("negative binomial, mean 12, size 4", scattered(12, 4)),
    )
    for share in (0.05, 0.15, 0.3)
}


def count(draw: Draw, rng: np.random.Generator, size: int) -> list[NucleusSignals]:
    """Go on until so many nuclei have both colours."""
    her2, cep17 = draw(rng, 40 * size)
    scored = np.flatnonzero((her2 > 0) & (cep17 > 0))[:size]
    return [NucleusSignals(int(her2[i]), int(cep17[i])) for i in scored]


def suggested_pct(draw: Draw, size: int, repeats: int) -> float:
    """Share of counts in which a second population is suggested."""
    rng = np.random.default_rng(_SEED)
    counts = (count(draw, rng, size) for _ in range(repeats))
    found = sum(isinstance(look_for_second_population(c), PopulationSuggestion) for c in counts)
    return 100 * found / repeats


@dataclass(frozen=True)
class Coverage:
    """Share of intervals that hold the truth, in per cent."""

    mean: float
    ratio: float
    fieller: float


def coverage(draw: Draw, size: int, repeats: int) -> Coverage:
    """How often 95 % intervals hold the truth of nuclei of that kind."""
    rng = np.random.default_rng(_SEED + 1)
    many = count(draw, rng, 20_000)
    mean = sum(n.her2 for n in many) / len(many)
    ratio = sum(n.her2 for n in many) / sum(n.cep17 or 0 for n in many)
    held = np.zeros(3)
    for _ in range(repeats):
        nuclei = count(draw, rng, size)
        spread = ratio_spread(nuclei)
        assert spread is not None
        intervals = (spread_of([n.her2 for n in nuclei]).interval, spread.bootstrap, spread.fieller)
        for place, (interval, truth) in enumerate(zip(intervals, (mean, ratio, ratio), strict=True)):
            held[place] += not isinstance(interval, NotEvaluable) and interval[0] <= truth <= interval[1]
    return Coverage(*(100 * held / repeats))


def main() -> None:
    """Print the three tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    head = "".join(f"{f'{size} nuclei':>12}" for size in SIZES)
    # What is found in most counts costs all drawings of the test; half as many tell enough.
    for title, draws, times in (
        ("one population", ONE, repeats),
        ("a diploid tumour with", TWO, repeats // 2),
    ):
        sys.stdout.write(f"second population suggested, % of {times} counts\n{title:<44}{head}\n")
        for name, draw in draws.items():
            cells = "".join(f"{suggested_pct(draw, size, times):>12.1f}" for size in SIZES)
            sys.stdout.write(f"{name:<44}{cells}\n")
            sys.stdout.flush()
    sys.stdout.write(f"95 % intervals that hold the truth, % of {5 * repeats} counts\n")
    sys.stdout.write(f"{'':<44}{'mean HER2':>12}{'ratio':>12}{'Fieller':>12}\n")
    for name in ("diploid", "Poisson, mean 5", "negative binomial, mean 12, size 4"):
        for size in SIZES:
            found = coverage(ONE[name], size, 5 * repeats)
            cells = f"{found.mean:>12.1f}{found.ratio:>12.1f}{found.fieller:>12.1f}"
            sys.stdout.write(f"{f'{name}, {size} nuclei':<44}{cells}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
