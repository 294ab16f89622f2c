from __future__ import annotations

import csv
import io

from her2path.io.documents import Producer
from her2path.reports.html.rendering import render_qa
from her2path.reports.qa_page import QaDocuments, qa_page
from her2path.reports.qa_review_section import MOST_CASES
from her2path.reports.qa_review_tables import review_tables
from tests.support.pages import Page
from tests.support.qa_results import agreement, agreement_doc
from tests.support.qa_watched import ADJUDICATION, discordant_case, review, review_doc, section_text

PRODUCER = Producer(step="qa_page", version="9.9")


def html_of(result):
    documents = QaDocuments(agreement_doc(), review=review_doc(result))
    return render_qa(qa_page(documents, agreement(), report=PRODUCER))


def section(result):
    return section_text(html_of(result), "review")


def rows_of(result, name):
    (table,) = [one for one in review_tables(result) if one.name == name]
    return list(csv.DictReader(io.StringIO(table.text, newline="")))


def test_the_gravest_disagreements_come_first_with_the_reason():
    text = section(review())
    assert "40 cases with two opinions at least: in 38 all agree, in 2 they differ." in text
    assert "Positive or negative 1 One of the two would give HER2-directed treatment" in text
    assert "c7 1 Positive or negative the software and readers 1 yes" in text
    assert "c9 2 Adjacent scores readers only 1 not yet" in text


def test_opinions_of_a_case_stand_side_by_side_with_the_evidence():
    text = section(review())
    assert "the software 2+ 100 HER2, 40 CEP17 in 20 nuclei positive" in text
    assert (
        "r1 1+ complete, intense 20.0 %; no staining 80.0 %; the others 0 % negative Positive or negative"
        in text
    )
    assert "IHC-2+ 2+ weak to moderate" in text
    assert "12.00 10 +2.00 % of cells" in text
    assert "cases/c7/report.html" in text


def test_comments_of_readers_are_text():
    html = html_of(review())
    assert "<b>faint" not in html
    assert "&lt;b&gt;faint&lt;/b&gt; שלום" in html


def test_rereads_and_decisions_stand_beside_the_first_reads():
    one = discordant_case(adjudication=ADJUDICATION)
    text = section(review(cases=(one,)))
    assert "r1 2026-03-01 2+ first results not known" in text
    assert "Adjudicated by chair on 2026-04-01: 2+, positive. FISH amplified" in text
    assert "1 case decided: 1 as the software" in text
    assert "No agreement is worked out from decisions." in text
    assert "r1 list1 2026-03-01 yes 12 90.0 % (60.0 to 98.0 %) 1 of 2 1 of 2 21" in text


def test_a_case_without_evidence_says_why():
    one = discordant_case(evidence=None, no_evidence="the calls were given as a table")
    assert "No evidence of the software: the calls were given as a table" in section(review(cases=(one,)))


def test_what_nobody_reread_or_decided_is_said():
    text = section(review(rereads=(), adjudications=()))
    assert "No blinded re-read was taken back" in text
    assert "No discordant case was adjudicated." in text


def test_cases_that_all_agree_on_leave_a_sentence():
    text = section(review(discordant=0, concordant=40, cases=(), further=(), adjudications=(), rereads=()))
    assert "in 40 all agree, in 0 they differ" in text
    assert "Opinions and evidence" not in text
    assert "adjudicated" not in text


def test_many_cases_are_cut_and_the_document_is_named():
    cases = tuple(discordant_case(rank=i + 1, case_id=f"c{i}") for i in range(MOST_CASES + 3))
    text = section(review(cases=cases))
    assert "40 of 43 cases with their evidence are shown" in text


def test_without_a_review_the_page_says_so():
    documents = QaDocuments(agreement_doc())
    text = Page(render_qa(qa_page(documents, agreement(), report=PRODUCER))).text
    assert "Discordant cases were not ranked here." in text
    assert all(table.text.count("\r\n") == 1 for table in review_tables(None))


def test_every_opinion_reread_and_decision_is_a_row():
    result = review()
    opinions = rows_of(result, "review_opinions")
    assert [(r["who"], r["is_reread"], r["ihc_score"]) for r in opinions] == [
        ("her2path", "false", "2+"),
        ("r1", "false", "1+"),
        ("r1", "true", "2+"),
    ]
    assert rows_of(result, "review_adjudications")[0]["why"] == "FISH amplified"
    assert rows_of(result, "review_rereads")[0]["value"] == "0.9"
    assert {r["kind"] for r in rows_of(result, "review_evidence")} == {
        "rule",
        "number",
        "distance",
        "flag",
        "files",
    }
