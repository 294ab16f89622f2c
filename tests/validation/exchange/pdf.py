"""PDF and synoptic summary of a case: their numbers against `call.json`, size and time.

Text is read as poppler selects it.  No validator of PDF/A is at hand: what is held here are single
demands of ISO 19005-2 that the file's own objects show.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from her2path.domain.verdict import NotEvaluable
from her2path.io.documents import CallDoc, read_document
from her2path.reports.evidence import gather_images
from her2path.reports.synoptic import synoptic_csv, synoptic_of
from her2path.steps import case_pdf
from her2path.steps.case_pdf import CasePdfParams
from tests.support.case_documents import (
    CLEAN,
    ONE_PLUS,
    THREE_PLUS,
    TWO_PLUS,
    ULTRALOW,
    Fish,
    Ihc,
    Setting,
    nuclei,
    write_case,
)
from tests.support.pdfs import is_printed, numbers_in, numbers_of, objects_of, text_of, told
from tests.validation.exchange.rows import Row
from tests.validation.store import ROOT

_GASTRIC = Setting(guideline="gastroesophageal_2016")
_FAILED = NotEvaluable("no_tissue", "image 'a1': no tissue was found; stain and scan it again")
_MADE_UP = {
    "0": ([Ihc("a1", CLEAN)], Setting()),
    "ultralow": ([Ihc("a1", ULTRALOW)], Setting()),
    "1+, group 4": ([Ihc("a1", ONE_PLUS), Fish("f1", nuclei(40, 4.9, 3.0))], Setting()),
    "2+, pending": ([Ihc("a1", TWO_PLUS)], Setting()),
    "2+, group 1": ([Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1))], Setting()),
    "2+, recount": ([Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 3.3, 1.3))], Setting()),
    "2+, single probe": ([Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 7.0, None))], Setting()),
    "3+": ([Ihc("a1", THREE_PLUS)], Setting()),
    "few nuclei": ([Ihc("a1", TWO_PLUS), Fish("f1", nuclei(12, 4.9, 3.0))], Setting()),
    "failed": ([Ihc("a1", failed=_FAILED)], Setting()),
    "stomach 2+": ([Ihc("a1", TWO_PLUS), Fish("f1", nuclei(40, 4.9, 2.1))], _GASTRIC),
    "stomach 3+": ([Ihc("a1", THREE_PLUS)], _GASTRIC),
}
_ON = f"{len(_MADE_UP)} made-up cases: scores, groups, pending, failed, single probe, stomach"


@dataclass(frozen=True)
class _Made:
    """One PDF and what it was made from."""

    call: CallDoc
    pdf: Path
    again: bytes
    table: str
    seconds: float


def measure() -> list[Row]:
    """Make the PDF of every made-up case twice, of the sample cases where measured, and of a heavy one."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        made = [
            _make(root / str(n), *write_case(root / str(n), "c1", *images, setting=setting))
            for n, (images, setting) in enumerate(_MADE_UP.values())
        ]
        rows = [*_numbers(made, _ON), *_archive(made, _ON)]
        samples = list(_samples(root))
        if samples:
            on = f"the {len(samples)} sample cases as measured by `make demo` (phantoms)"
            rows += [*_numbers(samples, on), *_archive(samples, on), *_costs(samples, on)]
        return [*rows, *_heavy(root / "heavy")]


def _make(folder: Path, call: Path, artefacts: Sequence[Path]) -> _Made:
    pdf = folder / "report.pdf"
    started = time.process_time()
    case_pdf.run(call=call, artefact=list(artefacts), report=pdf, params=CasePdfParams())
    seconds = time.process_time() - started
    again = folder / "again.pdf"
    case_pdf.run(call=call, artefact=list(reversed(artefacts)), report=again, params=CasePdfParams())
    document = read_document(call, CallDoc)
    table = synoptic_csv(synoptic_of(document, gather_images(document, artefacts)))
    return _Made(document, pdf, again.read_bytes(), table, seconds)


def _samples(root: Path) -> Iterator[_Made]:
    """Give the sample cases, where `make demo` has measured them."""
    demo = ROOT / "results" / "demo"
    for call in sorted((demo / "cases").glob("*/call.json")):
        images = read_document(call, CallDoc).images
        artefacts = sorted(path for image in images for path in (demo / "images" / image).iterdir())
        folder = root / call.parent.name
        folder.mkdir(parents=True)
        yield _make(folder, call, [path for path in artefacts if path.is_file()])


def _numbers(made: Sequence[_Made], on: str) -> list[Row]:
    held = [(one, numbers_of(one.call).values()) for one in made]
    printed = [(numbers, numbers_in(text_of(one.pdf))) for one, numbers in held]
    missing = sum(not is_printed(value, seen) for numbers, seen in printed for value in numbers)
    total = sum(len(numbers) for numbers, _ in printed)
    summary = sum(len(_wrong(one)) for one in made)
    return [
        Row(
            "numbers of call.json that cannot be selected in report.pdf",
            on,
            missing,
            threshold=0,
            direction="at most",
            detail=f"of {total}: IHC, ISH, recount, rule trails, distances, checks, populations",
        ),
        Row(
            "numbers of synoptic.csv that differ from call.json",
            on,
            summary,
            threshold=0,
            direction="at most",
            detail="equal as numbers, all digits",
        ),
    ]


def _wrong(one: _Made) -> list[str]:
    """Name the fields of the summary whose number is not that of the call."""
    rows = csv.DictReader(io.StringIO(one.table, newline=""))
    known = {
        **{name: one.call.ihc.get(name) for name in one.call.ihc},
        "ihc_cells": one.call.ihc.get("scored_cells"),
        "ish_nuclei": one.call.ish.get("nuclei"),
        "her2_per_nucleus": one.call.ish.get("her2_mean"),
        "cep17_per_nucleus": one.call.ish.get("cep17_mean"),
        "her2_cep17_ratio": one.call.ish.get("her2_cep17_ratio"),
    }
    return [
        row["field"]
        for row in rows
        if row["field"] in known and row["value"] and float(row["value"]) != known[row["field"]]
    ]


def _archive(made: Sequence[_Made], on: str) -> list[Row]:
    raw = [objects_of(one.pdf) for one in made]
    fonts = [line for one in made for line in told("pdffonts", one.pdf).splitlines()[2:]]
    loose = [line for line in fonts if not re.search(r" yes +yes +yes +\d+ +\d+$", line)]
    forbidden = (
        b"/Interpolate true",
        b"/JavaScript",
        b"/Encrypt",
        b"/EmbeddedFile",
        b"/LZWDecode",
        b"/Launch",
    )
    needed = (b"/GTS_PDFA1", b"/Marked true", b"/StructTreeRoot", b"/Lang", b'pdfaid:part="2"')
    metadata = [told("pdfinfo", one.pdf, "-meta").encode() for one in made]
    return [
        Row(
            "PDFs that differ when they are made again",
            on,
            sum(one.pdf.read_bytes() != one.again for one in made),
            threshold=0,
            direction="at most",
        ),
        Row(
            "fonts that are not embedded, not a subset or without Unicode",
            on,
            len(loose),
            threshold=0,
            direction="at most",
            detail=f"of {len(fonts)}",
        ),
        Row(
            "things in the files that ISO 19005-2 forbids, or demands and that are missing",
            on,
            sum(word in one for one in raw for word in forbidden)
            + sum(word not in one + meta for one, meta in zip(raw, metadata, strict=True) for word in needed)
            + sum(one.count(b"/S /Figure") != one.count(b"/Alt") for one in raw),
            threshold=0,
            direction="at most",
            detail=f"{len(forbidden) + len(needed) + 1} single demands, no validator",
        ),
    ]


def _costs(made: Sequence[_Made], on: str) -> list[Row]:
    sheets = [int(re.search(r"Pages: +(\d+)", told("pdfinfo", one.pdf))[1]) for one in made]  # type: ignore[index]
    sizes = [one.pdf.stat().st_size / 1e6 for one in made]
    return [
        Row("time of step case_pdf, longest", on, max(one.seconds for one in made), unit="s of one core"),
        Row("size of report.pdf, largest", on, max(sizes), unit="MB", detail=f"smallest {min(sizes):.1f} MB"),
        Row("sheets of report.pdf, most", on, max(sheets), detail=f"fewest {min(sheets)}"),
    ]


def _heavy(root: Path) -> list[Row]:
    """Make the PDF of a case whose pictures are as large as the steps write them, and hardly compress."""
    images = [
        *(Ihc(f"a{n}", TWO_PLUS) for n in range(2)),
        *(Fish(f"f{n}", nuclei(100, 4.9, 2.1)) for n in range(4)),
    ]
    call, artefacts = write_case(root, "c1", *images)
    rng = np.random.default_rng(1)
    for path in artefacts:
        if path.suffix == ".png":
            cv2.imwrite(str(path), rng.integers(0, 256, (3000, 3000, 3), dtype=np.uint8))
    made = _make(root, call, artefacts)
    on = "a made-up case of 2 IHC and 4 FISH images, each picture 3000 px of noise"
    return _costs([made], on)
