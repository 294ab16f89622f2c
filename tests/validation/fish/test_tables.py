"""Does the page of the FISH validation say what the results say?"""

from __future__ import annotations

import re

import pytest

from tests.validation.fish import tables
from tests.validation.fish.agreement import CountedNucleus, FieldAgreement, Hits
from tests.validation.fish.measures import CaseAgreement, phantom_rows
from tests.validation.store import keep, kept


def case(name: str, her2: int, *, profile: str = "plain") -> CaseAgreement:
    """A case of 40 nuclei with 4.0 HER2 and 1.0 CEP17 copies, of which `her2` HER2 copies are counted."""
    nuclei = [CountedNucleus(4, 4, 1, 1, 0)] * 40
    field = FieldAgreement(
        nuclei=Hits(50, 50, 45),
        signals={"her2": Hits(160, 160, 152), "cep17": Hits(40, 40, 40)},
        counted=nuclei,
        clusters=[(10, 9)],
        scored=(40, her2, 40),
        scored_true=(40, 160, 40),
        kept_wrongly={"not_tumour": 2},
        left_out={"overlapping": 3},
    )
    return CaseAgreement(name, profile, (field,))


@pytest.fixture
def results(tmp_path):
    cases = [case("0 plain", 160), case("1 dim", 150, profile="dim")]
    keep(tmp_path, "phantoms", "her2path", phantom_rows(cases), {"cases": [c.as_json() for c in cases]})
    return kept(tmp_path)


def test_a_missed_threshold_is_marked(results):
    rows = {row.split(" | ")[0]: row for row in tables.tables(results)["measures"].splitlines()}
    assert rows["| nuclei F1 at half the union"].endswith("0.900 (0.900 to 0.900) **missed** |")
    assert "missed" not in rows["| signal F1 outside clusters"]


def test_profiles_stand_apart_and_together(results):
    lines = tables.tables(results)["profiles"].splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| plain", "| dim", "| all"]


def test_every_case_that_differs_is_shown_with_its_figures(results):
    text = tables.tables(results)["groups"]
    # 150 of 160 copies in 40 nuclei: 3.75 copies at ratio 3.75 is group 2, not 1.
    assert "| borderline | 1 | 1: 1, 2: 1 |" in text
    assert "| 1 dim | 40 | 4.00 | 4.00 | 40 | 3.75 | 3.75 |" in text


def test_the_choice_of_nuclei_adds_up(results):
    text = tables.tables(results)["choice"]
    assert "| a reader would score, scored |  | 80 |" in text
    assert "| a reader would score, not scored | overlapping | 6 |" in text
    assert "| scored, a reader would not | not_tumour | 4 |" in text


def test_a_page_without_results_says_so():
    assert set(tables.tables({}).values()) == {"No results yet."}


def test_every_table_has_its_place_on_the_page():
    marks = re.findall(r"<!-- generated: (.+?) -->", tables.PAGE.read_text(encoding="utf-8"))
    assert sorted(marks) == sorted(tables.tables({}))
