"""What a report says beside the call: chance, versions, populations, specimen, another kind of tumour."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

import pytest

from her2path.domain.case import Controls, SpecimenFacts, TumourSite
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.steps import case_report
from her2path.steps.case_report import CaseReportParams
from tests.support.case_documents import TWO_PLUS, Fish, Ihc, Setting, nuclei, write_case
from tests.support.pages import Page

STOMACH = SpecimenFacts(TumourSite.GASTROESOPHAGEAL, Fraction(4), Fraction(90))
AMPLIFIED = IshReading(SignalSummary(22, 190, 44), controls=Controls.PASS)
ON_BOTH_CUTS = IshReading(SignalSummary(20, 80, 40), controls=Controls.PASS)
NEAR = [(4, 2)] * 9 + [(3, 2)] * 5 + [(6, 3)] * 4 + [(7, 3), (5, 2)]
CASES = {
    "beside the cut": ([Fish("f1", NEAR)], Setting("breast_2018")),
    "stomach by a breast guideline": ([Fish("f1", nuclei(40, 8.2, 2.1))], Setting("breast_2018", STOMACH)),
    "stomach": ([Fish("f1", nuclei(40, 4.9, 3.2))], Setting("gastroesophageal_2016", STOMACH)),
    "a group that is one result with others": (
        [Fish("f1", nuclei(30, 6.2, 3.2))],
        Setting("breast_2013"),
    ),
    "two populations": (
        [Fish("f1", nuclei(40, 2.6, 2.1))],
        Setting("breast_2018", second=SecondPopulation(Fraction(3, 10), AMPLIFIED)),
    ),
    "a second population on both cuts": (
        [Fish("f1", nuclei(40, 2.6, 2.1))],
        Setting("breast_2018", second=SecondPopulation(Fraction(1001, 10000), ON_BOTH_CUTS)),
    ),
    "nuclei that are all alike": ([Fish("f1", [(4, 2)] * 20)], Setting("breast_2018")),
    "a second population without a count": (
        [Fish("f1", nuclei(40, 2.6, 2.1))],
        Setting("breast_2018", second=SecondPopulation(Fraction(3, 10))),
    ),
    "too few nuclei": ([Fish("f1", nuclei(12, 4.9, 3.0))], Setting("breast_2018")),
    "colon without the share of nuclei": (
        [Fish("f1", nuclei(40, 4.4, 2.1))],
        Setting("colorectal_heracles_2015"),
    ),
}


def html_of(root, name: str) -> str:
    images, setting = CASES[name]
    call, artefacts = write_case(root, "c1", Ihc("a1", TWO_PLUS), *images, setting=setting)
    report = root / "report.html"
    case_report.run(call=call, artefact=artefacts, report=report, params=CaseReportParams())
    return report.read_text(encoding="utf-8")


def text_of(root, name: str) -> str:
    return Page(html_of(root, name)).text


@pytest.mark.parametrize("name", CASES)
def test_every_page_is_well_formed_and_can_be_read_without_seeing_it(tmp_path, name):
    page = Page(html_of(tmp_path, name))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    names = [tag for tag, _ in page.tags]
    assert names.count("table") == names.count("caption")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in page.tags if tag == "a"} <= set(ids)


@pytest.mark.parametrize("name", CASES)
def test_every_page_fetches_nothing_and_is_the_same_twice(tmp_path, name):
    html = html_of(tmp_path, name)
    assert html == html_of(tmp_path, name)
    assert not re.search(r"<script|<link|<iframe|url\(|@import", html)
    assert set(re.findall(r"https?://[^\s\"<]+", html)) <= {"http://www.w3.org/2000/svg"}


def test_a_strange_guideline_is_warned_of_before_anything_else_and_only_there(tmp_path):
    html = html_of(tmp_path, "stomach by a breast guideline")
    text = Page(html).text
    warning = text.index("The chosen guideline was made for another kind of tumour")
    assert warning < text.index("Who acts next")
    assert "Stated site of this tumour: stomach or oesophagus" in text
    assert html.count("<code>guideline_site</code>") == 1


def test_a_guideline_that_fits_is_not_warned_of(tmp_path):
    assert "made for another kind of tumour" not in text_of(tmp_path, "stomach")


def test_handling_out_of_range_is_flagged_and_the_times_are_printed(tmp_path):
    text = text_of(tmp_path, "stomach by a breast guideline")
    assert "fixation_out_of_range" in text
    assert "cold_ischaemia_long" in text
    assert "Time in formalin 4 hours" in text
    assert "Cold ischaemia (time to the fixative) 90 minutes" in text


def test_what_was_not_stated_of_the_specimen_says_so(tmp_path):
    assert "Site of the tumour not stated Time in formalin not stated" in text_of(tmp_path, "beside the cut")


def test_each_rule_stands_with_its_condition_numbers_and_source(tmp_path):
    text = text_of(tmp_path, "beside the cut")
    rule = text[text.index("ISH-G4 ISH group 4") :]
    assert rule.index("HER2/CEP17 ratio < 2.0 and HER2 copies") < rule.index("Counted nuclei 20")
    assert rule.index("Counted nuclei 20") < rule.index("Wolff 2018, dual-probe ISH algorithm, group 4")


def test_a_count_beside_the_cut_says_how_firm_it_is(tmp_path):
    text = text_of(tmp_path, "beside the cut")
    assert "Another count of 20 nuclei would give another ISH result about 1 in 4 times" in text
    assert "3 more HER2 signals would make it ISH group 1." in text
    assert "ISH group 4 (this count)" in text


def test_groups_that_are_one_result_are_explained(tmp_path):
    text = text_of(tmp_path, "a group that is one result with others")
    assert "but some groups are one result by this guideline" in text


def test_a_count_that_cannot_be_read_says_that_its_chance_cannot_be_told(tmp_path):
    assert "The chance of another result cannot be told: the count cannot be read" in text_of(
        tmp_path, "too few nuclei"
    )


def test_other_versions_stand_beside_the_chosen_one_which_alone_counts(tmp_path):
    text = text_of(tmp_path, "beside the cut")
    versions = text[text.index("What other versions would say") :]
    assert versions.startswith("What other versions would say Only the chosen guideline counts.")
    assert "breast_2018 2+ group 4 recount needed comment ACT-RECOUNT chosen" in versions
    assert "breast_2013 2+ group 4 equivocal comment ACT-ISH-EQUIVOCAL ≠ differs" in versions
    assert re.search(r"breast_2023 2\+ group 4 recount needed comment ACT-RECOUNT same", versions)


def test_two_populations_have_a_block_and_a_trail_each(tmp_path):
    text = text_of(tmp_path, "two populations")
    assert "Main population: 70 % of the tumour cells HER2 negative ISH group 5" in text
    assert "Rule trail of the main population" in text
    assert "Rule trail of the second population" in text
    assert "POP-POSITIVE positive main population negative, second population positive" in text


def test_the_population_on_both_cuts_that_makes_the_case_positive_says_how_firm_it_is(tmp_path):
    text = text_of(tmp_path, "a second population on both cuts")
    assert "Second population: 10.01 % of the tumour cells HER2 positive ISH group 1" in text
    firm = text[text.index("How firm is the count Main population") :]
    assert "Second population Another count of 20 nuclei would give another ISH result about 2 in 3" in firm
    assert "1 fewer HER2 signal would make it ISH group 5." in firm
    distances = text[text.index("Distance of each number of the second population") :]
    assert "HER2/CEP17 ratio 2.00 2 0.00" in distances[:200]


def test_nuclei_that_are_all_alike_are_said_to_tell_nothing_of_chance(tmp_path):
    text = text_of(tmp_path, "nuclei that are all alike")
    assert "The 20 counted nuclei are all alike" in text
    assert "What another count of as many nuclei would give" not in text


def test_a_second_population_that_was_not_counted_keeps_the_case_open(tmp_path):
    text = text_of(tmp_path, "a second population without a count")
    assert "This is not a final HER2 result." in text
    assert "Who acts next Laboratory" in text


def test_the_definition_of_2009_is_printed_as_an_extra(tmp_path):
    text = text_of(tmp_path, "beside the cut")
    assert re.search(r"[0-9.]+ % of the nuclei have a ratio above 2\.2: ", text)
    assert "This is an extra that changes no call" in text


def test_a_guideline_outside_the_breast_reads_levels_and_never_speaks_of_the_breast(tmp_path):
    text = text_of(tmp_path, "stomach")
    assert "as the guideline reads it" in text
    assert "Weak to moderate 350 35.00" in text
    assert "breast" not in text.lower()


def test_pictures_of_cells_are_told_by_what_the_guideline_reads(tmp_path):
    html = html_of(tmp_path, "stomach")
    assert "Overlay of the cells by level of staining" in html
    assert "coloured by level of staining" in html
    assert "coloured by score" not in html


def test_a_guideline_that_adds_further_nuclei_asks_for_no_blinded_recount(tmp_path):
    text = text_of(tmp_path, "stomach")
    assert "Pending: more nuclei must be counted (IHC 2+, ISH equivocal)" in text
    assert "blinded" not in text


def test_categories_of_breast_cancer_are_not_spoken_of_elsewhere(tmp_path):
    assert "Not defined here This guideline's tumour has no such categories." in text_of(tmp_path, "stomach")
