"""What a study of agreement holds: its readers, what was left out, the rules for studies, and remarks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from her2path.domain.number_words import counted
from her2path.domain.read_matrix import ReadStatus
from her2path.domain.reads import LEVELS, Contradiction, Endpoint
from her2path.domain.study_checks import RepeatedReads, StudyFacts, study_checks
from her2path.io.agreement_entries import MOST_LISTED, case_group
from her2path.io.qa_documents import (
    MAJORITY,
    CaseGroup,
    LeftOutEntry,
    PairEntry,
    ReaderEntry,
    StudyCheckEntry,
)
from her2path.io.read_arrays import ReadArrays

MOST_NEAR = 3
"""Cases whose ids nearly match that a note names."""
_POSITIVE, _NEGATIVE = LEVELS[Endpoint.CALL].index("positive"), LEVELS[Endpoint.CALL].index("negative")


def reader_entries(arrays: ReadArrays) -> tuple[ReaderEntry, ...]:
    """Describe every reader, the software first."""
    contradictions = arrays.table.column("contradiction").to_pylist()
    codes = {endpoint: arrays.matrix(endpoint) for endpoint in Endpoint}
    days = [arrays.days(session) for session in range(arrays.sessions)]
    counted = [arrays.counts("her2_signals", session)[1] for session in range(arrays.sessions)]
    entries = []
    for i, name in enumerate(arrays.readers):
        read = arrays.read[:, :, i]
        dates = np.concatenate([values[:, i][known[:, i]] for values, known in days])
        entries.append(
            ReaderEntry(
                reader=name,
                is_software=i == 0,
                cases=int(read.any(axis=0).sum()),
                reads=int(read.sum()),
                sessions=int(read.sum(axis=0).max(initial=0)),
                first_on=_day(dates.min()) if len(dates) else None,
                last_on=_day(dates.max()) if len(dates) else None,
                values={
                    endpoint: _by_level(matrix.codes[:, i][matrix.has[:, i]], LEVELS[endpoint])
                    for endpoint, matrix in codes.items()
                },
                counted=int(sum(one[:, i].sum() for one in counted)),
                contradictions=_contradictions(arrays, i, contradictions),
            )
        )
    return tuple(entries)


def _by_level(codes: np.ndarray[tuple[int], np.dtype[np.int8]], levels: Sequence[str]) -> dict[str, int]:
    return dict(zip(levels, np.bincount(codes, minlength=len(levels)).tolist(), strict=True))


def _day(days: int) -> str:
    return date.fromordinal(int(days) + date(1970, 1, 1).toordinal()).isoformat()


def _contradictions(arrays: ReadArrays, reader: int, of_rows: Sequence[str | None]) -> dict[str, CaseGroup]:
    found: dict[str, set[int]] = {}
    sessions, cases = np.nonzero(arrays.read[:, :, reader])
    for row, case in zip(arrays.rows[sessions, cases, reader].tolist(), cases.tolist(), strict=True):
        if (kind := of_rows[row]) is not None:
            found.setdefault(kind, set()).add(case)
    return {
        str(kind): CaseGroup(**case_group(arrays.case_ids, sorted(found[kind])))
        for kind in Contradiction
        if kind in found
    }


def left_out_entries(arrays: ReadArrays, facts: Mapping[str, str]) -> tuple[LeftOutEntry, ...]:
    """List the cases and reads that no comparison could use."""
    empty: list[tuple[str, str]] = [(case, reader) for case, reader in json.loads(facts["without_reading"])]
    calls = arrays.matrix(Endpoint.CALL)
    failed = np.flatnonzero(calls.status[:, 0] == ReadStatus.NOT_EVALUABLE)
    entries = [
        _left_out(
            "without_call",
            "read by a person, but not among the software's calls" + _near_matches(arrays),
            list(arrays.without_call),
            sum(arrays.without_call.values()),
        ),
        _left_out("without_read", "called by the software, but read by nobody", list(arrays.without_read), 0),
        _left_out(
            "not_evaluable",
            "not evaluable by the software: readers are compared on them, the software is not",
            [arrays.case_ids[place] for place in failed.tolist()],
            int(arrays.read[:, failed, 1:].sum()),
        ),
        _left_out(
            "without_reading",
            "rows of the reads in which nothing was read",
            sorted({case for case, _ in empty}),
            len(empty),
        ),
    ]
    return tuple(entry for entry in entries if entry.cases)


def _near_matches(arrays: ReadArrays) -> str:
    """Name the reads' cases that differ from called ones only in capitals: they may be the same cases."""
    called = {name.casefold(): name for name in (*arrays.case_ids, *arrays.without_read)}
    near = [(name, called[name.casefold()]) for name in arrays.without_call if name.casefold() in called]
    if not near:
        return ""
    listed = ", ".join(f"{name!r} (called: {other!r})" for name, other in near[:MOST_NEAR])
    more = f" and {len(near) - MOST_NEAR} more" if len(near) > MOST_NEAR else ""
    return f"; {listed}{more} {'differs' if len(near) == 1 else 'differ'} from a call in capitals only"


def _left_out(reason: str, text: str, case_ids: Sequence[str], reads: int) -> LeftOutEntry:
    listed = tuple(case_ids[:MOST_LISTED])
    return LeftOutEntry(reason=reason, text=text, cases=len(case_ids), case_ids=listed, reads=reads)


def _held_against(held: Sequence[PairEntry]) -> str:
    if not held:
        return "another reader"
    if held[0].second == MAJORITY:
        return "the majority of the readers"
    return f"the reference {held[0].second}" if held[0].kind == "software_reference" else held[0].second


def checks_of(pairs: Sequence[PairEntry], reference: str) -> tuple[StudyCheckEntry, ...]:
    """Hold the rules for validation studies against this one.

    What the software is held against is the reference, else the majority of the readers, else the only
    reader.
    """
    wanted = "software_reference" if reference else "software_majority"
    calls = [p for p in pairs if p.endpoint is Endpoint.CALL and not p.stratum]
    held = [p for p in calls if p.kind == wanted] or [p for p in calls if p.kind == "software_reader"]
    table = np.array(held[0].table if held else np.zeros((3, 3)), dtype=np.int64)
    columns = table.sum(axis=0)
    repeated = [p for p in calls if p.kind == "intra_reader" and p.second_session == 2]
    facts = StudyFacts(
        positive=int(columns[_POSITIVE]) if held else None,
        negative=int(columns[_NEGATIVE]) if held else None,
        compared=int(table.sum()),
        agreeing=int(np.trace(table)),
        held_against=_held_against(held),
        repeated=tuple(
            RepeatedReads(
                p.first,
                p.cases,
                sum(p.table[i][i] for i in range(len(p.levels))),
                None if p.days_between is None else p.days_between[0],
            )
            for p in repeated
        ),
    )
    return tuple(
        StudyCheckEntry(
            name=check.name,
            title=check.title,
            source=check.source,
            status=check.status.value,
            found=check.found,
            needed=check.needed,
            does_not_check=check.does_not_check,
        )
        for check in study_checks(facts)
    )


def notes_of(arrays: ReadArrays, pairs: Sequence[PairEntry], reference: str) -> tuple[str, ...]:
    """Say what a reader of the numbers must know."""
    notes = [
        "Between readers the first read of each case counts; a later session is compared with the same "
        "reader's session before it."
    ]
    persons = arrays.readers[1:]
    if reference:
        notes.append(
            f"{reference} was named as the reference standard: sensitivity and specificity are against it, "
            "and are as right as it is."
        )
    else:
        notes.append(
            "No reference standard was named: nobody here is taken to be right, and there is agreement only, "
            "no sensitivity or specificity."
        )
    if len(persons) > 1:
        notes.append(
            "The majority is what more than half of the readers say of a case that two of them read at "
            "least; cases without one are left out of it. It is an opinion, and no reference standard."
        )
    table = arrays.table
    software, scores, categories = (
        table.column(name).to_pylist() for name in ("is_software", "ihc_score", "category")
    )
    calls = table.column("call").to_pylist()
    open_zero = sum(
        not ours and score == "0" and category is None and call == "negative"
        for ours, score, category, call in zip(software, scores, categories, calls, strict=True)
    )
    if open_zero:
        notes.append(
            f"{counted(open_zero, 'read', verb=('states', 'state'))} a score of 0 without percentages, so "
            "that 0 and ultralow cannot be told apart: there is no clinical category."
        )
    lost: Counter[str] = Counter()
    for pair in pairs:
        if pair.kind == "software_reader" and not pair.stratum and pair.endpoint is Endpoint.CATEGORY:
            lost.update(pair.left_out)
    pending = sum(n for reason, n in lost.items() if reason.startswith("no_value"))
    if pending:
        notes.append(
            f"{counted(pending, 'comparison')} of the software with a reader "
            f"{'has' if pending == 1 else 'have'} no clinical category on one side or both, since a result "
            "is pending or percentages are missing."
        )
    return tuple(notes)
