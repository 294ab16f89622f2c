from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from her2path.cli.call import call
from her2path.cli.call_inputs import COLUMNS, TypedCase, call_typed
from her2path.domain.decision import CaseEvidence
from her2path.domain.guideline.registry import find_guideline
from her2path.errors import CaseSheetError, ConfigError
from her2path.io.documents import CallDoc
from her2path.reports import calls_table

APP = typer.Typer()
APP.command()(call)
GOLDEN = Path(__file__).parents[2] / "golden" / "vectors.csv"
GROUP_2 = ("--nuclei", "20", "--her2-signals", "60", "--cep17-signals", "28")


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(APP, list(arguments))


def called(*arguments: str) -> CallDoc:
    result = ran(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return CallDoc.model_validate_json(result.output)


def faults(*arguments: str) -> tuple[str, ...]:
    result = ran(*arguments)
    assert isinstance(result.exception, ConfigError), result.output
    return result.exception.faults


def test_a_stated_score_alone_is_enough_for_a_call():
    document = called("--ihc", "2+")

    assert (document.state, document.ihc_score, document.guideline) == ("needs_ish", "2+", "breast_2023")
    assert document.schema_version == "call/2"
    assert "score_stated" in document.flags


def test_percentages_are_scored_exactly():
    document = called("--pct-incomplete-faint", "10.000000001", "--pct-none", "89.999999999")

    assert (document.ihc_score, document.her2_category) == ("1+", "low")


def test_counts_recount_areas_and_guideline_reach_the_call():
    document = called(
        "--ihc", "2+", *GROUP_2, "--areas", "2", "--recount-nuclei", "20", "--recount-her2", "64",
        "--recount-cep17", "30", "--guideline", "breast_2018", "--case-id", "S-1",
        "--ihc-controls", "pass", "--ish-controls", "pass",
    )  # fmt: skip

    assert (document.state, document.ish_group, document.case_id) == ("negative", "2", "S-1")
    assert (document.guideline, [c.code for c in document.comments]) == ("breast_2018", ["G2"])
    assert (document.ish["areas"], document.recount["her2_signals"]) == (2, 64)
    assert list(document.flags) == ["low_with_ratio_at_least_2", "near_ratio_cut", "score_stated"]


def test_a_single_probe_needs_no_cep17():
    document = called("--single-probe", "--nuclei", "20", "--her2-signals", "120")

    assert (document.state, document.ish_group) == ("positive", "amplified")


def test_people_read_state_trail_distance_comment_and_flags():
    text = ran("--ihc", "2+", *GROUP_2).output

    for part in (
        "a recount is needed",
        "blinded to the first",
        "CALL-G2-IHC-2",
        "her2_cep17_ratio",
        "+0.143",
        "ACT-RECOUNT",
        "areas_not_stated",
    ):
        assert part in text, part


def test_the_overlay_is_printed_with_its_basis():
    assert "DESTINY-Breast06" in ran("--pct-none", "100").output


def test_a_failed_control_is_an_indeterminate_result_not_an_error():
    assert called("--ihc", "3+", "--ihc-controls", "fail").state == "indeterminate"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((), "gives neither an IHC score", id="nothing"),
        pytest.param(("--ihc", "2"), "--ihc: must be one of 0, 1+, 2+, 3+ (found '2')", id="no such score"),
        pytest.param(("--pct-none", "nan"), "--pct-none: must be a percentage", id="not a number"),
        pytest.param(("--pct-none", "inf"), "--pct-none: must be a percentage", id="infinite"),
        pytest.param(("--pct-none", "-1"), "--pct-none: must be a percentage", id="negative percentage"),
        pytest.param(("--pct-none", "100.5"), "--pct-none: must be a percentage", id="more than 100"),
        pytest.param(("--pct-none", "1e2"), "--pct-none: must be a percentage", id="scientific notation"),
        pytest.param(("--pct-none", "99.9"), "sum to 99.9, not to 100", id="sum is not 100"),
        pytest.param(("--ihc", "2+", "--pct-none", "100"), "the percentages are 0", id="score contradicts"),
        pytest.param(("--nuclei", "20.5"), "--nuclei: must be a whole number", id="half a nucleus"),
        pytest.param(("--nuclei", "20"), "--her2-signals: is needed beside nuclei", id="no HER2"),
        pytest.param(GROUP_2[:4], "--cep17-signals: is needed", id="dual probe without CEP17"),
        pytest.param(("--single-probe", *GROUP_2), "a single probe has no CEP17", id="single with CEP17"),
        pytest.param(
            ("--nuclei", "0", "--her2-signals", "3", "--cep17-signals", "0"),
            "--nuclei: is 0, but signals were counted",
            id="signals without nuclei",
        ),
        pytest.param(("--ihc", "2+", "--areas", "2"), "--areas: is given without ISH", id="areas alone"),
        pytest.param(
            ("--recount-nuclei", "20", "--recount-her2", "60", "--recount-cep17", "28"),
            "a recount needs a first count",
            id="recount alone",
        ),
        pytest.param(
            ("--ihc", "2+", "--ihc-controls", "ok"), "--ihc-controls: must be one of", id="controls"
        ),
        pytest.param(("--ihc", "2+", "--guideline", "breast_1998"), "--guideline: guideline", id="guideline"),
        pytest.param(("--ihc", "2+", "--case-id", "../x"), "--case-id: '../x' cannot be an id", id="id"),
        pytest.param(("--out", "x.csv"), "--table: is missing", id="out without table"),
    ],
)
def test_a_faulty_option_is_named_with_what_to_do(arguments, message):
    assert any(message in fault for fault in faults(*arguments))


def test_all_faults_are_reported_at_once():
    assert len(faults("--ihc", "9", "--nuclei", "-3", "--guideline", "x", "--pct-none", "7")) >= 4


def test_a_case_without_numbers_is_never_called():
    with pytest.raises(ConfigError, match="neither IHC nor ISH"):
        call_typed(TypedCase("x", find_guideline("breast_2023"), CaseEvidence()))


def test_a_score_and_percentages_that_agree_are_accepted():
    assert called("--ihc", "0", "--pct-none", "100").ihc_score == "0"


def test_a_failed_stain_is_not_compared_with_the_stated_score():
    assert called("--ihc", "2+", "--pct-none", "100", "--ihc-controls", "fail").state == "indeterminate"


def test_flags_and_cuts_are_left_out_where_there_are_none():
    text = ran("--ihc", "3+").output

    assert "Cut-points" not in text
    assert "HER2 positive" in text


def test_a_table_cannot_be_mixed_with_options():
    found = faults("--table", "t.csv", "--ihc", "2+", "--single-probe", "--json")

    assert [fault.split(":")[0] for fault in found] == ["--ihc", "--probe", "--json", "--out"]


def table(tmp_path: Path, text: str, name: str = "counts.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(tmp_path: Path, source: Path, *more: str) -> list[dict[str, str]]:
    out = tmp_path / "out" / "calls.csv"
    result = ran("--table", str(source), "--out", str(out), *more)
    assert result.exit_code == 0, (result.output, result.exception)
    return list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))


def test_a_table_gives_one_row_a_case_in_its_order(tmp_path):
    source = table(
        tmp_path,
        "\ufeffcase_id,guideline,ihc,nuclei,her2_signals,cep17_signals,probe\n"
        "b,,2+,20,160,40,\n"
        "\n"
        "a,breast_2018,1+,,,,\n"
        "c,,,20,120,,single\n",
    )

    rows = rows_of(tmp_path, source)

    assert [(r["case_id"], r["guideline"], r["state"]) for r in rows] == [
        ("b", "breast_2023", "positive"),
        ("a", "breast_2018", "negative"),
        ("c", "breast_2023", "positive"),
    ]
    assert tuple(rows[0]) == calls_table.COLUMNS


def test_a_table_may_be_tab_separated_and_its_guideline_set_for_all(tmp_path):
    source = table(tmp_path, "case_id\tpct_none\na\t100\n", "counts.tsv")

    assert rows_of(tmp_path, source, "--guideline", "breast_2018")[0]["guideline"] == "breast_2018"


def sheet_faults(tmp_path: Path, source: Path) -> list[str]:
    result = ran("--table", str(source), "--out", str(tmp_path / "calls.csv"))
    assert isinstance(result.exception, CaseSheetError), result.output
    assert not (tmp_path / "calls.csv").exists()
    return [str(fault) for fault in result.exception.faults]


def test_every_fault_of_a_table_is_named_by_row_and_column(tmp_path):
    source = table(
        tmp_path,
        "case_id,ihc,pct_none,nuclei,her2_signals,cep17_signals,guideline\n"
        "a,2+,,,,,\n"
        "a,5+,,,,,\n"
        "../b,2+,,,,,\n"
        "c,,50,20,-1,NaN,\n"
        "d,,,,,,breast_1998\n"
        "e,1+\n"
        ",1+,,,,,\n",
    )

    found = sheet_faults(tmp_path, source)

    places = [fault.split(":")[0] for fault in found]
    assert places == [
        "row 3, ihc",
        "row 3, case_id",
        "row 4, case_id",
        "row 5, pct_none",
        "row 5, her2_signals",
        "row 5, cep17_signals",
        "row 6, guideline",
        "row 6",
        "row 7",
        "row 8, case_id",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "file: is empty", id="empty"),
        pytest.param("case_id,ihc\n", "file: no rows", id="header alone"),
        pytest.param("ihc\n2+\n", "row 1, case_id: column is missing", id="no case_id"),
        pytest.param("case_id,ihc,ihc\na,2+,2+\n", "row 1, ihc: column appears twice", id="a column twice"),
        pytest.param("case_id,HER2\na,2+\n", "row 1, HER2: unknown column", id="unknown column"),
        pytest.param('case_id,ihc\na,"2+\nb,0\n', "row 3: is no table", id="a quote that never ends"),
        pytest.param("case_id,ihc\na,\0\n", "row 2, ihc: must be one of", id="a NUL byte"),
        pytest.param(f"case_id,ihc\na,{'2' * 200_000}\n", "row 2: is no table", id="an endless cell"),
        pytest.param("case_id,\na,2+\n", "row 1, (no name): unknown column", id="column without a name"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, text, message):
    assert any(fault.startswith(message) for fault in sheet_faults(tmp_path, table(tmp_path, text)))


def test_a_table_that_is_not_there_or_not_text_is_refused(tmp_path):
    assert "cannot be read" in sheet_faults(tmp_path, tmp_path / "nowhere.csv")[0]
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in sheet_faults(tmp_path, binary)[0]


def test_options_and_columns_have_the_same_names():
    text = ran("--help").output.replace("…", "")
    parameters = set(call.__annotations__) - {"return", "as_json", "table", "out", "single_probe"}

    assert parameters | {"probe"} == set(COLUMNS)
    assert "--single-probe" in text


def test_the_page_for_pathologists_names_every_column():
    page = (GOLDEN.parents[2] / "docs" / "guidelines.md").read_text(encoding="utf-8")

    assert [name for name in COLUMNS if f"`{name}`" not in page] == []


def test_golden_percentages_survive_the_table(tmp_path):
    golden = [
        row
        for row in csv.DictReader(GOLDEN.read_text(encoding="utf-8").splitlines())
        if row["guideline"] in {"breast_2018", "breast_2023"} and row["probe"] == "none"
    ]
    names = ["case_id", "guideline", *(name for name in COLUMNS if name.startswith("pct_"))]
    lines = [",".join([row["id"], row["guideline"], *(row[name] for name in names[2:])]) for row in golden]
    source = table(tmp_path, "\n".join([",".join(names), *lines]) + "\n")

    rows = rows_of(tmp_path, source)

    assert len(rows) == len(golden) > 20
    for row, expected in zip(rows, golden, strict=True):
        assert (row["ihc_score"], row["state"]) == (
            expected["expected_ihc_score"],
            expected["expected_final_call"],
        ), expected["id"]


def test_json_is_the_same_on_every_run_and_holds_no_path(tmp_path):
    first, second = (ran("--ihc", "2+", *GROUP_2, "--json").output for _ in range(2))

    assert first == second
    assert json.loads(first)["inputs"] == {}
