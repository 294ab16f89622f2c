from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner, Result

from her2path.cli import call_table
from her2path.cli.call import call
from her2path.cli.call_columns import RESULTS
from her2path.errors import CaseSheetError, ConfigError

APP = typer.Typer()
APP.command()(call)
GOLDEN = Path(__file__).parents[2] / "golden" / "vectors.csv"
EXPECTED = {
    "expected_ihc_score": "ihc_score",
    "expected_ish_group": "ish_group",
    "expected_final_call": "call",
    "expected_her2_category": "her2_category",
    "expected_comment_required": "comment_required",
}


def ran(*arguments: str | Path) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def table(tmp_path: Path, text: str, name: str = "counts.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


def rows_of(tmp_path: Path, text: str, *more: str, code: int = 0) -> list[dict[str, str]]:
    out = tmp_path / "out" / "calls.csv"
    result = ran("--table", table(tmp_path, text), "--out", out, *more)
    assert result.exit_code == code, (result.output, result.exception)
    return written(out)


def row_of(tmp_path: Path, code: int = 0, /, **cells: str) -> dict[str, str]:
    text = f"{','.join(cells)}\n{','.join(cells.values())}\n"
    return rows_of(tmp_path, text, code=code)[0]


def reason_of(tmp_path: Path, **cells: str) -> str:
    row = row_of(tmp_path, 3, **cells)
    assert (row["call"], row["ihc_score"], row["ish_group"]) == ("faulty", "na", "na")
    return row["reason"]


TWO_PLUS = {"pct_complete_weak_moderate": "40", "pct_none": "60"}
GROUP_2 = {**TWO_PLUS, "nuclei": "20", "her2_signals": "60", "cep17_signals": "28"}


def test_the_published_vectors_come_out_as_expected_from_the_table_as_it_is(tmp_path):
    out = tmp_path / "calls.csv"

    result = ran("--table", GOLDEN, "--out", out)

    assert result.exit_code == 0, result.output
    rows = written(out)
    assert len(rows) == 220
    for row in rows:
        got = {name: row[mine] for name, mine in EXPECTED.items()}
        assert got == {name: row[name] for name in EXPECTED}, row["id"]


def test_the_output_is_the_input_and_then_the_results_in_order(tmp_path):
    text = 'id,lab,ihc,remark\nb,Köln,2+,"two, words"\n\na,,1+,x\n'

    rows = rows_of(tmp_path, text)

    assert list(rows[0]) == ["id", "lab", "ihc", "remark", *RESULTS]
    assert [(r["id"], r["lab"], r["remark"], r["call"]) for r in rows] == [
        ("b", "Köln", "two, words", "needs_ish"),
        ("a", "", "x", "negative"),
    ]


def test_a_row_of_another_tumour_must_name_its_guideline(tmp_path):
    text = "id,ihc,tumour_site,guideline\na,0,biliary,\nb,0,breast,\nc,0,biliary,breast_2018\n"

    rows = rows_of(tmp_path, text, code=3)

    assert [row["call"] for row in rows] == ["faulty", "negative", "negative"]
    assert "guideline: is not named, and the tumour is biliary" in rows[0]["reason"]
    chosen = rows_of(tmp_path, text, "--guideline", "biliary_zanidatamab_2024")
    assert [row["call"] for row in chosen] == ["negative"] * 3


def test_columns_that_are_not_known_are_named_once(tmp_path):
    source, out = table(tmp_path, "ihc,lab,grade\n0,A,1\n1+,B,2\n"), tmp_path / "o.csv"

    assert ran("--table", source, "--out", out).stderr.count("lab, grade") == 1


def test_every_result_is_written_twice_the_same(tmp_path):
    outs = [tmp_path / "1.csv", tmp_path / "2.csv"]
    for out in outs:
        ran("--table", GOLDEN, "--out", out)

    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
@pytest.mark.parametrize("written_as", [".csv", ".tsv", ".parquet"])
def test_csv_tsv_and_parquet_go_in_and_out(tmp_path, suffix, written_as):
    source, out = tmp_path / f"in{suffix}", tmp_path / f"out{written_as}"
    rows = list(csv.DictReader(GOLDEN.read_text(encoding="utf-8").splitlines()))
    if suffix == ".parquet":
        columns = {name: [row[name] or None for row in rows] for name in rows[0]}
        for name in ("n_nuclei", "mean_her2", "pct_none"):
            columns[name] = [None if cell is None else float(cell) for cell in columns[name]]
        pq.write_table(pa.table(columns), source)
    else:
        with source.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)

    assert ran("--table", source, "--out", out).exit_code == 0

    found = pq.read_table(out).to_pylist() if written_as == ".parquet" else written(out)
    assert [row["call"] for row in found] == [row["expected_final_call"] for row in rows]
    if suffix == written_as == ".parquet":
        assert pq.read_schema(out).field("mean_her2").type == pa.float64()


def test_a_row_names_its_guideline_and_the_option_is_for_the_others(tmp_path):
    text = "ihc,guideline\n2+,\n2+,pantumour_tdxd_2024\n"

    rows = rows_of(tmp_path, text, "--guideline", "breast_2018")

    assert [row["call"] for row in rows] == ["needs_ish", "negative"]


def test_the_guideline_of_rows_that_name_none_is_said(tmp_path):
    out = tmp_path / "o.csv"
    some = table(tmp_path, "ihc,guideline\n2+,\n2+,breast_2018\n")
    none = table(tmp_path, "ihc\n2+\n", "none.csv")

    assert (
        "1 rows name no guideline and were called by breast_2007"
        in ran("--table", some, "--out", out, "--guideline", "breast_2007").stdout
    )
    assert json.loads(ran("--table", none, "--out", out, "--json").stdout)["rows_without_guideline"] == 1
    assert "no guideline" not in ran("--table", GOLDEN, "--out", out).stdout


def test_faulty_rows_are_all_named_and_the_others_still_get_their_result(tmp_path):
    source, out = (
        table(
            tmp_path,
            "case_id,ihc,pct_none,n_nuclei,her2_signals,cep17_signals,guideline\n"
            "a,2+,,,,,\n"
            "a,5+,,,,,\n"
            "c,,50,20,-1,NaN,\n"
            "d,,,,,,breast_1998\n"
            "e,1+\n"
            ",1+,,,,,\n"
            "g,3+,,,,,\n",
        ),
        tmp_path / "calls.csv",
    )

    result = ran("--table", source, "--out", out)

    assert result.exit_code == 3
    places = [line.split(":")[0] for line in result.stderr.splitlines()]
    assert places == [
        "row 3, ihc",
        "row 4, pct_none",
        "row 4, her2_signals",
        "row 4, cep17_signals",
        "row 5, guideline",
        "row 5",
        "row 6",
        "row 7, case_id",
    ]
    assert [row["call"] for row in written(out)] == ["needs_ish", *["faulty"] * 5, "positive"]
    assert written(out)[2]["reason"].count(";") >= 2


def test_a_fault_is_named_as_the_table_spells_the_column(tmp_path):
    source = table(tmp_path, "id,n_nuclei,mean_her2,mean_cep17\na,20.5,4,2\n")

    assert (
        "row 2, n_nuclei: must be a whole number"
        in ran("--table", source, "--out", tmp_path / "o.csv").stderr
    )


def test_thousands_of_faults_are_counted_and_not_all_printed(tmp_path):
    source = table(tmp_path, "ihc\n" + "9\n" * 500)

    lines = ran("--table", source, "--out", tmp_path / "o.csv").stderr.splitlines()

    assert len(lines) == 201
    assert lines[-1].startswith("and 300 more faults")


def test_what_cannot_be_evaluated_is_said_with_its_reason(tmp_path):
    row = row_of(tmp_path, 1, **TWO_PLUS, guideline="gastroesophageal_2016")

    assert (row["call"], row["ihc_score"], row["her2_category"]) == ("not_evaluable", "na", "na")
    assert "biopsy otherwise than a resection" in row["reason"]


def test_an_indeterminate_test_gives_its_reason(tmp_path):
    row = row_of(tmp_path, **{**GROUP_2, "nuclei": "19"})

    assert (row["call"], row["ish_group"]) == ("indeterminate", "na")
    assert "fewer than 20 nuclei" in row["reason"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"pct_none": "NaN"}, "pct_none: must be a percentage"),
        ({"pct_none": "inf"}, "pct_none: must be a percentage"),
        ({"pct_none": "-1"}, "pct_none: must be a percentage"),
        ({"pct_none": "all"}, "pct_none: must be a percentage"),
        ({"pct_none": "1e2"}, "pct_none: must be a percentage"),
        ({"pct_none": "100.01"}, "pct_none: must be a percentage"),
        ({"pct_none": "99.99"}, "the percentages sum to 99.99, not to 100"),
        ({"pct_none": "100", "pct_incomplete_faint": "0.1"}, "sum to 100.1"),
        ({"pct_none": "١٠٠"}, "must be a percentage"),
        ({"nuclei": "20", "her2_signals": "NaN", "cep17_signals": "40"}, "her2_signals: must be a whole"),
        ({"nuclei": "20", "her2_signals": "80.5", "cep17_signals": "40"}, "her2_signals: must be a whole"),
        ({"nuclei": "20", "her2_signals": "80", "cep17_signals": ""}, "cep17_signals: is needed beside"),
        ({"nuclei": "20", "mean_her2": "inf", "mean_cep17": "2"}, "mean_her2: must be a number"),
        ({"nuclei": "20", "mean_her2": "-4", "mean_cep17": "2"}, "mean_her2: must be a number"),
        ({"nuclei": "20", "mean_her2": "", "mean_cep17": "2"}, "her2_signals: is needed beside"),
        ({"nuclei": "", "mean_her2": "4", "mean_cep17": "2"}, "nuclei: is needed beside mean_her2"),
        ({"nuclei": "0", "mean_her2": "4", "mean_cep17": "2"}, "nuclei: is 0, but signals"),
        ({"ihc": "2+", "fixation_hours": "long"}, "fixation_hours: must be a number"),
        ({"ihc": "2+", "specimen": "needle"}, "specimen: must be one of resection, biopsy"),
        ({"ihc": "2+", "tumour_site": "knee"}, "tumour_site: must be one of breast"),
        ({"ihc": "2+", "recount_available": "y"}, "recount_available: is yes, but there are no ISH"),
        ({**GROUP_2, "recount_available": "y"}, "recount_available: is yes, but no recount is given"),
        ({**GROUP_2, "recount_blinded": "perhaps"}, "recount_blinded: is given without a recount"),
        ({**GROUP_2, "poor_nuclei": "some"}, "poor_nuclei: must be yes or no"),
        ({**GROUP_2, "second_nuclei": "20"}, "second_her2: is needed beside second_nuclei"),
        ({**GROUP_2, "second_population_pct": "100"}, "second_population_pct: is 100 %"),
        ({**TWO_PLUS, "cluster_cells": "many"}, "cluster_cells: must be a whole number"),
        ({"pct_none": "100", "cluster_cells": "5"}, "by the percentages no cell is stained"),
        ({"ihc": "2+", "cluster_cells": "5"}, "cluster_cells: is given without the percentages"),
        ({"probe": "dual", "pct_none": "100"}, "probe: is dual, but no count is given"),
        ({"probe": "none", "mean_her2": "4"}, "mean_her2: is given, but the probe is none"),
        ({"probe": "single", "nuclei": "20", "her2_signals": "80", "ratio": "2"}, "ratio: a single probe"),
        ({**TWO_PLUS, "note": "[cluster_cell=5]"}, "note: holds the tag [cluster_cell=...]"),
        ({**TWO_PLUS, "cluster_cells": "4", "note": "[cluster_cells=5]"}, "note: says cluster_cells=5"),
        (
            {**TWO_PLUS, "note": "[cluster_cells=5] [cluster_cells=6]"},
            "note: gives [cluster_cells=...] twice",
        ),
        (
            {**TWO_PLUS, "cluster_cells": "4", "cluster_cells_weak_moderate": "5"},
            "contradicts cluster_cells_weak",
        ),
        ({**TWO_PLUS, "cluster_cells_strong": "4"}, "cluster_cells_strong: is 4, but by the percentages"),
        ({**GROUP_2, "probe": "triple"}, "probe: must be one of dual, single, none (found 'triple')"),
        ({**GROUP_2, "areas": "two"}, "areas: must be a whole number"),
        ({"nuclei": "20", "her2_signals": "80", "cep17_signals": "0", "ratio": "2"}, "ratio: is given, but"),
        ({**TWO_PLUS, "ihc": "3+"}, "ihc: says 3+, but the percentages are 2+ by breast_2023"),
    ],
)
def test_what_is_no_number_or_contradicts_itself_is_refused_and_never_called(tmp_path, cells, message):
    assert message in reason_of(tmp_path, **cells)


def test_an_empty_staining_class_is_zero_only_beside_others_that_sum_to_100(tmp_path):
    assert row_of(tmp_path, pct_complete_intense="", pct_none="100")["ihc_score"] == "0"
    assert "sum to 60" in reason_of(tmp_path, pct_complete_intense="", pct_none="60")


def test_what_was_not_counted_is_not_taken_for_zero(tmp_path):
    counted = row_of(tmp_path, ihc="2+", nuclei="20", her2_signals="80", cep17_signals="0")

    assert "ISH-REJECT-NO-CEP17" in counted["rule_trail"]
    assert "is needed" in reason_of(tmp_path, ihc="2+", nuclei="20", her2_signals="80", cep17_signals="")


def recount(nuclei: str, **more: str) -> dict[str, str]:
    return {**GROUP_2, "recount_nuclei": nuclei, "recount_her2": "90", "recount_cep17": "42", **more}


def test_more_recounted_nuclei_than_nuclei_are_refused_with_the_remedy(tmp_path):
    reason = reason_of(tmp_path, **recount("30"))

    assert reason.startswith("recount_nuclei: is 30, but the first count has only 20 nuclei")
    assert "recount_other_nuclei" in reason


def test_a_second_observer_may_have_counted_other_nuclei(tmp_path):
    row = row_of(tmp_path, **recount("30", recount_other_nuclei="yes"))

    assert (row["call"], row["her2_category"], row["comment_required"]) == ("negative", "low", "y")


def test_further_nuclei_of_the_stomach_are_added_and_never_the_same_ones(tmp_path):
    cells = {
        **TWO_PLUS, "guideline": "gastroesophageal_2016", "specimen": "resection",
        "nuclei": "20", "her2_signals": "100", "cep17_signals": "70",
        "recount_nuclei": "40", "recount_her2": "272", "recount_cep17": "140",
    }  # fmt: skip

    assert row_of(tmp_path, **cells)["call"] == "positive"
    assert "so they must be others" in reason_of(tmp_path, **cells, recount_other_nuclei="no")


def test_means_of_further_nuclei_need_their_number_where_it_decides(tmp_path):
    cells = {
        **TWO_PLUS, "guideline": "gastroesophageal_2016", "specimen": "resection",
        "nuclei": "20", "her2_signals": "100", "cep17_signals": "70",
        "recount_mean_her2": "7", "recount_mean_cep17": "3.6",
    }  # fmt: skip

    assert "recount_nuclei: is needed" in reason_of(tmp_path, **cells)


@pytest.mark.parametrize(
    ("note", "column"), [("", "strong"), ("[incomplete_intensity=strong]", "")], ids=["column", "note"]
)
def test_moderate_and_strong_are_asked_for_only_where_they_decide(tmp_path, note, column):
    stomach = {"guideline": "gastroesophageal_2016", "specimen": "resection"}
    cells = {"pct_incomplete_moderate_intense": "30", "pct_none": "70"}

    assert row_of(tmp_path, **cells)["ihc_score"] == "2+"
    assert "incomplete_intensity: is needed" in reason_of(tmp_path, **cells, **stomach)
    assert row_of(tmp_path, **cells, **stomach, note=note, incomplete_intensity=column)["ihc_score"] == "3+"


@pytest.mark.parametrize(
    ("cells", "call"),
    [
        pytest.param({"pct_complete_intense": "1", "cluster_cells": "5"}, "positive", id="strong, 5 cells"),
        pytest.param({"pct_complete_intense": "1", "cluster_cells": "4"}, "negative", id="strong, 4 cells"),
        pytest.param(
            {"pct_incomplete_faint": "1", "cluster_cells_faint": "5"}, "negative", id="faint cells by level"
        ),
        pytest.param(
            {"pct_complete_intense": "1", "pct_incomplete_faint": "1", "cluster_cells": "4"},
            "not_evaluable",
            id="the cluster of weaker cells is not known",
        ),
    ],
)
def test_the_clusters_of_a_biopsy_decide(tmp_path, cells, call):
    stained = sum(int(cells.get(name, "0")) for name in ("pct_complete_intense", "pct_incomplete_faint"))
    biopsy = {"guideline": "gastroesophageal_2016", "specimen": "biopsy", "pct_none": str(100 - stained)}

    assert row_of(tmp_path, int(call == "not_evaluable"), **cells, **biopsy)["call"] == call


def test_a_cluster_of_strong_cells_is_no_larger_than_one_of_all_stained_cells(tmp_path):
    cells = {"pct_complete_intense": "1", "pct_none": "99", "cluster_cells_strong": "6"}

    assert "fewer than the 6 cells" in reason_of(tmp_path, **cells, cluster_cells_faint="5")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "file: is empty", id="empty"),
        pytest.param("case_id,ihc\n", "file: no rows", id="header alone"),
        pytest.param("ihc,ihc\n2+,2+\n", "row 1, ihc: column appears twice", id="a column twice"),
        pytest.param("nuclei,n_nuclei\n20,20\n", "row 1, n_nuclei: means the same as 'nuclei'", id="alias"),
        pytest.param("her2_signal,ihc\n4,2+\n", "row 1, her2_signal: unknown, but much like", id="slip"),
        pytest.param("IHC,pct_none\n0,100\n", "row 1, IHC: unknown, but much like 'ihc'", id="capitals"),
        pytest.param("ihc,IHC score\n0,3+\n", "row 1, IHC score: unknown, but much like", id="results"),
        pytest.param("ihc,call\n2+,x\n", "row 1, call: is a column that the output adds", id="own column"),
        pytest.param("ihc,\n2+,x\n", "row 1, (no name): column has no name", id="no name"),
        pytest.param('ihc\n"2+\n0\n', "row 2: is no table", id="a quote that never ends"),
        pytest.param(f"ihc\n{'2' * 200_000}\n", "row 2: is no table", id="an endless cell"),
        pytest.param("case_id;ihc\na;2+\n", "row 1: columns are separated by semicolons", id="semicolons"),
        pytest.param("case_id\tihc\na\t2+\n", "row 1: columns are separated by tabs", id="tabs in .csv"),
    ],
)
def test_a_table_that_cannot_be_read_safely_is_refused_as_a_whole(tmp_path, text, message):
    out = tmp_path / "calls.csv"

    result = ran("--table", table(tmp_path, text), "--out", out)

    assert isinstance(result.exception, CaseSheetError), result.output
    assert any(str(fault).startswith(message) for fault in result.exception.faults)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--ihc", "2+"), "--ihc: cannot be given with --table"),
        (("--single-probe",), "--probe: cannot be given with --table"),
        (("--explain",), "--explain: cannot be given with --table"),
        (("--nuclei-table", "n.csv"), "--nuclei-table: cannot be given with --table"),
        (("--guideline", "breast_1998"), "--guideline: guideline 'breast_1998' is unknown"),
        (("--compare", "breast_2013"), "--compare: name two guidelines or more"),
        (("--out", "calls.xlsx"), "--out: 'calls.xlsx' does not end in .csv, .tsv, .parquet"),
        (("--out", "t.csv"), "--out: is the table itself"),
        ((), "--out: say where to write"),
    ],
)
def test_options_that_do_not_belong_to_a_table_are_refused(arguments, message):
    result = ran("--table", "t.csv", *arguments)

    assert isinstance(result.exception, ConfigError), result.output
    assert any(fault.startswith(message) for fault in result.exception.faults)


def test_a_cohort_shows_what_a_change_of_guideline_changes(tmp_path):
    text = "id,pct_complete_weak_moderate,pct_none,nuclei,her2_signals,cep17_signals\n"
    text += "a,40,60,20,160,40\n" * 3 + "b,0,100,20,60,28\n" * 2 + "c,0,100,20,40,40\n" + "d,0,99,20,40,40\n"
    source, out = table(tmp_path, text), tmp_path / "calls.csv"

    result = ran("--table", source, "--out", out, "--compare", "breast_2013,breast_2018")

    assert result.exit_code == 3
    assert "2 of 6 cases change" in result.output
    assert "positive -> negative: 2" in result.output
    assert "negative" in result.output.split("breast_2018 (columns)")[1].splitlines()[1]
    row = written(out)[3]
    assert [row[f"{name}_{g}"] for g in ("breast_2013", "breast_2018") for name in ("call", "ish_group")] == [
        "positive", "2", "negative", "2",
    ]  # fmt: skip


def test_no_result_of_a_comparison_is_cut_off(tmp_path):
    out = tmp_path / "calls.csv"

    text = ran("--table", GOLDEN, "--out", out, "--compare", "breast_2013,breast_2018").output

    assert "…" not in text
    assert "needs adjudication" in text
    assert "positive -> negative: 11" in text


def test_the_summary_of_a_table_is_there_as_json(tmp_path):
    source, out = table(tmp_path, "ihc\n3+\n0\n9\n"), tmp_path / "calls.csv"

    result = ran("--table", source, "--out", out, "--json", "--compare", "breast_2007,breast_2023")

    found = json.loads(result.stdout)
    assert (found["rows"], found["calls"]) == (3, {"faulty": 1, "negative": 1, "positive": 1})
    assert found["faults"][0]["row"] == 4
    (change,) = found["reclassifications"]
    assert (change["before"], change["after"], change["cases"], change["unchanged"]) == (
        "breast_2007", "breast_2023", 2, 2,
    )  # fmt: skip


def test_a_score_that_fits_its_own_guideline_does_not_bind_the_compared_ones(tmp_path):
    text = "ihc,pct_complete_intense,pct_none\n3+,25,75\n"

    (row,) = rows_of(tmp_path, text, "--compare", "breast_2007,breast_2018")

    assert (row["ihc_score_breast_2007"], row["ihc_score_breast_2018"]) == ("2+", "3+")


def test_what_only_another_guideline_asks_for_is_said_beside_its_call(tmp_path):
    text = "specimen,pct_incomplete_moderate_intense,pct_none\nresection,30,70\n"

    (row,) = rows_of(tmp_path, text, "--compare", "breast_2018,gastroesophageal_2016")

    assert (row["call"], row["call_breast_2018"]) == ("needs_ish", "needs_ish")
    assert row["call_gastroesophageal_2016"] == "faulty"
    assert row["reason_gastroesophageal_2016"].startswith("incomplete_intensity: is needed")


def test_a_long_table_is_shared_among_processes_and_comes_out_the_same(tmp_path, monkeypatch):
    one, shared = tmp_path / "one.csv", tmp_path / "shared.csv"
    ran("--table", GOLDEN, "--out", one, "--compare", "breast_2013,breast_2018")
    monkeypatch.setattr(call_table, "_MIN_SHARE", 100)

    ran("--table", GOLDEN, "--out", shared, "--compare", "breast_2013,breast_2018")

    assert shared.read_bytes() == one.read_bytes()


def test_text_that_a_spreadsheet_would_run_is_disarmed_and_numbers_are_not(tmp_path):
    row = rows_of(tmp_path, "id,ihc,delta,remark\n=1+1,0,-1.5,@x\n")[0]

    assert (row["id"], row["delta"], row["remark"]) == ("'=1+1", "-1.5", "'@x")
