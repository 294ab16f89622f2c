"""Cohorts of thousands of cases: calls made by the real rules from numbers drawn as laboratories see them.

Scores, ISH groups, failures and findings come about as often as in a large laboratory, those that are
rare somewhat more often, so that a page of a few hundred cases shows each of them.  The same seed gives
the same cohort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from her2path.domain.verdict import NotEvaluable
from her2path.io.documents import CallDoc, QualityDoc, write_document
from her2path.io.edits_entry import EditsEntry
from her2path.io.placeholders import write_not_evaluable
from her2path.io.quality_entries import Finding, QualityResult
from tests.support.case_documents import (
    SHA,
    Fish,
    Ihc,
    Setting,
    call_doc,
    facts_of,
    producer_of,
)

SCORES = {"0": 0.22, "ultralow": 0.13, "1+": 0.29, "2+": 0.21, "3+": 0.15}
GROUPS = {"1": 0.16, "2": 0.04, "3": 0.04, "4": 0.09, "5": 0.67}
"""Of the cases with IHC 2+ that were counted."""
MEANS = {"1": (8.4, 2.2), "2": (3.4, 1.4), "3": (6.9, 3.9), "4": (4.8, 3.1), "5": (2.6, 2.1)}
"""HER2 and CEP17 signals per nucleus of each group."""
GUIDELINES = {"breast_2023": 0.86, "breast_2018": 0.09, "gastroesophageal_2016": 0.05}
CLASSES = ("complete_intense", "complete_weak_moderate", "incomplete_moderate_intense", "incomplete_faint")
SHARES = {
    "0": (0.0, 0.0, 0.0, 0.0),
    "ultralow": (0.0, 0.002, 0.002, 0.055),
    "1+": (0.002, 0.04, 0.01, 0.31),
    "2+": (0.03, 0.31, 0.08, 0.26),
    "3+": (0.62, 0.18, 0.04, 0.08),
}
FAILURES = (
    NotEvaluable("no_tissue", "no tissue was found on the slide; scan the right area again"),
    NotEvaluable("out_of_focus", "93 % of the tissue is out of focus; scan the slide again"),
    NotEvaluable("no_pixel_size", "no pixel size in the header; give `mpp_override` in the case sheet"),
    NotEvaluable("too_few_tumour_cells", "fewer than 50 tumour cells were found; draw the tumour"),
    NotEvaluable("implausible_stain", "the colours are not those of hematoxylin and DAB; stain again"),
)
WARNINGS = {
    "out_of_focus": "12 % of the tissue is out of focus and is not scored.",
    "debris": "Dirt or precipitate covers 3.1 mm² and is not scored.",
    "default_stain_vectors": "The slide shows too little stain to tell its own colours.",
    "saturated": "Some pixels are at full scale.",
    "little_tissue": "Less than 1 mm² of tissue was found.",
}
FLAGS = {
    "ihc_controls_unknown": 0.08,
    "tumour_automatic": 0.3,
    "score_uncertain": 0.07,
    "cytoplasmic_staining": 0.02,
    "too_little_tissue": 0.03,
    "control_tissue_doubtful": 0.02,
}
EDITED = EditsEntry(
    by="reader-07", on="2026-03-02", tool="QuPath 0.6.0", sha256=SHA, score_before="2+", h_score_before=141.2
)


@dataclass(frozen=True)
class MadeCase:
    """A case as a run leaves it: its call, and the quality of its images."""

    call: CallDoc
    images: tuple[Ihc | Fish, ...]
    qualities: Mapping[str, QualityDoc]
    """By image id; an image that failed has none."""


def cohort(n: int, *, seed: int = 7) -> Iterator[MadeCase]:
    """Draw `n` cases."""
    rng = np.random.default_rng(seed)
    for number in range(1, n + 1):
        yield _case(f"H26-{number:05d}", rng)


def write_cohort(root: Path, n: int, *, seed: int = 7) -> Path:
    """Write calls and qualities as a run does, and the case sheet, whose path is returned."""
    made = list(cohort(n, seed=seed))
    for case in made:
        call = case.call
        write_document(root / "cases" / call.case_id / "call.json", call)
        for image in case.images:
            path = root / "images" / image.image_id / "quality.json"
            if image.failed is None:
                write_document(path, case.qualities[image.image_id])
            else:
                facts = facts_of(call.case_id, image, Setting(call.guideline))
                write_not_evaluable(path, image.failed, producer=producer_of("slide_quality"), facts=facts)
    return write_sheet(root, {case.call.case_id: case.images for case in made})


def write_sheet(root: Path, cases: Mapping[str, Sequence[Ihc | Fish]]) -> Path:
    """Write the case sheet of cases whose images nobody opens."""
    lines = ["case_id\timage_id\tassay\tpath\tprobe\tarea"]
    for case_id, images in cases.items():
        # Cases of the tests share the names of their images; a sheet needs one name for each.
        for number, image in enumerate(images):
            name = image.image_id if image.image_id.startswith(case_id) else f"{case_id}-{number}"
            assay, probe, area = ("ihc", "", "") if isinstance(image, Ihc) else ("fish", "dual", image.area)
            lines.append("\t".join((case_id, name, assay, f"{name}.tif", probe, area)))
    sheet = root / "cases.tsv"
    sheet.parent.mkdir(parents=True, exist_ok=True)
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sheet


def _case(case_id: str, rng: np.random.Generator) -> MadeCase:
    guideline = _drawn(GUIDELINES, rng)
    score = _drawn(SCORES, rng)
    failed = FAILURES[rng.integers(len(FAILURES))] if rng.random() < 0.03 else None
    ihc = Ihc(f"{case_id}-ihc", _cells(score, rng), failed)
    images: list[Ihc | Fish] = [ihc]
    if (score == "2+" and rng.random() < 0.7) or rng.random() < 0.01:
        images.append(_fish(f"{case_id}-fish", _drawn(GROUPS, rng), rng))
    call = call_doc(case_id, *images, setting=Setting(guideline))
    flags = {*call.flags, *(name for name, often in FLAGS.items() if rng.random() < often)}
    edits = {ihc.image_id: EDITED} if failed is None and rng.random() < 0.01 else {}
    flags |= {"edited_by_person"} if edits else set()
    call = call.model_copy(update={"flags": tuple(sorted(flags)), "edits": edits})
    good = [image for image in images if image.failed is None]
    return MadeCase(call, tuple(images), {image.image_id: _quality(rng) for image in good})


def _drawn(often: Mapping[str, float], rng: np.random.Generator) -> str:
    return str(rng.choice(list(often), p=list(often.values())))


def _cells(score: str, rng: np.random.Generator) -> dict[str, int]:
    total = int(np.exp(rng.normal(8.3, 0.9))) + 60
    shares = np.array(SHARES[score]) * np.exp(rng.normal(0, 0.25, len(CLASSES)))
    shares = np.append(shares, max(1 - shares.sum(), 0.02))
    counts = rng.multinomial(total, shares / shares.sum())
    return dict(zip((*CLASSES, "none"), map(int, counts), strict=True))


def _fish(image_id: str, group: str, rng: np.random.Generator) -> Fish:
    # Nuclei differ in how much of them lies in the section, which both probes share.
    her2, cep17 = MEANS[group]
    n = int(rng.integers(20, 80))
    cut = np.clip(rng.normal(1, 0.18, n), 0.5, 1.4)
    counts = zip(rng.poisson(her2 * cut).clip(1), rng.poisson(cep17 * cut).clip(1), strict=True)
    return Fish(image_id, [(int(high), int(low)) for high, low in counts])


def _quality(rng: np.random.Generator) -> QualityDoc:
    codes = [code for code in WARNINGS if rng.random() < 0.035]
    notes = ["no_dab"] if rng.random() < 0.1 else []
    findings = [Finding(code=code, severity="warning", message=WARNINGS[code]) for code in codes]
    findings += [Finding(code=code, severity="info", message="No DAB was found.") for code in notes]
    result = QualityResult(
        verdict="usable" if codes else "good",
        tissue_mm2=round(float(np.exp(rng.normal(4, 1))), 2),
        mask_mpp=8.0,
        findings=tuple(findings),
    )
    return QualityDoc(produced_by=producer_of("slide_quality"), inputs={"slide": SHA}, result=result)
