"""The documents of a case's images, written one by one, and the step `case_call` run on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from her2path.domain.case import Assay, Controls, Specimen
from her2path.domain.ihc import IhcScore, Intensity, Pattern, Reactivity
from her2path.domain.ish import Probe
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Reason
from her2path.io.control_entries import ControlEntry
from her2path.io.count_entries import FishCountsResult
from her2path.io.documents import (
    CallDoc,
    FishCountsDoc,
    IhcScoreDoc,
    IhcScoreResult,
    Producer,
    SheetFacts,
    SlideDoc,
    SlideResult,
    SourceFile,
    read_document,
    write_document,
)
from her2path.io.model_entries import ModelEntry
from her2path.io.placeholders import write_not_evaluable
from her2path.io.recount_documents import ReadNucleus, RecountDoc, RecountResult
from her2path.io.score_entries import IntervalMethod
from her2path.steps.case_call import CaseCallParams, run
from tests.support.count_quality import quality_of

MAKER = Producer(step="test", version="0")
NO_TISSUE = NotEvaluable("no_tissue", "no tissue was found")
CELL = tuple[Intensity, Pattern]


@dataclass
class Case:
    """Writes the documents of a case's images and runs the step on them."""

    root: Path
    case_id: str = "c1"
    slides: list[Path] = field(default_factory=list)
    scores: list[Path] = field(default_factory=list)
    counts: list[Path] = field(default_factory=list)
    recount: Path | None = None

    def _facts(self, image_id: str, assay: Assay, more: dict[str, object]) -> SheetFacts:
        known: dict[str, object] = {
            "case_id": self.case_id,
            "image_id": image_id,
            "assay": assay,
            "guideline": "breast_2018",
            "specimen": Specimen.RESECTION,
            "probe": Probe.DUAL,
            "area": "",
            "observer": 1,
            "controls": Controls.PASS,
        }
        return SheetFacts.model_validate(known | more)

    def _slide(self, facts: SheetFacts, sha256: str) -> Path:
        path = self.root / "images" / facts.image_id / "slide.json"
        result = SlideResult(
            files=(SourceFile(sha256=sha256 or facts.image_id, size_bytes=1, format="x"),),
            vendor="x",
            width_px0=9,
            height_px0=9,
            mpp=0.5,
            mpp_origin="vendor",
            level_downsamples=(1.0,),
        )
        write_document(path, SlideDoc(produced_by=MAKER, sheet=facts, result=result))
        self.slides.append(path)
        return path

    def lost(self, image_id: str, assay: Assay) -> None:
        facts = self._facts(image_id, assay, {})
        folder = self.root / "images" / image_id
        names = ("slide.json", "ihc_score.json" if assay is Assay.IHC else "fish_counts.json")
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_not_evaluable(folder / name, NO_TISSUE, producer=MAKER, facts=facts)
        self.slides.append(folder / names[0])
        (self.scores if assay is Assay.IHC else self.counts).append(folder / names[1])

    def ihc(
        self,
        image_id: str,
        cells: dict[CELL, int],
        *,
        blank_pct: float = 0.5,
        calibration: str = "cal/1",
        clusters: dict[Reactivity, int] | None = None,
        flags: tuple[str, ...] = (),
        control: tuple[ControlEntry, ...] = (),
        sha256: str = "",
        model: ModelEntry | None = None,
        **sheet: object,
    ) -> None:
        slide = self._slide(self._facts(image_id, Assay.IHC, sheet), sha256)
        tally: dict[Intensity, dict[Pattern, int]] = {}
        for (intensity, pattern), n in cells.items():
            tally.setdefault(intensity, {})[pattern] = n
        result = IhcScoreResult(
            tally=tally,
            scored_cells=sum(cells.values()),
            excluded_cells={"not_tumour": 7},
            percentages={},
            interval=IntervalMethod(
                method="wilson_of_areas",
                block_um=250,
                blocks=1,
                drawn_blocks=0,
                draws=0,
                reach_um=62.5,
                areas=1,
                independent_cells=1,
            ),
            h_score=0.0,
            h_score_low=0.0,
            h_score_high=300.0,
            no_probabilities=Reason(code="too_little_tissue", reason="too little tissue"),
            score=IhcScore.ZERO,  # of this image alone: the case is scored on the pooled tally
            rule_id="x",
            limit_of_blank_pct=blank_pct,
            calibration=calibration,
            model=model,
            tumour_selection="regions",
            selected_nuclei_pct=50.0,
            clusters=clusters,
            control=control,
            flags=flags,
        )
        path = slide.with_name("ihc_score.json")
        write_document(path, IhcScoreDoc(produced_by=MAKER, result=result))
        self.scores.append(path)

    def fish(
        self,
        image_id: str,
        nuclei: Sequence[tuple[int, int | None]],
        *,
        totals: tuple[int, int | None] | None = None,
        clusters: int = 2,
        weak: int = 0,
        cytoplasmic: int = 0,
        unresolved: tuple[int, int] = (3, 40),
        obscured: tuple[int, int] = (0, 30),
        areas_within: int = 1,
        sha256: str = "",
        **sheet: object,
    ) -> None:
        facts = self._facts(image_id, Assay.FISH, sheet)
        slide = self._slide(facts, sha256)
        dual = facts.probe is Probe.DUAL
        sums = (sum(h for h, _ in nuclei), sum(c or 0 for _, c in nuclei) if dual else None)
        her2, cep17 = sums if totals is None else totals
        result = FishCountsResult(
            nuclei=tuple(nuclei),
            her2_signals=her2,
            cep17_signals=cep17,
            excluded_nuclei={"overlap": 3},
            nuclei_with_clusters=clusters,
            quality=quality_of(
                her2 + (cep17 or 0),
                weak=weak,
                cytoplasmic=cytoplasmic,
                unresolved=unresolved,
                obscured=obscured,
            ),
            areas=areas_within,
        )
        path = slide.with_name("fish_counts.json")
        write_document(path, FishCountsDoc(produced_by=MAKER, sheet=facts, result=result))
        self.counts.append(path)

    def read(
        self,
        counts: Sequence[tuple[int, int | None] | None],
        *,
        of: dict[str, str],
        program: Sequence[tuple[int, int | None]] = ((90, 80),),
        blinded: bool = True,
        in_first_count: bool = False,
        probe: Probe = Probe.DUAL,
        case_id: str = "",
    ) -> None:
        """Write the read of a second person; None = a nucleus that could not be counted."""
        nuclei = tuple(
            ReadNucleus(
                number=number,
                image_id=next(iter(of)),
                nucleus_id=number,
                x_px0=1.0,
                y_px0=1.0,
                in_first_count=in_first_count,
                program_her2=program[(number - 1) % len(program)][0],
                program_cep17=program[(number - 1) % len(program)][1],
                her2_signals=None if count is None else count[0],
                cep17_signals=None if count is None else count[1],
                not_countable="overlapping" if count is None else None,
            )
            for number, count in enumerate(counts, start=1)
        )
        result = RecountResult(
            sheet_id="k7",
            case_id=case_id or self.case_id,
            probe=probe,
            image_files={name: (sha256,) for name, sha256 in of.items()},
            reader="AB",
            read_on="2026-11-21",
            did_not_know_first_result=blinded,
            nuclei=nuclei,
        )
        self.recount = self.root / "cases" / self.case_id / "recount" / "recount.json"
        write_document(self.recount, RecountDoc(produced_by=MAKER, result=result))

    def call(self) -> CallDoc:
        path = self.root / "cases" / self.case_id / "call.json"
        run(
            slide=self.slides,
            score=self.scores,
            counts=self.counts,
            recount=self.recount,
            call=path,
            params=CaseCallParams(),
        )
        return read_document(path, CallDoc)
