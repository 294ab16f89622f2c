"""Westgard's rules on Levey-Jennings charts: which runs break them, and which values do.

All rules work on distances from the baseline in its standard deviations (z).  ``1-2s`` is a warning;
the others reject the run [1]_.  ``2-2s`` holds within one control over two of its measurements in a row
and between two controls of one run; ``R-4s`` between two controls of one run only, because a range
over runs would count drift as scatter; ``4-1s`` and ``10x`` within one control over its measurements
in a row.  A run in which a control was not measured neither breaks nor ends its series.

References
----------
.. [1] Westgard, Barry, Hunt & Groth, Clin Chem 27:493 (1981).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Side = Literal["above", "below", "apart"]


class Westgard(StrEnum):
    """Rules by the names that laboratories know."""

    WARNING_12S = "1-2s"
    """One value beyond 2 SD: look, do not reject."""
    R13S = "1-3s"
    """One value beyond 3 SD."""
    R22S = "2-2s"
    """Two values in a row, or of two controls of one run, beyond 2 SD on the same side."""
    R4S = "R-4s"
    """Two controls of one run, one above +2 SD and one below -2 SD."""
    R41S = "4-1s"
    """Four values in a row beyond 1 SD on the same side."""
    R10X = "10x"
    """Ten values in a row on the same side of the mean."""


REJECTING = tuple(rule for rule in Westgard if rule is not Westgard.WARNING_12S)
_IN_A_ROW = ((Westgard.R22S, 2, 2.0), (Westgard.R41S, 4, 1.0), (Westgard.R10X, 10, 0.0))
"""Rules of values in a row: how many, and beyond how many SD."""
_LENGTH = {rule: many for rule, many, _ in _IN_A_ROW}


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was broken, from the run that broke it on until it no longer was."""

    rule: Westgard
    side: Side
    controls: tuple[int, ...]
    """Columns of the controls that broke it."""
    at: int
    """Row of the run that broke it first."""
    runs: tuple[int, ...]
    """Rows of all runs that it rests on, earlier ones of its series included."""


def broken(z: Floats, measured: Bools) -> Mapping[tuple[Westgard, Side], Bools]:
    """Tell for each rule and side which values break it.

    Parameters
    ----------
    z : ndarray of float64, shape (S, R, C)
        Distances from the baseline in SD: S series (simulations; 1 for a chart), R runs in order,
        C controls.  What stands where nothing was measured does not matter, but must be finite.
    measured : ndarray of bool, shape (S, R, C)
        Where there is a value.

    Returns
    -------
    mapping of (rule, side) to ndarray of bool, shape (S, R, C)
        True at the value that completes the rule; for rules within a run (``R-4s``, whose side is
        ``apart``, and ``2-2s``) at each of the controls that take part.

    Examples
    --------
    >>> z = np.array([[[2.1], [2.2]]])
    >>> broken(z, np.ones_like(z, bool))[Westgard.R22S, "above"].ravel().tolist()
    [False, True]
    """
    found = dict(_over_runs(z, measured))
    for key, places in _within_runs(z, measured).items():
        found[key] = found[key] | places if key in found else places
    return found


def _over_runs(z: Floats, measured: Bools) -> dict[tuple[Westgard, Side], Bools]:
    """Rules that look at one control alone."""
    found: dict[tuple[Westgard, Side], Bools] = {}
    for side, up in _sides(z):
        found[Westgard.WARNING_12S, side] = (up > 2) & measured
        found[Westgard.R13S, side] = (up > 3) & measured
        for rule, many, limit in _IN_A_ROW:
            found[rule, side] = _in_a_row((up > limit) & measured, measured, many)
    return found


def _within_runs(z: Floats, measured: Bools) -> dict[tuple[Westgard, Side], Bools]:
    """Rules that hold the controls of one run against each other."""
    found: dict[tuple[Westgard, Side], Bools] = {}
    above, below = ((up > 2) & measured for _, up in _sides(z))
    for (side, _), beyond in zip(_sides(z), (above, below), strict=True):
        found[Westgard.R22S, side] = beyond & (beyond.sum(axis=2, keepdims=True) >= 2)
    apart = above.any(axis=2, keepdims=True) & below.any(axis=2, keepdims=True)
    found[Westgard.R4S, "apart"] = apart & (above | below)
    return found


def _sides(z: Floats) -> tuple[tuple[Side, Floats], tuple[Side, Floats]]:
    return (("above", z), ("below", -z))


def _in_a_row(holds: Bools, measured: Bools, many: int) -> Bools:
    """Tell where so many values in a row up to this one hold; False where nothing was measured."""
    if measured.all():
        return _all_of_last(holds, many)
    run = np.zeros((holds.shape[0], holds.shape[2]), np.int64)
    found = np.zeros(holds.shape, np.bool_)
    for row in range(holds.shape[1]):
        here = measured[:, row]
        run = np.where(here, np.where(holds[:, row], run + 1, 0), run)
        found[:, row] = here & (run >= many)
    return found


def _all_of_last(holds: Bools, many: int) -> Bools:
    """Hold shifted copies against each other, twice as many runs at a time: simulations have no gaps."""
    found, length = holds, 1
    while length < many:
        step = min(length, many - length)
        later = np.zeros_like(found)
        later[:, step:] = found[:, step:] & found[:, :-step]
        found, length = later, length + step
    return found


def find_breaches(z: Floats, measured: Bools) -> tuple[Breach, ...]:
    """List what breaks a rule on one chart, each series of runs once.

    Parameters
    ----------
    z : ndarray of float64, shape (R, C)
        See `broken`.
    measured : ndarray of bool, shape (R, C)
        Likewise.

    Returns
    -------
    tuple of Breach
        By run, then in the order of the rules.
    """
    found: list[Breach] = []
    for (rule, side), places in _within_runs(z[None], measured[None]).items():
        found += _of_runs(rule, side, places[0])
    for (rule, side), places in _over_runs(z[None], measured[None]).items():
        for control in range(z.shape[1]):
            rows = np.flatnonzero(measured[:, control])
            found += _of_control(rule, side, control, rows, places[0, rows, control])
    order = list(Westgard)
    return tuple(sorted(found, key=lambda b: (b.at, order.index(b.rule), b.side, b.controls)))


def _of_runs(rule: Westgard, side: Side, hits: Bools) -> list[Breach]:
    return [
        Breach(rule, side, tuple(np.flatnonzero(hits[row]).tolist()), int(row), (int(row),))
        for row in np.flatnonzero(hits.any(axis=1))
    ]


def _of_control(
    rule: Westgard, side: Side, control: int, rows: npt.NDArray[np.int64], hits: Bools
) -> list[Breach]:
    """Join measurements in a row that break a rule: eleven on one side are one breach, not two."""
    found: list[Breach] = []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], hits, [False]]).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2).tolist():
        begin = start - _LENGTH.get(rule, 1) + 1
        found.append(Breach(rule, side, (control,), int(rows[start]), tuple(rows[begin:stop].tolist())))
    return found
