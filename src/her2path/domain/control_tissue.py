"""Control tissue on the slide itself: where it lies, what it should score, and what that says of the run.

Control tissue was stained in the same run with the same antibody.  It is left out of the case's
score, scored on its own, and held against the score that the laboratory knows it to have.
Acceptance and its effect on the run's controls are policy P23; guidelines ask for controls and
leave the comparison to the laboratory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from her2path.domain.case import Controls, Specimen
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.ihc import (
    TYPICAL_STAINING,
    IhcReading,
    IhcScore,
    IhcTally,
    Intensity,
    Pattern,
    Reactivity,
    StainingClass,
    TallyUnit,
    reactivity,
    staining_class,
)
from her2path.domain.reading import read_ihc
from her2path.domain.verdict import NotEvaluable


class SlideEnd(StrEnum):
    """An end of the slide as it is displayed."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


Place = SlideEnd | int
"""Which piece of tissue is meant: the one at an end of the slide, or its number."""


def place_of(word: str) -> Place:
    """Read the place of a piece; ValueError if it is none.

    Examples
    --------
    >>> place_of("left"), place_of("2")
    (<SlideEnd.LEFT: 'left'>, 2)
    """
    if word in tuple(SlideEnd):
        return SlideEnd(word)
    if word.isascii() and word.isdecimal() and 1 <= int(word) <= MOST_PIECES:
        return int(word)
    ends = ", ".join(SlideEnd)
    raise ValueError(f"{word!r} is no piece of tissue; use {ends}, or its number in the quality picture")


MOST_PIECES = 9999
"""Largest number of a piece; a tissue microarray has a few hundred."""


class ControlVerdict(StrEnum):
    """What a piece of control tissue says of the run (P23)."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    """A neighbouring score, but the expected one lies within the uncertainty."""
    NOT_EVALUABLE = "not_evaluable"
    NOT_COMPARED = "not_compared"
    """Nobody stated what it should score."""


_ORDER = tuple(IhcScore)


def judge_control(
    expected: IhcScore | None, score: IhcScore, possible: Collection[IhcScore]
) -> ControlVerdict:
    """Hold a control's score against the one it should have (P23).

    Parameters
    ----------
    expected : IhcScore or None
        What the laboratory knows of this tissue; None = not stated.
    score : IhcScore
        What was measured.
    possible : collection of IhcScore
        Scores within the uncertainty of the measurement.

    Examples
    --------
    >>> judge_control(IhcScore.THREE_PLUS, IhcScore.TWO_PLUS, {IhcScore.TWO_PLUS}).value
    'failed'
    """
    if expected is None:
        return ControlVerdict.NOT_COMPARED
    if score is expected:
        return ControlVerdict.ACCEPTED
    beside = abs(_ORDER.index(score) - _ORDER.index(expected)) == 1
    return ControlVerdict.DOUBTFUL if beside and expected in possible else ControlVerdict.FAILED


@dataclass(frozen=True, slots=True)
class ControlScore:
    """The score of one piece of control tissue."""

    score: IhcScore
    possible: frozenset[IhcScore]
    """It and the scores that the 95 % intervals of its shares allow."""


Interval = Callable[[int, int], tuple[float, float]]
"""Bounds of a share (0 to 1) by its cells and the cells it was counted over."""


def score_control(
    reading: IhcReading, guideline: Guideline, *, interval: Interval
) -> ControlScore | NotEvaluable:
    """Score control tissue by the case's guideline.

    It is read as a resection whatever the case's specimen is: rules for biopsies count clusters
    because little tumour is left in them, and control tissue is chosen for having enough.

    Parameters
    ----------
    reading : IhcReading
        Cells of one piece of control tissue.
    guideline : Guideline
        That of the case.
    interval : callable
        95 % interval of a share (`her2path.domain.stats.intervals.wilson_interval`).
    """
    section = replace(reading, specimen=Specimen.RESECTION, clusters=None, controls=Controls.PASS)
    read = read_ihc(section, guideline)
    if isinstance(read, NotEvaluable):
        return read
    if read.score is None:
        raise ValueError("control tissue itself has no controls that could reject it")
    others = (read_ihc(shifted, guideline) for shifted in _shifted(section, interval))
    scores = {r.score for r in others if not isinstance(r, NotEvaluable) and r.score is not None}
    return ControlScore(read.score, frozenset(scores | {read.score}))


Staining = tuple[Intensity, Pattern]


def _shifted(reading: IhcReading, interval: Interval) -> Iterator[IhcReading]:
    """Give the readings in which one share lies at an end of its interval."""
    total = reading.tally.total
    for group, typical in _groups():
        cells = sum(n for key, n in reading.tally.counts.items() if group(key))
        for share in interval(cells, total):
            tally = _with_share(reading.tally, group, share, typical)
            yield replace(reading, tally=tally, unit=TallyUnit.SHARES)


def _groups() -> Iterator[tuple[Callable[[Staining], bool], Staining]]:
    """Give what guidelines sum: classes and levels from the strongest down, and each by itself."""
    classes = tuple(StainingClass)[:-1]
    for place, name in enumerate(classes, start=1):
        for wanted in {classes[:place], (name,)}:
            yield _within(staining_class, wanted), TYPICAL_STAINING[name]
    levels = tuple(Reactivity)[:-1]
    for place, (level, intensity) in enumerate(
        zip(levels, (Intensity.STRONG, Intensity.MODERATE, Intensity.FAINT), strict=True), start=1
    ):
        for chosen in {levels[:place], (level,)}:
            yield _within(reactivity, chosen), (intensity, Pattern.INCOMPLETE)


def _within(
    class_of: Callable[[Intensity, Pattern], str], wanted: Collection[str]
) -> Callable[[Staining], bool]:
    return lambda key: class_of(*key) in wanted


_PARTS = 100_000
"""Fineness of a shifted share: a thousandth of a per cent."""


def _with_share(
    tally: IhcTally, group: Callable[[Staining], bool], share: float, typical: Staining
) -> IhcTally:
    """Give `group` a share of the cells; within it and outside it proportions stay."""
    inside = {key: n for key, n in tally.counts.items() if n and group(key)} or {typical: 1}
    outside = {key: n for key, n in tally.counts.items() if n and not group(key)}
    outside = outside or {(Intensity.NONE, Pattern.NONE): 1}
    counts: dict[Staining, int] = {}
    for part, whole in ((inside, share), (outside, 1 - share)):
        cells = sum(part.values())
        counts |= {key: round(_PARTS * whole * n / cells) for key, n in part.items()}
    return IhcTally(counts)


@dataclass(frozen=True, slots=True)
class RunControls:
    """Whether a run's controls passed, and what a person should know of how that was found."""

    controls: Controls
    flags: tuple[Flag, ...]


def run_controls(stated: Controls, verdicts: Iterable[ControlVerdict]) -> RunControls:
    """Combine what the case sheet states of a run's controls with those on the slide (P23).

    Parameters
    ----------
    stated : Controls
        What the laboratory wrote into the sheet.
    verdicts : iterable of ControlVerdict
        Of every piece of control tissue on the slide; empty = none.

    Examples
    --------
    >>> run_controls(Controls.UNKNOWN, [ControlVerdict.ACCEPTED]).controls.value
    'pass'
    >>> run_controls(Controls.PASS, [ControlVerdict.ACCEPTED, ControlVerdict.FAILED]).controls.value
    'fail'
    """
    found = frozenset(verdicts)
    failed = ControlVerdict.FAILED in found
    open_ones = found & {ControlVerdict.DOUBTFUL, ControlVerdict.NOT_EVALUABLE}
    accepted = ControlVerdict.ACCEPTED in found and not failed and not open_ones
    flags = [flag for verdict, flag in _FLAGS.items() if verdict in found]
    if (failed and stated is Controls.PASS) or (accepted and stated is Controls.FAIL):
        flags.append(Flag.CONTROL_TISSUE_CONTRADICTS)
    if failed or stated is Controls.FAIL:
        return RunControls(Controls.FAIL, tuple(flags))
    if accepted and stated is Controls.UNKNOWN:
        return RunControls(Controls.PASS, (*flags, Flag.CONTROLS_BY_MEASUREMENT))
    return RunControls(stated, tuple(flags))


_FLAGS = {
    ControlVerdict.FAILED: Flag.CONTROL_TISSUE_FAILED,
    ControlVerdict.DOUBTFUL: Flag.CONTROL_TISSUE_DOUBTFUL,
    ControlVerdict.NOT_EVALUABLE: Flag.CONTROL_TISSUE_NOT_EVALUABLE,
    ControlVerdict.NOT_COMPARED: Flag.CONTROL_TISSUE_NOT_COMPARED,
}
