"""Documents of quality assurance: control charts over time (`qa/monitoring.json`).

A chart is what is drawn: points in the order of time, a centre, limits.  An alarm names its chart, its
rule, its runs and its cases.  A chart that cannot be drawn is listed with the reason.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from her2path.io.documents import Count, Document
from her2path.io.qa_documents import QaEntry

ChartKind = Literal["levey_jennings", "cusum", "ewma", "share", "share_cusum"]
Phase = Literal["before", "baseline", "judged"]
"""Of a point: part of neither phase and only drawn (earlier than the baseline, or excluded from it), phase I,
phase II."""


class PointsOverTime(QaEntry):
    """Points of a chart in the order of time; all columns are equally long."""

    label: tuple[str, ...]
    """Id of the run; of a chart of shares the batch, or the first day of the period."""
    on: tuple[str | None, ...]
    """Date (ISO); None = not stated, and the order is that of the file."""
    value: tuple[float, ...]
    second: tuple[float, ...] = ()
    """The lower sum of a CUSUM, above 0 like the upper one; empty for other charts."""
    phase: tuple[Phase, ...]
    of: tuple[Count, ...] = ()
    """Cases of each point of a chart of shares; empty for other charts."""
    alarms: tuple[tuple[Count, ...], ...]
    """Numbers of all alarms and warnings that each point raised, in ascending order."""

    @model_validator(mode="after")
    def _equally_long(self) -> PointsOverTime:
        columns = [self.on, self.value, self.phase, self.alarms]
        columns += [column for column in (self.second, self.of) if column]
        if any(len(column) != len(self.label) for column in columns):
            raise ValueError("the columns of a chart's points differ in length")
        return self


class LimitEntry(QaEntry):
    """A limit of a chart."""

    label: str
    """Such as ``+3 SD`` or ``h``."""
    values: tuple[float, ...]
    """One value, or one for each point."""
    strong: bool = True
    """Whether crossing it is an alarm by itself."""


class BaselineEntry(QaEntry):
    """What a chart's limits rest on (phase I)."""

    points: Count
    """Runs or groups."""
    first: str
    last: str
    """Labels of the first and last of them."""
    mean: float
    """In the unit of the chart; of a chart of shares in per cent."""
    sd: float | None
    """On the scale of the chart's limits; None for shares."""
    outliers: tuple[str, ...] = ()
    """Labels of runs that stand out among them; they are part of mean and SD."""
    mean_without: float | None = None
    sd_without: float | None = None
    """What mean and SD would be without them."""
    excluded: tuple[str, ...] = ()
    """Labels of runs that an operator left out of the baseline."""
    doubts: tuple[str, ...] = ()
    """``not_normal``, ``not_independent``: the stated rates of false alarms may not hold."""
    cases: Count | None = None
    """Of a chart of shares, with the 95 % interval of the share in per cent."""
    low: float | None = None
    high: float | None = None
    within_group_correlation: float | None = None
    laney_sigma: float | None = None
    """How many times wider than by chance groups scatter (Laney's p' chart)."""


class RateEntry(QaEntry):
    """How often a rule alarms on a panel of controls while nothing is wrong, and how soon it sees a shift."""

    rule: str
    """A rule, or the sets ``Westgard``, ``drift`` and ``all``."""
    run_length: float | None
    """Mean runs between false alarms of one control, if mean and SD were known; exact.  None where
    that is not defined."""
    false_alarms_pct: float
    """Per cent of baselines like this one with a false alarm within 100 runs; simulated."""
    seen_pct: float | None
    """Per cent in which a shift of every control by one SD is seen within 10 runs; simulated.  None for
    charts of shares."""


class ChartEntry(QaEntry):
    """One control chart."""

    chart_id: str
    kind: ChartKind
    title: str
    quantity: str
    """Label of the axis with its unit."""
    measure: str
    """``dab_od``, ``pct_stained``; ``share_0``, ``share_1+``, ``share_2+``, ``share_3+``,
    ``share_fish_positive``."""
    stratum: dict[str, str]
    """``scanner``, ``clone``, ``batch``, ``reader`` of the points; empty = all together."""
    control: str | None = None
    """None for charts of several controls together, and of shares."""
    centre: float | None
    limits: tuple[LimitEntry, ...]
    points: PointsOverTime
    baseline: BaselineEntry
    rates: tuple[RateEntry, ...] = ()
    """Of a chart of shares; those of controls stand with their panel."""


class MonitoringAlarm(QaEntry):
    """A rule that was broken."""

    number: Count
    """From 1, in the order of time."""
    chart_id: str
    """Of the chart that shows it."""
    rule: str
    """``1-2s``, ``1-3s``, ``2-2s``, ``R-4s``, ``4-1s``, ``10x``, ``CUSUM``, ``EWMA``, ``batch``, ``p``,
    ``p-CUSUM``."""
    is_warning: bool
    """Only ``1-2s``: look, do not reject."""
    side: Literal["above", "below", "apart"]
    measure: str
    stratum: dict[str, str]
    controls: tuple[str, ...] = ()
    batch: str | None = None
    at: str
    """Label of the run or group that raised it."""
    on: str | None
    onset: str | None = None
    """Of drift: label of the run since which it is likely there."""
    runs: tuple[str, ...]
    """Labels of all runs or groups that take part, in order."""
    case_ids: tuple[str, ...]
    """Cases of these runs, the first 50."""
    cases: Count
    text: str
    """What happened, in a sentence."""


class BatchEntry(QaEntry):
    """Runs of one batch (lot) against the baseline."""

    batch: str
    runs: Count
    shift: float
    """Mean of the controls together, in SD of a run, with its 95 % interval."""
    low: float
    high: float
    p_value: float
    """Adjusted for the number of batches (Holm)."""
    alarm: bool


class PanelEntry(QaEntry):
    """Controls that run together: what their charts can do."""

    panel_id: str
    measure: str
    stratum: dict[str, str]
    controls: tuple[str, ...]
    """Of the drift charts."""
    baseline_runs: Count
    judged_runs: Count
    correlation: float
    """Mean correlation between the controls of a run, in the baseline."""
    slack: float
    decision: float
    weight: float
    ewma_limit: float
    rates: tuple[RateEntry, ...]
    batches: tuple[BatchEntry, ...] = ()


class NoChartEntry(QaEntry):
    """Something that could not be charted."""

    what: str
    measure: str
    stratum: dict[str, str]
    control: str | None = None
    code: str
    """``too_few_runs``, ``constant_control``, ``too_few_groups``, ``too_few_cases``, ``undated``, ..."""
    reason: str
    points: Count
    """Runs or groups that there are."""


class MonitoringResult(QaEntry):
    """Everything that was watched over time."""

    runs: Count
    """Of control tissue, from the table of runs and from the slides."""
    cases: Count
    """In the charts of shares."""
    charts: tuple[ChartEntry, ...]
    panels: tuple[PanelEntry, ...]
    alarms: tuple[MonitoringAlarm, ...]
    """In the order of time, then of rules."""
    no_charts: tuple[NoChartEntry, ...]
    false_alarm_runs: float
    """Mean runs between false alarms that each drift chart was built for."""
    seed: Count
    """Of the simulations."""
    notes: tuple[str, ...] = ()
    """What a reader of the charts must know, in sentences."""


class MonitoringDoc(Document):
    """`qa/monitoring.json`: control charts of controls and of scores over time (qa_monitoring)."""

    kind: ClassVar[str] = "qa_monitoring"
    result: MonitoringResult | None = None
