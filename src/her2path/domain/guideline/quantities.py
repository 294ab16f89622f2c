"""The numbers that guidelines compare with their cut-points, and the facts that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from her2path.domain.case import Controls, Specimen
from her2path.domain.guideline.conditions import Condition, Fact, Quantity
from her2path.domain.ihc import STAINED, IhcReading, Reactivity, StainingClass, levels_from
from her2path.domain.ish import IshReading

PER_CENT = "per cent of tumour cells"

_INTENSE = StainingClass.COMPLETE_INTENSE
_COMPLETE = (_INTENSE, StainingClass.COMPLETE_WEAK_MODERATE)
_LATERAL = StainingClass.INCOMPLETE_MODERATE_INTENSE


def ihc_fact(words: str, test: Callable[[IhcReading], bool], otherwise: str = "") -> Fact[IhcReading]:
    """State something of the IHC that is no comparison with a cut-point."""
    return Fact(words, test, otherwise)


def ish_fact(words: str, test: Callable[[IshReading], bool], otherwise: str = "") -> Fact[IshReading]:
    """State something of the ISH that is no comparison with a cut-point."""
    return Fact(words, test, otherwise)


def _pct(name: str, label: str, *classes: StainingClass | Reactivity) -> Quantity[IhcReading]:
    return Quantity(
        f"pct_{name}", label, PER_CENT, lambda r: 100 * r.cells_of(*classes), lambda r: r.tally.total
    )


PCT_COMPLETE_INTENSE = _pct("complete_intense", "complete intense", _INTENSE)
PCT_COMPLETE = _pct("complete", "complete", *_COMPLETE)
# Intense complete cells within the limit of blank count as the next weaker class (policies P1, P3).
PCT_LATERAL_OR_INTENSE = _pct(
    "lateral_or_intense", "incomplete moderate to intense (with complete intense)", _LATERAL, _INTENSE
)
PCT_FAINT = _pct("incomplete_faint", "incomplete faint", StainingClass.INCOMPLETE_FAINT)
PCT_STAINED = _pct("stained", "stained", *STAINED)
PCT_STRONG = _pct("strong", "strong", Reactivity.STRONG)
PCT_WEAK_MODERATE = _pct("weak_moderate", "weak to moderate", Reactivity.WEAK_MODERATE)
PCT_FAINT_LEVEL = _pct("faint", "faint", Reactivity.FAINT)
PCT_MODERATE_UP = _pct(
    "at_least_weak_moderate", "weak to moderate or strong", *levels_from(Reactivity.WEAK_MODERATE)
)

PCT_UNUSUAL = _pct("complete_or_lateral", "complete, or incomplete moderate to intense", *_COMPLETE, _LATERAL)
IS_STAINED: Condition[IhcReading] = PCT_STAINED > 0


@dataclass(frozen=True)
class OverBlank(Fact[IhcReading]):
    """More cells than the limit of blank of the measurement explains, in integers."""

    quantity: Quantity[IhcReading] = PCT_STAINED

    @classmethod
    def of(cls, quantity: Quantity[IhcReading]) -> OverBlank:
        """Compare a percentage with the limit of blank."""

        def exceeds(reading: IhcReading) -> bool:
            # The quantity is a percentage, the limit of blank a share.
            blank = reading.limit_of_blank
            cells, total = quantity.numerator(reading), quantity.denominator(reading)
            return cells * blank.denominator > 100 * blank.numerator * total

        words = f"{quantity.label} {{}} the limit of blank"
        return cls(words.format(">"), exceeds, words.format("≤"), quantity)


STAINED_OVER_BLANK = OverBlank.of(PCT_STAINED)
STAINED_WITHIN_BLANK: Condition[IhcReading] = IS_STAINED & ~STAINED_OVER_BLANK
"""Cells were read as stained, but not more than the limit of blank explains."""
INTENSE_OVER_BLANK = OverBlank.of(PCT_COMPLETE_INTENSE)
UNUSUAL_OVER_BLANK = OverBlank.of(PCT_UNUSUAL)
STRONG_OVER_BLANK = OverBlank.of(PCT_STRONG)
MODERATE_UP_OVER_BLANK = OverBlank.of(PCT_MODERATE_UP)
IS_BIOPSY = ihc_fact("biopsy", lambda r: r.specimen is Specimen.BIOPSY, "resection")


def _cluster(level: Reactivity, label: str) -> Quantity[IhcReading]:
    return Quantity(
        f"cluster_{level}",
        label,
        "cells",
        lambda r: 0 if (cells := r.largest_cluster(level)) is None else cells,
        lambda _: 1,
        lambda r: r.largest_cluster(level) is not None,
    )


CLUSTER_STRONG = _cluster(Reactivity.STRONG, "largest cluster of strong cells")
CLUSTER_MODERATE_UP = _cluster(
    Reactivity.WEAK_MODERATE, "largest cluster of cells that are weak to moderate or strong"
)
CLUSTER_STAINED = _cluster(Reactivity.FAINT, "largest cluster of stained cells")

CONTROLS_FAILED_IHC = ihc_fact("the IHC controls did not pass", lambda r: r.controls is Controls.FAIL)


def _cep17(reading: IshReading) -> int:
    # Not `or 0`: on a grid it is an array.
    return 0 if reading.summary.cep17 is None else reading.summary.cep17


RATIO: Quantity[IshReading] = Quantity(
    "her2_cep17_ratio",
    "HER2/CEP17 ratio",
    "ratio",
    lambda r: r.summary.her2,
    _cep17,
)
COPIES: Quantity[IshReading] = Quantity(
    "her2_mean",
    "HER2 copies per nucleus",
    "signals per nucleus",
    lambda r: r.summary.her2,
    lambda r: r.summary.nuclei,
)
CEP17_COPIES: Quantity[IshReading] = Quantity(
    "cep17_mean",
    "CEP17 copies per nucleus",
    "signals per nucleus",
    _cep17,
    lambda r: r.summary.nuclei,
    lambda r: r.summary.cep17 is not None,
)


def _share(reading: IshReading) -> Fraction:
    # A count without the share is rejected before its group is asked for.
    return reading.share_ratio_at_least_2 or Fraction(0)


SHARE_RATIO_2: Quantity[IshReading] = Quantity(
    "pct_nuclei_ratio_at_least_2",
    "nuclei with a ratio of 2.0 or more",
    "per cent of nuclei",
    lambda r: 100 * _share(r).numerator,
    lambda r: _share(r).denominator,
    lambda r: r.share_ratio_at_least_2 is not None,
)
