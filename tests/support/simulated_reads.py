"""Reads of readers who do not exist, from a seed: errors of one step at known rates, in two sessions.

Only for tests and measurements.  A reader sees the true score, or with a probability of their own one step
above or below it; counts scatter like a sample of nuclei does.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from her2path.domain.ihc import StainingClass

SCORES = ("0", "1+", "2+", "3+")
_SHARES = (0.35, 0.3, 0.2, 0.15)
_SITES, _SCANNERS, _CLONES = ("north", "south", "west"), ("S1", "S2"), ("4B5", "HercepTest")
_MEASURED = (*(f"pct_{name}" for name in StainingClass), "her2_signals", "cep17_signals", "nuclei")
_NUCLEI = 40
_FIRST_DAY, _DAYS, _LOTS = date(2024, 1, 8), 700, 24


@dataclass(frozen=True, slots=True)
class SimulatedStudy:
    """How many cases and readers, and how often each of them is one step off."""

    cases: int
    readers: int
    seed: int = 20_261_122
    error: float = 0.1
    """Of readers and software alike."""
    second_session: float = 0.0
    """Share of the cases that every reader reads twice."""
    with_strata: bool = True


def write_study(study: SimulatedStudy, folder: Path) -> None:
    """Write ``calls.csv``, ``reads.tsv`` and ``strata.tsv``."""
    rng = np.random.default_rng(study.seed)
    truth = rng.choice(4, study.cases, p=_SHARES)
    amplified = rng.random(study.cases) < 0.2
    ids = [f"s{number:05d}" for number in range(study.cases)]
    _write_calls(folder / "calls.csv", ids, _seen(rng, truth, study.error), amplified, rng)
    _write_reads(folder / "reads.tsv", ids, truth, amplified, study, rng)
    if study.with_strata:
        _write_strata(folder / "strata.tsv", ids, rng)


def _seen(rng: np.random.Generator, truth: np.ndarray, error: float) -> np.ndarray:
    steps = rng.choice([-1, 0, 1], truth.shape, p=[error / 2, 1 - error, error / 2])
    return np.clip(truth + steps, 0, 3)


def _counts(rng: np.random.Generator, amplified: bool) -> tuple[int, int]:
    cep17 = _NUCLEI * 2.0 * np.exp(rng.normal(0, 0.06))
    her2 = cep17 * (3.2 if amplified else 1.2) * np.exp(rng.normal(0, 0.08))
    return round(her2), round(cep17)


def _percentages(rng: np.random.Generator, score: int) -> list[int]:
    """Whole per cent of the five classes that lead to the score by the breast guideline."""
    low, high = ((0, 11), (20, 80), (20, 80), (20, 90))[score]
    stained = int(rng.integers(low, high))
    column = (3, 3, 1, 0)[score]
    return [stained if place == column else 100 - stained if place == 4 else 0 for place in range(5)]


def _write_calls(path: Path, ids: list[str], scores: np.ndarray, amplified: np.ndarray, rng) -> None:
    rows = []
    for case, score, positive in zip(ids, scores, amplified, strict=True):
        shares = _percentages(rng, score)
        her2, cep17 = _counts(rng, positive)
        counts = [str(her2), str(cep17), str(_NUCLEI)] if score == 2 else ["", "", ""]
        state = "positive" if score == 3 or (score == 2 and her2 >= 2 * cep17) else "negative"
        category = (
            "positive" if state == "positive" else ("ultralow" if shares[3] else "null", "low", "low")[score]
        )
        rows.append(
            [case, "evaluated", state, SCORES[score], category, "", "breast_2023", *map(str, shares), *counts]
        )
    head = ["case_id", "status", "state", "ihc_score", "her2_category", "ish_group", "guideline"]
    _write(path, [*head, *_MEASURED], rows, ",")


def _write_strata(path: Path, ids: list[str], rng: np.random.Generator) -> None:
    """Spread cases over sites, scanners and clones at random, over batches and weeks in their order."""
    columns = [rng.choice(names, len(ids)) for names in (_SITES, _SCANNERS, _CLONES)]
    rows = []
    for number, (case, *values) in enumerate(zip(ids, *columns, strict=True)):
        stained = _FIRST_DAY + timedelta(days=_DAYS * number // len(ids))
        rows.append([case, *map(str, values), f"lot{_LOTS * number // len(ids):02d}", stained.isoformat()])
    _write(path, ["case_id", "site", "scanner", "clone", "batch", "date"], rows, "\t")


def _write_reads(
    path: Path, ids: list[str], truth: np.ndarray, amplified: np.ndarray, study: SimulatedStudy, rng
) -> None:
    head = ["case_id", "reader", "session", "date", "ihc_score", *_MEASURED]
    twice = rng.random(study.cases) < study.second_session
    rows = []
    for number in range(study.readers):
        for session, day in ((1, "2026-01-12"), (2, "2026-02-16")):
            read = np.flatnonzero(twice) if session == 2 else np.arange(study.cases)
            for place, score in zip(read, _seen(rng, truth[read], study.error), strict=True):
                her2, cep17 = _counts(rng, amplified[place])
                counts = [str(her2), str(cep17), str(_NUCLEI)] if score == 2 else ["", "", ""]
                shares = map(str, _percentages(rng, score))
                rows.append(
                    [ids[place], f"r{number:02d}", str(session), day, SCORES[score], *shares, *counts]
                )
    _write(path, head, rows, "\t")


def _write(path: Path, head: list[str], rows: list[list[str]], mark: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=mark, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
