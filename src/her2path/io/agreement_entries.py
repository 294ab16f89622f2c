"""From arrays of reads to the entries of `qa/agreement.json` that speak of categories in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from her2path.domain.number_words import signed
from her2path.domain.read_matrix import Mask, ReadColumn, ReadMatrix, left_out
from her2path.domain.reads import LEVELS, SOFTWARE, Endpoint
from her2path.domain.stats.among_readers import AmongReaders, among_readers
from her2path.domain.stats.bayesian_bootstrap import Drawing
from her2path.domain.stats.category_effect import ReadCodes, differences
from her2path.domain.stats.confusion import (
    Table,
    confusion_table,
    exact_agreement,
    exact_agreement_clopper_pearson,
)
from her2path.domain.stats.estimate import Estimate
from her2path.domain.stats.gwet import gwet_ac
from her2path.domain.stats.kappa import cohens_kappa, fleiss_kappa
from her2path.domain.stats.krippendorff_alpha import krippendorff_alpha
from her2path.domain.stats.pair_agreement import pair_agreement
from her2path.domain.stats.percent_agreement import (
    CallsAgainstReader,
    CallsAgainstReference,
    Equivocals,
    Share,
)
from her2path.domain.stats.read_tallies import ReadTallies
from her2path.domain.stats.weighting import Weighting
from her2path.io.qa_documents import (
    AmongReadersEntry,
    CategoryEffectEntry,
    EstimateEntry,
    Kind,
    MultiRaterEntry,
    PairEntry,
    PercentAgreementEntry,
)

MOST_LISTED = 50
"""Cases that an entry names."""
_TREATMENTS = {
    Equivocals.AS_POSITIVE: "every call that is neither positive nor negative was taken for positive",
    Equivocals.AS_NEGATIVE: "every call that is neither positive nor negative was taken for negative",
    Equivocals.LEAST: "each measure at the least that any reading of calls that are neither makes possible",
    Equivocals.MOST: "each measure at the most that any reading of calls that are neither makes possible",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sides of a comparison."""

    kind: Kind
    first: str
    second: str
    first_session: int = 1
    second_session: int = 1

    @property
    def against_reference(self) -> bool:
        """Whether the second is the named reference standard."""
        return self.kind in {"software_reference", "reader_reference"}


@dataclass(frozen=True, slots=True)
class Within:
    """The cases that a comparison is about."""

    cases: Mask
    """Shape (N,)."""
    stratum: str = ""
    value: str = ""


def estimates_of(found: Mapping[str, Estimate]) -> dict[str, EstimateEntry]:
    """Write estimates down by name."""
    return {name: EstimateEntry.of(estimate) for name, estimate in found.items()}


def case_group(case_ids: Sequence[str], places: Iterable[int]) -> dict[str, Any]:
    """Name the first cases of a group and count them all."""
    listed = [int(place) for place in places]
    return {"cases": len(listed), "case_ids": tuple(case_ids[place] for place in listed[:MOST_LISTED])}


def pair_entry(
    compared: Compared,
    endpoint: Endpoint,
    columns: tuple[ReadColumn, ReadColumn],
    within: Within,
    drawing: Drawing,
    *,
    brief: bool = False,
    days: tuple[int, int, int] | None = None,
) -> PairEntry:
    """Compare two readers on one endpoint.

    Parameters
    ----------
    compared : Compared
        Who they are.
    endpoint : Endpoint
        On what.
    columns : pair of ReadColumn
        What they read of the same cases.
    within : Within
        The cases.
    drawing : Drawing
        Of the bootstrap.
    brief : bool
        Whether to work out few statistics, where pairs are many: exact agreement and quadratic kappa.
    days : three int or None
        Between the two reads of a case: least, median, greatest.
    """
    first, second = columns
    levels = LEVELS[endpoint]
    both = first.has & second.has & within.cases
    table = confusion_table(first.codes, second.codes, both, categories=len(levels))
    found = _brief(table, drawing) if brief else _named(pair_agreement(table, drawing=drawing))
    calls = endpoint is Endpoint.CALL and not brief and compared.kind != "intra_reader"
    return PairEntry(
        kind=compared.kind,
        endpoint=endpoint,
        first=compared.first,
        second=compared.second,
        first_session=compared.first_session,
        second_session=compared.second_session,
        stratum=within.stratum,
        stratum_value=within.value,
        cases=int(both.sum()),
        levels=levels,
        table=tuple(map(tuple, table.tolist())),
        estimates=estimates_of(found),
        percent_agreement=_percent_agreement(compared, table, drawing) if calls else (),
        left_out=left_out(first, second, within.cases),
        days_between=days,
    )


def _named(found: object) -> dict[str, Estimate]:
    """Take the estimates of a dataclass by the names of its fields."""
    values = {field.name: getattr(found, field.name) for field in fields(found)}  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if isinstance(value, Estimate)}


def _brief(table: Table, drawing: Drawing) -> dict[str, Estimate]:
    return {
        "exact": exact_agreement(table, confidence=drawing.confidence),
        "exact_clopper_pearson": exact_agreement_clopper_pearson(table, confidence=drawing.confidence),
        "kappa_quadratic": cohens_kappa(table, Weighting.QUADRATIC, drawing=drawing),
    }


def _percent_agreement(
    compared: Compared, table: Table, drawing: Drawing
) -> tuple[PercentAgreementEntry, ...]:
    against: CallsAgainstReader
    if compared.against_reference:
        against = CallsAgainstReference(table, compared.second)
    else:
        against = CallsAgainstReader(table)
    entries = []
    for treatment, text in _TREATMENTS.items():
        found = against.percent_agreement(treatment, confidence=drawing.confidence)
        shares = {"positive": found.positive, "negative": found.negative, "overall": found.overall}
        if isinstance(against, CallsAgainstReference):
            accuracy = against.accuracy(treatment, confidence=drawing.confidence)
            shares |= {"sensitivity": accuracy.sensitivity, "specificity": accuracy.specificity}
        entries.append(
            PercentAgreementEntry(
                analysis=str(treatment), text=text, table=found.table, estimates=_both_intervals(shares)
            )
        )
    return tuple(entries)


def _both_intervals(shares: Mapping[str, Share]) -> dict[str, EstimateEntry]:
    found: dict[str, Estimate] = {}
    for name, share in shares.items():
        found[name] = share.wilson
        found[f"{name}_clopper_pearson"] = share.clopper_pearson
    return estimates_of(found)


def among_entry(
    endpoint: Endpoint, matrix: ReadMatrix, within: Within, drawing: Drawing
) -> AmongReadersEntry:
    """Hold the software's agreement with readers against theirs with each other.

    The software is the first reader of `matrix`; readers who read none of the cases are not counted.
    """
    has = matrix.has & within.cases[:, None]
    found = among_readers(matrix.codes[:, 0], has[:, 0], matrix.codes[:, 1:], has[:, 1:], drawing=drawing)
    return AmongReadersEntry(
        endpoint=endpoint,
        stratum=within.stratum,
        stratum_value=within.value,
        readers=int(has[:, 1:].any(axis=0).sum()),
        cases=found.cases,
        estimates=estimates_of(
            {
                "software_readers": found.with_readers,
                "readers_readers": found.of_readers,
                "difference": found.difference,
            }
        ),
        statement=_statement(found),
    )


def _statement(found: AmongReaders) -> str:
    gap, ours, theirs = found.difference, found.with_readers, found.of_readers
    if ours.value is None:
        return f"The software cannot be held against the readers: {ours.why}."
    # A share without its number of cases says nothing of how far it can be trusted.
    shares = (
        f"The software agrees with readers in {_percent(ours.value)} of the cases on average (n {ours.n})"
    )
    if theirs.value is not None:
        shares += f", readers with each other in {_percent(theirs.value)} (n {theirs.n})"
    if gap.value is None:
        return f"{shares}; the difference is not to be judged: {gap.why}."
    if gap.low is None or gap.high is None:
        return f"{shares}; there is no interval of the difference ({gap.why})."
    low, high = signed(100 * gap.low, digits=1), signed(100 * gap.high, digits=1)
    bounds = f"{low} to {high} percentage points, n {gap.n}"
    if gap.high < 0:
        verdict = "it agrees with readers less often than they agree with each other"
    elif gap.low > 0:
        verdict = "it agrees with readers more often than they agree with each other"
    else:
        verdict = "the interval holds 0, so no difference is shown, and none within it is excluded"
    return f"{shares} (difference {signed(100 * gap.value, digits=1)}, {bounds}): {verdict}."


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def multi_rater_entry(
    endpoint: Endpoint,
    matrix: ReadMatrix,
    raters: Sequence[str],
    within: Within,
    drawing: Drawing,
) -> MultiRaterEntry:
    """Measure the agreement of several readers at once.

    Parameters
    ----------
    endpoint : Endpoint
        On what.
    matrix : ReadMatrix
        Of these readers alone.
    raters : sequence of str
        Their names; the software, where it is among them, first.
    within : Within
        The cases.
    drawing : Drawing
        Of the bootstrap.
    """
    has = matrix.has & within.cases[:, None]
    tallies = ReadTallies.of_reads(matrix.codes, has, categories=len(LEVELS[endpoint]))
    return MultiRaterEntry(
        endpoint=endpoint,
        stratum=within.stratum,
        stratum_value=within.value,
        with_software=SOFTWARE in raters,
        raters=tuple(raters),
        cases=tallies.paired_cases,
        estimates=estimates_of(
            {
                "fleiss": fleiss_kappa(tallies, drawing=drawing),
                "alpha": krippendorff_alpha(tallies, drawing=drawing),
                "ac2": gwet_ac(tallies, Weighting.QUADRATIC, drawing=drawing),
            }
        ),
    )


def effect_entries(
    names: tuple[str, str],
    scores: tuple[ReadColumn, ReadColumn],
    categories: tuple[ReadColumn, ReadColumn],
    case_ids: Sequence[str],
) -> list[CategoryEffectEntry]:
    """List the ways in which two readers differ, and what becomes of the clinical category."""
    sides = [
        ReadCodes(score.codes, score.has, category.codes, category.has)
        for score, category in zip(scores, categories, strict=True)
    ]
    score_levels, category_levels = LEVELS[Endpoint.SCORE], LEVELS[Endpoint.CATEGORY]
    return [
        CategoryEffectEntry(
            first=names[0],
            second=names[1],
            first_score=_level(one.first_score, score_levels),
            second_score=_level(one.second_score, score_levels),
            first_category=_level(one.first_category, category_levels),
            second_category=_level(one.second_category, category_levels),
            changes=one.change.value,
            **case_group(case_ids, one.cases),
        )
        for one in differences(*sides)
    ]


def _level(code: int | None, levels: Sequence[str]) -> str | None:
    return None if code is None else levels[code]


def days_between(
    first: tuple[np.ndarray[Any, Any], Mask], second: tuple[np.ndarray[Any, Any], Mask], both: Mask
) -> tuple[int, int, int] | None:
    """State the least, median and greatest days between two reads; None where some date is missing."""
    if not both.any() or not (first[1] & second[1])[both].all():
        return None
    days = np.abs(second[0][both] - first[0][both])
    return int(days.min()), int(np.median(days)), int(days.max())
