"""How often the intervals of method comparison cover the truth, on simulated readers.

The readers are simulated: true values are drawn, and two or more of them measure each with known errors, so
that bias, limits, line and correlation are known.  Every design has a seed of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats.bland_altman import Scale, bland_altman
from her2path.domain.stats.deming import Scatter, deming
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.intraclass import intraclass
from her2path.domain.stats.passing_bablok import passing_bablok

SIMULATIONS = 2000
SEED = 20_261_122
Draw = Callable[[np.random.Generator], dict[str, tuple[Estimate, float]]]
"""Simulate one study; give each estimate with the truth."""


@dataclass(frozen=True, slots=True)
class Covered:
    """How many intervals of one kind covered the truth."""

    design: str
    statistic: str
    simulations: int
    covered: int

    @property
    def share(self) -> float:
        """Of the simulations."""
        return self.covered / self.simulations


def coverage(simulations: int = SIMULATIONS, *, seed: int = SEED) -> Iterator[Covered]:
    """Count for each design and statistic how many intervals cover the truth."""
    for number, (design, draw) in enumerate(DESIGNS.items()):
        rng = np.random.default_rng([seed, number])
        covered: dict[str, int] = {}
        for _ in range(simulations):
            for statistic, (estimate, truth) in draw(rng).items():
                low, high = estimate.low, estimate.high
                inside = low is not None and high is not None and low <= truth <= high
                covered[statistic] = covered.get(statistic, 0) + inside
        for statistic, count in covered.items():
            yield Covered(design, statistic, simulations, count)


def straight_called_curved(cases: int, simulations: int, *, seed: int = SEED) -> float:
    """Share of straight relations that Passing and Bablok's linearity check calls curved."""
    rng = np.random.default_rng([seed, cases])
    curved = 0
    for _ in range(simulations):
        first, second = _measured_twice(rng, cases)
        linearity = passing_bablok(first, second).linearity
        curved += linearity is not None and not linearity.is_straight
    return curved / simulations


def _measured_twice(
    rng: np.random.Generator, cases: int, *, slope: float = 1.0, intercept: float = 0.0, error: float = 0.3
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Candidate and comparator of the same cases, with errors in proportion to the slope."""
    true = rng.uniform(1, 10, cases)
    candidate = intercept + slope * true + rng.normal(0, slope * error, cases)
    return candidate, true + rng.normal(0, error, cases)


def _differences(cases: int) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
        candidate, comparator = _measured_twice(rng, cases, intercept=0.2)
        result = bland_altman(candidate, comparator)
        reach = float(stats.norm.ppf(0.975)) * 0.3 * np.sqrt(2)
        return {
            "bias": (result.bias, 0.2),
            "lower limit": (result.lower_limit, 0.2 - reach),
            "upper limit": (result.upper_limit, 0.2 + reach),
            "slope of the difference": (result.slope, 0.0),
        }

    return draw


def _log_ratios(cases: int) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
        true = np.exp(rng.normal(0.7, 0.5, cases))
        candidate = 1.1 * true * np.exp(rng.normal(0, 0.1, cases))
        comparator = true * np.exp(rng.normal(0, 0.1, cases))
        result = bland_altman(candidate, comparator, scale=Scale.LOG_RATIO)
        reach = float(np.exp(stats.norm.ppf(0.975) * 0.1 * np.sqrt(2)))
        return {
            "bias": (result.bias, 1.1),
            "lower limit": (result.lower_limit, 1.1 / reach),
            "upper limit": (result.upper_limit, 1.1 * reach),
        }

    return draw


def _lines(cases: int, *, slope: float, error_ratio: float) -> Draw:
    def draw(rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
        candidate, comparator = _measured_twice(rng, cases, slope=slope, intercept=0.5)
        by_deming = deming(candidate, comparator, error_ratio=error_ratio)
        by_ranks = passing_bablok(candidate, comparator)
        return {
            "Deming slope": (by_deming.slope, slope),
            "Deming intercept": (by_deming.intercept, 0.5),
            "Passing-Bablok slope": (by_ranks.slope, slope),
            "Passing-Bablok intercept": (by_ranks.intercept, 0.5),
            "Passing-Bablok intercept, interval of the paper": (by_ranks.intercept_as_published, 0.5),
        }

    return draw


def _counted_ratios(cases: int, nuclei: int) -> Draw:
    """Two readers count signals of other nuclei of the same case: whole numbers, ties, unlike scatter."""

    def draw(rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
        cep17 = rng.uniform(1.6, 2.6, cases)
        her2 = cep17 * np.exp(rng.normal(0.6, 0.5, cases))
        first, second = (
            rng.poisson(nuclei * her2) / np.maximum(1, rng.poisson(nuclei * cep17)) for _ in range(2)
        )
        by_deming = deming(first, second, scatter=Scatter.PROPORTIONAL)
        by_ranks = passing_bablok(first, second)
        result = bland_altman(first, second, scale=Scale.LOG_RATIO)
        return {
            "bias of the log ratio": (result.bias, 1.0),
            "weighted Deming slope": (by_deming.slope, 1.0),
            "weighted Deming intercept": (by_deming.intercept, 0.0),
            "Passing-Bablok slope": (by_ranks.slope, 1.0),
            "Passing-Bablok intercept": (by_ranks.intercept, 0.0),
        }

    return draw


def _readers(cases: int, readers: int, *, between: float, of_readers: float, error: float) -> Draw:
    """Variances of cases, readers and error; each draw has other cases and other readers."""

    def draw(rng: np.random.Generator) -> dict[str, tuple[Estimate, float]]:
        true = rng.normal(0, np.sqrt(between), (cases, 1))
        offsets = rng.normal(0, np.sqrt(of_readers), (1, readers))
        noise = rng.normal(0, np.sqrt(error), (cases, readers))
        crossed = intraclass(true + offsets + noise, np.ones((cases, readers), dtype=np.bool_))
        # Model 1: each case has readers of its own, so that their differences are part of the error.
        nested = true + rng.normal(0, np.sqrt(of_readers), (cases, readers)) + noise
        one_way = intraclass(nested, np.ones((cases, readers), dtype=np.bool_))
        absolute, consistent = between / (between + of_readers + error), between / (between + error)
        of_mean = between / (between + (of_readers + error) / readers)
        return {
            "ICC(1,1)": (one_way.icc_1_1, absolute),
            "ICC(2,1)": (crossed.icc_2_1, absolute),
            "ICC(3,1)": (crossed.icc_3_1, consistent),
            "ICC(1,k)": (one_way.icc_1_k, of_mean),
            "ICC(2,k)": (crossed.icc_2_k, of_mean),
            "ICC(3,k)": (crossed.icc_3_k, between / (between + error / readers)),
        }

    return draw


DESIGNS: dict[str, Draw] = {
    "differences, 15 cases": _differences(15),
    "differences, 60 cases": _differences(60),
    "log ratios, 15 cases": _log_ratios(15),
    "log ratios, 60 cases": _log_ratios(60),
    "lines, slope 1.2, 40 cases": _lines(40, slope=1.2, error_ratio=1.44),
    "lines, slope 1.0, 120 cases": _lines(120, slope=1.0, error_ratio=1.0),
    "ratios counted in 40 nuclei, 80 cases": _counted_ratios(80, 40),
    "5 readers, 30 cases": _readers(30, 5, between=1.0, of_readers=0.1, error=0.25),
    "10 readers, 80 cases": _readers(80, 10, between=1.0, of_readers=0.05, error=0.5),
}
