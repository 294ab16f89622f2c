"""What stands beside a call so that a person can judge it: other versions, chance, single nuclei."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from her2path.domain.comparison import VersionCall, other_versions
from her2path.domain.decision import CaseEvidence
from her2path.domain.distance import CutDistance, ish_distances
from her2path.domain.guideline.definition import Guideline
from her2path.domain.ish import IshReading, NucleusSignals
from her2path.domain.populations import CellHeterogeneity, Population, cell_heterogeneity
from her2path.domain.reading import Count, both_counts, counts_as_one, read_ish
from her2path.domain.stability import Stability, stability
from her2path.domain.verdict import NotEvaluable


@dataclass(frozen=True, slots=True)
class PopulationCount:
    """The count of one of two populations, and how far it lies from the cut-points."""

    reading: IshReading
    distances: tuple[CutDistance, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How far a call hangs on the version of the guideline and on chance."""

    other_versions: tuple[VersionCall, ...] = ()
    stability: Stability | NotEvaluable | None = None
    """Of the count whose ISH group the call states, with two populations that of the main one.

    None without a count.
    """
    second_stability: Stability | NotEvaluable | None = None
    """Of the count of a second population; None where none was counted apart."""
    counts: Mapping[Population, PopulationCount] = field(default_factory=dict)
    """By population, where a second one is counted apart; empty otherwise."""
    heterogeneity_2009: CellHeterogeneity | None = None
    """None where no single nuclei are known, or none of them has a ratio."""


def explain(
    evidence: CaseEvidence,
    guideline: Guideline,
    nuclei: Sequence[NucleusSignals] = (),
    more_nuclei: Sequence[NucleusSignals] = (),
) -> Explanation:
    """Work out what stands beside the call of a case.

    A second population has no nuclei here: of it only the totals are known.

    Parameters
    ----------
    evidence : CaseEvidence
        The case.
    guideline : Guideline
        The one that the operator chose.
    nuclei, more_nuclei : sequence of NucleusSignals
        The nuclei of the first count and of the recount; empty where only totals are known.

    Raises
    ------
    ValueError
        The nuclei do not sum to the totals of their count.
    """
    first, second = evidence.ish, evidence.recount
    stable: Stability | NotEvaluable | None = None
    if isinstance(first, IshReading):
        if isinstance(second, IshReading) and _is_sum_stated(first, second, guideline):
            both = both_counts(first, second)
            every = (*nuclei, *more_nuclei) if nuclei and more_nuclei else ()
            stable = stability(both, guideline, every, count=Count.BOTH)
        else:
            stable = stability(first, guideline, nuclei)
    apart = _apart(evidence)
    other = apart.get(Population.SECOND)
    return Explanation(
        other_versions(evidence, guideline),
        stable,
        heterogeneity_2009=cell_heterogeneity(nuclei),
        second_stability=None if other is None else stability(other, guideline),
        counts={
            name: PopulationCount(reading, ish_distances(reading, guideline))
            for name, reading in apart.items()
        },
    )


def _apart(evidence: CaseEvidence) -> dict[Population, IshReading]:
    """List the counts of two populations, as far as they were made; nothing for a single population."""
    second = evidence.second
    if second is None or not second.is_apart or not isinstance(evidence.ish, IshReading):
        return {}
    found = {Population.MAIN: evidence.ish}
    if (count := second.reading) is not None:
        found[Population.SECOND] = count
    return found


def _is_sum_stated(first: IshReading, second: IshReading, guideline: Guideline) -> bool:
    """Tell whether the call states the group of both counts together."""
    recount = read_ish(second, guideline, count=Count.RECOUNT)
    return counts_as_one(read_ish(first, guideline), recount, guideline)
