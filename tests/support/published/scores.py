"""IHC scores as the guidelines print them, written from the literature and not from the code.

Each function takes the percentages of the cells by staining, as integers of a tenth of a per cent
(arrays of one shape), and returns the score as an integer 0 to 3 with what the policies of her2path
make a person look at.  Where two columns of a guideline meet, a stronger class counts at least as
the weaker one (policies P1 and P2), and staining within the limit of blank counts as nothing where
any staining at all would count (P3 and P4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from her2path.domain.ihc import Intensity, Pattern

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Staining = tuple[Intensity, Pattern]

# What a breast guideline makes of a cell: I = intense complete, C = weak to moderate complete,
# L = moderate to intense, not closed (basolateral, lateral), F = faint.
_BREAST_ROWS = {
    #                    incomplete, basolateral, complete
    Intensity.FAINT: "FFF",
    Intensity.WEAK: "FFC",
    Intensity.MODERATE: "LLC",
    Intensity.STRONG: "LLI",
}
# Elsewhere complete, basolateral and lateral count alike: S = strong, M = weak to moderate, F = faint.
_OTHER_ROWS = {
    Intensity.FAINT: "FFF",
    Intensity.WEAK: "FMM",
    Intensity.MODERATE: "MMM",
    Intensity.STRONG: "SSS",
}
_PATTERNS = (Pattern.INCOMPLETE, Pattern.BASOLATERAL, Pattern.COMPLETE)


def _letters(rows: Mapping[Intensity, str]) -> dict[Staining, str]:
    return {(i, p): row[n] for i, row in rows.items() for n, p in enumerate(_PATTERNS)}


BREAST_CLASS = _letters(_BREAST_ROWS)
OTHER_CLASS = _letters(_OTHER_ROWS)


@dataclass(frozen=True)
class Scores:
    """What a guideline prints for each point."""

    score: npt.NDArray[np.int64]
    is_undefined: Mask
    """The pattern fits no definition; a policy decided and a person must look."""
    is_focal: Mask
    """Intense staining in few cells; another block may read otherwise."""
    extent: npt.NDArray[Any] | None = None
    """What the score leads to where that is not the score alone; empty words = the score alone."""


def _cells(stained: Mapping[Staining, Numbers], classes: Mapping[Staining, str], letters: str) -> Numbers:
    first = next(iter(stained.values()))
    return sum((n for key, n in stained.items() if classes[key] in letters), np.zeros_like(first))


def _over(cells: Numbers, total: int, share: Fraction) -> Mask:
    return cells * share.denominator > share.numerator * total


def breast_since_2013(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Breast 2013 to 2023: everything hangs on more than 10 %."""
    intense, complete, lateral, faint, unusual, everything = (
        _cells(stained, BREAST_CLASS, letters) for letters in ("I", "IC", "LI", "F", "ICL", "ICLF")
    )

    def many(cells: Numbers) -> Mask:
        return 10 * cells > total

    some_intense = _over(intense, total, blank)
    two = many(complete) | some_intense | many(lateral)
    score = np.select([many(intense), two, many(everything)], [3, 2, 1], 0)
    undefined_one = (score == 1) & (~many(faint) | many(unusual))
    lacks_definition = undefined_one | ((score == 0) & _over(unusual, total, blank))
    return Scores(score, lacks_definition, (score == 2) & ~many(complete) & some_intense)


def breast_2007(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Breast 2007: 10 % of complete staining is 2+, more than 30 % of intense staining 3+."""
    intense, complete, unusual, everything = (
        _cells(stained, BREAST_CLASS, letters) for letters in ("I", "IC", "ICL", "ICLF")
    )
    is_complete, some_intense = 10 * complete >= total, _over(intense, total, blank)
    score = np.select(
        [10 * intense > 3 * total, is_complete | some_intense, _over(everything, total, blank)], [3, 2, 1], 0
    )
    lacks_definition = (score == 1) & _over(unusual, total, blank)
    return Scores(score, lacks_definition, (score == 2) & ~is_complete)


def _levels(stained: Mapping[Staining, Numbers]) -> tuple[Numbers, ...]:
    """Strong; strong or moderate; moderate; faint; any."""
    strong, moderate_up, moderate, faint, everything = (
        _cells(stained, OTHER_CLASS, letters) for letters in ("S", "SM", "M", "F", "SMF")
    )
    return strong, moderate_up, moderate, faint, everything


def _by_share(
    stained: Mapping[Staining, Numbers], is_enough: Callable[[Numbers], Mask], some_strong: Mask
) -> tuple[npt.NDArray[np.int64], Mask, Mask]:
    strong, moderate_up, moderate, faint, everything = _levels(stained)
    score = np.select([is_enough(strong), is_enough(moderate_up), is_enough(everything)], [3, 2, 1], 0)
    lacks_definition = ((score == 2) & ~is_enough(moderate)) | ((score == 1) & ~is_enough(faint))
    return score, lacks_definition, (score == 0) & some_strong


def stomach_resection(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Stomach and oesophagus 2016, resection: everything hangs on 10 % or more."""
    some_strong = _over(_levels(stained)[0], total, blank)
    return Scores(*_by_share(stained, lambda cells: 10 * cells >= total, some_strong))


def colon_resection(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Harmonised colorectal criteria 2019, resection: more than 10 %."""
    some_strong = _over(_levels(stained)[0], total, blank)
    score, undefined, focal = _by_share(stained, lambda cells: 10 * cells > total, some_strong)
    return Scores(score, undefined | focal, focal)


def colon_biopsy(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Harmonised colorectal criteria 2019, biopsy: no percentage."""
    strong, moderate_up, _, _, everything = _levels(stained)
    score = np.select(
        [_over(cells, total, blank) for cells in (strong, moderate_up, everything)], [3, 2, 1], 0
    )
    return Scores(score, np.zeros_like(score, dtype=bool), (score == 3) & (10 * strong <= total))


def colon_heracles(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """HERACLES 2015: the strongest staining names the score, its extent decides."""
    strong, moderate_up, _, _, everything = _levels(stained)
    score = np.select(
        [_over(cells, total, blank) for cells in (strong, moderate_up, everything)], [3, 2, 1], 0
    )
    is_half, is_focal = 2 * moderate_up >= total, (score == 3) & (10 * strong <= total)
    extent = np.select(
        [score < 2, 2 * strong >= total, (10 * strong > total) | is_half],
        ["", "positive", "equivocal"],
        "negative",
    )
    return Scores(score, np.zeros_like(is_half), is_focal, extent)


def endometrium(stained: Mapping[Staining, Numbers], total: int, blank: Fraction) -> Scores:
    """Serous carcinoma of the endometrium 2022: strong in more than 30 % is 3+, in fewer 2+."""
    strong, moderate_up, _, _, everything = _levels(stained)
    is_2 = _over(strong, total, blank) | (10 * moderate_up >= total)
    score = np.select([10 * strong > 3 * total, is_2, _over(everything, total, blank)], [3, 2, 1], 0)
    return Scores(score, (score == 1) & _over(moderate_up, total, blank), np.zeros_like(is_2))


Published = Callable[[Mapping[Staining, Numbers], int, Fraction], Scores]
RESECTION: Mapping[str, Published] = {
    "breast_2007": breast_2007,
    "breast_2013": breast_since_2013,
    "breast_2015": breast_since_2013,
    "breast_2018": breast_since_2013,
    "breast_2023": breast_since_2013,
    "gastroesophageal_2016": stomach_resection,
    "colorectal_heracles_2015": colon_heracles,
    "colorectal_harmonised_2019": colon_resection,
    "endometrial_serous_2022": endometrium,
    "pantumour_tdxd_2024": stomach_resection,
    "biliary_zanidatamab_2024": stomach_resection,
}
"""The table of each guideline for a resection."""
BIOPSY_BY_CLUSTER = ("gastroesophageal_2016", "pantumour_tdxd_2024", "biliary_zanidatamab_2024")
"""Guidelines that read a biopsy by its clusters of five cells."""
BIOPSY_BY_ANY_CELL = ("colorectal_harmonised_2019",)
"""Guidelines that read a biopsy without a percentage."""


def stomach_biopsy(strong: int, moderate_up: int, stained: int) -> int:
    """Score a biopsy of the stomach by its largest clusters of cells that stain at least so strongly."""
    if strong >= 5:
        return 3
    if moderate_up >= 5:
        return 2
    return 1 if stained >= 5 else 0
