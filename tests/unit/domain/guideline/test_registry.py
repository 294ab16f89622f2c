"""Which guidelines there are, for which tumours, and that each of them is sound as data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_2023 import BREAST_2023
from her2path.domain.guideline.definition import (
    COUNT_SECOND,
    CommentKind,
    RecountUse,
    condition_of,
    resourced,
    restamped,
)
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.registry import GUIDELINES, find_guideline, guideline_ids
from her2path.domain.guideline.rules import Rule
from her2path.errors import ConfigError, RuleSetError

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
# id: (family, tumours, what its sources begin with)
KNOWN = {
    "biliary_zanidatamab_2024": (
        "biliary",
        {"biliary"},
        "FDA label 2024, zanidatamab in biliary tract cancer",
    ),
    "breast_2007": ("breast", {"breast"}, "Wolff 2007"),
    "breast_2013": ("breast", {"breast"}, "Wolff 2013"),
    "breast_2015": ("breast", {"breast"}, "Wolff 2015 (letter)"),
    "breast_2018": ("breast", {"breast"}, "Wolff 2018"),
    "breast_2023": ("breast", {"breast"}, "Wolff 2023, affirming Wolff 2018"),
    "colorectal_harmonised_2019": ("colorectal", {"colorectal"}, "Harmonised colorectal criteria 2019"),
    "colorectal_heracles_2015": ("colorectal", {"colorectal"}, "Valtorta 2015 (HERACLES)"),
    "endometrial_serous_2022": ("endometrial", {"endometrial"}, "Fader 2018 (CAP template 2022)"),
    "gastroesophageal_2016": ("gastroesophageal", {"gastroesophageal"}, "Bartley 2016"),
    "pantumour_tdxd_2024": (
        "pantumour",
        {"biliary", "breast", "colorectal", "endometrial", "gastroesophageal", "solid_other"},
        "FDA label 2024, trastuzumab deruxtecan in solid tumours",
    ),
}
RULE_SETS = (
    "unreadable",
    "ihc_rejections",
    "ihc",
    "ish_rejections",
    "recount_rejections",
    "ish_dual",
    "ish_single",
    "ish_flags",
    "recount_flags",
    "combined",
    "specimen",
)
LABELS = ("pantumour_tdxd_2024", "biliary_zanidatamab_2024")


def test_an_unknown_guideline_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError) as error:
        find_guideline("breast_2019")

    (sentence,) = error.value.args[0]
    assert sentence == f"guideline 'breast_2019' is unknown; known are {', '.join(sorted(KNOWN))}"


def test_every_guideline_is_found_by_its_own_id():
    assert [find_guideline(name).id for name in guideline_ids()] == sorted(KNOWN)


@EVERY
def test_each_guideline_belongs_to_its_tumour(guideline):
    family, sites, _ = KNOWN[guideline.id]

    assert (guideline.family, {str(site) for site in guideline.sites}) == (family, sites)


def test_no_two_guidelines_share_a_title_or_a_publication():
    every = GUIDELINES.values()

    assert len({g.title for g in every}) == len({g.source for g in every}) == len({g.id for g in every})
    assert all(g.id[-4:] in g.title for g in every)


@EVERY
def test_every_rule_names_a_source_of_its_guideline_or_a_policy(guideline):
    _, _, author = KNOWN[guideline.id]
    # Labels are scored, and their ISH read, as in the stomach; kits ask for more nuclei near the cut.
    others = ("her2path policy P", "instructions of dual-probe kits")
    others += ("Bartley 2016, ISH algorithm",) if guideline.id in LABELS else ()
    for rule_id, source in guideline.rule_sources():
        assert source.startswith((author, *others)), rule_id


@pytest.mark.parametrize(
    ("policy", "name", "rule_id"),
    [
        ("P1", "breast_2018", "IHC-1-CUMULATED"),
        ("P1", "breast_2013", "IHC-0-CUMULATED"),
        ("P4", "breast_2018", "IHC-0-BLANK"),
        ("P5", "breast_2018", "CALL-RECOUNT-DIFFERS"),
        ("P6", "breast_2018", "CALL-SP-HIGH-IHC-LOW"),
        ("P7", "breast_2013", "CALL-ISH-EQUIVOCAL-IHC-LOW"),
        ("P8", "breast_2018", "CALL-IHC-LOW-ISH-FAILED"),
        ("P9", "gastroesophageal_2016", "ISH-COPIES-SIX"),
        ("P10", "gastroesophageal_2016", "CALL-IHC-LOW-AMPLIFIED"),
        ("P11", "endometrial_serous_2022", "ISH-RATIO-LOW-COPIES"),
        ("P12", "breast_2007", "IHC-1-UNUSUAL"),
        ("P17", "endometrial_serous_2022", "CALL-IHC-LOW-AMPLIFIED"),
    ],
)
def test_a_settled_question_names_its_policy(policy, name, rule_id):
    source = dict(GUIDELINES[name].rule_sources())[rule_id]

    assert source.startswith((f"her2path policy {policy}:", f"her2path policy {policy},"))


@EVERY
def test_low_expression_is_an_overlay_of_the_breast_since_2018_alone(guideline):
    assert guideline.has_low_expression_overlay is (guideline.id in ("breast_2018", "breast_2023"))


@EVERY
def test_a_second_population_is_a_matter_of_the_breast_guidelines_since_2013(guideline):
    speaks = guideline.family == "breast" and guideline.id != "breast_2007"

    assert guideline.speaks_of_populations is speaks


@EVERY
def test_further_nuclei_are_added_where_the_stomach_is_read(guideline):
    adds = guideline.id in ("gastroesophageal_2016", *LABELS)

    assert guideline.recount_use is (RecountUse.ADD if adds else RecountUse.CONFIRM)


@EVERY
def test_the_groups_were_three_results_in_2013_and_2015(guideline):
    three = guideline.id in ("breast_2013", "breast_2015")
    alike = {
        ("1", "2"),
        ("1", "3"),
        ("2", "3"),
        ("1", "amplified"),
        ("4", "equivocal"),
        ("5", "not_amplified"),
    }
    for one in IshFinding:
        assert guideline.is_one_result(one, one)
        for other in IshFinding:
            pair = (str(one), str(other))
            if one is not other and three and not {"2", "3"} & set(pair):
                assert guideline.is_one_result(one, other) is (pair in alike or pair[::-1] in alike), pair
            elif one is not other and not three:
                assert not guideline.is_one_result(one, other), pair
    if three:
        assert all(guideline.is_one_result(IshFinding(a), IshFinding(b)) for a, b in alike)


@EVERY
def test_a_second_population_can_be_commented_by_every_guideline(guideline):
    assert guideline.comments[COUNT_SECOND.code] is COUNT_SECOND
    assert all(code == comment.code for code, comment in guideline.comments.items())


@EVERY
def test_the_code_of_a_comment_tells_its_kind(guideline):
    kinds = {"ACT": CommentKind.ACTION, "NOTE": CommentKind.NOTE}
    for code, comment in guideline.comments.items():
        assert comment.kind is kinds.get(code.partition("-")[0], CommentKind.MANDATORY), code


@EVERY
def test_every_rule_about_a_test_is_data_that_can_be_printed(guideline):
    ishes = (*guideline.ish_rejections, *guideline.recount_rejections, *guideline.ish_dual)
    ishes = (*ishes, *guideline.ish_single, *guideline.ish_flags, *guideline.recount_flags)
    for rule in (*guideline.unreadable, *guideline.ihc_rejections, *guideline.ihc, *ishes):
        assert str(condition_of(rule))
        assert "<" not in str(condition_of(rule)).replace(" < ", "")


def test_every_rule_of_a_guideline_is_listed_with_its_source():
    for guideline in GUIDELINES.values():
        listed = dict(guideline.rule_sources())
        for name in RULE_SETS:
            for rule in getattr(guideline, name):
                assert listed[rule.id] == rule.source


def test_2023_affirms_every_rule_of_2018_unchanged():
    ids_2018 = [rule_id for rule_id, _ in BREAST_2018.rule_sources()]
    assert [rule_id for rule_id, _ in BREAST_2023.rule_sources()] == ids_2018
    for name in RULE_SETS:
        old, new = getattr(BREAST_2018, name), getattr(BREAST_2023, name)
        assert [(r.when, r.then) for r in new] == [(r.when, r.then) for r in old]


def test_a_comment_without_text_is_refused():
    with pytest.raises(ValueError, match=r"^guideline breast_2023: comments \['NOTE-LOW'\] have no text$"):
        replace(BREAST_2023, comments={c: t for c, t in BREAST_2023.comments.items() if c != "NOTE-LOW"})
    with pytest.raises(ValueError, match=r"^guideline breast_2018: comments \['G2'\] have no text$"):
        replace(BREAST_2018, comments={c: t for c, t in BREAST_2018.comments.items() if c != "G2"})


def test_two_rules_of_one_id_are_refused():
    with pytest.raises(ValueError, match="^guideline breast_2018: rule ids are not unique$"):
        replace(BREAST_2018, combined=(*BREAST_2018.combined, BREAST_2018.combined[0]))


def test_a_rule_that_is_a_bare_function_cannot_be_read_as_data():
    with pytest.raises(RuleSetError, match="the condition is not data") as error:
        condition_of(Rule("BARE", "paper", lambda n: n > 1, "x"))

    assert error.value.rule_ids == ("BARE",)


GUIDELINE_RULE = Rule("R", "paper, page 1", bool, "x")
POLICY_RULE = Rule("P", "her2path policy P1: why", bool, "x")


def test_an_affirmed_rule_is_stamped_and_a_policy_is_not():
    stamped = restamped((GUIDELINE_RULE, POLICY_RULE), "2023, affirming ")

    assert [rule.source for rule in stamped] == ["2023, affirming paper, page 1", "her2path policy P1: why"]
    assert [(rule.id, rule.when, rule.then) for rule in stamped] == [("R", bool, "x"), ("P", bool, "x")]


def test_a_rule_of_another_version_gets_that_version_s_source_and_must_have_one():
    both = resourced((GUIDELINE_RULE, POLICY_RULE), {"R": "letter"})

    assert [rule.source for rule in both] == ["letter", "her2path policy P1: why"]
    with pytest.raises(KeyError, match="R"):
        resourced((GUIDELINE_RULE,), {})
