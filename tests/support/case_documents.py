"""Artefacts of whole cases, written as the steps write them, for tests of what reads them.

The call is made by the real rules from the same numbers that the image documents hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from her2path.domain.case import NOTHING_KNOWN, Assay, Controls, Specimen, SpecimenFacts
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import (
    TYPICAL_STAINING,
    IhcReading,
    IhcScore,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    levels_from,
)
from her2path.domain.ish import IshReading, NucleusSignals, Probe, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.verdict import NotEvaluable
from her2path.io import calls
from her2path.io import documents as d
from her2path.io.control_entries import ControlEntry
from her2path.io.count_entries import FishCountsResult
from her2path.io.placeholders import write_not_evaluable
from her2path.io.provenance import digests
from her2path.io.quality_entries import Finding, QualityResult
from her2path.io.score_entries import IntervalMethod, Percentage
from her2path.io.tables import FISH_NUCLEI, FISH_SIGNALS, write_table
from tests.support.count_quality import quality_of

GUIDELINE = "breast_2023"
BLANK_PCT = 0.5
SHA = "0123456789abcdef" * 4

CLEAN = {"none": 1000}
ULTRALOW = {"incomplete_faint": 60, "none": 940}
ONE_PLUS = {"incomplete_faint": 310, "complete_weak_moderate": 40, "none": 650}
TWO_PLUS = {
    "complete_weak_moderate": 260,
    "incomplete_moderate_intense": 90,
    "incomplete_faint": 250,
    "none": 400,
}
THREE_PLUS = {"complete_intense": 620, "complete_weak_moderate": 180, "incomplete_faint": 90, "none": 110}


@dataclass(frozen=True)
class Ihc:
    """An IHC image of a case: cells per staining class, or why there is none."""

    image_id: str = "ihc-1"
    cells: Mapping[str, int] = field(default_factory=lambda: CLEAN)
    failed: NotEvaluable | None = None
    flags: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    overlay_side: int = 240
    control: tuple[ControlEntry, ...] = ()

    def tally(self) -> IhcTally:
        return IhcTally({TYPICAL_STAINING[StainingClass(name)]: n for name, n in self.cells.items()})

    def reading(self) -> IhcReading:
        blank = Fraction(str(BLANK_PCT)) / 100
        return IhcReading(self.tally(), blank, controls=Controls.PASS, specimen=Specimen.RESECTION)


@dataclass(frozen=True)
class Setting:
    """What holds for a whole case: its guideline, its specimen, and a second population."""

    guideline: str = GUIDELINE
    specimen: SpecimenFacts = NOTHING_KNOWN
    second: SecondPopulation | None = None


PLAIN = Setting()


@dataclass(frozen=True)
class Fish:
    """A FISH image of a case: signals per nucleus, or why there is none."""

    image_id: str = "fish-1"
    nuclei: Sequence[tuple[int, int | None]] = ()
    failed: NotEvaluable | None = None
    observer: int = 1
    area: str = "A1"
    fields: int = 1
    gallery_side: int = 240

    @property
    def probe(self) -> Probe:
        return Probe.SINGLE if any(cep17 is None for _, cep17 in self.nuclei) else Probe.DUAL

    def summary(self) -> SignalSummary:
        return SignalSummary.of((NucleusSignals(*pair) for pair in self.nuclei), probe=self.probe)


def nuclei(n: int, her2: float, cep17: float | None) -> list[tuple[int, int | None]]:
    """Counts of `n` nuclei with about these means, spread without chance."""
    found: list[tuple[int, int | None]] = []
    for i in range(n):
        wave = math.sin(i * 2.399)
        near = math.cos(i * 1.7)
        low = None if cep17 is None else max(1, round(cep17 + 0.8 * near))
        found.append((max(1, round(her2 * (1 + 0.28 * wave) + 0.4 * near)), low))
    return found


def producer_of(step: str) -> d.Producer:
    return d.Producer(step=step, version="0.1.0", params={"target_mpp": 0.5, "method": "classical"})


def facts_of(case_id: str, image: Ihc | Fish, setting: Setting = PLAIN) -> d.SheetFacts:
    is_ihc = isinstance(image, Ihc)
    return d.SheetFacts(
        case_id=case_id,
        image_id=image.image_id,
        assay=Assay.IHC if is_ihc else Assay.FISH,
        guideline=setting.guideline,
        specimen=Specimen.RESECTION,
        probe=Probe.DUAL if is_ihc else image.probe,
        area="" if is_ihc else image.area,
        observer=1 if is_ihc else image.observer,
        controls=Controls.PASS,
        has_tumour_roi=False,
    )


def write_case(
    root: Path, case_id: str, *images: Ihc | Fish, setting: Setting = PLAIN
) -> tuple[Path, list[Path]]:
    """Write call and artefacts of a case; returns the call and all files of its images."""
    artefacts: list[Path] = []
    for image in images:
        artefacts += write_image(root / "images" / image.image_id, case_id, image, setting)
    call = root / "cases" / case_id / "call.json"
    read = [p for p in artefacts if p.name in {"slide.json", "ihc_score.json", "fish_counts.json"}]
    inputs = digests(**{f"{p.parent.name}/{p.stem}": p for p in read})
    document = call_doc(case_id, *images, setting=setting)
    d.write_document(call, document.model_copy(update={"inputs": inputs}))
    return call, artefacts


def write_image(folder: Path, case_id: str, image: Ihc | Fish, setting: Setting = PLAIN) -> list[Path]:
    """Write the artefacts of an image that a report reads."""
    names = ["slide.json", "quality.json"]
    names += (
        ["ihc_score.json", "overlay.png"]
        if isinstance(image, Ihc)
        else ["fish_counts.json", "fish_nuclei.parquet", "gallery.png", "fish_signals.parquet"]
    )
    paths = [folder / name for name in names]
    facts = facts_of(case_id, image, setting)
    if image.failed is not None:
        for path in paths:
            maker = producer_of("slide_intake")
            write_not_evaluable(path, image.failed, producer=maker, facts=facts)
        return paths
    d.write_document(paths[0], slide_doc(facts, image))
    d.write_document(paths[1], quality_doc(image))
    if isinstance(image, Ihc):
        d.write_document(paths[2], score_doc(image, setting))
        _write_overlay(paths[3], image)
    else:
        d.write_document(paths[2], counts_doc(facts, image))
        _write_nuclei(paths[3], image)
        _write_gallery(paths[4], image)
    return paths


def slide_doc(facts: d.SheetFacts, image: Ihc | Fish) -> d.SlideDoc:
    is_ihc = isinstance(image, Ihc)
    roles = ("dapi", "her2", "cep17")
    channels = tuple(d.Channel(index=i, name=r.upper(), role=r, origin="name") for i, r in enumerate(roles))
    kind = "tiff" if is_ihc else "ome-tiff"
    result = d.SlideResult(
        files=(d.SourceFile(sha256=SHA, size_bytes=8_644_814, format=kind),),
        vendor="generic-tiff" if is_ihc else "ome",
        width_px0=5468 if is_ihc else 2048,
        height_px0=5468 if is_ihc else 2048,
        mpp=0.25 if is_ihc else 0.108,
        mpp_origin="case_sheet" if is_ihc else "ome_metadata",
        level_downsamples=(1.0, 4.0),
        channels=() if is_ihc else channels,
    )
    return d.SlideDoc(produced_by=producer_of("slide_intake"), sheet=facts, result=result)


def quality_doc(image: Ihc | Fish) -> d.QualityDoc:
    findings = image.findings if isinstance(image, Ihc) else ()
    result = QualityResult(tissue_mm2=1.6, mask_mpp=4.0, findings=findings)
    return d.QualityDoc(produced_by=producer_of("slide_quality"), inputs={"slide": SHA}, result=result)


def wilson_pct(k: int, n: int) -> tuple[float, float]:
    low, high = wilson_interval(k, n)
    return 100 * low, 100 * high


def percentage(k: int, n: int) -> Percentage:
    low, high = wilson_pct(k, n)
    return Percentage(
        cells=k,
        pct=100 * k / n,
        low_pct=low,
        high_pct=high,
        cells_low_pct=low,
        cells_high_pct=high,
    )


BOOTSTRAP = IntervalMethod(
    method="block_bootstrap",
    block_um=250.0,
    blocks=60,
    drawn_blocks=40,
    draws=2000,
    reach_um=125.0,
    areas=30.0,
    independent_cells=180.0,
)


def score_doc(image: Ihc, setting: Setting = PLAIN) -> d.IhcScoreDoc:
    reading = image.reading()
    tally = reading.tally
    call = call_case(CaseEvidence(ihc=reading), GUIDELINES[setting.guideline])
    assert isinstance(call, CaseCall)
    assert call.ihc_score is not None
    assert tally.h_score is not None
    rows: dict[Intensity, dict[Pattern, int]] = {}
    for (intensity, pattern), n in tally.counts.items():
        rows.setdefault(intensity, {})[pattern] = n
    shares = {str(name): percentage(tally.of_class(name), tally.total) for name in StainingClass}
    shares["stained"] = percentage(tally.total - tally.of_class(StainingClass.NONE), tally.total)
    result = d.IhcScoreResult(
        tally=rows,
        scored_cells=tally.total,
        excluded_cells={"not_tumour": 5120, "touches_border": 12, "out_of_focus": 0},
        percentages=shares,
        compared=_levels(tally),
        interval=BOOTSTRAP,
        h_score=tally.h_score,
        h_score_low=max(0.0, tally.h_score - 12),
        h_score_high=min(300.0, tally.h_score + 12),
        score=IhcScore(call.ihc_score),
        rule_id=call.trail[0].rule_id,
        limit_of_blank_pct=BLANK_PCT,
        calibration="default_hdab/1",
        tumour_selection="automatic",
        selected_nuclei_pct=61.3,
        score_probabilities={name: 0.97 if name == call.ihc_score else 0.01 for name in IhcScore},
        heterogeneity={"stained_share_between_tiles_sd": 0.07},
        control=image.control,
        flags=image.flags,
    )
    return d.IhcScoreDoc(produced_by=producer_of("ihc_score"), inputs={"cells": SHA}, result=result)


def _levels(tally: IhcTally) -> dict[str, Percentage]:
    levels = {str(level): tally.of_class(level) for level in levels_from(Reactivity.FAINT)}
    at_least = sum(levels[level] for level in levels_from(Reactivity.WEAK_MODERATE))
    return {
        name: percentage(n, tally.total)
        for name, n in (levels | {"at_least_weak_moderate": at_least}).items()
    }


def counts_doc(facts: d.SheetFacts, image: Fish) -> d.FishCountsDoc:
    summary = image.summary()
    result = FishCountsResult(
        nuclei=tuple(image.nuclei),
        her2_signals=summary.her2,
        cep17_signals=summary.cep17,
        excluded_nuclei={"overlapping": 14, "cut_off": 9, "no_cep17": 3},
        nuclei_with_clusters=2,
        quality=quality_of(summary.her2 + (summary.cep17 or 0), weak=4, cytoplasmic=5),
        areas=1,
    )
    return d.FishCountsDoc(
        produced_by=producer_of("fish_counts"), inputs={"signals": SHA}, sheet=facts, result=result
    )


def _write_nuclei(path: Path, image: Fish) -> None:
    n = len(image.nuclei)
    with write_table(
        path.with_name("fish_signals.parquet"), FISH_SIGNALS, produced_by=producer_of("fish_signals")
    ):
        pass
    with write_table(path, FISH_NUCLEI, produced_by=producer_of("fish_counts")) as table:
        table.append(
            {
                "nucleus_id": list(range(1, n + 2)),
                "x_px0": [10.5 + 3 * i for i in range(n + 1)],
                "y_px0": [20.5] * (n + 1),
                "area_um2": [88.0] * (n + 1),
                "her2_signals": [her2 for her2, _ in image.nuclei] + [99],
                "cep17_signals": [cep17 for _, cep17 in image.nuclei]
                + [None if image.probe is Probe.SINGLE else 99],
                "her2_copies_low": [her2 for her2, _ in image.nuclei] + [99],
                "her2_copies_high": [her2 for her2, _ in image.nuclei] + [99],
                "her2_clusters": [0] * (n + 1),
                "evaluable": [True] * n + [False],
                "exclusion": [None] * n + ["overlapping"],
                "rank": [*range(1, n + 1), None],
                "field": [f"F{1 + i % image.fields}" for i in range(n + 1)],
            }
        )


def call_doc(case_id: str, *images: Ihc | Fish, setting: Setting = PLAIN) -> d.CallDoc:
    """Call the case by the real rules."""
    first = [i for i in images if isinstance(i, Fish) and i.observer == 1 and i.failed is None]
    second = [i for i in images if isinstance(i, Fish) and i.observer == 2 and i.failed is None]
    ihc = [i for i in images if isinstance(i, Ihc) and i.failed is None]
    evidence = CaseEvidence(
        ihc[0].reading() if ihc else None,
        _count(first) if first else None,
        _count(second) if second else None,
        setting.second,
        setting.specimen,
    )
    head = calls.CallHead(
        case_id=case_id,
        guideline=setting.guideline,
        produced_by=producer_of("case_call"),
        images=tuple(image.image_id for image in images),
        specimen=calls.specimen_entry(setting.specimen, Specimen.RESECTION),
        ihc=calls.ihc_evidence(evidence.ihc) if isinstance(evidence.ihc, IhcReading) else {},
        ish=calls.ish_evidence(evidence.ish) if isinstance(evidence.ish, IshReading) else {},
        recount=calls.ish_evidence(evidence.recount) if isinstance(evidence.recount, IshReading) else {},
    )
    failed = {i.image_id: i.failed for i in images if i.failed is not None}
    if failed:
        return calls.not_evaluable(failed, head)
    guideline = GUIDELINES[setting.guideline]
    call = call_case(evidence, guideline)
    assert isinstance(call, CaseCall)
    return calls.evaluated(call, head, explain(evidence, guideline, _nuclei(first), _nuclei(second)))


def _nuclei(images: Sequence[Fish]) -> list[NucleusSignals]:
    return [NucleusSignals(*pair) for image in images for pair in image.nuclei]


def _count(images: Sequence[Fish]) -> IshReading:
    return IshReading(_sum(images), len({i.area for i in images}) + 1, controls=Controls.PASS)


def _sum(images: Sequence[Fish]) -> SignalSummary:
    return sum((i.summary() for i in images[1:]), start=images[0].summary())


def _write_overlay(path: Path, image: Ihc) -> None:
    side = image.overlay_side
    pixels = np.full((side, side, 3), 244, np.uint8)
    colours = {"none": (230, 190, 160), "incomplete_faint": (164, 217, 243)}
    names = [name for name, n in image.cells.items() for _ in range(max(1, n // 20))]
    for i, name in enumerate(names):
        at = (10 + (37 * i) % (side - 20), 10 + (53 * i) % (side - 20))
        cv2.circle(pixels, at, 6, colours.get(name, (6, 42, 91)), 2)
    _write_png(path, pixels)


def _write_gallery(path: Path, image: Fish) -> None:
    side = image.gallery_side
    pixels = np.zeros((side, side, 3), np.uint8)
    for i in range(16):
        at = (side // 8 + (i % 4) * side // 4, side // 8 + (i // 4) * side // 4)
        cv2.circle(pixels, at, side // 10, (120, 40, 10), -1)
        cv2.circle(pixels, (at[0] - 4, at[1]), 2, (30, 90, 255), -1)
        cv2.circle(pixels, (at[0] + 5, at[1] + 4), 2, (40, 230, 60), -1)
    _write_png(path, pixels)


def _write_png(path: Path, pixels: np.ndarray) -> None:
    encoded, data = cv2.imencode(".png", pixels)
    assert encoded
    path.write_bytes(data.tobytes())
