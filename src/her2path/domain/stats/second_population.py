"""Looking for a second population among counted nuclei: a suggestion to count it, never a call.

ASCO/CAP (2013 to 2023) ask for a discrete second population with more HER2 signals per cell that
makes up more than 10 % of the tumour cells on the slide to be counted apart, 20 nuclei or more of
it.  Counted nuclei are a sample of those cells, so all that they can tell is that somebody should
look: a person finds the population on the slide, counts 20 nuclei in it, and states it
(`populations.SecondPopulation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from her2path.domain.ish import NucleusSignals, Probe, SignalSummary
from her2path.domain.populations import APART_ABOVE
from her2path.domain.stats.count_mixture import fit_mixture, p_value
from her2path.domain.stats.neighbours import clustering_p_value
from her2path.domain.verdict import NotEvaluable

FEWEST_NUCLEI = 20
"""With fewer, a population of 10 % is two nuclei."""
LEAST_SEPARATION = 2.0
"""Two populations are discrete where they lie further apart than twice their spread (Ashman's D)."""
MOST_CHANCE = 0.05
"""Suggested where one population looks as much like two in at most so many cases.  On
homogeneous counts that came to 6 in 100 at most with 20 nuclei, and to 1.5 from 40 on (docs/fish.md)."""
PLACE_ALONE = 0.01
"""Nuclei that lie side by side more than in so many of all arrangements are suggested even where one broad
population explains their counts: amplified nuclei scatter so widely that counts alone hardly tell, but
one population has no reason to be rich in one place."""
FEWEST_COPIES = 4
"""Mean HER2 signals of the second population from which it can be anything but negative (Wolff 2018)."""
_RATIO_RAISED = Fraction(5, 4)
"""Below it the ratio of both populations is taken as alike: whole genomes were doubled, or nuclei overlap."""


class Place(StrEnum):
    """Where the second population lies among the other nuclei."""

    CLUSTERED = "clustered"
    INTERMINGLED = "intermingled"
    """No more side by side than by chance."""


@dataclass(frozen=True, slots=True)
class PopulationSuggestion:
    """Nuclei that look like a second population, and how they differ from the others."""

    members: tuple[int, ...]
    """Places of its nuclei in the count, from 0."""
    threshold: int
    """Fewest HER2 signals of a member."""
    main: SignalSummary
    second: SignalSummary
    separation: float
    """Ashman's D on the square-root scale of counts."""
    p_value: float
    """How often counts of one population look as much like two; where that is above `MOST_CHANCE`, the
    place of the nuclei decided (`PLACE_ALONE`)."""
    place: Place | None
    """None where no places are known, or too few to tell."""
    place_p_value: float | None

    @property
    def share(self) -> Fraction:
        """Share (0 to 1) of the counted nuclei."""
        return Fraction(self.second.nuclei, self.second.nuclei + self.main.nuclei)

    @property
    def ratio_alike(self) -> bool:
        """Whether CEP17 is raised in it as HER2 is: polyploid, dividing or overlapping nuclei."""
        if not self.main.cep17 or not self.second.cep17:
            return False
        main = Fraction(self.main.her2, self.main.cep17)
        return Fraction(self.second.her2, self.second.cep17) < _RATIO_RAISED * main


def look_for_second_population(
    nuclei: Sequence[NucleusSignals],
    places: Sequence[tuple[float, float]] = (),
    fields: Sequence[str] = (),
) -> PopulationSuggestion | NotEvaluable | None:
    """Look for a discrete second population of more than 10 % of the counted nuclei.

    Parameters
    ----------
    nuclei : sequence of NucleusSignals
        Counted nuclei, one signal of HER2 each at least; all with or all without CEP17.
    places : sequence of (float, float)
        Where they lie, in µm; empty = not known.
    fields : sequence of str
        Field of each; empty = one field.

    Returns
    -------
    PopulationSuggestion, NotEvaluable or None
        None: one population explains the counts.  `NotEvaluable`: too few nuclei to tell.

    Examples
    --------
    >>> nuclei = [NucleusSignals(2, 2)] * 20 + [NucleusSignals(1, 1)] * 8 + [NucleusSignals(15, 2)] * 6
    >>> look_for_second_population(nuclei).second
    SignalSummary(nuclei=6, her2=90, cep17=12)
    """
    if len(nuclei) < FEWEST_NUCLEI:
        return NotEvaluable(
            "too_few_nuclei",
            f"a second population is looked for in {FEWEST_NUCLEI} nuclei or more; count more",
        )
    counts = [nucleus.her2 for nucleus in nuclei]
    mixture = fit_mixture(counts)
    if mixture is None or mixture.separation <= LEAST_SEPARATION:
        return None
    members = tuple(i for i, count in enumerate(counts) if count >= mixture.threshold)
    second = _sum([nuclei[i] for i in members])
    if Fraction(len(members), len(nuclei)) <= APART_ABOVE or second.her2 < FEWEST_COPIES * second.nuclei:
        return None
    if len(members) == len(nuclei):
        return None
    marked = [count >= mixture.threshold for count in counts]
    beside = clustering_p_value(places, marked, fields) if places else None
    chance = p_value(counts, mixture.gain, stop_above=MOST_CHANCE)
    if chance > MOST_CHANCE and (beside is None or beside > PLACE_ALONE):
        return None
    main = _sum([nucleus for nucleus, is_member in zip(nuclei, marked, strict=True) if not is_member])
    place = None if beside is None else (Place.CLUSTERED if beside <= MOST_CHANCE else Place.INTERMINGLED)
    return PopulationSuggestion(
        members, mixture.threshold, main, second, mixture.separation, chance, place, beside
    )


def _sum(nuclei: Sequence[NucleusSignals]) -> SignalSummary:
    single = all(nucleus.cep17 is None for nucleus in nuclei)
    return SignalSummary.of(nuclei, probe=Probe.SINGLE if single else Probe.DUAL)
