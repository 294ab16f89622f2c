"""The calculator: a retrospective table of 100 000 typed cases, all of them different."""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from pathlib import Path

from her2path.cli.call_table import CalledTable, call_table
from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.count_table import read_count_table, write_count_table

ROWS = 100_000
SEED = 3
HEADER = (
    "case_id",
    "guideline",
    "specimen",
    "pct_complete_intense",
    "pct_complete_weak_moderate",
    "pct_incomplete_moderate_intense",
    "pct_incomplete_faint",
    "pct_none",
    "incomplete_intensity",
    "cluster_cells_strong",
    "cluster_cells_weak_moderate",
    "cluster_cells_faint",
    "probe",
    "nuclei",
    "her2_signals",
    "cep17_signals",
    "mean_her2",
    "mean_cep17",
    "pct_cells_ratio_ge2",
    "recount_nuclei",
    "recount_her2",
    "recount_cep17",
)
BY = {
    "breast_2023, percentages and totals, one in three with a recount": ("breast_2023",),
    "every guideline in turn, percentages and totals": tuple(sorted(GUIDELINES)),
}


def row(rng: random.Random, number: int, guideline: str) -> dict[str, str]:
    """Make a case like those of old files: percentages to a tenth, 20 to 60 nuclei."""
    cuts = sorted(rng.randint(0, 1000) for _ in range(4))
    tenths = [b - a for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]
    cells = dict(zip(HEADER[3:8], (f"{n / 10:g}" for n in tenths), strict=True))
    nuclei = rng.randint(20, 60)
    cells |= {"case_id": f"C{number:06d}", "guideline": guideline, "specimen": "resection"}
    # Some of the nuclei, never none or all: those two would have to agree with the totals.
    amplified = f"{100 * (1 + number % (nuclei - 1)) / nuclei:.2f}"
    cells |= {"incomplete_intensity": "moderate", "probe": "dual", "pct_cells_ratio_ge2": amplified}
    cells |= {"nuclei": str(nuclei), **_signals(rng, nuclei, "her2_signals", "cep17_signals")}
    if number % 3 == 0:
        again = rng.randint(20, nuclei)
        cells |= {"recount_nuclei": str(again), **_signals(rng, again, "recount_her2", "recount_cep17")}
    return cells


def _signals(rng: random.Random, nuclei: int, her2: str, cep17: str) -> dict[str, str]:
    return {her2: str(rng.randint(2 * nuclei, 8 * nuclei)), cep17: str(rng.randint(nuclei, 3 * nuclei))}


def write(path: Path, guidelines: tuple[str, ...]) -> None:
    """Write a table of `ROWS` cases."""
    rng = random.Random(SEED)  # noqa: S311  (synthetic cases, not a secret)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, restval="")
        writer.writeheader()
        for number in range(ROWS):
            writer.writerow(row(rng, number, guidelines[number % len(guidelines)]))


def called(source: Path, out: Path, compare: tuple[str, ...] = ()) -> CalledTable:
    """Do what ``her2path call --table`` does."""
    result = call_table(read_count_table(source), guideline="breast_2023", compare=compare)
    write_count_table(out, result.table, result.added)
    return result


def main() -> None:
    """Print a line per table: seconds for reading, calling and writing."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "cases.csv", Path(folder) / "calls.csv"
        runs = [(words, guidelines, ()) for words, guidelines in BY.items()]
        runs.append(
            ("breast_2023, compared by 2013 and 2018", ("breast_2023",), ("breast_2013", "breast_2018"))
        )
        for words, guidelines, compare in runs:
            write(source, guidelines)
            started = time.perf_counter()
            calls = called(source, out, compare).calls
            seconds = time.perf_counter() - started
            sys.stdout.write(f"{words:<66} {ROWS} rows {seconds:5.1f} s  {calls['faulty']} faulty\n")


if __name__ == "__main__":
    main()
