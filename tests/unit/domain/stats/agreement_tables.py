"""Tables and reads that several tests of agreement rest on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.domain.stats.read_tallies import ReadTallies

FOUR_RATERS = (
    "1 1 . 1 | 2 2 3 2 | 3 3 3 3 | 3 3 3 3 | 2 2 2 2 | 1 2 3 4 | 4 4 4 4 | 1 1 2 1 | 2 2 2 2 | . 5 5 5"
    " | . . 1 1 | . . 3 ."
)
"""Twelve subjects by four raters, Gwet, Handbook of Inter-Rater Reliability, 4th edition (2014), page 120."""


def random_tables() -> list[npt.NDArray[np.int64]]:
    """20 tables of two to five categories with two seen at least, some with empty rows."""
    rng = np.random.default_rng(6)
    found = []
    while len(found) < 20:
        size = int(rng.integers(2, 6))
        table = rng.poisson(rng.gamma(0.6, 6.0, (size, size)))
        if np.count_nonzero(table.sum(axis=0) + table.sum(axis=1)) >= 2:
            found.append(table.astype(np.int64))
    return found


def reads_of(rows: list[list[int | None]]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Codes and mask; codes where nothing was read are out of range on purpose."""
    codes = np.array([[99 if code is None else code for code in row] for row in rows], np.int64)
    return codes, codes != 99


def four_raters() -> ReadTallies:
    """The table of Gwet's handbook."""
    rows = [[None if c == "." else int(c) - 1 for c in row.split()] for row in FOUR_RATERS.split("|")]
    return ReadTallies.of_reads(*reads_of(rows), categories=5)


def irrcac_tables() -> list[dict[str, Any]]:
    """20 random sets of reads, some missing, with what irrCAC makes of them."""
    text = (Path(__file__).parent / "irrcac_tables.json").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = json.loads(text)["tables"]
    return tables


def tallies_of(table: dict[str, Any]) -> ReadTallies:
    """The reads of one of `irrcac_tables`."""
    return ReadTallies.of_reads(*reads_of(table["reads"]), categories=table["categories"])
