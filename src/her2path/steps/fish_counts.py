"""Step `fish_counts`: count the signals of every nucleus that may be counted, and show them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.count_quality import Part
from her2path.domain.flags import Flag
from her2path.domain.guideline.rejections import MIN_AREAS, MIN_NUCLEI
from her2path.domain.ish import NucleusSignals, Probe
from her2path.domain.populations import cell_heterogeneity
from her2path.domain.stats.second_population import PopulationSuggestion, look_for_second_population
from her2path.domain.stats.signal_spread import chromosome_17, ratio_spread, share_amplified, spread_of
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.imaging.fish.counting import NO_NUCLEUS, NucleusCount, count_nuclei
from her2path.imaging.fish.patches import MIN_LONE_SIGNALS
from her2path.imaging.fish.rejection_metrics import MetNucleus, MetSignal, measure_quality
from her2path.io.call_entries import Reason
from her2path.io.count_entries import (
    FishCountsResult,
    PartEntry,
    QualityEntry,
    RatioEntry,
    SpreadEntry,
    SuggestedPopulation,
    suggested_population,
)
from her2path.io.documents import (
    FishCountsDoc,
    FishSignalsDoc,
    QualityDoc,
    SlideDoc,
    read_document,
    required,
    write_document,
)
from her2path.io.fields.opening import open_field
from her2path.io.files import write_bytes
from her2path.io.fish_entries import FishSignalsResult
from her2path.io.label_image import LabelImage
from her2path.io.pictures import of_slide
from her2path.io.provenance import digests, producer
from her2path.io.quality_entries import FishField
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import FISH_NUCLEI, FISH_OBJECTS, FISH_SIGNALS, read_table, write_table
from her2path.reports.fish_pictures import FishPictures, GalleryParams, ShownNucleus, ShownSignal

log = logging.getLogger(__name__)

_QUALITY_FINDINGS = "quality_findings"
"""Flag: the image's quality has warnings that bear on the count."""
_BEARING = frozenset({"out_of_focus", "saturated", "no_signals"})
_EXCHANGED = "probes_may_be_exchanged"
"""Flag: HER2 is never lost so far nor a centromere gained so often; channels are mistaken for each other."""
_LEAST_RATIO, _MOST_CEP17 = Fraction(1, 2), 6
_FAINT_SIGNALS = "faint_signals"
"""Flag: a typical signal of a probe is hardly above the noise of the nuclei."""
_CLEAR_SNR = 12.0
"""Significance of a typical signal below which its fainter half comes close to the least that is counted
(`SpotParams.min_snr`), so that counts fall short."""
_CLUSTERS_NOT_ESTIMATED = "clusters_not_estimated"
"""Flag: too few lone HER2 signals to know the light of one, so the copies of clusters may be missed."""


class FishCountsParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    gallery_nuclei: Annotated[int, Ge(1), Le(200)] = 40
    """Counted nuclei shown in the gallery (number), evenly chosen where there are more."""
    gallery_excluded: Annotated[int, Ge(0), Le(64)] = 16
    """Excluded nuclei shown in the gallery (number), some of every reason."""
    gallery_channels: bool = False
    """Whether the gallery shows every nucleus three times: all channels, HER2 alone and CEP17 alone."""


@dataclass(frozen=True, slots=True)
class _Signal(ShownSignal):
    """One row of `fish_signals`."""

    copies_low: int | None
    copies_high: int | None

    @property
    def bounds(self) -> tuple[int, int]:
        """Least and most copies that it may be."""
        low, high = self.copies_low, self.copies_high
        return (self.copies if low is None else low), (self.copies if high is None else high)


def run(
    *,
    image: list[Path],
    slide: Path,
    quality: Path,
    objects: Path,
    labels: Path,
    signals: Path,
    optics: Path,
    nuclei: Path,
    counts: Path,
    gallery: Path,
    overview: Path,
    heterogeneity: Path,
    params: FishCountsParams,
) -> None:
    """Write counts per nucleus, what they come to, and pictures of them."""
    document = read_document(slide, SlideDoc)
    sheet = document.sheet
    taken = required(document.result, slide)
    mpp = taken.mpp
    looked_at = required(read_document(quality, QualityDoc).result, quality)
    measured = _Measured(
        table=read_table(objects, FISH_OBJECTS).to_pydict(),
        found=_read_signals(signals),
        fields={field.name: field for field in looked_at.fields},
        mpp=mpp,
        dual=sheet.probe is Probe.DUAL,
        has_findings=any(f.code in _BEARING and f.severity == "warning" for f in looked_at.findings),
        name=signals.name,
    )
    counted = measured.count()
    shown = measured.shown(counted)
    _write_nuclei(nuclei, measured.table, shown, params)
    result, members = _result(measured, counted, read_document(optics, FishSignalsDoc).result)
    write_document(
        counts,
        FishCountsDoc(
            produced_by=producer("fish_counts", params),
            inputs=digests(
                slide=slide, quality=quality, objects=objects, labels=labels, signals=signals, optics=optics
            ),
            sheet=sheet,
            result=result,
        ),
    )
    roles = tuple(channel.role for channel in taken.channels)
    with (
        open_field(image, name=sheet.image_id, channels=roles) as source,
        LabelImage(labels) as label_image,
    ):
        boxes = {f.name: WorkingBox(f.y_px0, f.x_px0, f.height_px0, f.width_px0) for f in looked_at.fields}
        pictures = FishPictures(source, label_image, boxes, mpp, sheet.probe, shown, measured.found, members)
        wanted = GalleryParams(params.gallery_nuclei, params.gallery_excluded, params.gallery_channels)
        sha256 = taken.files[0].sha256
        write_bytes(gallery, of_slide(pictures.gallery(wanted), sha256))
        write_bytes(overview, of_slide(pictures.overview(), sha256))
        write_bytes(heterogeneity, of_slide(pictures.heterogeneity(), sha256))
    log.info("%d of %d nuclei counted", len(result.nuclei), len(counted))


def _read_signals(path: Path) -> list[_Signal]:
    table = read_table(path, FISH_SIGNALS).to_pydict()
    names = ("nucleus_id", "channel", "x_px0", "y_px0", "is_cluster", "copies", "copies_low", "copies_high")
    return [_Signal(*row) for row in zip(*(table[name] for name in names), strict=True)]


@dataclass(frozen=True, slots=True)
class _Measured:
    """The tables that a count is made from."""

    table: dict[str, list[Any]]
    """Columns of `fish_objects`."""
    found: Sequence[_Signal]
    fields: Mapping[str, FishField]
    """Where nuclei were looked for, by name."""
    mpp: float
    dual: bool
    has_findings: bool
    """Whether the image's quality has warnings that bear on the count."""
    name: str
    """Name of the table of signals, for messages."""

    def count(self) -> tuple[NucleusCount, ...]:
        """Count the signals of every nucleus.

        Raises
        ------
        ArtefactError
            Signals were found on the nuclei of another run: dropped signals would be a count too low.
        """
        try:
            return count_nuclei(
                self.table["nucleus_id"],
                self.table["exclusion"],
                [(s.nucleus_id, s.role, s.copies, s.is_cluster) for s in self.found],
                dual=self.dual,
            )
        except ValueError as error:
            raise ArtefactError(self.name, f"does not fit fish_objects.parquet: {error}") from error

    def shown(self, counted: Sequence[NucleusCount]) -> list[ShownNucleus]:
        """Join every nucleus with its place, its rank and the bounds of its copies."""
        low, high = Counter[int](), Counter[int]()
        for signal in self.found:
            if signal.role == "her2" and signal.nucleus_id != NO_NUCLEUS:
                least, most = signal.bounds
                low[signal.nucleus_id] += least
                high[signal.nucleus_id] += most
        places = zip(self.table["x_px0"], self.table["y_px0"], strict=True)
        return [
            ShownNucleus(
                count,
                x,
                y,
                None if count.exclusion else rank,
                (low[count.nucleus_id], high[count.nucleus_id]),
            )
            for count, (x, y), rank in zip(counted, places, self.table["rank"], strict=True)
        ]

    def places_um(self) -> list[tuple[float, float]]:
        """Where every nucleus lies."""
        pairs = zip(self.table["x_px0"], self.table["y_px0"], strict=True)
        return [(self.mpp * x, self.mpp * y) for x, y in pairs]


def _write_nuclei(
    path: Path, table: dict[str, list[Any]], shown: Sequence[ShownNucleus], params: FishCountsParams
) -> None:
    counted = [nucleus.count for nucleus in shown]
    with write_table(path, FISH_NUCLEI, produced_by=producer("fish_counts", params)) as writer:
        writer.append(
            {
                **{name: table[name] for name in ("nucleus_id", "x_px0", "y_px0", "area_um2", "field")},
                "her2_signals": [n.her2 for n in counted],
                "her2_copies_low": [nucleus.copies[0] for nucleus in shown],
                "her2_copies_high": [nucleus.copies[1] for nucleus in shown],
                "cep17_signals": [n.cep17 for n in counted],
                "her2_clusters": [n.her2_clusters for n in counted],
                "evaluable": [n.exclusion is None for n in counted],
                "exclusion": [n.exclusion for n in counted],
                "rank": [nucleus.rank for nucleus in shown],
            }
        )


def _result(
    measured: _Measured, counted: Sequence[NucleusCount], optics: FishSignalsResult | None
) -> tuple[FishCountsResult, frozenset[int]]:
    """Work out what the counts come to, and which nuclei look like a second population."""
    scored = [i for i, n in enumerate(counted) if n.exclusion is None]
    nuclei = [NucleusSignals(counted[i].her2, counted[i].cep17) for i in scored]
    cep17 = [n.cep17 for n in nuclei if n.cep17 is not None]
    reasons = Counter(n.exclusion for n in counted if n.exclusion is not None)
    areas = _areas(measured, scored)
    clusters = sum(counted[i].her2_clusters > 0 for i in scored)
    ratio = ratio_spread(nuclei) if measured.dual else None
    population, why_none = _second_population(measured, scored, nuclei)
    heterogeneity = cell_heterogeneity(nuclei)
    result = FishCountsResult(
        nuclei=tuple((n.her2, n.cep17) for n in nuclei),
        her2_signals=sum(n.her2 for n in nuclei),
        cep17_signals=sum(cep17) if measured.dual else None,
        excluded_nuclei={reason: reasons[reason] for reason in sorted(reasons)},
        nuclei_with_clusters=clusters,
        quality=_quality(measured, counted),
        areas=areas,
        not_sufficient=_shortfalls(len(nuclei), areas, reasons),
        her2=SpreadEntry.of(spread_of([n.her2 for n in nuclei])) if nuclei else None,
        cep17=SpreadEntry.of(spread_of(cep17)) if cep17 else None,
        ratio=None if ratio is None else RatioEntry.of(ratio),
        amplified=_part(share_amplified(nuclei), len(nuclei)),
        above_2_2=_part(heterogeneity.share_above if heterogeneity else None, len(nuclei)),
        clustered=PartEntry.of(Part(clusters, len(nuclei))) if nuclei else None,
        chromosome_17=chromosome_17(cep17),
        second_population=population,
        no_second_population=why_none,
        optics=optics,
        flags=_flags(measured, population, optics, nuclei),
    )
    return result, frozenset(population.nucleus_ids if population else ())


def _part(share: Fraction | None, total: int) -> PartEntry | None:
    return None if share is None else PartEntry.of_share(share, total)


def _areas(measured: _Measured, scored: Sequence[int]) -> int:
    """Count the areas whose fields hold scored nuclei."""
    names = {measured.table["field"][index] for index in scored}
    if strays := sorted(names - measured.fields.keys()):
        raise ArtefactError(
            "quality.json", f"does not fit fish_objects.parquet: it has no field {strays[0]!r}"
        )
    return len({measured.fields[name].area for name in names})


def _shortfalls(nuclei: int, areas: int, left_out: Mapping[str, int]) -> tuple[Reason, ...]:
    """Say why the image alone is no count by the guideline."""
    found = []
    if nuclei < MIN_NUCLEI:
        words = f"{nuclei} nuclei were counted where the guideline asks for {MIN_NUCLEI} (add another field)"
        for reason, colour in (("no_her2_signal", "HER2"), ("no_cep17_signal", "CEP17")):
            if left_out.get(reason, 0) > nuclei:
                words += f"; {left_out[reason]} have no {colour} signal: did that probe fail?"
        found.append(Reason(code="too_few_nuclei", reason=words))
    if areas < MIN_AREAS:
        words = "nuclei were counted in fewer than two areas of tumour (add an image of another area)"
        found.append(Reason(code="one_area", reason=words))
    return tuple(found)


def _quality(measured: _Measured, counted: Sequence[NucleusCount]) -> QualityEntry:
    places = zip(counted, measured.places_um(), measured.table["area_um2"], strict=True)
    mpp = measured.mpp
    return QualityEntry.of(
        measure_quality(
            [MetNucleus(n.nucleus_id, x, y, area, n.exclusion) for n, (x, y), area in places],
            [MetSignal(s.nucleus_id, s.role, s.copies, s.x_px0 * mpp, s.y_px0 * mpp) for s in measured.found],
        )
    )


def _second_population(
    measured: _Measured,
    scored: Sequence[int],
    nuclei: Sequence[NucleusSignals],
) -> tuple[SuggestedPopulation | None, Reason | None]:
    places, fields = measured.places_um(), measured.table["field"]
    found = look_for_second_population(nuclei, [places[i] for i in scored], [fields[i] for i in scored])
    if isinstance(found, NotEvaluable):
        return None, Reason(code=found.code, reason=found.reason)
    if found is None:
        return None, None
    return _suggested(found, measured, [scored[i] for i in found.members]), None


def _suggested(
    found: PopulationSuggestion, measured: _Measured, members: Sequence[int]
) -> SuggestedPopulation:
    x = [measured.table["x_px0"][i] for i in members]
    y = [measured.table["y_px0"][i] for i in members]
    return suggested_population(
        found,
        nucleus_ids=[measured.table["nucleus_id"][i] for i in members],
        fields=sorted({measured.table["field"][i] for i in members}),
        x_px0=(min(x), max(x)),
        y_px0=(min(y), max(y)),
    )


def _flags(
    measured: _Measured,
    population: SuggestedPopulation | None,
    optics: FishSignalsResult | None,
    nuclei: Sequence[NucleusSignals],
) -> tuple[str, ...]:
    lone = sum(
        s.role == "her2" and s.nucleus_id != NO_NUCLEUS and s.copies > 0 and not s.is_cluster
        for s in measured.found
    )
    singles = [channel.single for channel in optics.channels] if optics else []
    her2, cep17 = sum(n.her2 for n in nuclei), sum(n.cep17 or 0 for n in nuclei)
    exchanged = cep17 > 0 and (her2 < _LEAST_RATIO * cep17 or cep17 >= _MOST_CEP17 * len(nuclei))
    holds = {
        _CLUSTERS_NOT_ESTIMATED: lone < MIN_LONE_SIGNALS,
        _FAINT_SIGNALS: any(single is not None and single.snr < _CLEAR_SNR for single in singles),
        _QUALITY_FINDINGS: measured.has_findings,
        _EXCHANGED: exchanged,
        str(Flag.SECOND_POPULATION_SUGGESTED): population is not None,
    }
    return tuple(flag for flag, it_holds in holds.items() if it_holds)
