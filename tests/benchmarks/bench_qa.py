"""Quality assurance: 50 000 simulated reads of 5 000 cases by 10 readers, from the tables to the page.

The bounds are those of the issue: 60 s and 2 GB on two cores.  The readers are simulated with a seed
(`tests.support.simulated_reads`); nothing here says anything about a person or about the software.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.simulated_reads import SimulatedStudy, write_study

STUDY = SimulatedStudy(cases=5_000, readers=10)
TWICE = SimulatedStudy(cases=5_000, readers=10, second_session=0.2)
MOST_SECONDS, MOST_GB = 60.0, 2.0


def measured(study: SimulatedStudy, folder: Path) -> str:
    """Run ``her2path qa`` in a process of its own and say what it took."""
    write_study(study, folder)
    out = folder / "out"
    names = ("calls", "reads", "strata")
    files = (folder, folder / "reads.tsv", folder / "strata.tsv")
    options = [part for name, path in zip(names, files, strict=True) for part in (f"--{name}", str(path))]
    before, started = _processor_seconds(), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "her2path.cli.main", "--verbose", "qa", *options, "--out", str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, busy = time.perf_counter() - started, _processor_seconds() - before
    # Linux states the largest process that has ended in kB; the runs come in order of size.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    steps = ", ".join(_seconds_of_steps(done.stderr))
    reads = sum(1 for _ in (folder / "reads.tsv").open(encoding="utf-8")) - 1
    sizes = {name: (out / name).stat().st_size / 2**20 for name in ("qa.html", "qa.json")}
    verdict = "within" if seconds <= MOST_SECONDS and peak <= MOST_GB else "BEYOND"
    return (
        f"{reads} reads: {seconds:.1f} s, {busy:.1f} s of one core ({steps}), peak {peak:.2f} GB, "
        f"{', '.join(f'{name} {size:.1f} MB' for name, size in sizes.items())}: "
        f"{verdict} {MOST_SECONDS:.0f} s and {MOST_GB:.0f} GB"
    )


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _seconds_of_steps(log: str) -> list[str]:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line["message"].replace(" done in", "") for line in lines if " done in " in line["message"]]


def main() -> None:
    """Print one line a study."""
    sys.stdout.write(f"load before: {os.getloadavg()[0]:.1f}\n")
    for study in (STUDY, TWICE):
        with tempfile.TemporaryDirectory() as name:
            sys.stdout.write(f"{measured(study, Path(name))}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
