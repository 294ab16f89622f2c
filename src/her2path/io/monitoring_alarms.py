"""Alarms of a panel of control charts, each in a sentence with its runs and cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from her2path.domain.number_words import counted, signed
from her2path.domain.stats.control_chart import Baseline
from her2path.domain.stats.control_chart_drift import DriftAlarm
from her2path.domain.stats.control_chart_panel import BatchShift, Watched
from her2path.domain.stats.control_chart_westgard import Breach, Side, Westgard
from her2path.io.control_runs import Series
from her2path.io.monitoring_drafts import MOST_CASES, place_of
from her2path.io.qa_monitoring_entries import MonitoringAlarm

_WORDS = {
    Westgard.WARNING_12S: "a value beyond 2 SD (a warning)",
    Westgard.R13S: "a value beyond 3 SD",
    Westgard.R22S: "two values beyond 2 SD on one side",
    Westgard.R4S: "two controls of one run beyond 2 SD on opposite sides",
    Westgard.R41S: "four values in a row beyond 1 SD on one side",
    Westgard.R10X: "ten values in a row on one side of the mean",
}


@dataclass(frozen=True, slots=True)
class ChartedPanel:
    """What was measured on a panel, and what its charts show."""

    series: Series
    watched: Watched

    @property
    def stratum(self) -> dict[str, str]:
        """Scanner and clone, where they are stated."""
        return dict(self.series.stratum)

    @property
    def controls(self) -> tuple[str, ...]:
        """Controls that have a chart."""
        pairs = zip(self.series.controls, self.watched.baselines, strict=True)
        return tuple(name for name, found in pairs if isinstance(found, Baseline))

    @property
    def panel_id(self) -> str:
        """Measure and stratum, and the controls where others are charted apart."""
        return " | ".join([self._place, *([", ".join(self.controls)] * self.series.is_part)])

    @property
    def _place(self) -> str:
        return " | ".join([self.series.measure, *(f"{k} {v}" for k, v in self.stratum.items())])

    def chart_id(self, name: str) -> str:
        """Name the chart of a control, or a drift chart."""
        return f"{self._place if name in self.series.controls else self.panel_id} | {name}"

    def title(self, name: str) -> str:
        """Word what a chart shows, and where."""
        return ", ".join(filter(None, (name, place_of(self.stratum))))

    def label(self, row: int) -> str:
        """Name the run of a row."""
        return self.series.runs[row].run_id

    def day(self, row: int) -> str | None:
        """State the date of the run of a row."""
        day = self.series.runs[row].run_on
        return None if day is None else day.isoformat()


class PanelAlarms:
    """Writes the alarms of one panel."""

    def __init__(self, panel: ChartedPanel) -> None:
        self._panel = panel
        self._where = panel.title(", ".join(panel.controls))

    def breach(self, breach: Breach) -> MonitoringAlarm:
        """Write down that a Westgard rule was broken."""
        controls = tuple(self._panel.series.controls[c] for c in breach.controls)
        side = "" if breach.side == "apart" else f", {breach.side} the mean"
        values = "; ".join(
            f"{self._panel.label(row)}: "
            + ", ".join(f"{signed(self._panel.watched.z[row, c], digits=2)} SD" for c in breach.controls)
            for row in breach.runs[:10]
        )
        text = f"{self._panel.title(' and '.join(controls))}: {_WORDS[breach.rule]}{side} ({values})"
        return self._alarm(
            rule=str(breach.rule),
            is_warning=breach.rule is Westgard.WARNING_12S,
            side=breach.side,
            chart=controls[0],
            controls=controls,
            at=breach.at,
            rows=breach.runs,
            text=text,
        )

    def drift(self, alarm: DriftAlarm) -> MonitoringAlarm:
        """Write down a lasting shift."""
        judged = np.flatnonzero(self._panel.watched.judged).tolist()
        rows = tuple(row for row in judged if alarm.onset <= row <= alarm.until)
        moved = float(self._panel.watched.combined[list(rows)].mean())
        text = (
            f"{self._where}: lasting shift {alarm.side} the baseline, likely since run "
            f"{self._panel.label(alarm.onset)}, seen at {self._panel.label(alarm.at)} ({alarm.chart}; the "
            f"controls together lay {signed(moved, digits=1)} SD from the baseline over "
            f"{counted(len(rows), 'run')})"
        )
        found = self._alarm(
            rule=alarm.chart,
            is_warning=False,
            side=alarm.side,
            chart=alarm.chart,
            controls=self._panel.controls,
            at=alarm.at,
            rows=rows,
            text=text,
        )
        return found.model_copy(update={"onset": self._panel.label(alarm.onset)})

    def batch(self, batch: BatchShift) -> MonitoringAlarm:
        """Write down that a batch differs from the baseline."""
        shift, low, high = (signed(one, digits=1) for one in (batch.shift, batch.low, batch.high))
        text = (
            f"{self._where}: the {len(batch.runs)} runs of batch {batch.batch} lie {shift} SD from the "
            f"baseline (95 % interval {low} to {high}; p = {batch.p_value:.2g}, for all batches together)"
        )
        found = self._alarm(
            rule="batch",
            is_warning=False,
            side="above" if batch.shift > 0 else "below",
            chart=self._panel.controls[0],
            controls=self._panel.controls,
            at=batch.runs[-1],
            rows=batch.runs,
            text=text,
        )
        return found.model_copy(update={"batch": batch.batch})

    def _alarm(
        self,
        *,
        rule: str,
        is_warning: bool,
        side: Side,
        chart: str,
        controls: tuple[str, ...],
        at: int,
        rows: Sequence[int],
        text: str,
    ) -> MonitoringAlarm:
        cases = list(dict.fromkeys(case for row in rows for case in self._panel.series.cases[row]))
        return MonitoringAlarm(
            number=0,
            chart_id=self._panel.chart_id(chart),
            rule=rule,
            is_warning=is_warning,
            side=side,
            measure=self._panel.series.measure,
            stratum=self._panel.stratum,
            controls=controls,
            at=self._panel.label(at),
            on=self._panel.day(at),
            runs=tuple(self._panel.label(row) for row in rows),
            case_ids=tuple(cases[:MOST_CASES]),
            cases=len(cases),
            text=text,
        )
