"""Control charts over time: alarms first, then the charts that show them, then what was quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from her2path.io.qa_monitoring_entries import ChartEntry, MonitoringAlarm, MonitoringResult
from her2path.reports.html.control_plots import ChartLimit, ChartPoint, control_chart, thinning_note
from her2path.reports.html.scales import isolated
from her2path.reports.number_names import code_words
from her2path.reports.numbers import count_text, counted_text, number_text
from her2path.reports.qa_blocks import (
    Block,
    Chart,
    Fold,
    Head,
    Heading,
    Meaning,
    Meanings,
    Section,
    Words,
    id_list,
    table,
)

MOST_CHARTS = 60
"""Charts that are drawn, those with alarms first; the tables hold the others."""
_IN_SD = frozenset({"cusum", "ewma"})
"""Charts whose values are in SD of the baseline, so that its mean is 0."""
_MEASURES = {"dab_od": "membrane OD", "pct_stained": "stained cells"}
_DOUBTS = {
    "not_normal": "the baseline does not look normally distributed",
    "not_independent": "runs of the baseline depend on each other",
}
_DIFFERING_GROUPS = (
    "Where groups differ among each other more than by chance, 20 of them tell how far only roughly, and "
    "false alarms are more frequent than stated: 36 % instead of 24 % of simulated series within 100 groups "
    "at a correlation of 0.02 between cases of a group (docs/qa_monitoring.md)."
)
"""The baseline's estimate cannot tell which chart this concerns: it is too small just where it happens."""
RULES: Mapping[str, Meaning] = MappingProxyType(
    {
        "1-2s": Meaning(
            "1-2s (warning)",
            "One value beyond 2 SD of the baseline.",
            "About 1 value in 22 lies there while nothing is wrong: look, do not reject.",
        ),
        "1-3s": Meaning(
            "1-3s", "One value beyond 3 SD.", "It sees large errors of one run, and small drifts late."
        ),
        "2-2s": Meaning(
            "2-2s",
            "Two values in a row, or of two controls of one run, beyond 2 SD on the same side.",
            "It does not tell a shift of the stain from one of the scanner.",
        ),
        "R-4s": Meaning(
            "R-4s",
            "Two controls of one run, one above +2 SD and one below −2 SD.",
            "It sees scatter, not drift; it needs two controls.",
        ),
        "4-1s": Meaning(
            "4-1s",
            "Four values in a row beyond 1 SD on the same side.",
            "A lasting shift this small need not change a score.",
        ),
        "10x": Meaning(
            "10x",
            "Ten values in a row on the same side of the mean.",
            "A lasting shift this small need not change a score.",
        ),
        "CUSUM": Meaning(
            "CUSUM",
            "The summed deviations of all controls crossed the decision limit: a small shift that lasts.",
            "It does not say which control or what caused it.",
        ),
        "EWMA": Meaning(
            "EWMA",
            "The weighted mean of the last runs left its limits: a small shift that lasts.",
            "It does not say which control or what caused it.",
        ),
        "batch": Meaning(
            "batch",
            "The runs of one reagent batch differ from the baseline as a whole.",
            "Whatever else changed on the same day looks the same.",
        ),
        "p": Meaning(
            "p",
            "The share of cases with this result left the limits for a group of its size.",
            "Other patients look the same as another stain or scanner.",
        ),
        "p-CUSUM": Meaning(
            "p-CUSUM",
            "The summed deviations of the share crossed the decision limit: a small shift that lasts.",
            "Other patients look the same as another stain or scanner.",
        ),
    }
)


def monitoring_section(result: MonitoringResult | None) -> Section:
    """Show the control charts; None = nothing was watched."""
    title = "Monitoring over time"
    if result is None:
        text = (
            "Nothing was watched over time: no runs of control tissue were given (`--runs`) and no cases "
            "with a date (`--strata`)."
        )
        return Section("monitoring", title, (Words(text, "missing"),))
    blocks: list[Block] = [Words(alarm_sentence(result), "lead")]
    if result.charts and not result.runs:
        blocks.append(
            Words(
                "No runs of control tissue were given (`--runs`), so stain and scanner were not watched; "
                "only shares of results are charted.",
                "missing",
            )
        )
    blocks += [Words(note) for note in result.notes]
    if result.alarms:
        blocks += _alarm_tables(result.alarms)
        blocks.append(Heading("What these rules say, and what they do not"))
        named = dict.fromkeys(alarm.rule for alarm in result.alarms)
        blocks.append(Meanings(tuple(RULES[rule] for rule in RULES if rule in named)))
    blocks += _charts(result)
    blocks += _rates(result)
    blocks += _batches(result)
    blocks += _not_charted(result)
    return Section("monitoring", title, tuple(blocks))


def alarm_sentence(result: MonitoringResult) -> str:
    """Say how much was watched and how often it alarmed."""
    warnings = sum(alarm.is_warning for alarm in result.alarms)
    alarms = len(result.alarms) - warnings
    if not result.charts:
        runs = (
            f"{counted_text(result.runs, noun='run')} of control tissue make no chart yet"
            if result.runs
            else "no runs of control tissue were given (`--runs`)"
        )
        return f"Nothing is watched yet: {runs}, and no share of results has enough dated cases for a chart."
    tissue = f"{counted_text(result.runs, noun='run')} of control tissue" if result.runs else ""
    cases = f"the results of {counted_text(result.cases)}" if result.cases else ""
    watched = (
        f"{' and '.join(filter(None, (tissue, cases)))} in {counted_text(len(result.charts), noun='chart')}"
    )
    if not cases:
        watched += " (no share of results could be charted)"
    counted = (
        f"{counted_text(alarms, noun='alarm') if alarms else 'no alarm'} and "
        f"{counted_text(warnings, noun='warning') if warnings else 'no warning'}"
    )
    return f"{watched}: {counted}."


def _alarm_tables(alarms: Sequence[MonitoringAlarm]) -> list[Block]:
    loud = [alarm for alarm in alarms if not alarm.is_warning]
    warnings = [alarm for alarm in alarms if alarm.is_warning]
    blocks: list[Block] = []
    if loud:
        blocks.append(
            _alarm_table(
                "Alarms; in the charts each number stands at the run or group that raised it",
                loud,
            )
        )
    if warnings:
        inner = (_alarm_table("Warnings: look, do not reject", warnings),)
        blocks.append(Fold(f"Warnings ({count_text(len(warnings))})", inner))
    return blocks


def _alarm_table(caption: str, alarms: Sequence[MonitoringAlarm]) -> Block:
    heads = (
        Head("Number"),
        Head("Date", numeric=True),
        Head("Rule"),
        Head("What happened"),
        Head("Likely since"),
        Head("Cases", numeric=True),
        Head("Which"),
    )
    rows = [
        (
            count_text(alarm.number),
            alarm.on or "not stated",
            alarm.rule,
            alarm.text,
            "" if alarm.onset is None else isolated(alarm.onset),
            count_text(alarm.cases),
            id_list(alarm.case_ids, alarm.cases),
        )
        for alarm in alarms
    ]
    return table(caption, heads, rows, csv="monitoring_alarms")


def _measure(name: str) -> str:
    return _MEASURES.get(name, code_words(name))


def _where(stratum: Mapping[str, str], controls: Sequence[str] = ()) -> str:
    parts = [f"{name} {isolated(value)}" for name, value in stratum.items()]
    if controls:
        parts.append(f"control {', '.join(map(isolated, controls))}")
    return "; ".join(parts)


def _charts(result: MonitoringResult) -> list[Block]:
    numbers = {alarm.number: alarm for alarm in result.alarms}
    loud = {alarm.chart_id for alarm in result.alarms if not alarm.is_warning}
    first = [chart for chart in result.charts if chart.chart_id in loud]
    rest = [chart for chart in result.charts if chart.chart_id not in loud]
    drawn = [*first, *rest][:MOST_CHARTS]
    blocks: list[Block] = []
    if first:
        blocks.append(Heading("Charts with alarms"))
        blocks += [_chart(chart, numbers) for chart in drawn if chart.chart_id in loud]
    quiet = tuple(_chart(chart, numbers) for chart in drawn if chart.chart_id not in loud)
    if quiet:
        blocks.append(Fold(f"Charts without an alarm ({count_text(len(quiet))})", quiet, open=not first))
    if len(result.charts) > MOST_CHARTS:
        blocks.append(
            Words(
                f"{count_text(MOST_CHARTS)} of {count_text(len(result.charts))} charts are drawn, those with "
                "alarms first; all points are in `tables/monitoring_points.csv`.",
                "quiet",
            )
        )
    return blocks


def _chart(chart: ChartEntry, alarms: Mapping[int, MonitoringAlarm]) -> Chart:
    seen = chart.points
    seconds = seen.second or (None,) * len(seen.label)
    points = [
        ChartPoint(
            f"{on} {isolated(label)}" if on else isolated(label),
            value,
            alarms=raised,
            warning=all(number in alarms and alarms[number].is_warning for number in raised),
            second=second,
            baseline=phase == "baseline",
        )
        for label, on, value, raised, second, phase in zip(
            seen.label, seen.on, seen.value, seen.alarms, seconds, seen.phase, strict=True
        )
    ]
    if not points:
        raise ValueError(f"chart {chart.chart_id!r} has no points")
    drawing = control_chart(
        points,
        centre=chart.centre,
        limits=[ChartLimit(limit.label, limit.values, limit.strong) for limit in chart.limits],
        title=chart.title,
        quantity=chart.quantity,
        series=("upper sum", "lower sum") if seen.second else ("", ""),
    )
    return Chart(f"{chart.title}: {chart.quantity}", drawing, _caption(chart))


def _caption(chart: ChartEntry) -> str:
    base = chart.baseline
    unit = "runs" if base.cases is None else f"groups ({counted_text(base.cases)})"
    spread = "" if base.sd is None else f", SD {number_text(base.sd, digits=3)}"
    if chart.measure == "pct_stained" and spread:
        spread += " on the scale of the limits (arcsine of the root of the share)"
    if base.low is not None and base.high is not None:
        spread = f", 95 % interval {number_text(base.low, digits=1)} to {number_text(base.high, digits=1)}"
    words = [
        thinning_note(len(chart.points.label)),
        f"Baseline: {count_text(base.points)} {unit}, {isolated(base.first)} to {isolated(base.last)}"
        + (f"; mean {number_text(base.mean, digits=3)}{spread}." if chart.kind not in _IN_SD else "."),
    ]
    if base.outliers:
        words.append(
            f"Of these stand out and are part of it: {', '.join(map(isolated, base.outliers))}; without them "
            f"mean {number_text(base.mean_without, digits=3)}, SD {number_text(base.sd_without, digits=3)}."
        )
    if base.excluded:
        words.append(f"Left out of the baseline: {', '.join(map(isolated, base.excluded))}.")
    doubts = [_DOUBTS.get(doubt, doubt.replace("_", " ")) for doubt in base.doubts]
    if doubts:
        words.append(f"Stated rates of false alarms may not hold: {'; '.join(doubts)}.")
    if chart.kind == "share_cusum":
        words.append(_DIFFERING_GROUPS)
    return " ".join(word for word in words if word)


def _rates(result: MonitoringResult) -> list[Block]:
    watched = [
        (
            f"{_measure(panel.measure)} {_where(panel.stratum, panel.controls)}".strip(),
            panel.rates,
        )
        for panel in result.panels
    ]
    watched += [(chart.title, chart.rates) for chart in result.charts if chart.rates]
    rows = [
        (
            what,
            rate.rule,
            "–" if rate.run_length is None else number_text(rate.run_length, digits=0),
            f"{number_text(rate.false_alarms_pct, digits=1)} %",
            "–" if rate.seen_pct is None else f"{number_text(rate.seen_pct, digits=1)} %",
        )
        for what, rates in watched
        for rate in rates
    ]
    if not rows:
        return []
    heads = (
        Head("Controls or share"),
        Head("Rule"),
        Head("Runs between false alarms of one control", numeric=True),
        Head("False alarm within 100 points", numeric=True),
        Head("A shift of 1 SD is seen within 10 runs", numeric=True),
    )
    words = Words(
        "Rates are simulated for a baseline of this length whose values are normally distributed; the runs "
        "between false alarms hold for a mean and SD that are known exactly."
    )
    caption = "How often the rules alarm while nothing is wrong, and how soon they see a shift"
    inner = (words, table(caption, heads, rows, csv="monitoring_rates"))
    return [Fold(caption, inner)]


def _batches(result: MonitoringResult) -> list[Block]:
    rows = [
        (
            isolated(batch.batch),
            f"{_measure(panel.measure)} {_where(panel.stratum)}".strip(),
            count_text(batch.runs),
            f"{number_text(batch.shift)} ({number_text(batch.low)} to {number_text(batch.high)})",
            number_text(batch.p_value, digits=4),
            "alarm" if batch.alarm else "",
        )
        for panel in result.panels
        for batch in panel.batches
    ]
    if not rows:
        return []
    heads = (
        Head("Batch"),
        Head("Measure"),
        Head("Runs", numeric=True),
        Head("Shift in SD of a run (95 % interval)"),
        Head("p, adjusted (Holm)", numeric=True),
        Head("Alarm"),
    )
    return [table("Batches against the baseline", heads, rows, csv="monitoring_batches")]


def _not_charted(result: MonitoringResult) -> list[Block]:
    if not result.no_charts:
        return []
    heads = (Head("What"), Head("Where"), Head("Points", numeric=True), Head("Why there is no chart"))
    rows = [
        (
            one.what,
            _where(one.stratum, () if one.control is None else (one.control,)),
            count_text(one.points),
            one.reason,
        )
        for one in result.no_charts
    ]
    made = table("What could not be charted", heads, rows, csv="monitoring_not_charted")
    return [Fold(f"What could not be charted, and why ({count_text(len(rows))})", (made,))]
