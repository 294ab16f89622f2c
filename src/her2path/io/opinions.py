"""First reads and calls of each case, from `qa/reads.parquet`, as the discordance review needs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from her2path.domain.discordance import CaseReview, Opinion, review_case
from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.number_words import natural_order
from her2path.domain.reads import ClinicalCategory, call_class
from her2path.io.case_tables import QA_READS
from her2path.io.tables import read_table


@dataclass(frozen=True, slots=True)
class FirstRead:
    """The first read of a case by a reader, or the call of the software; None = not read, or open."""

    reader: str
    is_software: bool
    session: int
    read_on: date | None
    opinion: Opinion
    percentages: tuple[float | None, ...]
    """Per cent, in the order of `StainingClass`."""
    her2_signals: int | None
    cep17_signals: int | None
    nuclei: int | None
    ish_group: str | None
    comment: str

    @property
    def says_something(self) -> bool:
        """Whether there is anything to compare it by."""
        opinion = self.opinion
        stated = (opinion.score, opinion.category, call_class(opinion.call))
        return any(part is not None for part in stated)


@dataclass(frozen=True, slots=True)
class CaseReads:
    """What is known of one case."""

    case_id: str
    guideline: str
    software: FirstRead | None
    """None where the software has no call of the case."""
    readers: tuple[FirstRead, ...]
    """Persons who say anything, in natural order of their names."""
    last_read_on: date | None
    """Last date of any read, later sessions included; None = no date is stated."""

    @property
    def is_compared(self) -> bool:
        """Whether two opinions can be held beside each other."""
        return len(self.readers) + (self.software_opinion is not None) >= 2

    @property
    def software_opinion(self) -> Opinion | None:
        """What the readers are held beside; None also where the software could not evaluate the case."""
        software = self.software
        return software.opinion if software is not None and software.says_something else None

    def review(self) -> CaseReview:
        """Find the gravest disagreement on the case."""
        return review_case(self.case_id, self.software_opinion, [read.opinion for read in self.readers])


_COLUMNS = (
    *("case_id", "guideline", "reader", "is_software", "session", "read_on", "ihc_score", "category", "call"),
    *(f"pct_{name}" for name in StainingClass),
    *("her2_signals", "cep17_signals", "nuclei", "ish_group", "comment"),
)


def read_cases(path: Path) -> tuple[CaseReads, ...]:
    """Read the table of reads, one entry a case, ascending.

    Raises
    ------
    ArtefactError
        The table is missing, damaged or of another version.
    """
    table = read_table(path, QA_READS)
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    rows = zip(*columns, strict=True)
    # The table is sorted by case, reader and session.
    return tuple(_case(case_id, list(group)) for case_id, group in groupby(rows, key=lambda row: str(row[0])))


def _case(case_id: str, rows: list[tuple[Any, ...]]) -> CaseReads:
    first = list(_first_reads(rows))
    dates = [row[5] for row in rows if isinstance(row[5], date)]
    software = next((read for read in first if read.is_software), None)
    persons = (read for read in first if not read.is_software and read.says_something)
    return CaseReads(
        case_id=case_id,
        guideline=str(rows[0][1]),
        software=software,
        readers=tuple(sorted(persons, key=lambda read: natural_order(read.reader))),
        last_read_on=max(dates, default=None),
    )


def _first_reads(rows: list[tuple[Any, ...]]) -> Iterator[FirstRead]:
    seen: set[object] = set()
    for row in rows:
        if row[2] not in seen:
            seen.add(row[2])
            yield _first_read(*row[2:])


def _first_read(  # the columns of the table in their order
    reader: str,
    is_software: bool,
    session: int,
    read_on: date | None,
    score: str | None,
    category: str | None,
    call: str | None,
    *rest: Any,
) -> FirstRead:
    shares = len(StainingClass)
    her2, cep17, nuclei, group, comment = rest[shares:]
    opinion = Opinion(
        None if score is None else IhcScore(score),
        None if category is None else ClinicalCategory(category),
        call,
    )
    return FirstRead(
        reader, is_software, session, read_on, opinion, rest[:shares], her2, cep17, nuclei, group, comment
    )
