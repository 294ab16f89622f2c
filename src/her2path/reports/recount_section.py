"""What a report shows of a recount: a second person's counts beside the first, and the program's checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from her2path.domain.ish import Probe, SignalSummary
from her2path.io.call_entries import CheckEntry
from her2path.io.documents import CallDoc
from her2path.io.recount_documents import ReadNucleus, RecountResult
from her2path.reports.ish_section import IshCuts, TotalRow, total_row


@dataclass(frozen=True, slots=True)
class NucleusRow:
    """One nucleus in both counts, as printed."""

    number: str
    image_id: str
    program: str
    read: str
    remark: str
    differs: bool


@dataclass(frozen=True, slots=True)
class RecountSection:
    """A second person's read, ready for the page."""

    reader: str
    read_on: str
    blinded: bool
    sheet_id: str
    totals: tuple[TotalRow, ...]
    agreement: tuple[str, ...]
    nuclei: tuple[NucleusRow, ...]
    dual: bool


def recount_section(read: RecountResult | None, call: CallDoc, cuts: IshCuts) -> RecountSection | None:
    """Prepare a read for the page; None where there is none, or the call did not use it."""
    if read is None or call.recount.get("sheet_id") != read.sheet_id:
        return None
    program = SignalSummary(
        len(read.counted),
        sum(nucleus.program_her2 for nucleus in read.counted),
        sum(n.program_cep17 or 0 for n in read.counted) if read.probe is Probe.DUAL else None,
    )
    return RecountSection(
        reader=read.reader,
        read_on=read.read_on,
        blinded=read.did_not_know_first_result,
        sheet_id=read.sheet_id,
        totals=(
            total_row(f"Counted by {read.reader}", read.summary, cuts),
            total_row("The program, on the same nuclei", program, cuts),
        ),
        agreement=_agreement(read),
        nuclei=tuple(_nucleus(nucleus, read.probe) for nucleus in read.nuclei),
        dual=read.probe is Probe.DUAL,
    )


def check_rows(checks: Sequence[CheckEntry], cuts: IshCuts) -> tuple[TotalRow, ...]:
    """Prepare the program's own checks for the page."""
    return tuple(
        total_row(
            "Images of observer 2"
            if check.counted == "images_of_observer_2"
            else f"Part of the first count: {check.name}",
            SignalSummary(check.nuclei, check.her2_signals, check.cep17_signals),
            cuts,
            remark=_verdict(check),
        )
        for check in checks
    )


def _verdict(check: CheckEntry) -> str:
    if check.ish_group is None:
        return f"no group: {check.why}"
    group = f"group {check.ish_group}" if check.ish_group.isdigit() else check.ish_group.replace("_", " ")
    words = {
        True: "as the first count",
        False: "another than the first count",
        None: "nothing to compare with",
    }
    return f"{group}, {words[check.agrees]}"


def _agreement(read: RecountResult) -> tuple[str, ...]:
    """Say of each colour in how many nuclei both counts are the same, and within one signal."""
    her2 = [abs((n.her2_signals or 0) - n.program_her2) for n in read.counted]
    cep17 = [
        abs(n.cep17_signals - n.program_cep17)
        for n in read.counted
        if n.cep17_signals is not None and n.program_cep17 is not None
    ]
    return tuple(
        f"{name}: the same in {sum(d == 0 for d in apart)} of {len(apart)} nuclei, within one signal in "
        f"{sum(d <= 1 for d in apart)}."
        for name, apart in (("HER2", her2), ("CEP17", cep17))
        if apart
    )


def _nucleus(nucleus: ReadNucleus, probe: Probe) -> NucleusRow:
    program = _pair(nucleus.program_her2, nucleus.program_cep17, probe)
    remarks = [nucleus.comment] if nucleus.comment else []
    if nucleus.not_countable is not None:
        reason = nucleus.not_countable.replace("_", " ")
        return NucleusRow(
            str(nucleus.number),
            nucleus.image_id,
            program,
            "–",
            "; ".join([f"not counted: {reason}", *remarks]),
            False,
        )
    read = _pair(nucleus.her2_signals or 0, nucleus.cep17_signals, probe)
    if nucleus.in_first_count:
        remarks.insert(0, "also in the first count")
    return NucleusRow(
        str(nucleus.number), nucleus.image_id, program, read, "; ".join(remarks), differs=program != read
    )


def _pair(her2: int, cep17: int | None, probe: Probe) -> str:
    return f"{her2}" if probe is Probe.SINGLE else f"{her2} / {cep17}"
