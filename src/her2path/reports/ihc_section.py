"""What a report shows of one IHC image: percentages, excluded cells, the overlay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup

from her2path.domain.ihc import IhcScore, StainingClass
from her2path.imaging.ihc.overlay import EXCLUDED_RGB, SCORE_RGB
from her2path.io.documents import IhcScoreResult, Reason
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.html.plots import Segment, stacked_bar
from her2path.reports.numbers import count_text, number_text
from her2path.reports.wording import (
    HETEROGENEITY_WORDS,
    SELECTION_WORDS,
    STAINING_WORDS,
    code_words,
    exclusion_words,
)

STRONGEST_FIRST = tuple(StainingClass)

# Lightness falls with the strength of the staining, so the order survives any colour vision.
_FILLS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        StainingClass.COMPLETE_INTENSE: ("#5b2a06", "#ffffff"),
        StainingClass.COMPLETE_WEAK_MODERATE: ("#9c4f12", "#ffffff"),
        StainingClass.INCOMPLETE_MODERATE_INTENSE: ("#d68a3c", "#1b1b1b"),
        StainingClass.INCOMPLETE_FAINT: ("#f3d9a4", "#1b1b1b"),
        StainingClass.NONE: ("#e6e9ed", "#1b1b1b"),
    }
)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One row of the table of percentages."""

    label: str
    fill: str
    """Colour of the class in the bar; empty for a sum of classes."""
    cells: str
    pct: str
    interval: str
    spans: str
    """Cut-point that lies within the interval; empty if none."""


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


def _legend() -> tuple[LegendItem, ...]:
    scored = [
        LegendItem(_hex(rgb), f"cell scored {score}") for rgb, score in zip(SCORE_RGB, IhcScore, strict=True)
    ]
    return (*reversed(scored), LegendItem(_hex(EXCLUDED_RGB), "not scored"))


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)


OVERLAY_LEGEND = _legend()


@dataclass(frozen=True, slots=True)
class IhcSection:
    """One IHC image, ready for the page."""

    image_id: str
    reason: Reason | None
    """Why the image has no result; everything below is then empty."""
    score: str = ""
    rule_id: str = ""
    bar: Markup | None = None
    rows: tuple[ClassRow, ...] = ()
    facts: tuple[CountRow, ...] = ()
    excluded: tuple[CountRow, ...] = ()
    selection: str = ""
    has_cuts: bool = False
    """Whether the bar shows a cut-point."""
    legend: tuple[LegendItem, ...] = ()
    overlay: Picture | None = None


def ihc_section(
    image: ImageEvidence, *, cuts: Mapping[str, tuple[float, ...]], overlay: Picture | None
) -> IhcSection:
    """Prepare one IHC image for the page.

    Parameters
    ----------
    image : ImageEvidence
        An IHC image.
    cuts : mapping of str to tuple of float
        Cut-points of the case's guideline by the name of the number (``pct_stained``, ...).
    overlay : Picture or None
        The slide with its scored cells; None where the image has no result.
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
        bar=_bar(result, cuts_pct),
        rows=_class_rows(result, cuts, cuts_pct),
        facts=_facts(result),
        excluded=excluded_rows(result.excluded_cells),
        selection=SELECTION_WORDS[result.tumour_selection],
        has_cuts=bool(cuts_pct),
        legend=OVERLAY_LEGEND if overlay else (),
        overlay=overlay,
    )


def excluded_rows(excluded: Mapping[str, int]) -> tuple[CountRow, ...]:
    """List reasons for exclusion, the most frequent first; reasons that met nothing are left out."""
    ranked = sorted(excluded.items(), key=lambda item: (-item[1], item[0]))
    return tuple(CountRow(exclusion_words(code), count_text(n)) for code, n in ranked if n)


def _bar(result: IhcScoreResult, cuts_pct: Sequence[float]) -> Markup:
    segments = []
    for name in STRONGEST_FIRST:
        pct = result.percentages[name].pct
        fill, ink = _FILLS[name]
        words = f"{number_text(pct, digits=1, cuts=cuts_pct)} %"
        segments.append(Segment(STAINING_WORDS[name], pct, fill, words, ink))
    return stacked_bar(segments, cuts=cuts_pct, title="Membrane staining of the scored tumour cells")


def _class_rows(
    result: IhcScoreResult, cuts: Mapping[str, tuple[float, ...]], cuts_pct: Sequence[float]
) -> tuple[ClassRow, ...]:
    order = [*STRONGEST_FIRST, *sorted(result.percentages.keys() - set(STRONGEST_FIRST))]
    rows = []
    for name in order:
        share = result.percentages[name]
        low, high = (number_text(value, cuts=cuts_pct) for value in (share.low_pct, share.high_pct))
        label = "All stained cells" if name == "stained" else STAINING_WORDS.get(name, code_words(name))
        fill = _FILLS[name][0] if name in _FILLS else ""
        pct = number_text(share.pct, cuts=cuts_pct)
        spanned = [cut for cut in cuts.get(f"pct_{name}", ()) if share.low_pct <= cut <= share.high_pct]
        spans = ", ".join(f"{cut:g} %" for cut in spanned)
        rows.append(ClassRow(label, fill, count_text(share.cells), pct, f"{low} to {high}", spans))
    return tuple(rows)


def _facts(result: IhcScoreResult) -> tuple[CountRow, ...]:
    rows = (
        CountRow("Scored tumour cells", count_text(result.scored_cells)),
        CountRow("H-score (0 to 300)", number_text(result.h_score, digits=1)),
        CountRow("Nuclei taken as tumour cells", f"{number_text(result.selected_nuclei_pct, digits=1)} %"),
        CountRow("Limit of blank of the measurement", f"{number_text(result.limit_of_blank_pct)} %"),
        CountRow("Calibration", result.calibration),
    )
    order = [*HETEROGENEITY_WORDS, *sorted(result.heterogeneity.keys() - HETEROGENEITY_WORDS.keys())]
    measured = [name for name in order if name in result.heterogeneity]
    return (*rows, *(_heterogeneity_row(name, result.heterogeneity[name]) for name in measured))


def _heterogeneity_row(name: str, value: float) -> CountRow:
    words, digits = HETEROGENEITY_WORDS.get(name, (f"Heterogeneity: {code_words(name)}", 2))
    return CountRow(words, number_text(value, digits=digits))
