"""Charts for small lasting shifts: CUSUM and EWMA over the controls of a run taken together.

A Levey-Jennings chart with limits at 3 SD sees a shift of one SD after 44 runs on average.  A
cumulative sum (CUSUM [1]_) or an exponentially weighted moving average (EWMA [2]_) adds up what each
run tells.  How soon they see it depends on how many controls a run has and how far these vary
together: several are combined into one number a run, with mean 0 and SD 1 in the baseline.

Limits of textbooks suppose that mean and SD are known.  From 20 runs they are not, and such a CUSUM
alarms several times as often as stated.  The limits here are therefore worked out by simulation for
the number of runs in the baseline (`control_chart_rates`), so that the stated rate holds on average
over baselines.

References
----------
.. [1] Page, Biometrika 41:100 (1954).
.. [2] Roberts, Technometrics 1:239 (1959); Lucas & Saccucci, Technometrics 32:1 (1990).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEIGHT = 0.2
"""Weight of the newest run in the EWMA: near the best for a shift of one SD [Lucas & Saccucci 1990]."""


def together(z: Floats, measured: Bools, correlation: float | Floats) -> Floats:
    """Combine the controls of each run into one number of variance 1.

    Parameters
    ----------
    z : ndarray of float64, shape (..., C)
        Distances from each control's baseline in its SD; ignored where nothing was measured.
    measured : ndarray of bool, shape (..., C)
        Where there is a value.
    correlation : float or ndarray of float64 that broadcasts to (...)
        Mean correlation between controls of one run, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (...)
        Sum over the measured ones divided by its standard deviation; 0 where none was measured.

    Examples
    --------
    >>> together(np.array([[1.0, 1.0]]), np.ones((1, 2), bool), 0.0).round(3).tolist()
    [1.414]
    """
    many = measured.sum(axis=-1)
    sums = np.where(measured, z, 0.0).sum(axis=-1)
    variance = many * (1 + (many - 1) * correlation)
    return np.asarray(sums / np.sqrt(np.maximum(variance, 1)))


def shift_together(controls: int, correlation: float, shift: float = 1.0) -> float:
    """Say how far the combined number moves when each control moves by `shift` of its SD.

    Examples
    --------
    >>> round(shift_together(3, 0.0), 3), round(shift_together(3, 0.5), 3), shift_together(1, 0.5)
    (1.732, 1.225, 1.0)
    """
    return shift * math.sqrt(controls / (1 + (controls - 1) * correlation))


def mean_correlation(z: Floats, measured: Bools) -> float:
    """Estimate how far the controls of one run vary together, from the baseline.

    Parameters
    ----------
    z : ndarray of float64, shape (N, C)
        Distances from each control's mean in its SD.
    measured : ndarray of bool, shape (N, C)
        Where there is a value.

    Returns
    -------
    float
        Mean over all pairs of controls with three runs or more in common; 0 where that is below 0
        or there is no such pair.
    """
    found = []
    for first in range(z.shape[1]):
        for second in range(first + 1, z.shape[1]):
            both = measured[:, first] & measured[:, second]
            if both.sum() >= 3:
                found.append(float((z[both, first] * z[both, second]).sum() / (both.sum() - 1)))
    return min(max(0.0, math.fsum(found) / len(found)), 1.0) if found else 0.0


def cusum(z: Floats, slack: float) -> tuple[Floats, Floats]:
    """Compute the tabular CUSUM on both sides.

    Parameters
    ----------
    z : ndarray of float64, shape (..., R)
        Runs along the last axis.
    slack : float
        Subtracted from each run (k), half of the shift that matters.

    Returns
    -------
    up, down : ndarray of float64, shape (..., R)
        Both at least 0.

    Examples
    --------
    >>> up, down = cusum(np.array([1.0, 1.0, -3.0]), 0.5)
    >>> up.tolist(), down.tolist()
    ([0.5, 1.0, 0.0], [0.0, 0.0, 2.5])
    """
    # Runs first: one run of all series lies together in memory.
    steps = np.ascontiguousarray(np.moveaxis(z, -1, 0))
    up, down = np.zeros_like(steps), np.zeros_like(steps)
    high, low = np.zeros(z.shape[:-1]), np.zeros(z.shape[:-1])
    for run, step in enumerate(steps):
        up[run] = high = np.maximum(0.0, high + step - slack)
        down[run] = low = np.maximum(0.0, low - step - slack)
    return np.moveaxis(up, 0, -1), np.moveaxis(down, 0, -1)


def ewma(z: Floats, weight: float = WEIGHT) -> Floats:
    """Compute the exponentially weighted moving average, starting from 0.

    Parameters
    ----------
    z : ndarray of float64, shape (..., R)
        Runs along the last axis.
    weight : float
        Of the newest run, above 0 and at most 1.

    Examples
    --------
    >>> ewma(np.array([1.0, 1.0]), 0.5).tolist()
    [0.5, 0.75]
    """
    steps = np.ascontiguousarray(np.moveaxis(z, -1, 0))
    smooth, last = np.zeros_like(steps), np.zeros(z.shape[:-1])
    for run, step in enumerate(steps):
        smooth[run] = last = weight * step + (1 - weight) * last
    return np.moveaxis(smooth, 0, -1)


def ewma_sd(runs: int, weight: float = WEIGHT) -> Floats:
    """Compute the standard deviation of the EWMA after each of so many runs, shape (R,).

    Examples
    --------
    >>> ewma_sd(2, 1.0).tolist()
    [1.0, 1.0]
    """
    after = np.arange(1, runs + 1)
    return np.asarray(np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * after))))


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """A lasting shift: from the run that raised the alarm until the chart was back within its limits."""

    chart: Literal["CUSUM", "EWMA"]
    side: Literal["above", "below"]
    onset: int
    """Row of the first run since which the chart was never back at its middle: the likely begin."""
    at: int
    """Row of the run that raised the alarm."""
    until: int
    """Row of the last run outside the limits before the chart was back at its middle."""

    def placed(self, rows: npt.NDArray[np.int64]) -> DriftAlarm:
        """Name its rows by their places among all runs."""
        onset, at, until = (int(rows[place]) for place in (self.onset, self.at, self.until))
        return DriftAlarm(self.chart, self.side, onset, at, until)


def cusum_alarms(up: Floats, down: Floats, decision: float) -> tuple[DriftAlarm, ...]:
    """List where a CUSUM, shape (R,), lies above its decision interval (h)."""
    sides: tuple[tuple[Literal["above", "below"], Floats], ...] = (("above", up), ("below", down))
    return _alarms("CUSUM", [(side, line > 0, line > decision) for side, line in sides])


def ewma_alarms(smooth: Floats, limit: float, weight: float = WEIGHT) -> tuple[DriftAlarm, ...]:
    """List where an EWMA, shape (R,), lies outside `limit` of its own standard deviations."""
    bound = limit * ewma_sd(len(smooth), weight)
    sides: tuple[tuple[Literal["above", "below"], Floats], ...] = (("above", smooth), ("below", -smooth))
    return _alarms("EWMA", [(side, line > 0, line > bound) for side, line in sides])


def _alarms(
    chart: Literal["CUSUM", "EWMA"], sides: Sequence[tuple[Literal["above", "below"], Bools, Bools]]
) -> tuple[DriftAlarm, ...]:
    """Make one alarm of each time away from the middle, however often it crossed the limit meanwhile."""
    found: dict[tuple[str, int], DriftAlarm] = {}
    for side, away, outside in sides:
        for start, stop in _stretches(outside):
            onset = _onset(away, start)
            first = found.setdefault((side, onset), DriftAlarm(chart, side, onset, start, stop))
            found[side, onset] = replace(first, until=stop)
    return tuple(sorted(found.values(), key=lambda alarm: (alarm.at, alarm.side)))


def _stretches(outside: Bools) -> list[tuple[int, int]]:
    """First and last rows of each stretch."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], outside, [False]]).astype(np.int8)))
    return [(int(start), int(stop) - 1) for start, stop in edges.reshape(-1, 2)]


def _onset(away: Bools, at: int) -> int:
    back = np.flatnonzero(~away[: at + 1])
    return int(back[-1]) + 1 if len(back) else 0
