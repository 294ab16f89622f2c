"""How likely another sample of the same tissue would be given another IHC score.

The tallies of other samples come from outside (blocks of tissue drawn again); here the guideline's
own rules read all of them at once, exactly as they read the one that was counted.

Only chance in the choice of tissue is looked at.  Another block, stain or reader can differ by more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from her2path.domain.case import Specimen
from her2path.domain.flags import Flag
from her2path.domain.guideline.conditions import All, Comparison, Condition, Quantity
from her2path.domain.guideline.definition import Guideline, condition_of
from her2path.domain.guideline.findings import Findings, IshFinding, Scoring
from her2path.domain.guideline.quantities import (
    CLUSTER_MODERATE_UP,
    CLUSTER_STAINED,
    CLUSTER_STRONG,
    PCT_MODERATE_UP,
    PCT_STAINED,
    PCT_STRONG,
    PER_CENT,
    STAINED_OVER_BLANK,
    OverBlank,
)
from her2path.domain.guideline.rules import Rule, decide
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    reactivity,
    staining_class,
)
from her2path.domain.low_expression import Her2Category
from her2path.domain.verdict import NotEvaluable, State
from her2path.errors import RuleSetError

Counts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Staining = tuple[Intensity, Pattern]

CERTAIN = 0.9
"""A score with a smaller probability is flagged: one of ten samples would be given another one."""


TOO_LITTLE_TISSUE = NotEvaluable(
    "too_little_tissue",
    "the scored cells lie on too little tissue to tell how likely another sample is scored otherwise",
)


@dataclass(frozen=True, slots=True)
class ScoreChances:
    """How often samples of the same tissue are given each score."""

    scores: Mapping[IhcScore, float]
    """Every score that the guideline knows; they sum to 1."""
    categories: Mapping[str, float]
    """By `Her2Category`, or the state of a call that IHC alone leaves open; empty where the
    guideline's tumour has no such categories."""

    def __post_init__(self) -> None:
        for name in ("scores", "categories"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


class Tallies:
    """Many tallies side by side, where a rule expects one: numbers are arrays of one shape."""

    def __init__(self, stainings: Sequence[Staining], counts: Counts) -> None:
        """Take `counts` of shape (..., K): cells of each of the K `stainings`."""
        self._classes = [staining_class(*staining) for staining in stainings]
        self._levels = [reactivity(*staining) for staining in stainings]
        self._counts = counts
        self.total: Counts = counts.sum(axis=-1)

    def of_class(self, wanted: StainingClass | Reactivity) -> Counts:
        """Cells that a guideline puts into `wanted`."""
        names: Sequence[str] = self._levels if isinstance(wanted, Reactivity) else self._classes
        found: Counts = self._counts[..., [name is wanted for name in names]].sum(axis=-1)
        return found


@dataclass(frozen=True, slots=True)
class TallyGrid:
    """Tallies in the place of the `IhcReading` that they stand for; all else is as it was read."""

    tally: Tallies
    limit_of_blank: Fraction
    specimen: Specimen | None

    @classmethod
    def of(cls, tallies: Tallies, reading: IhcReading) -> TallyGrid:
        """Put other tallies into a reading."""
        return cls(tallies, reading.limit_of_blank, reading.specimen)

    def cells_of(self, *classes: StainingClass | Reactivity) -> Counts:
        """Cells in any of the classes."""
        cells: Counts = np.sum([self.tally.of_class(name) for name in classes], axis=0)
        return cells

    def largest_cluster(self, _: Reactivity) -> int:
        """Answer rules that do not concern this specimen; a size cannot be drawn again."""
        return 0


def score_chances(reading: IhcReading, guideline: Guideline, tallies: Tallies) -> ScoreChances | NotEvaluable:
    """Read every tally by the rules of the guideline and count the scores.

    Parameters
    ----------
    reading : IhcReading
        What was counted; limit of blank and specimen are taken from it.
    guideline : Guideline
        Whose scores.
    tallies : Tallies
        Other samples, shape (draws,).

    Returns
    -------
    chances : ScoreChances or NotEvaluable
        `NotEvaluable` where the guideline reads this specimen by clusters: their size says nothing
        of another sample.

    Raises
    ------
    RuleSetError
        Some tally fits no rule, or several.
    """
    if not any(cut.concerns(reading) and cut.quantity.unit == PER_CENT for cut in guideline.ihc_cuts):
        return NotEvaluable(
            "score_by_clusters",
            "the guideline scores this specimen by clusters of stained cells, whose size in another sample "
            "is not known",
        )
    grid = TallyGrid.of(tallies, reading)
    held = {
        rule: np.broadcast_to(condition_of(rule).on_grid(grid), tallies.total.shape) for rule in guideline.ihc
    }
    if not (np.sum(list(held.values()), axis=0) == 1).all():
        raise RuleSetError(
            "not exactly one rule holds for each tally", tuple(rule.id for rule in guideline.ihc)
        )
    scores: Counter[IhcScore] = Counter()
    for rule, mask in held.items():
        scores[rule.then.score] += int(np.count_nonzero(mask))
    draws = tallies.total.size
    categories = _categories(held, grid, guideline)
    return ScoreChances(
        {score: scores[score] / draws for score in IhcScore if score in scores},
        {name: n / draws for name, n in categories.items()},
    )


def uncertainty_flags(
    score: IhcScore, reading: IhcReading, chances: ScoreChances | NotEvaluable
) -> tuple[Flag, ...]:
    """Say what a person should know of how certain a score, or its category, is."""
    if isinstance(chances, NotEvaluable):
        return (Flag.TOO_LITTLE_TISSUE,) if chances.code == TOO_LITTLE_TISSUE.code else ()
    if chances.scores[score] < CERTAIN:
        return (Flag.SCORE_UNCERTAIN,)
    stained = STAINED_OVER_BLANK(reading)
    category = Her2Category.ULTRALOW if stained else Her2Category.NULL
    # Only a 0 has two categories; of every other score the category is as certain as the score.
    unsure = score is IhcScore.ZERO and chances.categories.get(category, 1.0) < CERTAIN
    return (Flag.CATEGORY_UNCERTAIN,) if unsure else ()


def _categories(
    held: Mapping[Rule[IhcReading, Scoring], Mask], grid: TallyGrid, guideline: Guideline
) -> Mapping[str, int]:
    """Count the categories of the overlay, as a call without ISH would state them."""
    if not guideline.has_low_expression_overlay:
        return {}
    stained = np.broadcast_to(STAINED_OVER_BLANK.on_grid(grid), grid.tally.total.shape)
    found: Counter[str] = Counter()

    def add(name: str, mask: Mask) -> None:
        found[name] += int(np.count_nonzero(mask))

    for rule, mask in held.items():
        findings = Findings(rule.then.finding, IshFinding.NOT_DONE)
        state = decide(findings, guideline.combined).conclusion.state
        if state is State.NEGATIVE and rule.then.score is IhcScore.ZERO:
            add(Her2Category.NULL, mask & ~stained)
            add(Her2Category.ULTRALOW, mask & stained)
        elif state is State.NEGATIVE:
            add(Her2Category.LOW, mask)
        else:
            add(Her2Category.POSITIVE if state is State.POSITIVE else str(state), mask)
    return found


_SHARE_BESIDE = MappingProxyType(
    {
        CLUSTER_STRONG.name: PCT_STRONG,
        CLUSTER_MODERATE_UP.name: PCT_MODERATE_UP,
        CLUSTER_STAINED.name: PCT_STAINED,
    }
)
"""The percentage of the cells that a cluster is made of."""


def deciding_share(rule: Rule[IhcReading, Scoring]) -> Quantity[IhcReading]:
    """Name the percentage that carried a score: the last one that the rule wants large.

    A rule that wants nothing large (a 0) rests on the stained cells that were too few.

    Examples
    --------
    >>> from her2path.domain.guideline.registry import GUIDELINES
    >>> [deciding_share(rule).name for rule in GUIDELINES["breast_2018"].ihc if rule.id in ("IHC-3", "IHC-1")]
    ['pct_complete_intense', 'pct_incomplete_faint']
    """
    condition = condition_of(rule)
    parts: Sequence[Condition[IhcReading]] = condition.parts if isinstance(condition, All) else (condition,)
    wanted = [
        part for part in parts if isinstance(part, Comparison) and part.relation in (">", ">=") and part.cut
    ]
    above = [part.quantity for part in wanted] or [
        part.quantity for part in parts if isinstance(part, OverBlank)
    ]
    return _SHARE_BESIDE.get(above[-1].name, above[-1]) if above else PCT_STAINED
