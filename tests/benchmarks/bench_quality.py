"""How much of each kind of artefact is found, and what is found where there is none.

Phantoms of development seeds, each with one artefact of known outline, and some without; then debris,
pigment and folds by variant, and phantoms of every mix of classes without artefacts; then the real
cores, whose findings are few and were looked at.  Areas are counted in mask pixels of 8 µm on tissue
and glass; what lies within 16 µm of the truth is no false area.  An artefact weaker than a place can
show (strength below 0.8 of the usual) is drawn, too.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from her2path.imaging.artefacts import ArtefactKind, artefact_code
from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_random import random_artefact, random_spec
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.tissue import MASK_MPP
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.masks import read_codes, read_mask
from her2path.steps import slide_intake, slide_quality
from tests.support.slides import write_pyramid
from tests.validation.ihc.slides import MIXES

ROOT = Path(__file__).resolve().parents[2]
FIRST_SEED = 500_100
SIDE_PX = 1200
MPP = 0.5
ROUNDS = int(os.environ.get("HER2PATH_QUALITY_ROUNDS", "4"))
"""Phantoms of each kind; one takes some seconds."""
VARIANT_SEED = 522_000
CLEAN_SEED = 531_000
VARIANTS = (
    ("dust", ArtefactKind.DEBRIS, 0),
    ("thread", ArtefactKind.DEBRIS, 1),
    ("DAB precipitate", ArtefactKind.DEBRIS, 2),
    ("hematoxylin precip.", ArtefactKind.DEBRIS, 3),
    ("anthracosis", ArtefactKind.PIGMENT, 0),
    ("hemosiderin", ArtefactKind.PIGMENT, 1),
    ("fold", ArtefactKind.FOLD, 0),
)
MOST_UM = 100.0
"""Size of an artefact of the table by variant: on a whole slide it takes a part of the tissue only."""


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def examine(image: Path, folder: Path, mpp: float | None) -> tuple[dict[str, Path], float, str]:
    """Run intake and quality; paths, seconds of processor time of the latter, and the refusal's code."""
    folder.mkdir()
    at = {key: folder / name for key, name in IHC_FILES.items()}
    row = ImageRow(case_id="case", image_id=folder.name, assay="ihc", path=(image,), mpp=mpp)
    intake = slide_intake.SlideIntakeParams()
    slide_intake.run(image=[image], row=row, slide=at["slide"], params=intake)
    started = time.process_time()
    outputs = {name: at[name] for name in ("quality", "tissue", "artefacts", "areas", "picture")}
    # Nothing is refused here, so that a phantom that is mostly artefact is judged as well.
    params = slide_quality.SlideQualityParams(
        max_artefact_frac=1, min_sharpness=0, max_eosin_frac=1, min_colour_frac=0
    )
    code = ""
    try:
        slide_quality.run(image=[image], slide=at["slide"], params=params, **outputs)
    except slide_quality.UnsuitableImageError as error:
        code = error.code
    return at, time.process_time() - started, code


def compare(kind: ArtefactKind | None, seed: int, folder: Path) -> tuple[float, float, float, float, str]:
    """True, found, found as its own kind, and false area (mm²) of one phantom; the refusal's code."""
    spec = random_spec(seed, size_px=SIDE_PX, mpp=MPP, artefacts=False)
    if kind is not None:
        rng = np.random.default_rng(seed)
        spec = replace(spec, artefacts=(random_artefact(rng, kind, SIDE_PX * MPP),))
    return compare_spec(kind, spec, folder)


def compare_spec(
    kind: ArtefactKind | None, spec: IhcPhantomSpec, folder: Path
) -> tuple[float, float, float, float, str]:
    """The same of a phantom that is given, all of whose artefacts are of one kind."""
    phantom = render_ihc(spec)
    name = str(len(list(folder.iterdir())))
    at, _, code = examine(write_pyramid(folder / f"{name}.tif", phantom.rgb, mpp=MPP), folder / name, MPP)
    if code:
        return 0.0, 0.0, 0.0, 0.0, code
    found = read_codes(at["artefacts"])
    share = cv2.resize(
        (phantom.scene.artefacts > 0).astype(np.float32), found.shape[::-1], interpolation=cv2.INTER_AREA
    )
    truth = (share > 0.5) & (read_mask(at["tissue"]) | (kind is ArtefactKind.PEN))
    near = cv2.dilate((share > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    own = found == artefact_code(kind) if kind is not None else np.zeros(found.shape, bool)
    areas = (truth, truth & (found > 0), truth & own, (found > 0) & ~near)
    true, hit, same, wrong = (float(area.sum()) * MASK_MPP**2 / 1e6 for area in areas)
    return true, hit, same, wrong, code


def phantoms(folder: Path) -> None:
    """Table of recall and false area by kind."""
    say(f"{'kind':<16} {'n':>3} {'refused':>8} {'mm²':>7} {'found':>7} {'as kind':>8} {'false mm²/mm²':>14}")
    kinds = [*ArtefactKind, None]
    for place, kind in enumerate(kinds):
        rows = [compare(kind, FIRST_SEED + turn * len(kinds) + place, folder) for turn in range(ROUNDS)]
        measured = [row for row in rows if not row[4]]
        true, hit, same, wrong = np.sum([row[:4] for row in measured], axis=0) if measured else (0, 0, 0, 0)
        seen = f"{hit / true:7.2f} {same / true:8.2f}" if true else f"{'':>7} {'':>8}"
        image_mm2 = max(len(measured), 1) * (SIDE_PX * MPP / 1000) ** 2
        say(
            f"{kind or 'none':<16} {len(rows):>3} {len(rows) - len(measured):>8} {true:>7.3f} {seen} "
            f"{wrong / image_mm2:>14.4f}"
        )


def variants(folder: Path) -> None:
    """Table of recall by what the artefact is made of; three of them on each phantom."""
    say(f"\n{'variant':<20} {'n':>3} {'mm²':>7} {'found':>7} {'false mm²/mm²':>14}")
    for place, (name, kind, variant) in enumerate(VARIANTS):
        rows = []
        for turn in range(ROUNDS):
            seed = VARIANT_SEED + turn * len(VARIANTS) + place
            rng = np.random.default_rng(seed)
            drawn = (random_artefact(rng, kind, SIDE_PX * MPP) for _ in range(3))
            several = tuple(replace(one, variant=variant, size_um=min(one.size_um, MOST_UM)) for one in drawn)
            spec = replace(random_spec(seed, size_px=SIDE_PX, mpp=MPP, artefacts=False), artefacts=several)
            rows.append(compare_spec(kind, spec, folder)[:4])
        true, hit, _, wrong = np.sum(rows, axis=0)
        image_mm2 = len(rows) * (SIDE_PX * MPP / 1000) ** 2
        say(f"{name:<20} {len(rows):>3} {true:>7.3f} {hit / max(true, 1e-9):7.2f} {wrong / image_mm2:>14.4f}")


def clean(folder: Path) -> None:
    """Say what is found on phantoms of every mix that have no artefact."""
    found = []
    for turn in range(ROUNDS):
        for place, (mix, classes) in enumerate(MIXES.items()):
            seed = CLEAN_SEED + turn * len(MIXES) + place
            spec = replace(random_spec(seed, size_px=SIDE_PX, mpp=MPP, artefacts=False), classes=classes)
            found.append((mix, compare_spec(None, spec, folder)[3]))
    wrong = [f"{mix} {area:.4f} mm²" for mix, area in found if area]
    say(f"\n{len(found)} phantoms of {len(MIXES)} mixes without artefacts")
    say(f"found on: {', '.join(wrong) or 'none'}")


def cores(folder: Path) -> None:
    """Findings of the real cores, and the processor time that they take."""
    data = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data")) / "ihc_cores"
    for image in sorted(data.glob("core_*.tif")):
        at, seconds, code = examine(image, folder / image.stem, None)
        if code:
            say(f"{image.stem}: refused ({code})")
            continue
        result = json.loads(at["quality"].read_text(encoding="utf-8"))["result"]
        found = ", ".join(f"{kind['kind']} {kind['area_mm2']:.4f} mm²" for kind in result["artefacts"])
        tissue = result["tissue_mm2"]
        say(f"{image.stem}: {found or 'none'}; {seconds / tissue:.2f} s of processor per mm² of tissue")


def main() -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as name:
        phantoms(Path(name))
        variants(Path(name))
        clean(Path(name))
        cores(Path(name))


if __name__ == "__main__":
    main()
