from __future__ import annotations

import re
from itertools import pairwise

import pytest

from her2path.domain.reads import SOFTWARE, Endpoint
from her2path.domain.stats.estimate import Estimate
from her2path.io.documents import Producer
from her2path.io.qa_documents import CaseGroup, EstimateEntry
from her2path.reports.html.rendering import render_qa
from her2path.reports.qa_page import QaDocuments, qa_page
from tests.support.pages import Page
from tests.support.qa_results import SCORES, agreement, agreement_doc, among, method, pair, reader

PRODUCER = Producer(step="qa_page", version="9.9")


def html_of(result, monitoring=None):
    documents = QaDocuments(agreement_doc(result), monitoring)
    return render_qa(qa_page(documents, result, report=PRODUCER))


def text_of(result, monitoring=None):
    return Page(html_of(result, monitoring)).text


def part(text, start, end):
    return text[text.index(start) :].split(end)[0]


def test_the_page_begins_with_how_much_was_read_and_how_far_it_agrees():
    top = part(text_of(agreement()), "At a glance", "What to know first")
    assert "10 cases called by the software and read by 2 readers in 20 reads." in top
    assert re.search(
        r"The software agrees with readers \(IHC score\) 90\.0 % [\d.]+ to [\d.]+ %, 100 cases", top
    )
    assert re.search(
        r"Readers agree with each other \(IHC score\) 100\.0 % [\d.]+ to 100\.0 %, 10 cases", top
    )
    assert "Disagreements that change the clinical category 2 of 20 comparisons" in top
    assert "Alarms of the control charts not watched" in top


def test_what_is_missing_is_said_at_the_top_in_words():
    missing = part(text_of(agreement()), "What is missing", "Readers and reads")
    assert "Read, but not called by the software (1 case, 2 reads)" in missing
    assert "No runs of control tissue were given" in missing
    assert "No strata were given" in missing


def test_a_statistic_that_could_not_be_computed_says_why_at_the_top_and_at_the_end():
    none = EstimateEntry.of(Estimate.none("all cases are in one category", "Cohen's kappa", n=10))
    result = agreement()
    first = result.pairs[0]
    odd = first.model_copy(update={"estimates": {**first.estimates, "kappa": none}})
    text = text_of(result.model_copy(update={"pairs": (odd, *result.pairs[1:])}))
    assert text.count("Cohen's kappa, IHC score: all cases are in one category (once") == 1
    assert "Cohen's kappa IHC score value all cases are in one category 1" in part(
        text, "Statistics without a value", "tables/not_computed"
    )


def test_every_statistic_has_its_value_interval_method_and_number_of_cases():
    text = text_of(agreement())
    assert "Exact agreement 80.0 % 49.0 to 94.3 % Wilson 10" in text
    assert "Exact agreement, exact interval 80.0 % 44.4 to 97.5 % Clopper-Pearson 10" in text
    assert re.search(r"Cohen's kappa, quadratic weights 0\.\d+ 0\.\d+ to 0\.\d+ Bayesian bootstrap", text)


def test_intervals_are_titled_by_their_own_confidence():
    result = agreement()
    pair = result.pairs[0]
    wider = {name: one.model_copy(update={"confidence": 0.9}) for name, one in pair.estimates.items()}
    other = pair.model_copy(update={"estimates": wider})

    assert "Statistic Value 90 % interval" not in text_of(result)
    assert "Statistic Value 90 % interval" in text_of(
        result.model_copy(update={"pairs": (other, *result.pairs[1:])})
    )


def test_percent_agreement_is_said_not_to_be_sensitivity():
    text = text_of(agreement())
    assert "It is not sensitivity: a reader is no reference standard, and may be wrong." in text
    assert "What is neither counts as negative. Positive percent agreement 100.0 %" in text


def test_sensitivity_is_explained_only_where_a_reference_was_named():
    assert "Sensitivity" not in text_of(agreement())
    result = agreement()
    named = next(p for p in result.pairs if p.endpoint == Endpoint.CALL and p.second == "r2")
    treated = named.percent_agreement[0]
    with_reference = treated.model_copy(
        update={"estimates": {**treated.estimates, "sensitivity": treated.estimates["positive"]}}
    )
    changed = named.model_copy(update={"kind": "software_reference", "percent_agreement": (with_reference,)})
    text = text_of(result.model_copy(update={"reference": "r2", "pairs": (*result.pairs, changed)}))
    assert "Reference standard: r2" in text
    assert "the software with the reference r2" in text
    assert "It is only as good as the reference standard" in text


def test_the_reference_is_still_one_of_the_readers():
    result = agreement()
    kinds = {"software_reader": "software_reference", "readers": "reader_reference"}
    pairs = tuple(
        p.model_copy(update={"kind": kinds[p.kind]}) if p.second == "r2" else p for p in result.pairs
    )
    html = html_of(result.model_copy(update={"reference": "r2", "pairs": pairs}))
    assert "change the clinical category 2 of 20 comparisons" in Page(html).text
    assert "r2 with her2path 0.9" in html
    assert "The shaded band reaches from the lowest (80.0 %, n 10)" in Page(html).text


def test_the_matrix_counts_the_cases_of_each_pair_of_levels_with_their_sums():
    grid = part(text_of(agreement()), "Cases by IHC score: the software with r2", "Framed")
    assert "All 0 2 1 0 0 3 1+ 0 2 1 0 3 2+ 0 0 2 0 2 3+ 0 0 0 2 2 All 2 3 3 2 10" in grid


def test_disagreements_that_change_the_category_are_named_with_their_cases():
    whole = text_of(agreement())
    assert (
        "Of 20 comparisons of a case with a reader in which both have a category, 2 give another one" in whole
    )
    text = part(whole, "Ways of differing", "category_effects")
    assert "The software and r2 0 and 1+ 0 and ultralow another category 1 c1" in text


def test_one_reader_alone_is_not_held_against_others():
    text = text_of(agreement({SOFTWARE: SCORES[SOFTWARE], "r1": SCORES["r1"]}))
    assert "read by 1 reader in 10 reads" in text
    assert "One reader only" in text
    assert "no case was read by two readers" in text
    assert "The software agrees with r1 (IHC score) 100.0 % 72.2 to 100.0 %" in text
    assert "Readers agree with each other (IHC score) not known" in text
    assert "There are no two readers to compare it with" in text
    assert "state the same score and category in every case" in text


def test_cases_that_a_pair_could_not_use_are_counted_beside_its_matrix():
    result = agreement()
    lost = {"not_read_second": 3, "no_value_both": 1, "not_evaluable_first": 2}
    pairs = (result.pairs[0].model_copy(update={"left_out": lost}), *result.pairs[1:])
    text = text_of(result.model_copy(update={"pairs": pairs}))
    assert "Left out: 3 not read by r1; 1 without a value of both; 2 not evaluable to the software." in text


def test_reads_of_other_cases_than_the_calls_leave_nothing_to_compare():
    result = agreement()
    pairs = tuple(
        p.model_copy(update={"cases": 0, "table": ((0,) * len(p.levels),) * len(p.levels)})
        for p in result.pairs
    )
    text = text_of(result.model_copy(update={"cases": 0, "pairs": pairs, "category_effects": ()}))
    assert "No case has both a call of the software and a read" in text
    assert "No case has a result of both the software and a reader." in text
    assert "the same score and category in every case" not in text


def test_no_reader_on_an_endpoint_leaves_a_sentence_instead_of_a_section():
    result = agreement()
    kept = tuple(p for p in result.pairs if p.endpoint != Endpoint.CALL)
    text = text_of(result.model_copy(update={"pairs": kept}))
    assert "No case was read on this by two of them" in part(text, "Agreement: call No", "Disagreements")


def test_without_counts_ratio_and_copies_say_what_to_give():
    text = text_of(agreement())
    assert "No case has ISH counts of two of them" in text


def test_ratios_are_plotted_with_the_cases_on_two_sides_of_a_cut():
    html = html_of(agreement(methods=(method([1.0, 2.0, 3.0]),)))
    text = Page(html).text
    assert "Bland-Altman plot of the HER2/CEP17 ratio" in html
    assert "Mean factor (first ÷ second) 1.100 1.000 to 1.200 t on logarithms 3" in text
    assert "2.0 3 1 0 4 Overall percent agreement 87.5 %" in text


def test_sessions_of_the_same_reader_stand_apart_from_pairs_of_readers():
    again = pair("readers", "r1", "r1", SCORES, Endpoint.SCORE).model_copy(
        update={"kind": "intra_reader", "second_session": 2, "days_between": (14, 20, 31)}
    )
    result = agreement()
    text = text_of(result.model_copy(update={"pairs": (*result.pairs, again)}))
    assert "r1, session 1 with session 2 10 14, 20, 31 100.0 % (72.2 to 100.0 %)" in text


def test_agreement_by_site_names_the_site_and_what_was_not_given():
    result = agreement()
    sites = {"site": {"north": 6, "south": 4}}
    stratum = {"stratum": "site", "stratum_value": "north"}
    entries = (*result.among_readers, among(Endpoint.SCORE, 6, 2).model_copy(update=stratum))
    pairs = (*result.pairs, result.pairs[0].model_copy(update=stratum))
    text = text_of(result.model_copy(update={"strata": sites, "among_readers": entries, "pairs": pairs}))
    assert "Site: north 6, south 4 cases." in text
    assert "Exact agreement of the software by site (1 rows)" in text
    assert "north: software" in html_of(
        result.model_copy(update={"strata": sites, "among_readers": entries, "pairs": pairs})
    )
    assert "Not given: scanner, antibody clone, staining batch, kind of specimen." in text


def test_reads_that_contradict_themselves_are_counted_at_the_top_and_named_below():
    odd = reader("r1", SCORES["r1"]).model_copy(
        update={"contradictions": {"call_other_than_numbers": CaseGroup(cases=2, case_ids=("c3", "c4"))}}
    )
    result = agreement()
    text = text_of(result.model_copy(update={"readers": (result.readers[0], odd, result.readers[2])}))
    assert "2 reads contradict themselves" in text
    assert "call other than the numbers give: c3, c4" in text


def test_many_readers_are_cut_to_what_can_be_read_and_the_table_is_named():
    scores = {SOFTWARE: SCORES[SOFTWARE]} | {f"r{i:02d}": SCORES["r2"] for i in range(9)}
    text = text_of(agreement(scores))
    assert "Of 36 pairs of readers the lowest and highest 15 are drawn." in text


NASTY = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "name",
    [NASTY, "קורא ראשון", "\U0001f9d1\U0001f3fd\u200d\u2695\ufe0f Dr X", "a & b \"c\" 'd'", "=HYPERLINK(1)"],
)
def test_any_name_of_a_reader_is_shown_as_text(name):
    scores = {SOFTWARE: SCORES[SOFTWARE], name: SCORES["r2"], "r3": SCORES["r1"]}
    html = html_of(agreement(scores))
    assert "<script" not in html
    assert name in Page(html).text.replace("\u2068", "").replace("\u2069", "")


def test_the_page_fetches_nothing_and_runs_nothing():
    html = html_of(agreement(methods=(method([1.0, 2.0]),)))
    assert not re.search(r"\bsrc=|@import|url\(|<link|<script|javascript:", html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}


def test_headings_descend_one_level_at_a_time_and_ids_are_unique():
    page = Page(html_of(agreement(methods=(method([1.0, 2.0]),))))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_every_table_has_a_caption_and_every_head_its_scope():
    page = Page(html_of(agreement(methods=(method([1.0, 2.0]),))))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("table") == tags.count("caption") > 10
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")


def test_every_figure_has_a_title_and_a_description():
    page = Page(html_of(agreement(methods=(method([1.0, 2.0]),))))
    drawings = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(drawings) > 5
    assert all(attrs["role"] == "img" for attrs in drawings)


def test_every_table_of_the_page_names_one_for_spreadsheets_that_is_written():
    result = agreement(methods=(method([1.0, 2.0]),))
    written = {
        one.name for one in qa_page(QaDocuments(agreement_doc(result)), result, report=PRODUCER).tables
    }
    named = set(re.findall(r"tables/(\w+)\.csv", html_of(result)))
    assert named == written


def test_the_same_documents_give_the_same_bytes():
    assert html_of(agreement()) == html_of(agreement())
