"""Numbers typed by a person, on the command line or in a table, and everything wrong with them.

Both ways share one set of names and one check: an option ``--her2-signals`` is the column
``her2_signals``.  All faults are found at once; nothing is rounded, repaired or guessed.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from her2path.domain.case import Controls
from her2path.domain.decision import CaseEvidence, call_case
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    StainingClass,
    StatedScore,
    TallyUnit,
    tally_of_percentages,
)
from her2path.domain.ish import IshReading, Probe, SignalSummary
from her2path.domain.reading import IhcRead, read_ihc
from her2path.domain.verdict import NotEvaluable
from her2path.errors import CaseSheetError, ConfigError, SheetFault
from her2path.io import calls
from her2path.io.case_sheet import id_fault
from her2path.io.documents import CallDoc, Producer

PCT_COLUMNS = tuple(f"pct_{name}" for name in StainingClass)
_FIRST = ("nuclei", "her2_signals", "cep17_signals")
_SECOND = ("recount_nuclei", "recount_her2", "recount_cep17")
COLUMNS = (
    "case_id",
    "guideline",
    "ihc",
    *PCT_COLUMNS,
    "ihc_controls",
    "probe",
    *_FIRST,
    "areas",
    *_SECOND,
    "ish_controls",
)
"""Columns of a table, in the order of the template; only `case_id` is demanded."""
_INTEGER = re.compile(r"[0-9]{1,9}")
_PERCENTAGE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class TypedCase:
    """A case whose numbers can be used."""

    case_id: str
    guideline: Guideline
    evidence: CaseEvidence


@dataclass
class _Reader:
    """Reads the cells of one case and collects the faults."""

    cells: Mapping[str, str]
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Column and message."""

    def text(self, name: str) -> str:
        return self.cells.get(name, "").strip()

    def fault(self, name: str, message: str) -> None:
        self.faults.append((name, message))

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if not text:
            return None
        if not _INTEGER.fullmatch(text):
            self.fault(name, f"must be a whole number, 0 or more (found {text!r})")
            return None
        return int(text)

    def percentage(self, name: str) -> Decimal:
        text = self.text(name)
        if not text:
            return Decimal(0)
        if not _PERCENTAGE.fullmatch(text) or Decimal(text) > 100:
            self.fault(name, f"must be a percentage from 0 to 100, written like 12.5 (found {text!r})")
            return Decimal(0)
        return Decimal(text)

    def word(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        text = self.text(name) or default
        if text not in allowed:
            self.fault(name, f"must be one of {', '.join(filter(None, allowed))} (found {text!r})")
            return default
        return text


def read_case(cells: Mapping[str, str], *, guideline: str) -> tuple[TypedCase | None, list[tuple[str, str]]]:
    """Check the numbers of one case.

    Parameters
    ----------
    cells : mapping of str to str
        Text by column; missing and empty are the same.
    guideline : str
        Used where the cells name none.

    Returns
    -------
    case : TypedCase or None
        None if there is a fault.
    faults : list of (column, message)
    """
    reader = _Reader(cells)
    chosen = _guideline(reader, guideline)
    ihc = _ihc(reader, chosen)
    ish, recount = _ish(reader)
    if not any(reader.text(name) for name in ("ihc", *PCT_COLUMNS, *_FIRST, *_SECOND)):
        reader.fault("", "gives neither an IHC score, nor percentages, nor ISH counts")
    if reader.faults or chosen is None:
        return None, reader.faults
    case_id = reader.text("case_id")
    return TypedCase(case_id, chosen, CaseEvidence(ihc=ihc, ish=ish, recount=recount)), []


def _guideline(reader: _Reader, default: str) -> Guideline | None:
    try:
        return find_guideline(reader.text("guideline") or default)
    except ConfigError as error:
        reader.faults += [("guideline", message) for message in error.faults]
        return None


def _ihc(reader: _Reader, guideline: Guideline | None) -> IhcReading | StatedScore | None:
    stated = reader.word("ihc", ("", *IhcScore), "")
    controls = Controls(reader.word("ihc_controls", tuple(Controls), Controls.UNKNOWN))
    if not any(reader.text(name) for name in PCT_COLUMNS):
        return StatedScore(IhcScore(stated), controls) if stated else None
    before = len(reader.faults)
    shares = {name: reader.percentage(f"pct_{name}") for name in StainingClass}
    if len(reader.faults) > before:
        return None
    try:
        tally = tally_of_percentages(shares)
    except ValueError as error:
        reader.fault("pct_none", f"{error}; give all classes of the invasive tumour cells")
        return None
    reading = IhcReading(tally, unit=TallyUnit.SHARES, controls=controls)
    if stated and guideline is not None:
        _compare_with_stated(reader, IhcScore(stated), reading, guideline)
    return reading


def _compare_with_stated(
    reader: _Reader, stated: IhcScore, reading: IhcReading, guideline: Guideline
) -> None:
    read = read_ihc(reading, guideline)
    if isinstance(read, IhcRead) and read.score not in (None, stated):
        reader.fault("ihc", f"says {stated}, but the percentages are {read.score} by {guideline.id}")


def _ish(reader: _Reader) -> tuple[IshReading | None, IshReading | None]:
    probe = Probe(reader.word("probe", tuple(Probe), Probe.DUAL))
    controls = Controls(reader.word("ish_controls", tuple(Controls), Controls.UNKNOWN))
    areas = reader.integer("areas")
    first = _summary(reader, _FIRST, probe)
    second = _summary(reader, _SECOND, probe)
    if not any(reader.text(name) for name in _FIRST):
        if any(reader.text(name) for name in _SECOND):
            reader.fault("recount_nuclei", "a recount needs a first count; give nuclei and signals as well")
        if areas is not None:
            reader.fault("areas", "is given without ISH counts")
    ish = None if first is None else IshReading(first, areas=areas, controls=controls)
    # Without a usable first count a fault has been noted, so the recount is not needed either.
    recount = None if first is None or second is None else IshReading(second, controls=controls)
    return ish, recount


def _summary(reader: _Reader, names: tuple[str, str, str], probe: Probe) -> SignalSummary | None:
    if not any(reader.text(name) for name in names):
        return None
    before = len(reader.faults)
    nuclei, her2, cep17 = (reader.integer(name) for name in names)
    if probe is Probe.SINGLE and reader.text(names[2]):
        reader.fault(names[2], "a single probe has no CEP17 signals")
    wanted = names if probe is Probe.DUAL else names[:2]
    for name in wanted:
        if not reader.text(name):
            reader.fault(
                name, f"is needed beside {', '.join(n for n in wanted if reader.text(n)) or names[2]}"
            )
    if len(reader.faults) > before or nuclei is None or her2 is None:
        return None
    if nuclei == 0 and (her2 or cep17):
        reader.fault(names[0], "is 0, but signals were counted")
        return None
    return SignalSummary(nuclei, her2, cep17 if probe is Probe.DUAL else None)


def read_options(cells: Mapping[str, str], *, guideline: str) -> TypedCase:
    """Check the options of one case; ConfigError with every fault, named after its option."""
    case, faults = read_case(cells, guideline=guideline)
    if problem := id_fault(cells["case_id"]):
        faults.append(("case_id", problem))
    if case is None or faults:
        raise ConfigError(tuple(f"{_option(name)}{message}" for name, message in faults))
    return case


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}: " if name else "the command line "


def read_table(path: Path, *, guideline: str) -> tuple[TypedCase, ...]:
    """Read a table of typed numbers, one row per case.

    Parameters
    ----------
    path : Path
        UTF-8 with a header; tab-separated if its name ends in ``.tsv``, else comma-separated.
    guideline : str
        Used for rows that name none.

    Raises
    ------
    CaseSheetError
        With every fault, each with its row and column.
    """
    header, records = _read_records(path)
    faults = _header_faults(header)
    cases: list[TypedCase] = []
    seen: dict[str, int] = {}
    for number, record in records if not faults else []:
        if len(record) != len(header):
            message = f"{len(record)} cells, but the header has {len(header)}"
            faults.append(SheetFault(number, "", message))
            continue
        cells = dict(zip(header, record, strict=True))
        case, found = read_case(cells, guideline=guideline)
        found += _id_faults(cells["case_id"].strip(), number, seen)
        faults += [SheetFault(number, column, message) for column, message in found]
        cases += [case] if case is not None else []
    if not records and not faults:
        faults.append(SheetFault(0, "", "no rows; give one row per case"))
    if faults:
        raise CaseSheetError(tuple(faults))
    return tuple(cases)


def _read_records(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        detail = f"{path.name!r} cannot be read ({error.__class__.__name__}); give a UTF-8 table"
        raise CaseSheetError((SheetFault(0, "", detail),)) from error
    # Strict: a quote that never ends must not swallow the rest of the table.
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.reader(text.splitlines(), delimiter=delimiter, strict=True)
    try:
        lines = [(reader.line_num, record) for record in reader]
    except csv.Error as error:
        raise CaseSheetError((SheetFault(reader.line_num, "", f"is no table ({error})"),)) from error
    if not lines:
        raise CaseSheetError((SheetFault(0, "", "is empty; its first line names the columns"),))
    header = [name.strip() for name in lines[0][1]]
    return header, [(n, record) for n, record in lines[1:] if any(cell.strip() for cell in record)]


def _header_faults(header: list[str]) -> list[SheetFault]:
    faults = [
        SheetFault(1, name or "(no name)", f"unknown column; known are {', '.join(COLUMNS)}")
        for name in dict.fromkeys(header)
        if name not in COLUMNS
    ]
    faults += [SheetFault(1, name, "column appears twice") for name, n in Counter(header).items() if n > 1]
    if "case_id" not in header:
        faults.append(SheetFault(1, "case_id", "column is missing"))
    return faults


def _id_faults(case_id: str, number: int, seen: dict[str, int]) -> list[tuple[str, str]]:
    if problem := id_fault(case_id):
        return [("case_id", problem)]
    first = seen.setdefault(case_id.casefold(), number)
    return [] if first == number else [("case_id", f"{case_id!r} is already used in row {first}")]


def call_typed(case: TypedCase) -> CallDoc:
    """Call a case of typed numbers.

    Raises
    ------
    ConfigError
        The numbers are no evidence; `read_case` lets no such case through.
    """
    evidence = case.evidence
    result = call_case(evidence, case.guideline)
    if isinstance(result, NotEvaluable):
        raise ConfigError((f"case {case.case_id!r}: {result.reason}",))
    head = calls.CallHead(
        case_id=case.case_id,
        guideline=case.guideline.id,
        produced_by=Producer(step="call", version=version("her2path")),
        ihc=calls.ihc_evidence(evidence.ihc) if isinstance(evidence.ihc, IhcReading) else {},
        ish=calls.ish_evidence(evidence.ish) if isinstance(evidence.ish, IshReading) else {},
        recount=calls.ish_evidence(evidence.recount) if isinstance(evidence.recount, IshReading) else {},
    )
    return calls.evaluated(result, head)
