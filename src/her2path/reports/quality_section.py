"""What a report shows of an IHC slide's quality: the verdict, and where tissue and artefacts lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from her2path.imaging.artefacts import KIND_RGB, ArtefactKind
from her2path.imaging.quality_picture import TISSUE_RGB
from her2path.io.quality_entries import QualityResult
from her2path.reports.evidence import ImageEvidence
from her2path.reports.html.pictures import Picture
from her2path.reports.ihc_section import LegendItem
from her2path.reports.numbers import number_text, percentage_text

VERDICT_WORDS: Mapping[str, str] = {
    "good": "good",
    "usable": "usable, with the warnings below",
}
KIND_LABELS: Mapping[str, str] = {
    ArtefactKind.OUT_OF_FOCUS: "out of focus",
    ArtefactKind.PEN: "ink",
    ArtefactKind.FOLD: "fold",
    ArtefactKind.BUBBLE: "air bubble",
    ArtefactKind.COVERSLIP_EDGE: "edge of the coverslip",
    ArtefactKind.SATURATED: "opaque",
    ArtefactKind.DEBRIS: "dirt or precipitate",
    ArtefactKind.PIGMENT: "dark grains, pigment",
}


@dataclass(frozen=True, slots=True)
class QualityBlock:
    """The quality of one IHC slide, ready for the page."""

    image_id: str
    verdict: str
    tissue: str
    """Area of the tissue and how much of it is left out."""
    legend: tuple[LegendItem, ...]
    """Empty without a picture."""
    picture: Picture | None


def quality_blocks(
    images: Sequence[ImageEvidence], pictures: Mapping[str, Picture]
) -> tuple[QualityBlock, ...]:
    """Prepare the quality of the IHC slides that could be examined.

    Parameters
    ----------
    images : sequence of ImageEvidence
        IHC images.
    pictures : mapping of str to Picture
        Tissue and artefacts by image id.
    """
    return tuple(
        _block(image.image_id, image.quality.result, pictures.get(image.image_id))
        for image in images
        if image.quality.result is not None
    )


def _block(image_id: str, result: QualityResult, picture: Picture | None) -> QualityBlock:
    left_out = min(sum(kind.tissue_frac for kind in result.artefacts), 1.0)
    tissue = f"{number_text(result.tissue_mm2)} mm² of tissue were found"
    if left_out:
        tissue += (
            f"; {percentage_text(100 * left_out, digits=1)} % of it lies under artefacts and is not scored"
        )
    legend = (
        LegendItem(_hex(TISSUE_RGB), "outline of the tissue"),
        *(
            LegendItem(
                _hex(KIND_RGB[ArtefactKind(kind.kind)]),
                f"{KIND_LABELS[kind.kind]}: {number_text(kind.area_mm2, digits=3)} mm²",
            )
            for kind in result.artefacts
        ),
    )
    return QualityBlock(
        image_id, VERDICT_WORDS[result.verdict], f"{tissue}.", legend if picture else (), picture
    )


def _hex(rgb: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{value:02x}" for value in rgb)
