"""Tables for spreadsheets of the discordance review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from her2path.domain.ihc import StainingClass
from her2path.io.qa_review_entries import DiscordantCase, EvidenceEntry, ReadingEntry, ReviewResult
from her2path.reports.qa_tables import ESTIMATE_COLUMNS, CsvTable, Value, estimate_cells, joined

_READING = (
    "ihc_score",
    *(f"pct_{name}" for name in StainingClass),
    "her2_signals",
    "cep17_signals",
    "nuclei",
    "ish_group",
    "category",
    "call",
    "comment",
)


def review_tables(result: ReviewResult | None) -> tuple[CsvTable, ...]:
    """List all numbers of the review; without one the tables have no rows."""
    cases = () if result is None else result.cases
    return (
        _kinds(result),
        _cases(result),
        CsvTable(
            "review_opinions",
            ("case_id", "who", "is_reread", "list_id", "blinded", "read_on", *_READING, "differs"),
            tuple(row for one in cases for row in _opinions(one)),
        ),
        CsvTable(
            "review_evidence",
            ("case_id", "kind", "name", "value", "cut", "distance", "unit", "source"),
            tuple(
                (one.case_id, *row)
                for one in cases
                if one.evidence is not None
                for row in _evidence(one.evidence)
            ),
        ),
        _rereads(result),
        _adjudications(result),
    )


def _kinds(result: ReviewResult | None) -> CsvTable:
    rows = () if result is None else result.weights
    columns = ("kind", "title", "cases", "reason")
    return CsvTable(
        "review_kinds", columns, tuple((str(one.kind), one.title, one.cases, one.reason) for one in rows)
    )


def _cases(result: ReviewResult | None) -> CsvTable:
    every = () if result is None else (*result.cases, *result.further)
    decided = set() if result is None else {one.case_id for one in result.adjudications}
    rows = tuple(
        (
            one.rank,
            one.case_id,
            str(one.kind),
            str(one.against_software).lower(),
            one.differing,
            str(one.case_id in decided).lower(),
        )
        for one in every
    )
    columns = ("rank", "case_id", "kind", "against_software", "differing", "adjudicated")
    return CsvTable("review_cases", columns, rows)


def _opinions(one: DiscordantCase) -> Iterator[tuple[Value, ...]]:
    for opinion in one.opinions:
        differs = None if opinion.differs is None else str(opinion.differs)
        yield (
            *(one.case_id, opinion.reader, "false", None, None, opinion.read_on),
            *_reading(opinion),
            differs,
        )
    for reread in one.rereads:
        blinded = str(reread.blinded).lower()
        yield (
            *(one.case_id, reread.reader, "true", reread.list_id, blinded, reread.read_on),
            *_reading(reread),
            None,
        )


def _reading(reading: ReadingEntry) -> tuple[Value, ...]:
    return (
        None if reading.ihc_score is None else str(reading.ihc_score),
        *(reading.percentages.get(name) for name in StainingClass),
        reading.her2_signals,
        reading.cep17_signals,
        reading.nuclei,
        reading.ish_group,
        None if reading.category is None else str(reading.category),
        reading.call,
        reading.comment or None,
    )


def _evidence(made: EvidenceEntry) -> Iterable[tuple[Value, ...]]:
    for rule in made.rule_trail:
        yield ("rule", rule.rule_id, rule.conclusion, None, None, None, rule.source)
    for name, value in (*made.ihc.items(), *made.ish.items()):
        yield ("number", name, value, None, None, None, None)
    for far in made.distance_to_cut:
        yield ("distance", far.quantity, far.value, far.cut, far.distance, far.unit, None)
    for flag in made.flags:
        yield ("flag", flag, None, None, None, None, None)
    for name, paths in made.files.items():
        yield ("files", name, joined(paths), None, None, None, None)


def _rereads(result: ReviewResult | None) -> CsvTable:
    columns = (
        *("list_id", "reader", "read_on", "blinded", "cases", "not_read", "discordant_cases"),
        *("read_before", "keeps_first", "takes_software", "fewest_days"),
    )
    rows = tuple(
        (
            *(one.list_id, one.reader, one.read_on, str(one.blinded).lower(), one.cases, one.not_read),
            *(one.discordant_cases, one.read_before, one.keeps_first, one.takes_software, one.fewest_days),
            *cells,
        )
        for one in (() if result is None else result.rereads)
        for cells in estimate_cells({"repeats_agree": one.repeats_agree})
    )
    return CsvTable("review_rereads", (*columns, *ESTIMATE_COLUMNS), rows)


def _adjudications(result: ReviewResult | None) -> CsvTable:
    columns = (
        "number",
        "case_id",
        "by",
        "decided_on",
        "ihc_score",
        "call",
        "category",
        "why",
        "read_the_case",
    )
    rows = tuple(
        (
            one.number,
            one.case_id,
            one.by,
            one.decided_on,
            None if one.ihc_score is None else str(one.ihc_score),
            one.call,
            None if one.category is None else str(one.category),
            one.why,
            str(one.read_the_case).lower(),
        )
        for one in (() if result is None else result.adjudications)
    )
    return CsvTable("review_adjudications", columns, rows)
