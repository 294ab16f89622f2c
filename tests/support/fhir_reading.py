"""A receiver of `report.fhir.json`, written from the FHIR standard and not from her2path's writer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from her2path.io.documents import CallDoc

LOINC = "http://loinc.org"
OWN = "urn:oid:2.25.279921566844897166277701302836748366104"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NUMBERS = {
    "49683-6": "her2_cep17_ratio",
    "74860-8": "her2_mean",
    "74861-6": "cep17_mean",
    "62361-1": "nuclei",
}
STATES = {"LA6576-8": "positive", "LA6577-6": "negative", "LA11884-6": "indeterminate"}
SCORES = {"LA6111-4": "0", "LA11841-6": "1+", "LA11842-4": "2+", "LA11843-2": "3+"}


class Received:
    """A bundle by its resources."""

    def __init__(self, text: str) -> None:
        self.bundle = json.loads(text)
        self.by_url = {entry["fullUrl"]: entry["resource"] for entry in self.bundle["entry"]}
        self.observations = [r for r in self.by_url.values() if r["resourceType"] == "Observation"]

    def one(self, kind: str) -> dict[str, Any]:
        (found,) = [r for r in self.by_url.values() if r["resourceType"] == kind]
        return found

    @property
    def report(self) -> dict[str, Any]:
        return self.one("DiagnosticReport")

    def coded(self, *codes: str) -> list[dict[str, Any]]:
        """Observations with one of these codes, LOINC or her2path's own."""
        return [r for r in self.observations if r["code"]["coding"][0]["code"] in codes]

    def the(self, *codes: str) -> dict[str, Any]:
        (found,) = self.coded(*codes)
        return found

    @property
    def state(self) -> str:
        """State of the case in the words of `call.json`."""
        status = self.the("48676-1")
        if "valueCodeableConcept" in status:
            coding = status["valueCodeableConcept"]["coding"][0]
            return coding["code"] if coding["system"] == OWN else STATES[coding["code"]]
        reason = status["dataAbsentReason"]["coding"]
        return "not_evaluable" if reason[0]["code"] == "error" else reason[1]["code"]

    @property
    def ihc_score(self) -> str | None:
        for ihc in self.coded("85319-2", "18474-7"):
            return SCORES.get(answer(ihc) or "")
        return None

    @property
    def category(self) -> str | None:
        for category in self.coded("her2_category"):
            return str(answer(category)).removeprefix("her2_")
        return None

    @property
    def ihc(self) -> dict[str, float | str]:
        """Numbers of the IHC score by their names in `call.json`."""
        return {k: v for ihc in self.coded("85319-2", "18474-7") for k, v in own_components(ihc)}

    def group(self, kind: str = "first_count") -> str | None:
        """Group of one count."""
        for found in self.coded("85318-4", "31150-6"):
            if dict(own_components(found)).get("count") == kind:
                code = answer(found)
                read = str(code).removeprefix("ish_").removeprefix("group_")
                return None if code in (None, "LA11884-6") else read
        return None

    def ish(self, kind: str = "first_count") -> dict[str, float | str]:
        """Numbers of one count by their names in `call.json`."""
        found: dict[str, float | str] = {}
        for panel in self.coded("74885-5"):
            numbers = dict(own_components(panel))
            if numbers.pop("count") != kind:
                continue
            for member in panel["hasMember"]:
                number = self.by_url[member["reference"]]
                found[NUMBERS[number["code"]["coding"][0]["code"]]] = number["valueQuantity"]["value"]
            found |= {k: v for k, v in numbers.items() if not k.startswith("population")}
        return found


def answer(observation: dict[str, Any]) -> str | None:
    value = observation.get("valueCodeableConcept")
    return None if value is None else value["coding"][0]["code"]


def own_components(observation: dict[str, Any]) -> Iterator[tuple[str, float | str]]:
    """Components under her2path's own names."""
    for part in observation.get("component", ()):
        coding = part["code"]["coding"][0]
        if coding["system"] != OWN:
            continue
        if "comparator" in part.get("valueQuantity", ()):
            yield coding["code"], f"{part['valueQuantity']['comparator']} {part['valueQuantity']['value']}"
        elif "valueQuantity" in part:
            yield coding["code"], part["valueQuantity"]["value"]
        elif "valueString" in part:
            yield coding["code"], part["valueString"]
        else:
            yield coding["code"], part["valueCodeableConcept"]["coding"][0]["code"]


def differences(call: CallDoc, got: Received) -> list[str]:
    """Name what reads otherwise from a bundle than it stands in `call.json`; numbers must be equal."""
    second = next((p for p in call.populations if p.population == "second"), None)
    pairs = {
        "state": (call.state, got.state),
        "ihc_score": (call.ihc_score, got.ihc_score),
        "her2_category": (call.her2_category, got.category),
        "ish_group": (call.ish_group, got.group()),
        "ihc": (certain(call), {name: got.ihc[name] for name in got.ihc if name in certain(call)}),
        "score_probability": (True, tells_no_certainty(call, got)),
        "distance_to_cut": (compared(call), {n: v for n, v in got.ihc.items() if n in compared(call)}),
        "ish": (stated(call.ish), got.ish()),
        "recount": (stated(call.recount), got.ish("recount") or got.ish("further_nuclei")),
        "second": ({} if second is None else stated(second.ish), got.ish("second_population")),
        "second_group": (None if second is None else second.ish_group, got.group("second_population")),
    }
    return [name for name, (wanted, found) in pairs.items() if wanted != found]


def stated(numbers: dict[str, int | float | str | None]) -> dict[str, int | float | str]:
    return {name: value for name, value in numbers.items() if value is not None and value != ""}


CHANCE = "score_probability_pct"


def certain(call: CallDoc) -> dict[str, int | float | str]:
    """Numbers of IHC that a receiver must read as they are: all but a share of all or none of the samples."""
    return {k: v for k, v in stated(call.ihc).items() if k != CHANCE or v not in (0, 100)}


def tells_no_certainty(call: CallDoc, got: Received) -> bool:
    """Whether a score of all or none of the drawn samples is a bound, or left out."""
    chance, found = call.ihc.get(CHANCE), got.ihc.get(CHANCE)
    if chance not in (0, 100) or found is None:
        return True
    sign, _, bound = str(found).partition(" ")
    return sign == ("<" if chance == 0 else ">") and 0 < float(bound) < 100


def compared(call: CallDoc) -> dict[str, float]:
    """Numbers of IHC that the guideline compares with a cut-point, beside those in `ihc`."""
    return {
        d.quantity: d.value
        for d in call.distance_to_cut
        if d.quantity not in (*call.ihc, *call.ish) and not d.quantity.endswith("_over_blank")
    }
