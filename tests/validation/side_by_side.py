"""Independent jobs in processes side by side."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import cv2

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
