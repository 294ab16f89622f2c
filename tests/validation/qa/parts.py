"""The parts of the validation of quality assurance, which ``python -m tests.validation qa`` runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from her2path.domain.stats.intervals import wilson_interval
from tests.validation.measures import Measure
from tests.validation.qa import comparison, coverage, monitoring
from tests.validation.qa.coverage import SIMULATIONS, TOLD_ONLY, Coverage
from tests.validation.side_by_side import side_by_side
from tests.validation.store import all_told, keep

Asked = argparse.Namespace
OWN = "her2path"
LEAST, MOST = 93.0, 97.0
"""Per cent of the simulations that a 95 % interval must cover the truth in."""
CONSERVATIVE = frozenset({"Clopper-Pearson"})
"""By design: never below what they promise, so that no upper limit is asked of them."""
_FEW = 200
_STEP = 100
"""Simulations of a condition that one process does at a time."""


def _agreement(asked: Asked, study: str) -> None:
    simulations = _FEW if asked.quick else SIMULATIONS
    jobs = [
        (condition, start, min(_STEP, simulations - start))
        for condition in coverage.conditions(development=asked.dev)
        if condition.study == study
        for start in range(0, simulations, _STEP)
    ]
    found: dict[tuple[object, ...], Coverage] = {}
    for part in side_by_side(coverage.measure, jobs, processes=asked.processes, what=f"studies, {study}"):
        key = (part.statistic, part.method, part.cases, part.slips)
        if key in found:
            found[key].add(part)
        else:
            found[key] = part
    coverages = list(found.values())
    extra: dict[str, Any] = {"coverages": [c.as_json() for c in coverages]}
    keep(asked.out, f"agreement_{study}", OWN, all_told(rows(coverages)), extra)


def rows(coverages: list[Coverage]) -> list[Measure]:
    """Lowest and highest coverage over the conditions of everything that her2path states."""
    names = dict.fromkeys((c.study, c.statistic, c.method, c.is_rare) for c in coverages if c.own)
    found = []
    for study, statistic, method, rare in names:
        key = (study, statistic, method, rare)
        own = [c for c in coverages if (c.study, c.statistic, c.method, c.is_rare) == key]
        own.sort(key=lambda c: c.covered / c.simulations)
        on = f"{own[0].simulations + own[0].undefined} simulated studies x {len(own)} conditions"
        for which, told, threshold in (("lowest", own[0], LEAST), ("highest", own[-1], MOST)):
            low, high = wilson_interval(told.covered, told.simulations)
            free = rare or study in TOLD_ONLY or (which == "highest" and method in CONSERVATIVE)
            found.append(
                Measure(
                    f"{study}: {statistic}, {method}, {which} coverage{', rare' if rare else ''}",
                    on,
                    100 * told.covered / told.simulations,
                    "%",
                    100 * low,
                    100 * high,
                    None if free else threshold,
                    "at least" if which == "lowest" else "at most",
                    f"{told.cases} cases, slips {told.slips}",
                )
            )
    return found


def _comparison(asked: Asked) -> None:
    simulations = _FEW if asked.quick else comparison.SIMULATIONS
    seed = comparison.SEED + (1 if asked.dev else 0)
    found = list(comparison.coverage(simulations, seed=seed))
    keep(asked.out, "comparison", OWN, all_told([_compared(row) for row in found]))


def _compared(row: comparison.Covered) -> Measure:
    low, high = wilson_interval(row.covered, row.simulations)
    return Measure(
        f"{row.design}: {row.statistic}",
        f"{row.simulations} simulated studies",
        100 * row.share,
        "%",
        100 * low,
        100 * high,
        LEAST,
        detail="" if 100 * row.share <= MOST else "wider than promised",
    )


PARTS: Mapping[str, Callable[[Asked], None]] = MappingProxyType(
    {f"agreement_{study}": partial(_agreement, study=study) for study in coverage.STUDIES}
    | {"comparison": _comparison, "monitoring": monitoring.run}
)
QUICK = tuple(PARTS)
ON_DEMAND: frozenset[str] = frozenset()
