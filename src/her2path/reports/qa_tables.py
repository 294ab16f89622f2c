"""Tables for spreadsheets of quality assurance: every number of the documents, one row each.

RFC 4180 (commas, CRLF, quotes doubled), UTF-8 without a byte-order mark.  An empty cell means that
there is no value, and the column `why` says why.  Numbers stand as they are; text that a
spreadsheet would take for a formula is preceded by an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from her2path.io.count_table import guarded
from her2path.io.qa_documents import AgreementResult, EstimateEntry, MethodEntry, PairEntry

Value = str | int | float | None
ESTIMATE_COLUMNS = ("statistic", "value", "low", "high", "confidence", "method", "n", "why")
_PAIR = (
    "endpoint",
    "kind",
    "first",
    "second",
    "first_session",
    "second_session",
    "stratum",
    "stratum_value",
    "cases",
)
_METHOD = ("quantity", "kind", "first", "second", "first_session", "second_session", "cases")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table by its name, with all of its rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    @property
    def text(self) -> str:
        r"""The table as the text of a CSV file.

        Examples
        --------
        >>> CsvTable("t", ("who", "n"), (("=1+1", 2), ("r", None))).text
        "who,n\r\n'=1+1,2\r\nr,\r\n"
        """
        target = io.StringIO(newline="")
        writer = csv.writer(target, lineterminator="\r\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return target.getvalue()


def _cell(value: Value) -> str:
    if value is None:
        return ""
    # repr gives the shortest digits that read back as the same number.
    return repr(value) if isinstance(value, float) else guarded(str(value))


def joined(names: Iterable[str]) -> str | None:
    """Put several names into one cell; None for none of them."""
    return ";".join(names) or None


def estimate_cells(estimates: Mapping[str, EstimateEntry]) -> Iterator[tuple[Value, ...]]:
    """List estimates as rows of `ESTIMATE_COLUMNS`."""
    for name, e in estimates.items():
        yield (name, e.value, e.low, e.high, e.confidence, e.method, e.n, e.why or None)


def agreement_tables(result: AgreementResult) -> tuple[CsvTable, ...]:
    """List all numbers of the document of agreement."""
    return (
        _readers(result),
        _reader_values(result),
        _estimates("agreement", _PAIR, ((_pair(p), p.estimates) for p in result.pairs)),
        _confusion(result),
        _percent_agreement(result),
        _estimates(
            "among_readers",
            ("endpoint", "stratum", "stratum_value", "readers", "cases"),
            (
                ((str(e.endpoint), e.stratum, e.stratum_value, e.readers, e.cases), e.estimates)
                for e in result.among_readers
            ),
        ),
        _estimates(
            "multi_rater",
            ("endpoint", "stratum", "stratum_value", "with_software", "raters", "cases"),
            (
                (
                    (
                        str(e.endpoint),
                        e.stratum,
                        e.stratum_value,
                        str(e.with_software).lower(),
                        joined(e.raters),
                        e.cases,
                    ),
                    e.estimates,
                )
                for e in result.multi_rater
            ),
        ),
        _category_effects(result),
        _estimates("comparisons", _METHOD, ((_method(m), m.estimates) for m in result.methods)),
        _cuts(result),
        _points(result),
        _study_checks(result),
        _left_out(result),
        _left_out_of_pairs(result),
    )


def _estimates(
    name: str,
    columns: tuple[str, ...],
    entries: Iterable[tuple[tuple[Value, ...], Mapping[str, EstimateEntry]]],
) -> CsvTable:
    rows = tuple((*head, *cells) for head, estimates in entries for cells in estimate_cells(estimates))
    return CsvTable(name, (*columns, *ESTIMATE_COLUMNS), rows)


def _pair(pair: PairEntry) -> tuple[Value, ...]:
    return (
        str(pair.endpoint),
        pair.kind,
        pair.first,
        pair.second,
        pair.first_session,
        pair.second_session,
        pair.stratum,
        pair.stratum_value,
        pair.cases,
    )


def _method(method: MethodEntry) -> tuple[Value, ...]:
    return (
        method.quantity,
        method.kind,
        method.first,
        method.second,
        method.first_session,
        method.second_session,
        method.cases,
    )


def _readers(result: AgreementResult) -> CsvTable:
    columns = ("reader", "is_software", "cases", "reads", "sessions", "counted", "first_on", "last_on")
    rows = tuple(
        (r.reader, str(r.is_software).lower(), r.cases, r.reads, r.sessions, r.counted, r.first_on, r.last_on)
        for r in result.readers
    )
    return CsvTable("readers", columns, rows)


def _reader_values(result: AgreementResult) -> CsvTable:
    """List how often each reader gave each level, and reads that contradict themselves."""
    rows: list[tuple[Value, ...]] = []
    for r in result.readers:
        for endpoint, levels in r.values.items():
            rows += [(r.reader, str(endpoint), level, n, None) for level, n in levels.items()]
        rows += [
            (r.reader, "contradiction", name, group.cases, joined(group.case_ids))
            for name, group in r.contradictions.items()
        ]
    return CsvTable("reader_values", ("reader", "endpoint", "level", "reads", "case_ids"), tuple(rows))


def _confusion(result: AgreementResult) -> CsvTable:
    rows = tuple(
        (*_pair(pair), first, second, n)
        for pair in result.pairs
        for first, counts in zip(pair.levels, pair.table, strict=True)
        for second, n in zip(pair.levels, counts, strict=True)
    )
    return CsvTable("confusion", (*_PAIR, "first_level", "second_level", "cases_here"), rows)


_NO_TABLE = ((None, None), (None, None))


def _percent_agreement(result: AgreementResult) -> CsvTable:
    columns = (*_PAIR, "analysis", "both_positive", "only_first", "only_second", "both_negative")
    entries = (
        (
            # At the least and the most each measure has counts of its own, and there is no table.
            (*_pair(pair), entry.analysis, *(n for row in entry.table or _NO_TABLE for n in row)),
            entry.estimates,
        )
        for pair in result.pairs
        for entry in pair.percent_agreement
    )
    return _estimates("percent_agreement", columns, entries)


def _fields(table: tuple[tuple[int, int], tuple[int, int]] | None) -> tuple[Value, ...]:
    return (None,) * 4 if table is None else (*table[0], *table[1])


def _category_effects(result: AgreementResult) -> CsvTable:
    columns = (
        "first",
        "second",
        "first_score",
        "second_score",
        "first_category",
        "second_category",
        "changes",
        "cases",
        "case_ids",
    )
    rows = tuple(
        (
            e.first,
            e.second,
            e.first_score,
            e.second_score,
            e.first_category,
            e.second_category,
            e.changes,
            e.cases,
            joined(e.case_ids),
        )
        for e in result.category_effects
    )
    return CsvTable("category_effects", columns, rows)


def _cuts(result: AgreementResult) -> CsvTable:
    columns = (
        *_METHOD,
        "cut",
        "both_at_or_above",
        "only_first",
        "only_second",
        "both_below",
        "case_ids",
    )
    entries = (
        ((*_method(m), cut.cut, *cut.table[0], *cut.table[1], joined(cut.case_ids)), cut.estimates)
        for m in result.methods
        for cut in m.cuts
    )
    return _estimates("cuts", columns, entries)


def _points(result: AgreementResult) -> CsvTable:
    rows = tuple(
        (*_method(m), *point)
        for m in result.methods
        if m.points is not None
        for point in zip(m.points.case_ids, m.points.first, m.points.second, strict=True)
    )
    return CsvTable("comparison_points", (*_METHOD, "case_id", "first_value", "second_value"), rows)


def _study_checks(result: AgreementResult) -> CsvTable:
    columns = ("name", "title", "status", "needed", "found", "does_not_check", "source")
    rows = tuple(
        (c.name, c.title, c.status, c.needed, c.found, c.does_not_check, c.source)
        for c in result.study_checks
    )
    return CsvTable("study_checks", columns, rows)


def _left_out(result: AgreementResult) -> CsvTable:
    rows = tuple((e.reason, e.text, e.cases, e.reads, joined(e.case_ids)) for e in result.left_out)
    return CsvTable("left_out", ("reason", "text", "cases", "reads", "case_ids"), rows)


def _left_out_of_pairs(result: AgreementResult) -> CsvTable:
    """List the cases that single comparisons could not use, by reason."""
    rows = tuple(
        (*_pair(pair), reason, n) for pair in result.pairs for reason, n in pair.left_out.items()
    ) + tuple(
        (
            m.quantity,
            m.kind,
            m.first,
            m.second,
            m.first_session,
            m.second_session,
            None,
            None,
            m.cases,
            reason,
            n,
        )
        for m in result.methods
        for reason, n in m.left_out.items()
    )
    return CsvTable("left_out_of_pairs", (*_PAIR, "reason", "left_out"), rows)
