"""What `fish_counts.json` is made of: spread over nuclei, intervals, quality of the count, populations."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.domain.count_quality import CountQuality, Part
from her2path.domain.ish import SignalSummary
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.stats.second_population import PopulationSuggestion
from her2path.domain.stats.signal_spread import Interval, RatioSpread, Spread
from her2path.domain.verdict import NotEvaluable
from her2path.io.call_entries import Reason, Share, SharePct
from her2path.io.fish_entries import FishSignalsResult

Count = Annotated[int, Ge(0)]
Bound = Annotated[float, Ge(0)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class IntervalEntry(_Entry):
    """A 95 % interval, or why there is none."""

    low: Bound | None = None
    high: Bound | None = None
    not_evaluable: Reason | None = None

    @model_validator(mode="after")
    def _bounds_or_reason(self) -> Self:
        bounds = (self.low is not None, self.high is not None)
        if len({*bounds, self.not_evaluable is None}) > 1:
            raise ValueError("an interval has both bounds or the reason why there are none")
        return self

    @classmethod
    def of(cls, interval: Interval | NotEvaluable) -> Self:
        """Write down bounds, or the reason."""
        if isinstance(interval, NotEvaluable):
            return cls(not_evaluable=Reason(code=interval.code, reason=interval.reason))
        return cls(low=interval[0], high=interval[1])


class SpreadEntry(_Entry):
    """Signals of one colour over the counted nuclei."""

    mean: Bound
    minimum: Count
    maximum: Count
    sd: Bound | None
    """Standard deviation over nuclei; None with a single nucleus."""
    cv: Bound | None
    """Standard deviation over mean; None likewise, and without a signal."""
    bootstrap: IntervalEntry
    """Of the mean, by exact bootstrap over nuclei."""

    @classmethod
    def of(cls, spread: Spread) -> Self:
        """Write down what was measured."""
        return cls(
            mean=spread.mean,
            minimum=spread.least,
            maximum=spread.most,
            sd=spread.sd,
            cv=spread.cv,
            bootstrap=IntervalEntry.of(spread.interval),
        )


class RatioEntry(_Entry):
    """The sum of HER2 over the sum of CEP17 signals."""

    ratio: Bound
    bootstrap: IntervalEntry
    """By exact bootstrap over nuclei."""
    fieller: IntervalEntry
    """By Fieller's theorem."""

    @classmethod
    def of(cls, spread: RatioSpread) -> Self:
        """Write down what was measured."""
        return cls(
            ratio=spread.ratio,
            bootstrap=IntervalEntry.of(spread.bootstrap),
            fieller=IntervalEntry.of(spread.fieller),
        )


class PartEntry(_Entry):
    """So many of so many, with Wilson's 95 % interval."""

    number: Count
    total: Count
    pct: SharePct | None = None
    """None of nothing."""
    low_pct: SharePct | None = None
    high_pct: SharePct | None = None

    @classmethod
    def of(cls, part: Part) -> Self:
        """Write down a part with its percentage."""
        if not part.total:
            return cls(number=part.of_them, total=part.total)
        low, high = wilson_interval(part.of_them, part.total)
        return cls(
            number=part.of_them,
            total=part.total,
            pct=100 * part.of_them / part.total,
            low_pct=100 * low,
            high_pct=100 * high,
        )

    @classmethod
    def of_share(cls, share: Fraction, total: int) -> Self:
        """Write down a share of `total`."""
        return cls.of(Part(int(share * total), total))

    def value(self) -> Part:
        """Give the whole numbers back."""
        return Part(self.number, self.total)


class QualityEntry(_Entry):
    """What speaks for and against the count; cut-points are the guideline's, or policies P24 and P25."""

    weak: PartEntry
    """Signals too weak to be counted, of all signals in nuclei that were looked at."""
    cytoplasmic: PartEntry
    """Signals over cytoplasm, of all signals in and around nuclei of the region."""
    unresolved: PartEntry
    """Nuclei that cannot be resolved, of those that lie whole in the region."""
    obscured: PartEntry
    """Nuclei under glow of both probe colours, of those whose shape is fit."""
    poor_nuclei: bool | None
    """Policy P24; None = too few nuclei to tell."""
    autofluorescence: bool | None
    """Policy P25; None likewise."""

    @classmethod
    def of(cls, quality: CountQuality) -> Self:
        """Write down what was measured, with what follows from it."""
        return cls(
            weak=PartEntry.of(quality.weak),
            cytoplasmic=PartEntry.of(quality.cytoplasmic),
            unresolved=PartEntry.of(quality.unresolved),
            obscured=PartEntry.of(quality.obscured),
            poor_nuclei=quality.poor_nuclei,
            autofluorescence=quality.autofluorescence,
        )

    def value(self) -> CountQuality:
        """Give the whole numbers back."""
        return CountQuality(
            self.weak.value(), self.cytoplasmic.value(), self.unresolved.value(), self.obscured.value()
        )


class SumEntry(_Entry):
    """Sums over the nuclei of one population."""

    nuclei: Annotated[int, Ge(1)]
    her2_signals: Count
    cep17_signals: Count | None
    her2_mean: Bound
    ratio: Bound | None


class SuggestedPopulation(_Entry):
    """Nuclei that look like a second population: somebody should count 20 nuclei in it. Never a call."""

    nucleus_ids: tuple[int, ...]
    """Its nuclei, as in `fish_nuclei`."""
    fields: tuple[str, ...]
    """Fields that they lie in."""
    x_px0: tuple[float, float]
    """Least and greatest place of its nuclei, level 0."""
    y_px0: tuple[float, float]
    threshold: Count
    """Fewest HER2 signals of its nuclei."""
    share: PartEntry
    """Its nuclei of all that were counted."""
    main: SumEntry
    second: SumEntry
    separation: Annotated[float, Gt(0)]
    """Distance of both populations over their mean spread (Ashman's D)."""
    p_value: Share
    """How often counts of a single population look as much like two."""
    place: Literal["clustered", "intermingled"] | None
    """Whether its nuclei lie side by side; None = too few to tell."""
    place_p_value: Share | None
    ratio_alike: bool
    """Whether CEP17 is raised in it as HER2 is (polyploid, dividing or overlapping nuclei)."""


class FishCountsResult(_Entry):
    """What was counted on one FISH image."""

    nuclei: tuple[tuple[int, int | None], ...]
    """HER2 and CEP17 signals of every counted nucleus, in the order of `fish_nuclei`."""
    her2_signals: Count
    cep17_signals: Count | None
    excluded_nuclei: dict[str, Count]
    nuclei_with_clusters: Count
    quality: QualityEntry
    areas: Count
    """Areas of the image with counted nuclei: groups of fields that lie apart."""
    not_sufficient: tuple[Reason, ...] = ()
    """Why this image alone is no count by the guideline; other images of the case may add what lacks."""
    her2: SpreadEntry | None = None
    """None: no nucleus was counted."""
    cep17: SpreadEntry | None = None
    """None: no nucleus was counted, or a single probe."""
    ratio: RatioEntry | None = None
    """None likewise."""
    amplified: PartEntry | None = None
    """Nuclei whose own ratio is 2.0 or more; None likewise."""
    above_2_2: PartEntry | None = None
    """Nuclei whose own ratio is above 2.2 (definition of heterogeneity of 2009); None likewise."""
    clustered: PartEntry | None = None
    """Nuclei with clusters; None: no nucleus was counted."""
    chromosome_17: Literal["polysomy", "monosomy"] | None = None
    """A note, never a call; None = neither is seen, or not measured."""
    second_population: SuggestedPopulation | None = None
    """None = one population explains the counts, or `no_second_population` says why nobody can tell."""
    no_second_population: Reason | None = None
    optics: FishSignalsResult | None = None
    """What the signals taught of the optics of the image."""
    flags: tuple[str, ...] = ()


def suggested_population(
    found: PopulationSuggestion,
    *,
    nucleus_ids: Sequence[int],
    fields: Sequence[str],
    x_px0: tuple[float, float],
    y_px0: tuple[float, float],
) -> SuggestedPopulation:
    """Write down a suggestion with the ids of its nuclei and where they lie."""
    return SuggestedPopulation(
        nucleus_ids=tuple(nucleus_ids),
        fields=tuple(fields),
        x_px0=x_px0,
        y_px0=y_px0,
        threshold=found.threshold,
        share=PartEntry.of(Part(found.second.nuclei, found.second.nuclei + found.main.nuclei)),
        main=_sum_entry(found.main),
        second=_sum_entry(found.second),
        separation=found.separation,
        p_value=found.p_value,
        place=None if found.place is None else found.place.value,
        place_p_value=found.place_p_value,
        ratio_alike=found.ratio_alike,
    )


def _sum_entry(summary: SignalSummary) -> SumEntry:
    return SumEntry(
        nuclei=summary.nuclei,
        her2_signals=summary.her2,
        cep17_signals=summary.cep17,
        her2_mean=summary.her2 / summary.nuclei,
        ratio=summary.her2_cep17_ratio,
    )
