"""ISH as a person typed it: a first count, a recount and a second tumour population."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from her2path.cli.typed_cells import NOT_STATED, TypedCells
from her2path.cli.typed_counts import (
    FIRST,
    RECOUNT,
    SECOND_POPULATION,
    CountColumns,
    TypedCount,
    typed_count,
)
from her2path.cli.typed_ihc import CONTROLS
from her2path.cli.typed_ratio import check_share, with_ratio
from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline, RecountUse
from her2path.domain.guideline.findings import IshFinding
from her2path.domain.guideline.rules import Rule, decide, holding
from her2path.domain.ish import IshReading, Probe, SignalSummary
from her2path.domain.populations import SecondPopulation

_PROBES = ("dual", "single", "none")
_OF_COUNT = ("ratio", "areas", "pct_cells_ratio_ge2", "weak_signals", "cytoplasmic_signals")
_FAILURES = ("poor_nuclei", "autofluorescence")
"""What can be said of ISH that nobody could count."""
_OF_RECOUNT = (
    "recount_blinded",
    "recount_other_observer",
    "recount_other_nuclei",
    "recount_pct_cells_ratio_ge2",
)
_OF_SECOND = ("second_population_pct", *SECOND_POPULATION.all)
# How many times the first count a recount of unstated size is tried at, where both are added.
_SIZES = (1, 2, 5, 10, 100)

_Maker = Callable[[SignalSummary], IshReading]
"""Makes the reading of a count from its totals."""
_Finder = Callable[[SignalSummary], IshFinding]
"""Finds what a guideline reads of a count with these totals."""


@dataclass(frozen=True, slots=True)
class TypedIsh:
    """The ISH of a case; None = not made."""

    ish: IshReading | None = None
    recount: IshReading | None = None
    second: SecondPopulation | None = None
    flags: tuple[Flag, ...] = ()
    """What a person should know of how the totals came about."""


def typed_ish(cells: TypedCells, guideline: Guideline | None) -> TypedIsh:
    """Read the ISH of a case; faults are left in `cells`."""
    probe = _probe(cells)
    controls = cells.word("ish_controls", CONTROLS) or Controls.UNKNOWN
    if probe is None or not cells.has(*FIRST.all):
        return TypedIsh(_without_count(cells, probe, controls))
    before = len(cells.faults)
    count = typed_count(cells, FIRST, probe)
    recounted = _recount(cells, probe)
    second = _second(cells, probe, controls)
    # Every cell is read before any is compared, so that one fault does not hide another.
    first = _first_reading(cells, controls, probe)
    ratio = cells.number("ratio")
    again = _recount_reading(cells, controls, probe)
    other_nuclei = cells.yes_no("recount_other_nuclei")
    if len(cells.faults) > before or count is None or guideline is None:
        return TypedIsh()
    if ratio is not None:
        count = with_ratio(cells, count, ratio, guideline)
    finding = _finder(first, guideline.ish_rejections, guideline)
    if count is None or (totals := _settled(cells, FIRST, count, finding, guideline)) is None:
        return TypedIsh()
    ish = first(totals)
    is_in_doubt = _is_group_in_doubt(count, finding)
    share_fits = check_share(cells, "pct_cells_ratio_ge2", ish)
    recount = None
    if recounted is not None:
        finding = _finder(again, guideline.recount_rejections, guideline)
        is_in_doubt = is_in_doubt or _is_group_in_doubt(recounted, finding)
        if (totals := _settled(cells, RECOUNT, recounted, finding, guideline)) is not None:
            recount = again(totals)
            fits = check_share(cells, "recount_pct_cells_ratio_ge2", recount)
            share_fits = share_fits and (fits or not recounted.nuclei_stated)
            pair = (_Counted(count, ish), _Counted(recounted, recount))
            _check_recount(cells, pair, guideline, other_nuclei=other_nuclei)
    flags = _flags(count, recounted)
    if is_in_doubt:
        flags = (*flags, Flag.MEANS_FIT_ANOTHER_GROUP)
    if not share_fits:
        flags = (*flags, Flag.SHARE_OF_OTHER_NUCLEI)
    return TypedIsh(ish, recount, second, flags)


@dataclass(frozen=True, slots=True)
class _Counted:
    """A count as it was typed, and as it is read."""

    typed: TypedCount
    reading: IshReading


def _flags(count: TypedCount, recounted: TypedCount | None) -> tuple[Flag, ...]:
    conditions = {
        Flag.TOTALS_FROM_MEANS: count.from_means or (recounted is not None and recounted.from_means),
        Flag.RECOUNT_NUCLEI_NOT_STATED: recounted is not None and not recounted.nuclei_stated,
    }
    return tuple(flag for flag, holds in conditions.items() if holds)


def _probe(cells: TypedCells) -> Probe | None:
    """Read the probe; dual where none is named, None where there was no ISH."""
    text = cells.texts.get("probe", "dual").lower()
    if text == NOT_STATED:
        return Probe.DUAL
    if text not in _PROBES:
        cells.fault("probe", f"must be one of {', '.join(_PROBES)} (found {cells.texts['probe']!r})")
        return Probe.DUAL
    return None if text == "none" else Probe(text)


def _without_count(cells: TypedCells, probe: Probe | None, controls: Controls) -> IshReading | None:
    """Refuse what needs a count; a test that failed was made all the same, and cannot be read."""
    poor, autofluorescence = (cells.yes_no(name) for name in _FAILURES)
    failed = controls is Controls.FAIL or bool(poor) or bool(autofluorescence)
    stated = cells.texts.get("probe", NOT_STATED).lower()
    if probe is None:
        cells.refuse((*FIRST.all, *_FAILURES), "is given, but the probe is none")
        if controls is Controls.FAIL:
            cells.fault("ish_controls", "is fail, but the probe is none")
    elif stated in _PROBES and not failed:
        message = f"is {stated}, but no count is given; give the counts, or none if there was no ISH"
        cells.fault("probe", message)
    cells.refuse(RECOUNT.all, "a recount needs a first count; give nuclei and signals as well")
    cells.refuse((*_OF_COUNT, *_OF_RECOUNT, *_OF_SECOND), "is given without ISH counts")
    if not failed and probe is not None:
        cells.refuse(_FAILURES, "is given without ISH counts")
    if cells.yes_no("recount_available"):
        cells.fault("recount_available", "is yes, but there are no ISH counts")
    if probe is None or not failed:
        return None
    nothing = SignalSummary(0, 0, 0 if probe is Probe.DUAL else None)
    return IshReading(nothing, controls=controls, poor_nuclei=poor, autofluorescence=autofluorescence)


def _first_reading(cells: TypedCells, controls: Controls, probe: Probe) -> _Maker:
    """Everything of the first count but its totals."""
    if probe is Probe.SINGLE:
        cells.refuse(("ratio", "pct_cells_ratio_ge2"), "a single probe has no ratio")
    areas = cells.integer("areas")
    weak, cytoplasmic = cells.integer("weak_signals"), cells.integer("cytoplasmic_signals")
    share = cells.share("pct_cells_ratio_ge2")
    poor, autofluorescence = cells.yes_no("poor_nuclei"), cells.yes_no("autofluorescence")
    return lambda summary: IshReading(
        summary,
        areas=areas,
        weak_signals=weak,
        cytoplasmic_signals=cytoplasmic,
        controls=controls,
        share_ratio_at_least_2=share,
        poor_nuclei=poor,
        autofluorescence=autofluorescence,
    )


def _recount(cells: TypedCells, probe: Probe) -> TypedCount | None:
    available = cells.yes_no("recount_available")
    filled = cells.filled(RECOUNT.all)
    if not filled:
        cells.refuse(_OF_RECOUNT, "is given without a recount")
        if available:
            cells.fault("recount_available", "is yes, but no recount is given")
        return None
    if available is False:
        cells.fault("recount_available", f"is no, but {', '.join(filled)} is given")
    return typed_count(cells, RECOUNT, probe, nuclei_needed=False)


def _recount_reading(cells: TypedCells, controls: Controls, probe: Probe) -> _Maker:
    if probe is Probe.SINGLE:
        cells.refuse(("recount_pct_cells_ratio_ge2",), "a single probe has no ratio")
    share = cells.share("recount_pct_cells_ratio_ge2")
    blinded, other = cells.yes_no("recount_blinded"), cells.yes_no("recount_other_observer")
    return lambda summary: IshReading(
        summary, controls=controls, share_ratio_at_least_2=share, other_observer=other, blinded=blinded
    )


def _second(cells: TypedCells, probe: Probe, controls: Controls) -> SecondPopulation | None:
    if not cells.has(*_OF_SECOND):
        return None
    share = cells.share("second_population_pct")
    count = typed_count(cells, SECOND_POPULATION, probe)
    if "second_population_pct" not in cells.texts:
        cells.fault("second_population_pct", "is needed: how many of the tumour cells are in it")
    if share is None:
        return None
    if share == 0:
        cells.refuse(SECOND_POPULATION.all, "is given, but the second population is 0 %")
        return None
    if share == 1:
        cells.fault("second_population_pct", "is 100 %, so there is no first population beside it")
        return None
    return SecondPopulation(share, None if count is None else IshReading(count.likeliest, controls=controls))


def _settled(
    cells: TypedCells, columns: CountColumns, count: TypedCount, finding: _Finder, guideline: Guideline
) -> SignalSummary | None:
    """Choose the totals to go on with; a fault where rounded means leave the finding open."""
    chosen = count.chosen(finding) if count.others else count.likeliest
    if chosen is None:
        message = f"the means are too coarse to decide by {guideline.id}; give whole totals"
        cells.fault(_mean_of(cells, columns), message)
    return chosen


def _finder(
    reading_of: _Maker, rejections: tuple[Rule[IshReading, str], ...], guideline: Guideline
) -> _Finder:
    def finding(summary: SignalSummary) -> IshFinding:
        reading = reading_of(summary)
        if holding(reading, rejections):
            return IshFinding.INDETERMINATE
        return decide(reading, guideline.ish_rules(summary.probe)).conclusion

    return finding


def _is_group_in_doubt(count: TypedCount, finding: _Finder) -> bool:
    """Whether means that were taken as exact would fit another finding as rounded numbers."""
    if not count.beside:
        return False
    here = finding(count.likeliest)
    return any(finding(other) != here for other in _outermost(count.beside))


def _outermost(summaries: Sequence[SignalSummary]) -> set[SignalSummary]:
    """Pick those with the most and fewest signals and the highest and lowest ratio.

    Every finding is made of ranges of copies and ratio, so no other one leads further.
    """
    fewest = min(summaries, key=lambda s: (s.her2, -(s.cep17 or 0)))
    most = max(summaries, key=lambda s: (s.her2, -(s.cep17 or 0)))
    lowest = min(summaries, key=lambda s: (s.her2, s.cep17 or 0))
    highest = max(summaries, key=lambda s: (s.her2, s.cep17 or 0))
    with_cep17 = [s for s in summaries if s.cep17] or [highest]
    least = min(with_cep17, key=lambda s: s.her2 / (s.cep17 or 1))
    greatest = max(with_cep17, key=lambda s: s.her2 / (s.cep17 or 1))
    return {fewest, most, lowest, highest, least, greatest}


def _mean_of(cells: TypedCells, columns: CountColumns) -> str:
    """Name the mean that was typed; that of HER2 where both were."""
    return cells.filled((columns.her2_mean, columns.cep17_mean))[0]


def _check_recount(
    cells: TypedCells,
    counts: tuple[_Counted, _Counted],
    guideline: Guideline,
    *,
    other_nuclei: bool | None,
) -> None:
    one, other = counts
    if guideline.recount_use is RecountUse.ADD:
        if other_nuclei is False:
            message = f"is no, but {guideline.id} adds the nuclei of a recount to those of the first count"
            cells.fault("recount_other_nuclei", f"{message}, so they must be others")
        if not holding(other.reading, guideline.recount_rejections):
            _check_sum(cells, one, other, guideline)
        return
    first, second = one.reading.summary.nuclei, other.reading.summary.nuclei
    if other.typed.nuclei_stated and second > first and not other_nuclei:
        message = f"is {second}, but the first count has only {first} nuclei"
        remedy = "set recount_other_nuclei to yes if the second observer counted other nuclei"
        cells.fault("recount_nuclei", f"{message}; {remedy}")


def _check_sum(cells: TypedCells, one: _Counted, other: _Counted, guideline: Guideline) -> None:
    """Ask for what two counts that are added leave open."""
    if not other.typed.nuclei_stated and not _is_sum_clear(one.reading, other.reading, guideline):
        message = f"is needed: {guideline.id} adds the recount to the first count"
        cells.fault("recount_nuclei", message)
    # Each count may be clear by itself, and their sum still lie on a cut-point.
    for counted, columns in ((one, FIRST), (other, RECOUNT)):
        if counted.typed.others:
            message = f"{guideline.id} adds the recount to the first count; give whole totals of both"
            cells.fault(_mean_of(cells, columns), message)


def _is_sum_clear(ish: IshReading, recount: IshReading, guideline: Guideline) -> bool:
    """Whether both counts together lead to one group, whichever size of the recount is tried."""
    found = set()
    for times in (*_SIZES, *(n * -(-ish.summary.nuclei // recount.summary.nuclei) for n in _SIZES)):
        small = recount.summary
        cep17 = None if small.cep17 is None else small.cep17 * times
        summed = ish.summary + SignalSummary(small.nuclei * times, small.her2 * times, cep17)
        found.add(_group(summed, guideline))
    return len(found) == 1


def _group(summary: SignalSummary, guideline: Guideline) -> IshFinding | None:
    if not summary.her2 or summary.cep17 == 0:
        return None
    rules = guideline.ish_rules(summary.probe)
    return decide(IshReading(summary), rules).conclusion if rules else None
