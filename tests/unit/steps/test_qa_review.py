"""Discordant cases are ranked by what they change, each with its evidence; nothing touches first reads."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from her2path.cli import qa_adjudication, qa_review_lists
from her2path.domain.discordance import Discordance
from her2path.domain.reread_list import ListWish
from her2path.io.documents import read_document
from her2path.io.qa_review_entries import RereadKeyDoc, ReviewDoc
from her2path.steps import qa_reads
from her2path.steps.qa_review import QaReviewParams, run
from tests.support.review_study import LATER, ORDER, SCORES, Study, filled, write_study

TODAY = date(2026, 6, 1)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    return write_study(tmp_path_factory.mktemp("made"))


@pytest.fixture
def study(made, tmp_path) -> Study:
    shutil.copytree(made.out, tmp_path / "qa_out")
    shutil.copy(made.out.parent / "reads.tsv", tmp_path)
    return Study(made.results, tmp_path / "qa_out")


def review(study, *, calls=None, **params):
    path = study.out / "qa" / "review.json"
    run(
        table=study.table,
        calls=study.results if calls is None else calls,
        rereads=study.rereads,
        adjudications=study.out / "qa" / "adjudications.json",
        review=path,
        params=QaReviewParams(**params),
    )
    return read_document(path, ReviewDoc).result


def reread(study, scores_of, *, reader="A"):
    """Hand out a list, read it, take it back; the key."""
    qa_review_lists.prepare(study.out, ListWish(seed=1))
    path = study.only_list()
    key = read_document(study.key(path.stem), RereadKeyDoc).result
    sheet = study.out.parent / "back.tsv"
    scores = {item.number: scores_of(item) for item in key.items}
    sheet.write_text(filled(path.read_text(), scores, reader=reader))
    qa_review_lists.take(study.out, [sheet], today=TODAY, replace=False)
    return key


def decide(study, case, score, *, by="X"):
    texts = {"case_id": case, "by": by, "ihc_score": score, "why": "seen together"}
    qa_adjudication.adjudicate(qa_adjudication.Order(study.out, None, texts), today=TODAY)


def test_cases_come_by_what_their_disagreement_changes(study):
    result = review(study)

    assert tuple(case.case_id for case in result.cases) == ORDER
    assert [case.rank for case in result.cases] == [1, 2, 3, 4]
    assert [case.kind for case in result.cases] == [
        Discordance.OPPOSITE_CALL,
        Discordance.OPPOSITE_CALL,
        Discordance.LOW_OR_NOT,
        Discordance.ONE_CALL_OPEN,
    ]
    assert (result.compared, result.concordant, result.discordant) == (12, 8, 4)


def test_the_order_is_stated_with_its_reasons(study):
    result = review(study)

    assert [weight.kind for weight in result.weights] == list(Discordance)
    assert [weight.cases for weight in result.weights] == [2, 1, 0, 1, 0, 0]
    assert all(weight.reason for weight in result.weights)


def test_the_reads_of_all_readers_stand_side_by_side(study):
    case = review(study).cases[1]

    assert [one.reader for one in case.opinions] == ["her2path", "A", "B", "C"]
    assert [one.ihc_score for one in case.opinions] == ["1+", "3+", "1+", "1+"]
    assert [one.differs for one in case.opinions] == [None, Discordance.OPPOSITE_CALL, None, None]
    assert case.opinions[0].percentages["incomplete_faint"] == 31.0
    assert case.opinions[1].comment == "seen by A"
    assert case.opinions[1].read_on == "2026-01-10"


def test_the_evidence_of_the_software_names_rules_distances_and_pictures(study):
    evidence = review(study).cases[1].evidence

    assert evidence.rule_trail
    assert all(step.source for step in evidence.rule_trail)
    assert evidence.distance_to_cut
    assert evidence.files["overlay"] == ("images/opposite-ihc/overlay.png",)
    assert evidence.files["hot_spot_areas"] == ("images/opposite-ihc/hotspots.geojson",)
    assert all((study.results / path).is_file() for paths in evidence.files.values() for path in paths)


def test_a_table_of_calls_alone_has_no_evidence_and_says_so(study, tmp_path):
    calls = tmp_path / "elsewhere" / "calls.csv"
    calls.parent.mkdir()
    calls.write_bytes((study.results / "calls.csv").read_bytes())

    case = review(study, calls=calls).cases[0]

    assert case.evidence is None
    assert "results folder" in case.no_evidence


def test_a_call_that_cannot_be_read_costs_its_evidence_alone(study, tmp_path):
    results = tmp_path / "older"
    shutil.copytree(study.results, results)
    call = results / "cases" / "two_readers" / "call.json"
    call.write_text(call.read_text().replace('"schema_version": "call/', '"schema_version": "call/0'))

    first, second, *_ = review(study, calls=results).cases

    assert "cannot be shown" in first.no_evidence
    assert second.evidence is not None


def test_cases_beyond_the_first_are_listed_by_name_and_kind(study):
    result = review(study, cases_with_evidence=1)

    assert [case.case_id for case in result.cases] == ["two_readers"]
    assert [(case.rank, case.case_id) for case in result.further] == [
        (2, "opposite"),
        (3, "low"),
        (4, "open"),
    ]


def test_a_reread_stands_beside_the_first_reads_and_changes_none(study):
    before = review(study)
    reread(study, lambda _: "1+")

    result = review(study)

    case = result.cases[1]
    assert case.opinions == before.cases[1].opinions
    assert {(one.reader, one.ihc_score, one.read_on, one.blinded) for one in case.rereads} == {
        ("A", "1+", LATER, True)
    }
    assert (result.discordant, result.concordant) == (before.discordant, before.concordant)


def test_the_summary_of_a_reread_counts_repeats_first_results_and_the_software(study):
    key = reread(study, lambda _: "1+")

    (summary,) = review(study).rereads

    own_first = {case: scores[0] for case, scores in SCORES.items()}
    listed = [item.case_id for item in key.items if item.repeats is None]
    assert (summary.cases, summary.discordant_cases, summary.not_read) == (8, 4, 0)
    assert (summary.repeats_agree.value, summary.repeats_agree.n) == (1.0, 1)
    assert summary.read_before == 8
    assert summary.keeps_first == sum(own_first[case] == "1+" for case in listed)
    assert summary.takes_software == 3
    assert summary.fewest_days == 50


def test_a_reader_who_contradicts_himself_on_a_hidden_repeat_is_counted(study):
    reread(study, lambda item: "1+" if item.repeats is None else "3+")

    assert review(study).rereads[0].repeats_agree.value == 0.0


def test_a_new_reader_has_no_first_results_to_keep(study):
    reread(study, lambda _: "1+", reader="D")

    assert review(study).rereads[0].read_before == 0


def test_decisions_stand_beside_the_case_and_the_agreement_stays_that_of_first_reads(study):
    before = review(study)
    decide(study, "opposite", "1+")
    decide(study, "two_readers", "3+")
    decide(study, "low", "0")
    decide(study, "open", "3+")

    result = review(study)

    assert {case.case_id: case.adjudication.ihc_score for case in result.cases} == {
        "opposite": "1+",
        "two_readers": "3+",
        "low": "0",
        "open": "3+",
    }
    after = result.after_adjudication
    assert (after.software, after.all_readers, after.some_readers, after.neither) == (1, 0, 2, 1)
    assert (after.cases, after.pending) == (4, 0)
    assert "discrepant resolution" in after.text
    assert [case.opinions for case in result.cases] == [case.opinions for case in before.cases]
    assert result.concordant == before.concordant


def test_a_decision_against_the_software_and_with_all_readers(study, tmp_path):
    reads = study.out.parent / "reads.tsv"
    text = reads.read_text().replace("two_readers\tC\t2026-01-10\t1+", "two_readers\tC\t2026-01-10\t3+")
    reads.write_text(text)
    qa_reads.run(reads=reads, calls=study.results, table=study.table, params=qa_reads.QaReadsParams())
    decide(study, "two_readers", "3+")

    assert review(study).after_adjudication.all_readers == 1


def test_the_same_files_give_the_same_bytes(study):
    reread(study, lambda _: "2+")
    decide(study, "low", "0")
    review(study)
    first = (study.out / "qa" / "review.json").read_bytes()
    review(study)

    assert (study.out / "qa" / "review.json").read_bytes() == first


def test_without_rereads_and_decisions_there_are_none(study):
    path = study.out / "qa" / "review.json"
    run(table=study.table, calls=study.results, review=path, params=QaReviewParams())

    result = read_document(path, ReviewDoc).result
    assert (result.rereads, result.adjudications, result.after_adjudication.pending) == ((), (), 4)
