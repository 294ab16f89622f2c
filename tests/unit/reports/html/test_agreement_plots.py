from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from her2path.reports.html.agreement_plots import (
    ForestGroup,
    ForestRow,
    HeatCell,
    agreement_heatmap,
    forest_plot,
    tint,
)

SVG = "{http://www.w3.org/2000/svg}"


def parsed(markup):
    return ET.fromstring(str(markup))  # noqa: S314  (our own output)


def texts(markup):
    return [node.text for node in parsed(markup).iter(f"{SVG}text")]


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_numbers_can_be_read_on_every_tint():
    for percent in range(101):
        fill, ink = map(luminance, tint(percent / 100))
        assert (max(fill, ink) + 0.05) / (min(fill, ink) + 0.05) >= 4.5


def heatmap(value):
    cells = [[None, HeatCell(value, 12)], [HeatCell(value, 12), None]]
    return agreement_heatmap(["her2path", "<b>r1</b>"], cells, software=0, measure="Kappa")


def test_the_heatmap_prints_every_value_and_says_it_to_those_who_do_not_see_it():
    assert texts(heatmap(0.8125)).count("0.81") == 2
    (description,) = parsed(heatmap(0.8125)).iter(f"{SVG}desc")
    assert description.text == "<b>r1</b> with her2path 0.812 in 12 cases"


def test_a_pair_without_a_value_is_a_dash_and_not_the_palest_tint():
    plot = heatmap(None)
    assert texts(plot).count("–") == 4
    assert "no value in 12 cases" in next(parsed(plot).iter(f"{SVG}desc")).text


def row(value, low, high, *, software=False, text="t"):
    return ForestRow("a with b", value, low, high, text, software)


def forest(*rows, band=None):
    return forest_plot([ForestGroup("Pairs", rows)], measure="Exact agreement", band=band)


def marks(plot):
    return [float(node.get("cx")) for node in parsed(plot).iter(f"{SVG}circle")]


def test_more_agreement_lies_further_right_in_the_forest_plot():
    low, high = marks(forest(row(0.75, 0.6, 0.9), row(0.95, 0.9, 1.0)))
    assert low < high


def test_the_band_reaches_from_the_least_to_the_most_that_readers_agree():
    rows = (row(0.8, 0.7, 0.9), row(0.9, 0.8, 0.95))
    plot = forest(*rows, band=(0.8, 0.9))
    (band,) = parsed(plot).iter(f"{SVG}rect")
    ends = float(band.get("x")), float(band.get("x")) + float(band.get("width"))
    assert ends == pytest.approx(marks(plot), abs=0.2)


def test_the_software_is_told_from_readers_by_its_shape():
    plot = forest(row(0.8, 0.7, 0.9, software=True), row(0.8, 0.7, 0.9))
    assert len(marks(plot)) == 1
    assert len(list(parsed(plot).iter(f"{SVG}path"))) == 1


def test_an_agreement_that_was_not_computed_says_why_in_its_row():
    plot = forest(row(None, None, None, text="not computed: no case in common"))
    assert marks(plot) == []
    assert "not computed: no case in common" in texts(plot)


def test_agreement_below_chance_stays_within_the_scale():
    assert marks(forest(row(-0.9, -1.0, -0.5)))[0] > 230
