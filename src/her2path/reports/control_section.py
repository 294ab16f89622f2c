"""What a report shows of control tissue on the slides: expected, found, and what that means for the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.case import Controls
from her2path.domain.control_tissue import ControlVerdict, run_controls
from her2path.domain.ihc import StainingClass
from her2path.io.control_entries import ControlEntry
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.ihc_section import LegendItem, Scheme, overlay_legend
from her2path.reports.number_names import STAINING_WORDS
from her2path.reports.numbers import count_text, percentage_text


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a verdict is shown: words, style class and shape, so that colour is never the only sign."""

    words: str
    look: str
    symbol: str


VERDICTS: Mapping[ControlVerdict, Verdict] = MappingProxyType(
    {
        ControlVerdict.ACCEPTED: Verdict("accepted", "negative", "check"),
        ControlVerdict.FAILED: Verdict("failed", "positive", "cross"),
        ControlVerdict.DOUBTFUL: Verdict("doubtful", "unsettled", "question"),
        ControlVerdict.NOT_EVALUABLE: Verdict("not evaluable", "failed", "cross"),
        ControlVerdict.NOT_COMPARED: Verdict("not compared", "failed", "minus"),
    }
)

_RUN_WORDS: Mapping[Controls, str] = MappingProxyType(
    {
        Controls.PASS: "the run has passed.",
        Controls.FAIL: "the run has failed, so the test is rejected; repeat the stain.",
        Controls.UNKNOWN: "it stays open whether the run has passed.",
    }
)
_STATED_WORDS: Mapping[Controls, str] = MappingProxyType(
    {
        Controls.PASS: "The case sheet states that the controls passed",
        Controls.FAIL: "The case sheet states that the controls failed",
        Controls.UNKNOWN: "The case sheet does not state whether the controls passed",
    }
)
_ENDS = ("left", "right", "top", "bottom")


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One piece of control tissue as printed."""

    number: str
    place: str
    expected: str
    found: str
    cells: str
    staining: str
    """Percentages of the stained classes, strongest first; empty without a score."""
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class ControlSection:
    """The control tissue of one slide, ready for the page."""

    image_id: str
    rows: tuple[ControlRow, ...]
    run: str
    """What sheet and slide together say of the run."""
    picture: Picture | None
    legend: tuple[LegendItem, ...]


def control_sections(
    images: Sequence[ImageEvidence], pictures: Mapping[str, Picture]
) -> tuple[ControlSection, ...]:
    """Prepare the control tissue of all slides that have some.

    Parameters
    ----------
    images : sequence of ImageEvidence
        The case's images.
    pictures : mapping of str to Picture
        ``controls.png`` by image id.
    """
    found = []
    for image in images:
        result = image.score.result if image.score is not None else None
        if result is None or not result.control:
            continue
        stated = image.facts.controls
        joined = run_controls(stated, [entry.verdict for entry in result.control])
        found.append(
            ControlSection(
                image_id=image.image_id,
                rows=tuple(_row(number, entry) for number, entry in enumerate(result.control, start=1)),
                run=f"{_STATED_WORDS[stated]}. With the control tissue on this slide "
                f"{_RUN_WORDS[joined.controls]}",
                picture=pictures.get(image.image_id),
                legend=overlay_legend(Scheme.CLASSES)[:-1],  # drawn by score whatever the guideline
            )
        )
    return tuple(found)


def _row(number: int, entry: ControlEntry) -> ControlRow:
    return ControlRow(
        number=str(number),
        place=_place(entry.piece),
        expected="not stated" if entry.expected is None else str(entry.expected),
        found="none" if entry.score is None else str(entry.score),
        cells=count_text(entry.cells),
        staining="; ".join(
            f"{STAINING_WORDS[name].lower()} "
            f"{percentage_text(entry.percentages[name], digits=1)}\N{NO-BREAK SPACE}%"
            for name in StainingClass
            if name is not StainingClass.NONE and name in entry.percentages
        ),
        verdict=VERDICTS[entry.verdict],
        reason=entry.reason,
    )


def _place(piece: str) -> str:
    if piece in _ENDS:
        return f"{piece} end of the slide"
    return f"piece {piece}" if piece.isdecimal() else f"drawn {piece}"
