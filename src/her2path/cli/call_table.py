"""`her2path call --table`: a retrospective file of thousands of typed cases, row by row.

A faulty row is reported and left without a call; the others get theirs.  No document is made per
row, and rows with the same cells are worked out once, so that 100 000 rows take seconds.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from her2path.cli.call_columns import ALIASES, COLUMNS, COMPARED, RESULTS, header_faults
from her2path.cli.call_inputs import Fault, TypedCase, read_case
from her2path.domain.decision import CaseCall, call_case
from her2path.domain.guideline.definition import CommentKind
from her2path.domain.guideline.registry import DEFAULT_GUIDELINE
from her2path.domain.reclassification import NOT_EVALUABLE, Reclassification, reclassify
from her2path.domain.verdict import NotEvaluable
from her2path.errors import CaseSheetError, SheetFault
from her2path.io.count_table import CountTable

FAULTY = "faulty"
NA = "na"
"""Stands where there is nothing to state, as in `vectors.csv`."""
_UNREAD = frozenset({"case_id"})
_MIN_SHARE = 10_000
"""Fewest rows for a process of their own."""


@dataclass(frozen=True, slots=True)
class RowResult:
    """What one row is called, by one guideline."""

    cells: tuple[str, ...]
    """In the order of `RESULTS`."""
    faults: tuple[Fault, ...] = ()

    @property
    def call(self) -> str:
        """The state, or why there is none."""
        return self.cells[_CALL]

    def cell(self, name: str) -> str:
        """One of the `RESULTS`."""
        return self.cells[RESULTS.index(name)]


_CALL = RESULTS.index("call")


@dataclass(frozen=True)
class CalledTable:
    """A table and what was made of its rows."""

    table: CountTable
    guideline: str
    """By which rows were called that name none."""
    results: tuple[RowResult, ...]
    """By the guideline of each row."""
    compared: Mapping[str, tuple[RowResult, ...]] = field(default_factory=dict)
    """By each guideline of a comparison."""
    faults: tuple[SheetFault, ...] = ()

    @property
    def added(self) -> dict[str, list[str]]:
        """The columns that the output adds to the table's own."""
        columns = {name: [r.cells[n] for r in self.results] for n, name in enumerate(RESULTS)}
        for guideline, results in self.compared.items():
            for name in COMPARED:
                columns[f"{name}_{guideline}"] = [r.cell(name) for r in results]
        return columns

    @property
    def unnamed(self) -> int:
        """How many rows name no guideline."""
        if "guideline" not in self.table.header:
            return len(self.table.rows)
        place = self.table.header.index("guideline")
        return sum(not cells[place].strip() for _, cells in self.table.rows)

    @property
    def calls(self) -> Counter[str]:
        """Rows by their call."""
        return Counter(result.call for result in self.results)

    @property
    def reclassifications(self) -> tuple[Reclassification, ...]:
        """The first guideline of the comparison beside each of the others; faulty rows are left out."""
        ids = list(self.compared)
        return tuple(
            reclassify(ids[0], other, self._pairs(self.compared[ids[0]], self.compared[other]))
            for other in ids[1:]
        )

    @staticmethod
    def _pairs(one: Sequence[RowResult], other: Sequence[RowResult]) -> list[tuple[str, str]]:
        pairs = ((a.call, b.call) for a, b in zip(one, other, strict=True))
        return [pair for pair in pairs if FAULTY not in pair]

    @property
    def exit_code(self) -> int:
        """0 = every row evaluated, 1 = some row not evaluable, 3 = some row faulty."""
        calls = self.calls
        return CaseSheetError.exit_code if calls[FAULTY] else int(calls[NOT_EVALUABLE] > 0)


def call_table(table: CountTable, *, guideline: str, compare: Sequence[str] = ()) -> CalledTable:
    """Call every row of a table.

    Parameters
    ----------
    table : CountTable
        What was read.
    guideline : str
        Id of a known guideline, for rows that name none; empty = nobody chose one.
    compare : sequence of str
        Ids of known guidelines by which every row is called besides.

    Raises
    ------
    CaseSheetError
        The header cannot be used, so no row can be read safely.
    """
    wanted = (*RESULTS, *(f"{name}_{other}" for other in compare for name in COMPARED))
    if faults := header_faults(table.header, added=wanted):
        raise CaseSheetError(tuple(faults), "table")
    parts = _called_parts([_Part(table.header, some, guideline, tuple(compare)) for some in _shares(table)])
    rows = [row for part in parts for row in part]
    spelt = {ALIASES.get(name, name): name for name in table.header}
    found = [
        SheetFault(number, spelt.get(name, name), message)
        for (number, _), row in zip(table.rows, rows, strict=True)
        for name, message in row[0].faults
    ]
    columns = tuple(zip(*rows, strict=True))
    compared = dict(zip(compare, columns[1:], strict=True))
    return CalledTable(table, guideline or DEFAULT_GUIDELINE, columns[0], compared, tuple(found))


_Row = tuple[Sequence[str], str]
"""The cells of a row, and what is wrong with its shape."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that one process calls."""

    header: tuple[str, ...]
    rows: Sequence[_Row]
    guideline: str
    compare: tuple[str, ...]


def _shares(table: CountTable) -> list[list[_Row]]:
    """Deal a long table out to the processor's cores, in its order."""
    rows: list[_Row] = [(cells, table.misfits.get(number, "")) for number, cells in table.rows]
    # A process takes about a second to start, in which one alone calls several thousand rows.
    shares = min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, len(rows) // _MIN_SHARE
    )
    size = -(-len(rows) // max(1, shares))
    return [rows[n : n + size] for n in range(0, len(rows), size)]


def _called_parts(parts: Sequence[_Part]) -> list[list[tuple[RowResult, ...]]]:
    if len(parts) == 1:
        return [_called(parts[0])]
    # Started afresh instead of forked: a fork would copy the locks of pyarrow's threads.
    with ProcessPoolExecutor(len(parts), mp_context=get_context("spawn")) as pool:
        return list(pool.map(_called, parts))


def _called(part: _Part) -> list[tuple[RowResult, ...]]:
    """Call each row by its own guideline and then by those of the comparison."""
    rows = _Rows(part.header)
    found = []
    for cells, misfit in part.rows:
        if misfit:
            found.append((_faulty([("", misfit)]),) * (1 + len(part.compare)))
            continue
        texts = rows.texts(cells)
        named = texts.get("guideline") or part.guideline
        own = rows.called(texts, named, own=True)
        others = (
            own if other == named and not own.faults else rows.called(texts, other, own=False)
            for other in part.compare
        )
        found.append((own, *others))
    return found


class _Rows:
    """Reads rows under one header, each distinct one once."""

    def __init__(self, header: Sequence[str]) -> None:
        known = ((n, ALIASES.get(name, name)) for n, name in enumerate(header))
        self._columns = [(n, name) for n, name in known if name in COLUMNS and name not in _UNREAD]
        self._has_id = next(
            (n for n, name in enumerate(header) if ALIASES.get(name, name) == "case_id"), None
        )
        # Files of thousands of cases repeat themselves: most IHC rows are 0, 1+ and 3+.
        self._known: dict[tuple[object, ...], RowResult] = {}

    def texts(self, cells: Sequence[str]) -> dict[str, str]:
        """Return the filled cells by column."""
        found = {name: text for n, name in self._columns if (text := cells[n].strip())}
        if self._has_id is not None and not cells[self._has_id].strip():
            # An id that is only a blank cell would make two patients one in every later join.
            found["case_id"] = ""
        return found

    def called(self, texts: Mapping[str, str], guideline: str, *, own: bool) -> RowResult:
        key = (guideline, own, *texts.items())
        result = self._known.get(key)
        if result is None:
            result = self._known[key] = _row_result(texts, guideline, own=own)
        return result


def _row_result(texts: Mapping[str, str], guideline: str, *, own: bool) -> RowResult:
    case, faults = read_case({**texts, "guideline": guideline}, guideline=guideline, compare_score=own)
    if texts.get("case_id") == "":
        faults.append(("case_id", "is empty; name the case, or take the column out"))
    if case is None or faults:
        return _faulty(faults)
    return _result_of(case)


def _faulty(faults: Sequence[Fault]) -> RowResult:
    reason = "; ".join(f"{name}: {message}" if name else message for name, message in faults)
    return RowResult((NA, NA, FAULTY, NA, NA, "", "", reason), tuple(faults))


def _result_of(case: TypedCase) -> RowResult:
    call = call_case(case.evidence, case.guideline, distances=False)
    if isinstance(call, NotEvaluable):
        flags = ";".join(sorted(case.flags))
        return RowResult((NA, NA, NOT_EVALUABLE, NA, "n", "", flags, call.reason))
    return RowResult(
        (
            NA if call.ihc_score is None else str(call.ihc_score),
            NA if call.ish_group is None else str(call.ish_group),
            str(call.state),
            NA if call.category is None else str(call.category),
            "y" if needs_comment(call) else "n",
            ">".join(step.rule_id for step in call.trail),
            ";".join(sorted({*call.flags, *map(str, case.flags)})),
            " | ".join(dict.fromkeys(why.reason for why in call.indeterminate)),
        )
    )


def needs_comment(call: CaseCall) -> bool:
    """Whether the guideline demands a comment in the report."""
    populations = (comment for one in call.populations for comment in one.comments)
    return any(comment.kind is CommentKind.MANDATORY for comment in (*call.comments, *populations))
