"""Rows of the table that come from phantom cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from her2path.domain.ish import IshGroup, SignalSummary
from her2path.domain.stats.intervals import wilson_interval
from her2path.imaging.phantoms.fish import group_of
from tests.validation.fish.agreement import CountedNucleus, FieldAgreement, Hits
from tests.validation.fish.cases import is_borderline
from tests.validation.measures import Direction, Measure, drawn_interval

LOW_AMPLIFICATION = (4.0, 8.0)
"""Mean HER2 copies of the cases on whose bias is asked."""


@dataclass(frozen=True, slots=True)
class CaseAgreement:
    """The fields of one case, compared."""

    name: str
    profile: str
    fields: tuple[FieldAgreement, ...]

    @property
    def found(self) -> SignalSummary:
        """What her2path counts."""
        return _summed(field.scored for field in self.fields)

    @property
    def true(self) -> SignalSummary:
        """What can be resolved in the nuclei that a reader would score."""
        return _summed(field.scored_true for field in self.fields)

    @property
    def counted(self) -> list[CountedNucleus]:
        """Nuclei scored by both."""
        return [nucleus for field in self.fields for nucleus in field.counted]

    @property
    def true_of_same(self) -> SignalSummary:
        """The truth of the nuclei that both score."""
        return _totals([(n.her2_true, n.cep17_true or 0) for n in self.counted])

    @property
    def found_of_same(self) -> SignalSummary:
        """What her2path counts in the nuclei that both score."""
        return _totals([(n.her2, n.cep17 or 0) for n in self.counted])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "profile": self.profile,
            "fields": [field.as_json() for field in self.fields],
        }

    @classmethod
    def of_json(cls, given: dict[str, Any]) -> CaseAgreement:
        """Read back what `as_json` wrote."""
        fields = []
        for one in given["fields"]:
            fields.append(
                FieldAgreement(
                    **{
                        **one,
                        "nuclei": Hits(**one["nuclei"]),
                        "signals": {role: Hits(**hits) for role, hits in one["signals"].items()},
                        "counted": [CountedNucleus(**nucleus) for nucleus in one["counted"]],
                    }
                )
            )
        return cls(given["name"], given["profile"], tuple(fields))


def _summed(parts: Any) -> SignalSummary:
    nuclei, her2, cep17 = np.sum(list(parts), axis=0).tolist()
    return SignalSummary(nuclei, her2, cep17)


def _totals(counts: list[tuple[int, int]]) -> SignalSummary:
    return SignalSummary(len(counts), sum(c[0] for c in counts), sum(c[1] for c in counts))


Cases = Sequence[CaseAgreement]
Pick = Callable[[CaseAgreement], tuple[SignalSummary, SignalSummary]]


def found_and_true(case: CaseAgreement) -> tuple[SignalSummary, SignalSummary]:
    """What is counted, and the truth over the nuclei that a reader would score."""
    return case.found, case.true


def of_same_nuclei(case: CaseAgreement) -> tuple[SignalSummary, SignalSummary]:
    """The same over the nuclei that both score."""
    return case.found_of_same, case.true_of_same


def phantom_rows(cases: Cases) -> list[Measure]:
    """All rows that come from phantom cases."""
    amplified = [c for c in cases if LOW_AMPLIFICATION[0] <= (c.true.her2_mean or 0) <= LOW_AMPLIFICATION[1]]
    rows = [
        _drawn(cases, "nuclei F1 at half the union", nuclei_f1, asked=0.92),
        signal_row(cases),
        *count_rows(cases),
        *cluster_rows(cases),
        *ratio_rows(cases, found_and_true, asked=(4.0, 12.0)),
        *ratio_rows(cases, of_same_nuclei, asked=(None, None)),
        group_row(cases, borderline=False, asked=97.0),
        group_row(cases, borderline=True, asked=75.0),
        *bias_rows(amplified, found_and_true, 3.0),
        *bias_rows(amplified, of_same_nuclei, None),
        kept_wrongly(cases),
    ]
    return [row for row in rows if row is not None]


def _on(cases: Cases) -> str:
    return f"{len(cases)} phantom cases, {sum(len(c.fields) for c in cases)} fields"


def _drawn(
    cases: Cases,
    name: str,
    value: Callable[[Cases], float | None],
    *,
    asked: float | None = None,
    direction: Direction = "at least",
    unit: str = "",
    detail: str = "",
) -> Measure | None:
    """A row with an interval over draws of whole cases; None where there is nothing to measure."""
    found = value(cases)
    if found is None:
        return None
    low, high = drawn_interval(cases, lambda chosen: np.nan if (v := value(chosen)) is None else v)
    return Measure(name, _on(cases), found, unit, low, high, asked, direction, detail)


def signal_row(cases: Cases) -> Measure | None:
    """Signals outside clusters."""
    return _drawn(cases, "signal F1 outside clusters", signal_f1, asked=0.95)


def count_rows(cases: Cases) -> list[Measure | None]:
    """Nuclei whose count is met, for each colour."""
    return [
        _drawn(
            cases,
            f"{role.upper()} of a nucleus {word}, outside clusters",
            met(role, most),
            asked=asked,
            unit="%",
        )
        for role in ("her2", "cep17")
        for word, most, asked in (("exact", 0, 85.0), ("within one", 1, 98.0))
    ]


def nuclei_f1(cases: Cases) -> float:
    """Pooled over all fields."""
    return sum((f.nuclei for c in cases for f in c.fields), start=Hits()).f1


def signal_f1(cases: Cases, role: str | None = None) -> float:
    """Pooled over all fields, of one colour or of both."""
    parts = (h for c in cases for f in c.fields for name, h in f.signals.items() if role in (None, name))
    return sum(parts, start=Hits()).f1


def met(role: str, most: int) -> Callable[[Cases], float | None]:
    """Per cent of the nuclei whose count is off by `most` at most."""

    def share(cases: Cases) -> float | None:
        errors = [abs(e) for c in cases for n in c.counted if (e := count_error(n, role)) is not None]
        return 100 * float(np.mean(np.array(errors) <= most)) if errors else None

    return share


def count_error(nucleus: CountedNucleus, role: str) -> int | None:
    """Found less true; None for HER2 in a nucleus with a true cluster, and without a second probe."""
    if role == "her2":
        return None if nucleus.clusters else nucleus.her2 - nucleus.her2_true
    if nucleus.cep17 is None or nucleus.cep17_true is None:
        return None
    return nucleus.cep17 - nucleus.cep17_true


def cluster_rows(cases: Cases) -> list[Measure | None]:
    """Copies of clusters, found over true less one, in per cent."""

    def errors(chosen: Cases) -> list[float]:
        return [100 * (found / true - 1) for c in chosen for f in c.fields for true, found in f.clusters]

    def median_of(absolute: bool) -> Callable[[Cases], float | None]:
        def median(chosen: Cases) -> float | None:
            every = errors(chosen)
            return float(np.median(np.abs(every) if absolute else every)) if every else None

        return median

    def in_sum(chosen: Cases) -> float | None:
        pairs = [pair for c in chosen for f in c.fields for pair in f.clusters]
        return 100 * (sum(p[1] for p in pairs) / sum(p[0] for p in pairs) - 1) if pairs else None

    detail = f"{len(errors(cases))} clusters"
    return [
        _drawn(
            cases,
            "cluster copies, relative error, median",
            median_of(True),
            asked=15.0,
            direction="at most",
            unit="%",
            detail=detail,
        ),
        _drawn(cases, "cluster copies, bias, median", median_of(False), unit="%"),
        _drawn(cases, "cluster copies, bias in sum", in_sum, unit="%"),
    ]


def ratio_errors(cases: Cases, pick: Pick = found_and_true) -> list[float]:
    """Found over true ratio less one in per cent; a case without a count is off by 100."""
    errors = []
    for case in cases:
        found, true = pick(case)
        if true.her2_cep17_ratio:
            errors.append(100 * ((found.her2_cep17_ratio or 0.0) / true.her2_cep17_ratio - 1))
    return errors


def ratio_rows(cases: Cases, pick: Pick, *, asked: tuple[float | None, float | None]) -> list[Measure | None]:
    """Median and 95th percentile of the relative error of the ratio."""
    same = ", same nuclei" if pick is of_same_nuclei else ""

    def at(percentile: float) -> Callable[[Cases], float | None]:
        def value(chosen: Cases) -> float | None:
            errors = ratio_errors(chosen, pick)
            return float(np.percentile(np.abs(errors), percentile)) if errors else None

        return value

    bias = np.mean(ratio_errors(cases, pick)) if ratio_errors(cases, pick) else 0.0
    return [
        _drawn(
            cases,
            f"ratio, relative error, {word}{same}",
            at(q),
            asked=limit,
            direction="at most",
            unit="%",
            detail=f"mean {bias:+.1f} %",
        )
        for word, q, limit in (("median", 50, asked[0]), ("95th percentile", 95, asked[1]))
    ]


def group_row(cases: Cases, *, borderline: bool, asked: float) -> Measure | None:
    """Cases whose ISH group is that of the true visible counts; a case without a count is wrong."""
    own = [c for c in cases if is_borderline(c.true) is borderline]
    if not own:
        return None
    wrong = []
    for case in own:
        true, found = group_of(case.true), group_of(case.found)
        if found is not true:
            wrong.append(f"{case.name}: {word(true)} read {word(found)}")
    equal = len(own) - len(wrong)
    low, high = wilson_interval(equal, len(own))
    name = "ISH group equal to that of the true visible counts" + (", borderline" if borderline else "")
    detail = f"{equal} of {len(own)}" + "".join(f"; {line}" for line in wrong)
    return Measure(name, _on(own), 100 * equal / len(own), "%", 100 * low, 100 * high, asked, detail=detail)


def word(group: IshGroup | None) -> str:
    """Number of a group, `none` where there is none."""
    return "none" if group is None else str(group.value)


def bias_rows(cases: Cases, pick: Pick, asked: float | None) -> list[Measure]:
    """Mean relative error of mean HER2 per nucleus at low amplification: its size, and with its sign."""
    same = ", same nuclei" if pick is of_same_nuclei else ""

    def signed(chosen: Cases) -> float:
        errors = []
        for case in chosen:
            found, true = pick(case)
            if true.her2_mean:
                errors.append(100 * ((found.her2_mean or 0.0) / true.her2_mean - 1))
        return float(np.mean(errors)) if errors else 0.0

    if not cases:
        return []
    low, high = drawn_interval(cases, signed)
    value, name = signed(cases), f"bias of mean HER2 at 4 to 8 copies{same}"
    told = Measure(name, _on(cases), value, "%", low, high)
    if asked is None:
        return [told]
    size = Measure(f"{name}, size", _on(cases), abs(value), "%", threshold=asked, direction="at most")
    return [size, told]


def kept_wrongly(cases: Cases) -> Measure | None:
    """Scored objects that a reader would not score."""

    def share(chosen: Cases) -> float | None:
        kept = sum(f.scored[0] for c in chosen for f in c.fields)
        return (
            100 * sum(sum(f.kept_wrongly.values()) for c in chosen for f in c.fields) / kept if kept else None
        )

    reasons: dict[str, int] = {}
    for case in cases:
        for one in case.fields:
            for word, count in one.kept_wrongly.items():
                reasons[word] = reasons.get(word, 0) + count
    detail = ", ".join(f"{word} {count}" for word, count in sorted(reasons.items()))
    return _drawn(cases, "scored nuclei that a reader would not score", share, unit="%", detail=detail)
