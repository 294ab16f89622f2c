"""IHC as a person typed it: a score, or percentages of the tumour cells, or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from her2path.cli.typed_cells import TypedCells, words_of
from her2path.domain.case import Controls, Specimen
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.rules import decide, holding
from her2path.domain.ihc import (
    IhcReading,
    IhcScore,
    IhcTally,
    Intensity,
    Reactivity,
    StainingClass,
    StatedScore,
    TallyUnit,
    tally_of_percentages,
)

PCT_COLUMNS = {f"pct_{name}": name for name in StainingClass}
_LATERAL = f"pct_{StainingClass.INCOMPLETE_MODERATE_INTENSE}"
_CLUSTERS: Mapping[str, Reactivity] = {
    f"cluster_cells_{level}": level for level in Reactivity if level is not Reactivity.NONE
}
_STRONG_CLUSTERS = f"cluster_cells_{Reactivity.STRONG}"
_QUALITY = ("ihc_artefact", "normal_ducts_stained")
_OF_PERCENTAGES = ("incomplete_intensity", "cluster_cells", *_CLUSTERS, "limit_of_blank_pct")
_SCORES = words_of(IhcScore)
CONTROLS = words_of(Controls)
_SPECIMENS = words_of(Specimen)
_INTENSITIES = {str(level): level for level in (Intensity.MODERATE, Intensity.STRONG)}


@dataclass(frozen=True, slots=True)
class TypedIhc:
    """The IHC of a case; None = not made, or faulty."""

    reading: IhcReading | StatedScore | None = None
    flags: tuple[Flag, ...] = ()
    """What a person should know of how it was taken."""


def typed_ihc(cells: TypedCells, guideline: Guideline | None, *, compare_score: bool = True) -> TypedIhc:
    """Read the IHC of a case; faults are left in `cells`.

    Parameters
    ----------
    cells : TypedCells
        What was typed.
    guideline : Guideline or None
        Decides whether what was left open matters; None where no usable guideline was named.
    compare_score : bool
        Whether a score beside percentages must be theirs by this guideline.
    """
    stated = cells.word("ihc", _SCORES)
    controls = cells.word("ihc_controls", CONTROLS) or Controls.UNKNOWN
    specimen = cells.word("specimen", _SPECIMENS)
    if not cells.has(*PCT_COLUMNS):
        cells.refuse(_OF_PERCENTAGES, "is given without the percentages of the staining classes")
        return TypedIhc(_without_percentages(cells, stated, controls, specimen))
    readings = _readings(cells, controls, specimen)
    if not readings or guideline is None:
        return TypedIhc()
    reading = readings[0]
    if len(readings) > 1 and len({_conclusion(one, guideline) for one in readings}) > 1:
        message = f"is needed: moderate and strong lead to different results by {guideline.id}"
        cells.fault("incomplete_intensity", f"{message}; say which of the two it is")
        return TypedIhc()
    if stated is not None and compare_score:
        _compare_with_stated(cells, stated, reading, guideline)
    return TypedIhc(reading, _flags_of_open_intensity(readings, guideline))


def _without_percentages(
    cells: TypedCells, stated: IhcScore | None, controls: Controls, specimen: Specimen | None
) -> IhcReading | StatedScore | None:
    """Take a stated score; a stain that failed was made all the same, and its score is void."""
    artefact, ducts = (cells.yes_no(name) for name in _QUALITY)
    if controls is Controls.FAIL or artefact or ducts:
        return IhcReading(
            IhcTally({}),
            unit=TallyUnit.SHARES,
            controls=controls,
            specimen=specimen,
            artefact_over_most=artefact,
            normal_ducts_stained=ducts,
        )
    return None if stated is None else StatedScore(stated, controls, specimen)


def _flags_of_open_intensity(readings: Sequence[IhcReading], guideline: Guideline) -> tuple[Flag, ...]:
    """Name what the reading that was not chosen says besides the same result."""
    if len(readings) < 2 or not _reads_levels(readings, guideline):
        return ()
    found = {Flag.INCOMPLETE_INTENSITY_NOT_STATED}
    for reading in readings[1:]:
        if not holding(reading, guideline.unreadable) and not holding(reading, guideline.ihc_rejections):
            found |= {Flag(flag) for flag in decide(reading, guideline.ihc).conclusion.flags}
    return tuple(sorted(found))


def _reads_levels(readings: Sequence[IhcReading], guideline: Guideline) -> bool:
    """Whether the guideline looks at numbers that moderate and strong staining change."""
    quantities = [cut.quantity for cut in guideline.ihc_cuts]
    return len({tuple(quantity.value(one) for quantity in quantities) for one in readings}) > 1


def _readings(cells: TypedCells, controls: Controls, specimen: Specimen | None) -> list[IhcReading]:
    """One reading; two where moderate and strong incomplete staining were not told apart."""
    before = len(cells.faults)
    typed = {name: cells.percentage(column) for column, name in PCT_COLUMNS.items()}
    shares = {name: value for name, value in typed.items() if value is not None}
    incomplete = cells.word("incomplete_intensity", _INTENSITIES)
    blank = cells.share("limit_of_blank_pct")
    artefact, ducts = (cells.yes_no(name) for name in _QUALITY)
    sizes = {name: cells.integer(name) for name in ("cluster_cells", *_CLUSTERS)}
    if len(cells.faults) > before:
        return []
    lateral = shares.get(StainingClass.INCOMPLETE_MODERATE_INTENSE, Decimal(0)) > 0
    if lateral and incomplete is None and sizes[_STRONG_CLUSTERS] is not None:
        cells.fault("incomplete_intensity", f"is needed beside {_STRONG_CLUSTERS} and {_LATERAL}")
        return []
    if incomplete is not None:
        intensities = [incomplete]
    else:
        intensities = [Intensity.MODERATE, Intensity.STRONG] if lateral else [Intensity.MODERATE]
    found = []
    for intensity in intensities:
        try:
            tally = tally_of_percentages(shares, incomplete=intensity)
        except ValueError as error:
            cells.fault("pct_none", f"{error}; give all classes of the invasive tumour cells")
            return []
        clusters = _clusters(cells, sizes, tally)
        if len(cells.faults) > before:
            return []
        reading = IhcReading(
            tally,
            unit=TallyUnit.SHARES,
            controls=controls,
            specimen=specimen,
            clusters=clusters,
            artefact_over_most=artefact,
            normal_ducts_stained=ducts,
            **({} if blank is None else {"limit_of_blank": blank}),
        )
        found.append(reading)
    return found


def _clusters(
    cells: TypedCells, sizes: Mapping[str, int | None], tally: IhcTally
) -> dict[Reactivity, int] | None:
    """Find the largest clusters by level, as far as they are known."""
    if not cells.has(*sizes):
        return None
    largest = sizes["cluster_cells"]
    found = {level: n for name, level in _CLUSTERS.items() if (n := sizes[name]) is not None}
    present = [level for level in _CLUSTERS.values() if tally.of_class(level)]
    if largest is not None and present:
        strongest = present[0]
        if found.setdefault(strongest, largest) != largest:
            cells.fault("cluster_cells", f"contradicts cluster_cells_{strongest} ({found[strongest]})")
        if len(present) == 1:
            # Nothing stains more weakly, so a cluster of cells stained at all is the same one.
            levels = list(_CLUSTERS.values())
            found.update(
                {level: largest for level in levels[levels.index(strongest) :] if level not in found}
            )
    _check_clusters(cells, found, largest, present)
    return found


def _check_clusters(
    cells: TypedCells, found: Mapping[Reactivity, int], largest: int | None, present: list[Reactivity]
) -> None:
    if largest and not present:
        cells.fault("cluster_cells", f"is {largest}, but by the percentages no cell is stained")
    smaller = 0
    for column, level in _CLUSTERS.items():
        n = found.get(level)
        if n is None:
            continue
        if n < smaller:
            message = f"is {n}, fewer than the {smaller} cells of a cluster that stains more strongly"
            cells.fault(column, message)
        if n and not any(stronger in present for stronger in _levels_from(level)):
            cells.fault(column, f"is {n}, but by the percentages no cell stains so strongly")
        smaller = max(smaller, n)


@cache
def _levels_from(level: Reactivity) -> tuple[Reactivity, ...]:
    levels = tuple(_CLUSTERS.values())
    return levels[: levels.index(level) + 1]


def _conclusion(reading: IhcReading, guideline: Guideline) -> object:
    """Say what the guideline reads, without its reasons: the same for readings that lead to one result."""
    unreadable = holding(reading, guideline.unreadable)
    rejected = holding(reading, guideline.ihc_rejections)
    if unreadable or rejected:
        return tuple(rule.id for rule in unreadable), tuple(rule.id for rule in rejected)
    scoring = decide(reading, guideline.ihc).conclusion
    return scoring.finding, scoring.score


def _compare_with_stated(
    cells: TypedCells, stated: IhcScore, reading: IhcReading, guideline: Guideline
) -> None:
    if any((holding(reading, guideline.unreadable), holding(reading, guideline.ihc_rejections))):
        return
    score = decide(reading, guideline.ihc).conclusion.score
    if score is not stated:
        cells.fault("ihc", f"says {stated}, but the percentages are {score} by {guideline.id}")
