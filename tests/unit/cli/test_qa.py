"""One command compares the calls of a run with the reads and writes page, numbers and tables."""

from __future__ import annotations

import json
import shutil

import pytest
from typer.testing import CliRunner

from her2path.cli.main import app, main
from tests.support.simulated_reads import SimulatedStudy, write_study

runner = CliRunner()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    write_study(SimulatedStudy(cases=60, readers=2, seed=3, second_session=0.5), folder)
    return folder


@pytest.fixture(scope="module")
def fast(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "fast.yaml"
    path.write_text("qa_agreement: {draws: 200}\n", encoding="utf-8")
    return path


def options(study, out, **more):
    given = {"calls": study, "reads": study / "reads.tsv", "out": out, **more}
    return ["qa", *(part for name, value in given.items() for part in (f"--{name}", str(value)))]


@pytest.fixture(scope="module")
def done(study, fast, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    result = runner.invoke(app, options(study, out, strata=study / "strata.tsv", config=fast))
    return out, result


def test_page_numbers_and_tables_are_written(done):
    out, result = done

    assert result.exit_code == 0, result.output
    assert (out / "qa.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads((out / "qa.json").read_text(encoding="utf-8"))["schema_version"].startswith("qa/")
    assert (out / "tables" / "agreement.csv").is_file()
    assert {path.name for path in (out / "qa").iterdir()} >= {"reads.parquet", "agreement.json"}


def test_the_terminal_says_how_far_they_agree_and_where_the_page_is(done):
    out, result = done

    assert "60 cases, " in result.output
    assert "by 2 readers, breast_2023" in result.output
    (line,) = [line for line in result.output.splitlines() if line.startswith("IHC score")]
    assert line.count(", n 60") == 3  # with readers, among readers, and the difference of both
    assert f"page: {out / 'qa.html'}" in result.output


def test_a_reference_reaches_the_document(study, fast, tmp_path):
    result = runner.invoke(app, options(study, tmp_path, reference="r01", config=fast))

    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "qa" / "agreement.json").read_text(encoding="utf-8"))
    assert found["result"]["reference"] == "r01"


def test_one_reader_is_compared_with_the_software_alone(tmp_path, fast):
    write_study(SimulatedStudy(cases=20, readers=1, seed=3), tmp_path)

    result = runner.invoke(app, options(tmp_path, tmp_path / "out", config=fast))

    assert result.exit_code == 0, result.output
    assert "by 1 reader," in result.output


def test_no_case_in_common_ends_with_exit_code_1_and_says_what_was_left_out(study, fast, tmp_path):
    reads = tmp_path / "reads.tsv"
    reads.write_text("case_id\treader\tihc_score\nelsewhere\tAB\t1+\n", encoding="utf-8")

    result = runner.invoke(app, options(study, tmp_path / "out", reads=reads, config=fast))

    assert result.exit_code == 1, result.output
    assert "left out: 1 case, 1 read: read by a person, but not among the software's calls" in result.output


def test_a_case_that_is_left_out_for_its_capitals_is_named(study, fast, tmp_path):
    case = (study / "calls.csv").read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    reads = tmp_path / "reads.tsv"
    reads.write_text(f"case_id\treader\tihc_score\n{case.upper()}\tAB\t1+\n", encoding="utf-8")

    result = runner.invoke(app, options(study, tmp_path / "out", reads=reads, config=fast))

    told = " ".join(result.output.split())
    assert f"'{case.upper()}' (called: '{case}') differs from a call in capitals only" in told


def ends(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code, capsys.readouterr().err


def test_every_fault_of_the_reads_is_listed_with_exit_code_3(study, tmp_path, capsys):
    reads = tmp_path / "reads.tsv"
    reads.write_text("case_id\treader\tihc_score\nc1\tAB\t2.5\nc2\tA B\t1+\n", encoding="utf-8")

    code, message = ends(options(study, tmp_path / "out", reads=reads), capsys)

    assert code == 3
    assert "the table of reads cannot be used:" in message
    assert "row 2, ihc_score: '2.5' is no score" in message
    assert "row 3, reader: 'A B' is no pseudonym" in message


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"reads": "nowhere.tsv"}, "--reads: there is no file 'nowhere.tsv' at that place"),
        ({"calls": "nowhere"}, "--calls: there is no calls.csv at"),
        ({"reference": "XY"}, "--reference: 'XY' is no reader of these reads; known are r00, r01"),
        ({"guideline": "breast_2018"}, "--guideline: the calls were made by breast_2023, not by breast_2018"),
    ],
)
def test_what_the_operator_must_correct_ends_with_exit_code_2(study, tmp_path, capsys, more, message):
    code, told = ends(options(study, tmp_path / "out", **more), capsys)

    assert code == 2
    assert message in told


def test_a_command_without_its_files_says_which_are_missing(capsys):
    code, message = ends(["qa", "--reads", "reads.tsv"], capsys)

    assert code == 2
    assert "--calls, --out: is needed" in message


def test_the_sample_size_is_a_command_of_its_own():
    result = runner.invoke(app, ["qa", "sample-size", "--agreement", "0.95", "--width", "0.1"])

    assert result.exit_code == 0
    assert "Wilson" in result.output


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


BAD_RUNS = "run_id\tdab_od\nr1\tmuch\n"


def test_a_refused_run_writes_nothing(study, tmp_path, capsys):
    runs = tmp_path / "runs.tsv"
    runs.write_text(BAD_RUNS, encoding="utf-8")

    code, _ = ends(options(study, tmp_path / "out", runs=runs), capsys)

    assert code == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("refused", ["runs", "reference"])
def test_a_refused_run_leaves_the_study_before_it_as_it_was(done, fast, tmp_path, capsys, refused):
    out = tmp_path / "out"
    shutil.copytree(done[0], out)
    before = files_of(out)
    write_study(SimulatedStudy(cases=20, readers=1, seed=4), tmp_path)
    (tmp_path / "runs.tsv").write_text(BAD_RUNS, encoding="utf-8")
    more = {"runs": tmp_path / "runs.tsv"} if refused == "runs" else {"reference": "XY"}

    code, _ = ends(options(tmp_path, out, config=fast, **more), capsys)

    assert code in {2, 3}
    assert files_of(out) == before
    assert not [path for path in out.iterdir() if path.name.startswith(".staged")]


def test_faults_of_all_files_are_listed_at_once(study, tmp_path, capsys):
    faulty = {
        "reads": "case_id\treader\tihc_score\nc1\tAB\t2.5\n",
        "strata": "case_id\tdate\nc1\tsoon\n",
        "runs": BAD_RUNS,
    }
    for name, text in faulty.items():
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    lines = (study / "calls.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "calls.csv").write_text("\n".join([*lines, lines[1], ""]), encoding="utf-8")
    tables = {name: tmp_path / f"{name}.tsv" for name in faulty}

    code, told = ends(options(study, tmp_path / "out", calls=tmp_path, **tables), capsys)

    assert code == 3
    for part in (
        "the table of reads cannot be used:\n  row 2, ihc_score",
        "the table of strata cannot be used:\n  row 2, date",
        "the table of runs cannot be used:\n  row 2, dab_od",
        "stands in row 2 and in row 62",
    ):
        assert part in told


def test_of_many_faults_the_first_hundred_are_printed(study, tmp_path, capsys):
    reads = tmp_path / "reads.tsv"
    rows = "".join(f"c{i}\tAB\t2.5\n" for i in range(250))
    reads.write_text(f"case_id\treader\tihc_score\n{rows}", encoding="utf-8")

    _, told = ends(options(study, tmp_path / "out", reads=reads), capsys)

    assert told.count("2.5") == 100
    assert "... and 150 more" in told
