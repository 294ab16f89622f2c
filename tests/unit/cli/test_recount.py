"""Commands `her2path recount ...`: a blinded page goes out, a checked read comes back."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from her2path.cli.main import app, outcome
from her2path.io.documents import read_document
from her2path.io.recount_documents import RecountDoc, RecountKeyDoc
from her2path.io.tables import FISH_NUCLEI, produced_by_of, read_table, write_table
from tests.support.pages import Page
from tests.support.read_sheets import filled, written
from tests.support.recount_results import (
    AREA,
    CASE,
    CEP17,
    FIRST,
    HER2,
    OTHER,
    STEM,
    Results,
    measured,
)

runner = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Results:
    """25 nuclei of the first count, 25 others."""
    return measured(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def sparse(tmp_path_factory) -> Results:
    """25 nuclei of the first count, and 9 others in the area with IHC 2+."""
    return measured(tmp_path_factory.mktemp("sparse"), across=(5, 3), others="ihc2-north")


def copy_of(results: Results, folder) -> Results:
    shutil.copytree(results.out, folder / "out")
    return replace(results, out=folder / "out")


@pytest.fixture
def results(made, tmp_path) -> Results:
    return copy_of(made, tmp_path)


def prepare(results, *options, case=CASE):
    done = runner.invoke(app, ["recount", "prepare", "--out", str(results.out), case, *options])
    return done.exit_code if done.exception is None or isinstance(done.exception, SystemExit) else (
        outcome(done.exception)
    ), done.output


def take(results, *paths, options=()):
    done = runner.invoke(app, ["recount", "take", "--out", str(results.out), *map(str, paths), *options])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        message, code = outcome(done.exception)
        return code, message
    return done.exit_code, done.output


def key_of(results):
    return read_document(results.folder.key, RecountKeyDoc).result


def sheet_of(results, tmp_path, *args, name="filled.tsv", **head):
    return written(tmp_path / name, filled(key_of(results), *args, **head))


def test_other_nuclei_than_the_first_counts_are_shown(results):
    code, words = prepare(results)

    assert (code, "with 25 nuclei" in words) == (0, True)
    key = key_of(results)
    assert {nucleus.image_id for nucleus in key.nuclei} == {OTHER}
    assert not any(nucleus.in_first_count for nucleus in key.nuclei)
    assert {(nucleus.program_her2, nucleus.program_cep17) for nucleus in key.nuclei} == {(HER2, CEP17)}


def test_nuclei_of_the_first_count_are_shown_only_in_need_and_it_is_said(sparse, tmp_path):
    results = copy_of(sparse, tmp_path)

    code, words = prepare(results)

    assert code == 0
    assert "with 30 nuclei, 21 of them from the first count because there are too few others" in words
    assert "9 from the area with IHC 2+" in words
    assert sum(nucleus.in_first_count for nucleus in key_of(results).nuclei) == 21


def test_where_the_sheet_would_be_too_short_there_is_a_reason_and_no_sheet(tmp_path):
    results = measured(tmp_path, across=(3, 3))

    code, words = prepare(results)

    assert code == 1
    assert "no sheet: only 18 nuclei can be counted, 20 are needed" in words
    assert not results.folder.path.exists()


def test_the_page_shows_nothing_of_what_was_found_and_nothing_of_the_case(results):
    prepare(results)
    key = key_of(results)
    html = results.folder.page.read_text(encoding="utf-8")
    bare = re.sub(r'href="data:[^"]*"', "", html)
    planted = [
        CASE,
        FIRST,
        OTHER,
        AREA,
        STEM,
        "breast_2023",
        *(str(n.nucleus_id) for n in key.nuclei if n.nucleus_id > 99),
    ]
    assert [word for word in planted if word.lower() in bare.lower()] == []
    visible = Page(re.sub(r"<script>.*?</script>", "", bare, flags=re.DOTALL)).text
    told = re.findall(r"group|ratio|amplif|positive|negative|score|IHC|observer|image\b|area", visible, re.I)
    assert told == []
    # Numbers that may be seen: those of the nuclei, the names of the probes, and the bar.
    numbers = set(re.findall(r"\d+", re.sub(r"HER2|CEP17", "", visible)))
    assert numbers == {str(n) for n in range(1, 26)}


def test_other_counts_of_the_program_give_the_same_page(results):
    prepare(results)
    before = results.folder.page.read_bytes()
    shutil.rmtree(results.folder.path)
    path = results.out / "images" / OTHER / "fish_nuclei.parquet"
    maker, rows = produced_by_of(path), read_table(path, FISH_NUCLEI).to_pylist()
    for row in rows:
        row.update(her2_signals=55, cep17_signals=33)
    with write_table(path, FISH_NUCLEI, produced_by=maker) as table:
        table.append({name: [row[name] for row in rows] for name in FISH_NUCLEI.names})

    prepare(results)

    assert {nucleus.program_her2 for nucleus in key_of(results).nuclei} == {55}
    assert results.folder.page.read_bytes() == before


def test_the_page_fetches_nothing_and_can_be_used_with_keys(results):
    prepare(results)
    html = results.folder.page.read_text(encoding="utf-8")
    page = Page(re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))
    linked = [a.get(name) for _, a in page.tags for name in ("src", "href", "data") if a.get(name)]
    assert all(address.startswith(("data:image/png", "#")) for address in linked)
    assert not re.findall(r"https?://", html)
    assert "default-src 'none'" in html
    fields = [(tag, a) for tag, a in page.tags if tag in {"input", "select", "button"}]
    assert len(fields) > 4 * 25
    assert all(a.get("tabindex", "0") == "0" for _, a in fields)
    assert sum(tag == "svg" for tag, _ in page.tags) == 1 + 4 * 25
    assert sum(tag == "polygon" for tag, _ in page.tags) == 4 * 25


def test_pictures_of_two_nuclei_differ_and_those_of_one_are_shown_once(results):
    prepare(results)
    html = results.folder.page.read_text(encoding="utf-8")
    pictures = re.findall(r'href="data:image/png;base64,([^"]+)"', html)
    assert len(pictures) == len(set(pictures)) == 3 * 25


def test_the_same_results_give_the_same_sheet_and_another_seed_another(results):
    prepare(results)
    first = {path.name: path.read_bytes() for path in results.folder.path.iterdir()}

    assert prepare(results)[0] == 0
    assert {path.name: path.read_bytes() for path in results.folder.path.iterdir()} == first
    code, words = prepare(results, "--seed", "1")
    assert (code, "which may be with a reader" in words) == (1, True)
    assert prepare(results, "--seed", "1", "--again")[0] == 0
    kept = json.loads(first["key.json"])["result"]["sheet_id"]
    assert (results.folder.path / f"key.{kept}.json").read_bytes() == first["key.json"]


def test_a_filled_sheet_in_the_folder_is_never_overwritten(results, tmp_path):
    prepare(results)
    text = filled(key_of(results))
    results.folder.sheet.write_text(text, encoding="utf-8")

    code, words = prepare(results, "--seed", "1", "--again")

    assert (code, "reads.tsv in its folder is filled in" in words) == (1, True)
    assert results.folder.sheet.read_text(encoding="utf-8") == text


def test_what_is_handed_out_is_named_by_its_sheet_alone(results, tmp_path):
    prepare(results, "--hand-out", str(tmp_path / "reader"))
    sheet_id = key_of(results).sheet_id
    assert re.fullmatch("[bcdfghjkmnpqrstv]{8}", sheet_id)
    assert sorted(p.name for p in (tmp_path / "reader").iterdir()) == [f"{sheet_id}.html", f"{sheet_id}.tsv"]


def test_an_image_that_was_replaced_since_the_run_has_no_sheet(made, tmp_path):
    for name in ("cases.tsv", f"{STEM}_1.ome.tif", f"{STEM}_2.ome.tif"):
        shutil.copy(made.sheet.parent / name, tmp_path / name)
    results = replace(copy_of(made, tmp_path), sheet=tmp_path / "cases.tsv")
    (tmp_path / f"{STEM}_2.ome.tif").write_bytes((tmp_path / f"{STEM}_1.ome.tif").read_bytes())

    code, words = prepare(results, "--cases", str(results.sheet))

    assert code == 1
    assert f"image '{OTHER}': its file has changed since the run" in words


@pytest.mark.parametrize(
    ("case", "options", "message"),
    [
        pytest.param("nobody", (), "case 'nobody' is not in the case sheet", id="unknown case"),
        pytest.param(CASE, ("--first-observer", "Ada Byron"), "no pseudonym", id="a name"),
        pytest.param(CASE, ("--cases", "gone.tsv"), "cannot be read", id="no case sheet"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused(results, case, options, message):
    code, _ = prepare(results, *options, case=case)
    assert isinstance(code, tuple)
    assert message in code[0]
    assert code[1] in {2, 3}


def test_a_folder_without_results_is_refused(tmp_path):
    results = Results(tmp_path, tmp_path / "cases.tsv")
    code, _ = prepare(results)
    assert "holds no results" in code[0]
    assert take(results, tmp_path / "x.tsv")[0] == 2


def test_a_read_is_taken_whole_with_who_made_it(results, tmp_path):
    prepare(results)

    code, words = take(results, sheet_of(results, tmp_path, {4: "\t\tcut_off\t"}))

    assert code == 0
    assert f"{CASE}: 24 of 25 nuclei counted by AB" in words
    document = read_document(results.folder.read, RecountDoc)
    assert (document.result.reader, document.result.summary.nuclei) == ("AB", 24)
    assert sorted(document.inputs) == ["key", "read_sheet"]


def test_one_faulty_sheet_of_several_leaves_every_case_as_it_was(results, sparse, tmp_path):
    prepare(results)
    good = sheet_of(results, tmp_path)
    bad = written(tmp_path / "bad.tsv", good.read_text(encoding="utf-8").replace("\t2\t7", "\t2\t-7"))

    code, message = take(results, good, bad, tmp_path / "none.tsv")

    assert code == 3
    assert "bad.tsv, row 8, her2_signals: -7 is out of range" in message
    assert "none.tsv, file: cannot be read" in message
    assert not results.folder.read.exists()


def test_two_sheets_of_one_case_are_not_both_taken(results, tmp_path):
    prepare(results)

    code, message = take(
        results, sheet_of(results, tmp_path), sheet_of(results, tmp_path, name="other.tsv", reader="CD")
    )

    assert (code, "filled.tsv is a read of the same case" in message) == (3, True)
    assert not results.folder.read.exists()


def test_a_sheet_of_other_results_is_refused(results, sparse, tmp_path):
    other = copy_of(sparse, tmp_path / "sparse")
    prepare(other)
    prepare(results)

    code, message = take(results, sheet_of(other, tmp_path))

    assert code == 3
    assert re.search(r"row 7, sheet_id: no sheet '\w+' was prepared in this folder", message)


def test_a_sheet_whose_images_have_changed_is_refused(results, tmp_path):
    prepare(results)
    path = sheet_of(results, tmp_path)
    slide = results.out / "images" / OTHER / "slide.json"
    document = json.loads(slide.read_text(encoding="utf-8"))
    document["result"]["files"][0]["sha256"] = "0" * 64
    slide.write_text(json.dumps(document), encoding="utf-8")

    code, message = take(results, path)

    assert (code, "the images of the case have changed" in message) == (3, True)


def test_a_sheet_in_the_folder_of_another_case_is_refused(results, tmp_path):
    prepare(results)
    text = filled(key_of(results))
    astray = written(results.out / "cases" / "somebody" / "recount" / "reads.tsv", text)

    code, message = take(results, astray)

    assert (code, "lies in the folder of case somebody, but is of another case" in message) == (3, True)


def test_a_sheet_filled_in_where_it_was_written_is_taken(results):
    prepare(results)
    results.folder.sheet.write_text(filled(key_of(results)), encoding="utf-8")
    assert take(results, results.folder.sheet)[0] == 0


def test_a_sheet_that_was_given_out_before_another_one_can_still_be_taken(results, tmp_path):
    prepare(results)
    early = sheet_of(results, tmp_path)
    prepare(results, "--seed", "1", "--again")
    assert take(results, early)[0] == 0


def test_an_earlier_read_is_kept(results, tmp_path):
    prepare(results)
    take(results, sheet_of(results, tmp_path))
    before = results.folder.read.read_bytes()
    second = sheet_of(results, tmp_path, name="second.tsv", reader="CD")

    code, message = take(results, second)
    assert (code, "has a read by AB already" in message) == (3, True)
    assert results.folder.read.read_bytes() == before

    code, words = take(results, second, options=("--replace",))
    assert (code, "kept as recount.1.json" in words) == (0, True)
    assert (results.folder.path / "recount.1.json").read_bytes() == before
    assert read_document(results.folder.read, RecountDoc).result.reader == "CD"


def test_the_same_sheet_taken_twice_changes_nothing(results, tmp_path):
    prepare(results)
    path = sheet_of(results, tmp_path)
    take(results, path)
    code, words = take(results, path, options=("--replace",))
    assert (code, "taken back before" in words) == (0, True)
    assert not (results.folder.path / "recount.1.json").exists()


def test_the_person_of_the_first_count_cannot_read(results, tmp_path):
    prepare(results, "--first-observer", "XY")
    code, message = take(results, sheet_of(results, tmp_path, reader="xy"))
    assert (code, "made the first count; another person must read" in message) == (3, True)


def test_a_read_that_copies_the_program_or_was_not_blinded_is_taken_and_said_so(results, tmp_path):
    prepare(results)
    path = sheet_of(results, tmp_path, counts=f"{HER2}\t{CEP17}\t\t", blinded="no")
    code, words = take(results, path)
    assert code == 0
    assert "the reader knew the first result, so the count confirms nothing" in words
    assert "every count is exactly the program's" in words
