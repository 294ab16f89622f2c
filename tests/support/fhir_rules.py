"""Rules of FHIR R4, US Core 6.1 and mCODE 4.0.0 that apply to `report.fhir.json`, each by its name.

`fhir.resources` knows the elements and their types, but neither required codes nor invariants nor
profiles (it takes any word for a status), so these are held against the JSON itself.  A rule gives the
faults it finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from her2path.reports.own_codes import own_codes
from tests.support.fhir_reading import OWN, Received

Resource = dict[str, Any]
Rule = Callable[[Received], Iterator[str]]
RULES: dict[str, Rule] = {}
OWN_CODES = own_codes()

CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-"
OBSERVATION_STATUS = {
    *(
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
        "unknown",
    )
}
REPORT_STATUS = {*OBSERVATION_STATUS, "partial", "appended"}
ABSENT_REASONS = {
    *("unknown", "asked-unknown", "temp-unknown", "not-asked", "asked-declined", "masked", "not-applicable"),
    *("unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity"),
    *("not-performed", "not-permitted"),
}
INTERPRETATIONS = {"POS", "NEG", "IND", "E"}
UCUM_UNITS = {"%", "1", "{#}", "{ratio}", "{copies}/{nucleus}", "{score}"}
TUMOUR_MARKERS = {
    *("48676-1", "85318-4", "85319-2", "31150-6", "18474-7", "49683-6", "74860-8", "74885-5"),
    "74861-6",  # Not in the value set, whose binding is extensible; 18474-7 is not in every version of it.
}
WARNED = {"72383-3", "72382-5", "32996-1", "42914-2", "51981-9", "85328-3", "HGNC:2064"}
CHECKED = {
    *("85319-2", "18474-7", "48676-1", "85318-4", "31150-6", "96893-3", "49683-6", "74860-8", "74861-6"),
    *("62361-1", "74885-5", "48018-6", "LA6111-4", "LA11841-6", "LA11842-4", "LA11843-2", "LA11884-6"),
    *("LA6577-6", "LA6576-8"),
}
VALUES = ("valueQuantity", "valueRatio", "valueString", "valueCodeableConcept")
DAY_OR_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?")
IS_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def rule(name: str) -> Callable[[Rule], Rule]:
    def register(check: Rule) -> Rule:
        RULES[name] = check
        return check

    return register


def faults(received: Received) -> list[str]:
    return [f"{name}: {fault}" for name, check in RULES.items() for fault in check(received)]


def named(resource: Resource) -> str:
    return str(resource["identifier"][0]["value"])


def claims(resource: Resource, profile: str) -> bool:
    return profile in resource.get("meta", {}).get("profile", ())


def values_of(resource: Resource) -> list[str]:
    return [key for key in resource if key.startswith("value")]


def codings(node: Any) -> Iterator[Resource]:
    if isinstance(node, dict):
        if "code" in node and "system" in node:
            yield node
        for part in node.values():
            yield from codings(part)
    elif isinstance(node, list):
        for part in node:
            yield from codings(part)


def references(node: Any) -> Iterator[Resource]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for part in node.values():
            yield from texts(part)
    elif isinstance(node, list):
        for part in node:
            yield from texts(part)


@rule("R4 bdl-7: full URLs are unique, and UUIDs")
def _urls(got: Received) -> Iterator[str]:
    urls = [entry["fullUrl"] for entry in got.bundle["entry"]]
    yield from (url for url in urls if urls.count(url) > 1 or not IS_UUID.fullmatch(url))


@rule("R4 bdl-3: a request stands in every entry of a transaction and nowhere else")
def _requests(got: Received) -> Iterator[str]:
    wanted = got.bundle["type"] == "transaction"
    yield from (e["fullUrl"] for e in got.bundle["entry"] if ("request" in e) != wanted)


@rule("R4 references: every reference is found in the bundle, and is of the kind it says")
def _resolved(got: Received) -> Iterator[str]:
    for reference in references(got.bundle):
        target = got.by_url.get(reference["reference"])
        if target is None or target["resourceType"] != reference["type"]:
            yield reference["reference"]


@rule("R4 observation-status and diagnostic-report-status: known codes, never final")
def _statuses(got: Received) -> Iterator[str]:
    for resource in got.observations:
        if resource["status"] not in OBSERVATION_STATUS - {"final", "amended", "corrected"}:
            yield f"{named(resource)} is {resource['status']}"
    if got.report["status"] not in REPORT_STATUS - {"final", "amended", "corrected", "appended"}:
        yield got.report["status"]


@rule("R4 obs-6: a reason for no value stands only where there is none")
def _either(got: Received) -> Iterator[str]:
    for resource in got.observations:
        if "dataAbsentReason" in resource and values_of(resource):
            yield named(resource)


@rule("R4 obs-7: a component does not repeat the code of its observation beside a value")
def _no_repeat(got: Received) -> Iterator[str]:
    for resource in got.observations:
        own = {(c["system"], c["code"]) for c in resource["code"]["coding"]}
        for part in resource.get("component", ()):
            if own & {(c["system"], c["code"]) for c in part["code"]["coding"]}:
                yield named(resource)


@rule("R4 obs-3: a reference range has a low, a high or a text")
def _ranges(got: Received) -> Iterator[str]:
    for resource in got.observations:
        for part in (resource, *resource.get("component", ())):
            if any(not {"low", "high", "text"} & found.keys() for found in part.get("referenceRange", ())):
                yield named(resource)


@rule("R4 component: each has a code of its own and one value")
def _components(got: Received) -> Iterator[str]:
    for resource in got.observations:
        codes = [part["code"]["coding"][0]["code"] for part in resource.get("component", ())]
        yield from (f"{named(resource)} repeats {code}" for code in codes if codes.count(code) > 1)
        yield from (named(resource) for part in resource.get("component", ()) if len(values_of(part)) != 1)


@rule("R4 strings: no control characters, none empty")
def _strings(got: Received) -> Iterator[str]:
    for text in texts(got.bundle):
        if not text.strip() or any(ord(c) < 32 and c not in "\t\r\n" for c in text):
            yield repr(text[:40])


@rule("R4 data-absent-reason and v3-ObservationInterpretation: known codes")
def _known_codes(got: Received) -> Iterator[str]:
    for coding in codings(got.bundle):
        known = {
            "http://terminology.hl7.org/CodeSystem/data-absent-reason": ABSENT_REASONS,
            "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation": INTERPRETATIONS,
        }.get(coding["system"])
        if known is not None and coding["code"] not in known:
            yield coding["code"]


@rule("US Core Observation Lab: category laboratory")
def _laboratory(got: Received) -> Iterator[str]:
    wanted = ("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")
    for resource in got.observations:
        found = [(c["system"], c["code"]) for group in resource["category"] for c in group["coding"]]
        if found.count(wanted) != 1:
            yield named(resource)


@rule("US Core Observation Lab, mCODE: subject 1..1, a patient by pseudonym alone")
def _subject(got: Received) -> Iterator[str]:
    for resource in (*got.observations, got.report, got.one("Specimen")):
        subject = resource.get("subject", {})
        is_patient = subject.get("type") == "Patient" and set(subject) == {"type", "identifier"}
        if not is_patient or set(subject["identifier"]) != {"type", "system", "value"}:
            yield named(resource)


@rule("US Core us-core-1: a time is exact to the day at least; mCODE: dateTime or Period")
def _effective(got: Received) -> Iterator[str]:
    for resource in got.observations:
        for key in (key for key in resource if key.startswith("effective")):
            if key not in ("effectiveDateTime", "effectivePeriod"):
                yield f"{named(resource)} has {key}"
            elif key == "effectiveDateTime" and not DAY_OR_TIME.fullmatch(resource[key]):
                yield f"{named(resource)}: {resource[key]}"


@rule("US Core us-core-2: a value, a reason for none, or members that have one")
def _value_or_reason(got: Received) -> Iterator[str]:
    for resource in got.observations:
        if not ({"dataAbsentReason", "hasMember"} & resource.keys() or values_of(resource)):
            yield named(resource)


@rule("US Core us-core-3: quantities in UCUM")
def _ucum(got: Received) -> Iterator[str]:
    for resource in got.observations:
        for part in (resource, *resource.get("component", ())):
            found = part.get("valueQuantity")
            if found and (found["system"] != "http://unitsofmeasure.org" or found["code"] not in UCUM_UNITS):
                yield f"{named(resource)}: {found}"


@rule("US Core Observation Lab must-support: performer is a person, where one took part")
def _performer(got: Received) -> Iterator[str]:
    for resource in got.observations:
        if not {who["type"] for who in resource.get("performer", ())} <= {"Practitioner"}:
            yield named(resource)


@rule("device: the software stands for what it measured, and not for what a person counted")
def _device(got: Received) -> Iterator[str]:
    for resource in got.observations:
        method = resource.get("method", {}).get("coding", [{"code": ""}])[0]["code"]
        if ("device" in resource) != (method != "ish_read_by_person"):
            yield named(resource)


@rule("US Core DiagnosticReport Lab: category LAB, LOINC code, subject")
def _report(got: Received) -> Iterator[str]:
    category = got.report["category"][0]["coding"][0]
    if (category["system"], category["code"]) != ("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB"):
        yield "category"
    if got.report["code"]["coding"][0]["system"] != "http://loinc.org":
        yield "code"


@rule("US Core us-core-8, us-core-9: times of a report that has results, or that they are unknown")
def _times(got: Received) -> Iterator[str]:
    if got.report["status"] == "registered":
        return
    for name in ("effectiveDateTime", "issued"):
        absent = got.report.get(f"_{name}", {}).get("extension", [{}])[0]
        if name not in got.report and absent.get("valueCode") not in ABSENT_REASONS:
            yield name


@rule("mCODE TumorMarkerTest: claimed by what has a value of its kinds, and by nothing else")
def _marker(got: Received) -> Iterator[str]:
    for resource in got.observations:
        code = resource["code"]["coding"][0]["code"]
        is_marker = code in TUMOUR_MARKERS and bool(values_of(resource))
        if claims(resource, f"{MCODE}tumor-marker-test") != is_marker:
            yield named(resource)
        if not is_marker and not claims(resource, f"{CORE}observation-lab"):
            yield f"{named(resource)} claims nothing"
        if is_marker and (len(values_of(resource)) != 1 or values_of(resource)[0] not in VALUES):
            yield f"{named(resource)}: {values_of(resource)}"


@rule("mCODE TumorMarkerTest, HumanSpecimen: a specimen of a stated type")
def _specimen(got: Received) -> Iterator[str]:
    specimen = got.one("Specimen")
    if not specimen["type"].get("text"):
        yield "type"
    for resource in got.observations:
        if got.by_url[resource["specimen"]["reference"]] is not specimen:
            yield named(resource)


@rule("codes: checked LOINC codes only, none that is warned of, and each with the name it has there")
def _codes(got: Received) -> Iterator[str]:
    for coding in codings(got.bundle):
        if coding["code"] in WARNED:
            yield f"{coding['code']} is warned of"
        if coding["system"] == "http://loinc.org" and coding["code"] not in CHECKED:
            yield f"{coding['code']} is not checked"


@rule("codes: every own code has one meaning, and stands in the code system")
def _own(got: Received) -> Iterator[str]:
    for coding in codings(got.bundle):
        if coding["system"] == OWN and OWN_CODES.get(coding["code"]) != coding.get("display"):
            yield f"{coding['code']}: {coding.get('display')}"


@rule("codes: the gene is HGNC:3430")
def _gene(got: Received) -> Iterator[str]:
    for coding in codings(got.bundle):
        if "genenames" in coding["system"] and coding["code"] != "HGNC:3430":
            yield coding["code"]
