"""Unstained slides with whatever can be taken for staining: none of them may read 2+ or 3+."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import IhcScore
from her2path.imaging.artefacts import ArtefactKind
from her2path.imaging.phantoms.ihc import IhcPhantom, render_ihc
from her2path.imaging.phantoms.ihc_random import random_artefact
from her2path.imaging.phantoms.ihc_spec import STYLES, IhcPhantomSpec
from her2path.imaging.tissue_pieces import GAP_UM
from her2path.io import phantom_files
from tests.validation.ihc.reading import Method
from tests.validation.ihc.slides import MIXES, TISSUES, ValidationSlide, make_slide
from tests.validation.measures import Measure
from tests.validation.side_by_side import side_by_side

Rgb = npt.NDArray[np.uint8]

FIRST = 200
CONTROL = "control tissue"
KINDS: tuple[tuple[ArtefactKind | str, int], ...] = (
    *((ArtefactKind.PEN, variant) for variant in (0, 3, 4)),
    *((ArtefactKind.FOLD, 0) for _ in range(3)),
    *((ArtefactKind.DEBRIS, variant) for variant in range(4)),
    *((ArtefactKind.PIGMENT, variant) for variant in range(2)),
    *((ArtefactKind.BUBBLE, 0) for _ in range(2)),
    *((ArtefactKind.OUT_OF_FOCUS, 0) for _ in range(3)),
    *((CONTROL, 0) for _ in range(3)),
)
"""Kind and variant of the artefact of each slide: black, red and brown ink; dust, threads, precipitates
of chromogen and of hematoxylin; anthracosis and hemosiderin."""
PER_SLIDE = 2
CONTROL_UM = 500
LARGEST_SHARE = 0.2
"""Width of an artefact, or its radius, as a share of the slide's side."""

Read = dict[str, object]


@dataclass(frozen=True, slots=True)
class NullSlide:
    """An unstained slide and what lies on it."""

    slide: ValidationSlide
    control: IhcPhantomSpec | None = None
    """Control tissue to its right, stained 3+ and named in the case sheet."""


def slides(*, development: bool, count: int | None = None) -> list[NullSlide]:
    """Twenty slides without staining, each with artefacts of one kind or with control tissue."""
    found = []
    for number, (kind, variant) in enumerate(KINDS):
        style = tuple(STYLES)[number % len(STYLES)]
        tissue = TISSUES[number % len(TISSUES)]
        slide = make_slide("null", str(kind), (), style, FIRST + number, tissue, development=development)
        found.append(_with_control(slide) if kind == CONTROL else _with_artefacts(slide, kind, variant))
    return found if count is None else found[:: len(found) // count][:count]


def _with_artefacts(slide: ValidationSlide, kind: ArtefactKind | str, variant: int) -> NullSlide:
    spec = slide.spec
    rng = np.random.default_rng(spec.seed)
    drawn = (random_artefact(rng, ArtefactKind(kind), spec.size_um[0]) for _ in range(PER_SLIDE))
    # On a whole slide an artefact takes a part of the tissue; what takes all of it is refused.
    most = LARGEST_SHARE * spec.size_um[0]
    artefacts = tuple(
        replace(artefact, variant=variant, size_um=min(artefact.size_um, most)) for artefact in drawn
    )
    return NullSlide(replace(slide, spec=replace(spec, artefacts=artefacts)))


def _with_control(slide: ValidationSlide) -> NullSlide:
    spec = replace(slide.spec, island=True)
    side = int(CONTROL_UM / spec.mpp)
    control = replace(
        spec, seed=spec.seed + 50, width_px=side, height_px=side, classes=MIXES["3+"], tumour_fraction=0.6
    )
    return NullSlide(replace(slide, spec=spec), control)


def picture(null: NullSlide) -> tuple[IhcPhantom, Rgb]:
    """Render a slide with its control tissue, if any, on the same glass."""
    phantom = render_ihc(null.slide.spec)
    if null.control is None:
        return phantom, phantom.rgb
    control = render_ihc(null.control).rgb
    # Parts closer together than this are one piece to her2path, and so they would be to a person.
    gap = int(1.5 * GAP_UM / null.slide.spec.mpp)
    beside = np.empty((len(phantom.rgb), gap + control.shape[1], 3), np.uint8)
    beside[:] = np.asarray(null.slide.spec.style.white).round()
    beside[: len(control), gap:] = control
    return phantom, np.hstack([phantom.rgb, beside])


def read_slide(given: tuple[NullSlide, Sequence[Method]]) -> list[Read]:
    """Score one slide."""
    null, methods = given
    slide = null.slide
    phantom, rgb = picture(null)
    sheet = {"control_piece": ("right",), "control_score": (IhcScore.THREE_PLUS,)} if null.control else {}
    found: list[Read] = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "slide.tif"
        phantom_files.write_slide(file, rgb, mpp=slide.spec.mpp)
        for number, method in enumerate(methods):
            reading = method.read(file, phantom, Path(name) / str(number), **sheet)
            stained = sum(kind.value != "none" for kind in reading.classes)
            found.append(
                {
                    "slide": slide.name,
                    "artefact": slide.mix,
                    "method": method.name,
                    "score": reading.score,
                    "cells": len(reading.classes),
                    "stained_pct": 100 * stained / max(len(reading.classes), 1),
                    "left_out": {word: len(xy) for word, xy in reading.left_out.items()},
                }
            )
    return found


def read_all(chosen: Iterable[NullSlide], methods: Sequence[Method], *, processes: int) -> list[Read]:
    """Score all slides."""
    jobs = [(null, methods) for null in chosen]
    return list(side_by_side(read_slide, jobs, processes=processes, what="null slides"))


def rows(found: Sequence[Read]) -> list[Measure]:
    """Number of slides that read 2+ or 3+; what else was not a plain 0 is told beside it."""
    false = [item for item in found if item["score"] in ("2+", "3+")]
    refused = [item for item in found if str(item["score"]).startswith("refused")]
    one_plus = sum(item["score"] == "1+" for item in found)
    worst = max(float(str(item["stained_pct"])) for item in found)
    detail = (
        f"{one_plus} read 1+, {len(refused)} refused; at most {worst:.1f} % of the cells of a slide stained"
        + "".join(f"; {item['artefact']} read {item['score']}" for item in (*false, *refused))
    )
    return [
        Measure(
            "false 2+ or 3+ on null phantoms with artefacts",
            f"{len(found)} slides",
            len(false),
            threshold=0.0,
            direction="at most",
            detail=detail,
        )
    ]
