"""A panel of control charts: the controls that run together on one scanner with one clone.

Phase I estimates each control's baseline; phase II judges every later run by Westgard's rules and by
the two drift charts, and compares the batches (lots of reagent) with the baseline.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from her2path.domain.stats import control_chart_drift as drift
from her2path.domain.stats.control_chart import FEWEST_RUNS, Baseline, estimate_baseline
from her2path.domain.stats.control_chart_rates import DriftLimits, Panel, alarm_shares, design_drift
from her2path.domain.stats.control_chart_westgard import Breach, Westgard, find_breaches
from her2path.domain.verdict import NotEvaluable

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

BATCH_LEVEL = 0.01
"""Any of the batches of a panel is said to differ in at most so many panels in control."""

SOON = 10
"""Runs within which a shift by one SD should be seen."""
_GRID = 0.05
"""Limits are worked out for correlations on this grid; between its points they hardly differ."""


@dataclass(frozen=True, slots=True)
class BatchShift:
    """How far the runs of one batch lie from the baseline."""

    batch: str
    runs: tuple[int, ...]
    """Rows."""
    shift: float
    """Mean of the combined number, in SD of a run; `low` to `high` at 95 %."""
    low: float
    high: float
    p_value: float
    """By Holm's method over the batches of the panel."""
    alarm: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What the charts of one panel show."""

    baselines: tuple[Baseline | NotEvaluable, ...]
    """Of each control; one without a baseline takes no part."""
    z: Floats
    """Shape (R, C): distances from the baselines in SD; 0 where nothing was measured."""
    measured: Bools
    """Shape (R, C): where a control with a baseline was measured."""
    in_baseline: Bools
    """Shape (R, C): runs of each control's phase I."""
    judged: Bools
    """Shape (R,): runs with a control in its phase II."""
    correlation: float
    """Between the controls of a run, in the baseline."""
    combined: Floats
    """Shape (R,): the controls of each run together that are in phase II; 0 where none is."""
    limits: DriftLimits
    up: Floats
    """CUSUM above and below and the EWMA, shape (R,); 0 in runs that are not judged."""
    down: Floats
    smooth: Floats
    breaches: tuple[Breach, ...]
    drifts: tuple[drift.DriftAlarm, ...]
    batches: tuple[BatchShift, ...]
    rates: Mapping[str, float]
    """How often each rule and set of rules alarms within 100 runs in control."""
    seen: Mapping[str, float]
    """How often it alarms within `SOON` runs of a shift of every control by one SD."""


def first_runs(measured: Bools, wanted: int, excluded: Bools) -> Bools:
    """Choose the runs of the baselines: of each control its own first ones.

    Parameters
    ----------
    measured : ndarray of bool, shape (R, C)
        Runs in order of time.
    wanted : int
        Runs of each baseline.
    excluded : ndarray of bool, shape (R,)
        Runs that no baseline may rest on.

    Returns
    -------
    ndarray of bool, shape (R, C)
        All runs of a control that has fewer; a control that is rare or late prolongs no other's.

    Examples
    --------
    >>> measured = np.array([[True, True], [True, False], [True, True]])
    >>> first_runs(measured, 2, np.zeros(3, bool)).tolist()
    [[True, True], [True, False], [False, True]]
    """
    usable = measured & ~excluded[:, None]
    return np.asarray(usable & (np.cumsum(usable, axis=0) <= wanted))


def began_together(baseline: Bools, fewest: int = FEWEST_RUNS) -> tuple[tuple[int, ...], ...]:
    """Part controls into panels whose baselines rest on much the same runs.

    Parameters
    ----------
    baseline : ndarray of bool, shape (R, C)
        Runs of each control's baseline.
    fewest : int
        Fewest runs of a baseline; a control that has not so many stands with the first panel.

    Returns
    -------
    tuple of tuple of int
        Columns of each panel, panels in the order in which their baselines are complete.

    Notes
    -----
    How far controls vary together can only be estimated from runs that they share while nothing is
    wrong.  A control joins the panel with whose first control it shares half of its own baseline or
    more; one that was added later, or is measured rarely, has a panel of its own.

    Examples
    --------
    >>> runs = np.arange(8)[:, None]
    >>> began_together(np.hstack([runs < 4, (runs > 0) & (runs < 5), runs >= 4]), 4)
    ((0, 1), (2,))
    """
    many = baseline.sum(axis=0)
    panels: list[list[int]] = []
    for column in np.lexsort((_last_runs(baseline), many < fewest)).tolist():
        if panels and many[column] < fewest:
            panels[0].append(column)
            continue
        own = baseline[:, column]
        for panel in panels:
            if 2 * int((own & baseline[:, panel[0]]).sum()) >= int(own.sum()):
                panel.append(column)
                break
        else:
            panels.append([column])
    return tuple(tuple(sorted(panel)) for panel in panels)


def _last_runs(baseline: Bools) -> npt.NDArray[np.int64]:
    """Row of the last run of each control's baseline, shape (C,); -1 without any."""
    if not len(baseline):
        return np.full(baseline.shape[1], -1)
    last = len(baseline) - 1 - baseline[::-1].argmax(axis=0)
    return np.where(baseline.any(axis=0), last, -1)


def watch(
    values: Floats,
    measured: Bools,
    baseline: Bools,
    *,
    batches: Sequence[str | None] = (),
    rules: tuple[Westgard, ...] = tuple(Westgard),
    fewest: int = FEWEST_RUNS,
    false_alarm_runs: float = 370.0,
) -> Watched | NotEvaluable:
    """Chart the controls of a panel.

    Parameters
    ----------
    values : ndarray of float64, shape (R, C)
        Runs in order of time, one column a control; finite everywhere.
    measured : ndarray of bool, shape (R, C)
        Where a control was measured.
    baseline : ndarray of bool, shape (R,) or (R, C)
        Runs of phase I, of all controls or of each.  Runs behind a control's last one are judged;
        earlier ones are only drawn.  Drift charts hold the controls of a run that are judged.
    batches : sequence of str or None
        Batch of each run; None = not stated.
    rules : tuple of Westgard
        Those that are used; ``1-2s`` among them warns.
    fewest : int
        Fewest runs of a control's baseline.
    false_alarm_runs : float
        Mean runs between false alarms that each drift chart is built for.

    Returns
    -------
    Watched or NotEvaluable
        The reason of the first control where none has a baseline.
    """
    first = np.broadcast_to(baseline if baseline.ndim == 2 else baseline[:, None], measured.shape) & measured
    found = tuple(estimate_baseline(values[first[:, c], c], fewest=fewest) for c in range(values.shape[1]))
    charted = np.array([isinstance(one, Baseline) for one in found], np.bool_)
    if not charted.any():
        return next(one for one in found if isinstance(one, NotEvaluable))
    mean = np.array([one.mean if isinstance(one, Baseline) else 0.0 for one in found])
    sd = np.array([one.sd if isinstance(one, Baseline) else 1.0 for one in found])
    there = measured & charted
    z = np.where(there, (values - mean) / sd, 0.0)
    correlation = drift.mean_correlation(z, there & first)
    second = there & (np.arange(len(z))[:, None] > _last_runs(first))
    combined = drift.together(z, second, correlation)
    # What a run with one control says counts like one: the panel's size is that of its usual run.
    members = second if second.any() else there
    usual = int(np.median(members[members.any(axis=1)].sum(axis=1)))
    runs = min(one.runs for one in found if isinstance(one, Baseline))
    # At 1 the controls would be one and the same.
    panel = Panel(runs, usual, min(0.95, round(_GRID * round(correlation / _GRID), 2)) if usual > 1 else 0.0)
    limits = design_drift(panel, false_alarm_runs=false_alarm_runs)
    judged = np.asarray(second.any(axis=1))
    later = np.flatnonzero(judged)
    up, down, smooth = np.zeros(len(z)), np.zeros(len(z)), np.zeros(len(z))
    up[later], down[later] = drift.cusum(combined[later], limits.slack)
    smooth[later] = drift.ewma(combined[later], limits.weight)
    broken = find_breaches(z[later], second[later])
    alarms = (
        *drift.cusum_alarms(up[later], down[later], limits.decision),
        *drift.ewma_alarms(smooth[later], limits.ewma_limit, limits.weight),
    )
    rejecting = tuple(rule for rule in rules if rule is not Westgard.WARNING_12S)
    return Watched(
        baselines=found,
        z=z,
        measured=there,
        in_baseline=first,
        judged=judged,
        correlation=correlation,
        combined=combined,
        limits=limits,
        up=up,
        down=down,
        smooth=smooth,
        breaches=tuple(_placed_breach(one, later) for one in _worth_telling(broken, rules)),
        drifts=tuple(one.placed(later) for one in alarms),
        batches=compare_batches(combined, later, batches, baseline_runs=runs),
        rates=alarm_shares(panel, limits, rules=rejecting),
        seen=alarm_shares(panel, limits, rules=rejecting, runs=SOON, shift=1.0),
    )


def _worth_telling(breaches: Sequence[Breach], rules: Sequence[Westgard]) -> list[Breach]:
    """Leave out rules that are not used, and warnings of values that take part in a rejection."""
    used = [breach for breach in breaches if breach.rule in rules]
    rejected = {
        (run, control)
        for breach in used
        if breach.rule is not Westgard.WARNING_12S
        for run in breach.runs
        for control in breach.controls
    }
    return [
        breach
        for breach in used
        if breach.rule is not Westgard.WARNING_12S
        or any((run, control) not in rejected for run in breach.runs for control in breach.controls)
    ]


def _placed_breach(breach: Breach, rows: npt.NDArray[np.int64]) -> Breach:
    runs = tuple(int(rows[run]) for run in breach.runs)
    return Breach(breach.rule, breach.side, breach.controls, int(rows[breach.at]), runs)


def compare_batches(
    combined: Floats,
    rows: npt.NDArray[np.int64],
    batches: Sequence[str | None],
    *,
    baseline_runs: int,
    level: float = BATCH_LEVEL,
) -> tuple[BatchShift, ...]:
    """Compare the runs of each batch with the baseline.

    Parameters
    ----------
    combined : ndarray of float64, shape (R,)
        Mean 0 and SD 1 in the baseline.
    rows : ndarray of int64
        Runs that are judged.
    batches : sequence of str or None
        Batch of each run, or empty.
    baseline_runs : int
        Runs of the baseline.
    level : float
        Familywise, by Holm's method.

    Returns
    -------
    tuple of BatchShift
        In order of the batches' first runs.

    Notes
    -----
    The mean of m new runs over ``sqrt(1/m + 1/N)`` follows Student's t with N - 1 degrees of freedom
    in control, whatever the shape of the batch: a batch of one run is judged by the same rule.
    """
    members: dict[str, list[int]] = {}
    for row in rows.tolist():
        name = batches[row] if len(batches) else None
        if name is not None:
            members.setdefault(name, []).append(row)
    if not members:
        return ()
    free = baseline_runs - 1
    shift = np.array([combined[runs].mean() for runs in members.values()])
    error = np.array([math.sqrt(1 / len(runs) + 1 / baseline_runs) for runs in members.values()])
    p_values = _holm(2 * stats.t.sf(np.abs(shift) / error, free))
    half = float(stats.t.ppf(0.975, free)) * error
    return tuple(
        BatchShift(
            batch=name,
            runs=tuple(runs),
            shift=float(shift[i]),
            low=float(shift[i] - half[i]),
            high=float(shift[i] + half[i]),
            p_value=float(p_values[i]),
            alarm=bool(p_values[i] <= level),
        )
        for i, (name, runs) in enumerate(members.items())
    )


def _holm(p_values: Floats) -> Floats:
    """Adjust p-values for their number by Holm, Scand J Stat 6:65 (1979)."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    result = np.empty_like(p_values)
    result[order] = np.minimum(adjusted, 1.0)
    return result
