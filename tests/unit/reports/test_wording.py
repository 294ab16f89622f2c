from __future__ import annotations

import re
from pathlib import Path

import pytest

from her2path.domain.flags import Flag
from her2path.domain.verdict import NotEvaluable, State
from her2path.io.call_entries import Comment
from her2path.reports import wording
from her2path.reports.reason_titles import REASON_TITLES
from her2path.reports.wording import (
    NOT_EVALUABLE,
    STATE_WORDS,
    flag_sentence,
    headline,
    notes_of,
    reason_sentences,
    state_words,
)
from tests.support.case_documents import ONE_PLUS, TWO_PLUS, Fish, Ihc, Setting, call_doc, nuclei


def test_every_state_is_worded():
    assert set(STATE_WORDS) == {*State, NOT_EVALUABLE}


def test_states_that_mean_different_things_differ_in_shape_not_only_in_colour():
    looks = {(words.look, words.symbol) for words in STATE_WORDS.values()}
    assert len({symbol for _, symbol in looks}) == len(looks)


@pytest.mark.parametrize("flag", list(Flag))
def test_every_flag_of_a_call_has_a_sentence(flag):
    sentence = flag_sentence(str(flag))
    assert sentence is not None
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("comments", "headline"),
    [
        pytest.param(["ACT-RECOUNT"], "Pending: a recount is needed", id="a second observer"),
        pytest.param([], "Pending: a recount is needed", id="nothing said"),
        pytest.param(["ACT-COUNT-MORE"], "Pending: more nuclei must be counted", id="further nuclei"),
        pytest.param(
            ["ACT-COUNT-SECOND"], "Pending: the second population must be counted", id="a second population"
        ),
        pytest.param(["ACT-RECOUNT", "ACT-COUNT-SECOND"], "Pending: a recount is needed", id="both"),
    ],
)
def test_a_pending_count_is_worded_by_what_must_be_counted(comments, headline):
    assert state_words("needs_recount", comments).headline == headline


def test_comments_change_the_words_of_no_other_state():
    for state in set(STATE_WORDS) - {"needs_recount"}:
        assert state_words(state, ["ACT-COUNT-MORE"]) is STATE_WORDS[state]


def test_an_unknown_flag_has_no_sentence():
    assert flag_sentence("brand_new") is None


@pytest.mark.parametrize(
    ("images", "words"),
    [
        pytest.param([Ihc(cells=ONE_PLUS)], "HER2 negative (IHC 1+)", id="IHC 1+"),
        pytest.param([Ihc(cells=TWO_PLUS)], "Pending: ISH is needed (IHC 2+)", id="IHC 2+"),
        pytest.param(
            [Ihc(cells=TWO_PLUS), Fish(nuclei=nuclei(40, 9.5, 2.2))],
            "HER2 positive (IHC 2+, ISH group 1)",
            id="group 1",
        ),
        pytest.param(
            [Fish(nuclei=nuclei(40, 4.9, 3.0))], "Pending: IHC is needed (ISH group 4)", id="ISH without IHC"
        ),
        pytest.param(
            [Ihc(cells=ONE_PLUS), Fish(nuclei=[(h, None) for h, _ in nuclei(40, 6.9, None)])],
            "HER2 positive (IHC 1+, ISH amplified)",
            id="single probe",
        ),
        pytest.param(
            [Ihc(failed=NotEvaluable("no_tissue", "no tissue; scan again"))],
            "Not evaluable: no tissue was found",
            id="no tissue",
        ),
        pytest.param(
            [Ihc(failed=NotEvaluable("odd_thing", "something odd"))],
            "Not evaluable: odd thing",
            id="a reason without a title is spelt out",
        ),
    ],
)
def test_the_headline_says_the_call_in_plain_words(images, words):
    assert headline(call_doc("c1", *images)) == words


def test_a_score_that_counts_by_its_extent_says_so_in_the_headline():
    focal = {"complete_intense": 30, "complete_weak_moderate": 400, "none": 570}
    call = call_doc("c1", Ihc(cells=focal), setting=Setting("colorectal_heracles_2015"))
    assert headline(call) == "HER2 negative (IHC 3+ negative by its extent)"


def test_a_reason_is_said_once_even_if_the_case_and_its_image_give_it():
    why = NotEvaluable("no_tissue", "no tissue; scan again")
    assert reason_sentences(call_doc("c1", Ihc(failed=why))) == ("no tissue; scan again",)


def test_a_comment_that_the_guideline_does_not_know_counts_as_mandatory():
    call = call_doc("c1", Ihc(cells=TWO_PLUS))
    odd = call.model_copy(update={"comments": (*call.comments, Comment(code="X", text="look"))})
    assert [(note.code, note.kind) for note in notes_of(odd)] == [("ACT-ISH", "action"), ("X", "mandatory")]


def test_every_reason_that_the_code_gives_has_a_title():
    root = Path(wording.__file__).parents[1]
    # Control charts and lists for a re-read give reasons too, but those of studies: no case has them.
    of_studies = {"undated", "nothing_to_reread"}
    # Slides that a QuPath project leaves out, and FHIR's own word for an absent value.
    of_exports = {"not_in_project", "error"}
    ours = (path for path in sorted(root.rglob("*.py")) if "control_chart" not in path.stem)
    text = "".join(path.read_text(encoding="utf-8") for path in ours)
    given = set(re.findall(r"""(?:code=|code = |NotEvaluable\(\s*)"([a-z_]+)\"""", text))
    findings = {"saturated", "pixel_size_contradicted", "stain_doubtful"}
    assert len(given) > 15
    assert of_studies <= given
    assert given - findings - of_studies - of_exports <= REASON_TITLES.keys()
