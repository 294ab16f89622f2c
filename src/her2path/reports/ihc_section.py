"""What a report shows of one IHC image: percentages, excluded cells, the overlay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.ihc import IhcScore, Reactivity, StainingClass
from her2path.imaging.ihc.overlay import EXCLUDED_RGB, SCORE_RGB
from her2path.io.call_entries import Reason
from her2path.io.documents import IhcScoreResult
from her2path.io.score_entries import Percentage
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.html.plots import Segment, stacked_bar
from her2path.reports.model_words import model_words
from her2path.reports.number_names import LEVEL_WORDS, STAINING_WORDS, SUM_WORDS, code_words, label_of
from her2path.reports.numbers import count_text, number_text, percentage_text
from her2path.reports.score_section import (
    HETEROGENEITY_WORDS,
    ScoreSection,
    is_without_spread,
    score_section,
)
from her2path.reports.wording import SELECTION_WORDS, exclusion_words

# Lightness falls with the strength of the staining, so the order survives any colour vision.
_FILLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        StainingClass.COMPLETE_INTENSE: ("#5b2a06", "#ffffff"),
        StainingClass.COMPLETE_WEAK_MODERATE: ("#9c4f12", "#ffffff"),
        StainingClass.INCOMPLETE_MODERATE_INTENSE: ("#d68a3c", "#1b1b1b"),
        StainingClass.INCOMPLETE_FAINT: ("#f3d9a4", "#1b1b1b"),
        StainingClass.NONE: ("#e6e9ed", "#1b1b1b"),
        Reactivity.STRONG: ("#5b2a06", "#ffffff"),
        Reactivity.WEAK_MODERATE: ("#b86a22", "#ffffff"),
        Reactivity.FAINT: ("#f3d9a4", "#1b1b1b"),
    }
)


class Scheme(Enum):
    """How a guideline sorts stained cells, strongest first."""

    CLASSES = tuple(StainingClass)
    """By completeness and intensity (breast)."""
    LEVELS = tuple(Reactivity)
    """By intensity: complete, basolateral and lateral staining count alike."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One row of the table of percentages."""

    label: str
    fill: str
    """Colour of the class in the bar; empty where the bar does not show it."""
    is_sum: bool
    """Whether it sums several classes."""
    cells: str
    pct: str
    interval: str
    spans: str
    """Cut-point that lies within the interval; empty if none."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """A table of percentages."""

    caption: str
    rows: tuple[ClassRow, ...]


@dataclass(frozen=True, slots=True)
class CountRow:
    """How many, and of what."""

    label: str
    count: str


@dataclass(frozen=True, slots=True)
class LegendItem:
    """A colour of the overlay and what it means."""

    fill: str
    label: str


def overlay_legend(scheme: Scheme) -> tuple[LegendItem, ...]:
    """Say what the colours of the overlay mean, strongest staining first."""
    words = [f"cell scored {score}" for score in IhcScore]
    if scheme is Scheme.LEVELS:
        words = [f"{word} staining" for word in ("no", "faint", "weak to moderate", "strong")]
    scored = [LegendItem(_hex(rgb), word) for rgb, word in zip(SCORE_RGB, words, strict=True)]
    return (*reversed(scored), LegendItem(_hex(EXCLUDED_RGB), "not scored"))


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)


NO_PICTURES: Mapping[str, Picture] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class IhcSection:
    """One IHC image, ready for the page."""

    image_id: str
    reason: Reason | None
    """Why the image has no result; everything below is then empty."""
    score: str = ""
    rule_id: str = ""
    bar: Markup | None = None
    tables: tuple[ClassTable, ...] = ()
    """The staining as the guideline reads it, and as it was counted where that differs."""
    facts: tuple[CountRow, ...] = ()
    excluded: tuple[CountRow, ...] = ()
    selection: str = ""
    has_cuts: bool = False
    """Whether the bar shows a cut-point."""
    legend: tuple[LegendItem, ...] = ()
    overlay: Picture | None = None
    coloured_by: str = "score"
    """What the colours of cells tell, in words."""
    behind: ScoreSection | None = None
    """How certain the score is, how its cells are spread, and where to look."""


def ihc_section(
    image: ImageEvidence,
    scheme: Scheme,
    *,
    cuts: Mapping[str, tuple[float, ...]],
    overlay: Picture | None,
    pictures: Mapping[str, Picture] = NO_PICTURES,
) -> IhcSection:
    """Prepare one IHC image for the page.

    Parameters
    ----------
    image : ImageEvidence
        An IHC image.
    scheme : Scheme
        How the case's guideline sorts stained cells.
    cuts : mapping of str to tuple of float
        Cut-points of the case's guideline by the name of the number (``pct_stained``, ...).
    overlay : Picture or None
        The slide with its scored cells; None where the image has no result.
    pictures : mapping of str to Picture
        Other pictures of the score, by ``<image_id>/<file>``.
    """
    document = image.score
    if document is None:
        raise ValueError(f"{image.image_id} is no IHC image")
    result = document.result
    if result is None:
        return IhcSection(image.image_id, document.not_evaluable)
    cuts_pct = tuple(sorted({cut for values in cuts.values() for cut in values}))
    return IhcSection(
        image_id=image.image_id,
        reason=None,
        score=str(result.score),
        rule_id=result.rule_id,
        bar=_bar(result, scheme, cuts_pct),
        tables=_tables(result, scheme, cuts),
        facts=(*_facts(result), *(_clusters(result) if scheme is Scheme.LEVELS else ())),
        excluded=excluded_rows(result.excluded_cells),
        selection=_selection(result),
        has_cuts=bool(cuts_pct),
        legend=overlay_legend(scheme) if overlay else (),
        overlay=overlay,
        coloured_by="level of staining" if scheme is Scheme.LEVELS else "score",
        behind=score_section(image.image_id, result, pictures),
    )


def _selection(result: IhcScoreResult) -> str:
    kept = f"{percentage_text(result.selected_nuclei_pct, digits=1)} %"
    who = "The automatic selection" if result.tumour_selection == "automatic" else "Regions and selection"
    return f"{SELECTION_WORDS[result.tumour_selection]} {who} kept {kept} of the nuclei."


def excluded_rows(excluded: Mapping[str, int]) -> tuple[CountRow, ...]:
    """List reasons for exclusion, the most frequent first; reasons that met nothing are left out."""
    ranked = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    return tuple(CountRow(exclusion_words(code), count_text(n)) for code, n in ranked if n)


def _bar(result: IhcScoreResult, scheme: Scheme, cuts_pct: Sequence[float]) -> Markup:
    words = STAINING_WORDS if scheme is Scheme.CLASSES else LEVEL_WORDS
    tally = result.as_tally()
    segments = []
    for name in scheme.value:
        pct = 100 * tally.of_class(name) / tally.total
        fill, ink = _FILLS[name]
        printed = f"{percentage_text(pct, digits=1, cuts=cuts_pct)} %"
        segments.append(Segment(words[name], pct, fill, printed, ink))
    return stacked_bar(segments, cuts=cuts_pct, title="Membrane staining of the scored tumour cells")


def _tables(
    result: IhcScoreResult, scheme: Scheme, cuts: Mapping[str, tuple[float, ...]]
) -> tuple[ClassTable, ...]:
    caption = "Membrane staining of the scored tumour cells"
    if scheme is Scheme.CLASSES:
        return (ClassTable(caption, _class_rows(result, cuts)),)
    return (
        ClassTable(f"{caption}, as the guideline reads it", _level_rows(result, cuts)),
        # The bar shows the levels, so the classes carry no colours of it.
        ClassTable(
            "The same cells by completeness and intensity",
            tuple(replace(row, fill="") for row in _class_rows(result, {})),
        ),
    )


def _class_rows(result: IhcScoreResult, cuts: Mapping[str, tuple[float, ...]]) -> tuple[ClassRow, ...]:
    names = [str(name) for name in Scheme.CLASSES.value]
    # Sums that the guideline cuts stand below its classes; what it does not look at is left out.
    sums = [name for name in result.compared if f"pct_{name}" in cuts and name in SUM_WORDS]
    order = [*names, *sums, *sorted(result.percentages.keys() - set(names))]
    words = {**SUM_WORDS, **STAINING_WORDS}
    shares = {**result.compared, **result.percentages}
    return tuple(_class_row(name, words.get(name, code_words(name)), shares[name], cuts) for name in order)


def _level_rows(result: IhcScoreResult, cuts: Mapping[str, tuple[float, ...]]) -> tuple[ClassRow, ...]:
    shares = {**result.compared, **result.percentages}
    names = [*map(str, Scheme.LEVELS.value), "at_least_weak_moderate", "stained"]
    words = {**SUM_WORDS, **LEVEL_WORDS}
    return tuple(_class_row(name, words[name], shares[name], cuts) for name in names)


def _class_row(name: str, label: str, share: Percentage, cuts: Mapping[str, tuple[float, ...]]) -> ClassRow:
    beside = sorted({cut for values in cuts.values() for cut in values})
    low, high = (percentage_text(value, cuts=beside) for value in (share.low_pct, share.high_pct))
    spanned = [cut for cut in cuts.get(f"pct_{name}", ()) if share.low_pct <= cut <= share.high_pct]
    return ClassRow(
        label=label,
        fill=_FILLS[name][0] if name in _FILLS else "",
        is_sum=name in SUM_WORDS,
        cells=count_text(share.cells),
        pct=percentage_text(share.pct, cuts=beside),
        interval=f"{low} to {high}",
        spans=", ".join(f"{cut:g} %" for cut in spanned),
    )


def _facts(result: IhcScoreResult) -> tuple[CountRow, ...]:
    rows = (
        CountRow("Scored tumour cells", count_text(result.scored_cells)),
        CountRow("H-score (0 to 300)", number_text(result.h_score, digits=1)),
        CountRow(
            "95 % interval of the H-score",
            "not known: all scored cells stain alike"
            if is_without_spread(result)
            else f"{number_text(result.h_score_low, digits=1)} to "
            f"{number_text(result.h_score_high, digits=1)}",
        ),
        CountRow(
            "Nuclei taken as tumour cells", f"{percentage_text(result.selected_nuclei_pct, digits=1)} %"
        ),
        CountRow("Limit of blank of the measurement", f"{number_text(result.limit_of_blank_pct)} %"),
        CountRow("Calibration", result.calibration),
        CountRow("Model", model_words(result.model)),
    )
    order = [*HETEROGENEITY_WORDS, *sorted(result.heterogeneity.keys() - HETEROGENEITY_WORDS.keys())]
    measured = [name for name in order if name in result.heterogeneity]
    return (*rows, *(_heterogeneity_row(name, result.heterogeneity[name]) for name in measured))


def _clusters(result: IhcScoreResult) -> tuple[CountRow, ...]:
    """List the largest clusters, which decide the score of a biopsy by some guidelines."""
    known = result.clusters or {}
    return tuple(
        CountRow(label_of(f"cluster_{level}"), count_text(known[level]))
        for level in Reactivity
        if level in known
    )


def _heterogeneity_row(name: str, value: float) -> CountRow:
    words, digits = HETEROGENEITY_WORDS.get(name, (f"Heterogeneity: {code_words(name)}", 2))
    return CountRow(words, number_text(value, digits=digits))
