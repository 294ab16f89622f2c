from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from her2path.reports.html.plots import (
    Segment,
    bar_chart,
    copy_histogram,
    distance_bar,
    share_bar,
    signal_scatter,
    stacked_bar,
)

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup):
    return ET.fromstring(str(markup))  # noqa: S314  (our own output)


def rects(markup):
    return list(parsed(markup).iter(f"{SVG}rect"))


def test_parts_of_a_stacked_bar_are_as_long_as_their_shares_and_touch():
    shares = [62.0, 18.0, 0.0, 9.0, 11.0]
    bar = stacked_bar([Segment("x", s, "#000000", f"{s} %") for s in shares], cuts=(10.0,), title="t")
    widths = [float(node.get("width")) for node in rects(bar)]
    total = sum(widths)
    assert [100 * w / total for w in widths] == pytest.approx(shares, abs=0.05)
    ends = [float(n.get("x")) + float(n.get("width")) for n in rects(bar)]
    assert ends[:-1] == pytest.approx([float(n.get("x")) for n in rects(bar)][1:], abs=0.11)


def test_the_cut_stands_at_its_per_cent_of_the_bar():
    bar = stacked_bar([Segment("x", 100.0, "#000000", "100 %")], cuts=(10.0,), title="t")
    (rect,) = rects(bar)
    (cut,) = parsed(bar).iter(f"{SVG}line")
    share = (float(cut.get("x1")) - float(rect.get("x"))) / float(rect.get("width"))
    assert share == pytest.approx(0.10, abs=0.001)


def test_nuclei_with_the_same_counts_share_a_circle_whose_area_counts_them():
    plot = signal_scatter([(2, 2)] * 4 + [(6, 2)], ratio_cuts=(2.0,), copy_cuts=(4.0, 6.0), mean=(2.8, 2.0))
    radii = sorted(float(node.get("r")) for node in parsed(plot).iter(f"{SVG}circle"))
    assert len(radii) == 2
    assert (radii[1] / radii[0]) ** 2 == pytest.approx(4, rel=0.05)


def test_a_nucleus_on_the_ratio_line_is_drawn_on_it():
    plot = parsed(signal_scatter([(4, 2)], ratio_cuts=(2.0,), copy_cuts=(), mean=None))
    (circle,) = plot.iter(f"{SVG}circle")
    (cut,) = [node for node in plot.iter(f"{SVG}line") if node.get("stroke-dasharray")]
    x0, y0, x1, y1 = (float(cut.get(name)) for name in ("x1", "y1", "x2", "y2"))
    slope = (y1 - y0) / (x1 - x0)
    assert float(circle.get("cy")) == pytest.approx(y0 + slope * (float(circle.get("cx")) - x0), abs=0.3)


def test_more_signals_stand_higher_and_a_copy_cut_stands_at_its_count():
    plot = parsed(signal_scatter([(4, 1), (8, 3)], ratio_cuts=(), copy_cuts=(4.0,), mean=None))
    few, many = sorted(plot.iter(f"{SVG}circle"), key=lambda node: float(node.get("cx")))
    assert float(many.get("cy")) < float(few.get("cy"))
    (cut,) = [node for node in plot.iter(f"{SVG}line") if node.get("stroke-dasharray")]
    assert cut.get("y1") == cut.get("y2") == few.get("cy")


def test_mean_and_cuts_of_the_histogram_stand_in_the_middle_of_the_bar_of_that_count():
    plot = parsed(copy_histogram([3, 4, 6], copy_cuts=(4.0, 6.0), mean=3.0))
    bars = [node for node in plot.iter(f"{SVG}rect") if float(node.get("height")) > 0]
    middles = [float(node.get("x")) + float(node.get("width")) / 2 for node in bars]
    upright = [node for node in plot.iter(f"{SVG}line") if node.get("x1") == node.get("x2")]
    cuts = [float(node.get("x1")) for node in upright if node.get("stroke-dasharray")]
    mean = max(float(node.get("x1")) for node in upright if not node.get("stroke-dasharray"))
    assert [mean, *cuts] == pytest.approx(middles, abs=0.11)


def test_every_counted_nucleus_is_in_the_histogram():
    counts = [1, 2, 2, 3, 3, 3, 55]
    bars = rects(copy_histogram(counts, copy_cuts=(4.0, 6.0), mean=9.9))
    titles = [node.find(f"{SVG}title").text for node in bars]
    assert sum(int(re.search(r": (\d+) nuclei", title).group(1)) for title in titles) == len(counts)


@pytest.mark.parametrize(
    ("relative", "side", "is_arrow"),
    [
        pytest.param(-0.5, -1, False, id="half a cut below"),
        pytest.param(0.25, 1, False, id="a quarter above"),
        pytest.param(5.0, 1, True, id="far above: an arrow, not a bar out of the picture"),
        pytest.param(-3.0, -1, True, id="far below"),
    ],
)
def test_a_distance_points_to_its_side_of_the_cut(relative, side, is_arrow):
    bar = ET.fromstring(str(distance_bar(relative)))  # noqa: S314  (our own output)
    (rect,) = bar.iter("rect")
    middle = float(rect.get("x")) + float(rect.get("width")) / 2
    assert (middle - 120) * side > 0
    assert float(rect.get("width")) <= 100
    assert bool(list(bar.iter("path"))) is is_arrow
    assert bool(list(bar.iter("circle"))) is not is_arrow


@pytest.mark.parametrize("share", [0.0, 0.239, 1.0])
def test_a_share_fills_that_part_of_its_track(share):
    bar = ET.fromstring(str(share_bar(share, strong=True)))  # noqa: S314  (our own output)
    track, filled = bar.iter("rect")
    assert float(filled.get("width")) == pytest.approx(share * float(track.get("width")), abs=0.06)
    assert filled.get("x") == track.get("x")


def test_a_strong_share_is_darker_than_a_pale_one():
    assert share_bar(0.5, strong=True) != share_bar(0.5, strong=False)


def test_labels_are_escaped():
    chart = str(bar_chart([Segment("<b>&", 1, "#000000", "1")], title='"<t>'))
    assert "<b>" not in chart
    assert parsed(chart).find(f"{SVG}title").text == '"<t>'


def test_an_empty_chart_is_still_a_picture():
    assert parsed(bar_chart([], title="none")).tag == f"{SVG}svg"


def test_a_mean_beside_a_cut_is_not_written_as_the_cut():
    drawn = copy_histogram([4] * 499 + [3], copy_cuts=(4.0,), mean=3.998)
    assert "mean 3.998" in drawn
