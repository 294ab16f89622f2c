"""The quality of the images of a cohort: verdicts, findings, and why images have no result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from her2path.domain.case import Assay
from her2path.io.cohort_files import CohortCase, ImageFile
from her2path.io.documents import CallDoc
from her2path.reports.cohort_filters import token
from her2path.reports.number_names import code_words
from her2path.reports.numbers import count_text
from her2path.reports.wording import reason_title


class Verdict(StrEnum):
    """How well an image, or the worst image of a case, can be measured."""

    NOT_EVALUABLE = "not_evaluable"
    UNKNOWN = "unknown"
    """Not examined, or by another version."""
    USABLE = "usable"
    GOOD = "good"


VERDICT_WORDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.NOT_EVALUABLE: "not evaluable",
        Verdict.UNKNOWN: "not known",
        Verdict.USABLE: "with warnings",
        Verdict.GOOD: "good",
    }
)
"""The worst first."""
_FINDING_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "debris": "dirt or precipitate",
        "default_stain_vectors": "usual stain colours taken",
        "default_white_point": "usual white point taken",
        "no_dab": "no DAB found",
        "one_area": "one area only",
    }
)
"""Findings whose codes say too little; the others are spelt out."""
_ASSAY_WORDS: Mapping[Assay, str] = MappingProxyType({Assay.IHC: "IHC", Assay.FISH: "FISH"})


@dataclass(frozen=True, slots=True)
class CaseQuality:
    """The quality of a case: that of its worst image."""

    verdict: Verdict
    warnings: tuple[str, ...]
    """Codes of the findings that are warnings, once each."""
    notes: tuple[str, ...]
    """Codes of all other findings."""

    @property
    def words(self) -> str:
        """For a table, as in ``with warnings: out of focus, debris``."""
        told = ", ".join(map(finding_words, self.warnings))
        return ": ".join(part for part in (VERDICT_WORDS[self.verdict], told) if part)


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """How many images of one kind have each verdict."""

    assay: str
    images: str
    counts: tuple[str, ...]
    """In the order of `VERDICT_WORDS`."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, or a reason without result, and where it was met."""

    words: str
    kind: str
    """`warning`, `note`, or `no result`."""
    filter: str
    """Name of the filter of the table that chooses its cases, and its choice."""
    token: str
    images: str
    cases: str


@dataclass(frozen=True, slots=True)
class QualityOverview:
    """The quality of all images."""

    verdicts: tuple[VerdictRow, ...]
    headings: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    """The most frequent first within each kind; what stops a result first."""


def finding_words(code: str) -> str:
    """Name a finding of quality in a few words."""
    return _FINDING_WORDS.get(code, code_words(code))


def verdict_of(image: ImageFile, call: CallDoc) -> Verdict:
    """Judge one image; one that failed in a later step is not evaluable, however good it looked."""
    if image.image_id in call.reasons:
        return Verdict.NOT_EVALUABLE
    if image.quality is None:
        return Verdict.UNKNOWN
    if image.quality.result is None:
        return Verdict.NOT_EVALUABLE
    return Verdict(image.quality.result.verdict)


def case_quality(case: CohortCase) -> CaseQuality:
    """Sum up the quality of the images of a case; without any image it is not known."""
    verdicts = [verdict_of(image, case.call) for image in case.images]
    return CaseQuality(
        next((verdict for verdict in VERDICT_WORDS if verdict in verdicts), Verdict.UNKNOWN),
        tuple(dict.fromkeys(code for image in case.images for code in _codes(image, "warning"))),
        tuple(dict.fromkeys(code for image in case.images for code in _codes(image, "info"))),
    )


def _codes(image: ImageFile, severity: str) -> list[str]:
    result = None if image.quality is None else image.quality.result
    return [] if result is None else [f.code for f in result.findings if f.severity == severity]


def quality_overview(cases: Sequence[CohortCase]) -> QualityOverview:
    """Count verdicts by the kind of image, and findings and reasons over all images."""
    verdicts = {assay: Counter[Verdict]() for assay in _ASSAY_WORDS}
    for case in cases:
        for image in case.images:
            verdicts[image.assay][verdict_of(image, case.call)] += 1
    shown = [v for v in VERDICT_WORDS if v is not Verdict.UNKNOWN or any(n[v] for n in verdicts.values())]
    return QualityOverview(
        verdicts=tuple(
            VerdictRow(_ASSAY_WORDS[assay], count_text(n.total()), tuple(count_text(n[v]) for v in shown))
            for assay, n in verdicts.items()
            if n
        ),
        headings=tuple(VERDICT_WORDS[v] for v in shown),
        findings=(
            *_rows("no result", [(case, _reasons(case)) for case in cases]),
            *_rows("warning", [(case, _findings(case, "warning")) for case in cases]),
            *_rows("note", [(case, _findings(case, "info")) for case in cases]),
        ),
    )


def _reasons(case: CohortCase) -> list[str]:
    return [case.call.reasons[image].code for image in sorted(case.call.reasons)]


def _findings(case: CohortCase, severity: str) -> list[str]:
    return [code for image in case.images for code in dict.fromkeys(_codes(image, severity))]


def _rows(kind: str, found: Iterable[tuple[CohortCase, list[str]]]) -> list[FindingRow]:
    images: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for _, codes in found:
        images.update(codes)
        cases.update(set(codes))
    name, words = ("reason", reason_title) if kind == "no result" else ("quality", finding_words)
    return [
        FindingRow(
            words=words(code),
            kind=kind,
            filter=name,
            token=token(name, words(code)),
            images=count_text(n),
            cases=count_text(cases[code]),
        )
        for code, n in sorted(images.items(), key=lambda item: (-item[1], item[0]))
    ]
