"""Run every benchmark and say on which machine: ``make bench``."""

from __future__ import annotations

import os
import platform
import runpy
import sys
from pathlib import Path

ON_DEMAND = frozenset(
    {"fish_populations", "lookalikes", "memory", "quality", "score_interval", "shown_borders"}
)
"""Benchmarks of many minutes, run only when named."""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].partition(":")[2].strip() if names else platform.processor()


def main() -> None:
    """Print the machine, then each benchmark's table."""
    sys.stdout.write(f"machine: {os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}\n")
    wanted = sys.argv[1:]
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if name in wanted or (not wanted and name not in ON_DEMAND):
            sys.stdout.write(f"\n== {name}\n")
            sys.stdout.flush()
            sys.argv = [str(path)]
            runpy.run_path(str(path), run_name="__main__")


if __name__ == "__main__":
    main()
