"""Charts and alarms while they are gathered: alarms of all charts are numbered together at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from her2path.io.qa_monitoring_entries import ChartEntry, MonitoringAlarm, NoChartEntry, PanelEntry

MOST_CASES = 50
"""Case ids that an alarm lists; it states how many there are."""
DIGITS = 6
"""Decimals of what is drawn: what lies behind depends on the machine."""


@dataclass(frozen=True, slots=True)
class Drafts:
    """Charts and what belongs to them, before alarms of all charts are numbered together."""

    charts: tuple[ChartEntry, ...] = ()
    panels: tuple[PanelEntry, ...] = ()
    alarms: tuple[MonitoringAlarm, ...] = ()
    """Numbered 0."""
    shown_on: tuple[tuple[str, ...], ...] = ()
    """Ids of the charts on which each of the alarms is marked."""
    no_charts: tuple[NoChartEntry, ...] = ()
    notes: tuple[str, ...] = ()
    cases: frozenset[str] = frozenset()
    """Cases that a chart of shares shows."""

    def __add__(self, other: Drafts) -> Drafts:
        return Drafts(
            self.charts + other.charts,
            self.panels + other.panels,
            self.alarms + other.alarms,
            self.shown_on + other.shown_on,
            self.no_charts + other.no_charts,
            self.notes + tuple(note for note in other.notes if note not in self.notes),
            self.cases | other.cases,
        )


def place_of(stratum: dict[str, str]) -> str:
    """Word a stratum; empty where it is everything.

    Examples
    --------
    >>> place_of({"scanner": "A", "clone": "4B5"})
    'scanner A, clone 4B5'
    """
    return ", ".join(f"{name} {value}" for name, value in stratum.items())


def rounded(values: Iterable[float]) -> tuple[float, ...]:
    """Round what is drawn."""
    return tuple(round(float(value), DIGITS) for value in values)


def numbered(drafts: Drafts) -> Drafts:
    """Give the alarms numbers in the order of time and mark the points that raised them."""
    order = sorted(
        range(len(drafts.alarms)),
        key=lambda i: (drafts.alarms[i].on or "9999", drafts.alarms[i].is_warning, i),
    )
    alarms: list[MonitoringAlarm] = []
    marks: dict[tuple[str, str], list[int]] = {}
    for number, i in enumerate(order, start=1):
        alarms.append(drafts.alarms[i].model_copy(update={"number": number}))
        for chart_id in drafts.shown_on[i]:
            marks.setdefault((chart_id, drafts.alarms[i].at), []).append(number)
    charts = []
    for chart in drafts.charts:
        raised = tuple(tuple(marks.get((chart.chart_id, label), ())) for label in chart.points.label)
        charts.append(chart.model_copy(update={"points": chart.points.model_copy(update={"alarms": raised})}))
    return Drafts(
        tuple(charts), drafts.panels, tuple(alarms), (), drafts.no_charts, drafts.notes, drafts.cases
    )
