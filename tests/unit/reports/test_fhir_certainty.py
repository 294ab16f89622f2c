"""What a bundle says of numbers that are no result, and of chances that are no certainty."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from her2path.domain.decision import CaseEvidence
from her2path.domain.populations import SecondPopulation
from her2path.domain.verdict import NotEvaluable
from her2path.io.documents import CallDoc, read_document
from her2path.reports.evidence import gather_images
from her2path.reports.fhir import ExchangeSettings, case_bundle
from tests.support.case_documents import (
    CLEAN,
    SHA,
    THREE_PLUS,
    TWO_PLUS,
    Fish,
    Ihc,
    call_doc,
    nuclei,
    write_case,
)
from tests.support.fhir_cases import called, ihc_reading, ish_reading, recounted_call
from tests.support.fhir_reading import Received, differences, own_components
from tests.support.fhir_rules import faults


def received(call, images=()):
    return Received(case_bundle(call, images, call_sha256=SHA, synoptic="", settings=ExchangeSettings()))


SIGNALS_LOST = NotEvaluable("no_signals", "a probe channel has no spots")
OUT_OF_FOCUS = NotEvaluable("out_of_focus", "93 % of the tissue is out of focus; scan the slide again")


@pytest.mark.parametrize(
    ("images", "code", "failed"),
    [
        pytest.param(
            (Ihc("a1", THREE_PLUS), Fish("f1", failed=SIGNALS_LOST)),
            "85319-2",
            "f1",
            id="IHC beside failed ISH",
        ),
        pytest.param(
            (Ihc("a1", failed=OUT_OF_FOCUS), Fish("f1", nuclei(40, 9, 2))), "85318-4", "a1", id="the reverse"
        ),
    ],
)
def test_a_test_that_was_measured_is_not_blamed_for_the_failed_image_of_the_other(images, code, failed):
    reason = {"f1": SIGNALS_LOST, "a1": OUT_OF_FOCUS}[failed].reason
    absent = received(call_doc("c1", *images)).the(code)["dataAbsentReason"]
    assert absent["text"] == f"measured, but not called, because image {failed} failed: {reason}"


def numbers_of(got, kind):
    """Panel and members of a count."""
    panel = next(p for p in got.coded("74885-5") if p["identifier"][0]["value"] == f"c1/{kind}-count")
    return [panel, *(got.by_url[member["reference"]] for member in panel["hasMember"])]


ONLY_RED = [(4, 0)] * 30


@pytest.mark.parametrize(
    ("call", "kind", "why"),
    [
        pytest.param(
            called(CaseEvidence(ihc=ihc_reading("2+"), ish=ish_reading("too few")), "breast_2023"),
            "ish",
            "fewer than 20 nuclei were counted",
            id="12 nuclei",
        ),
        pytest.param(
            call_doc("c1", Ihc("a1", TWO_PLUS), Fish("f1", ONLY_RED)), "ish", "CEP17", id="no CEP17 signal"
        ),
        pytest.param(
            call_doc("c1", Ihc("a1", failed=OUT_OF_FOCUS), Fish("f1", nuclei(40, 9, 2))),
            "ish",
            "because image a1 failed: 93 % of the tissue is out of focus",
            id="the case is not evaluable for its IHC",
        ),
        pytest.param(
            called(
                CaseEvidence(
                    ihc=ihc_reading("2+"),
                    ish=ish_reading("group 4"),
                    recount=replace(ish_reading("too few"), other_observer=True, blinded=True),
                ),
                "breast_2023",
            ),
            "ish-recount",
            "fewer than 20 nuclei",
            id="12 nuclei again",
        ),
        pytest.param(
            called(
                CaseEvidence(
                    ihc=ihc_reading("2+"),
                    ish=ish_reading("group 5"),
                    second=SecondPopulation(Fraction(3, 10), ish_reading("too few")),
                ),
                "breast_2023",
            ),
            "ish-second-population",
            "fewer than 20 nuclei",
            id="12 nuclei of a second population",
        ),
    ],
)
def test_each_number_of_a_count_that_is_no_result_says_so(call, kind, why):
    got = received(call)
    assert not faults(got)
    for one in numbers_of(got, kind):
        assert one["interpretation"][0]["coding"][0]["code"] == "IND"
        assert why in one["note"][0]["text"]
        assert one["note"][0]["text"].endswith("These numbers are evidence and no result.")


@pytest.mark.parametrize("kind", ["ish", "ish-recount"])
def test_numbers_of_a_count_that_was_read_have_no_such_note(kind):
    _, *members = numbers_of(received(recounted_call()), kind)
    assert not any("interpretation" in one or "note" in one for one in members)


@pytest.mark.parametrize(
    ("pct", "cells", "told"),
    [
        pytest.param(100.0, TWO_PLUS, "> 99.8", id="every one of 2000 samples"),
        pytest.param(0.0, TWO_PLUS, "< 0.2", id="none of 2000 samples"),
        pytest.param(99.95, TWO_PLUS, 99.95, id="nearly every sample"),
        pytest.param(100.0, CLEAN, None, id="cells that all stain alike tell nothing"),
        pytest.param(100.0, None, None, id="no images, so nobody knows how many were drawn"),
    ],
)
def test_a_score_of_every_drawn_sample_is_a_bound_and_no_certainty(tmp_path, pct, cells, told):
    file, artefacts = write_case(tmp_path, "c1", Ihc("a1", cells or TWO_PLUS))
    made = read_document(file, CallDoc)
    call = made.model_copy(update={"ihc": {**made.ihc, "score_probability_pct": pct}})
    images = gather_images(made, artefacts) if cells else ()
    got = received(call, images)
    assert got.ihc.get("score_probability_pct") == told
    assert not faults(got)
    assert not differences(call, got)


@pytest.mark.parametrize(
    ("chance", "told"),
    [(0.0, "< 0.0001"), (1.0, "> 0.9999"), (0.25, 0.25)],
    ids=["never", "always", "1 in 4"],
)
def test_another_count_is_never_said_to_give_the_same_result_for_certain(chance, told):
    call = recounted_call()
    assert call.stability is not None
    stable = call.stability.model_copy(update={"another_result": chance})
    group = received(call.model_copy(update={"stability": stable})).the("85318-4")
    assert dict(own_components(group))["another_result"] == told


def test_the_comparison_of_numbers_finds_a_certainty_that_nobody_has():
    call = recounted_call()
    sure = call.model_copy(update={"ihc": {**call.ihc, "score_probability_pct": 99.9}})
    got = received(sure)
    claimed = sure.model_copy(update={"ihc": {**call.ihc, "score_probability_pct": 100.0}})
    assert differences(claimed, got) == ["score_probability"]
