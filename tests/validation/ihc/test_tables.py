"""Does the page say what the results say?"""

from __future__ import annotations

import re

import pytest

from tests.validation.ihc import real_cores, tables
from tests.validation.measures import Measure
from tests.validation.store import keep, kept

F1 = Measure("tumour-cell detection F1", "60 phantom slides", 0.912, "", 0.90, 0.92, 0.90)
MEMORY = Measure("peak memory", "mosaic", 2100.0, "MB", threshold=2000.0, direction="at most")


@pytest.fixture
def results(tmp_path):
    keep(tmp_path, "phantoms", "classical", [F1], {"slides": []})
    keep(tmp_path, "phantoms", "her2-star-2", [Measure(F1.name, F1.on, 0.87, threshold=0.90)], {"slides": []})
    cost = {"step": "ihc_cells", "seconds": 30.0, "megabytes": 2100.0}
    keep(tmp_path, "speed", "classical", [MEMORY], {"costs": [cost]})
    return kept(tmp_path)


def test_methods_stand_side_by_side_and_a_missed_threshold_is_marked(results):
    head, _, first, memory = tables.tables(results)["measures"].splitlines()
    assert head == "| measure | on | asked | classical | her2-star-2 |"
    assert first.endswith("| at least 0.900 | 0.912 (0.900 to 0.920) | 0.870 **missed** |")
    assert memory.endswith("| at most 2000 MB | 2100 MB **missed** | not run |")


def test_a_method_that_is_run_again_leaves_the_others_results_alone(tmp_path, results):
    keep(tmp_path, "phantoms", "her2-star-2", [F1], {"slides": []})
    assert tables.tables(kept(tmp_path))["measures"].count("0.912") == 2


def test_a_page_without_results_says_so():
    assert set(tables.tables({}).values()) == {"No results yet."}


def test_every_table_has_its_place_on_the_page():
    marks = re.findall(r"<!-- generated: (.+?) -->", tables.PAGE.read_text(encoding="utf-8"))
    assert marks == list(tables.tables({}))


@pytest.mark.parametrize(
    ("label", "status", "score", "in_place"),
    [
        pytest.param("0", "negative", "1+", True, id="0 read 1+"),
        pytest.param("1+", "negative", "2+", False, id="1+ read 2+"),
        pytest.param("3+", "positive", "2+", True, id="3+ read 2+"),
        pytest.param("3+", "positive", "1+", False, id="3+ read 1+"),
        pytest.param("2+", "positive", "1+", False, id="amplified 2+ read 1+"),
        pytest.param("2+", "negative", "0", True, id="core_726f: explained in prose"),
        pytest.param("1+", "negative", "refused: no_tissue", False, id="refused"),
    ],
)
def test_a_core_is_in_place_where_its_label_allows_the_score(label, status, score, in_place):
    core = real_cores.CoreReading("core", label, status, score, 100, 0.0, 0.0, 0.0)
    assert core.in_place is in_place
