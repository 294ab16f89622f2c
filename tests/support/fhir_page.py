"""The generated parts of `docs/fhir.md` (codes, outline, two resources, rules) and the code system.

``python -m tests.support.fhir_page`` writes them; tests hold the files against the code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from her2path.domain.decision import CaseEvidence
from her2path.reports import codes
from her2path.reports.codes import LOINC, Code
from her2path.reports.fhir import ExchangeSettings, case_bundle
from her2path.reports.own_codes import own_codes
from tests.support.case_documents import SHA
from tests.support.fhir_cases import called, ihc_reading, ish_reading
from tests.support.fhir_reading import Received
from tests.support.fhir_rules import RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fhir.md"
CODE_SYSTEM = PAGE.with_name("fhir_codesystem.json")
COMMAND = "python -m tests.support.fhir_page"
_PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(\n<!-- end -->)", re.DOTALL)
_USED_FOR = {
    "IHC_BREAST": "IHC score, breast",
    "IHC_TISSUE": "IHC score, any other organ",
    "HER2_STATUS": "overall status; the report itself",
    "ISH_BREAST": "ISH result, breast",
    "ISH_TISSUE": "ISH result, any other organ",
    "ISH_PANEL": "one count with its numbers",
    "RATIO": "HER2/CEP17 ratio, sum over sum",
    "HER2_COPIES": "mean HER2 copies",
    "CEP17_COPIES": "mean CEP17 copies",
    "CELLS_COUNTED": "counted nuclei",
    "GENE_STUDIED": "component of the ISH result: HGNC:3430 ERBB2",
}


def example() -> Received:
    """A made-up case whose recount is due."""
    evidence = CaseEvidence(ihc=ihc_reading("2+"), ish=ish_reading("group 4"))
    call = called(evidence, "breast_2023")
    return Received(case_bundle(call, (), call_sha256=SHA, synoptic="", settings=ExchangeSettings()))


def page() -> str:
    """Write the page as it should stand."""
    parts = {
        "codes": _codes(),
        "answers": _answers(),
        "outline": _outline(example()),
        "status": _json(example().the("48676-1")),
        "ratio": _json(example().the("49683-6")),
        "rules": "\n".join(f"- {name}" for name in RULES),
    }
    text = PAGE.read_text(encoding="utf-8")
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]]}{found[4]}", text)


def code_system() -> str:
    """Write her2path's own codes as a FHIR CodeSystem."""
    resource = {
        "resourceType": "CodeSystem",
        "url": codes.LOCAL,
        "name": "Her2pathCodes",
        "title": "Codes of her2path",
        "status": "draft",
        "description": "Names of numbers, counts, methods, results and reasons that no other code list has.",
        "caseSensitive": True,
        # A number that a later version adds is written under its name before it stands here.
        "content": "fragment",
        "concept": [{"code": code, "display": display} for code, display in own_codes().items()],
    }
    return json.dumps(resource, indent=1, ensure_ascii=False) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _codes() -> str:
    used: dict[str, Code] = {name: getattr(codes, name) for name in _USED_FOR}
    assert all(code.system == LOINC for code in used.values())
    return _table(
        ("LOINC", "its name there", "used for"),
        ((f"`{code.code}`", code.display, _USED_FOR[name]) for name, code in used.items()),
    )


def _answers() -> str:
    rows = [
        *((f"IHC {score}", code) for score, code in codes.IHC_ANSWERS.items()),
        *((f"status {state}", code) for state, code in codes.STATUS_ANSWERS.items()),
    ]
    return _table(
        ("result", "code", "system"),
        ((what, f"`{c.code}`", "LOINC" if c.system == LOINC else "her2path's own") for what, c in rows),
    )


def _outline(got: Received) -> str:
    rows = []
    for resource in got.by_url.values():
        value = resource.get("valueQuantity")
        answer = resource.get("valueCodeableConcept") or resource.get("dataAbsentReason") or {}
        said = f"{value['value']} {value['code']}" if value else answer.get("text", "")
        coding = resource.get("code", {}).get("coding", [{"code": ""}])[0]
        own = "" if coding.get("system") != codes.LOCAL else " (own)"
        rows.append(
            (
                resource["resourceType"],
                resource.get("code", {}).get("text") or resource["identifier"][0]["value"],
                f"`{coding['code']}`{own}" if coding["code"] else "",
                resource.get("status", ""),
                said.replace("|", "\\|"),
            )
        )
    return _table(("resource", "what", "code", "status", "value, or why there is none"), rows)


def _json(resource: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(resource, indent=1, ensure_ascii=False)}\n```"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    CODE_SYSTEM.write_text(code_system(), encoding="utf-8")
