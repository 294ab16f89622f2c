"""How far one reader repeats themselves when the same cases come again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from her2path.domain.stats.bayesian_bootstrap import (
    METHOD,
    USUAL,
    Drawing,
    draw_sums,
    drawn_estimate,
    imaginary_tallies,
)
from her2path.domain.stats.confusion import Codes, Mask
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.gwet import gwet_ac
from her2path.domain.stats.kappa import Floats, fleiss_kappa
from her2path.domain.stats.krippendorff_alpha import krippendorff_alpha
from her2path.domain.stats.proportion import wilson_estimate
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting

NOT_REPEATED = "no case was read in two sessions"


@dataclass(frozen=True, slots=True)
class IntraReader:
    """Agreement of one reader's sessions; these have no order, so no coefficient asks which came first."""

    cases: int
    """Read in two sessions or more."""
    exact: Estimate
    """Share of pairs of sessions with the same category, each case counting as one."""
    within_one: Estimate
    kappa: Estimate
    """Fleiss' kappa of the sessions (Scott's pi with two)."""
    ac2: Estimate
    """Gwet's, quadratic weights."""
    alpha: Estimate
    """Krippendorff's, ordinal."""


def intra_reader(codes: Codes, read: Mask, *, categories: int, drawing: Drawing = USUAL) -> IntraReader:
    """Measure how far a reader's sessions agree.

    Parameters
    ----------
    codes : ndarray of integers, shape (N, S)
        Category of N cases in S sessions of one reader, 0 to `categories` - 1 where `read`.
    read : ndarray of bool, shape (N, S)
        Which cases were read in which session.
    categories : int
        At least 2.
    drawing : Drawing
        Of the bootstrap.

    Examples
    --------
    >>> twice = np.array([[0, 0], [1, 1], [2, 1], [3, 3]])
    >>> intra_reader(twice, np.ones((4, 2), bool), categories=4).exact.value
    0.75
    """
    tallies = ReadTallies.of_reads(codes, read, categories=categories).paired()
    if not len(tallies.cases):
        none = Estimate.none(NOT_REPEATED, METHOD, confidence=drawing.confidence)
        return IntraReader(0, none, none, none, none, none)
    return IntraReader(
        tallies.paired_cases,
        _agreement(tallies, within=0, drawing=drawing),
        _agreement(tallies, within=1, drawing=drawing),
        fleiss_kappa(tallies, drawing=drawing),
        gwet_ac(tallies, Weighting.QUADRATIC, drawing=drawing),
        krippendorff_alpha(tallies, drawing=drawing),
    )


def _agreement(tallies: ReadTallies, *, within: int, drawing: Drawing) -> Estimate:
    cases = tallies.paired_cases
    agreeing = _agreeing(tallies, within)
    agreed = float(tallies.cases @ agreeing)
    if tallies.reads.max() == 2:
        # Two sessions: a case agrees or it does not, so that the share is a plain one.
        return wilson_estimate(round(agreed), cases, confidence=drawing.confidence)
    of_imaginary = _agreeing(imaginary_tallies(tallies), within)
    drawn = draw_sums(tallies, agreeing[:, None], of_imaginary[:, None], drawing)
    shares = None if drawn is None else drawn[:, 0] / cases
    return drawn_estimate(agreed / cases, shares, cases=cases, drawing=drawing)


def _agreeing(tallies: ReadTallies, within: int) -> Floats:
    """Share of the pairs of reads of each pattern that differ by `within` at most, shape (U,)."""
    place = np.arange(tallies.categories)
    near = (np.abs(place[:, None] - place) <= within).astype(np.float64)
    patterns, reads = tallies.patterns, tallies.reads
    pairs = np.einsum("uk,kl,ul->u", patterns, near, patterns) - reads
    share: Floats = pairs / (reads * (reads - 1))
    return share
