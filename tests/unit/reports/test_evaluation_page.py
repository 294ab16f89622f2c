"""The page of an evaluation prints what the document says, and computes nothing."""

from __future__ import annotations

import re

import pytest

from her2path.io.documents import Producer
from her2path.io.evaluation_documents import (
    EvaluatedSet,
    EvaluationDoc,
    FigureEntry,
    MarginVerdict,
    McNemarEntry,
    Point,
    ReliabilityEntry,
    SubgroupEntry,
    Verdict,
)
from her2path.io.model_card import WeightsEntry
from her2path.io.model_entries import ModelEntry, ModelOrigin
from her2path.io.qa_documents import EstimateEntry
from her2path.reports.evaluation_page import evaluation_page
from her2path.reports.html.reliability_plot import Curve, reliability_diagram
from her2path.reports.html.rendering import render_evaluation
from her2path.reports.model_words import model_words

NEW, OLD = WeightsEntry(id="her2-own-1", sha256="a" * 64), WeightsEntry(id="her2-star-2", sha256="b" * 64)


def estimate(value: float, half: float | None = 0.01) -> EstimateEntry:
    low, high = (None, None) if half is None else (round(value - half, 6), round(value + half, 6))
    why = "fewer than 5 pictures" if half is None else ""
    return EstimateEntry(value=value, low=low, high=high, method="bootstrap", confidence=0.95, n=6, why=why)


def row(new: float, old: float, *, half: float | None = 0.01, more_is_better: bool = True) -> FigureEntry:
    return FigureEntry(
        name="nuclei_f1",
        title="nuclei, F1",
        more_is_better=more_is_better,
        new=estimate(new, half),
        old=(estimate(old, half),),
        difference=(estimate(round(new - old, 6), half),),
    )


def document(figures: tuple[FigureEntry, ...], *, passed: bool = True, kind: str = "guard") -> EvaluationDoc:
    margin = MarginVerdict(
        figure="nuclei_f1", margin=0.013, why="a test", difference=estimate(-0.0004), passed=passed
    )
    part = EvaluatedSet(
        kind=kind,
        name="guard-1",
        sha256="c" * 64,
        what="phantoms",
        units="pictures",
        items=(),
        figures=figures,
        cells=(((9, 1, 0, 0, 0),) * 4,) * 2,
        reliability=(
            ReliabilityEntry(
                output="tumour",
                model=NEW.id,
                error=estimate(0.02),
                points=(Point(chance=0.05, share=0.02, n=40), Point(chance=0.95, share=0.97, n=60)),
            ),
        ),
        subgroups=(SubgroupEntry(axis="source", group="<phantoms>", pictures=6, figures=figures),),
        mcnemar=(
            McNemarEntry(compared_with=OLD.id, both=30, only_new=4, only_old=2, neither=4, p_value=0.0002),
        ),
        verdicts=(Verdict(compared_with=OLD, margins=(margin,)),) if kind == "guard" else (),
    )
    return EvaluationDoc(
        produced_by=Producer(step="train_evaluate", version="1"),
        model=NEW,
        parent=OLD,
        dataset=None,
        compared_with=(OLD,),
        sets=(part,),
        limit_of_blank_pct=4.5,
        card={},
    )


def text_of(found: EvaluationDoc) -> str:
    page = render_evaluation(evaluation_page(found))
    body = page[page.index("<main>") :]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_a_passed_guard_set_is_said_first():
    words = text_of(document((row(0.9, 0.9),)))
    assert words.startswith("Guard sets passed Passed guard-1: not worse than her2-star-2")


def test_what_a_model_is_worse_at_is_named_first():
    words = text_of(document((row(0.8, 0.9),), passed=False))
    assert words.startswith("Not to be promoted Not shown to be as good on guard-1")
    assert "Nuclei, F1" in words[:160]


def test_without_a_guard_set_nothing_can_be_promoted():
    assert "No guard set was measured" in text_of(document((row(0.9, 0.9),), kind="dataset"))


@pytest.mark.parametrize(
    ("new", "more_is_better", "word"),
    [
        pytest.param(0.95, True, "better", id="more, and more is better"),
        pytest.param(0.85, True, "worse", id="less"),
        pytest.param(0.95, False, "worse", id="more of an error"),
        pytest.param(0.905, True, "", id="within chance"),
    ],
)
def test_a_difference_beyond_chance_is_put_into_a_word(new, more_is_better, word):
    found = evaluation_page(document((row(new, 0.9, more_is_better=more_is_better),)))
    assert found.sections[0].tables[0].rows[0].word == word


def test_a_figure_without_an_interval_says_why():
    words = text_of(document((row(0.9, 0.8, half=None),)))
    assert "0.900 (fewer than 5 pictures)" in words


def test_a_difference_that_is_not_zero_never_prints_as_zero():
    assert "−0.0004" in text_of(document((row(0.9, 0.9),)))


def test_a_tiny_probability_is_printed_as_below_a_thousandth():
    assert "exact p below 0.001" in text_of(document((row(0.9, 0.9),)))


def test_names_from_a_dataset_are_escaped():
    page = render_evaluation(evaluation_page(document((row(0.9, 0.9),))))
    assert "&lt;phantoms&gt;" in page
    assert "<phantoms>" not in page


def test_a_diagram_describes_its_points_for_readers_who_do_not_see_it():
    drawn = reliability_diagram([Curve("a < b", ((0.25, 0.5, 8),))], title="t", what="stained")
    assert "<desc>a &lt; b: 0.25 said, 0.50 true of 8</desc>" in drawn


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        pytest.param(ModelOrigin.SHIPPED, "ships with her2path", id="shipped"),
        pytest.param(
            ModelOrigin.PROMOTED,
            "retrained from her2-star-2, promoted by its user; passed guard-1",
            id="promoted",
        ),
        pytest.param(ModelOrigin.FOLDER, "not promoted: no guard set speaks for it", id="a folder"),
    ],
)
def test_a_report_says_who_vouches_for_a_model(origin, words):
    model = ModelEntry(
        id="her2-own-1", sha256="a" * 64, origin=origin, parent="her2-star-2", guards=("guard-1",)
    )
    assert words in model_words(model)
