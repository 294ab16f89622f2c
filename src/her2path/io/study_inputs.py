"""Everything that a study of quality assurance is made from, checked together before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from her2path.errors import ArtefactError, CaseSheetError, Her2PathError, StudyError
from her2path.io.reads import read_reads
from her2path.io.reads_mapping import NO_MAPPING, read_mapping
from her2path.io.runs import read_runs
from her2path.io.software_calls import read_calls
from her2path.io.strata import read_strata


@dataclass(frozen=True, slots=True)
class StudyInputs:
    """Files of a study; None = not given."""

    reads: Path
    calls: Path
    """`calls.csv`."""
    strata: Path | None = None
    runs: Path | None = None
    mapping: Path | None = None


def check_inputs(given: StudyInputs, *, today: date) -> None:
    """Read every file and raise the faults of all of them together.

    Raises
    ------
    ConfigError
        The mapping cannot be used, without which no table can be judged.
    CaseSheetError, ArtefactError
        One of the files has faults.
    StudyError
        Several have.
    """
    mapping = NO_MAPPING if given.mapping is None else read_mapping(given.mapping)
    tables = ((read_reads, given.reads), (read_strata, given.strata), (read_runs, given.runs))
    readers: list[Callable[[], object]] = [
        partial(read, path, today=today, mapping=mapping) for read, path in tables if path is not None
    ]
    errors = tuple(_errors([*readers, partial(read_calls, given.calls)]))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise StudyError(errors)


def _errors(readers: list[Callable[[], object]]) -> Iterator[Her2PathError]:
    for read in readers:
        try:
            read()
        except (CaseSheetError, ArtefactError) as error:
            yield error
