"""The calls of a run are read as those of one reader."""

from __future__ import annotations

import pytest

from her2path.domain.ihc import StainingClass
from her2path.errors import ArtefactError, ConfigError
from her2path.io.software_calls import calls_file, read_calls

HEADER = "case_id,status,state,ihc_score,her2_category,ish_group,guideline,pct_none,nuclei,her2_signals"


def written(path, *rows, header=HEADER):
    path.write_text("\r\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def test_calls_with_what_was_measured(tmp_path):
    path = written(
        tmp_path / "calls.csv",
        "c1,evaluated,negative,0,null,,breast_2023,98.5,,",
        "c2,evaluated,needs_recount,2+,,2,breast_2023,10.0,20,70",
        "c3,not_evaluable,not_evaluable,,,,breast_2023,,,",
    )

    first, second, third = read_calls(path)

    assert (first.call, first.score, first.category) == ("negative", "0", "0")
    assert first.percentages == {StainingClass.NONE: 98.5}
    assert (second.category, second.ish_group, second.her2, second.nuclei) == (None, "2", 70, 20)
    assert (third.call, third.score, third.percentages, third.her2) == ("not_evaluable", None, {}, None)


def test_the_results_folder_or_the_table_itself(tmp_path):
    path = written(tmp_path / "calls.csv")

    assert calls_file(tmp_path) == calls_file(path) == path


def test_no_table_at_that_place(tmp_path):
    with pytest.raises(ConfigError, match="give the results folder of a run"):
        calls_file(tmp_path)


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("case_id,call", "c1,negative", "is no table of calls of a run .no column state, ihc_score"),
        (HEADER, "c1,evaluated,maybe,0,null,,breast_2023,,,", "row 2 .case 'c1'. is no call"),
        (HEADER, ",evaluated,negative,0,null,,breast_2023,,,", "row 2 is no call .case or guideline"),
        (HEADER, "c1,evaluated,negative", "row 2 .case 'c1'. is no call"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, header, row, message):
    with pytest.raises(ArtefactError, match=message):
        read_calls(written(tmp_path / "calls.csv", row, header=header))


def test_a_case_that_stands_twice_is_refused(tmp_path):
    row = "c1,evaluated,negative,0,null,,breast_2023,98.5,,"

    with pytest.raises(ArtefactError, match="case 'c1' stands in row 2 and in row 3"):
        read_calls(written(tmp_path / "calls.csv", row, row))


GOOD = "c1,evaluated,negative,0,null,,breast_2023,,,"


def test_a_table_that_was_cut_off_is_refused(tmp_path):
    path = written(tmp_path / "calls.csv", GOOD)
    path.write_bytes(path.read_bytes()[:-2])

    with pytest.raises(ArtefactError, match="cut off; run `her2path run` again"):
        read_calls(path)


@pytest.mark.parametrize("row", [GOOD.rsplit(",", 1)[0], f"{GOOD},1"])
def test_a_row_with_other_cells_than_the_header_is_refused(tmp_path, row):
    with pytest.raises(
        ArtefactError, match="row 2 .case 'c1'. is no call .it has (9|11) cells, the header 10"
    ):
        read_calls(written(tmp_path / "calls.csv", row))


def test_all_faults_are_named_at_once_with_the_case(tmp_path):
    rows = (
        GOOD,
        "c2,evaluated,maybe,0,null,,breast_2023,,,",
        "c3,evaluated,negative,7+,,,breast_2023,,,",
        GOOD,
    )

    with pytest.raises(ArtefactError) as caught:
        read_calls(written(tmp_path / "calls.csv", *rows))

    for part in (
        "row 3 (case 'c2') is no call",
        "row 4 (case 'c3') is no call",
        "case 'c1' stands in row 2 and in row 5",
    ):
        assert part in str(caught.value)


def test_an_unknown_guideline_names_the_table(tmp_path):
    with pytest.raises(ArtefactError, match="calls.csv.*row 2.*'breast_2099' is unknown"):
        read_calls(written(tmp_path / "calls.csv", GOOD.replace("breast_2023", "breast_2099")))
