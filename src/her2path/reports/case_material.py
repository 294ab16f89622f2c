"""What a report of a case is made from: its call, its images, their pictures and all digests.

The page and the PDF of a case gather here, so that both rest on the same files and show the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from her2path.domain.case import Assay
from her2path.io.documents import CallDoc, Producer, read_document
from her2path.io.files import sha256_of
from her2path.io.recount_documents import RecountDoc, RecountResult
from her2path.reports.evidence import ImageEvidence, gather_images, refuse_other_inputs
from her2path.reports.html.pictures import Picture, read_picture
from her2path.reports.ish_section import FIELD_PICTURES
from her2path.reports.score_section import BLOCK_MAP, HOT_SPOTS

_PICTURES = {Assay.IHC: "overlay.png", Assay.FISH: "gallery.png"}
_CONTROLS = "controls.png"
_QUALITY = "quality.png"


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How large the pictures of one report may be."""

    side_px: int
    """Longer side of a picture at most (px)."""
    bytes: int
    """All pictures of the report together (bytes), shared equally among them."""
    jpeg_quality: int
    """Of a picture that is above its share as PNG, 1 to 100."""


@dataclass(frozen=True, slots=True)
class CaseMaterial:
    """What a report is made from."""

    call: CallDoc
    images: tuple[ImageEvidence, ...]
    pictures: Mapping[str, Picture]
    """Overlay or gallery by image id; an image without a result has none."""
    report: Producer
    report_inputs: Mapping[str, str]
    """SHA-256 of the files that the report was made from."""
    report_name: str = "report.html"
    """File that is made, as its own provenance names it."""
    recount: RecountResult | None = None
    """The read of a second person, where one was taken back."""
    control_pictures: Mapping[str, Picture] = field(default_factory=dict)
    """Control tissue by image id."""
    score_pictures: Mapping[str, Picture] = field(default_factory=dict)
    """Blocks and hot spots of the IHC images, by ``<image_id>/<file>``."""
    quality_pictures: Mapping[str, Picture] = field(default_factory=dict)
    """Tissue and artefacts of the IHC images, by image id."""
    field_pictures: Mapping[str, Picture] = field(default_factory=dict)
    """Fields of the FISH images, by ``<image_id>/<file>``."""


def gather_case(
    *,
    call: Path,
    artefacts: Iterable[Path],
    recount: Path | None,
    limits: PictureLimits,
    report: Producer,
    report_name: str,
) -> CaseMaterial:
    """Read the call of a case, the documents of its images and the pictures that have something to show.

    Parameters
    ----------
    call : Path
        `call.json` of the case.
    artefacts : iterable of Path
        Files ``.../<image_id>/<artefact>`` of all images of the case, in any order.
    recount : Path or None
        The read of a second person, where one was taken back.
    limits : PictureLimits
        How large the pictures may be.
    report : Producer
        Who writes the report.
    report_name : str
        The file that it writes.

    Raises
    ------
    ArtefactError
        A document or picture is missing, damaged, or not the one that the call was made from.
    """
    document = read_document(call, CallDoc)
    images = gather_images(document, artefacts)
    used = {"call.json": call} | ({} if recount is None else {"recount.json": recount})
    for image in images:
        names = [name for name, _ in image.documents] + [_PICTURES[image.facts.assay]]
        used |= {f"{image.image_id}/{n}": image.files[n] for n in names if n in image.files}
    controls = _with_controls(images)
    used |= {f"{image_id}/{_CONTROLS}": path for image_id, path in controls.items()}
    behind = _behind_scores(images)
    used |= behind
    fields = _fields(images)
    used |= fields
    examined = _examined(images)
    used |= {f"{image_id}/{_QUALITY}": path for image_id, path in examined.items()}
    inputs = {name: sha256_of(path) for name, path in sorted(used.items())}
    refuse_other_inputs(document, inputs)
    finished = _finished(images)
    shown = len(finished) + len(controls) + len(behind) + len(examined) + -(-len(fields) // 2)
    return CaseMaterial(
        call=document,
        images=images,
        pictures=_pictures(finished, limits, of=shown),
        recount=None if recount is None else read_document(recount, RecountDoc).result,
        control_pictures=_pictures(controls, limits, of=shown),
        score_pictures=_pictures(behind, limits, of=shown),
        # Outlines bear compression better than the numbers of a gallery: half a share each.
        field_pictures=_pictures(fields, limits, of=2 * shown),
        quality_pictures=_pictures(examined, limits, of=shown),
        report=report,
        report_inputs=inputs,
        report_name=report_name,
    )


def _finished(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of each image that has a result; placeholders of the others are not shown."""
    return {
        image.image_id: image.files[_PICTURES[image.facts.assay]]
        for image in images
        if image.has_result and _PICTURES[image.facts.assay] in image.files
    }


def _examined(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of tissue and artefacts of each IHC slide that could be examined."""
    return {
        image.image_id: image.files[_QUALITY]
        for image in images
        if image.facts.assay is Assay.IHC and image.quality.result is not None and _QUALITY in image.files
    }


def _with_controls(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the picture of the control tissue of each slide that has some."""
    results = {image.image_id: image.score.result for image in images if image.score is not None}
    return {
        image.image_id: image.files[_CONTROLS]
        for image in images
        if (result := results.get(image.image_id)) and result.control and _CONTROLS in image.files
    }


def _behind_scores(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the pictures of blocks and hot spots, by ``<image_id>/<file>``."""
    return {
        f"{image.image_id}/{name}": image.files[name]
        for image in images
        for name in (BLOCK_MAP, HOT_SPOTS)
        if image.score is not None and image.has_result and name in image.files
    }


def _fields(images: tuple[ImageEvidence, ...]) -> dict[str, Path]:
    """Give the pictures of the fields of each FISH image, by ``<image_id>/<file>``."""
    return {
        f"{image.image_id}/{name}": image.files[name]
        for image in images
        for name in FIELD_PICTURES
        if image.facts.assay is Assay.FISH and image.has_result and name in image.files
    }


def _pictures(shown: dict[str, Path], limits: PictureLimits, *, of: int) -> dict[str, Picture]:
    """Read pictures, of so many that share the report."""
    return {
        image_id: read_picture(
            path,
            most_side_px=limits.side_px,
            most_bytes=limits.bytes // of,
            jpeg_quality=limits.jpeg_quality,
        )
        for image_id, path in shown.items()
    }
