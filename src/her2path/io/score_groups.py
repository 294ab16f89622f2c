"""Groups of cases over time: how many of a period, or of a batch, have each score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from her2path.domain.ihc import IhcScore
from her2path.domain.number_words import natural_order
from her2path.domain.reads import CallClass, call_class
from her2path.io.case_tables import QA_READS
from her2path.io.runs import Run
from her2path.io.tables import read_table

Period = Literal["week", "month"]
FISH_POSITIVE = "share_fish_positive"
"""Share of cases called positive by FISH among those that score 2+ and have a result."""
SHARES = (*(f"share_{score}" for score in IhcScore), FISH_POSITIVE)
"""What is charted, as named in `monitoring.json`."""
_STRATA = ("scanner", "clone")
_COLUMNS = ["case_id", "reader", "session", "read_on", "ihc_score", "call", *_STRATA, "batch", "stained_on"]


@dataclass(frozen=True, slots=True)
class DatedRead:
    """What one reader says of a case, with its day; None = not stated."""

    case_id: str
    reader: str
    score: str | None
    call: str | None
    day: date | None
    """Of the stain; of the read where that is not stated."""
    scanner: str | None
    clone: str | None
    batch: str | None

    def counts(self, share: str) -> bool | None:
        """Whether the case counts for a share; None where it is not among those asked about."""
        if share != FISH_POSITIVE:
            return None if self.score is None else share == f"share_{self.score}"
        known = call_class(self.call)
        if self.score != IhcScore.TWO_PLUS or known not in (CallClass.POSITIVE, CallClass.NEGATIVE):
            return None
        return known is CallClass.POSITIVE


def read_dated(table: Path, readers: Sequence[str]) -> tuple[DatedRead, ...]:
    """Read the first session of the named readers from `reads.parquet`."""
    rows = read_table(table, QA_READS).select(_COLUMNS).to_pylist()
    wanted = set(readers)
    return tuple(
        DatedRead(
            row["case_id"],
            row["reader"],
            row["ihc_score"],
            row["call"],
            row["stained_on"] or row["read_on"],
            row["scanner"],
            row["clone"],
            row["batch"],
        )
        for row in rows
        if row["reader"] in wanted and row["session"] == 1
    )


def strata_of(reads: pa.Table) -> dict[str, Run]:
    """Find when and where each case was stained and scanned, from `reads.parquet`."""
    rows = reads.select(["case_id", *_STRATA, "batch", "stained_on"]).group_by(
        ["case_id", *_STRATA, "batch", "stained_on"]
    )
    return {
        row["case_id"]: Run("", row["stained_on"], row["scanner"], row["clone"], row["batch"])
        for row in rows.aggregate([]).to_pylist()
    }


@dataclass(frozen=True, slots=True)
class Groups:
    """A share in groups of cases, in order of time."""

    share: str
    stratum: Mapping[str, str]
    by: str
    """``week``, ``month`` or ``batch``."""
    labels: tuple[str, ...]
    days: tuple[date, ...]
    """First day of each group's cases; of a period its first day."""
    positive: npt.NDArray[np.int64]
    cases: npt.NDArray[np.int64]
    case_ids: tuple[tuple[str, ...], ...]
    """Of each group, those that count first."""
    undated: int
    """Cases that no chart of the reader can show because nobody stated a day; told with the first one."""

    def between(self, first: date | None, last: date | None) -> npt.NDArray[np.bool_]:
        """Tell which groups begin in a period."""
        return np.array(
            [(first is None or day >= first) and (last is None or day <= last) for day in self.days], np.bool_
        )


def groups_of(reads: Sequence[DatedRead], *, period: Period) -> Iterator[Groups]:
    """Part the reads of each reader: all by period, each scanner and clone by period, and by batch."""
    for reader in sorted({read.reader for read in reads}, key=natural_order):
        mine = [read for read in reads if read.reader == reader]
        parts: list[tuple[dict[str, str], list[DatedRead], str]] = [({"reader": reader}, mine, period)]
        for name in _STRATA:
            for value in sorted({getattr(read, name) for read in mine} - {None}, key=natural_order):
                some = [read for read in mine if getattr(read, name) == value]
                if len(some) == len(mine):
                    continue  # One scanner, one clone: the chart of all cases is its chart.
                parts.append(({"reader": reader, name: value}, some, period))
        batched = [read for read in mine if read.batch is not None]
        if batched:
            parts.append(({"reader": reader}, batched, "batch"))
        undated = sum(read.day is None for read in mine)
        for stratum, some, by in parts:
            for share in SHARES:
                yield _grouped(share, stratum, by, some, undated)
                undated = 0


def _grouped(
    share: str, stratum: Mapping[str, str], by: str, reads: Iterable[DatedRead], undated: int
) -> Groups:
    members: dict[str, list[tuple[date, bool, str]]] = {}
    for read in reads:
        counts = read.counts(share)
        if counts is None or read.day is None:
            continue
        label = read.batch if by == "batch" else _period(read.day, by).isoformat()
        members.setdefault(label or "", []).append((read.day, counts, read.case_id))
    first = {label: min(day for day, _, _ in some) for label, some in members.items()}
    order = sorted(members, key=lambda label: (first[label], label))
    return Groups(
        share=share,
        stratum=stratum,
        by=by,
        labels=tuple(order),
        days=tuple(first[label] if by == "batch" else date.fromisoformat(label) for label in order),
        positive=np.array([sum(counts for _, counts, _ in members[label]) for label in order], np.int64),
        cases=np.array([len(members[label]) for label in order], np.int64),
        case_ids=tuple(
            tuple(case for _, _, case in sorted(members[label], key=lambda one: (not one[1], one[2])))
            for label in order
        ),
        undated=undated,
    )


def _period(day: date, by: str) -> date:
    return day.replace(day=1) if by == "month" else day - timedelta(days=day.weekday())
