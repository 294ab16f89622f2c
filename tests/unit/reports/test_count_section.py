"""Findings on a FISH count as a page prints them: spread, shares, rejections, a second population."""

from __future__ import annotations

import pytest

from her2path.io.count_entries import FishCountsResult
from her2path.io.fish_entries import BleedThrough, ChannelOptics, FishSignalsResult, SingleSignalEntry
from her2path.reports.count_section import findings_of, optics_rows
from tests.support.count_quality import quality_of

MAIN = [(2, 2)] * 20 + [(1, 1)] * 8 + [(3, 2)] * 8


def counted(nuclei, **quality):
    her2 = sum(pair[0] for pair in nuclei)
    cep17 = None if nuclei[0][1] is None else sum(pair[1] for pair in nuclei)
    return FishCountsResult(
        nuclei=tuple(nuclei),
        her2_signals=her2,
        cep17_signals=cep17,
        excluded_nuclei={},
        nuclei_with_clusters=0,
        quality=quality_of(her2 + (cep17 or 0), **quality),
        areas=1,
    )


def test_spread_is_over_the_nuclei_of_all_images():
    rows = findings_of({"a": counted(MAIN[:20]), "b": counted(MAIN[20:])}, 0).spread
    assert [row.name for row in rows] == [
        "HER2 signals per nucleus",
        "CEP17 signals per nucleus",
        "Ratio of the sums",
    ]
    assert (rows[0].value, rows[0].span) == ("2.00", "1 to 3")
    assert rows[2].value == "1.12"
    assert " to " in rows[2].fieller


def test_a_number_beside_a_cut_of_the_guideline_is_not_rounded_to_it():
    nuclei = [(4, 2)] * 499 + [(3, 2)]
    rows = findings_of({"a": counted(nuclei)}, 0, ratio_cuts=(2.0,), copy_cuts=(4.0,)).spread
    assert (rows[0].value, rows[2].value) == ("3.998", "1.999")


def test_a_single_probe_has_no_row_of_cep17_nor_of_a_ratio():
    found = findings_of({"a": counted([(her2, None) for her2, _ in MAIN])}, 0)
    assert [row.name for row in found.spread] == ["HER2 signals per nucleus"]
    assert [row.label for row in found.shares] == ["Nuclei with clusters (copies are estimates)"]
    assert found.chromosome_17 == ""


def test_an_interval_that_is_not_stated_says_why():
    rows = findings_of({"a": counted([(2, 2), (3, 1)])}, 0).spread
    assert rows[0].bootstrap.startswith("none: an interval over fewer than 10 nuclei")


@pytest.mark.parametrize(
    ("quality", "row", "verdict"),
    [
        pytest.param({"weak": 46}, 0, "within", id="25 % weak: on the cut"),
        pytest.param({"weak": 47}, 0, "rejects the count", id="more than 25 % weak"),
        pytest.param({"cytoplasmic": 16}, 1, "rejects the count", id="more than 10 % over cytoplasm"),
        pytest.param({"unresolved": (21, 40)}, 2, "rejects the count", id="most nuclei out of focus"),
        pytest.param({"obscured": (3, 8)}, 3, "too few to tell", id="eight nuclei"),
    ],
)
def test_what_would_reject_the_count_is_said_with_its_numbers(quality, row, verdict):
    nuclei = [(2, 2)] * 34 + [(1, 1)]
    assert findings_of({"a": counted(nuclei, **quality)}, 0).quality[row].verdict == verdict


def test_a_suggested_population_is_shown_with_the_images_that_hold_it():
    found = findings_of({"a": counted(MAIN), "b": counted([(16, 2)] * 6)}, 0).second
    assert found.share == "6 of 42 counted nuclei (14.3 %)"
    assert found.nuclei == "a: 0 of 36; b: 6 of 6"
    assert [(row.nuclei, row.her2_mean) for row in found.rows] == [("6", "16.00"), ("36", "2.00")]
    assert not found.ratio_alike


def test_one_population_is_not_mentioned():
    assert findings_of({"a": counted(MAIN)}, 0).second is None


def test_polysomy_is_a_note_that_says_it_is_no_result():
    found = findings_of({"a": counted([(4, 3)] * 20 + [(3, 3)])}, 0)
    assert found.chromosome_17.startswith("Polysomy 17")
    assert "not a result" in found.chromosome_17


def test_optics_say_what_was_learnt_and_leave_open_what_was_not():
    single = SingleSignalEntry(sigma_um=0.18, diameter_um=0.5, height=900.0, snr=44.6)
    optics = FishSignalsResult(
        channels=(
            ChannelOptics(role="her2", single=single, shift_x_um=0.12, shift_y_um=-0.05),
            ChannelOptics(role="cep17", false_signals_per_nucleus=0.0),
        ),
        bleed_through=(BleedThrough(source="cep17", target="her2", share=0.033),),
    )
    her2, cep17 = optics_rows(optics)
    assert (her2.channel, her2.diameter, her2.snr) == ("HER2", "0.50 µm", "45")
    assert her2.shift == "0.12, \N{MINUS SIGN}0.05 µm"
    assert (her2.bleed, cep17.bleed) == ("3.3 % of CEP17", "–")
    assert (cep17.diameter, cep17.shift, cep17.false_signals) == ("–", "–", "< 0.001")


def test_without_optics_there_is_no_table():
    assert optics_rows(None) == ()
