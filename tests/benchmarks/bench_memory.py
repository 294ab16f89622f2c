"""Peak memory of every IHC step on a slide of 40 000 x 40 000 pixels (a mosaic of phantom blocks).

Takes minutes and 2 GB of disk, so it runs only when asked for: ``python -m tests.benchmarks memory``
or ``make bench-memory``.  Each step is a process of its own, as in the workflow.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from her2path.cli import step as steps
from her2path.domain.case import Assay
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow

LIMIT_MB = 1536


def measured(command: list[str]) -> tuple[float, float]:
    """Run a command; return seconds and peak resident megabytes of that process."""
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


def main(slide: Path | None = None) -> None:
    """Print seconds and peak memory per step."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if slide is None:
            her2path = [sys.executable, "-m", "her2path.cli.main"]
            size = ["--width", "4000", "--height", "4000", "--mosaic", "10", "--mpp", "0.25"]
            subprocess.run(
                [*her2path, "phantom", "ihc", "--out", str(folder), "--score", "2+", *size], check=True
            )
            slide = folder / "slide.tif"
        row = ImageRow(case_id="m", image_id="m", assay=Assay.IHC, path=(slide,))
        files = {key: folder / "images" / file for key, file in IHC_FILES.items()}
        known = {**files, "image": slide, "row": row.model_dump_json(), "workers": 2}
        for step_name in ("slide_intake", "slide_quality", "slide_tiles", "ihc_cells", "ihc_score"):
            loaded = steps.load_step(step_name)
            command = [sys.executable, "-m", "her2path.cli.main", "step", step_name]
            for key in loaded.arguments:
                if key in known:
                    command += ["--" + key.replace("_", "-"), str(known[key])]
            seconds, megabytes = measured(command)
            verdict = "ok" if megabytes <= LIMIT_MB else f"above {LIMIT_MB} MB"
            sys.stdout.write(f"{step_name:<14} {seconds:8.1f} s {megabytes:8.0f} MB  {verdict}\n")


if __name__ == "__main__":
    main()
