"""Peak memory of every IHC step on a slide of 40 000 x 40 000 pixels (a mosaic of phantom blocks).

Takes minutes and 2 GB of disk, so it runs only when asked for: ``python -m tests.benchmarks memory``
or ``make bench-memory``.  Each step is a process of its own, as in the workflow.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.step_cost import step_costs

LIMIT_MB = 1536


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
        for cost in step_costs(slide, folder / "images"):
            verdict = "ok" if cost.megabytes <= LIMIT_MB else f"above {LIMIT_MB} MB"
            sys.stdout.write(f"{cost.step:<14} {cost.seconds:8.1f} s {cost.megabytes:8.0f} MB  {verdict}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
