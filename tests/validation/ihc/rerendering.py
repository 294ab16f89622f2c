"""Scores of the same slides as other laboratories and scanners would have delivered them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.intervals import wilson_interval
from her2path.imaging.phantoms.ihc import IhcPhantom, photograph, render_ihc
from her2path.imaging.phantoms.ihc_spec import STYLES
from her2path.io import phantom_files
from tests.support.rerender import VARIANTS, rerendered
from tests.validation.ihc.reading import Method
from tests.validation.ihc.slides import MIXES, TISSUES, ValidationSlide, make_slide
from tests.validation.measures import Measure
from tests.validation.side_by_side import side_by_side

CHOSEN = (
    "vivid_colours",
    "dark",
    "soft",
    "sharpened",
    "jpeg_60",
    "coarse_pixels",
    "other_scanner",
)
"""Variants of `tests.support.rerender`; the eighth is the scene in another laboratory's stain."""
OTHER_STAIN = "other_stain"
SLIDES_PER_STYLE = 2
FIRST = 300
PIXEL_UM = 0.25
"""Fine enough for every other pixel size."""

Rgb = npt.NDArray[np.uint8]
Scores = dict[str, object]


def slides(*, development: bool, count: int | None = None) -> list[ValidationSlide]:
    """Ten slides: two mixes in each style, all mixes off the cuts."""
    found = []
    for place, style in enumerate(STYLES):
        for step in range(SLIDES_PER_STYLE):
            number = SLIDES_PER_STYLE * place + step
            name, classes = tuple(MIXES.items())[(number + 1) % len(MIXES)]
            tissue = TISSUES[number % len(TISSUES)]
            found.append(
                make_slide(
                    "rerendered",
                    name,
                    classes,
                    style,
                    FIRST + number,
                    tissue,
                    development=development,
                    mpp=PIXEL_UM,
                )
            )
    return found[:count]


def variants(phantom: IhcPhantom) -> Iterator[tuple[str, Rgb, float]]:
    """Give the slide itself, then its variants, each with its pixel size."""
    spec = phantom.spec
    yield "itself", phantom.rgb, spec.mpp
    other = STYLES["violet" if spec.style.name != "violet" else "classic"]
    yield OTHER_STAIN, photograph(phantom.scene, other, seed=spec.seed + 1), spec.mpp
    for name in CHOSEN:
        yield name, *rerendered(phantom.rgb, spec.mpp, VARIANTS[name], white=spec.style.white)


def read_variants(given: tuple[ValidationSlide, Sequence[Method]]) -> list[Scores]:
    """Score one slide in all its variants."""
    slide, methods = given
    phantom = render_ihc(slide.spec)
    found: list[Scores] = []
    for name, rgb, mpp in variants(phantom):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "slide.tif"
            phantom_files.write_slide(file, rgb, mpp=mpp, quality=95)
            for number, method in enumerate(methods):
                reading = method.read(file, phantom, Path(folder) / str(number))
                stained = sum(kind.value != "none" for kind in reading.classes)
                found.append(
                    {
                        "slide": slide.name,
                        "variant": name,
                        "method": method.name,
                        "score": reading.score,
                        "cells": len(reading.classes),
                        "stained_pct": 100 * stained / max(len(reading.classes), 1),
                    }
                )
    return found


def read_all(chosen: Iterable[ValidationSlide], methods: Sequence[Method], *, processes: int) -> list[Scores]:
    """Score all slides in all variants."""
    jobs = [(slide, methods) for slide in chosen]
    return list(side_by_side(read_variants, jobs, processes=processes, what="slides re-rendered"))


def rows(found: Sequence[Scores]) -> list[Measure]:
    """Share of the variants that keep the slide's score."""
    before = {str(item["slide"]): item for item in found if item["variant"] == "itself"}
    changed = [item for item in found if item["variant"] != "itself"]
    moved = [item for item in changed if item["score"] != before[str(item["slide"])]["score"]]
    same = len(changed) - len(moved)
    low, high = wilson_interval(same, len(changed))
    words = sorted(f"{m['variant']}: {before[str(m['slide'])]['score']} to {m['score']}" for m in moved)
    return [
        Measure(
            "score unchanged under re-rendering",
            f"{len(before)} slides x {len(changed) // len(before)} variants",
            100 * same / len(changed),
            "%",
            100 * low,
            100 * high,
            95.0,
            detail=f"{same} of {len(changed)}" + (f"; {'; '.join(words)}" if words else ""),
        )
    ]
