from __future__ import annotations

import csv
import io

import pytest

from her2path.io.documents import Producer
from her2path.io.qa_monitoring_entries import PointsOverTime
from her2path.reports.html.rendering import render_qa
from her2path.reports.qa_monitoring_section import MOST_CHARTS
from her2path.reports.qa_monitoring_tables import monitoring_tables
from her2path.reports.qa_page import QaDocuments, qa_page
from tests.support.pages import Page
from tests.support.qa_results import agreement, agreement_doc
from tests.support.qa_watched import alarm, chart, monitoring, monitoring_doc, section_text

PRODUCER = Producer(step="qa_page", version="9.9")


def html_of(result):
    documents = QaDocuments(agreement_doc(), monitoring_doc(result))
    return render_qa(qa_page(documents, agreement(), report=PRODUCER))


def section(result):
    return section_text(html_of(result), "monitoring")


def rows_of(result, name):
    (table,) = [one for one in monitoring_tables(result) if one.name == name]
    return list(csv.DictReader(io.StringIO(table.text, newline="")))


def test_alarms_are_counted_at_the_top_apart_from_warnings():
    text = Page(html_of(monitoring())).text
    assert "Alarms of the control charts 1 1 chart watched; also 1 warning" in text
    assert "Alarm 1, rule 1-3s: 3+, scanner S1: one value beyond 3 SD" in text


def test_an_alarm_names_its_rule_its_date_and_its_cases():
    text = section(monitoring())
    assert "1 2026-01-10 1-3s 3+, scanner S1: one value beyond 3 SD (run_09: +3.4 SD) 2 c1, c2" in text
    assert "1-3s One value beyond 3 SD. It sees large errors of one run, and small drifts late." in text


def test_warnings_stand_apart_and_are_marked_otherwise_in_the_chart():
    html = html_of(monitoring())
    assert "Warnings (1)" in Page(html).text
    assert html.count('l6.5 11.5h-13Z" fill="#ffffff" stroke="#b3261e"') == 1
    assert html.count('l6.5 11.5h-13Z" fill="#b3261e" stroke="#ffffff"') == 1


def test_a_chart_says_what_its_limits_rest_on():
    assert "Baseline: 8 runs, run_00 to run_07; mean 0.500, SD 0.020." in section(monitoring())


def test_doubts_about_the_baseline_stand_below_its_chart():
    one = chart()
    odd = one.baseline.model_copy(
        update={
            "doubts": ("not_independent",),
            "outliers": ("run_03",),
            "mean_without": 0.49,
            "sd_without": 0.01,
            "excluded": ("run_05",),
        }
    )
    text = section(monitoring(charts=(one.model_copy(update={"baseline": odd}),), alarms=()))
    assert "runs of the baseline depend on each other" in text
    assert "stand out and are part of it: run_03; without them mean 0.490, SD 0.010" in text
    assert "Left out of the baseline: run_05." in text


def test_charts_without_an_alarm_are_folded_behind_those_with_one():
    text = section(monitoring(charts=(chart("quiet"), *monitoring().charts)))
    assert text.index("Control od: membrane OD") < text.index("Charts without an alarm (1)")
    assert text.index("Charts without an alarm (1)") < text.index("Control quiet: membrane OD")


def test_beyond_what_can_be_looked_at_charts_are_named_in_the_table():
    many = tuple(chart(f"c{i}") for i in range(MOST_CHARTS + 5))
    text = section(monitoring(charts=many, alarms=()))
    assert "60 of 65 charts are drawn" in text
    assert "no alarm and no warning" in text


def test_rates_of_false_alarms_and_batches_are_listed():
    text = section(monitoring())
    assert "membrane OD scanner S1; control 3+ Westgard – 12.5 % 96.0 %" in text
    assert "L2 membrane OD scanner S1 4 1.50 (0.80 to 2.20) 0.0020 alarm" in text


def test_what_could_not_be_charted_says_why():
    text = section(monitoring())
    assert "Score 3+ by week 6 the baseline has 40 of the 100 cases" in text
    assert "1 chart could not be drawn" in Page(html_of(monitoring())).text


def test_without_runs_only_shares_are_watched_and_that_is_said():
    assert "No runs of control tissue were given" in section(monitoring(runs=0))


def test_nothing_to_chart_is_not_a_chart_without_alarms():
    text = Page(html_of(monitoring(charts=(), alarms=(), panels=()))).text
    assert "Alarms of the control charts not watched too few runs and cases for a chart" in text


def test_results_that_no_chart_shows_are_not_said_to_be_watched():
    assert "of control tissue in 1 chart (no share of results could be charted)" in section(
        monitoring(cases=0)
    )


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (0, "no runs of control tissue were given"),
        (3, "3 runs of control tissue make no chart yet"),
    ],
)
def test_without_any_chart_no_alarm_is_counted(runs, words):
    text = section(monitoring(charts=(), alarms=(), panels=(), runs=runs, cases=0))
    assert f"Nothing is watched yet: {words}" in text
    assert "no alarm and no warning" not in text


def test_a_chart_of_shares_states_its_cases_and_interval():
    one = chart("share", kind="share", measure="share_3+", quantity="3+, %")
    base = one.baseline.model_copy(update={"sd": None, "cases": 120, "low": 10.0, "high": 22.0, "mean": 15.0})
    text = section(monitoring(charts=(one.model_copy(update={"baseline": base}),), alarms=()))
    assert (
        "Baseline: 8 groups (120 cases), run_00 to run_07; mean 15.000, 95 % interval 10.0 to 22.0." in text
    )


def test_a_cusum_of_a_share_says_how_often_it_alarms_where_groups_differ():
    one = chart("cusum", kind="share_cusum", measure="share_3+")
    assert "36 % instead of 24 % of simulated series" in section(monitoring(charts=(one,), alarms=()))
    assert "36 % instead" not in section(monitoring(alarms=()))


def test_both_sums_of_a_cusum_are_drawn():
    one = chart("cusum", kind="cusum")
    points = one.points.model_copy(update={"second": tuple(0.1 for _ in one.points.value)})
    html = html_of(monitoring(charts=(one.model_copy(update={"points": points}),), alarms=()))
    assert "lower sum" in html


@pytest.mark.parametrize("name", ["<i>S1</i>", "סורק"])
def test_names_of_scanners_and_runs_are_text(name):
    points = chart().points
    named = PointsOverTime(**(points.model_dump() | {"label": (name, *points.label[1:])}))
    batch = monitoring().panels[0].batches[0].model_copy(update={"batch": name})
    panel = monitoring().panels[0].model_copy(update={"batches": (batch,)})
    html = html_of(monitoring(charts=(chart(points=named),), alarms=(alarm(onset=name),), panels=(panel,)))
    assert "<i>" not in html
    assert name in Page(html).text.replace("\u2068", "").replace("\u2069", "")


def test_every_point_limit_and_alarm_is_a_row():
    result = monitoring()
    assert [r["alarm"] for r in rows_of(result, "monitoring_points")][8:] == ["", "1", "2", ""]
    assert [(r["limit"], r["value"]) for r in rows_of(result, "monitoring_limits")] == [
        ("'+3 SD", "0.56"),
        ("'-3 SD", "0.44"),
    ]
    (first, second) = rows_of(result, "monitoring_alarms")
    assert (first["rule"], first["scanner"], first["case_ids"]) == ("1-3s", "S1", "c1;c2")
    assert second["is_warning"] == "true"
    assert rows_of(result, "monitoring_batches")[0]["shift"] == "1.5"
    assert rows_of(result, "monitoring_not_charted")[0]["code"] == "too_few_cases"


def test_without_monitoring_its_tables_have_heads_alone():
    assert all(table.text.count("\r\n") == 1 for table in monitoring_tables(None))
