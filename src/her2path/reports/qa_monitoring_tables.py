"""Tables for spreadsheets of the control charts: every point, limit and alarm."""

from __future__ import annotations

from collections.abc import Mapping

from her2path.io.qa_monitoring_entries import MonitoringResult
from her2path.reports.qa_tables import CsvTable, Value, joined

_STRATA = ("scanner", "clone", "batch", "reader")
_ALARM_COLUMNS = (
    "number",
    "on",
    "rule",
    "is_warning",
    "side",
    "measure",
    *_STRATA,
    "controls",
    "alarm_batch",
    "at",
    "onset",
    "runs",
    "cases",
    "case_ids",
    "chart_id",
    "text",
)


def monitoring_tables(result: MonitoringResult | None) -> tuple[CsvTable, ...]:
    """List all numbers of the document of monitoring; without one the tables have no rows."""
    return (_alarms(result), _charts(result), _points(result), _limits(result), *_panels(result))


def _strata(stratum: Mapping[str, str]) -> tuple[Value, ...]:
    return tuple(stratum.get(name) for name in _STRATA)


def _truth(value: bool) -> str:
    return str(value).lower()


def _alarms(result: MonitoringResult | None) -> CsvTable:
    rows = tuple(
        (
            a.number,
            a.on,
            a.rule,
            _truth(a.is_warning),
            a.side,
            a.measure,
            *_strata(a.stratum),
            joined(a.controls),
            a.batch,
            a.at,
            a.onset,
            joined(a.runs),
            a.cases,
            joined(a.case_ids),
            a.chart_id,
            a.text,
        )
        for a in (() if result is None else result.alarms)
    )
    return CsvTable("monitoring_alarms", _ALARM_COLUMNS, rows)


def _charts(result: MonitoringResult | None) -> CsvTable:
    columns = (
        *("chart_id", "kind", "title", "measure", *_STRATA, "control", "centre"),
        *("baseline_points", "baseline_first", "baseline_last", "mean", "sd", "outliers", "mean_without"),
        *("sd_without", "excluded", "doubts", "cases", "low", "high"),
        *("within_group_correlation", "laney_sigma"),
    )
    rows = tuple(
        (
            *(c.chart_id, c.kind, c.title, c.measure, *_strata(c.stratum), c.control, c.centre),
            *(c.baseline.points, c.baseline.first, c.baseline.last, c.baseline.mean, c.baseline.sd),
            *(joined(c.baseline.outliers), c.baseline.mean_without, c.baseline.sd_without),
            *(joined(c.baseline.excluded), joined(c.baseline.doubts), c.baseline.cases),
            *(c.baseline.low, c.baseline.high),
            *(c.baseline.within_group_correlation, c.baseline.laney_sigma),
        )
        for c in (() if result is None else result.charts)
    )
    return CsvTable("monitoring_charts", columns, rows)


def _points(result: MonitoringResult | None) -> CsvTable:
    columns = ("chart_id", "label", "on", "value", "second", "of", "phase", "alarm")
    rows = tuple(
        (
            chart.chart_id,
            points.label[i],
            points.on[i],
            points.value[i],
            points.second[i] if points.second else None,
            points.of[i] if points.of else None,
            points.phase[i],
            joined(map(str, points.alarms[i])),
        )
        for chart in (() if result is None else result.charts)
        for points in (chart.points,)
        for i in range(len(points.label))
    )
    return CsvTable("monitoring_points", columns, rows)


def _limits(result: MonitoringResult | None) -> CsvTable:
    """List limits; one that is the same at all points has an empty label of the point."""
    rows = tuple(
        (
            chart.chart_id,
            limit.label,
            _truth(limit.strong),
            chart.points.label[i] if len(limit.values) > 1 else None,
            value,
        )
        for chart in (() if result is None else result.charts)
        for limit in chart.limits
        for i, value in enumerate(limit.values)
    )
    return CsvTable("monitoring_limits", ("chart_id", "limit", "strong", "label", "value"), rows)


def _panels(result: MonitoringResult | None) -> tuple[CsvTable, ...]:
    panels = () if result is None else result.panels
    rates = tuple(
        (
            *(p.panel_id, p.measure, *_strata(p.stratum), joined(p.controls), p.baseline_runs),
            *(p.judged_runs, p.correlation, p.slack, p.decision, p.weight, p.ewma_limit),
            *(rate.rule, rate.run_length, rate.false_alarms_pct, rate.seen_pct),
        )
        for p in panels
        for rate in p.rates
    ) + tuple(
        (
            *(c.chart_id, c.measure, *_strata(c.stratum), None, c.baseline.points),
            *(None,) * 6,
            *(rate.rule, rate.run_length, rate.false_alarms_pct, rate.seen_pct),
        )
        for c in (() if result is None else result.charts)
        for rate in c.rates
    )
    rate_columns = (
        *("panel_id", "measure", *_STRATA, "controls", "baseline_runs", "judged_runs", "correlation"),
        *("slack", "decision", "weight", "ewma_limit", "rule", "run_length", "false_alarms_pct", "seen_pct"),
    )
    batches = tuple(
        (p.panel_id, p.measure, b.batch, b.runs, b.shift, b.low, b.high, b.p_value, _truth(b.alarm))
        for p in panels
        for b in p.batches
    )
    batch_columns = ("panel_id", "measure", "batch", "runs", "shift", "low", "high", "p_value", "alarm")
    missing = tuple(
        (one.what, one.measure, *_strata(one.stratum), one.control, one.code, one.reason, one.points)
        for one in (() if result is None else result.no_charts)
    )
    missing_columns = ("what", "measure", *_STRATA, "control", "code", "reason", "points")
    return (
        CsvTable("monitoring_rates", rate_columns, rates),
        CsvTable("monitoring_batches", batch_columns, batches),
        CsvTable("monitoring_not_charted", missing_columns, missing),
    )
