"""Step qa_monitoring: control charts of control tissue and of the shares of scores over time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.domain.reads import SOFTWARE
from her2path.domain.verdict import NotEvaluable
from her2path.io.case_tables import QA_READS
from her2path.io.control_runs import Series, collect_runs, read_control_slides, series_of
from her2path.io.documents import write_document
from her2path.io.provenance import digests, producer
from her2path.io.qa_monitoring_entries import MonitoringDoc, MonitoringResult
from her2path.io.reads_mapping import NO_MAPPING, read_mapping
from her2path.io.runs import ControlValue, read_runs
from her2path.io.score_groups import DatedRead, Groups, groups_of, read_dated, strata_of
from her2path.io.tables import read_table

if TYPE_CHECKING:
    from her2path.io.monitoring_drafts import Drafts

log = logging.getLogger(__name__)

Rule = Literal["1-2s", "1-3s", "2-2s", "R-4s", "4-1s", "10x"]


class QaMonitoringParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    baseline_runs: Annotated[int, Ge(20), Le(1000)] = 20
    """First runs of each control on which its limits rest; 40 see drift sooner (docs/qa_monitoring.md)."""
    baseline_groups: Annotated[int, Ge(12), Le(1000)] = 20
    """First weeks, months or batches on which the limits of shares rest."""
    baseline_from: date | None = None
    """First day of a reference period that takes the place of the first runs; null = from the first."""
    baseline_until: date | None = None
    """Last day of the reference period; null = no reference period."""
    excluded_runs: tuple[str, ...] = ()
    """Runs that were found to be faulty: drawn, but no baseline rests on them."""
    rules: tuple[Rule, ...] = ("1-2s", "1-3s", "2-2s", "R-4s", "4-1s", "10x")
    """Westgard rules that are used; `1-2s` warns, the others reject."""
    false_alarm_runs: Annotated[float, Ge(50), Le(10_000)] = 370.0
    """Mean runs between false alarms that each CUSUM and EWMA is built for."""
    period: Literal["week", "month"] = "week"
    """Period over which cases are grouped for charts of shares."""
    readers: tuple[str, ...] = ()
    """Readers whose scores are charted; empty = the software, or all where it called nothing."""

    @model_validator(mode="after")
    def _period_ends(self) -> Self:
        first, last = self.baseline_from, self.baseline_until
        if first is not None and last is None:
            raise ValueError("a reference period needs its last day (baseline_until)")
        if first is not None and last is not None and first > last:
            raise ValueError("the reference period ends before it begins")
        return self


def run(
    *,
    table: Path,
    runs: Path | None = None,
    mapping: Path | None = None,
    images: Path | None = None,
    monitoring: Path,
    params: QaMonitoringParams,
) -> None:
    """Chart the controls of `runs` and of the slides in `images`, and the shares of scores, over time."""
    # Statistics load SciPy, which no other step needs.
    from her2path.domain.stats.control_chart_rates import SEED  # noqa: PLC0415
    from her2path.io.monitoring_drafts import Drafts, numbered  # noqa: PLC0415

    where = strata_of(read_table(table, QA_READS))
    slides = () if images is None else read_control_slides(images)
    values = (*_stated(runs, mapping), *collect_runs(slides, where))
    reads = read_dated(table, _readers(table, params.readers))
    drafts = Drafts()
    for series in series_of(values):
        drafts += _charted(series, params)
    for groups in groups_of(reads, period=params.period):
        drafts += _shares(groups, params)
    drafts = numbered(drafts)
    result = MonitoringResult(
        runs=len({value.run for value in values}),
        cases=len(drafts.cases),
        charts=drafts.charts,
        panels=drafts.panels,
        alarms=drafts.alarms,
        no_charts=drafts.no_charts,
        false_alarm_runs=params.false_alarm_runs,
        seed=SEED,
        notes=(*drafts.notes, *_notes(values, reads)),
    )
    given = {"reads": table} | {name: path for name, path in (("runs", runs), ("mapping", mapping)) if path}
    for slide in slides:
        given |= slide.files
    made_by = producer("qa_monitoring", params)
    document = MonitoringDoc(produced_by=made_by, inputs=digests(**given), result=result)
    write_document(monitoring, document)
    log.info("%d runs, %d charts, %d alarms", result.runs, len(result.charts), len(result.alarms))


def _stated(runs: Path | None, mapping: Path | None) -> tuple[ControlValue, ...]:
    if runs is None:
        return ()
    today = datetime.now(tz=UTC).astimezone().date()
    return read_runs(runs, today=today, mapping=NO_MAPPING if mapping is None else read_mapping(mapping))


def _readers(table: Path, wanted: Sequence[str]) -> tuple[str, ...]:
    if wanted:
        return tuple(wanted)
    names = set(read_table(table, QA_READS)["reader"].to_pylist())
    return (SOFTWARE,) if SOFTWARE in names else tuple(sorted(names))


def _charted(series: Series, params: QaMonitoringParams) -> Drafts:
    from her2path.domain.stats.control_chart_panel import began_together  # noqa: PLC0415  (loads SciPy)
    from her2path.io.monitoring_charts import baseline_of  # noqa: PLC0415
    from her2path.io.monitoring_drafts import Drafts  # noqa: PLC0415

    baseline = baseline_of(
        series,
        runs=params.baseline_runs,
        period=(params.baseline_from, params.baseline_until),
        excluded=params.excluded_runs,
    )
    panels = began_together(baseline, _fewest(params))
    if len(panels) < 2:
        return _panel(series, baseline, params)
    drafts = Drafts()
    for place, columns in enumerate(panels):
        drafts += _panel(series.part(columns, is_first=place == 0), baseline[:, columns], params)
    return drafts


def _panel(series: Series, baseline: npt.NDArray[np.bool_], params: QaMonitoringParams) -> Drafts:
    from her2path.domain.stats.control_chart_panel import watch  # noqa: PLC0415  (loads SciPy)
    from her2path.domain.stats.control_chart_westgard import Westgard  # noqa: PLC0415
    from her2path.io.monitoring_charts import control_drafts, nothing_charted, scale_of  # noqa: PLC0415

    watched = watch(
        scale_of(series),
        series.measured,
        baseline,
        batches=tuple(run.batch for run in series.runs),
        rules=tuple(Westgard(rule) for rule in params.rules),
        fewest=_fewest(params),
        false_alarm_runs=params.false_alarm_runs,
    )
    if isinstance(watched, NotEvaluable):
        return nothing_charted(series, watched)
    return control_drafts(series, watched, excluded=params.excluded_runs)


def _fewest(params: QaMonitoringParams) -> int:
    return params.baseline_runs if params.baseline_until is None else 20


def _shares(groups: Groups, params: QaMonitoringParams) -> Drafts:
    from her2path.domain.stats.control_chart_shares import watch_share  # noqa: PLC0415  (loads SciPy)
    from her2path.io.monitoring_shares import no_share_chart, share_drafts  # noqa: PLC0415

    if params.baseline_until is None:
        baseline = np.arange(len(groups.labels)) < params.baseline_groups
        fewest = params.baseline_groups
    else:
        baseline, fewest = groups.between(params.baseline_from, params.baseline_until), 12
    watched = watch_share(
        groups.positive,
        groups.cases,
        baseline,
        fewest_groups=fewest,
        false_alarm_runs=params.false_alarm_runs,
    )
    if isinstance(watched, NotEvaluable):
        return no_share_chart(groups, watched)
    return share_drafts(groups, watched, false_alarm_runs=params.false_alarm_runs)


def _notes(values: Sequence[ControlValue], reads: Iterable[DatedRead]) -> tuple[str, ...]:
    notes = []
    if not values:
        notes.append("No control tissue was given: neither a table of runs nor control tissue on the slides.")
    if not any(read.day for read in reads):
        readers = ", ".join(dict.fromkeys(read.reader for read in reads))
        missing = (
            f"no date of stain is stated of any case, and results of {readers} have no date of their own "
            "(the dates of other readers' reads are not theirs)"
            if readers
            else "there is no result to chart"
        )
        notes.append(
            f"No share has a place in time: {missing}. State the days of stain in strata.tsv (`--strata`)."
        )
    return tuple(notes)
