"""What a report says of a FISH count beyond its sums: spread, quality, optics, a second population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from her2path.domain.count_quality import MOST_OBSCURED, MOST_UNRESOLVED, CountQuality, Part, pooled
from her2path.domain.guideline.rejections import MOST_CYTOPLASMIC, MOST_WEAK
from her2path.domain.ish import NucleusSignals
from her2path.domain.stats.intervals import wilson_interval
from her2path.domain.stats.second_population import (
    Place,
    PopulationSuggestion,
    look_for_second_population,
)
from her2path.domain.stats.signal_spread import (
    Interval,
    RatioSpread,
    Spread,
    chromosome_17,
    ratio_spread,
    share_amplified,
    spread_of,
)
from her2path.domain.verdict import NotEvaluable
from her2path.io.count_entries import FishCountsResult
from her2path.io.fish_entries import ChannelOptics, FishSignalsResult
from her2path.reports.numbers import count_text, number_text, percentage_text

_NONE = "–"
_CHROMOSOME_17: Mapping[str, str] = MappingProxyType(
    {
        "polysomy": "Polysomy 17: 3.0 CEP17 signals per nucleus or more on average. A note, not a result: a "
        "gain of the centromere alone looks the same.",
        "monosomy": "Monosomy 17: more than 60 % of the nuclei have a single CEP17 signal. A note, not a "
        "result: a thin section that cuts nuclei looks the same.",
    }
)
_ROLES: Mapping[str, str] = MappingProxyType({"her2": "HER2", "cep17": "CEP17", "dapi": "DAPI"})


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """One quantity over the counted nuclei, as printed."""

    name: str
    value: str
    span: str
    """Least to greatest of a nucleus."""
    sd: str
    cv: str
    bootstrap: str
    fieller: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A share of the counted nuclei, as printed."""

    label: str
    number: str
    pct: str
    interval: str


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One reason to reject a count: what was measured, and where it would reject."""

    label: str
    measured: str
    cut: str
    verdict: str
    rejects: bool


@dataclass(frozen=True, slots=True)
class OpticsRow:
    """What the signals of one channel taught, as printed."""

    channel: str
    diameter: str
    snr: str
    shift: str
    unevenness: str
    bleed: str
    false_signals: str


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """Sums of one population, as printed."""

    name: str
    nuclei: str
    her2_mean: str
    cep17_mean: str
    ratio: str


@dataclass(frozen=True, slots=True)
class SecondNote:
    """A second population that somebody should look for, in plain words."""

    share: str
    rows: tuple[PopulationRow, ...]
    place: str
    chance: str
    nuclei: str
    """How many of them each image holds."""
    ratio_alike: bool
    threshold: int
    """Fewest HER2 signals of its nuclei."""


@dataclass(frozen=True, slots=True)
class CountFindings:
    """All that is said of one observer's count."""

    spread: tuple[SpreadRow, ...]
    shares: tuple[ShareRow, ...]
    chromosome_17: str
    """Empty where there is nothing to note."""
    quality: tuple[QualityRow, ...]
    second: SecondNote | None


def findings_of(
    images: Mapping[str, FishCountsResult],
    clusters: int,
    *,
    ratio_cuts: Sequence[float] = (),
    copy_cuts: Sequence[float] = (),
) -> CountFindings:
    """Work out what the counted nuclei of one observer come to, over all images.

    Parameters
    ----------
    images : mapping of str to FishCountsResult
        Counted images by id, at least one nucleus among them.
    clusters : int
        Counted nuclei with clusters.
    ratio_cuts, copy_cuts : sequence of float
        Cut-points of the guideline, which a number beside them must not be rounded to.
    """
    nuclei = [NucleusSignals(*pair) for result in images.values() for pair in result.nuclei]
    cep17 = [nucleus.cep17 for nucleus in nuclei if nucleus.cep17 is not None]
    her2 = spread_of([nucleus.her2 for nucleus in nuclei])
    rows = [_spread_row("HER2 signals per nucleus", her2, copy_cuts)]
    if cep17:
        rows.append(_spread_row("CEP17 signals per nucleus", spread_of(cep17)))
    ratio = ratio_spread(nuclei)
    if ratio is not None:
        rows.append(_ratio_row(ratio, ratio_cuts))
    note = chromosome_17(cep17)
    return CountFindings(
        spread=tuple(rows),
        shares=_share_rows(nuclei, clusters),
        chromosome_17="" if note is None else _CHROMOSOME_17[note],
        quality=_quality_rows(pooled(result.quality.value() for result in images.values())),
        second=_second(nuclei, images),
    )


def optics_rows(optics: FishSignalsResult | None) -> tuple[OpticsRow, ...]:
    """Print what the signals of an image taught of its optics; none where nothing was learnt."""
    if optics is None:
        return ()
    return tuple(_optics_row(channel, optics) for channel in optics.channels)


def _spread_row(name: str, spread: Spread, cuts: Sequence[float] = ()) -> SpreadRow:
    return SpreadRow(
        name=name,
        value=number_text(spread.mean, cuts=cuts),
        span=f"{spread.least} to {spread.most}",
        sd=number_text(spread.sd),
        cv=_NONE if spread.cv is None else f"{number_text(100 * spread.cv, digits=0)} %",
        bootstrap=_interval(spread.interval, cuts),
        fieller="",
    )


def _ratio_row(ratio: RatioSpread, cuts: Sequence[float]) -> SpreadRow:
    return SpreadRow(
        name="Ratio of the sums",
        value=number_text(ratio.ratio, cuts=cuts),
        span="",
        sd="",
        cv="",
        bootstrap=_interval(ratio.bootstrap, cuts),
        fieller=_interval(ratio.fieller, cuts),
    )


def _interval(interval: Interval | NotEvaluable, cuts: Sequence[float]) -> str:
    if isinstance(interval, NotEvaluable):
        return f"none: {interval.reason}"
    return f"{number_text(interval[0], cuts=cuts)} to {number_text(interval[1], cuts=cuts)}"


def _share_rows(nuclei: Sequence[NucleusSignals], clusters: int) -> tuple[ShareRow, ...]:
    shares = []
    amplified = share_amplified(nuclei)
    if amplified is not None:
        of_them = int(amplified * len(nuclei))
        shares.append(_share_row("Nuclei whose own ratio is 2.0 or more", Part(of_them, len(nuclei))))
    shares.append(_share_row("Nuclei with clusters (copies are estimates)", Part(clusters, len(nuclei))))
    return tuple(shares)


def _share_row(label: str, part: Part) -> ShareRow:
    low, high = wilson_interval(part.of_them, part.total)
    return ShareRow(
        label,
        f"{count_text(part.of_them)} of {count_text(part.total)}",
        f"{percentage_text(100 * part.of_them / part.total, digits=1)} %",
        f"{percentage_text(100 * low, digits=1)} to {percentage_text(100 * high, digits=1)} %",
    )


def _quality_rows(quality: CountQuality) -> tuple[QualityRow, ...]:
    weak, cytoplasmic = quality.weak.share, quality.cytoplasmic.share
    return (
        _quality_row(
            "Signals too weak to be counted",
            quality.weak,
            MOST_WEAK,
            None if weak is None else weak > MOST_WEAK,
        ),
        _quality_row(
            "Signals over cytoplasm",
            quality.cytoplasmic,
            MOST_CYTOPLASMIC,
            None if cytoplasmic is None else cytoplasmic > MOST_CYTOPLASMIC,
        ),
        _quality_row(
            "Nuclei that cannot be resolved (policy P24)",
            quality.unresolved,
            MOST_UNRESOLVED,
            quality.poor_nuclei,
        ),
        _quality_row(
            "Nuclei under autofluorescence (policy P25)",
            quality.obscured,
            MOST_OBSCURED,
            quality.autofluorescence,
        ),
    )


def _quality_row(label: str, part: Part, most: Fraction, rejects: bool | None) -> QualityRow:
    share, most_pct = part.share, float(100 * most)
    measured = f"{count_text(part.of_them)} of {count_text(part.total)}"
    if share is not None:
        measured += f" ({number_text(float(100 * share), digits=1, cuts=(most_pct,))} %)"
    words = {None: "too few to tell", True: "rejects the count", False: "within"}[rejects]
    return QualityRow(label, measured, f"more than {most_pct:g} %", words, rejects is True)


def _optics_row(channel: ChannelOptics, optics: FishSignalsResult) -> OpticsRow:
    single = channel.single
    shift = _NONE
    if channel.shift_x_um is not None and channel.shift_y_um is not None:
        shift = f"{number_text(channel.shift_x_um)}, {number_text(channel.shift_y_um)} µm"
    into = [light for light in optics.bleed_through if light.target == channel.role]
    bleed = "; ".join(
        f"{number_text(100 * b.share, digits=1)} % of {_ROLES.get(b.source, b.source)}" for b in into
    )
    uneven = channel.unevenness_frac
    return OpticsRow(
        channel=_ROLES.get(channel.role, channel.role),
        diameter=_NONE if single is None else f"{number_text(single.diameter_um)} µm",
        snr=_NONE if single is None else number_text(single.snr, digits=0),
        shift=shift,
        unevenness=_NONE if uneven is None else f"{number_text(100 * uneven, digits=0)} %",
        bleed=bleed or _NONE,
        false_signals=_expected(channel.false_signals_per_nucleus),
    )


def _expected(number: float | None) -> str:
    """Print an expected number of events; one that rounds to nothing is small, never zero."""
    if number is None:
        return _NONE
    return "< 0.001" if number < 0.001 else number_text(number, digits=3)


def _second(nuclei: Sequence[NucleusSignals], images: Mapping[str, FishCountsResult]) -> SecondNote | None:
    found = look_for_second_population(nuclei)
    if not isinstance(found, PopulationSuggestion):
        return None
    return SecondNote(
        share=f"{count_text(found.second.nuclei)} of {count_text(len(nuclei))} counted nuclei "
        f"({number_text(float(100 * found.share), digits=1, cuts=(10.0,))} %)",
        rows=tuple(
            PopulationRow(
                name,
                count_text(summary.nuclei),
                number_text(summary.her2_mean),
                number_text(summary.cep17_mean),
                number_text(summary.her2_cep17_ratio),
            )
            for name, summary in (("Second population", found.second), ("Other nuclei", found.main))
        ),
        place=_place_words(images),
        chance=f"{number_text(100 * found.p_value, digits=2)} %",
        nuclei=_members(found, images),
        ratio_alike=found.ratio_alike,
        threshold=found.threshold,
    )


def _place_words(images: Mapping[str, FishCountsResult]) -> str:
    """Say where it lies within the images that show it by themselves."""
    words = {
        Place.CLUSTERED: "its nuclei lie side by side (outlined on the map)",
        Place.INTERMINGLED: "its nuclei lie among the others",
    }
    told = [
        f"image {image_id}: {words[Place(second.place)]}"
        for image_id, result in images.items()
        if (second := result.second_population) is not None and second.place is not None
    ]
    return "; ".join(told) or "no single image tells where it lies"


def _members(found: PopulationSuggestion, images: Mapping[str, FishCountsResult]) -> str:
    """Say how many of its nuclei each image holds."""
    start, told = 0, []
    for image_id, result in images.items():
        here = sum(start <= index < start + len(result.nuclei) for index in found.members)
        start += len(result.nuclei)
        if result.nuclei:
            told.append(f"{image_id}: {here} of {len(result.nuclei)}")
    return "; ".join(told)
