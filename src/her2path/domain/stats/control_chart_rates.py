"""How often control charts alarm while nothing is wrong, and how soon when something is.

Two answers are given.  *Run length with known parameters*: the mean number of runs between false
alarms if mean and SD were known; exact (Markov chains).  *Alarms within a hundred runs*: how often a
chart that rests on a baseline of N runs alarms at least once in the next 100; simulated with a fixed
seed on normal, independent runs.  The second one is what a laboratory meets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from her2path.domain.stats.control_chart_drift import WEIGHT, cusum, ewma, ewma_sd, shift_together, together
from her2path.domain.stats.control_chart_westgard import REJECTING, Westgard, broken

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

HORIZON = 100
"""Runs over which false alarms are counted."""
SERIES = 20_000
"""Simulated baselines, each with `HORIZON` runs behind it: 0.3 points of standard error at most."""
SEED = 20_261_124
_CELLS = 80
"""States of a chart's Markov chain; run lengths are then right to 0.1 %."""
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Panel:
    """The controls that are charted together."""

    baseline_runs: int
    controls: int = 1
    correlation: float = 0.0
    """Between controls of one run, 0 to 1: what runs have in common."""


@dataclass(frozen=True, slots=True)
class DriftLimits:
    """Limits of the two drift charts of a panel."""

    slack: float
    """k of the CUSUM, in SD of the combined number."""
    decision: float
    """h of the CUSUM, likewise."""
    weight: float
    """Lambda of the EWMA."""
    ewma_limit: float
    """L of the EWMA, in its own standard deviations."""


@lru_cache(maxsize=64)
def design_drift(panel: Panel, *, false_alarm_runs: float = 370.0, series: int = SERIES) -> DriftLimits:
    """Work out limits that keep the stated rate of false alarms whatever the length of the baseline.

    Parameters
    ----------
    panel : Panel
        The CUSUM is tuned to a shift of one SD in each of its controls.
    false_alarm_runs : float
        Each of the two charts alarms within 100 runs as often as one that has a false alarm every so
        many runs on average: in ``1 - exp(-100 / false_alarm_runs)`` of all baselines.  370 is what
        limits at 3 SD do.
    series : int
        Simulated baselines.

    Notes
    -----
    The largest value that each chart reaches within 100 in-control runs is simulated; the limit is its
    quantile.  Mean and SD of the baseline are drawn as they scatter with so many runs (Jensen et al.,
    J Qual Technol 38:349 (2006), on why this matters).
    """
    slack = shift_together(panel.controls, panel.correlation) / 2
    rng = np.random.default_rng(SEED)
    runs = panel.baseline_runs
    mean = rng.standard_normal((series, 1)) / math.sqrt(runs)
    sd = np.sqrt(rng.chisquare(runs - 1, (series, 1)) / (runs - 1))
    z = (rng.standard_normal((series, HORIZON)) - mean) / sd
    quiet = math.exp(-HORIZON / false_alarm_runs)
    up, down = cusum(z, slack)
    highest = np.maximum(up, down).max(axis=1)
    furthest = (np.abs(ewma(z)) / ewma_sd(HORIZON)).max(axis=1)
    decision, limit = float(np.quantile(highest, quiet)), float(np.quantile(furthest, quiet))
    # Simulated to two digits; what lies behind the fourth depends on the machine.
    return DriftLimits(slack, round(decision, 4), WEIGHT, round(limit, 4))


def simulated_runs(
    panel: Panel, runs: int, *, shift: float = 0.0, series: int = SERIES, seed: int = SEED + 1
) -> tuple[Floats, Floats]:
    """Draw runs behind baselines of their own and put them on the scales of the charts.

    Parameters
    ----------
    panel : Panel
        Controls are normal and share `correlation` of their variance within a run.
    runs : int
        After the baseline.
    shift : float
        Of every control in each of these runs, in SD.

    Returns
    -------
    z : ndarray of float64, shape (S, R, C)
        Distances from the estimated baselines in their SD.
    combined : ndarray of float64, shape (S, R)
        The controls together, by the estimated correlation.
    """
    rng = np.random.default_rng(seed)
    n, controls = panel.baseline_runs, panel.controls
    covariance = np.full((controls, controls), panel.correlation) + (1 - panel.correlation) * np.eye(controls)
    root = np.linalg.cholesky(covariance)
    # What N runs tell of mean and covariance is drawn itself, not the runs: Bartlett's decomposition.
    factor = np.tril(rng.standard_normal((series, controls, controls)), -1)
    factor[:, range(controls), range(controls)] = np.sqrt(
        rng.chisquare(n - 1 - np.arange(controls), (series, controls))
    )
    factor = root @ factor
    found = factor @ factor.transpose(0, 2, 1) / (n - 1)
    mean = rng.standard_normal((series, controls)) @ root.T / math.sqrt(n)
    sd = np.sqrt(np.diagonal(found, axis1=1, axis2=2))
    drawn = rng.standard_normal((series, runs, controls)) @ root.T + shift
    z = (drawn - mean[:, None]) / sd[:, None]
    pairs = (found / (sd[:, :, None] * sd[:, None])).sum(axis=(1, 2)) - controls
    rho = np.clip(pairs / (controls * (controls - 1)) if controls > 1 else pairs, 0, 1)
    return z, together(z, np.ones(z.shape, bool), rho[:, None])


def first_alarms(z: Floats, combined: Floats, limits: DriftLimits) -> Mapping[str, npt.NDArray[np.int64]]:
    """Find the first run at which each rule alarms.

    Parameters
    ----------
    z : ndarray of float64, shape (S, R, C)
        Distances from the baseline.
    combined : ndarray of float64, shape (S, R)
        The controls together.
    limits : DriftLimits
        Of the drift charts.

    Returns
    -------
    mapping of str to ndarray of int64, shape (S,)
        By the name of the rule, ``CUSUM`` and ``EWMA``; run from 1, R + 1 = never.
    """
    hits: dict[str, Bools] = {}
    for (rule, _), places in broken(z, np.ones(z.shape, bool)).items():
        # A few controls: slices are faster than a reduction along a short axis.
        here = reduce(np.logical_or, (places[..., control] for control in range(z.shape[2])))
        hits[str(rule)] = hits.get(str(rule), np.zeros_like(here)) | here
    up, down = cusum(combined, limits.slack)
    hits["CUSUM"] = np.maximum(up, down) > limits.decision
    bound = limits.ewma_limit * ewma_sd(combined.shape[1], limits.weight)
    hits["EWMA"] = np.abs(ewma(combined, limits.weight)) > bound
    never = combined.shape[1] + 1
    return {
        name: np.where(found.any(axis=1), found.argmax(axis=1) + 1, never) for name, found in hits.items()
    }


DRIFT = ("CUSUM", "EWMA")
"""The two drift charts by their names."""


@lru_cache(maxsize=64)
def alarm_shares(
    panel: Panel,
    limits: DriftLimits,
    *,
    rules: tuple[Westgard, ...] = REJECTING,
    runs: int = HORIZON,
    shift: float = 0.0,
    series: int = SERIES // 4,
    seed: int = SEED + 1,
) -> Mapping[str, float]:
    """Simulate how often each rule, and each set of rules, alarms at least once within so many runs.

    Parameters
    ----------
    panel, limits
        What is charted, and the limits of its drift charts.
    rules : tuple of Westgard
        Those that are used together.
    runs : int
        After the baseline.
    shift : float
        Of every control in each of these runs, in SD.
    series, seed : int
        Simulated baselines, and the seed of all.

    Returns
    -------
    mapping of str to float
        Share of the simulated baselines, by rule, and of the sets ``Westgard``, ``drift`` and ``all``:
        false alarms without a shift, the chance of seeing it with one.
    """
    first = first_alarms(*simulated_runs(panel, runs, shift=shift, series=series, seed=seed), limits)
    single = {name: float((at <= runs).mean()) for name, at in first.items()}
    westgard = tuple(str(rule) for rule in rules)
    sets = {"Westgard": westgard, "drift": DRIFT, "all": (*westgard, *DRIFT)}
    joint = {
        name: float((np.minimum.reduce([first[rule] for rule in members]) <= runs).mean())
        for name, members in sets.items()
        if members
    }
    return MappingProxyType({**single, **joint})


@lru_cache(maxsize=64)
def known_run_length(rule: Westgard, *, shift: float = 0.0) -> float | None:
    """Mean number of runs until one control breaks a rule, with mean and SD known.

    Parameters
    ----------
    rule : Westgard
        The rule alone.
    shift : float
        Of the control, in SD; 0 for false alarms.

    Returns
    -------
    float or None
        None for ``R-4s``, which one control cannot break.

    Examples
    --------
    >>> round(known_run_length(Westgard.R13S), 1), round(known_run_length(Westgard.R10X))
    (370.4, 1023)
    """
    plan = {
        Westgard.WARNING_12S: (1, 2.0),
        Westgard.R13S: (1, 3.0),
        Westgard.R22S: (2, 2.0),
        Westgard.R41S: (4, 1.0),
        Westgard.R10X: (10, 0.0),
    }
    if rule not in plan:
        return None
    many, limit = plan[rule]
    above, below = 1 - _NORMAL.cdf(limit - shift), _NORMAL.cdf(-limit - shift)
    # States: no series; 1 to many - 1 values in a row above; as many below.
    length = 2 * (many - 1) + 1
    steps = np.zeros((length, length))
    for state in range(length):
        up = state if 0 < state < many else 0
        down = state - many + 1 if state >= many else 0
        if up + 1 < many:
            steps[state, up + 1] += above
        if down + 1 < many:
            steps[state, many + down] += below
        steps[state, 0] += 1 - above - below
    return float(np.linalg.solve(np.eye(length) - steps, np.ones(length))[0])


def cusum_run_length(slack: float, decision: float, *, shift: float = 0.0, cells: int = _CELLS) -> float:
    """Mean number of runs until a CUSUM on both sides alarms, with mean and SD known.

    Notes
    -----
    Each side by a Markov chain over `cells` states [1]_; both together by the reciprocals' sum,
    which is exact because one side cannot alarm while the other is away from 0.

    References
    ----------
    .. [1] Brook & Evans, Biometrika 59:539 (1972).

    Examples
    --------
    >>> round(cusum_run_length(0.5, 4.0)), round(cusum_run_length(0.5, 4.0, shift=1.0), 1)
    (168, 8.4)
    """
    one = _cusum_side(slack, decision, shift, cells)
    other = _cusum_side(slack, decision, -shift, cells)
    return 1 / (1 / one + 1 / other)


def _cusum_side(slack: float, decision: float, shift: float, cells: int) -> float:
    width = 2 * decision / (2 * cells - 1)
    at = np.arange(cells) * width
    edges = at + width / 2
    below = _cdf(edges[None, :] - at[:, None] + slack - shift)
    steps = np.diff(below, axis=1, prepend=0.0)
    return float(np.linalg.solve(np.eye(cells) - steps, np.ones(cells))[0])


def ewma_run_length(weight: float, limit: float, *, shift: float = 0.0, cells: int = 2 * _CELLS + 1) -> float:
    """Mean number of runs until an EWMA with its long-term limits alarms, with mean and SD known.

    Examples
    --------
    >>> round(ewma_run_length(0.2, 2.962), -1)
    500.0
    """
    bound = limit * math.sqrt(weight / (2 - weight))
    width = 2 * bound / cells
    at = -bound + (np.arange(cells) + 0.5) * width
    reach = (at[None, :] - (1 - weight) * at[:, None]) / weight - shift
    half = width / 2 / weight
    steps = _cdf(reach + half) - _cdf(reach - half)
    return float(np.linalg.solve(np.eye(cells) - steps, np.ones(cells))[cells // 2])


def _cdf(z: Floats) -> Floats:
    return np.asarray(ndtr(z))
