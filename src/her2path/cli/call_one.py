"""`her2path call` for one case: from the options to a printed call."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import typer
from rich.console import Console

from her2path.cli.call_explained import show_explanation
from her2path.cli.call_inputs import TypedCase, read_case, read_options
from her2path.cli.call_view import show_call, show_versions
from her2path.cli.nuclei_table import read_nuclei
from her2path.domain.comparison import VersionCall, related, version_call
from her2path.domain.decision import CaseCall, call_case
from her2path.domain.explanation import Explanation, explain
from her2path.domain.flags import FLAG_TEXT, Flag
from her2path.domain.guideline.definition import Guideline, RecountUse
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading, NucleusSignals, Probe, ratio_is_at_least_2, share_with_ratio
from her2path.domain.reading import Count, TrailStep
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError
from her2path.io import calls
from her2path.io.case_sheet import id_fault
from her2path.io.documents import CallDoc, Producer, document_text

N = TypeVar("N")
_SIZE = ("nuclei", "her2_signals", "cep17_signals")
_FROM_NUCLEI = ("nuclei", "her2_signals", "cep17_signals", "mean_her2", "mean_cep17", "pct_cells_ratio_ge2")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be printed."""

    versions: tuple[str, ...] = ()
    """Guidelines to call by besides; empty = those of the same kind of tumour."""
    explain: bool = False
    as_json: bool = False


def call_one(typed: Mapping[str, str], nuclei_table: Path | None, wanted: Wanted) -> None:
    """Call a case of typed numbers and print it.

    Raises
    ------
    ConfigError
        With every fault of the options.
    CaseSheetError
        With every fault of the table of nuclei.
    """
    nuclei: tuple[NucleusSignals, ...] = ()
    texts = dict(typed)
    if nuclei_table is not None:
        nuclei = _nuclei(nuclei_table, texts)
    if problem := id_fault(texts["case_id"]):
        _, faults = read_case(texts, guideline="")
        shown = [("case_id", problem), *faults]
        raise ConfigError(tuple(f"--{name.replace('_', '-')}: {message}" for name, message in shown))
    case = _with_nuclei(read_options(texts, guideline=""), nuclei)
    document = call_typed(case, _beside(case, texts, nuclei, wanted))
    if wanted.as_json:
        sys.stdout.write(document_text(document))
    else:
        console = Console(highlight=False)
        if wanted.explain:
            show_explanation(document, console)
        else:
            show_call(document, console)
            show_versions(document, console)
    if document.status == "not_evaluable":
        raise typer.Exit(1)


def _beside(
    case: TypedCase, texts: Mapping[str, str], nuclei: Sequence[NucleusSignals], wanted: Wanted
) -> Explanation:
    """Work out what stands beside the call, as far as it is printed."""
    found = Explanation()
    if wanted.explain or wanted.as_json:
        found = explain(case.evidence, case.guideline, nuclei)
        if _is_size_open(case) and case.guideline.recount_use is RecountUse.ADD:
            why = NotEvaluable("recount_nuclei_not_stated", FLAG_TEXT[Flag.RECOUNT_NUCLEI_NOT_STATED])
            found = replace(found, stability=why)
    # Read again by each guideline: what was left open may not matter to one and decide by another.
    others = tuple(find_guideline(name) for name in wanted.versions)
    if not others and (wanted.explain or wanted.as_json):
        others = related(case.guideline)
    here = call_case(case.evidence, case.guideline, distances=False)
    return replace(found, other_versions=tuple(_version(texts, one, nuclei, here) for one in others))


def _nuclei(path: Path, texts: dict[str, str]) -> tuple[NucleusSignals, ...]:
    """Read the nuclei and add their totals to what was typed."""
    if doubled := [name for name in _FROM_NUCLEI if name in texts]:
        names = (f"--{name.replace('_', '-')}" for name in doubled)
        raise ConfigError(tuple(f"{name}: follows from --nuclei-table; give one of them" for name in names))
    probe = Probe.SINGLE if texts.get("probe", "").lower() == "single" else Probe.DUAL
    counted = read_nuclei(path, probe)
    if counted.ignored:
        sys.stderr.write(f"columns not looked at: {', '.join(counted.ignored)}\n")
    texts["nuclei"] = str(len(counted.nuclei))
    texts["her2_signals"] = str(sum(n.her2 for n in counted.nuclei))
    if probe is Probe.DUAL:
        texts["cep17_signals"] = str(sum(n.cep17 or 0 for n in counted.nuclei))
    return counted.nuclei


def _with_nuclei(case: TypedCase, nuclei: Sequence[NucleusSignals]) -> TypedCase:
    """Add what only single nuclei tell: the share with a ratio of 2.0 or more."""
    ish = case.evidence.ish
    if not nuclei or not isinstance(ish, IshReading):
        return case
    counted = replace(ish, share_ratio_at_least_2=share_with_ratio(nuclei, ratio_is_at_least_2))
    return replace(case, evidence=replace(case.evidence, ish=counted))


def _version(
    texts: Mapping[str, str],
    guideline: Guideline,
    nuclei: Sequence[NucleusSignals],
    here: CaseCall | NotEvaluable,
) -> VersionCall:
    """Call the same numbers by another guideline, which may find them wanting."""
    named = {**texts, "guideline": guideline.id}
    case, faults = read_case(named, guideline=guideline.id, compare_score=False)
    if case is None:
        call: CaseCall | NotEvaluable = NotEvaluable("faulty", "; ".join(f"{n}: {why}" for n, why in faults))
    else:
        call = call_case(_with_nuclei(case, nuclei).evidence, guideline, distances=False)
    return version_call(call, guideline, here)


def call_typed(case: TypedCase, explanation: Explanation | None = None) -> CallDoc:
    """Call a case of typed numbers, with what stands beside the call."""
    evidence = case.evidence
    head = calls.CallHead(
        case_id=case.case_id,
        guideline=case.guideline.id,
        produced_by=Producer(step="call", version=version("her2path")),
        specimen=calls.specimen_entry(evidence.specimen, getattr(evidence.ihc, "specimen", None)),
        ihc=calls.ihc_evidence(evidence.ihc) if isinstance(evidence.ihc, IhcReading) else {},
        ish=calls.ish_evidence(evidence.ish) if isinstance(evidence.ish, IshReading) else {},
        recount=calls.ish_evidence(evidence.recount) if isinstance(evidence.recount, IshReading) else {},
        flags=tuple(str(flag) for flag in case.flags),
    )
    result = call_case(evidence, case.guideline)
    if isinstance(result, NotEvaluable):
        return calls.not_evaluable({case.case_id: result}, head)
    if _is_size_open(case):
        head = replace(head, recount=_without_size(head.recount))
        result = replace(result, trail=tuple(_as_stated(step) for step in result.trail))
    return calls.evaluated(result, head, explanation or Explanation())


def _is_size_open(case: TypedCase) -> bool:
    return Flag.RECOUNT_NUCLEI_NOT_STATED in case.flags


def _as_stated(step: TrailStep) -> TrailStep:
    """Leave out of a step about the recount its size, which nobody stated."""
    of_recount = step.conclusion.startswith((Count.RECOUNT, Count.BOTH))
    return replace(step, numbers=_without_size(step.numbers)) if of_recount else step


def _without_size(numbers: Mapping[str, N]) -> dict[str, N]:
    return {name: value for name, value in numbers.items() if name not in _SIZE}
