"""Control charts of controls as entries of `monitoring.json`: what is drawn, and what the charts can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from her2path.domain.number_words import counted
from her2path.domain.stats.control_chart import Baseline, as_percent, variance_stabilised
from her2path.domain.stats.control_chart_drift import ewma_sd
from her2path.domain.stats.control_chart_panel import Watched, first_runs
from her2path.domain.stats.control_chart_rates import (
    cusum_run_length,
    ewma_run_length,
    known_run_length,
)
from her2path.domain.stats.control_chart_westgard import Westgard
from her2path.domain.verdict import NotEvaluable
from her2path.io.control_runs import Series
from her2path.io.monitoring_alarms import ChartedPanel, PanelAlarms
from her2path.io.monitoring_drafts import DIGITS, Drafts, rounded
from her2path.io.qa_monitoring_entries import (
    BaselineEntry,
    BatchEntry,
    ChartEntry,
    ChartKind,
    LimitEntry,
    NoChartEntry,
    PanelEntry,
    Phase,
    PointsOverTime,
    RateEntry,
)

_QUANTITY = {"dab_od": "membrane OD", "pct_stained": "stained cells, %"}


def scale_of(series: Series) -> npt.NDArray[np.float64]:
    """Put the values of a series on the scale on which their limits are drawn, shape (R, C)."""
    return variance_stabilised(series.values) if series.measure == "pct_stained" else series.values


def baseline_of(
    series: Series, *, runs: int, period: tuple[date | None, date | None], excluded: Sequence[str]
) -> npt.NDArray[np.bool_]:
    """Choose the runs of the baselines: those of a reference period, or of each control its first ones.

    Parameters
    ----------
    series : Series
        Runs in order.
    runs : int
        How many of the first runs, where there is no reference period.
    period : two dates or None
        First and last day of the reference period; it has none without its last day.
    excluded : sequence of str
        Runs that no baseline may rest on.

    Returns
    -------
    ndarray of bool, shape (R, C)
    """
    left_out = np.array([run.run_id in excluded for run in series.runs], np.bool_)
    if period[1] is None:
        return first_runs(series.measured, runs, left_out)
    return series.measured & (series.between(*period) & ~left_out)[:, None]


def nothing_charted(series: Series, why: NotEvaluable) -> Drafts:
    """Say why the controls of a scanner and clone have no chart."""
    entry = NoChartEntry(
        what=f"{', '.join(series.controls)}" if series.controls else "control tissue",
        measure=series.measure,
        stratum=dict(series.stratum),
        code=why.code,
        reason=why.reason,
        points=len(series.runs),
    )
    return Drafts(no_charts=(entry, *_undated(series)))


def control_drafts(series: Series, watched: Watched, *, excluded: Sequence[str] = ()) -> Drafts:
    """Write down the charts of one panel.

    Parameters
    ----------
    series : Series
        What was measured.
    watched : Watched
        What its charts show, on the scale of `scale_of`.
    excluded : sequence of str
        Runs that the baseline does not rest on by the operator's wish.
    """
    panel = ChartedPanel(series, watched)
    charts, writer = _PanelCharts(panel, tuple(excluded)), PanelAlarms(panel)
    alarms, shown = [], []
    for breach in watched.breaches:
        alarms.append(writer.breach(breach))
        shown.append(tuple(panel.chart_id(series.controls[c]) for c in breach.controls))
    for drift in watched.drifts:
        alarms.append(writer.drift(drift))
        shown.append((panel.chart_id(drift.chart),))
    for batch in watched.batches:
        if batch.alarm:
            alarms.append(writer.batch(batch))
            shown.append(tuple(panel.chart_id(name) for name in panel.controls))
    return Drafts(
        charts=(*charts.levey_jennings(), *charts.drift_charts()),
        panels=(charts.panel(),),
        alarms=tuple(alarms),
        shown_on=tuple(shown),
        no_charts=(*charts.left_out(), *_undated(series)),
        notes=(() if series.is_dated else (UNDATED_NOTE,)) + _apart(panel),
    )


UNDATED_NOTE = "Runs of control tissue have no dates; they are drawn in the order of the table."


def _apart(panel: ChartedPanel) -> tuple[str, ...]:
    if not panel.series.is_part:
        return ()
    names = ", ".join(panel.controls)
    return (
        f"{panel.title(names)}: charted apart from the other controls there, which have their baseline in "
        "other runs. CUSUM, EWMA, batches and rules between controls of a run hold these together only.",
    )


def _undated(series: Series) -> tuple[NoChartEntry, ...]:
    if not series.undated:
        return ()
    some = ", ".join(series.undated[:5]) + (", ..." if len(series.undated) > 5 else "")
    entry = NoChartEntry(
        what="runs without a date",
        measure=series.measure,
        stratum=dict(series.stratum),
        code="undated",
        reason=f"{counted(len(series.undated), 'run', verb=('has', 'have'))} no date and so no place in time "
        f"({some}); state their dates",
        points=len(series.undated),
    )
    return (entry,)


class _PanelCharts:
    """Writes the charts of one panel."""

    def __init__(self, panel: ChartedPanel, excluded: tuple[str, ...]) -> None:
        self._panel = panel
        self._series = panel.series
        self._watched = panel.watched
        self._excluded = excluded

    def levey_jennings(self) -> list[ChartEntry]:
        """Charts of single controls."""
        found = []
        for column, (name, base) in enumerate(
            zip(self._series.controls, self._watched.baselines, strict=True)
        ):
            if not isinstance(base, Baseline):
                continue
            rows = np.flatnonzero(self._watched.measured[:, column])
            phases = _phases(self._watched.in_baseline[:, column])
            centre, *bounds = (self._unit(base.mean + k * base.sd) for k in (0, 2, -2, 3, -3))
            found.append(
                ChartEntry(
                    chart_id=self._panel.chart_id(name),
                    kind="levey_jennings",
                    title=self._panel.title(name),
                    quantity=_QUANTITY[self._series.measure],
                    measure=self._series.measure,
                    stratum=self._panel.stratum,
                    control=name,
                    centre=round(centre, DIGITS),
                    limits=tuple(
                        LimitEntry(label=label, values=(round(bound, DIGITS),), strong="3" in label)
                        for label, bound in zip(("+2 SD", "-2 SD", "+3 SD", "-3 SD"), bounds, strict=True)
                    ),
                    points=self._points(rows, phases, self._series.values[rows, column]),
                    baseline=self._baseline(base, np.flatnonzero(self._watched.in_baseline[:, column])),
                )
            )
        return found

    def drift_charts(self) -> list[ChartEntry]:
        """CUSUM and EWMA of the controls together; none before the first judged run."""
        watched, limits = self._watched, self._watched.limits
        rows = np.flatnonzero(watched.judged)
        if not len(rows):
            return []
        phases: list[Phase] = ["judged" for _ in watched.judged]
        bound = limits.ewma_limit * ewma_sd(len(rows), limits.weight)
        outer = (
            LimitEntry(label="+L", values=rounded(bound)),
            LimitEntry(label="-L", values=rounded(-bound)),
        )
        return [
            self._drift_chart(
                "cusum",
                self._points(rows, phases, watched.up[rows], watched.down[rows]),
                (LimitEntry(label="h", values=(round(limits.decision, DIGITS),)),),
            ),
            self._drift_chart("ewma", self._points(rows, phases, watched.smooth[rows]), outer),
        ]

    def _drift_chart(
        self, kind: ChartKind, points: PointsOverTime, limits: tuple[LimitEntry, ...]
    ) -> ChartEntry:
        base = next(found for found in self._watched.baselines if isinstance(found, Baseline))
        rows = np.flatnonzero((self._watched.in_baseline & self._watched.measured).any(axis=1))
        name = kind.upper()
        return ChartEntry(
            chart_id=self._panel.chart_id(name),
            kind=kind,
            title=self._panel.title(f"{name} of {', '.join(self._panel.controls)}"),
            quantity="controls together, SD",
            measure=self._series.measure,
            stratum=self._panel.stratum,
            centre=0.0,
            limits=limits,
            points=points,
            baseline=self._baseline(base, rows).model_copy(
                update={"mean": 0.0, "sd": 1.0, "outliers": (), "mean_without": None, "sd_without": None}
            ),
        )

    def _points(
        self,
        rows: npt.NDArray[np.int64],
        phases: Sequence[Phase],
        values: npt.NDArray[np.float64],
        second: npt.NDArray[np.float64] | None = None,
    ) -> PointsOverTime:
        return PointsOverTime(
            label=tuple(self._panel.label(row) for row in rows),
            on=tuple(self._panel.day(row) for row in rows),
            value=rounded(values),
            second=() if second is None else rounded(second),
            phase=tuple(phases[row] for row in rows),
            alarms=((),) * len(rows),
        )

    def _baseline(self, base: Baseline, rows: npt.NDArray[np.int64]) -> BaselineEntry:
        inside = [self._panel.label(row) for row in rows]
        known = {run.run_id for run in self._series.runs}
        without = base.mean_without
        return BaselineEntry(
            points=base.runs,
            first=inside[0],
            last=inside[-1],
            mean=round(self._unit(base.mean), DIGITS),
            sd=round(base.sd, DIGITS),
            outliers=tuple(inside[place] for place in base.outliers),
            mean_without=None if without is None else round(self._unit(without), DIGITS),
            sd_without=None if base.sd_without is None else round(base.sd_without, DIGITS),
            excluded=tuple(name for name in self._excluded if name in known),
            doubts=base.doubts,
        )

    def _unit(self, value: float) -> float:
        """Turn a place on the scale of the limits into the unit of the chart."""
        return as_percent(value) if self._series.measure == "pct_stained" else value

    def panel(self) -> PanelEntry:
        """Write down what the charts of the panel can do."""
        watched, limits = self._watched, self._watched.limits
        return PanelEntry(
            panel_id=self._panel.panel_id,
            measure=self._series.measure,
            stratum=self._panel.stratum,
            controls=self._panel.controls,
            baseline_runs=min(found.runs for found in watched.baselines if isinstance(found, Baseline)),
            judged_runs=int(watched.judged.sum()),
            correlation=round(watched.correlation, DIGITS),
            slack=round(limits.slack, DIGITS),
            decision=limits.decision,
            weight=limits.weight,
            ewma_limit=limits.ewma_limit,
            rates=tuple(self._rate(rule) for rule in watched.rates),
            batches=tuple(
                BatchEntry(
                    batch=one.batch,
                    runs=len(one.runs),
                    shift=round(one.shift, DIGITS),
                    low=round(one.low, DIGITS),
                    high=round(one.high, DIGITS),
                    p_value=round(one.p_value, DIGITS),
                    alarm=one.alarm,
                )
                for one in watched.batches
            ),
        )

    def _rate(self, rule: str) -> RateEntry:
        limits = self._watched.limits
        length = None
        if rule in set(Westgard):
            length = known_run_length(Westgard(rule))
        elif rule == "CUSUM":
            length = cusum_run_length(limits.slack, limits.decision)
        elif rule == "EWMA":
            length = ewma_run_length(limits.weight, limits.ewma_limit)
        return RateEntry(
            rule=rule,
            run_length=None if length is None else float(f"{length:.4g}"),
            false_alarms_pct=round(100 * self._watched.rates[rule], 2),
            seen_pct=round(100 * self._watched.seen[rule], 2),
        )

    def left_out(self) -> list[NoChartEntry]:
        """List controls of the panel that have no chart of their own."""
        return [
            NoChartEntry(
                what=name,
                measure=self._series.measure,
                stratum=self._panel.stratum,
                control=name,
                code=found.code,
                reason=found.reason,
                points=int(self._series.measured[:, column].sum()),
            )
            for column, (name, found) in enumerate(
                zip(self._series.controls, self._watched.baselines, strict=True)
            )
            if isinstance(found, NotEvaluable)
        ]


def _phases(baseline: npt.NDArray[np.bool_]) -> tuple[Phase, ...]:
    """Phase of each run of a control with a baseline."""
    last = int(np.flatnonzero(baseline)[-1])
    return tuple(
        "baseline" if inside else "judged" if row > last else "before"
        for row, inside in enumerate(baseline.tolist())
    )
