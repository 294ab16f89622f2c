"""The page of an evaluation: what its template prints.

Nothing is computed here: every number is one of `evaluation.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.number_words import MINUS
from her2path.io.evaluation_documents import (
    EvaluatedSet,
    EvaluationDoc,
    FigureEntry,
    MarginVerdict,
    McNemarEntry,
    ReliabilityEntry,
)
from her2path.io.qa_documents import EstimateEntry
from her2path.reports.html.reliability_plot import Curve, reliability_diagram
from her2path.reports.numbers import count_text, number_text, signed_text

_OUTPUTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "tumour": ("Chance of a tumour cell, by nucleus", "tumour cells"),
        "expressed": ("Chance that a cell stains its contour there, by place", "stained"),
    }
)
_AXES: Mapping[str, str] = MappingProxyType(
    {"source": "Source", "style": "Style of the stain", "class": "Class of cells"}
)
_CLASSES = ("0", "1+", "2+", "3+")
_MARGINS: Mapping[str, str] = MappingProxyType(
    {
        "nuclei_f1": "Nuclei, F1",
        "tumour_f1": "Tumour nuclei, F1",
        "cells_right": "Tumour cells found and given their class",
        "mean_recall": "The same, mean over classes",
        "tiles_right": "Tiles and slides given their score",
        "stained_pct": "Cells called stained on unstained phantoms (percentage points; fewer are better, so "
        "more of them count below zero)",
    }
)


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One figure of the new model, of another one, and their difference."""

    title: str
    new: str
    old: str
    difference: str
    word: str
    """Whether the difference is more than chance; empty where it is not, or is not known."""


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """Figures beside one model."""

    caption: str
    old: str
    rows: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One part of the pictures."""

    axis: str
    group: str
    pictures: str
    figures: tuple[ComparedRow, ...]


@dataclass(frozen=True, slots=True)
class MarginRow:
    """One margin of a guard set."""

    figure: str
    difference: str
    bound: str
    margin: str
    why: str
    passed: bool


@dataclass(frozen=True, slots=True)
class VerdictTable:
    """A guard set against one model."""

    old: str
    passed: bool
    rows: tuple[MarginRow, ...]


@dataclass(frozen=True, slots=True)
class ConfusionTable:
    """Classes of cells by one model."""

    model: str
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Diagram:
    """A reliability diagram with its errors."""

    title: str
    chart: Markup
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetSection:
    """One set of pictures, ready for the page."""

    anchor: str
    title: str
    what: str
    counted: str
    verdicts: tuple[VerdictTable, ...]
    tables: tuple[ComparedTable, ...]
    mcnemar: tuple[str, ...]
    confusions: tuple[ConfusionTable, ...]
    diagrams: tuple[Diagram, ...]
    groups: tuple[GroupRow, ...]
    blanks: tuple[str, ...]
    method: str


@dataclass(frozen=True, slots=True)
class EvaluationPage:
    """Everything that the page prints."""

    model: str
    sha256: str
    origin: str
    passed: bool | None
    """Whether all guard sets were passed; None without one."""
    verdict: str
    compared: tuple[str, ...]
    limit_of_blank: str
    sections: tuple[SetSection, ...]
    version: str


def evaluation_page(found: EvaluationDoc) -> EvaluationPage:
    """Prepare the page of an evaluation."""
    guards = [part for part in found.sets if part.kind == "guard"]
    passed = all(part.passed for part in guards) if guards else None
    return EvaluationPage(
        model=found.model.id,
        sha256=found.model.sha256,
        origin=_origin(found),
        passed=passed,
        verdict=_verdict(found, guards, passed=passed),
        compared=tuple(f"{model.id} (SHA-256 {model.sha256[:12]}…)" for model in found.compared_with),
        limit_of_blank=f"{number_text(found.limit_of_blank_pct, digits=1)} %",
        sections=tuple(_section(part, found, place) for place, part in enumerate(found.sets)),
        version=found.produced_by.version,
    )


def _origin(found: EvaluationDoc) -> str:
    if found.parent is None:
        return "Fitted from random weights."
    labels = "" if found.dataset is None else f" with the labels of dataset {found.dataset.name}"
    return f"Retrained from {found.parent.id}{labels}."


def _verdict(found: EvaluationDoc, guards: Sequence[EvaluatedSet], *, passed: bool | None) -> str:
    if passed is None:
        return "No guard set was measured, so this model cannot be promoted."
    names = ", ".join(part.name for part in guards)
    if passed:
        return f"Passed {names}: not worse than {found.compared_with[0].id} by more than any margin."
    failed = [
        _MARGINS[margin.figure]
        for part in guards
        for verdict in part.verdicts
        for margin in verdict.margins
        if not margin.passed
    ]
    lost = "; ".join(dict.fromkeys(failed))
    return f"Not shown to be as good on {names}, so it cannot be promoted. {lost}."


def _section(part: EvaluatedSet, found: EvaluationDoc, place: int) -> SetSection:
    ids = [found.model.id, *(model.id for model in found.compared_with)]
    title = f"Guard set {part.name}" if part.kind == "guard" else f"Dataset {part.name}"
    units = len({item.unit for item in part.items})
    counted = f"{count_text(len(part.items))} pictures"
    if part.units == "patients":
        counted += f" of {count_text(units)} patients"
    methods = {row.new.method for row in part.figures}
    return SetSection(
        anchor=f"set-{place}",
        title=title,
        what=part.what,
        counted=counted,
        verdicts=tuple(
            VerdictTable(
                verdict.compared_with.id, verdict.passed, tuple(_margin_row(row) for row in verdict.margins)
            )
            for verdict in part.verdicts
        ),
        tables=tuple(
            ComparedTable(f"{ids[0]} beside {old}", old, tuple(_row(row, other) for row in part.figures))
            for other, old in enumerate(ids[1:])
        ),
        mcnemar=tuple(_mcnemar(entry, ids[0]) for entry in part.mcnemar),
        confusions=tuple(
            _confusion(model, table)
            for model, table in zip(ids, part.cells, strict=True)
            if any(map(any, table))
        ),
        diagrams=_diagrams(part.reliability),
        groups=tuple(
            GroupRow(
                _AXES[group.axis],
                group.group,
                count_text(group.pictures),
                tuple(_row(row, 0) for row in group.figures),
            )
            for group in part.subgroups
            if group.figures
        ),
        blanks=tuple(
            f"{entry.model}: 95 % of {count_text(entry.pictures)} pictures have at most "
            f"{_with_interval(entry.limit_pct, digits=2)} % of the scored cells called stained, the worst "
            f"{number_text(entry.worst_pct)} %"
            for entry in part.blank
            if entry.limit_pct.value is not None
        ),
        method="; ".join(sorted(methods)),
    )


def _margin_row(row: MarginVerdict) -> MarginRow:
    digits = 2 if row.figure == "stained_pct" else 3
    low, value = row.difference.low, row.difference.value
    return MarginRow(
        figure=_MARGINS[row.figure],
        difference="–" if value is None else signed_text(value, digits=digits),
        bound="none" if low is None else signed_text(low, digits=digits),
        margin=f"{MINUS}{row.margin:g}",
        why=row.why,
        passed=row.passed,
    )


def _row(row: FigureEntry, other: int) -> ComparedRow:
    difference = row.difference[other]
    word = ""
    if difference.low is not None and difference.high is not None:
        if difference.low > 0:
            word = "better" if row.more_is_better else "worse"
        elif difference.high < 0:
            word = "worse" if row.more_is_better else "better"
    return ComparedRow(
        title=row.title[0].upper() + row.title[1:],
        new=_with_interval(row.new),
        old=_with_interval(row.old[other]),
        difference=_with_interval(difference, show=signed_text),
        word=word,
    )


def _with_interval(
    estimate: EstimateEntry, *, digits: int = 3, show: Callable[..., str] = number_text
) -> str:
    """Print a value with its interval, or with why there is none."""
    if estimate.value is None:
        return f"– ({estimate.why})"
    value = show(estimate.value, digits=digits)
    if estimate.low is None or estimate.high is None:
        return f"{value} ({estimate.why})"
    low, high = show(estimate.low, digits=digits), show(estimate.high, digits=digits)
    return f"{value} ({low} to {high})"


def _mcnemar(entry: McNemarEntry, model: str) -> str:
    p_value = "below 0.001" if entry.p_value < 0.001 else number_text(entry.p_value, digits=3)
    return (
        f"{count_text(entry.only_new)} cells are called right by {model} alone, "
        f"{count_text(entry.only_old)} by {entry.compared_with} alone, {count_text(entry.both)} by both, "
        f"{count_text(entry.neither)} by neither: McNemar's exact p {p_value}"
    )


def _confusion(model: str, table: tuple[tuple[int, ...], ...]) -> ConfusionTable:
    rows = [(word, tuple(map(count_text, row))) for word, row in zip(_CLASSES, table, strict=True)]
    return ConfusionTable(model, tuple(rows))


def _diagrams(entries: Sequence[ReliabilityEntry]) -> tuple[Diagram, ...]:
    found = []
    for output, (title, what) in _OUTPUTS.items():
        some = [entry for entry in entries if entry.output == output]
        if some:
            curves = [Curve(e.model, tuple((p.chance, p.share, p.n) for p in e.points)) for e in some]
            errors = tuple(f"{e.model}: {_with_interval(e.error)}" for e in some)
            found.append(Diagram(title, reliability_diagram(curves[:3], title=title, what=what), errors))
    return tuple(found)
