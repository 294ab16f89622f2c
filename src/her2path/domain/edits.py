"""What a person's edits make of measured cells: which of them are scored, and how they stain.

A person draws regions and gives single cells another class; neither tells the intensity and the pattern
of a membrane, which the guidelines read.  So a class given by a person keeps as much of what was
measured as it allows, and a region only chooses among cells that were measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import (
    CELL_SCORE,
    IhcScore,
    Intensity,
    Pattern,
    Reactivity,
    reactivity,
    staining_class,
)
from her2path.domain.label_classes import label_class
from her2path.domain.region_use import RegionUse

Staining = tuple[Intensity, Pattern]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

CORRECTED = "corrected_by_person"
"""Why a cell is not scored: a person said that it is no tumour cell, or not to be scored."""
UNKNOWN = -1
"""Code of a cell of which nobody knows whether it would be scored, because an older version measured it."""


@dataclass(frozen=True, slots=True)
class CellVerdict:
    """What a class that a person gave to a cell says."""

    name: str
    """Its one spelling."""
    is_tumour: bool
    """Whether the cell is scored."""
    staining: IhcScore | Reactivity | None = None
    """None = as measured."""


_LEVELS = (
    CellVerdict("Tumor: Faint", is_tumour=True, staining=Reactivity.FAINT),
    CellVerdict("Tumor: Weak to moderate", is_tumour=True, staining=Reactivity.WEAK_MODERATE),
    CellVerdict("Tumor: Strong", is_tumour=True, staining=Reactivity.STRONG),
)
"""Levels of staining, by which guidelines outside the breast read cells."""


def cell_verdict(words: str) -> CellVerdict | None:
    """Understand the class of a cell; None where it says nothing of a cell of the case.

    Examples
    --------
    >>> cell_verdict("tumour:3+")
    CellVerdict(name='Tumor: 3+', is_tumour=True, staining=<IhcScore.THREE_PLUS: '3+'>)
    >>> cell_verdict("Immune cells").is_tumour
    False
    >>> cell_verdict("Tumor: weak to moderate").staining
    <Reactivity.WEAK_MODERATE: 'weak_moderate'>
    """
    if (known := label_class(words)) is not None:
        return CellVerdict(known.value, known.is_tumour, known.score)
    spelt = ": ".join(part.strip() for part in words.lower().replace("tumour", "tumor").split(":"))
    return next((level for level in _LEVELS if level.name.lower() == spelt), None)


_TYPICAL: Mapping[IhcScore | Reactivity, Staining] = MappingProxyType(
    {
        IhcScore.ZERO: (Intensity.NONE, Pattern.NONE),
        IhcScore.ONE_PLUS: (Intensity.FAINT, Pattern.INCOMPLETE),
        IhcScore.TWO_PLUS: (Intensity.MODERATE, Pattern.COMPLETE),
        IhcScore.THREE_PLUS: (Intensity.STRONG, Pattern.COMPLETE),
        Reactivity.NONE: (Intensity.NONE, Pattern.NONE),
        Reactivity.FAINT: (Intensity.FAINT, Pattern.INCOMPLETE),
        Reactivity.WEAK_MODERATE: (Intensity.MODERATE, Pattern.COMPLETE),
        Reactivity.STRONG: (Intensity.STRONG, Pattern.COMPLETE),
    }
)
"""The staining that stands for a score or level where nothing was measured to choose by."""


def _reads(staining: Staining, wanted: IhcScore | Reactivity) -> bool:
    if isinstance(wanted, Reactivity):
        return reactivity(*staining) is wanted
    return CELL_SCORE[staining_class(*staining)] == tuple(IhcScore).index(wanted)


@cache
def staining_given(wanted: IhcScore | Reactivity, measured: Staining) -> Staining:
    """Choose the staining of a cell to which a person gave a score or a level.

    Of all stainings that read so the one nearest to what was measured: with its pattern where that is
    possible, and then with the nearest intensity.  An unstained cell says nothing of either and gets
    the typical staining.

    Examples
    --------
    >>> [str(word) for word in staining_given(IhcScore.TWO_PLUS, (Intensity.STRONG, Pattern.COMPLETE))]
    ['moderate', 'complete']
    >>> [str(word) for word in staining_given(IhcScore.TWO_PLUS, (Intensity.FAINT, Pattern.INCOMPLETE))]
    ['moderate', 'incomplete']
    >>> [str(word) for word in staining_given(IhcScore.ONE_PLUS, (Intensity.NONE, Pattern.NONE))]
    ['faint', 'incomplete']
    """
    if _reads(measured, wanted):
        return measured
    typical = _TYPICAL[wanted]
    if Intensity.NONE in {measured[0], typical[0]}:
        return typical
    order = list(Intensity)
    allowed = (
        (intensity, pattern)
        for intensity in order[1:]
        for pattern in list(Pattern)[1:]
        if _reads((intensity, pattern), wanted)
    )
    rank = order.index(measured[0])
    return min(
        allowed,
        key=lambda one: (
            one[1] is not measured[1],
            one[1] is not typical[1],
            abs(order.index(one[0]) - rank),
        ),
    )


@dataclass(frozen=True, slots=True)
class ReasonCodes:
    """Codes of the reasons that regions give; 0 = scored."""

    outside: int
    """No tumour region holds the cell."""
    excluded: int
    """A region to leave out holds it."""
    control: int
    """It is scored with the control tissue that it belongs to."""


@dataclass(frozen=True, slots=True)
class MeasuredCells:
    """Cells as they were measured; arrays of shape (n,)."""

    exclusion: Codes
    """Why a cell is not scored; 0 = scored."""
    if_drawn: Codes
    """Why it would not be scored where a person draws tumour around it; 0 = it would, `UNKNOWN`."""
    in_control: Flags
    """Whether it belongs to control tissue of the slide."""


@dataclass(frozen=True, slots=True)
class DrawnPlaces:
    """Which cells lie in the regions that a person drew; arrays of shape (n,), None = not drawn."""

    tumour: Flags | None = None
    tumour_use: RegionUse = RegionUse.REPLACE
    left_out: Flags | None = None
    left_out_use: RegionUse = RegionUse.ADD
    control: Flags | None = None


def exclusion_after(cells: MeasuredCells, drawn: DrawnPlaces, codes: ReasonCodes) -> Codes:
    """Say of every cell why it is not scored once a person's regions hold.

    The same order as where the case sheet names regions: what is left out outweighs everything,
    control tissue is no tissue of the case wherever tumour is drawn, and within drawn tumour a cell
    still has to look like one that is scored.

    Parameters
    ----------
    cells : MeasuredCells
    drawn : DrawnPlaces
    codes : ReasonCodes

    Returns
    -------
    ndarray of int8, shape (n,)
        Reasons in the codes of `cells`, `UNKNOWN` where only measuring again could tell.

    Examples
    --------
    >>> cells = MeasuredCells(np.array([0, 7, 5], np.int8), np.array([0, 0, 5], np.int8), np.zeros(3, bool))
    >>> drawn = DrawnPlaces(tumour=np.array([False, True, True]))
    >>> exclusion_after(cells, drawn, ReasonCodes(outside=7, excluded=8, control=9)).tolist()
    [7, 0, 5]
    """
    was_outside, was_excluded = cells.exclusion == codes.outside, cells.exclusion == codes.excluded
    nature = np.where(was_outside | was_excluded, cells.if_drawn, cells.exclusion)
    in_tumour = ~was_outside
    if drawn.tumour is not None:
        in_tumour = drawn.tumour if drawn.tumour_use is RegionUse.REPLACE else in_tumour | drawn.tumour
        nature = np.where(drawn.tumour & ~cells.in_control, cells.if_drawn, nature)
    in_control = cells.in_control
    if drawn.control is not None:
        nature = np.where(drawn.control & ~in_control, cells.if_drawn, nature)
        in_control = in_control | drawn.control
    left_out = was_excluded
    if drawn.left_out is not None:
        left_out = drawn.left_out if drawn.left_out_use is RegionUse.REPLACE else left_out | drawn.left_out
    found = np.where(in_tumour | in_control, nature, codes.outside)
    found[(found == 0) & in_control] = codes.control
    found[left_out] = codes.excluded
    return np.asarray(found, np.int8)
