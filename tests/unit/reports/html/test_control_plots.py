from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from her2path.reports.html.control_plots import (
    MOST_POINTS,
    ChartLimit,
    ChartPoint,
    control_chart,
    thinning_note,
)

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup):
    return ET.fromstring(str(markup))  # noqa: S314  (our own output)


def chart(points, limits=(), centre=0.0, **more):
    return control_chart(points, centre=centre, limits=limits, title="Control OD", quantity="OD", **more)


def triangles(plot):
    return [n for n in parsed(plot).iter(f"{SVG}path") if (n.get("d") or "").endswith("l6.5 11.5h-13Z")]


def test_an_alarm_is_a_triangle_with_its_number_and_is_named_in_the_description():
    points = [ChartPoint(f"2026-01-0{i}", 0.0) for i in range(1, 5)] + [
        ChartPoint("2026-01-05", 4.0, alarms=(7,))
    ]
    plot = chart(points, [ChartLimit("+3 SD", (3.0,))])
    assert len(triangles(plot)) == 1
    assert "7" in [node.text for node in parsed(plot).iter(f"{SVG}text")]
    (description,) = parsed(plot).iter(f"{SVG}desc")
    assert description.text == "5 points from 2026-01-01 to 2026-01-05; 1 with an alarm: 7 at 2026-01-05"


def boxes_of_numbers(plot):
    found = []
    for node in parsed(plot).iter(f"{SVG}text"):
        if node.get("font-weight") == "700":
            half = 3.6 * len(node.text)
            x, base = float(node.get("x")), float(node.get("y"))
            found.append((node.text, x - half, base - 9, x + half, base))
    return found


def test_a_point_with_several_alarms_names_them_all():
    plot = chart([ChartPoint("a", 0.0), ChartPoint("b", 4.0, alarms=(15, 17, 18)), ChartPoint("c", 0.0)])
    assert [words for words, *_ in boxes_of_numbers(plot)] == ["15, 17, 18"]


@pytest.mark.parametrize("height", [0.0, 4.0])
def test_numbers_of_neighbouring_alarms_do_not_cover_each_other(height):
    points = [ChartPoint(str(i), (i % 3) / 10) for i in range(80)]
    for i in range(40, 60):
        points[i] = ChartPoint(str(i), height + (i % 2) / 10, alarms=(i, i + 40) if i % 5 == 0 else (i,))
    boxes = boxes_of_numbers(chart(points, [ChartLimit("+3 SD", (5.0,)), ChartLimit("-3 SD", (-5.0,))]))
    assert len(boxes) == 20
    for i, (_, left, top, right, bottom) in enumerate(boxes):
        for _, other_left, other_top, other_right, other_bottom in boxes[:i]:
            apart = left >= other_right or other_left >= right or top >= other_bottom or other_top >= bottom
            assert apart


def test_a_point_beyond_its_limit_is_drawn_beyond_it():
    plot = chart([ChartPoint("a", 0.0), ChartPoint("b", 4.0)], [ChartLimit("+3 SD", (3.0,))])
    limit = next(n for n in parsed(plot).iter(f"{SVG}line") if n.get("stroke") == "#b3261e")
    low, high = (float(n.get("cy")) for n in parsed(plot).iter(f"{SVG}circle"))
    assert high < float(limit.get("y1")) < low


def test_limits_that_change_are_steps_at_each_point():
    plot = chart([ChartPoint(str(i), 0.1) for i in range(3)], [ChartLimit("upper", (0.5, 0.5, 0.9))])
    (path,) = [n for n in parsed(plot).iter(f"{SVG}path") if n.get("stroke-dasharray")]
    assert path.get("d").count("V") == 1


def test_of_many_points_the_extremes_and_every_alarm_are_drawn():
    n = 5 * MOST_POINTS
    points = [ChartPoint(str(i), (i * 37 % 101) / 100, alarms=(1,) if i == 1234 else ()) for i in range(n)]
    points[777] = ChartPoint("lowest", -5.0)
    plot = chart(points)
    circles = list(parsed(plot).iter(f"{SVG}circle"))
    assert len(circles) <= MOST_POINTS + 2
    assert any("lowest" in next(node.iter(f"{SVG}title")).text for node in circles)
    assert len(triangles(plot)) == 1
    assert "3\N{NARROW NO-BREAK SPACE}000 points" in thinning_note(n)
    assert thinning_note(MOST_POINTS) == ""


@pytest.mark.parametrize("value", [0.0, 0.35])
def test_a_single_run_is_drawn(value):
    plot = chart([ChartPoint("2026-01-01", value)], centre=None)
    assert len(list(parsed(plot).iter(f"{SVG}circle"))) == 1


def test_both_sums_of_a_cusum_are_drawn_and_named():
    points = [ChartPoint(str(i), float(i), second=-float(i)) for i in range(4)]
    plot = chart(points, series=("upper sum", "lower sum"))
    words = [node.text for node in parsed(plot).iter(f"{SVG}text")]
    assert "upper sum" in words
    assert "lower sum" in words
