"""FHIR bundles: what `fhir.resources`, named profile rules and a receiver of our own make of them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from her2path.io.documents import CallDoc, read_document
from her2path.reports.fhir import ExchangeSettings, case_bundle
from her2path.steps import case_exchange
from her2path.steps.case_exchange import CaseExchangeParams
from tests.support.case_documents import SHA, THREE_PLUS, TWO_PLUS, Fish, Ihc, nuclei, write_case
from tests.support.fhir_cases import lattice
from tests.support.fhir_reading import Received, differences
from tests.support.fhir_rules import RULES, faults
from tests.validation.exchange.rows import Row
from tests.validation.store import ROOT

_ON = "made-up evidence: all guidelines x scores x counts, recounts, failed controls, two populations"


def measure() -> list[Row]:
    """Hold every bundle of the lattice against its call and the rules, and time one case."""
    made = [(call, _text(call)) for _, call in lattice()]
    got = [(call, Received(text)) for call, text in made]
    return [
        Row(
            "bundles that fhir.resources reads (R4B)",
            _ON,
            _valid(text for _, text in made),
            unit=f"of {len(made)}",
            threshold=len(made),
        ),
        Row(
            f"faults by {len(RULES)} named rules of R4, US Core and mCODE",
            _ON,
            sum(len(faults(one)) for _, one in got),
            threshold=0,
            direction="at most",
        ),
        Row(
            "bundles whose numbers, state, score or groups differ from call.json",
            _ON,
            sum(bool(differences(call, one)) for call, one in got),
            threshold=0,
            direction="at most",
            detail="equal as numbers, all digits",
        ),
        Row(
            "bundles that differ when they are made again",
            _ON,
            sum(_text(call) != text for call, text in made),
            threshold=0,
            direction="at most",
        ),
        *_by_fhir_js([text for _, text in made]),
        *_samples(),
        *_step(),
    ]


def _text(call: CallDoc) -> str:
    return case_bundle(call, (), call_sha256=SHA, synoptic="", settings=ExchangeSettings())


def _valid(texts: Iterable[str]) -> int:
    valid = 0
    for text in texts:
        try:
            Bundle.model_validate_json(text)
        except ValidationError:
            continue
        valid += 1
    return valid


def _by_fhir_js(texts: Sequence[str]) -> list[Row]:
    """Ask FHIR.js, where a folder with it is named: ``npm install fhir`` there, and set HER2PATH_FHIR_JS."""
    folder = os.environ.get("HER2PATH_FHIR_JS")
    if folder is None:
        return []
    lines = "\n".join(json.dumps(json.loads(text)) for text in texts)
    script = Path(__file__).with_name("fhir_js.cjs")
    done = subprocess.run(
        ["node", str(script), folder], input=lines, capture_output=True, text=True, check=True
    )
    valid, *errors = done.stdout.splitlines()
    return [
        Row(
            "bundles that FHIR.js finds valid (R4, required codes)",
            _ON,
            int(valid),
            unit=f"of {len(texts)}",
            threshold=len(texts),
            detail="; ".join(sorted(set(errors))[:3]),
        )
    ]


def _samples() -> list[Row]:
    """Hold the sample cases likewise, where `make demo` has measured them."""
    calls = sorted((ROOT / "results" / "demo" / "cases").glob("*/call.json"))
    files = [path.with_name("report.fhir.json") for path in calls]
    if not calls or not all(file.is_file() for file in files):
        return []
    texts = [file.read_text(encoding="utf-8") for file in files]
    got = [(read_document(path, CallDoc), Received(text)) for path, text in zip(calls, texts, strict=True)]
    on = f"the {len(calls)} sample cases as measured by `make demo` (phantoms)"
    return [
        Row("bundles that fhir.resources reads (R4B)", on, _valid(texts), threshold=len(texts)),
        Row(
            "faults by named rules", on, sum(len(faults(o)) for _, o in got), threshold=0, direction="at most"
        ),
        Row(
            "bundles that differ from call.json",
            on,
            sum(bool(differences(call, one)) for call, one in got),
            threshold=0,
            direction="at most",
        ),
    ]


def _step() -> list[Row]:
    on = "documents of made-up cases"
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for what, images in (
            ("IHC", [Ihc("a1", THREE_PLUS)]),
            ("IHC and ISH", [Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 1.9))]),
        ):
            root = Path(name) / what
            call, artefacts = write_case(root, "c1", *images)
            documents = [path for path in artefacts if path.suffix == ".json"]
            started = time.perf_counter()
            fhir = root / "report.fhir.json"
            case_exchange.run(
                call=call,
                document=documents,
                fhir=fhir,
                synoptic=root / "synoptic.txt",
                table=root / "synoptic.csv",
                params=CaseExchangeParams(),
            )
            taken = time.perf_counter() - started
            rows.append(Row(f"step case_exchange, {what}", on, round(1000 * taken), unit="ms"))
            rows.append(Row(f"size of the bundle, {what}", on, round(fhir.stat().st_size / 1000), unit="kB"))
    return rows
