from __future__ import annotations

import re

import pytest

from her2path.domain.guideline.registry import GUIDELINES
from tests.support.guideline_tables import PAGE, between, tables

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(tables()))
def test_the_page_for_pathologists_shows_the_rules_as_they_are(name):
    assert between(TEXT, name) == tables()[name], "run: python -m tests.support.guideline_tables"


def test_every_policy_that_a_rule_names_is_explained_on_the_page():
    sources = " ".join(source for g in GUIDELINES.values() for _, source in g.rule_sources())
    named = {
        number for part in re.findall(r"policy (P\d+(?:, P\d+)*)", sources) for number in part.split(", ")
    }

    assert named >= {"P1", "P2", "P3", "P4", "P5", "P6", "P8"}
    assert all(f"| {number} |" in TEXT for number in named)


def test_every_rule_of_the_affirmed_guideline_differs_by_its_source_alone():
    old, new = (dict(GUIDELINES[name].rule_sources()) for name in ("breast_2018", "breast_2023"))
    for rule_id, source in new.items():
        assert source.removeprefix("Wolff 2023, affirming ") == old[rule_id]
