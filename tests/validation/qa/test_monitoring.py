"""The simulations of monitoring themselves: small ones show what the large ones measure."""

from __future__ import annotations

from her2path.domain.stats.control_chart_rates import Panel
from tests.validation.qa.monitoring import RECOMMENDED, design_name, rows, shares, through_charts


def test_the_recommended_design_sees_a_shift_of_one_sd_soon_and_alarms_as_stated():
    found = through_charts(RECOMMENDED, 150)
    assert found.seen["drift"] > 90
    assert found.false["drift"] < found.stated["drift"] + 10


def test_one_control_misses_a_shift_of_one_sd_more_often_than_three():
    assert through_charts(Panel(40), 80).seen["drift"] < 80


def test_groups_of_one_case_hardly_ever_alarm_in_control():
    found = shares(120, "1", 0.0, 20)
    assert found.outside == 0


def test_rows_ask_for_95_per_cent_of_the_recommended_design_alone():
    asked = {row.name: row.threshold for row in rows([through_charts(RECOMMENDED, 2)], [])}
    assert asked[f"{design_name(RECOMMENDED)}: shift of 1 SD seen within 10 runs, drift"] == 95
