"""A typed ratio, and a typed share of amplified nuclei, beside the signals they must belong to."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import cache

from her2path.cli.typed_cells import TypedCells
from her2path.cli.typed_counts import TypedCount
from her2path.domain.guideline.conditions import Comparison
from her2path.domain.guideline.definition import Guideline, condition_of
from her2path.domain.guideline.quantities import RATIO
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ish import IshReading, SignalSummary, ratio_is_at_least_2
from her2path.domain.means import half_step, ratio_agrees, rounding


def with_ratio(
    cells: TypedCells, count: TypedCount, ratio: Decimal, guideline: Guideline
) -> TypedCount | None:
    """Keep the totals that have the typed ratio; a fault and None where there are none."""
    if not count.likeliest.cep17:
        if ratio:
            cells.fault("ratio", "is given, but without CEP17 signals there is none")
            return None
        return count
    counted = f"{count.likeliest.her2_cep17_ratio:.6g}"
    narrowed = count.narrowed(lambda summary: bool(summary.cep17) and ratio_agrees(summary, ratio))
    if narrowed is None:
        message = f"says {ratio}, but the sum of HER2 over the sum of CEP17 signals is {counted}"
        remedy = "; if the means were rounded, give whole totals" if count.from_means else ""
        cells.fault("ratio", message + remedy)
        return None
    fitting = (narrowed.likeliest, *narrowed.others)
    if not any(_is_on_one_side(summary, ratio, guideline) for summary in fitting):
        message = f"says {ratio}, which lies beyond a cut-point of {guideline.id} from {counted}, as counted"
        cells.fault("ratio", f"{message}; write the ratio with more digits, or leave it out")
        return None
    return narrowed


def _is_on_one_side(summary: SignalSummary, ratio: Decimal, guideline: Guideline) -> bool:
    """Whether the typed ratio says of each cut-point what the totals say."""
    typed = Fraction(ratio)
    counted = Fraction(summary.her2, summary.cep17 or 1)
    if rounding(ratio) > half_step(ratio) and abs(typed - counted) <= rounding(ratio):
        # A program divided: its last bits are no statement about a cut-point.
        return True
    as_typed = IshReading(SignalSummary(1, typed.numerator, typed.denominator))
    return all(cut(as_typed) == cut(IshReading(summary)) for cut in _ratio_cuts(guideline.id))


@cache
def _ratio_cuts(guideline_id: str) -> tuple[Comparison[IshReading], ...]:
    rules = find_guideline(guideline_id).ish_dual
    atoms = (atom for rule in rules for atom in condition_of(rule).atoms)
    return tuple(
        {
            (atom.relation, atom.cut): atom
            for atom in atoms
            if isinstance(atom, Comparison) and atom.quantity.name == RATIO.name
        }.values()
    )


def check_share(cells: TypedCells, name: str, reading: IshReading) -> bool:
    """Refuse a share of amplified nuclei that the signals contradict.

    Returns
    -------
    fits : bool
        Whether it can be a share of these nuclei.  One that cannot was counted over others, which
        somebody may have done; it is taken as stated.
    """
    typed, summary = cells.texts.get(name), reading.summary
    share = reading.share_ratio_at_least_2
    if typed is None or share is None or not summary.cep17:
        return True
    # How many nuclei the digits allow: 33 % of 40 may be 13 of them.
    room = rounding(Decimal(typed)) / 100 * summary.nuclei
    fewest = max(0, math.ceil(share * summary.nuclei - room))
    most = min(summary.nuclei, math.floor(share * summary.nuclei + room))
    if fewest > most:
        return False
    above = ratio_is_at_least_2(summary.her2, summary.cep17)
    if (share == 1 or fewest == summary.nuclei) and not above:
        message = "so the ratio of their sums is 2.0 or more, but it is"
        cells.fault(name, f"is {typed}, {message} {summary.her2_cep17_ratio:.6g}")
    elif (share == 0 or most == 0) and above:
        message = "so the ratio of their sums is below 2.0, but it is"
        cells.fault(name, f"is {typed}, {message} {summary.her2_cep17_ratio:.6g}")
    return True
