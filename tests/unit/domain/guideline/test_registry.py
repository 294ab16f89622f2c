from __future__ import annotations

from dataclasses import replace

import pytest

from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_2023 import BREAST_2023
from her2path.domain.guideline.registry import GUIDELINES, find_guideline, guideline_ids
from her2path.errors import ConfigError


def test_an_unknown_guideline_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="'breast_2019' is unknown; known are breast_2018, breast_2023"):
        find_guideline("breast_2019")


def test_every_guideline_is_found_by_its_own_id():
    assert [find_guideline(name).id for name in guideline_ids()] == ["breast_2018", "breast_2023"]


@pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
def test_every_rule_names_a_source_of_its_guideline_or_a_policy(guideline):
    year = guideline.id.removeprefix("breast_")
    for rule_id, source in guideline.rule_sources():
        assert source.startswith((f"Wolff {year}", "her2path policy P")), rule_id


def test_2023_affirms_every_rule_of_2018_unchanged():
    ids_2018 = [rule_id for rule_id, _ in BREAST_2018.rule_sources()]
    assert [rule_id for rule_id, _ in BREAST_2023.rule_sources()] == ids_2018
    for name in ("ihc", "ish_dual", "ish_single", "combined", "ish_rejections", "ihc_rejections"):
        old, new = getattr(BREAST_2018, name), getattr(BREAST_2023, name)
        assert [(r.when, r.then) for r in new] == [(r.when, r.then) for r in old]


def test_a_comment_without_text_is_refused():
    with pytest.raises(ValueError, match=r"comments \['NOTE-LOW'\] have no text"):
        replace(BREAST_2023, comments={c: t for c, t in BREAST_2023.comments.items() if c != "NOTE-LOW"})


def test_two_rules_of_one_id_are_refused():
    with pytest.raises(ValueError, match="rule ids are not unique"):
        replace(BREAST_2018, combined=(*BREAST_2018.combined, BREAST_2018.combined[0]))
