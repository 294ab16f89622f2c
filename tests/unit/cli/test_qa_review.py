"""Commands `her2path qa reread`, `take`, `adjudicate`: lists go out, answers and decisions come in."""

from __future__ import annotations

import shutil

import pytest
import typer
from typer.testing import CliRunner

from her2path.cli.qa_review import add_to
from her2path.errors import CaseSheetError, ConfigError, ReadSheetError
from her2path.io.documents import read_document
from her2path.io.files import sha256_of
from her2path.io.qa_review_entries import AdjudicationsDoc, RereadDoc, RereadKeyDoc
from her2path.steps import qa_review
from tests.support.review_study import ORDER, Study, filled, write_study

app = typer.Typer()
add_to(app)
runner = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    return write_study(tmp_path_factory.mktemp("made"))


@pytest.fixture
def study(made, tmp_path) -> Study:
    shutil.copytree(made.out, tmp_path / "out")
    return Study(made.results, tmp_path / "out")


def run(*options):
    result = runner.invoke(app, [str(option) for option in options])
    if result.exception is not None:
        raise result.exception
    return result.output


def the_list(study, *options):
    """Make a list; its id, its text and its key."""
    run("reread", "--out", study.out, *options)
    path = study.only_list()
    key = read_document(study.key(path.stem), RereadKeyDoc).result
    return path, key


def answers(key, score="1+"):
    return {item.number: score for item in key.items}


# --- the list -------------------------------------------------------------------------------


def test_a_list_holds_the_discordant_cases_and_as_many_agreed_ones(study):
    _, key = the_list(study)

    first = [item for item in key.items if item.repeats is None]
    assert {item.case_id for item in first if item.is_discordant} == set(ORDER)
    assert sum(not item.is_discordant for item in first) == len(ORDER)
    assert sum(item.repeats is not None for item in key.items) == 1


def test_the_list_tells_nothing_of_the_cases(study):
    path, key = the_list(study)

    text = path.read_text()
    for case in {item.case_id for item in key.items}:
        assert case not in text
    assert "discordant" not in text
    assert "software" not in text


def test_the_key_lies_apart_from_what_the_reader_is_given(study):
    path, key = the_list(study)

    assert [other.name for other in path.parent.iterdir()] == [path.name]
    slides = (study.rereads / f"slides.{key.list_id}.tsv").read_text().splitlines()
    assert slides[1:] == [f"{item.number}\t{item.case_id}" for item in key.items]


def test_the_same_seed_makes_the_same_list_and_another_seed_another(study):
    path, _ = the_list(study)
    before = path.read_bytes()
    run("reread", "--out", study.out)
    assert path.read_bytes() == before

    run("reread", "--out", study.out, "--seed", "5")
    assert len(list(path.parent.iterdir())) == 2


def test_cases_that_nobody_but_the_software_saw_are_not_listed(study):
    _, key = the_list(study, "--concordant", "50")

    assert "silent" not in {item.case_id for item in key.items}


def test_a_list_without_agreed_cases_says_what_it_gives_away(study):
    assert "tells the reader" in run("reread", "--out", study.out, "--concordant", "0")


def test_decided_cases_are_left_out_unless_asked_for(study):
    for case in ORDER:
        run(
            "adjudicate",
            "--out",
            study.out,
            "--case",
            case,
            "--by",
            "X",
            "--ihc-score",
            "1+",
            "--why",
            "seen",
        )

    with pytest.raises(ConfigError, match="no discordant case is left"):
        run("reread", "--out", study.out)
    assert "4 cases on which opinions differ" in run("reread", "--out", study.out, "--decided")


def test_a_list_that_is_filled_in_is_not_overwritten(study):
    path, key = the_list(study)
    path.write_text(filled(path.read_text(), answers(key)))

    with pytest.raises(ConfigError, match="filled in"):
        run("reread", "--out", study.out)


def test_a_folder_without_reads_is_named(tmp_path):
    with pytest.raises(ConfigError, match="run `her2path qa"):
        run("reread", "--out", tmp_path)


def test_reads_of_another_study_than_the_page_are_not_drawn_from(study):
    review = study.out / "qa" / "review.json"
    qa_review.run(table=study.table, calls=study.results, review=review, params=qa_review.QaReviewParams())
    review.write_text(review.read_text().replace(sha256_of(study.table), "0" * 64))

    with pytest.raises(ConfigError, match="not of the same study .* run `her2path qa --out` into it again"):
        run("reread", "--out", study.out)


def test_a_reader_is_named_by_a_pseudonym(study):
    with pytest.raises(ConfigError, match="pseudonym"):
        run("reread", "--out", study.out, "--reader", "Ada Byron")


# --- the answers ----------------------------------------------------------------------------


def test_answers_are_stored_beside_the_first_reads(study, tmp_path):
    path, key = the_list(study)
    before = study.table.read_bytes()
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key)))

    output = run("take", "--out", study.out, sheet)

    assert "9 of 9 read by A" in output
    read = read_document(study.rereads / f"read.{key.list_id}.A.json", RereadDoc).result
    assert [answer.case_id for answer in read.answers] == [item.case_id for item in key.items]
    assert {answer.category for answer in read.answers} == {"low"}
    assert study.table.read_bytes() == before


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(";", "utf-8-sig"), (",", "utf-16"), ("\t", "cp1252")],
    ids=["csv", "utf-16", "cp1252"],
)
def test_a_list_comes_back_in_the_dialect_of_a_spreadsheet(study, tmp_path, mark, encoding):
    path, key = the_list(study)
    text = "\n".join(
        line.replace("\t", mark)
        for line in filled(path.read_text(), answers(key)).splitlines()
        if line[0] != "#"
    )
    sheet = tmp_path / "back.csv"
    sheet.write_bytes(text.replace("\n", "\r\n").encode(encoding))

    assert "9 of 9 read" in run("take", "--out", study.out, sheet)


def test_all_faults_of_a_list_at_once(study, tmp_path):
    path, key = the_list(study)
    lines = filled(path.read_text(), answers(key), reader="", date="2099-01-01", blinded="maybe").splitlines()
    table = next(i for i, line in enumerate(lines) if line.startswith("list_id")) + 1
    lines[table] = lines[table].replace(key.list_id, "zzzzzzzz")
    lines[table + 1] = lines[table + 1].replace("\t2\t", "\t77\t", 1)
    lines[table + 2] = lines[table + 2].replace("1+", "5+")
    lines[table + 3] = lines[table + 3].replace("1+", "")
    lines[table + 4] = lines[table + 5]
    lines[table + 6] = (
        lines[table + 6] + "\tx\ty\tz\tzz\tzzz\tzzzz\tzzzzz\tzzzzzz\tzzzzzzzz\tzzzzzzz\tzzzzzzzzz"
    )
    sheet = tmp_path / "bad.tsv"
    sheet.write_text("\n".join(lines) + "\n")

    with pytest.raises(ReadSheetError) as caught:
        run("take", "--out", study.out, sheet)

    said = str(caught.value)
    for part in (
        "reader: is empty",
        "lies in the future",
        "neither yes nor no",
        "'zzzzzzzz' is another list",
        "number 77 is unknown; numbers go from 1 to 9",
        "'5+' is no score",
        "number 4 has no reading",
        "stands in row",
        "numbers 2, 5 are missing",
        "more cells than the table has columns",
    ):
        assert part in said
    assert not list(study.rereads.glob("read.*"))


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param({"date": "2026-01-09"}, "before a first read", id="read before the first read"),
        pytest.param({"reader": "her2path"}, "names a program", id="a program"),
        pytest.param({"reader": "Ada Byron"}, "pseudonym", id="a name"),
        pytest.param({"date": "soon"}, "'soon' is no date", id="no date"),
    ],
)
def test_a_head_that_cannot_be_is_refused(study, tmp_path, change, part):
    path, key = the_list(study)
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key), **change))

    with pytest.raises(ReadSheetError, match=part):
        run("take", "--out", study.out, sheet)


def test_a_list_for_one_reader_is_refused_from_another(study, tmp_path):
    path, key = the_list(study, "--reader", "B")
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key), reader="C"))

    with pytest.raises(ReadSheetError, match="was made for 'B'"):
        run("take", "--out", study.out, sheet)


def test_a_list_of_another_study_is_refused(study, tmp_path):
    path, key = the_list(study)
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key)).replace(key.list_id, "bbbbbbbb"))

    with pytest.raises(ReadSheetError, match="was made in this folder"):
        run("take", "--out", study.out, sheet)


def test_a_case_that_could_not_be_read_says_why(study, tmp_path):
    path, key = the_list(study)
    lines = filled(path.read_text(), answers(key)).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("list_id"))
    header, cells = lines[place].split("\t"), lines[place + 1].split("\t")
    cells[header.index("ihc_score")] = ""
    cells[header.index("not_read")] = "out of focus"
    sheet = tmp_path / "back.tsv"
    sheet.write_text("\n".join([*lines[: place + 1], "\t".join(cells), *lines[place + 2 :]]))

    assert "8 of 9 read" in run("take", "--out", study.out, sheet)


def test_a_case_both_read_and_not_read_is_refused(study, tmp_path):
    path, key = the_list(study)
    lines = filled(path.read_text(), answers(key)).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("list_id"))
    header, cells = lines[place].split("\t"), lines[place + 1].split("\t")
    cells[header.index("not_read")] = "out of focus"
    sheet = tmp_path / "back.tsv"
    sheet.write_text("\n".join([*lines[: place + 1], "\t".join(cells), *lines[place + 2 :]]))

    with pytest.raises(ReadSheetError, match="not both"):
        run("take", "--out", study.out, sheet)


def test_answers_are_replaced_only_on_demand_and_the_old_ones_kept(study, tmp_path):
    path, key = the_list(study)
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key)))
    run("take", "--out", study.out, sheet)
    assert "taken back before" in run("take", "--out", study.out, sheet)
    sheet.write_text(filled(path.read_text(), answers(key, "2+")))

    with pytest.raises(ReadSheetError, match="--replace"):
        run("take", "--out", study.out, sheet)
    output = run("take", "--out", study.out, sheet, "--replace")

    assert f"kept as read.{key.list_id}.A.1.old" in output


def test_two_lists_of_one_reader_in_one_go_are_refused(study, tmp_path):
    path, key = the_list(study)
    sheets = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    for sheet in sheets:
        sheet.write_text(filled(path.read_text(), answers(key)))

    with pytest.raises(ReadSheetError, match="same reader's answers"):
        run("take", "--out", study.out, *sheets)


def test_a_reader_who_knew_the_results_is_told_apart(study, tmp_path):
    path, key = the_list(study)
    sheet = tmp_path / "back.tsv"
    sheet.write_text(filled(path.read_text(), answers(key), blinded="no"))

    assert "no blinded read" in run("take", "--out", study.out, sheet)


# --- decisions ------------------------------------------------------------------------------


def decide(study, *more, case="opposite", by="X"):
    return run(
        "adjudicate",
        "--out",
        study.out,
        "--case",
        case,
        "--by",
        by,
        "--ihc-score",
        "1+",
        "--why",
        "seen",
        *more,
    )


def decisions(study):
    return read_document(study.out / "qa" / "adjudications.json", AdjudicationsDoc).result.entries


def test_a_decision_says_who_when_what_and_why(study):
    before = study.table.read_bytes()

    output = decide(study, "--on", "2026-03-02")

    assert "opposite: IHC 1+, negative, decided by X on 2026-03-02" in output
    (entry,) = decisions(study)
    assert (entry.by, entry.decided_on, entry.ihc_score, entry.category, entry.why) == (
        "X",
        "2026-03-02",
        "1+",
        "low",
        "seen",
    )
    assert study.table.read_bytes() == before


def test_a_later_decision_needs_a_word_and_keeps_the_earlier_one(study):
    decide(study)
    with pytest.raises(ConfigError, match="--again"):
        decide(study)

    output = decide(study, "--again", by="Y")

    assert "the earlier decision is kept" in output
    assert [entry.by for entry in decisions(study)] == ["X", "Y"]


def test_a_decision_by_one_of_the_readers_is_told(study):
    assert "among the first readers" in decide(study, by="B")


def test_a_decision_on_a_case_without_disagreement_is_told(study):
    assert "do not differ" in decide(study, case="agreed0")


def test_decisions_come_as_a_table_too(study, tmp_path):
    table = tmp_path / "decisions.csv"
    table.write_text(
        "case_id,by,date,ihc_score,call,why\nlow,X,2026-03-02,,negative,faint\nopen,X,2026-03-02,2+,,ok\n"
    )

    output = run("adjudicate", "--out", study.out, table)

    assert output.splitlines() == [
        "low: negative, decided by X on 2026-03-02",
        "open: IHC 2+, needs_ish, decided by X on 2026-03-02",
    ]


def test_all_faults_of_a_table_of_decisions_at_once_and_nothing_recorded(study, tmp_path):
    table = tmp_path / "decisions.tsv"
    rows = [
        "case_id\tby\tdate\tihc_score\tcall\twhy",
        "low\tX\t2026-03-02\t1+\t\tfine",
        "nobody\tX\t2026-03-02\t1+\t\tfine",
        "\tX\t2026-03-02\t1+\t\tfine",
        "low\tX\t2026-03-02\t1+\t\tfine",
        "open\tAda Byron\t2026-01-01\t4+\t\tfine",
        "open\ther2path\t\t1+\t\t",
        "opposite\t\t2099-01-01\t\t\tfine\tmore",
    ]
    table.write_text("\n".join(rows) + "\n")

    with pytest.raises(CaseSheetError) as caught:
        run("adjudicate", "--out", study.out, table)

    said = str(caught.value)
    for part in (
        "row 3, case_id: 'nobody' is no case of this study",
        "row 4, case_id: is empty",
        "row 5, case_id: 'low' is decided in row 2 already",
        "row 6, by: 'Ada Byron' is no pseudonym",
        "row 6, date: 2026-01-01 lies before the last read",
        "row 6, ihc_score: '4+' is no score",
        "row 7, by: 'her2path' names a program",
        "row 7, date: is empty",
        "row 7, why: is empty",
        "row 8, by: is empty",
        "row 8, date: 2099-01-01 lies in the future",
        "row 8, ihc_score: is empty, and so is call",
        "more cells than the table has columns",
    ):
        assert part in said
    assert not (study.out / "qa" / "adjudications.json").exists()


def test_faults_of_options_name_the_options(study):
    with pytest.raises(ConfigError) as caught:
        run("adjudicate", "--out", study.out, "--case", "nobody", "--on", "soon")

    said = str(caught.value)
    for part in (
        "--case: 'nobody'",
        "--by: is empty",
        "--on: 'soon' is no date",
        "--ihc-score: is empty",
        "--why:",
    ):
        assert part in said


def test_a_decision_is_given_one_way_or_the_other(study, tmp_path):
    with pytest.raises(ConfigError, match="give a table"):
        run("adjudicate", "--out", study.out)
    with pytest.raises(ConfigError, match="give a table"):
        run("adjudicate", "--out", study.out, tmp_path / "x.tsv", "--case", "low")


def test_a_table_without_decisions_is_refused(study, tmp_path):
    table = tmp_path / "decisions.tsv"
    table.write_text("case_id\tby\tdate\tihc_score\twhy\n")

    with pytest.raises(CaseSheetError, match="holds no row"):
        run("adjudicate", "--out", study.out, table)


def test_a_contradictory_decision_is_refused_and_says_why(study):
    with pytest.raises(ConfigError) as caught:
        contradictory(study)

    assert "--call: 'negative' contradicts IHC 3+ by breast_2023" in str(caught.value)
    assert "--although-contradictory" in str(caught.value)
    assert not (study.out / "qa" / "adjudications.json").exists()


def contradictory(study, *more, score="3+"):
    head = ("adjudicate", "--out", study.out, "--case", "opposite", "--by", "X", "--why", "seen")
    return run(*head, "--ihc-score", score, "--call", "negative", *more)


def test_a_contradictory_decision_with_a_reason_is_recorded_with_it(study):
    contradictory(study, "--although-contradictory", "monoclonal artefact")

    (entry,) = decisions(study)
    assert (entry.ihc_score, entry.call, entry.category) == ("3+", "negative", None)
    assert entry.why == "seen (although score and call contradict each other: monoclonal artefact)"


def test_a_reason_for_a_contradiction_that_is_none_is_refused(study):
    with pytest.raises(ConfigError, match="--although-contradictory: is stated, but"):
        contradictory(study, "--although-contradictory", "why not", score="1+")


def test_a_contradiction_in_a_table_of_decisions_names_its_row_and_column(study, tmp_path):
    table = tmp_path / "decisions.tsv"
    table.write_text("case_id\tby\tdate\tihc_score\tcall\twhy\nopposite\tX\t2026-03-02\t0\tpositive\tseen\n")

    with pytest.raises(
        CaseSheetError, match="row 2, call: 'positive' contradicts IHC 0 .* although_contradictory"
    ):
        run("adjudicate", "--out", study.out, table)
