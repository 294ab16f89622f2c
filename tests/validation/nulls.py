"""Unstained slides with whatever can be taken for staining: none of them may read 2+ or 3+."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.imaging.phantoms.ihc_spec import STYLES
from her2path.io import phantom_files
from tests.validation.measures import Measure
from tests.validation.phantom_run import side_by_side
from tests.validation.reading import Method
from tests.validation.slides import ValidationSlide, make_slide

FIRST = 200
COUNT = 20
ARTEFACTS = ("debris", "defocused_patch")

Read = dict[str, object]


def slides(*, development: bool, count: int | None = None) -> list[ValidationSlide]:
    """Twenty slides without staining, each with one kind of artefact."""
    found = []
    for number in range(COUNT):
        kind = ARTEFACTS[number % len(ARTEFACTS)]
        style = tuple(STYLES)[number % len(STYLES)]
        slide = make_slide("null", kind, (), style, FIRST + number, development=development)
        found.append(replace(slide, spec=replace(slide.spec, **{kind: True})))
    return found[:count]


def read_slide(given: tuple[ValidationSlide, Sequence[Method]]) -> list[Read]:
    """Score one slide."""
    slide, methods = given
    phantom = render_ihc(slide.spec)
    found: list[Read] = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "slide.tif"
        phantom_files.write_slide(file, phantom.rgb, mpp=slide.spec.mpp)
        for number, method in enumerate(methods):
            reading = method.read(file, phantom, Path(name) / str(number))
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


def read_all(chosen: Iterable[ValidationSlide], methods: Sequence[Method], *, processes: int) -> list[Read]:
    """Score all slides."""
    jobs = [(slide, methods) for slide in chosen]
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
