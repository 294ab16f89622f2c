"""The pages for pathologists say what the rules say, all of it, and nothing else."""

from __future__ import annotations

import re

import pytest

from her2path.domain.guideline.definition import condition_of
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.populations import APART, population_rules
from tests.support.guideline_pages import COMMAND, FOLDER, README, pages, policies_of, users_of
from tests.support.policies import PAGE, policies_in, written

EVERY = pytest.mark.parametrize("guideline", GUIDELINES.values(), ids=lambda g: g.id)
PAGES = pages()
TEXT = {file.stem: file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.md"))}


@pytest.mark.parametrize("file", sorted(PAGES), ids=lambda f: f.name)
def test_the_pages_show_the_rules_as_they_are(file):
    assert file.is_file(), f"run: {COMMAND}"
    # Compared by lines: pytest then names the rule that differs.
    assert TEXT[file.stem].splitlines() == PAGES[file].splitlines(), f"run: {COMMAND}"


def test_each_guideline_has_a_page_and_no_page_is_left_without_guideline():
    assert set(TEXT) == {*GUIDELINES, README.stem, PAGE.stem}


@EVERY
def test_every_rule_stands_on_its_page_with_its_condition(guideline):
    page = TEXT[guideline.id].replace(" and<br/>", " and ")
    tests = (*guideline.unreadable, *guideline.ihc_rejections, *guideline.ihc)
    counts = (*guideline.ish_rejections, *guideline.recount_rejections)
    groups = (*guideline.ish_dual, *guideline.ish_single)
    flags = (*guideline.ish_flags, *guideline.recount_flags, *guideline.specimen)
    for rule in (*tests, *counts, *groups, *flags):
        assert f"\n| `{rule.id}` | {condition_of(rule)} |" in page, rule.id
    for rule in guideline.combined:
        assert f"\n| `{rule.id}` |" in page


@EVERY
def test_every_comment_and_its_words_stand_on_the_page(guideline):
    for comment in guideline.comments.values():
        assert f"| `{comment.code}` | {comment.kind} | {comment.text} |" in TEXT[guideline.id]


@EVERY
def test_a_rule_that_rests_on_a_policy_is_marked_in_its_row(guideline):
    for rule_id, source in guideline.rule_sources():
        rows = [row for row in TEXT[guideline.id].splitlines() if row.startswith(f"| `{rule_id}` |")]
        marked = ["**her2path policy [P" in row for row in rows]
        assert marked == [source.startswith("her2path policy")], rule_id


def test_every_policy_that_a_rule_names_is_explained():
    sources = [source for g in GUIDELINES.values() for _, source in g.rule_sources()]
    sources += [rule.source for rule in population_rules(APART)]

    assert set(policies_in("; ".join(sources))) <= set(written())


def test_every_policy_has_a_question_a_decision_a_reason_and_a_user():
    headings = re.findall(r"^## (.+)$", TEXT[PAGE.stem], re.MULTILINE)

    assert headings == list(written()) == [f"P{n}" for n in range(1, len(headings) + 1)]
    assert [number for number in headings if users_of(number).count("\n") < 2] == []


@EVERY
def test_the_page_lists_the_policies_that_its_results_can_rest_on(guideline):
    policies = written()
    for number in policies_of(guideline):
        assert f"| {policies[number].question} | {policies[number].decision} |" in TEXT[guideline.id]


def test_a_source_names_its_policies_also_where_they_are_several():
    assert policies_in("her2path policy P1, P2: classes that cumulate") == ("P1", "P2")
    assert policies_in("footnote (more than the limit of blank, her2path policy P3)") == ("P3",)
    assert policies_in("her2path policy P8: no CEP17 signal in any nucleus") == ("P8",)
    assert policies_in("Wolff 2018, IHC algorithm: 3+") == ()


@pytest.mark.parametrize("name", sorted(TEXT))
def test_every_link_of_a_page_leads_somewhere(name):
    for target in re.findall(r"\]\(([^)]+)\)", TEXT[name]):
        file, _, anchor = target.partition("#")
        linked = (FOLDER / file).resolve()
        assert linked.is_file(), target
        assert not anchor or f"\n## {anchor.upper()}\n" in linked.read_text(encoding="utf-8"), target
