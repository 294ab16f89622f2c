"""Phantom slides through the methods, in two processes side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.io import phantom_files
from tests.validation.ihc.agreement import SlideAgreement, compare
from tests.validation.ihc.reading import Method
from tests.validation.ihc.slides import ValidationSlide
from tests.validation.side_by_side import side_by_side


def read_slide(given: tuple[ValidationSlide, Sequence[Method]]) -> list[SlideAgreement]:
    """Render one slide and let every method read it."""
    slide, methods = given
    phantom = render_ihc(slide.spec)
    agreements = []
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "slide.tif"
        phantom_files.write_slide(file, phantom.rgb, mpp=slide.spec.mpp)
        for number, method in enumerate(methods):
            reading = method.read(file, phantom, Path(name) / str(number))
            agreements.append(compare(slide, phantom, reading, method.name))
    return agreements


def read_slides(
    jobs: Iterable[tuple[ValidationSlide, Sequence[Method]]], *, processes: int
) -> list[SlideAgreement]:
    """Read every slide by its methods."""
    return list(side_by_side(read_slide, jobs, processes=processes, what="phantom slides"))
