"""Start-up: what a person waits for before anything happens."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

REPEATS = 7
COMMANDS = {
    "her2path --help": ["--help"],
    "her2path call --help": ["call", "--help"],
    "her2path call --ihc 2+": ["call", "--ihc", "2+"],
    "her2path step ihc_cells --help": ["step", "ihc_cells", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Median wall time of a whole process."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        command = [sys.executable, "-m", "her2path.cli.main", *arguments]
        subprocess.run(command, check=False, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print a line per command."""
    for name, arguments in COMMANDS.items():
        sys.stdout.write(f"{name:<34} {seconds(arguments):.2f} s (median of {REPEATS})\n")


if __name__ == "__main__":
    main()
