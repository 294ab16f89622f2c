"""What a quality lead needs first: how much, how well, what matters to patients, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from her2path.domain.reads import SOFTWARE, Endpoint
from her2path.io.qa_documents import AgreementResult, AmongReadersEntry, EstimateEntry
from her2path.io.qa_monitoring_entries import MonitoringResult
from her2path.reports.html.scales import isolated
from her2path.reports.numbers import count_text, counted_text
from her2path.reports.qa_gaps import Gap
from her2path.reports.qa_statistics import interval_words, value_words
from her2path.reports.qa_words import ENDPOINT_WORDS, WITH_ONE_READER, capitalised

MOST_GAPS = 5
"""Reasons for missing statistics at the top of the page; all of them stand at its end."""
MOST_READER_TILES = 3
"""Readers whose agreement with the software stands at the top where there is no agreement among them."""
MOST_ALARMS = 5
"""Alarms at the top of the page, the latest; all of them stand with the charts."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that stands out."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The top of the page."""

    lead: str
    tiles: tuple[Tile, ...]
    findings: tuple[str, ...]
    """Sentences that somebody should act on or know first."""
    missing: tuple[str, ...]
    """What was not given or could not be computed, in sentences."""
    notes: tuple[str, ...]
    """How the numbers are to be read, in sentences."""


@dataclass(frozen=True, slots=True)
class Effects:
    """Disagreements of the software with readers, by what they change."""

    compared: int
    """Pairs of a case and a reader, both of the software and the reader with a category."""
    treatment: int
    open: int
    same: int
    """On the score only, within one category."""


def count_effects(result: AgreementResult) -> Effects:
    """Count the disagreements of the software with each reader by their effect on the category."""
    differ = [
        e
        for e in result.category_effects
        if e.first == SOFTWARE and (e.first_score, e.first_category) != (e.second_score, e.second_category)
    ]
    both = (
        pair.cases
        for pair in result.pairs
        if pair.kind in WITH_ONE_READER and pair.endpoint == Endpoint.CATEGORY and not pair.stratum
    )
    return Effects(
        compared=sum(both),
        treatment=sum(e.cases for e in differ if e.changes == "treatment"),
        open=sum(e.cases for e in differ if e.changes == "open"),
        same=sum(e.cases for e in differ if e.changes == "none"),
    )


def overall(result: AgreementResult, endpoint: Endpoint) -> AmongReadersEntry | None:
    """Find the software's agreement beside that of the readers, over all cases."""
    found = (e for e in result.among_readers if e.endpoint == endpoint and not e.stratum)
    return next(found, None)


def summarise(
    result: AgreementResult, watched: MonitoringResult | None, found_gaps: Sequence[Gap]
) -> Summary:
    """Prepare the top of the page from the documents."""
    persons = [reader for reader in result.readers if not reader.is_software]
    lead = (
        f"{counted_text(result.cases)} called by the software and read by "
        f"{counted_text(len(persons), noun='reader')} in {counted_text(result.reads, noun='read')}."
    )
    if not result.cases:
        lead = "No case has both a call of the software and a read, so nothing could be compared."
    effects = count_effects(result)
    return Summary(
        lead,
        (*_agreement_tiles(result), _effects_tile(effects), _alarm_tile(watched)),
        _findings(result, watched, effects),
        _missing(result, watched, found_gaps),
        result.notes,
    )


def _agreement_tiles(result: AgreementResult) -> list[Tile]:
    entry = overall(result, Endpoint.SCORE)
    if entry is None:
        return _tiles_of_one_reader(result)
    labels = (
        ("software_readers", "The software agrees with readers (IHC score)"),
        ("readers_readers", "Readers agree with each other (IHC score)"),
    )
    tiles: list[Tile] = []
    for name, label in labels:
        one = entry.estimates.get(name)
        if one is None or one.value is None:
            tiles.append(Tile(label, "not known", "" if one is None else one.why))
        else:
            tiles.append(Tile(label, value_words(name, one.value), _interval_and_cases(name, one)))
    return tiles


def _tiles_of_one_reader(result: AgreementResult) -> list[Tile]:
    """State the plain agreement with each reader where no two readers can be compared."""
    tiles = [
        Tile(
            f"The software agrees with {isolated(pair.second)} (IHC score)",
            value_words("exact", one.value),
            _interval_and_cases("exact", one),
        )
        for pair in result.pairs
        if pair.kind in WITH_ONE_READER and pair.endpoint == Endpoint.SCORE and not pair.stratum
        if (one := pair.estimates.get("exact")) is not None
    ]
    why = "no case was read by two readers"
    return [*tiles[:MOST_READER_TILES], Tile("Readers agree with each other (IHC score)", "not known", why)]


def _interval_and_cases(name: str, entry: EstimateEntry) -> str:
    return f"{interval_words(name, entry)}, {counted_text(entry.n)}"


def _effects_tile(effects: Effects) -> Tile:
    note = f"of {counted_text(effects.compared, noun='comparison')} of a case with a reader"
    if effects.open:
        note += f"; {count_text(effects.open)} more are open"
    return Tile("Disagreements that change the clinical category", count_text(effects.treatment), note)


def _alarm_tile(watched: MonitoringResult | None) -> Tile:
    if watched is None:
        return Tile("Alarms of the control charts", "not watched", "no runs and no dated cases were given")
    if not watched.charts:
        return Tile("Alarms of the control charts", "not watched", "too few runs and cases for a chart")
    alarms = sum(not alarm.is_warning for alarm in watched.alarms)
    note = f"{counted_text(len(watched.charts), noun='chart')} watched"
    warnings = len(watched.alarms) - alarms
    if warnings:
        note += f"; also {counted_text(warnings, noun='warning')}"
    return Tile("Alarms of the control charts", count_text(alarms), note)


def _findings(result: AgreementResult, watched: MonitoringResult | None, effects: Effects) -> tuple[str, ...]:
    found: list[str] = []
    for endpoint in Endpoint:
        entry = overall(result, endpoint)
        if entry is not None:
            found.append(f"{ENDPOINT_WORDS[endpoint]}: {entry.statement}")
    if effects.treatment:
        compared = counted_text(effects.compared, noun="comparison")
        found.append(
            f"In {count_text(effects.treatment)} of {compared} of a case with a reader the software and the "
            "reader put the case into different clinical categories."
        )
    found += _alarms(watched)
    contradictory = sum(group.cases for reader in result.readers for group in reader.contradictions.values())
    if contradictory:
        verb = "contradicts itself" if contradictory == 1 else "contradict themselves"
        found.append(
            f"{counted_text(contradictory, noun='read')} {verb} "
            "(the score or call is not what the reader's own numbers give); see the readers."
        )
    not_met = [check.title for check in result.study_checks if check.status == "not_met"]
    if not_met:
        found.append(f"Rules for validation studies that are not met: {'; '.join(not_met)}.")
    return tuple(found)


def _alarms(watched: MonitoringResult | None) -> list[str]:
    alarms = [] if watched is None else [alarm for alarm in watched.alarms if not alarm.is_warning]
    named = [f"Alarm {alarm.number}, rule {alarm.rule}: {alarm.text}" for alarm in alarms[-MOST_ALARMS:]]
    if len(alarms) > MOST_ALARMS:
        named.append(
            f"{count_text(len(alarms) - MOST_ALARMS)} earlier alarms are listed under Monitoring over time."
        )
    return named


def _often(times: int) -> str:
    return "once" if times == 1 else f"{count_text(times)} times"


def _missing(
    result: AgreementResult, watched: MonitoringResult | None, found_gaps: Sequence[Gap]
) -> tuple[str, ...]:
    missing = [
        f"{capitalised(entry.text)} ({counted_text(entry.cases)}, {counted_text(entry.reads, noun='read')})"
        for entry in result.left_out
    ]
    without_value = [gap for gap in found_gaps if gap.missing == "value"]
    missing += [
        f"{gap.statistic}, {gap.of}: {gap.why} ({_often(gap.times)}, first {gap.first})"
        for gap in without_value[:MOST_GAPS]
    ]
    if len(without_value) > MOST_GAPS:
        missing.append(
            f"{count_text(len(without_value) - MOST_GAPS)} further reasons are listed at the end of the page."
        )
    if watched is None or not watched.runs:
        missing.append(
            "No runs of control tissue were given (`--runs`), so the stain was not watched over time."
        )
    if watched is not None and watched.no_charts:
        charts = counted_text(len(watched.no_charts), noun="chart")
        missing.append(f"{charts} could not be drawn; see Monitoring over time.")
    if not result.strata:
        missing.append(
            "No strata were given (`--strata`): agreement by site, scanner, clone or batch is not known."
        )
    return tuple(missing)
