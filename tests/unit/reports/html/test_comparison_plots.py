from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from her2path.reports.html.comparison_plots import (
    MOST_POINTS,
    FittedLine,
    Level,
    MeasuredPair,
    difference_plot,
    method_scatter,
    points_note,
)

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("the software", "reader_1")


def parsed(markup):
    return ET.fromstring(str(markup))  # noqa: S314  (our own output)


def circles(markup):
    nodes = parsed(markup).iter(f"{SVG}circle")
    return [(float(node.get("cx")), float(node.get("cy"))) for node in nodes]


def pair(first, second, case_id="c"):
    return MeasuredPair(case_id, first, second)


def test_twice_as_much_stands_as_far_above_the_line_as_half_as_much_below():
    plot = difference_plot([pair(4, 2), pair(2, 4), pair(3, 3)], (), names=NAMES, quantity="ratio")
    more, less, same = (y for _, y in circles(plot))
    assert same - more == pytest.approx(less - same, abs=0.11)


def test_limits_of_agreement_are_drawn_at_their_factors():
    levels = (Level(1.0, 0.9, 1.1, "mean factor"), Level(2.0, 1.9, 2.1, "upper limit"))
    plot = difference_plot([pair(4, 2), pair(3, 3)], levels, names=NAMES, quantity="ratio")
    (_, at_two), (_, at_one) = circles(plot)
    drawn = {
        float(node.get("y1")) for node in parsed(plot).iter(f"{SVG}line") if node.get("stroke") == "#b3261e"
    }
    assert sorted(drawn) == pytest.approx(sorted([at_one, at_two]), abs=0.11)


def test_labels_of_limits_that_nearly_meet_do_not_lie_on_each_other():
    levels = [Level(v, None, None, f"limit {i}") for i, v in enumerate((1.0, 1.001, 1.002))]
    plot = difference_plot([pair(4, 1), pair(1, 4)], levels, names=NAMES, quantity="ratio")
    rows = [n for n in parsed(plot).iter(f"{SVG}text") if (n.text or "").startswith("limit")]
    places = sorted(float(node.get("y")) for node in rows)
    assert min(b - a for a, b in pairwise(places)) >= 13


def test_equal_measurements_lie_on_the_line_of_equality_and_a_fit_of_them_too():
    fitted = [FittedLine(1.0, 0.0, "Deming")]
    plot = method_scatter([pair(2, 2), pair(6, 6)], fitted, cuts=(), names=NAMES, quantity="ratio")
    (x0, y0), (x1, y1) = circles(plot)
    line = next(n for n in parsed(plot).iter(f"{SVG}line") if n.get("stroke") == "#b3261e")
    ends = [float(line.get(name)) for name in ("x1", "y1", "x2", "y2")]
    slope = (ends[3] - ends[1]) / (ends[2] - ends[0])
    for x, y in ((x0, y0), (x1, y1)):
        assert y == pytest.approx(ends[1] + slope * (x - ends[0]), abs=0.3)


def test_a_fitted_line_that_leaves_the_axes_is_cut_at_them():
    fitted = [FittedLine(3.0, -1.0, "steep"), FittedLine(0.0, 99.0, "far off")]
    plot = method_scatter([pair(2, 2)], fitted, cuts=(), names=NAMES, quantity="ratio")
    line = next(n for n in parsed(plot).iter(f"{SVG}line") if n.get("stroke") == "#b3261e")
    assert 14 <= float(line.get("y2")) < float(line.get("y1")) <= 344.1


def test_many_cases_are_gathered_and_none_is_lost_from_the_count():
    many = [pair(1 + i % 97 / 10, 1 + i % 89 / 10) for i in range(MOST_POINTS + 1)]
    plot = method_scatter(many, (), cuts=(), names=NAMES, quantity="ratio")
    assert circles(plot) == []
    assert "401 cases" in next(parsed(plot).iter(f"{SVG}desc")).text
    assert "401 cases are gathered" in points_note(len(many))
    assert plot == method_scatter(many[::-1], (), cuts=(), names=NAMES, quantity="ratio")


def test_names_of_cases_are_text_in_the_tooltip():
    plot = method_scatter([pair(2.0, 2.0, "<script>x")], (), cuts=(2.0,), names=NAMES, quantity="ratio")
    assert "&lt;script&gt;x: 2.00 and 2.00" in plot
    assert not re.search(r"<script", plot)
