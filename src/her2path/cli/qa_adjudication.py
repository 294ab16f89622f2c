"""Decisions on discordant cases: who, when, what and why, in a file of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import version
from pathlib import Path

from her2path.cli.batch import locked
from her2path.cli.qa_review_lists import review_folder
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.reads import interpret
from her2path.errors import CaseSheetError, ConfigError, SheetFault
from her2path.io.documents import Producer, write_document
from her2path.io.named_table import read_named
from her2path.io.opinions import CaseReads, read_cases
from her2path.io.provenance import digests
from her2path.io.qa_review_entries import AdjudicationEntry, AdjudicationsDoc, AdjudicationsResult
from her2path.io.read_cells import ReadCells
from her2path.io.read_check import PROGRAM_NAMES
from her2path.io.reads import findings_of
from her2path.io.reads_mapping import CALL, CASE_ID, DATE, NO_MAPPING, SCORE
from her2path.io.recount_documents import pseudonym_fault
from her2path.io.review_folder import adjudications_in

BY, WHY, ALTHOUGH = "by", "why", "although_contradictory"
COLUMNS = (CASE_ID, BY, DATE, SCORE, CALL, WHY, ALTHOUGH)
_OPTIONS = {
    CASE_ID: "--case",
    BY: "--by",
    DATE: "--on",
    SCORE: "--ihc-score",
    CALL: "--call",
    WHY: "--why",
    ALTHOUGH: "--although-contradictory",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What was decided: a table, or one decision as text by column."""

    out: Path
    table: Path | None
    texts: Mapping[str, str]
    again: bool = False


def adjudicate(order: Order, *, today: date) -> list[str]:
    """Check decisions and add them to those that were recorded before: all of them, or none.

    Parameters
    ----------
    order : Order
        What was decided.
    today : date
        No decision was made later; also the date of one that states none by options.

    Returns
    -------
    list of str
        What was recorded, a line a case.

    Raises
    ------
    CaseSheetError
        With every fault of the table.
    ConfigError
        With every fault of the options; also where the folder holds no reads.
    """
    if (order.table is None) == (not order.texts):
        raise ConfigError(
            ("give a table of decisions, or one decision by --case, --by, --why and what it is",)
        )
    folder = review_folder(order.out)
    with locked(order.out):
        cases = {case.case_id: case for case in read_cases(folder.reads)}
        before = adjudications_in(folder.adjudications)
        check = _Check(cases, before, order.again, today)
        for line, texts in _rows(order, today):
            check.row(line, texts)
        if check.faults:
            raise _error(order, check.faults)
        result = AdjudicationsResult(entries=(*before.entries, *check.made))
        maker = Producer(step="qa_adjudicate", version=version("her2path"))
        inputs = digests(reads=folder.reads)
        document = AdjudicationsDoc(produced_by=maker, inputs=inputs, result=result)
        write_document(folder.adjudications, document)
        return [_words(entry, cases[entry.case_id], before) for entry in check.made]


def _rows(order: Order, today: date) -> Sequence[tuple[int, Mapping[str, str]]]:
    if order.table is None:
        return ((0, {DATE: today.isoformat(), **order.texts}),)
    table = read_named(
        order.table,
        what="the decisions",
        known=COLUMNS,
        needed=(CASE_ID, BY, DATE, WHY),
        names={},
        mapping=NO_MAPPING,
    )
    if not table.rows:
        raise CaseSheetError(
            (SheetFault(0, "", "holds no row; give one row a decision"),), "table of decisions"
        )
    return table.rows


def _error(order: Order, faults: Sequence[SheetFault]) -> CaseSheetError | ConfigError:
    if order.table is not None:
        return CaseSheetError(tuple(sorted(faults, key=lambda fault: fault.row)), "table of decisions")
    return ConfigError(
        tuple(f"{_OPTIONS.get(fault.column, fault.column)}: {fault.message}" for fault in faults)
    )


@dataclass(slots=True)
class _Check:
    cases: Mapping[str, CaseReads]
    before: AdjudicationsResult
    again: bool
    today: date
    faults: list[SheetFault] = field(default_factory=list)
    made: list[AdjudicationEntry] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)

    def row(self, line: int, texts: Mapping[str, str]) -> None:
        """Check one decision and note it, or its faults."""
        cells = ReadCells(line, texts, NO_MAPPING, self.today, self.faults)
        before = len(self.faults)
        cells.refuse_surplus()
        case = self._case(cells)
        by = self._by(cells)
        day = cells.day(DATE)
        if DATE not in texts:
            cells.fault(DATE, "is empty; write the date of the decision as YYYY-MM-DD")
        elif (
            day is not None and case is not None and case.last_read_on is not None and day < case.last_read_on
        ):
            cells.fault(DATE, f"{day} lies before the last read of the case ({case.last_read_on})")
        findings = findings_of(cells)
        if SCORE not in texts and CALL not in texts:
            cells.fault(SCORE, f"is empty, and so is {CALL}; state what was decided")
        why = cells.comment(WHY)
        if WHY not in texts:
            cells.fault(WHY, "is empty; state what the decision rests on")
        if len(self.faults) > before or case is None or day is None or findings is None:
            return
        result = interpret(findings, find_guideline(case.guideline))
        although = cells.comment(ALTHOUGH)
        if result.contradiction is not None and ALTHOUGH not in texts:
            option = ALTHOUGH if line else _OPTIONS[ALTHOUGH]
            stated = f"{result.call!r} contradicts IHC {result.score} by {case.guideline}"
            cells.fault(CALL, f"{stated}; correct one of them, or state why both hold under {option}")
        elif result.contradiction is None and although:
            cells.fault(ALTHOUGH, "is stated, but score and call do not contradict each other")
        if len(self.faults) > before:
            return
        self.made.append(
            AdjudicationEntry(
                number=len(self.before.entries) + len(self.made) + 1,
                case_id=case.case_id,
                by=by,
                decided_on=day.isoformat(),
                ihc_score=result.score,
                category=result.category,
                call=result.call,
                why=f"{why} (although score and call contradict each other: {although})" if although else why,
                read_the_case=any(read.reader == by for read in case.readers),
            )
        )

    def _case(self, cells: ReadCells) -> CaseReads | None:
        case_id = cells.texts.get(CASE_ID, "")
        if not case_id:
            cells.fault(CASE_ID, "is empty; name the case")
        elif case_id not in self.cases:
            cells.fault(CASE_ID, f"{case_id!r} is no case of this study; nobody read it")
        elif case_id in self.lines:
            cells.fault(CASE_ID, f"{case_id!r} is decided in row {self.lines[case_id]} already")
        elif case_id in self.before.standing() and not self.again:
            earlier = self.before.standing()[case_id]
            message = (
                f"{earlier.by} decided on {case_id!r} on {earlier.decided_on}; --again keeps that beside this"
            )
            cells.fault(CASE_ID, message)
        else:
            self.lines[case_id] = cells.line
            return self.cases[case_id]
        return None

    @staticmethod
    def _by(cells: ReadCells) -> str:
        by = cells.texts.get(BY, "")
        if not by:
            cells.fault(BY, "is empty; state initials or a pseudonym of who decided")
        elif by.casefold() in PROGRAM_NAMES:
            cells.fault(BY, f"{by!r} names a program; a person must decide")
        elif fault := pseudonym_fault(by):
            cells.fault(BY, fault)
        return by


def _words(entry: AdjudicationEntry, case: CaseReads, before: AdjudicationsResult) -> str:
    decided = ", ".join(part for part in (entry.ihc_score and f"IHC {entry.ihc_score}", entry.call) if part)
    words = f"{entry.case_id}: {decided}, decided by {entry.by} on {entry.decided_on}"
    if entry.case_id in before.standing():
        words += "; the earlier decision is kept"
    if entry.read_the_case:
        words += "; who decided is among the first readers of the case"
    if not case.is_compared or case.review().kind is None:
        words += "; the first opinions on this case do not differ"
    return words
