"""Calls of made-up evidence by every guideline, for tests of what other systems take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product

from her2path.domain.case import Controls, Specimen, SpecimenFacts, TumourSite
from her2path.domain.decision import CaseCall, CaseEvidence, call_case
from her2path.domain.explanation import explain
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcReading, IhcScore, Reactivity, StatedScore
from her2path.domain.ish import IshReading, SignalSummary
from her2path.domain.populations import SecondPopulation
from her2path.domain.verdict import NotEvaluable
from her2path.io import calls
from her2path.io.documents import CallDoc, Producer
from her2path.io.edits_entry import EditsEntry
from tests.support.case_documents import CLEAN, ONE_PLUS, SHA, THREE_PLUS, TWO_PLUS, ULTRALOW, Ihc

MAKER = Producer(step="case_call", version="0.1.0")
TALLIES = {"0": CLEAN, "ultralow": ULTRALOW, "1+": ONE_PLUS, "2+": TWO_PLUS, "3+": THREE_PLUS}
COUNTS = {
    "group 1": SignalSummary(41, 331, 82),
    "group 2": SignalSummary(40, 130, 52),
    "group 3": SignalSummary(37, 251, 190),
    "group 4": SignalSummary(40, 190, 120),
    "group 5": SignalSummary(43, 91, 87),
    "too few": SignalSummary(12, 50, 30),
    "single, high": SignalSummary(30, 211, None),
    "single, low": SignalSummary(30, 71, None),
}
CLUSTERS = {Reactivity.FAINT: 300, Reactivity.WEAK_MODERATE: 120, Reactivity.STRONG: 90}
EDIT = EditsEntry(
    by="R.S.",
    on="2026-11-20",
    tool="QuPath 0.5.1",
    sha256=SHA,
    comment="in-situ part <left> & stroma taken out",
    regions_changed={"Tumor": 2},
    cells_changed={"Tumor: 1+": {"Stroma": 14}},
    score_before=IhcScore.ONE_PLUS,
    h_score_before=31.5,
    scored_cells_before=900,
)


def ihc_reading(kind: str, *, controls: Controls = Controls.PASS) -> IhcReading:
    reading = Ihc("a1", TALLIES[kind]).reading()
    return replace(reading, controls=controls, clusters=CLUSTERS)


def ish_reading(kind: str, *, controls: Controls = Controls.PASS) -> IshReading:
    return IshReading(COUNTS[kind], 2, controls=controls)


def called(evidence: CaseEvidence, guideline: str, *, case_id: str = "c1") -> CallDoc:
    """Call evidence by a guideline and write it down as `case_call` does."""
    rules = GUIDELINES[guideline]
    ihc, ish, again = evidence.ihc, evidence.ish, evidence.recount
    head = calls.CallHead(
        case_id=case_id,
        guideline=guideline,
        produced_by=MAKER,
        specimen=calls.specimen_entry(evidence.specimen, Specimen.RESECTION),
        ihc=calls.ihc_evidence(ihc) if isinstance(ihc, IhcReading) else {},
        ish=calls.ish_evidence(ish) if isinstance(ish, IshReading) else {},
        recount=calls.ish_evidence(again) if isinstance(again, IshReading) else {},
    )
    call = call_case(evidence, rules)
    if isinstance(call, NotEvaluable):
        return calls.not_evaluable({"a1": call}, head)
    assert isinstance(call, CaseCall)
    return calls.evaluated(call, head, explain(evidence, rules))


def lattice() -> Iterator[tuple[str, CallDoc]]:
    """Every guideline with every score and count, recounts, failed controls and two populations."""
    for guideline in GUIDELINES:
        for ihc, ish in product([None, *TALLIES], [None, *COUNTS]):
            if ihc or ish:
                evidence = CaseEvidence(
                    ihc=None if ihc is None else ihc_reading(ihc),
                    ish=None if ish is None else ish_reading(ish),
                )
                yield f"{guideline}, IHC {ihc}, ISH {ish}", called(evidence, guideline)
        for again in ("group 2", "group 4", "too few"):
            recount = replace(ish_reading(again), other_observer=True, blinded=True)
            evidence = CaseEvidence(ihc=ihc_reading("2+"), ish=ish_reading("group 4"), recount=recount)
            yield f"{guideline}, recount {again}", called(evidence, guideline)
        failed = CaseEvidence(
            ihc=ihc_reading("2+", controls=Controls.FAIL), ish=ish_reading("group 1", controls=Controls.FAIL)
        )
        yield f"{guideline}, controls failed", called(failed, guideline)
        yield f"{guideline}, stated", called(CaseEvidence(ihc=StatedScore(IhcScore.ONE_PLUS)), guideline)
        for name, count in (("counted", ish_reading("group 1")), ("not counted", None)):
            second = SecondPopulation(Fraction(3, 10), count)
            evidence = CaseEvidence(ihc=ihc_reading("2+"), ish=ish_reading("group 5"), second=second)
            yield f"{guideline}, second population {name}", called(evidence, guideline)
        gastric = SpecimenFacts(TumourSite.GASTROESOPHAGEAL, Fraction(30), Fraction(45))
        evidence = CaseEvidence(ihc=ihc_reading("3+"), specimen=gastric)
        yield f"{guideline}, of another organ", called(evidence, guideline)


def edited_call() -> CallDoc:
    """A call whose slide a person edited."""
    call = called(CaseEvidence(ihc=ihc_reading("2+")), "breast_2023")
    return call.model_copy(update={"edits": {"a1": EDIT}, "flags": (*call.flags, "edited_by_person")})


def recounted_call() -> CallDoc:
    """A call with the read of a second person."""
    again = replace(ish_reading("group 3"), other_observer=True, blinded=True)
    evidence = CaseEvidence(ihc=ihc_reading("2+"), ish=ish_reading("group 3"), recount=again)
    call = called(evidence, "breast_2023")
    read = {"reader": "A.B.", "read_on": "2026-11-21", "sheet_id": "k7", "nuclei_not_countable": 3}
    return call.model_copy(update={"recount": {**call.recount, **read}})
