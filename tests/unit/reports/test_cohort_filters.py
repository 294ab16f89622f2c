from __future__ import annotations

from her2path.io.cohort_files import CohortCase
from her2path.reports.cohort_filters import filters_of, token
from her2path.reports.cohort_rows import OPEN, cohort_filters, cohort_rows
from tests.support.case_documents import ONE_PLUS, THREE_PLUS, TWO_PLUS, Fish, Ihc, call_doc, nuclei


def rows_of(**cases):
    return cohort_rows([CohortCase(call_doc(name, *images)) for name, images in cases.items()])


def choices_of(name, rows):
    (found,) = [one for one in cohort_filters(rows) if one.name == name]
    return [(choice.words, choice.cases) for choice in found.choices]


CASES = {
    "n1": [Ihc(cells=ONE_PLUS)],
    "p1": [Ihc(cells=THREE_PLUS)],
    "w1": [Ihc(cells=TWO_PLUS)],
    "w2": [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 3.3, 1.3))],
}


def test_calls_are_offered_in_the_order_of_urgency_behind_all_that_are_open():
    assert choices_of("call", rows_of(**CASES)) == [
        ("all without a final call", "2"),
        ("recount needed", "1"),
        ("ISH needed", "1"),
        ("positive", "1"),
        ("negative", "1"),
    ]


def test_scores_are_offered_in_their_order_with_the_cases_that_have_none():
    cases = CASES | {"f1": [Fish(nuclei=nuclei(40, 2.2, 2.0))]}
    assert choices_of("ihc", rows_of(**cases)) == [
        ("1+", "1"),
        ("2+", "2"),
        ("3+", "1"),
        ("no IHC score", "1"),
    ]


def test_comments_and_flags_are_offered_by_how_many_cases_have_them():
    cases = CASES | {"w3": CASES["w1"], "w4": CASES["w1"]}
    found = [(words, cases) for words, cases in choices_of("remark", rows_of(**cases)) if "ACT" in words]
    assert found == [("ACT-ISH", "3"), ("ACT-RECOUNT", "1")]


def test_what_all_cases_have_in_common_is_no_filter():
    names = [one.name for one in cohort_filters(rows_of(**CASES))]
    assert "guideline" not in names
    assert "quality" not in names


def test_an_open_case_can_be_found_by_who_must_act():
    (row,) = rows_of(w1=CASES["w1"])
    assert {OPEN, token("who", "Laboratory"), token("ihc", "2+")} <= row.tokens.keys()


def test_a_final_case_is_not_among_the_open_ones():
    (row,) = rows_of(p1=CASES["p1"])
    assert OPEN not in row.tokens


def test_choices_without_a_place_in_the_order_come_last():
    rows = [{token("ihc", words): words} for words in ("new", "2+", "0")]
    (scores,) = filters_of(rows, {"ihc": ("0", "1+", "2+")})
    assert [choice.words for choice in scores.choices] == ["0", "2+", "new"]


def test_words_of_any_script_are_a_token_without_spaces():
    assert " " not in token("remark", "a b\tc \u202e <b>")


def test_ish_that_was_made_but_not_read_is_told_from_ish_that_was_not_made():
    unread = [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(10, 4.9, 3.0))]
    rows = rows_of(unread=unread, none=[Ihc(cells=TWO_PLUS)])
    assert {row.case_id: row.ish_group for row in rows} == {"unread": "no result", "none": ""}
    assert sorted(words for words, _ in choices_of("ish", rows)) == ["no ISH", "no result"]
