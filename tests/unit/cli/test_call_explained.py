"""What `her2path call --explain` prints of a case that hangs on chance or on a second population."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from her2path.cli.call import call

APP = typer.Typer()
APP.command()(call)
MAIN = ("--ihc", "2+", "--nuclei", "40", "--her2-signals", "80", "--cep17-signals", "80")
SECOND = ("--second-nuclei", "20", "--second-her2", "80", "--second-cep17", "40")
"""On a ratio of 2.0 and on 4.0 copies."""


def printed(*arguments: str, columns: int = 80) -> str:
    result = CliRunner().invoke(APP, list(arguments), env={"COLUMNS": str(columns)})
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def explained(*arguments: str) -> str:
    return printed(*arguments, "--explain")


def test_the_population_that_decides_is_explained_beside_the_main_one():
    text = explained(*MAIN, "--second-population-pct", "12", *SECOND)

    main, second = text.split("How firm is the count: second population")
    assert (
        "Cut-points of the second population number value cut distance unit HER2/CEP17 ratio 2.00 2 0.00"
        in main
    )
    assert "How firm is the count: main population Another count of 40 nuclei" in main
    assert "Another count of 20 nuclei would give another ISH result about 2 in 3 times" in second
    assert "1 fewer HER2 signal would make it ISH group 5." in second


def test_each_population_is_printed_with_its_comments_and_none_twice():
    uncounted = printed(*MAIN, "--second-population-pct", "12")

    assert "main population, NOTE-LOW: The level of HER2 expression" in uncounted
    assert "second population, ACT-COUNT-SECOND: see below" in uncounted
    assert uncounted.count("ACT-COUNT-SECOND:") == 2


def test_the_cut_points_without_an_explanation_are_said_to_be_those_of_the_main_population():
    assert "Cut-points (main population)" in printed(*MAIN, "--second-population-pct", "12", *SECOND)


@pytest.mark.parametrize(
    ("typed", "share"), [("10.01", "10.01 %"), ("10.0000001", "10.0000001 %"), ("12.50", "12.5 %")]
)
def test_a_share_above_its_cut_is_never_printed_as_the_cut(typed, share):
    text = explained(*MAIN, "--second-population-pct", typed, *SECOND)

    assert f"second {share} positive" in text
    assert f"ISH group 1 in {share} of the cells" in text
    assert "Second population 10 %" not in text
    assert "Second population 10.00 %" not in text


def test_identical_nuclei_on_both_cuts_are_not_said_to_be_safe(tmp_path):
    source = tmp_path / "nuclei.csv"
    source.write_text("her2,cep17\n" + "4,2\n" * 20, encoding="utf-8")

    text = explained("--ihc", "2+", "--nuclei-table", str(source))

    assert "The 20 counted nuclei are all alike" in text
    assert "1 fewer HER2 signal would make it ISH group 5." in text
    assert "never" not in text
    assert " 0 %" not in text


def test_findings_are_not_printed_as_numbers_after_the_words_that_name_them():
    text = explained("--ihc", "3+")

    assert "because IHC 3+, ISH not done" in text
    assert "not_done" not in text
    assert "numbers:" not in text


def test_a_count_that_cannot_be_read_says_why_nothing_is_known_of_another():
    text = explained("--ihc", "2+", "--nuclei", "10", "--her2-signals", "40", "--cep17-signals", "20")

    assert "The chance of another result cannot be told: the count cannot be read" in text


def test_cut_points_are_named_in_words_and_not_cut_off_in_a_narrow_terminal():
    text = printed("--pct-incomplete-faint", "12", "--pct-none", "88", columns=50)

    assert "pct_" not in text
    assert "…" not in text
    assert "10 %" in text
