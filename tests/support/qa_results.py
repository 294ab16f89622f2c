"""Documents of quality assurance for tests of the page: a few readers whose scores are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np

from her2path.domain.reads import LEVELS, SOFTWARE, Endpoint
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.pair_agreement import PairAgreement, pair_agreement
from her2path.io.documents import Producer
from her2path.io.qa_documents import (
    AgreementDoc,
    AgreementResult,
    AmongReadersEntry,
    CategoryEffectEntry,
    CutEntry,
    EstimateEntry,
    LeftOutEntry,
    MethodEntry,
    MultiRaterEntry,
    PairEntry,
    PercentAgreementEntry,
    PointsEntry,
    ReaderEntry,
    StudyCheckEntry,
)

PRODUCER = Producer(step="qa_agreement", version="test")


def wilson(agreed: int, n: int) -> EstimateEntry:
    """Build the entry of a share; the interval need not be right where a page prints it."""
    if n == 0:
        return EstimateEntry.of(Estimate.none("no case was read by both", "Wilson"))
    value = agreed / n
    return EstimateEntry.of(Estimate(value, max(value - 0.1, 0.0), min(value + 0.05, 1.0), "Wilson", n=n))


def table_of(first: Sequence[int], second: Sequence[int], k: int) -> tuple[tuple[int, ...], ...]:
    """Count the cases by both codes."""
    rows = np.zeros((k, k), int)
    np.add.at(rows, (np.array(first, int), np.array(second, int)), 1)
    return tuple(tuple(map(int, row)) for row in rows)


def pair(
    kind: str, first: str, second: str, codes: Mapping[str, Sequence[int]], endpoint: Endpoint
) -> PairEntry:
    """Build the agreement of two readers from the codes of both."""
    levels = LEVELS[endpoint]
    counts = table_of(codes[first], codes[second], len(levels))
    found = _agreement(counts)
    names = (
        "exact",
        "exact_clopper_pearson",
        "within_one",
        "kappa",
        "kappa_linear",
        "kappa_quadratic",
        "ac2",
        "alpha",
    )
    treatments = (percent(counts),) if endpoint is Endpoint.CALL else ()
    return PairEntry(
        kind=kind,
        endpoint=endpoint,
        first=first,
        second=second,
        cases=len(codes[first]),
        levels=levels,
        table=counts,
        estimates={name: EstimateEntry.of(getattr(found, name)) for name in names},
        percent_agreement=treatments,
    )


@lru_cache
def _agreement(counts: tuple[tuple[int, ...], ...]) -> PairAgreement:
    """Bootstrap each table once for all tests."""
    return pair_agreement(np.array(counts))


def percent(counts: tuple[tuple[int, ...], ...]) -> PercentAgreementEntry:
    """Treat what is neither as negative."""
    positive, only_first = counts[2][2], counts[2][0] + counts[2][1]
    only_second = counts[0][2] + counts[1][2]
    negative = sum(counts[i][j] for i in (0, 1) for j in (0, 1))
    return PercentAgreementEntry(
        analysis="as_negative",
        text="What is neither counts as negative.",
        table=((positive, only_first), (only_second, negative)),
        estimates={
            "positive": wilson(positive, positive + only_second),
            "negative": wilson(negative, negative + only_first),
            "overall": wilson(positive + negative, positive + negative + only_first + only_second),
        },
    )


def among(endpoint: Endpoint, cases: int, readers: int) -> AmongReadersEntry:
    """State the software's agreement beside that of the readers."""
    return AmongReadersEntry(
        endpoint=endpoint,
        readers=readers,
        cases=cases,
        estimates={
            "software_readers": wilson(9 * cases, 10 * cases),
            "readers_readers": wilson(cases, cases),
        },
        statement="The software agrees with readers less often than they agree with each other.",
    )


def method(codes: Sequence[float], second: str = "r1", *, quantity: str = "her2_cep17_ratio") -> MethodEntry:
    """Compare ratios that differ by a tenth."""
    ids = tuple(f"c{i}" for i in range(len(codes)))
    one = EstimateEntry.of(Estimate(1.1, 1.0, 1.2, "t on logarithms", n=len(codes)))
    names = ("bias", "lower_limit", "upper_limit", "deming_slope", "icc")
    cut = CutEntry(cut=2.0, table=((3, 1), (0, 4)), estimates={"overall": wilson(7, 8)}, case_ids=("c1",))
    return MethodEntry(
        kind="software_reader",
        quantity=quantity,
        first=SOFTWARE,
        second=second,
        cases=len(codes),
        estimates={
            **dict.fromkeys(names, one),
            "deming_intercept": one.model_copy(update={"value": 0.0, "low": -0.1, "high": 0.1}),
        },
        cuts=(cut,),
        points=PointsEntry(
            of=len(codes), case_ids=ids, first=tuple(1.1 * c for c in codes), second=tuple(codes)
        ),
    )


def reader(name: str, scores: Sequence[int], *, reads: int | None = None) -> ReaderEntry:
    """Build the entry of a reader."""
    levels = LEVELS[Endpoint.SCORE]
    values = {level: sum(score == i for score in scores) for i, level in enumerate(levels)}
    return ReaderEntry(
        reader=name,
        is_software=name == SOFTWARE,
        cases=len(scores),
        reads=len(scores) if reads is None else reads,
        sessions=1,
        first_on=None,
        last_on=None,
        values={Endpoint.SCORE: values},
        counted=0,
    )


SCORES = {
    SOFTWARE: (0, 0, 1, 1, 2, 2, 3, 3, 1, 0),
    "r1": (0, 0, 1, 1, 2, 2, 3, 3, 1, 0),
    "r2": (0, 1, 1, 1, 2, 2, 3, 3, 2, 0),
}
"""Of ten cases; r1 always says what the software says."""


def agreement(scores: Mapping[str, Sequence[int]] = SCORES, **changes: object) -> AgreementResult:
    """Build the result for readers whose scores (0 to 3) of the same cases are given."""
    persons = [name for name in scores if name != SOFTWARE]
    cases = len(scores[SOFTWARE])
    # Calls by IHC alone: 3+ positive, 2+ open, else negative; categories follow the score.
    calls = {name: [{3: 2, 2: 1}.get(s, 0) for s in values] for name, values in scores.items()}
    of = {Endpoint.SCORE: scores, Endpoint.CATEGORY: scores, Endpoint.CALL: calls}
    pairs = [
        *(pair("software_reader", SOFTWARE, name, of[e], e) for e in Endpoint for name in persons),
        *(pair("readers", a, b, of[e], e) for e in Endpoint for a, b in combinations(persons, 2)),
    ]
    result = AgreementResult(
        guidelines=("breast_2023",),
        reference=None,
        cases=cases,
        reads=cases * len(persons),
        readers=tuple(reader(name, values) for name, values in scores.items()),
        seed=7,
        draws=1999,
        confidence=0.95,
        strata={},
        pairs=tuple(pairs),
        among_readers=tuple(among(e, cases, len(persons)) for e in Endpoint) if len(persons) > 1 else (),
        multi_rater=several(scores, cases) if len(persons) > 1 else (),
        category_effects=effects(scores),
        methods=(),
        study_checks=(CHECK,),
        left_out=(LEFT_OUT,),
    )
    return result.model_copy(update=changes)


def several(scores: Mapping[str, Sequence[int]], cases: int) -> tuple[MultiRaterEntry, ...]:
    """State the agreement of all readers."""
    return (
        MultiRaterEntry(
            endpoint=Endpoint.SCORE,
            with_software=True,
            raters=tuple(scores),
            cases=cases,
            estimates={"fleiss": EstimateEntry.of(Estimate(0.8, 0.7, 0.9, "bootstrap", n=cases))},
        ),
    )


def effects(scores: Mapping[str, Sequence[int]]) -> tuple[CategoryEffectEntry, ...]:
    """List the ways in which the software and each reader differ."""
    levels, categories = LEVELS[Endpoint.SCORE], LEVELS[Endpoint.CATEGORY]
    found: list[CategoryEffectEntry] = []
    for name in scores:
        ways: dict[tuple[int, int], list[str]] = {}
        for i, (a, b) in enumerate(zip(scores[SOFTWARE], scores[name], strict=True)):
            if a != b:
                ways.setdefault((a, b), []).append(f"c{i}")
        found += [
            CategoryEffectEntry(
                first=SOFTWARE,
                second=name,
                first_score=levels[a],
                second_score=levels[b],
                first_category=categories[a],
                second_category=categories[b],
                changes="treatment",
                cases=len(ids),
                case_ids=tuple(ids),
            )
            for (a, b), ids in ways.items()
        ]
    return tuple(found)


CHECK = StudyCheckEntry(
    name="cap_40",
    title="20 positive and 20 negative cases",
    source="CAP 2024",
    status="not_met",
    found="2 positive cases",
    needed="20 positive and 20 negative cases",
    does_not_check="whether the cases are consecutive",
)
LEFT_OUT = LeftOutEntry(
    reason="without_call", text="Read, but not called by the software", reads=2, cases=1, case_ids=("x1",)
)


def agreement_doc(result: AgreementResult | None = None) -> AgreementDoc:
    """Wrap a result into its document."""
    return AgreementDoc(
        produced_by=PRODUCER, inputs={"reads": "ab" * 32}, result=agreement() if result is None else result
    )
