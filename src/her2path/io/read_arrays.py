"""From the table of reads to arrays: cases by readers, session by session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from her2path.domain.number_words import natural_order
from her2path.domain.read_matrix import Mask, ReadMatrix, ReadStatus
from her2path.domain.reads import LEVELS, NOT_EVALUABLE, SOFTWARE, Endpoint, call_class
from her2path.io.case_tables import QA_READS
from her2path.io.tables import read_table

Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ReadArrays:
    """The reads of a study; the cases are those with a call of the software and a read by a person."""

    table: pa.Table
    case_ids: tuple[str, ...]
    """Ascending."""
    readers: tuple[str, ...]
    """The software first, then in natural order of their names; readers of none of the cases among them."""
    rows: Places
    """Shape (S, N, R): row of the table of each case's first, second, ... read by each reader, where
    `read`; 0 elsewhere."""
    read: Mask
    """Shape (S, N, R)."""
    without_call: dict[str, int]
    """Cases that persons read and the software did not call, with the number of reads."""
    without_read: tuple[str, ...]
    """Cases that the software called and nobody read."""

    @property
    def sessions(self) -> int:
        """Most sessions of one reader in one case."""
        return len(self.rows)

    def matrix(self, endpoint: Endpoint, session: int = 0) -> ReadMatrix:
        """Arrange one endpoint of every reader's first (second, ...) read."""
        codes, status = self._coded[endpoint]
        rows, read = self.rows[session], self.read[session]
        return ReadMatrix(
            np.where(read, codes[rows], 0).astype(np.int8), np.where(read, status[rows], 0).astype(np.int8)
        )

    def counts(self, name: str, session: int = 0) -> tuple[Counts, Mask]:
        """Arrange a column of whole numbers: values where there are any, and where, shape (N, R)."""
        values, known = _numbers(self.table.column(name))
        rows, read = self.rows[session], self.read[session]
        has = read & known[rows]
        return np.where(has, values[rows], 0), has

    def days(self, session: int) -> tuple[Counts, Mask]:
        """Arrange the dates of the reads as days, shape (N, R)."""
        values, known = self._days
        rows, read = self.rows[session], self.read[session]
        has = read & known[rows]
        return np.where(has, values[rows], 0), has

    def stratum(self, name: str) -> tuple[tuple[str, ...], Places, Mask]:
        """List the values of a stratum in natural order, the place of each case's own, where it is stated."""
        column = self.table.column(name).take(pa.array(self._row_of_case))
        texts: list[str | None] = column.to_pylist()
        values = tuple(sorted({text for text in texts if text is not None}, key=natural_order))
        place = {text: i for i, text in enumerate(values)}
        stated = np.array([text is not None for text in texts], dtype=np.bool_)
        return values, np.array([place.get(text or "", 0) for text in texts], dtype=np.int64), stated

    @cached_property
    def _coded(self) -> dict[Endpoint, tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]]:
        """Code and status of every row of the table, by endpoint."""
        calls: list[str | None] = self.table.column("call").to_pylist()
        failed = np.array([call == NOT_EVALUABLE for call in calls], dtype=np.bool_)
        classes = {call: call_class(call) for call in set(calls)}
        texts: dict[Endpoint, Sequence[Any]] = {
            Endpoint.SCORE: self.table.column("ihc_score").to_pylist(),
            Endpoint.CATEGORY: self.table.column("category").to_pylist(),
            Endpoint.CALL: [classes[call] for call in calls],
        }
        return {endpoint: _coded(found, LEVELS[endpoint], failed) for endpoint, found in texts.items()}

    @cached_property
    def _days(self) -> tuple[Counts, Mask]:
        return _numbers(pc.cast(self.table.column("read_on"), pa.int32()))

    @cached_property
    def _row_of_case(self) -> Places:
        """Any row of each case: strata are the same in all of them."""
        return np.array(self.rows[0][:, 0], dtype=np.int64)


def _numbers(column: pa.ChunkedArray) -> tuple[Counts, Mask]:
    known = np.asarray(column.is_valid())
    values = np.asarray(pc.fill_null(column, 0)).astype(np.int64)
    return values, known


def _coded(
    texts: Sequence[Any], levels: Sequence[str], failed: Mask
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    place = {level: i for i, level in enumerate(levels)}
    has = np.array([text is not None for text in texts], dtype=np.bool_) & ~failed
    codes = np.array([place[text] if keep else 0 for text, keep in zip(texts, has, strict=True)], np.int8)
    status = np.where(has, ReadStatus.VALUE, np.where(failed, ReadStatus.NOT_EVALUABLE, ReadStatus.NO_VALUE))
    return codes, status.astype(np.int8)


def read_arrays(path: Path) -> ReadArrays:
    """Read `qa/reads.parquet` and arrange it.

    Raises
    ------
    ArtefactError
        The table is missing, damaged or of another version.
    """
    table = read_table(path, QA_READS)
    cases = np.asarray(table.column("case_id").to_pylist(), dtype=object)
    names = np.asarray(table.column("reader").to_pylist(), dtype=object)
    software = np.asarray(table.column("is_software"), dtype=np.bool_)
    called, read = set(cases[software]), set(cases[~software])
    case_ids = tuple(sorted(called & read))
    readers = (SOFTWARE, *sorted(set(names[~software]), key=natural_order))
    rank = _ranks(cases, names)
    kept = np.flatnonzero([case in called and case in read for case in cases])
    place = {case: i for i, case in enumerate(case_ids)}
    column = {reader: i for i, reader in enumerate(readers)}
    sessions = int(rank[kept].max(initial=0)) + 1
    rows = np.zeros((sessions, len(case_ids), len(readers)), dtype=np.int64)
    found = np.zeros(rows.shape, dtype=np.bool_)
    at = (
        rank[kept],
        np.array([place[case] for case in cases[kept]], dtype=np.int64),
        np.array([column[name] for name in names[kept]], dtype=np.int64),
    )
    rows[at], found[at] = kept, True
    strangers = sorted(read - called)
    lost = np.isin(cases[~software], strangers)
    uncalled, reads = np.unique(cases[~software][lost].astype(str), return_counts=True)
    return ReadArrays(
        table,
        case_ids,
        readers,
        rows,
        found,
        dict(zip(uncalled.tolist(), reads.tolist(), strict=True)),
        tuple(sorted(called - read)),
    )


def _ranks(cases: npt.NDArray[Any], names: npt.NDArray[Any]) -> Places:
    """Count the reads of a case by a reader from 0; the table is sorted by case, reader and session."""
    new = np.ones(len(cases), dtype=np.bool_)
    new[1:] = (cases[1:] != cases[:-1]) | (names[1:] != names[:-1])
    starts = np.flatnonzero(new)
    ranks: Places = np.arange(len(cases)) - np.repeat(starts, np.diff([*starts, len(cases)]))
    return ranks
