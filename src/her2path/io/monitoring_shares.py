"""Charts of shares as entries of `monitoring.json`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from her2path.domain.number_words import counted
from her2path.domain.stats.control_chart_drift import DriftAlarm
from her2path.domain.stats.control_chart_rates import HORIZON
from her2path.domain.stats.control_chart_shares import LEVEL, SLACK, WatchedShare
from her2path.domain.verdict import NotEvaluable
from her2path.io.monitoring_drafts import DIGITS, MOST_CASES, Drafts, place_of, rounded
from her2path.io.qa_monitoring_entries import (
    BaselineEntry,
    ChartEntry,
    LimitEntry,
    MonitoringAlarm,
    NoChartEntry,
    Phase,
    PointsOverTime,
    RateEntry,
)
from her2path.io.score_groups import FISH_POSITIVE, Groups

Floats = npt.NDArray[np.float64]


def no_share_chart(groups: Groups, why: NotEvaluable) -> Drafts:
    """Say why a share has no chart."""
    entry = NoChartEntry(
        what=_title(groups),
        measure=groups.share,
        stratum=dict(groups.stratum),
        code=why.code,
        reason=why.reason,
        points=len(groups.labels),
    )
    return Drafts(no_charts=(entry, *_undated(groups)))


def share_drafts(groups: Groups, watched: WatchedShare, *, false_alarm_runs: float) -> Drafts:
    """Write down the chart of a share, its CUSUM, and their alarms."""
    charts = [_chart(groups, watched)]
    if watched.judged.any():
        charts.append(_cusum_chart(groups, watched, false_alarm_runs))
    outside = [_outside(groups, watched, row) for row in watched.outside]
    drifts = [_drift(groups, watched, alarm) for alarm in watched.drifts]
    alarms = (*outside, *drifts)
    return Drafts(
        charts=tuple(charts),
        alarms=alarms,
        shown_on=tuple((alarm.chart_id,) for alarm in alarms),
        no_charts=_undated(groups),
        cases=frozenset(case for some in groups.case_ids for case in some),
    )


def _title(groups: Groups) -> str:
    score = groups.share.removeprefix("share_")
    what = "FISH-positive among 2+" if groups.share == FISH_POSITIVE else f"Score {score}"
    return f"{what} by {groups.by}, {place_of(dict(groups.stratum))}"


def _chart_id(groups: Groups, kind: str) -> str:
    return " | ".join([groups.share, *(f"{k} {v}" for k, v in groups.stratum.items()), groups.by, kind])


def _chart(groups: Groups, watched: WatchedShare) -> ChartEntry:
    cases = groups.cases
    # Half a case between the counts that alarm and those that do not: a point never lies on its limit.
    high = np.array([limits.high - 0.5 for limits in watched.limits]) / cases
    low = np.array([limits.low + 0.5 for limits in watched.limits]) / cases
    within = 1 - (1 - watched.false_alarm) ** HORIZON
    return ChartEntry(
        chart_id=_chart_id(groups, "p"),
        kind="share",
        title=_title(groups),
        quantity="cases, %",
        measure=groups.share,
        stratum=dict(groups.stratum),
        centre=round(100 * watched.baseline.share, DIGITS),
        limits=(
            LimitEntry(label="upper", values=rounded(np.minimum(100 * high, 100))),
            LimitEntry(label="lower", values=rounded(np.maximum(100 * low, 0))),
        ),
        points=_points(groups, watched, 100 * groups.positive / cases),
        baseline=_baseline(groups, watched),
        rates=(
            RateEntry(
                rule="p",
                run_length=float(f"{1 / watched.false_alarm:.4g}") if watched.false_alarm else None,
                false_alarms_pct=round(100 * within, 2),
                seen_pct=None,
            ),
        ),
    )


def _cusum_chart(groups: Groups, watched: WatchedShare, false_alarm_runs: float) -> ChartEntry:
    within = 1 - math.exp(-HORIZON / false_alarm_runs)
    points = _points(groups, watched, watched.up, watched.down)
    return ChartEntry(
        chart_id=_chart_id(groups, "CUSUM"),
        kind="share_cusum",
        title=f"CUSUM of {_title(groups)}",
        quantity="share, normal score",
        measure=groups.share,
        stratum=dict(groups.stratum),
        centre=0.0,
        limits=(LimitEntry(label="h", values=(watched.decision,)),),
        points=points,
        baseline=_baseline(groups, watched),
        rates=(
            RateEntry(
                rule="p-CUSUM",
                run_length=float(false_alarm_runs),
                false_alarms_pct=round(100 * within, 2),
                seen_pct=None,
            ),
        ),
    )


def _points(
    groups: Groups, watched: WatchedShare, values: Floats, second: Floats | None = None
) -> PointsOverTime:
    # A CUSUM begins behind the baseline; the shares of the baseline are drawn.
    rows = (np.arange(len(values)) if second is None else np.flatnonzero(watched.judged)).tolist()
    phases = _phases(watched)
    return PointsOverTime(
        label=tuple(groups.labels[row] for row in rows),
        on=tuple(groups.days[row].isoformat() for row in rows),
        value=rounded(values[rows]),
        second=() if second is None else rounded(second[rows]),
        phase=tuple(phases[row] for row in rows),
        of=tuple(int(groups.cases[row]) for row in rows),
        alarms=((),) * len(rows),
    )


def _phases(watched: WatchedShare) -> tuple[Phase, ...]:
    return tuple(
        "judged" if later else "baseline" if base else "before"
        for later, base in zip(watched.judged.tolist(), watched.in_baseline.tolist(), strict=True)
    )


def _baseline(groups: Groups, watched: WatchedShare) -> BaselineEntry:
    base, rows = watched.baseline, np.flatnonzero(watched.in_baseline)
    low, high = base.interval
    return BaselineEntry(
        points=base.groups,
        first=groups.labels[rows[0]],
        last=groups.labels[rows[-1]],
        mean=round(100 * base.share, DIGITS),
        sd=None,
        cases=base.cases,
        low=round(100 * low, DIGITS),
        high=round(100 * high, DIGITS),
        within_group_correlation=round(base.correlation, DIGITS),
        laney_sigma=None if base.laney_sigma is None else round(base.laney_sigma, DIGITS),
    )


def _outside(groups: Groups, watched: WatchedShare, row: int) -> MonitoringAlarm:
    limits, count, size = watched.limits[row], int(groups.positive[row]), int(groups.cases[row])
    above = count >= limits.high
    rest = f"{limits.high - 1} at most" if above else f"{limits.low + 1} at least"
    text = (
        f"{_title(groups)}: {count} of {size} cases in {groups.by} {groups.labels[row]}, where {rest} are "
        f"expected at the baseline's {100 * watched.baseline.share:.1f} % (a group in control lies outside "
        f"in {100 * LEVEL:.2f} % of cases at most)"
    )
    return _alarm(groups, "p", "above" if above else "below", row, (row,), text)


def _drift(groups: Groups, watched: WatchedShare, alarm: DriftAlarm) -> MonitoringAlarm:
    rows = tuple(range(alarm.onset, alarm.until + 1))
    count, size = (int(values[list(rows)].sum()) for values in (groups.positive, groups.cases))
    text = (
        f"{_title(groups)}: lasting shift {alarm.side} the baseline, likely since {groups.by} "
        f"{groups.labels[alarm.onset]}, seen at {groups.labels[alarm.at]} (CUSUM with k = {SLACK:g}; "
        f"{count} of {size} cases since then, {100 * count / size:.1f} % against "
        f"{100 * watched.baseline.share:.1f} %)"
    )
    found = _alarm(groups, "p-CUSUM", alarm.side, alarm.at, rows, text)
    return found.model_copy(
        update={"onset": groups.labels[alarm.onset], "chart_id": _chart_id(groups, "CUSUM")}
    )


def _alarm(
    groups: Groups, rule: str, side: str, at: int, rows: tuple[int, ...], text: str
) -> MonitoringAlarm:
    cases = [case for row in rows for case in groups.case_ids[row]]
    return MonitoringAlarm.model_validate(
        {
            "number": 0,
            "chart_id": _chart_id(groups, "p"),
            "rule": rule,
            "is_warning": False,
            "side": side,
            "measure": groups.share,
            "stratum": dict(groups.stratum),
            "batch": groups.labels[at] if groups.by == "batch" else None,
            "at": groups.labels[at],
            "on": groups.days[at].isoformat(),
            "runs": tuple(groups.labels[row] for row in rows),
            "case_ids": tuple(cases[:MOST_CASES]),
            "cases": len(cases),
            "text": text,
        }
    )


def _undated(groups: Groups) -> tuple[NoChartEntry, ...]:
    if not groups.undated:
        return ()
    entry = NoChartEntry(
        what=f"cases without a date, {place_of(dict(groups.stratum))}",
        measure="shares",
        stratum=dict(groups.stratum),
        code="undated",
        reason=f"{counted(groups.undated, 'case', verb=('has', 'have'))} neither a date of stain nor one of "
        f"the read by {groups.stratum['reader']}, and so no place in time; state it in strata.tsv",
        points=groups.undated,
    )
    return (entry,)
