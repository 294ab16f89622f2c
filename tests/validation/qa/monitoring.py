"""Control charts on simulated controls: false alarms against the stated rate, and a shift of one SD.

Two ways.  *Through the charts*: optical densities of single runs go through `watch` as a laboratory's
do, baseline and limits estimated from them.  *Operating curves*: many designs by the vectorised
charts that also state the rates.  All controls are simulated: normal, independent from run to run.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from her2path.domain.stats.control_chart_panel import SOON, Watched, watch
from her2path.domain.stats.control_chart_rates import HORIZON, Panel, alarm_shares, design_drift
from her2path.domain.stats.control_chart_shares import LEVEL, WatchedShare, watch_share
from her2path.domain.stats.intervals import wilson_interval
from tests.validation.measures import Measure
from tests.validation.page import EMPTY, Results, table
from tests.validation.side_by_side import side_by_side
from tests.validation.store import all_told, keep

SIMULATIONS = 2000
FALSE_ALARM_RUNS = 370.0
WANTED = 95.0
"""Per cent of simulations in which a shift of one SD is asked to be seen within `SOON` runs."""
RECOMMENDED = Panel(40, 3, 0.0)
"""The design that docs/qa_monitoring.md recommends: three controls whose scatter is their own, 40 runs."""
THROUGH = (Panel(20), Panel(40), RECOMMENDED, Panel(40, 3, 0.3), Panel(100, 3, 0.3))
CURVES = tuple(
    Panel(runs, controls, correlation)
    for controls, correlation in ((1, 0.0), (2, 0.0), (2, 0.3), (3, 0.0), (3, 0.3), (3, 0.6), (6, 0.3))
    for runs in (20, 40, 60, 100, 10_000)
)
RULES = ("1-3s", "2-2s", "R-4s", "4-1s", "10x", "CUSUM", "EWMA", "Westgard", "drift", "all")
_QUIET = 15
"""Runs without a shift between the baseline and the shift."""
_SEED = 20_261_130
_MARGIN = 3.0
"""Points by which a simulated rate may lie beyond the stated one: both are simulated."""


@dataclass(frozen=True, slots=True)
class Found:
    """How often the charts of a design alarmed; shares in per cent."""

    panel: Panel
    simulations: int
    false: dict[str, float]
    """By rule, within 100 runs in control."""
    stated: dict[str, float]
    """What her2path states of the same rule on the same baselines, on average."""
    seen: dict[str, float]
    """Within 10 runs of a shift of each control by one SD."""
    disturbed: float
    """Simulations with a false alarm of a drift chart before the shift; they count for nothing."""


def through_charts(panel: Panel, simulations: int, *, seed: int = _SEED) -> Found:
    """Simulate baselines and runs, and have them watched as a laboratory's are."""
    rng = np.random.default_rng([seed, panel.baseline_runs, panel.controls, round(100 * panel.correlation)])
    false = dict.fromkeys(RULES, 0)
    seen = dict.fromkeys(RULES, 0)
    stated = dict.fromkeys(RULES, 0.0)
    disturbed = 0
    for _ in range(simulations):
        watched = _watched(rng, panel, np.zeros(HORIZON))
        for rule in _alarmed(watched, 0):
            false[rule] += 1
        for rule in RULES:
            stated[rule] += 100 * watched.rates[rule] / simulations
        watched = _watched(rng, panel, np.repeat([0.0, 1.0], [_QUIET, SOON]))
        shift = panel.baseline_runs + _QUIET
        if any(alarm.at < shift for alarm in watched.drifts):
            disturbed += 1
            continue
        for rule in _alarmed(watched, shift):
            seen[rule] += 1
    quiet = max(1, simulations - disturbed)
    return Found(
        panel,
        simulations,
        {rule: 100 * n / simulations for rule, n in false.items()},
        stated,
        {rule: 100 * n / quiet for rule, n in seen.items()},
        100 * disturbed / simulations,
    )


def _watched(rng: np.random.Generator, panel: Panel, shifts: np.ndarray) -> Watched:
    """Watch optical densities of controls at 0.25 to 0.8 with a coefficient of variation of 8 %."""
    size = panel.baseline_runs + len(shifts)
    own = math.sqrt(1 - panel.correlation) * rng.standard_normal((size, panel.controls))
    z = own + math.sqrt(panel.correlation) * rng.standard_normal((size, 1))
    z[panel.baseline_runs :] += shifts[:, None]
    od = np.linspace(0.25, 0.8, panel.controls) * (1 + 0.08 * z)
    first = np.arange(size) < panel.baseline_runs
    watched = watch(od, np.ones(od.shape, np.bool_), first, false_alarm_runs=FALSE_ALARM_RUNS)
    assert isinstance(watched, Watched)
    return watched


def _alarmed(watched: Watched, start: int) -> set[str]:
    """Rules, and sets of them, that alarm at a run from `start` on; warnings are none."""
    westgard = {str(b.rule) for b in watched.breaches if b.runs[-1] >= start} - {"1-2s"}
    drift = {alarm.chart for alarm in watched.drifts if alarm.until >= start}
    sets = {"Westgard": westgard, "drift": drift, "all": westgard | drift}
    return westgard | drift | {name for name, rules in sets.items() if rules}


@dataclass(frozen=True, slots=True)
class SharesFound:
    """Charts of shares on simulated groups."""

    groups: int
    sizes: str
    correlation: float
    outside: float
    """Per cent of the judged groups outside their limits, in control."""
    stated: float
    drift: float
    """Per cent of series whose CUSUM alarmed within 100 groups in control."""
    seen: float
    """Per cent of series with an alarm within 10 groups of a share of 16 % doubling."""


SIZES = {"1": (1,), "1 to 8": (1, 2, 4, 8), "20 to 60": (20, 40, 60)}


def shares(groups: int, sizes: str, correlation: float, simulations: int) -> SharesFound:
    """Simulate groups of cases with a share of 16 %, alike or differing from group to group."""
    rng = np.random.default_rng([_SEED, groups, len(SIZES[sizes]), round(1000 * correlation)])
    outside = judged = drifts = seen = 0
    stated = 0.0
    for _ in range(simulations):
        quiet = _share(rng, groups, sizes, correlation, np.full(groups + HORIZON, 0.16))
        if isinstance(quiet, WatchedShare):
            outside += len(quiet.outside)
            judged += int(quiet.judged.sum())
            drifts += bool(quiet.drifts)
            stated += 100 * quiet.false_alarm / simulations
        truth = np.repeat([0.16, 0.32], [groups, SOON])
        moved = _share(rng, groups, sizes, correlation, truth)
        seen += isinstance(moved, WatchedShare) and bool(moved.outside or moved.drifts)
    return SharesFound(
        groups,
        sizes,
        correlation,
        100 * outside / max(1, judged),
        stated,
        100 * drifts / simulations,
        100 * seen / simulations,
    )


def _share(
    rng: np.random.Generator, groups: int, sizes: str, correlation: float, truth: np.ndarray
) -> WatchedShare | object:
    cases = rng.choice(SIZES[sizes], len(truth))
    if correlation:
        weight = 1 / correlation - 1
        truth = rng.beta(truth * weight, (1 - truth) * weight)
    first = np.arange(len(truth)) < groups
    return watch_share(rng.binomial(cases, truth), cases, first, false_alarm_runs=FALSE_ALARM_RUNS)


def curves() -> Iterator[dict[str, object]]:
    """Chance of seeing a shift of one SD within 10 runs, and false alarms, for many designs."""
    for panel in CURVES:
        for runs in (100.0, FALSE_ALARM_RUNS):
            limits = design_drift(panel, false_alarm_runs=runs)
            false = alarm_shares(panel, limits, series=20_000, seed=_SEED)
            seen = alarm_shares(panel, limits, runs=SOON, shift=1.0, series=20_000, seed=_SEED)
            kept = ("CUSUM", "EWMA", "drift", "Westgard", "all")
            yield {
                **asdict(panel),
                "false_alarm_runs": runs,
                "decision": limits.decision,
                "ewma_limit": limits.ewma_limit,
                "false": {name: 100 * false[name] for name in kept},
                "seen": {name: 100 * seen[name] for name in kept},
            }


def design_name(panel: Panel) -> str:
    """Word a design."""
    controls = "1 control" if panel.controls == 1 else f"{panel.controls} controls"
    shared = f", correlation {panel.correlation:g}" if panel.controls > 1 else ""
    runs = "known mean and SD" if panel.baseline_runs >= 10_000 else f"{panel.baseline_runs} baseline runs"
    return f"{controls}{shared}, {runs}"


SHARES = ((20, "20 to 60", 0.0), (20, "20 to 60", 0.02), (60, "1 to 8", 0.0), (120, "1", 0.0))
"""Groups of the baseline, their sizes, and the correlation between cases of one group."""
_FEW = 200


def run(asked: argparse.Namespace) -> None:
    """Simulate all designs and keep what was found."""
    simulations = _FEW if asked.quick else SIMULATIONS
    seed = _SEED + (1 if asked.dev else 0)
    jobs = [(panel, simulations, seed) for panel in THROUGH]
    found = list(side_by_side(_through, jobs, processes=asked.processes, what="monitored series"))
    groups = [(*condition, _FEW) for condition in SHARES]
    grouped = list(side_by_side(_shares, groups, processes=asked.processes, what="monitored shares"))
    extra: dict[str, Any] = {
        "through": [asdict(one) for one in found],
        "shares": [asdict(one) for one in grouped],
        "curves": list(curves()),
    }
    keep(asked.out, "monitoring", "her2path", all_told(rows(found, grouped)), extra)


def _through(job: tuple[Panel, int, int]) -> list[Found]:
    panel, simulations, seed = job
    return [through_charts(panel, simulations, seed=seed)]


def _shares(job: tuple[int, str, float, int]) -> list[SharesFound]:
    return [shares(*job)]


def rows(found: list[Found], shares_found: list[SharesFound]) -> list[Measure]:
    """What was asked for: false alarms at the stated rate, a shift of one SD seen within 10 runs."""
    measures = []
    for one in found:
        on = f"{one.simulations} simulated baselines"
        for rule in ("drift", "Westgard", "all"):
            measures.append(
                _measure(
                    f"{design_name(one.panel)}: false alarm within 100 runs, {rule}",
                    on,
                    (one.false[rule], one.simulations),
                    one.stated[rule] + _MARGIN,
                    "at most",
                    f"stated {one.stated[rule]:.1f} %",
                )
            )
        quiet = round(one.simulations * (1 - one.disturbed / 100))
        for rule in ("drift", "all"):
            asked = WANTED if one.panel == RECOMMENDED else None
            name = f"{design_name(one.panel)}: shift of 1 SD seen within 10 runs, {rule}"
            measures.append(_measure(name, on, (one.seen[rule], quiet), asked, "at least", ""))
    for part in shares_found:
        name = f"share of 16 %, groups of {part.sizes}, correlation {part.correlation:g}"
        on = f"baselines of {part.groups} groups"
        for value, what, asked in (
            (part.outside, "group outside its limits in control", 2 * 100 * LEVEL),
            (part.drift, "CUSUM alarm within 100 groups in control", _stated_drift() + _MARGIN),
            (part.seen, "doubled share seen within 10 groups", None),
        ):
            measures.append(Measure(f"{name}: {what}", on, value, "%", None, None, asked, "at most", ""))
    return measures


def _stated_drift() -> float:
    return 100 * (1 - math.exp(-HORIZON / FALSE_ALARM_RUNS))


def _measure(
    name: str, on: str, share: tuple[float, int], asked: float | None, direction: str, detail: str
) -> Measure:
    value, of = share
    low, high = wilson_interval(round(value * of / 100), of)
    assert direction in ("at least", "at most")
    return Measure(name, on, value, "%", 100 * low, 100 * high, asked, direction, detail)


def rates_table(results: Results) -> str:
    """False alarms of every rule, stated and simulated, and what sees a shift."""
    found = results.get("monitoring", {}).get("her2path", {}).get("through", ())
    if not found:
        return EMPTY
    lines = []
    for one in found:
        name = design_name(Panel(**one["panel"]))
        for kind in ("stated", "false", "seen"):
            words = {
                "stated": "false alarm in 100 runs, stated",
                "false": "false alarm in 100 runs, simulated",
                "seen": "1 SD seen in 10 runs, simulated",
            }
            lines.append([name, words[kind], *(f"{one[kind][rule]:.1f}" for rule in RULES)])
    return table(["design", "per cent", *RULES], lines)


def curves_table(results: Results) -> str:
    """Operating curves: what each design sees, at two rates of false alarms."""
    found = results.get("monitoring", {}).get("her2path", {}).get("curves", ())
    if not found:
        return EMPTY
    names = ("CUSUM", "EWMA", "drift", "Westgard", "all")
    lines = [
        [
            design_name(Panel(one["baseline_runs"], one["controls"], one["correlation"])),
            f"{one['false_alarm_runs']:g}",
            f"{one['decision']:.2f}",
            f"{one['ewma_limit']:.2f}",
            *(f"{one['false'][name]:.0f} / {one['seen'][name]:.1f}" for name in names),
        ]
        for one in found
    ]
    return table(["design", "runs between false alarms of each drift chart", "h", "L", *names], lines)
