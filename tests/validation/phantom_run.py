"""Phantom slides through the methods, in two processes side by side."""

from __future__ import annotations

import logging
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

import cv2

from her2path.imaging.phantoms.ihc import render_ihc
from her2path.io import phantom_files
from tests.validation.agreement import SlideAgreement, compare
from tests.validation.reading import Method
from tests.validation.slides import ValidationSlide

Job = TypeVar("Job")
Found = TypeVar("Found")


def side_by_side(
    work: Callable[[Job], list[Found]], jobs: Iterable[Job], *, processes: int, what: str
) -> Iterator[Found]:
    """Do independent jobs in fresh processes; results come in the order of the jobs."""
    listed = list(jobs)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare) as pool:
        for number, found in enumerate(pool.map(work, listed), start=1):
            sys.stderr.write(f"\r{what}: {number} of {len(listed)} ")
            sys.stderr.flush()
            yield from found
    sys.stderr.write("\n")


def _prepare() -> None:
    # The jobs share the cores; threads within each of them would only fight.
    cv2.setNumThreads(1)
    logging.disable(logging.WARNING)


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
