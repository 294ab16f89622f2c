"""Seconds and peak memory of the IHC steps of one slide, each a process of its own as in the workflow."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from her2path.cli import step as steps
from her2path.domain.case import Assay
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow

IHC_STEPS = ("slide_intake", "slide_quality", "slide_tiles", "ihc_cells", "ihc_score")
TO_SCORED_CELLS = IHC_STEPS[:4]
"""The steps from a slide to its table of cells, each with its reason for not being scored."""


@dataclass(frozen=True, slots=True)
class StepCost:
    """What one step took."""

    step: str
    seconds: float
    """Wall time with the start of Python and all imports."""
    megabytes: float
    """Peak resident memory."""


def cost_of(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and peak resident megabytes."""
    code = (
        "import resource, subprocess, sys;"
        "done = subprocess.run(sys.argv[1:], check=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *command], check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - started, float(done.stdout.split()[-1])


def step_costs(
    slide: Path,
    folder: Path,
    *,
    workers: int = 2,
    params: Mapping[str, Mapping[str, object]] | None = None,
    mpp: float | None = None,
) -> Iterator[StepCost]:
    """Run the IHC steps of a slide one after the other.

    Parameters
    ----------
    slide : Path
    folder : Path
        Takes the files under the names of the workflow.
    workers : int
    params : mapping, optional
        Parameters by step; defaults otherwise.
    mpp : float, optional
        Pixel size where the file states none.
    """
    row = ImageRow(case_id="m", image_id="m", assay=Assay.IHC, path=(slide,), mpp=mpp)
    files = {key: folder / file for key, file in IHC_FILES.items()}
    known = {**files, "image": slide, "row": row.model_dump_json(), "workers": workers}
    for name in IHC_STEPS:
        command = [sys.executable, "-m", "her2path.cli.main", "step", name]
        for key in steps.load_step(name).arguments:
            if key in known:
                command += ["--" + key.replace("_", "-"), str(known[key])]
        if params and name in params:
            command += ["--params", json.dumps(params[name])]
        yield StepCost(name, *cost_of(command))
