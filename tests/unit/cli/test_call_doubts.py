"""What a typed case leaves in doubt, or says in two ways that cannot both be."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from her2path.cli.call import call
from her2path.cli.call_columns import header_faults
from her2path.cli.call_inputs import read_case
from her2path.cli.call_table import needs_comment
from her2path.domain.decision import CaseCall, call_case
from her2path.domain.verdict import NotEvaluable

APP = typer.Typer()
APP.command()(call)


def case(guideline: str = "breast_2018", /, **cells: str):
    return read_case(cells, guideline=guideline)


def called(guideline: str = "breast_2018", /, **cells: str) -> CaseCall:
    found, faults = case(guideline, **cells)
    assert found is not None, faults
    call = call_case(found.evidence, found.guideline)
    assert not isinstance(call, NotEvaluable), call
    return call


def flags(guideline: str = "breast_2018", /, **cells: str) -> list[str]:
    found, faults = case(guideline, **cells)
    assert found is not None, faults
    return [str(flag) for flag in found.flags]


def reasons(guideline: str = "breast_2018", /, **cells: str) -> list[str]:
    found, faults = case(guideline, **cells)
    assert found is None, found
    return [f"{column}: {message}" for column, message in faults]


def totals(nuclei: int, her2: int, cep17: int, **more: str) -> dict[str, str]:
    return {"nuclei": str(nuclei), "her2_signals": str(her2), "cep17_signals": str(cep17), **more}


def means(nuclei: int, her2: str, cep17: str, **more: str) -> dict[str, str]:
    return {"nuclei": str(nuclei), "mean_her2": her2, "mean_cep17": cep17, **more}


HERACLES = "colorectal_heracles_2015"


@pytest.mark.parametrize(
    ("counts", "share", "message"),
    [
        pytest.param(totals(40, 120, 80), "100", "of their sums is 2.0 or more, but it is 1.5", id="all"),
        pytest.param(totals(40, 160, 80), "0", "of their sums is below 2.0, but it is 2", id="none"),
        pytest.param(totals(40, 159, 80), "100", "2.0 or more, but it is 1.9875", id="all, beside the cut"),
    ],
)
def test_a_share_of_amplified_nuclei_that_cannot_be_is_refused(counts, share, message):
    (reason,) = reasons(HERACLES, **counts, pct_cells_ratio_ge2=share)

    assert reason.startswith(f"pct_cells_ratio_ge2: is {share}, ")
    assert message in reason


@pytest.mark.parametrize(
    ("counts", "share"),
    [
        pytest.param(totals(40, 160, 80), "100", id="all, on the cut"),
        pytest.param(totals(40, 159, 80), "0", id="none, beside the cut"),
        pytest.param(totals(40, 160, 80), "33", id="13 of 40, written without decimals"),
        pytest.param(totals(30, 160, 80), "33.33", id="10 of 30"),
        pytest.param(totals(40, 120, 80), "50", id="half, of which the sums say nothing"),
    ],
)
def test_a_share_that_whole_nuclei_have_is_taken(counts, share):
    assert called(HERACLES, **counts, pct_cells_ratio_ge2=share).ish_group is not None


@pytest.mark.parametrize(
    ("share", "doubted"), [("51", True), ("49.99", True), ("50", False), ("47.5", False)]
)
def test_a_share_that_the_counted_nuclei_cannot_have_is_flagged_and_taken_as_stated(share, doubted):
    cells = totals(40, 200, 80, pct_cells_ratio_ge2=share)

    assert ("share_of_other_nuclei" in flags(HERACLES, **cells)) is doubted
    assert called(HERACLES, **cells).ish_group == ("amplified" if float(share) >= 50 else "not_amplified")


def test_the_share_of_a_recount_must_be_possible_too():
    again = {"recount_nuclei": "40", "recount_her2": "120", "recount_cep17": "80"}
    first = totals(40, 160, 80, pct_cells_ratio_ge2="50")

    (reason,) = reasons(HERACLES, **first, **again, recount_pct_cells_ratio_ge2="100")

    assert reason.startswith("recount_pct_cells_ratio_ge2: is 100")


@pytest.mark.parametrize(
    "name",
    [
        "IHC score", "IHC_score", "ihc_scor", "ihc_status", "ihc_result", "her2_ihc", "score", "HER2 score",
        "IhcScore", "her2score", "IHC-result", "FISH ratio", "n nuclei", "% stained", "Guideline used",
    ],
)  # fmt: skip
def test_a_measurement_under_another_name_is_not_passed_over(name):
    (fault,) = header_faults((name,), added=("ihc_score", "call"))

    assert (fault.row, fault.column) == (1, name)


@pytest.mark.parametrize(
    "name", ["note_ihc_score", "expected_ihc", "finished", "duration", "policy", "source", "lab", "grade"]
)
def test_free_text_may_be_named_so(name):
    assert header_faults((name,), added=("ihc_score", "call")) == []


@pytest.mark.parametrize(
    ("ratio", "refused"),
    [("2.00", False), ("2.0", False), ("2.000000", False), ("1.99", True), ("2.01", True)],
)
def test_a_typed_ratio_is_that_of_the_totals_to_its_last_digit(ratio, refused):
    assert (case(**totals(100, 300, 150), ratio=ratio)[0] is None) is refused


def test_a_typed_ratio_beyond_a_cut_from_the_totals_is_a_contradiction():
    counts = totals(50, 196, 100, ratio="2.0")

    assert "beyond a cut-point of breast_2018" in reasons(**counts)[0]
    assert called("breast_2007", **counts).ish_group is not None


def test_a_ratio_that_a_program_divided_does_not_lie_beyond_the_cut():
    assert called(**totals(21, 88, 44, ratio="1.9999999999999998")).ish_group == "1"


def test_a_correct_ratio_beside_rounded_means_is_no_fault():
    # 409 over 100 nuclei and 198 are written 4.1 and 2.0; 4.1 times 100 is whole, but not 409.
    assert called(**means(100, "4.1", "2.0", ratio="2.07")).ish_group == "1"


def test_a_ratio_decides_between_the_totals_that_fit_the_means():
    open_means = means(35, "4.1", "2.1")

    assert "too coarse" in reasons(**open_means)[0]
    assert called(**open_means, ratio="2.01").ish_group == "1"
    assert called(**open_means, ratio="1.93").ish_group == "4"


def test_a_ratio_that_leaves_the_group_open_does_not_decide_it():
    assert "too coarse to decide" in reasons(**means(35, "4.1", "2.1", ratio="2.0"))[0]


def test_whole_means_stay_exact_and_say_where_rounding_would_matter():
    assert called(**means(20, "4", "2")).ish_group == "1"
    assert "means_fit_another_group" in flags(**means(20, "4", "2"))
    assert "means_fit_another_group" not in flags(**means(20, "9", "2"))
    assert "means_fit_another_group" not in flags(**means(100, "4.00", "2.00"))


def test_whole_means_of_a_recount_are_doubted_alike():
    first = totals(20, 60, 28)
    again = {"recount_nuclei": "20", "recount_mean_her2": "4", "recount_mean_cep17": "2"}

    assert "means_fit_another_group" in flags(**first, **again)


def test_a_ratio_clears_the_doubt_about_whole_means():
    assert "means_fit_another_group" not in flags(**means(20, "6", "3", ratio="2.000000"))


def test_whole_numbers_with_a_point_are_whole():
    assert called(nuclei="20.0", her2_signals="88.0", cep17_signals="40.00").ish_group == "1"


def test_a_mean_that_a_program_divided_is_taken_back_to_its_signals():
    typed = means(21, "4.190476190476191", "2.0952380952380953")

    assert called(**typed).ish_group == "1"
    assert flags(**typed) == []


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_percentages_of_a_data_frame_are_what_somebody_typed(tmp_path, kind):
    source, out = tmp_path / "t.parquet", tmp_path / "o.csv"
    columns = {"pct_incomplete_faint": [0.1 + 0.2, 10.1], "pct_none": [99.7, 89.9]}
    pq.write_table(pa.table({name: pa.array(cells, kind) for name, cells in columns.items()}), source)

    result = CliRunner().invoke(APP, ["--table", str(source), "--out", str(out)])

    assert result.exit_code == 0, result.output
    assert [row["ihc_score"] for row in rows(out)] == ["0", "1+"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "cells", [{"ihc_controls": "fail"}, {"ihc_artefact": "yes"}, {"normal_ducts_stained": "yes"}]
)
@pytest.mark.parametrize("score", [{}, {"ihc": "3+"}])
@pytest.mark.parametrize("guideline", ["breast_2018", "colorectal_heracles_2015", "pantumour_tdxd_2024"])
def test_a_stain_that_failed_was_made_and_cannot_be_read(cells, score, guideline):
    call = called(guideline, **cells, **score, specimen="resection")

    assert (call.state, call.ihc_score) == ("indeterminate", None)
    assert "score_stated" not in call.flags


@pytest.mark.parametrize(
    "cells",
    [{"ish_controls": "fail"}, {"poor_nuclei": "yes"}, {"autofluorescence": "yes", "probe": "single"}],
)
def test_a_hybridisation_that_failed_was_made_and_cannot_be_read(cells):
    call = called(ihc="2+", **cells)

    assert (call.state, call.ish_group) == ("indeterminate", None)
    assert "ish_indeterminate" in call.flags


def test_a_failed_test_without_numbers_can_be_explained():
    for name in ("--ihc-artefact", "--poor-nuclei"):
        result = CliRunner().invoke(APP, [name, "yes", "--explain"])
        assert result.exit_code == 0, (result.output, result.exception)
        assert CliRunner().invoke(APP, [name, "yes", "--json"]).exit_code == 0


def test_a_test_that_was_not_made_cannot_have_failed():
    assert reasons(ihc="2+", probe="none", ish_controls="fail") == [
        "ish_controls: is fail, but the probe is none"
    ]
    assert reasons(ihc="2+", poor_nuclei="no") == ["poor_nuclei: is given without ISH counts"]


LATERAL = {"pct_incomplete_moderate_intense": "30", "pct_none": "70", "specimen": "resection"}


def test_an_intensity_that_nobody_stated_is_flagged_where_a_guideline_reads_levels():
    small = {"pct_incomplete_moderate_intense": "5", "pct_none": "95", "specimen": "resection"}

    assert flags(**LATERAL) == []
    assert "incomplete_intensity_not_stated" in flags("colorectal_harmonised_2019", **small)
    assert flags("colorectal_harmonised_2019", **small, incomplete_intensity="moderate") == []


def test_clusters_of_strong_cells_ask_for_the_intensity_of_lateral_staining():
    typed = {**LATERAL, "specimen": "biopsy", "cluster_cells_strong": "5"}

    assert reasons("gastroesophageal_2016", **typed) == [
        "incomplete_intensity: is needed beside cluster_cells_strong and pct_incomplete_moderate_intense"
    ]


def test_a_tag_with_the_name_of_a_column_is_not_passed_over():
    assert reasons(ihc="2+", note="seen twice [nuclei=20]") == [
        "note: holds the tag [nuclei=...], which is not read; give it in the column nuclei"
    ]
    assert called(ihc="2+", note="[seen=2x]").state == "needs_ish"


def test_a_guideline_that_nobody_named_is_flagged():
    assert flags("", ihc="2+") == ["guideline_by_default"]
    assert flags("", ihc="2+", guideline="breast_2018") == []
    assert flags("breast_2018", ihc="2+") == []


def test_a_comment_that_only_a_population_demands_is_demanded():
    first = totals(20, 160, 40)
    second = {"second_nuclei": "20", "second_her2": "60", "second_cep17": "28"}

    call = called(ihc="1+", **first, **second, second_population_pct="30", areas="2")

    assert "G2" in [comment.code for one in call.populations for comment in one.comments]
    assert "G2" not in [comment.code for comment in call.comments]
    assert needs_comment(call)


def test_the_row_of_a_fault_is_that_of_the_spreadsheet(tmp_path):
    source = tmp_path / "t.csv"
    source.write_text('ihc,note\n0,"two\nlines"\n9,x\n', encoding="utf-8")

    result = CliRunner().invoke(APP, ["--table", str(source), "--out", str(tmp_path / "o.csv")])

    assert result.stderr.splitlines()[0].startswith("row 3, ihc: must be one of")


def test_the_same_id_may_stand_in_several_rows(tmp_path):
    source, out = tmp_path / "t.csv", tmp_path / "o.csv"
    source.write_text("id,ihc\na,0\na,3+\n", encoding="utf-8")

    CliRunner().invoke(APP, ["--table", str(source), "--out", str(out)])

    assert [row["call"] for row in rows(out)] == ["negative", "positive"]
