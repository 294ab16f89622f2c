"""What could not be computed, and why: gathered from all documents, nothing left unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from her2path.io.qa_documents import AgreementResult, EstimateEntry
from her2path.reports.qa_statistics import statistic
from her2path.reports.qa_words import QUANTITY_WORDS, endpoint_words, pair_words


@dataclass(frozen=True, slots=True)
class Gap:
    """A statistic without a value, or without an interval, for one reason."""

    statistic: str
    of: str
    """On what it was asked for."""
    missing: str
    """``value`` or ``interval``."""
    why: str
    times: int
    first: str
    """The first comparison that it is missing from."""


def gaps(result: AgreementResult) -> tuple[Gap, ...]:
    """Gather statistics without a value or an interval by reason, the most frequent first."""
    times: Counter[tuple[str, str, str, str]] = Counter()
    first: dict[tuple[str, str, str, str], str] = {}
    for of, where, name, entry in _all_estimates(result):
        if entry.why:
            what = "value" if entry.value is None else "interval"
            key = (statistic(name).title, of, what, entry.why)
            times[key] += 1
            first.setdefault(key, where)
    ranked = sorted(times, key=lambda key: (key[2] == "interval", -times[key], key))
    return tuple(Gap(*key, times[key], first[key]) for key in ranked)


def _all_estimates(result: AgreementResult) -> Iterator[tuple[str, str, str, EstimateEntry]]:
    for pair in result.pairs:
        of, where = endpoint_words(pair.endpoint), _where(pair_words(pair), pair.stratum_value)
        yield from _named(of, where, pair.estimates.items())
        for treatment in pair.percent_agreement:
            yield from _named(of, where, treatment.estimates.items())
    for among in result.among_readers:
        where = _where("the software and the readers", among.stratum_value)
        yield from _named(endpoint_words(among.endpoint), where, among.estimates.items())
    for several in result.multi_rater:
        where = _where("all readers", several.stratum_value)
        yield from _named(endpoint_words(several.endpoint), where, several.estimates.items())
    for method in result.methods:
        of, where = QUANTITY_WORDS[method.quantity], pair_words(method)
        yield from _named(of, where, method.estimates.items())
        for cut in method.cuts:
            yield from _named(of, f"{where}, cut-point {cut.cut:.1f}", cut.estimates.items())


def _named(
    of: str, where: str, estimates: Iterable[tuple[str, EstimateEntry]]
) -> Iterator[tuple[str, str, str, EstimateEntry]]:
    for name, entry in estimates:
        yield of, where, name, entry


def _where(words: str, stratum: str) -> str:
    return f"{words} ({stratum})" if stratum else words
