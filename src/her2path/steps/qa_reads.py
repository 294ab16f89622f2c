"""Step qa_reads: reads of pathologists and calls of the software as one table, by one guideline a case."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from her2path.domain.case import Specimen
from her2path.domain.guideline.registry import DEFAULT_GUIDELINE, find_guideline
from her2path.domain.ihc import StainingClass
from her2path.domain.reads import SOFTWARE, Findings, ReadResult, interpret
from her2path.errors import ConfigError
from her2path.io.case_tables import QA_READS
from her2path.io.provenance import digests, producer
from her2path.io.reads import Read, read_reads
from her2path.io.reads_mapping import NO_MAPPING, read_mapping
from her2path.io.software_calls import SoftwareCall, calls_file, read_calls
from her2path.io.strata import Strata, read_strata
from her2path.io.tables import write_table

log = logging.getLogger(__name__)
_SPECIMENS = {str(kind): kind for kind in Specimen}
_NOTHING_STATED = Strata()
Row = dict[str, object]


class QaReadsParams(BaseModel):
    """What an operator may set for this step."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    guideline: str = ""
    """Guideline by which the reads are called; empty = that of each case's call.  It must be the one
    that the calls were made by."""


def run(
    *,
    reads: Path,
    calls: Path,
    strata: Path | None = None,
    mapping: Path | None = None,
    table: Path,
    params: QaReadsParams,
) -> None:
    """Check reads, strata and calls, complete each read by the guideline, and write `qa/reads.parquet`."""
    today = datetime.now(tz=UTC).astimezone().date()
    names = NO_MAPPING if mapping is None else read_mapping(mapping)
    source = calls_file(calls)
    made = read_calls(source)
    by_case = _guidelines(made, params.guideline)
    found = read_reads(reads, today=today, mapping=names)
    stated = {} if strata is None else read_strata(strata, today=today, mapping=names)
    common = params.guideline or (made[0].guideline if made else DEFAULT_GUIDELINE)
    rows = [*_software_rows(made, stated), *_read_rows(found.reads, stated, by_case, common)]
    rows.sort(key=lambda row: (row["case_id"], row["reader"], row["session"]))
    optional = {"strata": strata, "mapping": mapping}
    given = {name: path for name, path in optional.items() if path is not None}
    facts = {
        "inputs": json.dumps(digests(reads=reads, calls=source, **given), sort_keys=True),
        "without_reading": json.dumps(sorted(found.without_reading)),
    }
    with write_table(table, QA_READS, produced_by=producer("qa_reads", params), facts=facts) as writer:
        if rows:
            writer.append({name: [row[name] for row in rows] for name in QA_READS.names})
    log.info("%d reads, %d calls, %d cases with strata", len(found.reads), len(made), len(stated))


def _guidelines(calls: Sequence[SoftwareCall], wanted: str) -> dict[str, str]:
    """Guideline of each case that was called; ConfigError where another one is asked for."""
    by_case = {call.case_id: call.guideline for call in calls}
    for name in sorted({wanted, *by_case.values()} - {""}):
        find_guideline(name)
    others = sorted(set(by_case.values()) - {wanted})
    if wanted and others:
        message = (
            f"--guideline: the calls were made by {', '.join(others)}, not by {wanted}; state {wanted} in "
            "the case sheet and run it again, or leave the option out"
        )
        raise ConfigError((message,))
    return by_case


def _software_rows(calls: Iterable[SoftwareCall], strata: Mapping[str, Strata]) -> list[Row]:
    return [
        {
            **_head(call.case_id, SOFTWARE, call.guideline),
            "session": 1,
            "read_on": None,
            "ihc_score": None if call.score is None else str(call.score),
            "score_stated": None if call.score is None else True,
            "category": None if call.category is None else str(call.category),
            **_percentages(call.percentages),
            "her2_signals": call.her2,
            "cep17_signals": call.cep17,
            "nuclei": call.nuclei,
            "ish_group": call.ish_group,
            "call": call.call,
            "call_stated": True,
            "contradiction": None,
            "comment": "",
            **_strata(strata.get(call.case_id, _NOTHING_STATED)),
        }
        for call in calls
    ]


def _read_rows(
    reads: Iterable[Read], strata: Mapping[str, Strata], by_case: Mapping[str, str], common: str
) -> list[Row]:
    # Thousands of reads state the same score and nothing else; each is worked out once.
    known: dict[tuple[object, ...], ReadResult] = {}
    rows = []
    for read in reads:
        guideline = by_case.get(read.case_id, common)
        where = strata.get(read.case_id, _NOTHING_STATED)
        findings = _with_specimen(read.findings, where)
        key = (guideline, *findings.key)
        result = known.get(key)
        if result is None:
            result = known[key] = interpret(findings, find_guideline(guideline))
        rows.append(_read_row(read, result, where, guideline))
    return rows


def _with_specimen(findings: Findings, where: Strata) -> Findings:
    """Add the kind of specimen, which some guidelines ask for, where the strata state it."""
    kind = _SPECIMENS.get((where.specimen or "").lower())
    return findings if kind is None else replace(findings, specimen=kind)


def _read_row(read: Read, result: ReadResult, where: Strata, guideline: str) -> Row:
    findings = read.findings
    return {
        **_head(read.case_id, read.reader, guideline),
        "session": read.session,
        "read_on": read.read_on,
        "ihc_score": None if result.score is None else str(result.score),
        "score_stated": None if result.score is None else findings.score is not None,
        "category": None if result.category is None else str(result.category),
        **_percentages({kind: float(value) for kind, value in findings.percentages.items()}),
        "her2_signals": findings.her2,
        "cep17_signals": findings.cep17,
        "nuclei": findings.nuclei,
        "ish_group": result.ish_group,
        "call": result.call,
        "call_stated": None if result.call is None else findings.call is not None,
        "contradiction": None if result.contradiction is None else str(result.contradiction),
        "comment": read.comment,
        **_strata(where),
    }


def _head(case_id: str, reader: str, guideline: str) -> Row:
    return {"case_id": case_id, "reader": reader, "is_software": reader == SOFTWARE, "guideline": guideline}


def _percentages(shares: Mapping[StainingClass, float]) -> Row:
    return {f"pct_{name}": shares.get(name) for name in StainingClass}


def _strata(where: Strata) -> Row:
    return {
        "site": where.site,
        "scanner": where.scanner,
        "clone": where.clone,
        "batch": where.batch,
        "specimen": where.specimen,
        "stained_on": where.stained_on,
    }
