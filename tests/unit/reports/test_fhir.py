from __future__ import annotations

import json
from functools import cache
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle

from her2path.domain.decision import CaseEvidence
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Reason
from her2path.io.edits_entry import EarlierEdits
from her2path.reports import codes
from her2path.reports.codes import is_of_breast
from her2path.reports.fhir import ExchangeSettings, case_bundle
from her2path.reports.fhir_elements import IDENTIFIERS
from tests.support.case_documents import (
    SHA,
    TWO_PLUS,
    Fish,
    Ihc,
    call_doc,
    nuclei,
)
from tests.support.fhir_cases import called, edited_call, ihc_reading, ish_reading, lattice, recounted_call
from tests.support.fhir_reading import Received, differences
from tests.support.fhir_rules import RULES, faults

LATTICE = dict(lattice())


def cases_of(guideline):
    """Every case of two guidelines, every fourth of the others; the validation takes all of them."""
    names = [name for name, call in LATTICE.items() if call.guideline == guideline]
    return names if guideline in ("breast_2023", "gastroesophageal_2016") else names[::4]


@cache
def lattice_text(name):
    return text_of(LATTICE[name])


NO_TISSUE = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")


def text_of(call, *, synoptic="", **settings):
    return case_bundle(call, (), call_sha256=SHA, synoptic=synoptic, settings=ExchangeSettings(**settings))


def received(call, **settings):
    return Received(text_of(call, **settings))


@pytest.mark.parametrize("guideline", GUIDELINES)
def test_numbers_read_back_from_a_bundle_equal_those_of_the_call(guideline):
    for name in cases_of(guideline):
        assert not differences(LATTICE[name], Received(lattice_text(name))), name


def test_the_comparison_of_numbers_finds_a_difference():
    call = recounted_call()
    got = received(call)
    for key in ("her2_mean", "her2_signals"):
        other = call.model_copy(update={"ish": {**call.ish, key: 1}})
        assert differences(other, got) == ["ish"]
    assert differences(call.model_copy(update={"state": "needs_ish"}), got) == ["state"]


@pytest.mark.parametrize("guideline", GUIDELINES)
def test_every_bundle_follows_fhir_us_core_and_mcode(guideline):
    for name in cases_of(guideline):
        text = lattice_text(name)
        Bundle.model_validate_json(text)
        assert not faults(Received(text)), name


@pytest.mark.parametrize("name", RULES)
def test_each_rule_can_fail(name):
    """A check that passes everything would prove nothing: each of them refuses one of these bundles."""
    assert any(list(RULES[name](broken)) for broken in broken_bundles())


def broken_bundles():
    good = text_of(recounted_call())
    changes = (
        ('"code": "laboratory"', '"code": "imaging"'),
        ('"status": "preliminary"', '"status": "final"'),
        ('"type": "Patient",', '"type": "Patient", "display": "Ada",'),
        ('"{ratio}"', '"ratio"'),
        ('"2026-11-21"', '"2026-11"'),
        ('"type": "Practitioner"', '"type": "Device"'),
        ('"LAB"', '"RAD"'),
        ('"valueCode": "unknown"', '"valueCode": "lost"'),
        ('"HGNC:3430"', '"HGNC:2064"'),
        ('"49683-6"', '"72383-3"'),
        ('"POS"', '"YES"'),
        ('"Wolff', '"\\u0001Wolff'),
        ('"Tissue of a tumour, resection"', '""'),
        ('"hasMember"', '"partOf"'),
        ('"type": "collection"', '"type": "transaction"'),
        ('"code": "her2_signals"', '"code": "cep17_signals"'),
        ('"code": "h_score"', '"code": "85319-2", "x": "'),
        ("tumor-marker-test", "other"),
        ('"ish_read_by_person"', '"ish_measured"'),
        ('"text": "Cut-points', '"other": "Cut-points'),
    )
    for old, new in changes:
        text = good.replace(old, new) if '"x": "' not in new else good
        yield Received(text)
    for bundle in (json.loads(good) for _ in range(3)):
        yield from _broken(bundle)


def _broken(bundle):
    status = bundle["entry"][1]["resource"]
    status["dataAbsentReason"] = {"text": "both"}
    status["component"] = [{"code": status["code"], "valueString": "again"}]
    yield Received(json.dumps(bundle))
    bundle["entry"][2]["fullUrl"] = bundle["entry"][1]["fullUrl"].replace("-", "")
    yield Received(json.dumps(bundle))


def test_a_bundle_is_the_same_bytes_whenever_it_is_made():
    assert text_of(recounted_call()) == text_of(recounted_call())


def test_a_report_that_nobody_signed_is_partial_and_its_observations_preliminary():
    got = received(LATTICE["breast_2023, IHC 3+, ISH None"])
    assert got.report["status"] == "partial"
    assert {one["status"] for one in got.observations} == {"preliminary"}


@pytest.mark.parametrize(
    ("name", "state", "text"),
    [
        ("breast_2023, IHC 2+, ISH None", "needs_ish", "Pending: ISH is needed (IHC 2+)"),
        (
            "breast_2023, IHC 2+, ISH group 4",
            "needs_recount",
            "Pending: a recount is needed (IHC 2+, ISH group 4)",
        ),
    ],
)
def test_a_pending_status_has_a_reason_and_no_value(name, state, text):
    status = received(LATTICE[name]).the("48676-1")
    assert status["status"] == "registered"
    assert [c["code"] for c in status["dataAbsentReason"]["coding"]] == ["temp-unknown", state]
    assert status["dataAbsentReason"]["text"] == text
    assert not [key for key in status if key.startswith(("value", "interpretation"))]


def test_a_case_that_could_not_be_measured_is_registered_with_the_reason():
    got = received(call_doc("c1", Ihc("a1", failed=NO_TISSUE)))
    (status,) = got.observations
    assert (got.report["status"], status["status"]) == ("registered", "registered")
    assert [c["code"] for c in status["dataAbsentReason"]["coding"]] == ["error", "no_tissue"]
    assert NO_TISSUE.reason in status["dataAbsentReason"]["text"]
    assert not faults(got)


def test_what_was_measured_beside_a_failed_image_is_shown_without_a_result():
    got = received(call_doc("c1", Ihc("a1", TWO_PLUS, failed=NO_TISSUE), Fish("f1", nuclei(40, 3.3, 1.3))))
    group = got.the("85318-4")
    assert group["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert got.ish()["nuclei"] == 40
    assert not got.coded("85319-2")
    assert not faults(got)


@pytest.mark.parametrize("score", list(IhcScore))
def test_a_score_is_an_answer_of_the_list_of_its_code(score):
    got = received(called(CaseEvidence(ihc=ihc_reading(score)), "breast_2023"))
    value = got.the("85319-2")["valueCodeableConcept"]
    assert (value["coding"][0]["display"], value["text"]) == (score, score)


def test_failed_controls_make_both_tests_indeterminate_and_say_why():
    got = received(LATTICE["breast_2023, controls failed"])
    assert "the IHC controls did not pass; repeat the stain" in got.the("85319-2")["note"][0]["text"]
    assert "the ISH controls did not pass; repeat the test" in got.the("85318-4")["note"][0]["text"]
    for code in ("85319-2", "85318-4", "48676-1"):
        one = got.the(code)
        assert one["valueCodeableConcept"]["coding"][0]["code"] == "LA11884-6"
        assert one["interpretation"][0]["coding"][0]["code"] == "IND"


def test_low_and_ultralow_have_words_since_no_list_has_an_answer():
    for name, words in (("1+", "HER2-low"), ("ultralow", "HER2-ultralow")):
        category = received(called(CaseEvidence(ihc=ihc_reading(name)), "breast_2023")).the("her2_category")
        assert category["valueCodeableConcept"]["text"] == words
        assert category["code"]["coding"][0]["system"] == codes.LOCAL
        assert "beside the result of the guideline" in category["note"][0]["text"]


@pytest.mark.parametrize(
    ("name", "breast"),
    [
        ("breast_2023, IHC 3+, ISH None", True),
        ("gastroesophageal_2016, IHC 3+, ISH None", False),
        ("pantumour_tdxd_2024, IHC 3+, ISH None", False),
        ("breast_2023, of another organ", False),
    ],
)
def test_codes_of_a_breast_specimen_are_used_for_the_breast_alone(name, breast):
    assert is_of_breast(LATTICE[name]) is breast
    got = received(LATTICE[name])
    assert bool(got.coded("85319-2")) is breast
    assert bool(got.coded("18474-7")) is not breast


def test_a_second_person_is_named_by_pseudonym_with_the_day_of_the_read():
    got = received(recounted_call())
    panel = next(p for p in got.coded("74885-5") if "recount" in p["identifier"][0]["value"])
    assert panel["performer"][0]["identifier"]["value"] == "A.B."
    assert panel["effectiveDateTime"] == "2026-11-21"
    assert "device" not in panel, "a person counted, not the software"
    first = next(p for p in got.coded("74885-5") if p is not panel)
    assert "performer" not in first
    assert "effectiveDateTime" not in first


def test_edits_by_a_person_are_told_with_who_when_what_and_the_score_before():
    ihc = received(edited_call()).the("85319-2")
    note = ihc["note"][0]
    assert (note["authorString"], note["time"]) == ("R.S.", "2026-11-20")
    assert "QuPath 0.5.1" in note["text"]
    assert "The program's own score was 1+." in note["text"]
    assert "in-situ" not in note["text"], "free text may name somebody"
    assert ihc["performer"][0]["identifier"]["value"] == "R.S."


def test_all_who_edited_a_slide_are_named_with_what_they_took_back_of_each_other():
    call = edited_call()
    first = EarlierEdits(by="A.B.", on="2026-11-18", tool="QuPath 0.5.1", sha256="0" * 64, comment="in-situ")
    edit = call.edits["a1"].model_copy(update={"earlier": (first,), "cells_overruled": {"A.B.": 3}})
    got = received(call.model_copy(update={"edits": {"a1": edit}}))
    assert not faults(got)
    ihc = got.the("85319-2")
    assert "after A.B. on 2026-11-18 (in QuPath 0.5.1)" in ihc["note"][0]["text"]
    assert "Cells no longer of the class given by A.B.: 3." in ihc["note"][0]["text"]
    assert "in-situ" not in ihc["note"][0]["text"]
    assert [who["identifier"]["value"] for who in ihc["performer"]] == ["A.B.", "R.S."]


def test_scores_before_the_edits_of_several_slides_are_told_by_slide():
    call = edited_call()
    reason = Reason(code="too_few_tumour_cells", reason="fewer than 20 tumour cells")
    update = {"score_before": None, "no_score_before": reason, "by": "T.U."}
    other = call.edits["a1"].model_copy(update=update)
    got = received(call.model_copy(update={"edits": {**call.edits, "a2": other}}))
    assert not faults(got)
    assert got.ihc["score_before"] == "a1: 1+; a2: none"
    ihc = got.the("85319-2")
    assert "The program gave no score: fewer than 20 tumour cells" in ihc["note"][1]["text"]
    assert [who["identifier"]["value"] for who in ihc["performer"]] == ["R.S.", "T.U."]


def test_two_populations_stand_apart_with_their_shares():
    got = received(LATTICE["breast_2023, second population counted"])
    shares = {
        part["valueQuantity"]["value"]
        for panel in got.coded("74885-5")
        for part in panel["component"]
        if part["code"]["coding"][0]["code"] == "population_share_pct"
    }
    assert shares == {70.0, 30.0}
    assert (got.group("first_count"), got.group("second_population")) == ("5", "1")


def test_a_population_that_nobody_counted_has_no_group():
    group = next(
        one
        for one in received(LATTICE["breast_2023, second population not counted"]).coded("85318-4")
        if one["identifier"][0]["value"].endswith("second-population")
    )
    assert group["dataAbsentReason"]["coding"][0]["code"] == "not-performed"


def test_the_group_of_added_nuclei_is_read_from_both_counts():
    got = received(LATTICE["gastroesophageal_2016, recount group 4"])
    assert len(got.the("31150-6")["derivedFrom"]) == 2


def test_a_report_lists_what_belongs_to_no_panel():
    got = received(recounted_call())
    listed = {got.by_url[r["reference"]]["code"]["coding"][0]["code"] for r in got.report["result"]}
    assert listed == {"48676-1", "85319-2", "her2_category", "74885-5", "85318-4"}


def test_ids_follow_from_the_pseudonym_alone_so_that_a_new_result_replaces_the_old():
    pending, final = (LATTICE[f"breast_2023, IHC {score}, ISH None"] for score in ("2+", "3+"))
    one, other = received(pending), received(final)
    assert one.report["id"] == other.report["id"]
    assert UUID(one.report["id"]).version == 5
    assert one.the("48676-1")["id"] == other.the("48676-1")["id"]
    assert received(pending, system="https://lab.example/her2").report["id"] != one.report["id"]


def test_a_transaction_replaces_each_resource_by_its_identifier():
    got = received(recounted_call(), kind="transaction")
    assert not faults(got)
    request = got.bundle["entry"][0]["request"]
    assert request["method"] == "PUT"
    assert request["url"].startswith("DiagnosticReport?identifier=urn%3Aoid%3A2.25.")
    assert not any("id" in resource for resource in got.by_url.values())


def server_after(*bundles):
    """What a server holds after transactions: every entry replaces what has its identifier."""
    held = {}
    for got in bundles:
        for entry in got.bundle["entry"]:
            held[entry["request"]["url"]] = entry["resource"]
    return [one for one in held.values() if one["resourceType"] == "Observation"]


def test_what_a_later_transaction_no_longer_says_does_not_live_on_at_the_server():
    earlier = [
        received(LATTICE[name], kind="transaction")
        for name in ("breast_2023, second population counted", "breast_2023, recount group 2")
    ]
    later = received(LATTICE["breast_2023, IHC 2+, ISH None"], kind="transaction")
    live = [one for one in server_after(*earlier, later) if one["status"] != "cancelled"]
    assert {one["identifier"][0]["value"] for one in live} == {"c1/status", "c1/ihc"}
    gone = [one for one in later.observations if one["status"] == "cancelled"]
    assert all(one["dataAbsentReason"]["coding"][0]["code"] == "not-applicable" for one in gone)
    listed = {one["reference"] for one in later.report["result"]}
    assert not [url for url, one in later.by_url.items() if one in gone and url in listed]


@pytest.mark.parametrize(
    "name",
    ["breast_2023, second population counted", "gastroesophageal_2016, recount group 4"],
)
def test_a_transaction_cancels_only_what_it_does_not_send(name):
    got = received(LATTICE[name], kind="transaction")
    assert not faults(got)
    names = [one["identifier"][0]["value"] for one in got.observations]
    assert len(names) == len(set(names))
    sent = {one["identifier"][0]["value"] for one in received(LATTICE[name]).observations}
    live = {one["identifier"][0]["value"] for one in got.observations if one["status"] != "cancelled"}
    assert live == sent


def test_a_collection_cancels_nothing():
    assert not [one for one in received(recounted_call()).observations if one["status"] == "cancelled"]


def test_snomed_codes_stand_only_where_they_were_asked_for():
    call = LATTICE["breast_2023, IHC 3+, ISH group 1"]
    assert "snomed" not in text_of(call)
    asked = received(call, snomed=True)
    found = asked.the("48676-1")["valueCodeableConcept"]["coding"][1]
    assert found == {"system": "http://snomed.info/sct", "code": "10828004"}
    assert not faults(asked)


def test_the_software_is_the_device_with_its_models():
    call = LATTICE["breast_2023, IHC 3+, ISH None"]
    device = received(call).one("Device")
    assert device["deviceName"][0]["name"] == "her2path"
    assert device["version"][0]["value"] == "0.1.0"
    assert any("the pathologist signs" in note["text"] for note in device["note"])


def test_the_synoptic_report_is_attached():
    form = received(LATTICE["breast_2023, IHC 3+, ISH None"], synoptic="HER2: 3+ \N{GREEK SMALL LETTER MU}")
    assert form.report["presentedForm"][0]["data"] == "SEVSMjogMysgzrw="


def test_cut_points_stand_beside_the_numbers_they_are_for():
    got = received(LATTICE["breast_2023, IHC 2+, ISH group 4"])
    assert got.the("74860-8")["referenceRange"] == [{"text": "Cut-points of the guideline: 4.0, 6.0"}]


@pytest.mark.parametrize(
    "text", ['<b>"x" & y</b>', "\N{HEBREW LETTER ALEF}\N{RIGHT-TO-LEFT OVERRIDE}a", "\x00\x07"]
)
def test_hostile_texts_are_texts(text):
    call = edited_call()
    edit = call.edits["a1"].model_copy(update={"tool": text, "by": text})
    hostile = call.model_copy(update={"edits": {"a1": edit}, "flags": (*call.flags, text)})
    got = received(hostile)
    assert not faults(got)
    Bundle.model_validate_json(json.dumps(got.bundle))
    shown = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").replace("\x07", "\N{REPLACEMENT CHARACTER}")
    assert shown in got.the("85319-2")["note"][0]["text"]
    assert "<b>" not in got.report["text"]["div"].removeprefix(
        '<div xmlns="http://www.w3.org/1999/xhtml"><p><b>'
    )


def test_the_default_name_space_is_the_one_of_the_configuration():
    # Loaded here: a step's parameters must not load the models of FHIR.
    from her2path.steps.case_exchange import CaseExchangeParams  # noqa: PLC0415

    assert CaseExchangeParams().identifier_system == IDENTIFIERS


def test_ish_alone_speaks_of_no_ihc():
    got = received(called(CaseEvidence(ish=ish_reading("group 1")), "breast_2023"))
    assert not got.coded("85319-2", "18474-7")
