"""How often intervals of agreement cover what they are intervals of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from her2path.domain.stats.among_readers import among_readers
from her2path.domain.stats.bayesian_bootstrap import Drawing, cells_of
from her2path.domain.stats.confusion import confusion_table
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.gwet import ac_of_sums, gwet_ac
from her2path.domain.stats.intra_reader import intra_reader
from her2path.domain.stats.kappa import agreement_features, fleiss_kappa, kappa_of_tables
from her2path.domain.stats.krippendorff_alpha import (
    alpha_of_sums,
    coincidence_features,
    krippendorff_alpha,
)
from her2path.domain.stats.pair_agreement import PairAgreement, pair_agreement
from her2path.domain.stats.percent_agreement import POSITIVE, CallsAgainstReader, Equivocals
from her2path.domain.stats.proportion import CLOPPER_PEARSON, WILSON
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting
from tests.validation.qa.other_intervals import METHODS, Coefficient, other_intervals
from tests.validation.qa.simulated_readers import CALLS, RARE, SCORES, Floats, Population

SIMULATIONS = 2000
OTHERS = 500
"""Simulations of each condition in which intervals of other methods are worked out, too."""
CASES = (40, 60, 200)
"""20 + 20 cases [CAP, predictive markers], 60 cases [CAP, whole-slide imaging], and a larger study."""
SLIPS = (0.03, 0.10, 0.20)
"""Very good, good and poor readers."""
READERS = 5
DRAWING = Drawing(draws=1000)
"""Half of what a page is made with, for the sake of time; the bounds are those of the same method."""
_MANY = 1e12
"""Cases of the population: Krippendorff's correction for few reads vanishes."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One study that is simulated again and again."""

    study: str
    """``pair``, ``calls``, ``readers`` or ``sessions``."""
    cases: int
    slips: float
    seed: int


@dataclass(slots=True)
class Coverage:
    """Of one statistic and method in one condition."""

    study: str
    statistic: str
    method: str
    cases: int
    slips: float
    truth: float
    simulations: int = 0
    covered: int = 0
    above: int = 0
    """The truth lies above the interval."""
    undefined: int = 0
    """Simulations without an interval."""
    width: float = 0.0
    """Summed."""
    of: int = 0
    """Cases that the intervals rest on, summed; 0 of other methods."""

    def met(self, low: float, high: float, *, of: int = 0) -> None:
        """Count an interval."""
        self.simulations += 1
        self.of += of
        # The bounds of other methods are NumPy's, whose sums are no plain numbers.
        self.covered += int(low <= self.truth <= high)
        self.above += int(self.truth > high)
        self.width += float(high - low)

    def add(self, other: Coverage) -> None:
        """Add the same in further simulations."""
        for name in ("simulations", "covered", "above", "undefined", "width", "of"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def own(self) -> bool:
        """Whether her2path states this interval."""
        return self.method not in METHODS

    @property
    def is_rare(self) -> bool:
        """Whether less than one case of the rarer kind is expected in the share of a study.

        Most studies then show none at all and have one and the same interval, which covers the truth or
        does not: no method can cover 95 % of such studies.
        """
        if self.method not in (WILSON, CLOPPER_PEARSON):
            return False
        return min(self.truth, 1 - self.truth) * self.of < self.simulations

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {part.name: getattr(self, part.name) for part in fields(self)}


@dataclass(slots=True)
class Coverages:
    """All of one condition."""

    condition: Condition
    truths: Mapping[str, float]
    found: dict[tuple[str, str], Coverage] = field(default_factory=dict)

    def of(self, statistic: str, method: str) -> Coverage:
        """Where a statistic and method is counted."""
        c = self.condition
        new = Coverage(c.study, statistic, method, c.cases, c.slips, self.truths[statistic])
        return self.found.setdefault((statistic, method), new)

    def met(self, statistic: str, estimate: Estimate) -> None:
        """Count what her2path states."""
        coverage = self.of(statistic, estimate.method)
        if estimate.low is None or estimate.high is None:
            coverage.undefined += 1
        else:
            coverage.met(estimate.low, estimate.high, of=estimate.n)


def conditions(*, development: bool) -> list[Condition]:
    """All studies; development has seeds of its own."""
    seed = 500_000 if development else 780_000
    return [
        Condition(study, cases, slips, seed + number)
        for number, (study, cases, slips) in enumerate(
            (study, cases, slips) for study in STUDIES for cases in CASES for slips in SLIPS
        )
    ]


def measure(job: tuple[Condition, int, int]) -> list[Coverage]:
    """Simulate a part of a condition's studies: the condition, the first simulation, how many."""
    condition, start, many = job
    return list(STUDIES[condition.study](condition, range(start, start + many)).found.values())


def generators(condition: Condition, numbers: range) -> Iterator[np.random.Generator]:
    """Random numbers of each simulation, whichever process runs it."""
    return (np.random.default_rng((condition.seed, number)) for number in numbers)


def _pair(condition: Condition, numbers: range) -> Coverages:
    people = Population.of(SCORES, condition.slips, readers=2)
    joint = people.joint(0, 1)
    coefficients = pair_coefficients(len(SCORES))
    truths = {name: float(coefficient(joint * _MANY)) for name, coefficient in coefficients.items()}
    near = np.abs(np.subtract.outer(range(len(SCORES)), range(len(SCORES)))) <= 1
    truths |= {"exact": float(np.trace(joint)), "within_one": float(joint[near].sum())}
    found = Coverages(condition, truths | {"exact_clopper_pearson": truths["exact"]})
    for number, rng in zip(numbers, generators(condition, numbers), strict=True):
        codes, read = people.draw(condition.cases, rng)
        table = confusion_table(codes[:, 0], codes[:, 1], read[:, 0] & read[:, 1], categories=len(SCORES))
        agreement = pair_agreement(table, drawing=DRAWING)
        for part in fields(PairAgreement):
            found.met(part.name, getattr(agreement, part.name))
        if number >= OTHERS:
            continue
        for (name, method), interval in other_intervals(table, coefficients, rng).items():
            found.of(name, method).met(*interval)
    return found


def pair_coefficients(categories: int) -> dict[str, Coefficient]:
    """Coefficients of tables of two readers, of many at once, under their names in `PairAgreement`."""
    cells = cells_of(categories)
    pairs = coincidence_features(cells)
    plain, weighted = (agreement_features(cells, w) for w in (Weighting.UNWEIGHTED, Weighting.QUADRATIC))

    def flat(tables: Floats) -> Floats:
        return tables.reshape(*tables.shape[:-2], -1)

    return {
        "kappa": lambda tables: kappa_of_tables(tables, Weighting.UNWEIGHTED),
        "kappa_linear": lambda tables: kappa_of_tables(tables, Weighting.LINEAR),
        "kappa_quadratic": lambda tables: kappa_of_tables(tables, Weighting.QUADRATIC),
        "ac1": lambda tables: ac_of_sums(flat(tables) @ plain, Weighting.UNWEIGHTED),
        "ac2": lambda tables: ac_of_sums(flat(tables) @ weighted, Weighting.QUADRATIC),
        "alpha": lambda tables: alpha_of_sums(flat(tables) @ pairs),
    }


def _rare_positives(condition: Condition, numbers: range) -> Coverages:
    people = Population.of(RARE, condition.slips, readers=2)
    joint = people.joint(0, 1)
    coefficients = pair_coefficients(len(RARE))
    truths = {name: float(coefficients[name](joint * _MANY)) for name in ("kappa", "ac1", "alpha")}
    found = Coverages(condition, truths)
    for rng in generators(condition, numbers):
        codes, read = people.draw(condition.cases, rng)
        table = confusion_table(codes[:, 0], codes[:, 1], read[:, 0] & read[:, 1], categories=len(RARE))
        agreement = pair_agreement(table, drawing=DRAWING)
        for name in truths:
            found.met(name, getattr(agreement, name))
    return found


def _calls(condition: Condition, numbers: range) -> Coverages:
    people = Population.of(CALLS, condition.slips, readers=2)
    joint = people.joint(0, 1)
    positive, negative = joint[:, POSITIVE:].sum(), joint[:, :POSITIVE].sum()
    truths = {
        "positive": float(joint[POSITIVE:, POSITIVE:].sum() / positive),
        "negative": float(joint[:POSITIVE, :POSITIVE].sum() / negative),
        "overall": float(joint[POSITIVE:, POSITIVE:].sum() + joint[:POSITIVE, :POSITIVE].sum()),
    }
    found = Coverages(condition, truths)
    for rng in generators(condition, numbers):
        codes, read = people.draw(condition.cases, rng)
        table = confusion_table(codes[:, 0], codes[:, 1], read[:, 0] & read[:, 1], categories=3)
        agreement = CallsAgainstReader(table).percent_agreement(Equivocals.AS_NEGATIVE)
        for name in truths:
            share = getattr(agreement, name)
            found.met(name, share.wilson)
            found.met(name, share.clopper_pearson)
    return found


def _pooled(people: Population, pairs: list[tuple[int, int]]) -> dict[str, float]:
    """What several readers' coefficients are in the population: those of their mean pair."""
    joint = np.mean([people.joint(a, b) for a, b in pairs], axis=0)
    joint = (joint + joint.T) / 2
    coefficients = pair_coefficients(len(SCORES))
    truths = {name: float(coefficients[name](joint * _MANY)) for name in ("ac1", "ac2", "alpha")}
    # Fleiss' chance is that of the pooled readers, which Cohen's is for a table that is symmetrical.
    truths["fleiss"] = float(kappa_of_tables(joint, Weighting.UNWEIGHTED))
    truths["exact"] = float(np.trace(joint))
    return truths


def _readers(condition: Condition, numbers: range) -> Coverages:
    people = Population.of(SCORES, condition.slips, readers=READERS)
    readers = range(1, READERS)
    among = [(a, b) for a in readers for b in readers if a < b]
    truths = _pooled(people, [(a, b) for a in range(READERS) for b in range(a + 1, READERS)])
    truths["with_readers"] = float(np.mean([np.trace(people.joint(0, b)) for b in readers]))
    truths["of_readers"] = float(np.mean([np.trace(people.joint(a, b)) for a, b in among]))
    truths["difference"] = truths["with_readers"] - truths["of_readers"]
    found = Coverages(condition, truths)
    for rng in generators(condition, numbers):
        codes, read = people.draw(condition.cases, rng)
        tallies = ReadTallies.of_reads(codes, read, categories=len(SCORES))
        found.met("fleiss", fleiss_kappa(tallies, drawing=DRAWING))
        found.met("ac2", gwet_ac(tallies, Weighting.QUADRATIC, drawing=DRAWING))
        found.met("alpha", krippendorff_alpha(tallies, drawing=DRAWING))
        # The first column stands for the software.
        compared = among_readers(codes[:, 0], read[:, 0], codes[:, 1:], read[:, 1:], drawing=DRAWING)
        for name in ("with_readers", "of_readers", "difference"):
            found.met(name, getattr(compared, name))
    return found


def _sessions(condition: Condition, numbers: range) -> Coverages:
    people = Population.of(SCORES, condition.slips, readers=1)
    found = Coverages(condition, _pooled(people, [(0, 0)]))
    for rng in generators(condition, numbers):
        codes, read = people.draw(condition.cases, rng, sessions=3)
        repeated = intra_reader(codes, read, categories=len(SCORES), drawing=DRAWING)
        for name, estimate in (
            ("exact", repeated.exact),
            ("fleiss", repeated.kappa),
            ("ac2", repeated.ac2),
            ("alpha", repeated.alpha),
        ):
            found.met(name, estimate)
    return found


STUDIES = {
    "pair": _pair,
    "calls": _calls,
    "readers": _readers,
    "sessions": _sessions,
    "rare_positives": _rare_positives,
}
TOLD_ONLY = frozenset({"rare_positives"})
"""A limit that is shown: of two to ten positive cases no interval of kappa is asked to hold."""
