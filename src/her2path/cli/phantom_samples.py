"""The synthetic cases of `sample_data/`: images, case sheet, truth and reads.

Every number of the truth comes from the phantoms and the guideline engine; no result is typed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from her2path.cli.phantom_fish import choose_spec
from her2path.cli.phantom_ihc import GUIDELINE
from her2path.cli.phantom_reads import TrueCase, called, read_rows, run_rows, strata_rows
from her2path.domain.case import Assay, Controls, Specimen
from her2path.domain.decision import CaseCall
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    IhcTally,
    Intensity,
    Pattern,
    StainingClass,
)
from her2path.domain.ish import IshReading, SignalSummary
from her2path.imaging.phantoms.fish import FishPhantom, FishPhantomSpec, render_fish
from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from her2path.imaging.phantoms.ihc_regions import tumour_outlines
from her2path.imaging.phantoms.ihc_spec import SCORE_PRESETS, STYLES, ClassShare, IhcPhantomSpec
from her2path.io import phantom_files as files
from her2path.io import phantom_fish_files as fish_files
from her2path.io.case_sheet import COLUMNS

_SLIDE_QUALITY = 80
_AREAS = ("A", "B")
_FIELD_PX = 720


@dataclass(frozen=True, slots=True)
class Sample:
    """One synthetic case and what stands behind it."""

    case_id: str
    ihc: IhcPhantomSpec
    fish_group: int | None = None
    other_fields: bool = False
    """Both areas were photographed again in other fields, for a second person to count."""
    channel_files: bool = False
    """One file a channel, as slide scanners write it, instead of one OME-TIFF."""
    regions: bool = False
    """A pathologist has drawn the tumour."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A case on disk: its rows of the sheet and its truth."""

    sample: Sample
    rows: tuple[dict[str, object], ...]
    tally: IhcTally
    tumour_cells: int
    counts: tuple[SignalSummary, ...] = ()
    """Of the first fields, then of the others, as far as there are any."""
    call: CaseCall = field(kw_only=True)
    recounted: CaseCall | None = None
    """When a second person has read the other fields without an error; None where there are none."""


def _spec(seed: int, score: str, style: str, **changes: object) -> IhcPhantomSpec:
    base = IhcPhantomSpec(seed=seed, classes=SCORE_PRESETS[score], style=STYLES[style])
    return replace(base, **changes)  # type: ignore[arg-type]  # names are checked by replace()


_FINE: dict[str, object] = {"mpp": 0.25, "width_px": 2816, "height_px": 2560}
_COARSE: dict[str, object] = {"mpp": 0.5, "width_px": 1664, "height_px": 1536}
_GLANDS: dict[str, object] = {**_COARSE, "architecture": "glandular", "tumour_fraction": 0.75}
_MODERATE = (
    ClassShare(Intensity.MODERATE, Pattern.COMPLETE, 0.45),
    ClassShare(Intensity.WEAK, Pattern.COMPLETE, 0.10),
    ClassShare(Intensity.WEAK, Pattern.INCOMPLETE, 0.10),
)
"""A 2+ further from the cut than the preset, for blue counterstain and glands, where less is found."""

SAMPLES: tuple[Sample, ...] = (
    Sample("demo_ihc0", _spec(101, "null", "crisp", **_COARSE)),
    Sample("demo_ultralow", _spec(102, "ultralow", "crisp", **_FINE)),
    Sample("demo_ihc1", _spec(103, "1+", "classic", **_FINE)),
    Sample("demo_ihc2_g1", _spec(104, "2+", "pale", **_COARSE), fish_group=1),
    Sample(
        "demo_ihc2_g2",
        _spec(105, "2+", "blue", **_COARSE, classes=_MODERATE),
        fish_group=2,
        channel_files=True,
    ),
    Sample("demo_ihc2_g3", _spec(106, "2+", "violet", **_FINE), fish_group=3, other_fields=True),
    Sample("demo_ihc2_g4", _spec(107, "2+", "classic", **_GLANDS, classes=_MODERATE), fish_group=4),
    Sample("demo_ihc2_g5", _spec(108, "2+", "crisp", **_COARSE), fish_group=5),
    Sample("demo_ihc3", _spec(109, "3+", "classic", **_COARSE), regions=True),
)


def write_samples(out: Path, samples: Sequence[Sample] = SAMPLES) -> None:
    """Render all cases and write their tables beside them: sheet, truth, and made-up reads, strata, runs."""
    written = [_write_case(out, number, sample) for number, sample in enumerate(samples)]
    files.write_rows(out / "cases.tsv", [row for case in written for row in case.rows], delimiter="\t")
    files.write_rows(out / "truth.csv", [_truth_row(case) for case in written], delimiter=",")
    files.write_rows(out / "reads.tsv", read_rows([_true_case(case) for case in written]), delimiter="\t")
    strata = strata_rows([sample.case_id for sample in samples])
    files.write_rows(out / "strata.tsv", strata, delimiter="\t")
    files.write_rows(out / "runs.tsv", run_rows(), delimiter="\t")


def _write_case(out: Path, number: int, sample: Sample) -> _Written:
    phantom = render_ihc(sample.ihc)
    rows = [_write_slide(out, sample, phantom)]
    counts: list[SignalSummary] = []
    if sample.fish_group is not None:
        for observer in (1, 2) if sample.other_fields else (1,):
            seed = 1000 + 10 * number + 100 * observer
            fish_rows, total = _write_fish(out, sample, seed=seed, observer=observer)
            rows += fish_rows
            counts.append(total)
    readings = [IshReading(total, areas=len(_AREAS), controls=Controls.PASS) for total in counts]
    ihc = IhcReading(phantom.truth.expressed, controls=Controls.PASS)
    return _Written(
        sample,
        tuple(rows),
        phantom.truth.expressed,
        phantom.truth.tumour_cells,
        tuple(counts),
        # No count of a program is a recount: the other fields wait for a person's read.
        call=called(ihc, readings[:1]),
        recounted=called(ihc, readings) if sample.other_fields else None,
    )


def _row(sample: Sample, image_id: str, assay: Assay, path: str, **cells: object) -> dict[str, object]:
    known = {
        "case_id": sample.case_id,
        "image_id": image_id,
        "assay": assay.value,
        "path": path,
        "guideline": GUIDELINE,
        "specimen": Specimen.RESECTION.value,
        "controls": Controls.PASS.value,
        **cells,
    }
    return {name: known.get(name) for name in COLUMNS}


def _write_slide(out: Path, sample: Sample, phantom: IhcPhantom) -> dict[str, object]:
    folder = out / sample.case_id
    files.write_slide(folder / "ihc.tif", phantom.rgb, mpp=sample.ihc.mpp, quality=_SLIDE_QUALITY)
    roi = None
    if sample.regions:
        roi = f"{sample.case_id}/tumour.geojson"
        files.write_regions(out / roi, tumour_outlines(phantom.labels, sample.ihc.mpp))
    path = f"{sample.case_id}/ihc.tif"
    return _row(sample, f"{sample.case_id}_ihc", Assay.IHC, path, tumour_roi=roi)


def _write_fish(
    out: Path, sample: Sample, *, seed: int, observer: int
) -> tuple[list[dict[str, object]], SignalSummary]:
    base = FishPhantomSpec(seed=seed, width_px=_FIELD_PX, height_px=_FIELD_PX, tumour_share=0.95)
    spec = choose_spec(base, group=sample.fish_group)
    suffix = "" if observer == 1 else f"_observer{observer}"
    rows = []
    total = SignalSummary(0, 0, 0)
    for place, area in enumerate(_AREAS):
        phantom = render_fish(replace(spec, seed=seed + place))
        stem = f"fish_{area.lower()}{suffix}"
        paths = _write_field(out / sample.case_id, stem, phantom, spec, split=sample.channel_files)
        path = ";".join(f"{sample.case_id}/{path.name}" for path in paths)
        image_id = f"{sample.case_id}_{stem}"
        rows.append(_row(sample, image_id, Assay.FISH, path, probe="dual", area=area, observer=observer))
        total += phantom.truth.summary
    return rows, total


def _write_field(
    folder: Path, stem: str, phantom: FishPhantom, spec: FishPhantomSpec, *, split: bool
) -> tuple[Path, ...]:
    calibration = fish_files.FieldCalibration(spec.mpp, spec.z_step_um, spec.seed)
    if split:
        return fish_files.write_split(folder, stem, phantom.planes, calibration)
    path = folder / f"{stem}.ome.tif"
    fish_files.write_ome(path, phantom.planes, calibration)
    return (path,)


def _true_case(case: _Written) -> TrueCase:
    score = case.call.ihc_score or IhcScore.ZERO
    sample = case.sample
    return TrueCase(sample.case_id, sample.ihc.seed, len(_AREAS), score, case.tally, case.counts)


def _truth_row(case: _Written) -> dict[str, object]:
    call = case.call
    total = case.tally.total
    row: dict[str, object] = {
        "case_id": case.sample.case_id,
        "guideline": GUIDELINE,
        "ihc_score": call.ihc_score,
        "her2_category": call.category,
        "ish_group": call.ish_group,
        "state": call.state.value,
        "tumour_cells": case.tumour_cells,
        "h_score": f"{case.tally.h_score:.1f}",
    }
    for name in StainingClass:
        row[f"pct_{name.value}"] = f"{100 * case.tally.of_class(name) / total:.2f}"
    for prefix, place in (("", 0), ("recount_", 1)):
        counts = case.counts[place] if place < len(case.counts) else None
        row[f"{prefix}nuclei"] = counts and counts.nuclei
        row[f"{prefix}her2_signals"] = counts and counts.her2
        row[f"{prefix}cep17_signals"] = counts and counts.cep17
    row["state_after_recount"] = case.recounted and case.recounted.state.value
    return row
