"""What a report shows of the FISH images of a case: counts by observer, fields, nuclei."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from her2path.domain.guideline.definition import RecountUse
from her2path.domain.ish import NucleusSignals, Probe, SignalSummary
from her2path.errors import ArtefactError
from her2path.io.call_entries import Reason
from her2path.io.count_entries import FishCountsResult
from her2path.io.documents import CallDoc
from her2path.io.tables import FISH_NUCLEI, read_table
from her2path.reports.count_section import CountFindings, OpticsRow, findings_of, optics_rows
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.html.plots import copy_histogram, signal_scatter
from her2path.reports.ihc_section import CountRow, excluded_rows
from her2path.reports.numbers import count_text, number_text

OVERVIEW, MAP = "fish_overview.png", "fish_heterogeneity.png"
FIELD_PICTURES = (OVERVIEW, MAP)
"""Pictures of the fields of an image, by file."""
_FIRST = "First count"
_SECOND = {
    RecountUse.CONFIRM: "Other fields, counted by the program: a check beside the first count, no recount",
    RecountUse.ADD: "Further nuclei, added to a first count that is equivocal",
}


@dataclass(frozen=True, slots=True)
class IshCuts:
    """Cut-points of the case's guideline, for lines in the figures and digits in the tables."""

    ratio: tuple[float, ...] = ()
    copies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TotalRow:
    """Counts of a field, of a sum of fields, or of another count beside them, as printed."""

    name: str
    nuclei: str
    her2: str
    cep17: str
    her2_mean: str
    cep17_mean: str
    ratio: str
    remark: str = ""
    """Area of a field, or what a check came to."""


@dataclass(frozen=True, slots=True)
class FishImage:
    """One FISH image, ready for the page."""

    image_id: str
    reason: Reason | None
    """Why the image has no result; everything below is then empty."""
    facts: tuple[CountRow, ...] = ()
    excluded: tuple[CountRow, ...] = ()
    gallery: Picture | None = None
    overview: Picture | None = None
    map: Picture | None = None
    """Counted nuclei by their own ratio and copies."""
    has_second: bool = False
    """Whether nuclei that look like a second population are outlined."""
    lacks: tuple[str, ...] = ()
    """Why this image alone is no count."""
    optics: tuple[OpticsRow, ...] = ()


@dataclass(frozen=True, slots=True)
class IshCount:
    """The count of one observer over all images, ready for the page."""

    observer: int
    title: str
    total: TotalRow | None
    """None where no image of this observer could be counted."""
    fields: tuple[TotalRow, ...]
    figures: tuple[Markup, ...]
    images: tuple[FishImage, ...]
    findings: CountFindings | None = None
    """None where no nucleus was counted."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A counted image: its evidence, its result and its sum."""

    image: ImageEvidence
    result: FishCountsResult
    summary: SignalSummary


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """The cell-level definition of 2009, ready for the page."""

    share: str
    """Share of the nuclei with a ratio above 2.2."""
    heterogeneous: bool


def heterogeneity_of(call: CallDoc) -> Heterogeneity | None:
    """Print the cell-level definition of 2009; None where no single nuclei with a ratio are known."""
    found = call.heterogeneity_2009
    if found is None:
        return None
    # The definition cuts at 5 % and at 50 %.
    return Heterogeneity(f"{number_text(found.share_pct, digits=1, cuts=(5.0, 50.0))} %", found.heterogeneous)


def ish_counts(
    images: Sequence[ImageEvidence],
    pictures: Mapping[str, Picture],
    cuts: IshCuts,
    recount_use: RecountUse = RecountUse.CONFIRM,
) -> tuple[IshCount, ...]:
    """Prepare the FISH images of a case for the page, one count per observer.

    Parameters
    ----------
    images : sequence of ImageEvidence
        The FISH images of the case.
    pictures : mapping of str to Picture
        Galleries by image id, `FIELD_PICTURES` by ``<image_id>/<file>``; images without a result have none.
    cuts : IshCuts
        Cut-points to draw.
    recount_use : RecountUse
        What the guideline takes a second count for.
    """
    observers = sorted({image.facts.observer for image in images})
    titles = {1: _FIRST, 2: _SECOND[recount_use]}
    return tuple(
        _count(
            titles.get(observer, f"Further count by observer {observer}, not part of the call"),
            [image for image in images if image.facts.observer == observer],
            pictures,
            cuts,
        )
        for observer in observers
    )


def _count(
    title: str, images: Sequence[ImageEvidence], pictures: Mapping[str, Picture], cuts: IshCuts
) -> IshCount:
    counted = [found for image in images if (found := _counted(image)) is not None]
    total = None
    figures: tuple[Markup, ...] = ()
    findings = None
    if counted:
        summary = sum((c.summary for c in counted[1:]), start=counted[0].summary)
        total = total_row("All fields", summary, cuts)
        if summary.nuclei:
            findings = findings_of(
                {c.image.image_id: c.result for c in counted},
                sum(c.result.nuclei_with_clusters for c in counted),
                ratio_cuts=cuts.ratio,
                copy_cuts=cuts.copies,
            )
            threshold = findings.second.threshold if findings.second else None
            figures = _figures([pair for c in counted for pair in c.result.nuclei], summary, cuts, threshold)
    fields = tuple(row for c in counted for row in _field_rows(c, cuts))
    shown = tuple(_image(image, pictures) for image in images)
    return IshCount(images[0].facts.observer, title, total, fields, figures, shown, findings)


def _counted(image: ImageEvidence) -> _Counted | None:
    if image.counts is None:
        raise ValueError(f"{image.image_id} is no FISH image")
    result = image.counts.result
    if result is None:
        return None
    summary = SignalSummary(len(result.nuclei), result.her2_signals, result.cep17_signals)
    probe = Probe.SINGLE if result.cep17_signals is None else Probe.DUAL
    pairs = (NucleusSignals(her2, cep17) for her2, cep17 in result.nuclei)
    if SignalSummary.of(pairs, probe=probe) != summary:
        raise ArtefactError(f"{image.image_id}/fish_counts.json", "its totals are not the sums of its nuclei")
    return _Counted(image, result, summary)


def total_row(name: str, summary: SignalSummary, cuts: IshCuts, *, remark: str = "") -> TotalRow:
    """Print a sum of counts."""
    return TotalRow(
        name=name,
        nuclei=count_text(summary.nuclei),
        her2=count_text(summary.her2),
        cep17=count_text(summary.cep17),
        her2_mean=number_text(summary.her2_mean, cuts=cuts.copies),
        cep17_mean=number_text(summary.cep17_mean),
        ratio=number_text(summary.her2_cep17_ratio, cuts=cuts.ratio),
        remark=remark,
    )


def _field_rows(counted: _Counted, cuts: IshCuts) -> list[TotalRow]:
    """Sum the counted nuclei of each field; an image that was not cut into fields is one row."""
    image = counted.image
    path = image.files.get("fish_nuclei.parquet")
    if path is None:
        raise ArtefactError(f"{image.image_id}/fish_nuclei.parquet", "was not given to the report")
    fields: dict[str, list[NucleusSignals]] = {}
    for nucleus in read_table(path, FISH_NUCLEI).to_pylist():
        if nucleus["evaluable"]:
            pair = NucleusSignals(nucleus["her2_signals"], nucleus["cep17_signals"])
            fields.setdefault(nucleus["field"], []).append(pair)
    sums = {name: SignalSummary.of(fields[name], probe=counted.summary.probe) for name in sorted(fields)}
    nothing = SignalSummary(0, 0, None if counted.summary.probe is Probe.SINGLE else 0)
    if sum(sums.values(), start=nothing) != counted.summary:
        raise ArtefactError(f"{image.image_id}/fish_nuclei.parquet", "its sums differ from fish_counts.json")
    names = {
        name: f"{image.image_id} / {name}" if name and len(sums) > 1 else image.image_id for name in sums
    }
    return [total_row(names[name], summary, cuts, remark=image.facts.area) for name, summary in sums.items()]


def _figures(
    nuclei: Sequence[tuple[int, int | None]], summary: SignalSummary, cuts: IshCuts, threshold: int | None
) -> tuple[Markup, ...]:
    pairs = [(her2, cep17) for her2, cep17 in nuclei if cep17 is not None]
    histogram = copy_histogram([her2 for her2, _ in nuclei], copy_cuts=cuts.copies, mean=summary.her2_mean)
    if not pairs:
        return (histogram,)
    means = (summary.her2_mean, summary.cep17_mean)
    mean = None if means[0] is None or means[1] is None else (means[0], means[1])
    scatter = signal_scatter(
        pairs, ratio_cuts=cuts.ratio, copy_cuts=cuts.copies, mean=mean, second_from=threshold
    )
    cep17 = copy_histogram(
        [below for _, below in pairs], copy_cuts=(), mean=summary.cep17_mean, probe="CEP17"
    )
    return scatter, histogram, cep17


def _image(image: ImageEvidence, pictures: Mapping[str, Picture]) -> FishImage:
    if image.counts is None or image.counts.result is None:
        return FishImage(image.image_id, image.counts.not_evaluable if image.counts else None)
    result = image.counts.result
    facts = (
        CountRow("Counted nuclei", count_text(len(result.nuclei))),
        CountRow(
            "Counted nuclei with clusters (copies are estimates)", count_text(result.nuclei_with_clusters)
        ),
        CountRow("Signals outside nuclei", count_text(result.quality.cytoplasmic.number)),
        CountRow("Weak signals", count_text(result.quality.weak.number)),
    )
    return FishImage(
        image_id=image.image_id,
        reason=None,
        facts=facts,
        excluded=excluded_rows(result.excluded_nuclei),
        gallery=pictures.get(image.image_id),
        overview=pictures.get(f"{image.image_id}/{OVERVIEW}"),
        map=pictures.get(f"{image.image_id}/{MAP}"),
        has_second=result.second_population is not None,
        lacks=tuple(reason.reason for reason in result.not_sufficient),
        optics=optics_rows(result.optics),
    )
