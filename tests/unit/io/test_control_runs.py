"""Controls on the slides of a batch become runs: slides of one day, scanner, clone and batch together."""

from __future__ import annotations

from datetime import date

import pytest

from her2path.domain.control_tissue import ControlVerdict
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.control_entries import ControlEntry
from her2path.io.control_runs import collect_runs, read_control_slides, series_of
from her2path.io.documents import write_document
from her2path.io.placeholders import write_not_evaluable
from her2path.io.runs import ControlValue, Run
from tests.support.case_documents import Ihc, facts_of, producer_of, score_doc, slide_doc

MONDAY = date(2026, 1, 5)


def control(od, stained, *, expected="3+", score="3+"):
    return ControlEntry(
        piece="left",
        expected=None if expected is None else IhcScore(expected),
        score=IhcScore(score),
        possible=(IhcScore(score),),
        cells=200,
        percentages={"stained": stained},
        membrane_od=od,
        stained_cells=0 if od is None else 150,
        verdict=ControlVerdict.ACCEPTED,
        reason="scores as it should",
    )


@pytest.fixture
def slides(tmp_path):
    """Documents of slides, each with its case and its controls."""
    written = []

    def add(case_id, *entries):
        image = Ihc(image_id=f"i{len(written)}", control=entries)
        folder = tmp_path / image.image_id
        folder.mkdir()
        facts = facts_of(case_id, image)
        write_document(folder / "slide.json", slide_doc(facts, image))
        write_document(folder / "ihc_score.json", score_doc(image))
        written.append(folder)
        return folder

    def collect(**where):
        return collect_runs(read_control_slides(tmp_path), where)

    return add, collect


def test_slides_of_one_day_and_batch_are_one_run_at_their_mean(slides):
    add, collect = slides
    add("c1", control(0.6, 90.0))
    add("c2", control(0.8, 98.0))
    add("c3", control(0.7, 95.0))
    same = Run("", MONDAY, "A", "4B5", "L1")
    first, other = collect(c1=same, c2=same, c3=Run("", MONDAY, "A", "4B5", "L2"))
    assert (first.run.run_id, first.control, first.slides) == ("2026-01-05 L1 4B5 A", "3+ on the slides", 2)
    assert first.dab_od == pytest.approx(0.7)
    assert first.pct_stained == pytest.approx(94)
    assert first.case_ids == ("c1", "c2")
    assert other.run.batch == "L2"


def test_a_control_without_a_stained_membrane_has_a_percentage_alone(slides):
    add, collect = slides
    add("c1", control(None, 0.0, expected="0", score="0"))
    (value,) = collect(c1=Run("", MONDAY))
    assert (value.dab_od, value.pct_stained, value.score) == (None, 0.0, "0")


def test_controls_of_one_slide_are_told_apart_by_their_expected_scores(slides):
    add, collect = slides
    add(
        "c1",
        control(0.2, 30.0, expected="1+", score="1+"),
        control(0.7, 95.0),
        control(0.5, 70.0, expected=None),
    )
    assert [value.control for value in collect(c1=Run("", MONDAY))] == [
        "1+ on the slides",
        "3+ on the slides",
        "piece left on the slides",
    ]


def test_slides_without_controls_and_those_that_could_not_be_scored_give_nothing(slides):
    add, collect = slides
    add("c1")
    folder = add("c2", control(0.6, 90.0))
    why = NotEvaluable("no_tissue", "no tissue was found")
    write_not_evaluable(folder / "ihc_score.json", why, producer=producer_of("ihc_score"), facts=None)
    assert collect(c1=Run("", MONDAY), c2=Run("", MONDAY)) == ()


def test_slides_of_cases_that_are_not_compared_are_left_out(slides):
    add, collect = slides
    add("c1", control(0.6, 90.0))
    assert collect(c2=Run("", MONDAY)) == ()


def test_a_score_without_its_slide_is_refused(slides):
    add, collect = slides
    (add("c1", control(0.6, 90.0)) / "slide.json").unlink()
    with pytest.raises(ArtefactError, match=r"slide\.json"):
        collect(c1=Run("", MONDAY))


def test_a_series_holds_one_scanner_clone_and_measure_in_order_of_time():
    def value(run_id, day, control, od, **where):
        return ControlValue(Run(run_id, day, **where), control, dab_od=od, case_ids=(f"c{run_id}",))

    tuesday = date(2026, 1, 6)
    (one, two) = series_of(
        [
            value("R2", tuesday, "3+", 0.7, scanner="A"),
            value("R1", MONDAY, "1+", 0.2, scanner="A"),
            value("R1", MONDAY, "3+", 0.6, scanner="A"),
            value("R9", MONDAY, "3+", 0.9, scanner="B"),
        ]
    )
    assert (dict(one.stratum), one.controls, [run.run_id for run in one.runs]) == (
        {"scanner": "A"},
        ("1+", "3+"),
        ["R1", "R2"],
    )
    assert one.values.tolist() == [[0.2, 0.6], [0.0, 0.7]]
    assert one.measured.tolist() == [[True, True], [False, True]]
    assert one.cases == (("cR1",), ("cR2",))
    assert dict(two.stratum) == {"scanner": "B"}
