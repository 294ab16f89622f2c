"""Control tissue and scores over time: what is charted, what alarms, and what has no chart and why."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from her2path.io.case_tables import QA_READS
from her2path.io.documents import Producer, read_document
from her2path.io.qa_monitoring_entries import MonitoringDoc
from her2path.io.tables import write_table
from her2path.steps.qa_monitoring import QaMonitoringParams, run

HEAD = "run_id\tdate\tscanner\tclone\tbatch\tcontrol\tdab_od\tpct_stained\tcase_ids\n"
START = date(2026, 1, 5)
LEVELS = {"1+": 0.25, "2+": 0.45, "3+": 0.8}


def run_rows(shifts, *, scanner="A", seed=1, batch=lambda _: "L1", dated=True, percent=False):
    """A table of runs with three controls, each moved by so many SD in each run."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, shift in enumerate(shifts):
        day = (START + timedelta(days=i)).isoformat() if dated else ""
        for name, level in LEVELS.items():
            od = level * (1 + 0.08 * (shift + rng.standard_normal()))
            pct = f"{100 * level + 5 * rng.standard_normal():.2f}" if percent else ""
            rows.append(
                f"{scanner}{i:03d}\t{day}\t{scanner}\t4B5\t{batch(i)}\t{name}\t{od:.4f}\t{pct}\tc{i}a,c{i}b\n"
            )
    return rows


def read_row(case_id, score, day, *, call="negative", **strata):
    row = dict.fromkeys(QA_READS.names) | {
        "case_id": case_id,
        "reader": "her2path",
        "is_software": True,
        "session": 1,
        "ihc_score": score,
        "call": call,
        "comment": "",
        "guideline": "breast_2023",
        "stained_on": day,
    }
    return row | strata


@pytest.fixture
def monitored(tmp_path):
    def make(rows=(), reads=(), **params):
        table, runs = tmp_path / "reads.parquet", tmp_path / "runs.tsv"
        made_by = Producer(step="qa_reads", version="0")
        with write_table(table, QA_READS, produced_by=made_by) as writer:
            writer.append({name: [row[name] for row in reads] for name in QA_READS.names})
        runs.write_text(HEAD + "".join(rows), encoding="utf-8")
        run(
            table=table,
            runs=runs if rows else None,
            monitoring=tmp_path / "monitoring.json",
            params=QaMonitoringParams(**params),
        )
        return read_document(tmp_path / "monitoring.json", MonitoringDoc).result

    return make


def test_a_shift_of_two_sd_is_named_with_its_rule_runs_and_cases(monitored):
    found = monitored(run_rows([0.0] * 45 + [-2.0] * 10), baseline_runs=40)
    drift = [alarm for alarm in found.alarms if alarm.rule == "CUSUM" and alarm.measure == "dab_od"]
    (alarm,) = drift
    assert (alarm.side, alarm.controls, alarm.stratum) == (
        "below",
        ("1+", "2+", "3+"),
        {"scanner": "A", "clone": "4B5"},
    )
    assert abs(int(alarm.onset.removeprefix("A")) - 45) <= 2
    assert 45 <= int(alarm.at.removeprefix("A")) <= 48
    assert alarm.runs[-1] == "A054"
    assert {"c50a", "c50b"} <= set(alarm.case_ids)
    assert "lasting shift below the baseline" in alarm.text


@pytest.mark.parametrize(
    "has_3", [lambda run: run >= 50, lambda run: run % 3 == 0], ids=["added later", "rare"]
)
def test_a_late_or_rare_control_hides_no_shift_of_the_others(monitored, has_3):
    rows = [row for row in run_rows([0.0] * 35 + [3.0] * 45) if "\t3+\t" not in row or has_3(int(row[1:4]))]
    found = monitored(rows)
    assert [(panel.controls, panel.baseline_runs) for panel in found.panels] == [
        (("1+", "2+"), 20),
        (("3+",), 20),
    ]
    first = next(alarm for alarm in found.alarms if alarm.rule == "CUSUM")
    assert (first.controls, first.onset) == (("1+", "2+"), "A035")
    assert int(first.at.removeprefix("A")) <= 37
    assert len({chart.chart_id for chart in found.charts}) == len(found.charts)
    assert any("3+, scanner A, clone 4B5: charted apart" in note for note in found.notes)


def test_a_control_that_is_new_is_told_and_delays_no_other(monitored):
    rows = [row for row in run_rows([0.0] * 40) if "\t3+\t" not in row or int(row[1:4]) >= 30]
    found = monitored(rows)
    assert [panel.controls for panel in found.panels] == [("1+", "2+")]
    (why,) = (entry for entry in found.no_charts if entry.control == "3+")
    assert "has 10 of the 20 runs" in why.reason


def test_alarms_are_numbered_in_time_and_marked_on_their_charts(monitored):
    found = monitored(run_rows([0.0] * 45 + [-2.0] * 10), baseline_runs=40)
    assert [alarm.number for alarm in found.alarms] == list(range(1, len(found.alarms) + 1))
    assert [alarm.on for alarm in found.alarms] == sorted(alarm.on for alarm in found.alarms)
    charts = {chart.chart_id: chart for chart in found.charts}
    for alarm in found.alarms:
        points = charts[alarm.chart_id].points
        assert alarm.number in points.alarms[points.label.index(alarm.at)]


def test_each_control_has_a_chart_and_each_panel_two_of_drift(monitored):
    found = monitored(run_rows([0.0] * 50))
    kinds = [(chart.kind, chart.control) for chart in found.charts if chart.measure == "dab_od"]
    assert kinds == [
        ("levey_jennings", "1+"),
        ("levey_jennings", "2+"),
        ("levey_jennings", "3+"),
        ("cusum", None),
        ("ewma", None),
    ]
    phases = found.charts[0].points.phase
    assert (phases.count("baseline"), phases.count("judged")) == (20, 30)


def test_limits_of_percentages_stay_between_0_and_100(monitored):
    found = monitored(run_rows([0.0] * 50, percent=True))
    limits = [
        limit.values[0]
        for chart in found.charts
        if chart.kind == "levey_jennings" and chart.measure == "pct_stained"
        for limit in chart.limits
    ]
    assert len(limits) == 12
    assert all(0 <= value <= 100 for value in limits)


def test_a_panel_states_how_often_it_alarms_falsely_and_what_it_sees(monitored):
    panel = monitored(run_rows([0.0] * 70), baseline_runs=60).panels[0]
    rates = {rate.rule: rate for rate in panel.rates}
    assert rates["1-3s"].run_length == pytest.approx(370.4)
    assert 15 < rates["CUSUM"].false_alarms_pct < 28
    assert rates["drift"].seen_pct > 90
    assert rates["all"].false_alarms_pct > rates["drift"].false_alarms_pct


def test_scanners_have_panels_of_their_own_and_three_runs_are_no_chart(monitored):
    found = monitored([*run_rows([0.0] * 30), *run_rows([0.0] * 3, scanner="B")])
    assert {panel.stratum["scanner"] for panel in found.panels} == {"A"}
    (why,) = (entry for entry in found.no_charts if entry.measure == "dab_od")
    assert (why.stratum["scanner"], why.code, why.points) == ("B", "too_few_runs", 3)


def test_a_new_batch_that_stains_weaker_is_named(monitored):
    rows = run_rows([0.0] * 40 + [-1.5] * 6, batch=lambda i: "L1" if i < 40 else "L2")
    found = monitored(rows, baseline_runs=30)
    alarms = [a for a in found.alarms if a.rule == "batch" and a.measure == "dab_od"]
    assert [(alarm.batch, alarm.side) for alarm in alarms] == [("L2", "below")]


def test_runs_out_of_order_are_put_in_order(monitored):
    rows = run_rows([0.0] * 30 + [3.0] * 5)
    straight = monitored(rows)
    assert monitored(rows[::-1]).charts == straight.charts


def test_runs_without_any_date_keep_the_order_of_the_table(monitored):
    found = monitored(run_rows([0.0] * 25, dated=False))
    assert found.charts[0].points.label[:2] == ("A000", "A001")
    assert any("no dates" in note for note in found.notes)


def test_a_run_without_a_date_among_dated_ones_is_left_out_by_name(monitored):
    rows = run_rows([0.0] * 25)
    rows[-1] = rows[-1].replace((START + timedelta(days=24)).isoformat(), "")
    rows[-2] = rows[-2].replace((START + timedelta(days=24)).isoformat(), "")
    rows[-3] = rows[-3].replace((START + timedelta(days=24)).isoformat(), "")
    found = monitored(rows)
    assert "A024" not in found.charts[0].points.label
    assert any(entry.code == "undated" and "A024" in entry.reason for entry in found.no_charts)


def test_one_run_gives_a_document_without_charts(monitored):
    found = monitored(run_rows([0.0]))
    assert (found.charts, found.alarms, found.runs) == ((), (), 1)
    assert {entry.code for entry in found.no_charts} == {"too_few_runs"}


def test_a_constant_control_is_no_chart_and_says_why(monitored):
    rows = [f"R{i}\t{START + timedelta(days=i)}\tA\t4B5\tL1\t3+\t0.5\t100\tc{i}\n" for i in range(30)]
    found = monitored(rows)
    assert found.charts == ()
    assert {entry.code for entry in found.no_charts} == {"constant_control"}


def test_an_outlier_of_the_baseline_is_named_and_a_person_may_leave_it_out(monitored):
    shifts = [0.0] * 40
    shifts[7] = 9.0
    kept = monitored(run_rows(shifts), baseline_runs=30).charts[0].baseline
    without = monitored(run_rows(shifts), baseline_runs=30, excluded_runs=("A007",)).charts[0].baseline
    assert kept.outliers == ("A007",)
    assert kept.sd > 1.5 * kept.sd_without
    assert (without.outliers, without.excluded) == ((), ("A007",))


def test_a_reference_period_takes_the_place_of_the_first_runs(monitored):
    last = START + timedelta(days=34)
    found = monitored(
        run_rows([2.0] * 5 + [0.0] * 40), baseline_from=START + timedelta(days=5), baseline_until=last
    )
    assert (found.charts[0].baseline.first, found.charts[0].baseline.last) == ("A005", "A034")
    assert found.charts[0].points.phase[:6] == ("before",) * 5 + ("baseline",)


@pytest.mark.parametrize(
    "period",
    [{"baseline_from": START}, {"baseline_from": START, "baseline_until": START - timedelta(days=1)}],
)
def test_a_reference_period_without_a_sensible_end_is_refused(period):
    with pytest.raises(ValidationError, match="reference period"):
        QaMonitoringParams(**period)


def scored(weeks, positive, *, each=10, score="3+", **strata):
    """Cases of so many weeks, of which some score 3+ and the others 0."""
    return [
        read_row(
            f"w{week:03d}c{i:02d}",
            score if i < positive(week) else "0",
            START + timedelta(days=7 * week + i % 5),
            **strata,
        )
        for week in range(weeks)
        for i in range(each)
    ]


def test_a_week_with_far_too_many_3_plus_is_named_with_its_cases(monitored):
    found = monitored(reads=scored(30, lambda week: 9 if week == 25 else 1 + week % 2))
    alarms = [alarm for alarm in found.alarms if alarm.rule == "p" and alarm.measure == "share_3+"]
    assert [(a.at, a.side, a.cases) for a in alarms] == [("2026-06-29", "above", 10)]
    assert alarms[0].case_ids[:3] == ("w025c00", "w025c01", "w025c02")
    assert "9 of 10 cases" in alarms[0].text


def test_a_lasting_rise_of_a_share_is_seen_by_its_cusum(monitored):
    found = monitored(reads=scored(60, lambda week: week % 3 if week < 30 else 2 + week % 4))
    rules = {alarm.rule for alarm in found.alarms if alarm.measure == "share_3+" and alarm.side == "above"}
    assert "p-CUSUM" in rules


def test_fish_positive_is_counted_among_2_plus_with_a_result_alone(monitored):
    reads = [
        read_row(
            f"w{week:03d}c{i:02d}",
            "2+" if i < 8 else "3+",
            START + timedelta(days=7 * week),
            call="needs_ish" if i < 2 else "positive" if i < 4 else "negative",
        )
        for week in range(30)
        for i in range(10)
    ]
    (chart,) = (
        c for c in monitored(reads=reads).charts if c.measure == "share_fish_positive" and c.kind == "share"
    )
    assert set(chart.points.of) == {6}
    assert chart.centre == pytest.approx(100 / 3)


def test_shares_are_charted_by_scanner_clone_and_batch(monitored):
    reads = scored(30, lambda week: 1 + week % 2, each=20)
    for place, row in enumerate(reads):
        row["scanner"], row["clone"] = "AB"[place % 2], ("4B5", "CB11")[place // 2 % 2]
        row["batch"] = f"L{int(row['case_id'][1:4]) // 2:02d}"
    found = monitored(reads=reads, baseline_groups=12)
    strata = {tuple(sorted(chart.stratum)) for chart in found.charts if chart.kind == "share"}
    assert strata == {("reader",), ("reader", "scanner"), ("clone", "reader")}
    batches = next(c for c in found.charts if c.chart_id.endswith("batch | p"))
    assert batches.points.label[:2] == ("L00", "L01")


def test_one_scanner_has_no_second_chart_of_the_same_cases(monitored):
    found = monitored(reads=scored(30, lambda week: 1 + week % 2, scanner="A", clone="4B5"))
    assert {tuple(chart.stratum) for chart in found.charts} == {("reader",)}


def test_batches_of_one_case_are_charted_without_false_alarms(monitored):
    reads = scored(150, lambda week: week % 4 == 0, each=1)
    for week, row in enumerate(reads):
        row["batch"] = f"L{week:03d}"
    found = monitored(reads=reads, baseline_groups=120)
    assert any(chart.chart_id.endswith("batch | p") for chart in found.charts)
    assert not [alarm for alarm in found.alarms if alarm.rule == "p"]


def test_cases_without_a_date_have_no_place_in_time(monitored):
    found = monitored(reads=[read_row(f"c{i}", "0", None) for i in range(30)])
    assert found.charts == ()
    assert found.cases == 0
    assert any("No share has a place in time" in note for note in found.notes)
    assert any(
        "no date of stain is stated of any case, and results of her2path" in note for note in found.notes
    )
    assert any(entry.code == "undated" and entry.points == 30 for entry in found.no_charts)


def test_only_cases_that_a_chart_shows_are_counted(monitored):
    few = monitored(run_rows([0.0] * 30), scored(4, lambda week: week % 2))
    assert (few.cases, few.runs) == (0, 30)
    assert monitored(reads=scored(30, lambda week: 1 + week % 2)).cases == 300


def test_nothing_at_all_is_a_document_with_notes(monitored):
    found = monitored()
    assert (found.charts, found.alarms, found.runs, found.cases) == ((), (), 0, 0)
    assert len(found.notes) == 2


def test_the_same_input_gives_the_same_bytes(monitored, tmp_path):
    rows = run_rows([0.0] * 30 + [1.0] * 5)
    monitored(rows)
    once = (tmp_path / "monitoring.json").read_bytes()
    monitored(rows)
    assert (tmp_path / "monitoring.json").read_bytes() == once
