"""What a report of a case is made from: its call, its images, their pictures and all digests.

The page and the PDF of a case gather here, so that both rest on the same files and show the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from her2path.domain.case import Assay
from her2path.errors import ArtefactError, OtherVersionError
from her2path.io.documents import CallDoc, Producer, read_document
from her2path.io.files import sha256_of
from her2path.io.pictures import slide_of
from her2path.io.recount_documents import RecountDoc, RecountResult
from her2path.reports.evidence import ImageEvidence, gather_readable, refuse_other_inputs
from her2path.reports.html.pictures import Picture, read_picture
from her2path.reports.ish_section import FIELD_PICTURES
from her2path.reports.score_section import BLOCK_MAP, HOT_SPOTS
from her2path.reports.slide_material import GatheredSlide, ShownSlide, SlideLimits, gather_slide, slide_digest

OVERLAY, GALLERY, CONTROLS = "overlay.png", "gallery.png", "controls.png"
"""Pictures of cells, of nuclei and of control tissue."""
_PICTURES = {Assay.IHC: OVERLAY, Assay.FISH: GALLERY}
_QUALITY = "quality.png"


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """How large the pictures of one report may be."""

    side_px: int
    """Longer side of a picture at most (px)."""
    bytes: int
    """All pictures of the report together (bytes); what small ones leave over goes to the others."""
    jpeg_quality: int
    """Of a picture that is above its share as PNG, 1 to 100."""
    slides: SlideLimits | None = None
    """Of the zoomable views; None = the report has none."""
    files: frozenset[str] | None = None
    """Names of the pictures that the report shows; None = all."""


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
    slides: Mapping[str, ShownSlide] = field(default_factory=dict)
    """Zoomable views of the IHC images, by image id; empty for a report on paper."""
    gaps: tuple[str, ...] = ()
    """What could not be shown, in sentences."""


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
        A document is missing, damaged, or not the one that the call was made from; OtherVersionError
        where the call is of another version.  Pictures that are missing or damaged, and images whose
        results another version wrote, leave gaps instead.
    """
    document = read_document(call, CallDoc)
    images, left_out = gather_readable(document, artefacts)
    second, unread = _read_recount(recount)
    slides = _slides(images, limits.slides)
    used = {"call.json": call} | ({} if recount is None else {"recount.json": recount})
    for image in images:
        used |= {f"{image.image_id}/{name}": image.files[name] for name, _ in image.documents}
    for image_id, gathered in slides.items():
        used |= {f"{image_id}/{name}": path for name, path in gathered.used.items()}
    pictures = _pictures(images, slides, limits)
    used |= pictures.used
    inputs = {name: sha256_of(path) for name, path in sorted(used.items())}
    refuse_other_inputs(document, inputs)
    return CaseMaterial(
        call=document,
        images=images,
        pictures={_image_of(name): found for name, found in pictures.of(*_PICTURES.values())},
        recount=second,
        control_pictures={_image_of(name): found for name, found in pictures.of(CONTROLS)},
        score_pictures=dict(pictures.of(BLOCK_MAP, HOT_SPOTS)),
        field_pictures=dict(pictures.of(*FIELD_PICTURES)),
        quality_pictures={_image_of(name): found for name, found in pictures.of(_QUALITY)},
        report=report,
        report_inputs=inputs,
        report_name=report_name,
        slides={name: found.slide for name, found in slides.items() if found.slide is not None},
        gaps=(
            *(_other_version(f"image {name}", found) for name, found in left_out.items()),
            *unread,
            *_other_producers(document, images, report),
            *(f"Image {name}: {gap}" for name, found in slides.items() for gap in found.gaps),
            *pictures.gaps,
        ),
    )


def _read_recount(path: Path | None) -> tuple[RecountResult | None, tuple[str, ...]]:
    if path is None:
        return None, ()
    try:
        return read_document(path, RecountDoc).result, ()
    except OtherVersionError as error:
        return None, (_other_version("the recount", f"{error.name} {error.detail}"),)


def _other_version(what: str, found: str) -> str:
    return (
        f"The results of {what} were written by another version of her2path ({found}) and are not shown; the "
        "call rests on them and is shown as it was made. Run the case again to make both anew."
    )


def _other_producers(call: CallDoc, images: tuple[ImageEvidence, ...], report: Producer) -> tuple[str, ...]:
    """Say where results that can be read were made by another version than the report."""
    made = [("call.json", call.produced_by)]
    made += [(f"{image.image_id}/{name}", by) for image in images for name, by in image.producers]
    others: dict[str, list[str]] = {}
    for name, by in made:
        if by.version != report.version:
            others.setdefault(by.version, []).append(name)
    return tuple(
        f"Version {version} of her2path made {', '.join(names)}; this report was made by version "
        f"{report.version}. The numbers are shown as they were stored."
        for version, names in sorted(others.items())
    )


def _image_of(name: str) -> str:
    return name.split("/", maxsplit=1)[0]


def _slides(images: tuple[ImageEvidence, ...], limits: SlideLimits | None) -> dict[str, GatheredSlide]:
    slides = [image for image in images if image.facts.assay is Assay.IHC]
    if limits is None or not slides:
        return {}
    part = limits.shared_by(len(slides))
    return {image.image_id: gather_slide(image, part) for image in slides}


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Pictures by ``<image_id>/<file>``, and what is missing of them."""

    found: Mapping[str, Picture]
    used: Mapping[str, Path]
    gaps: tuple[str, ...]

    def of(self, *files: str) -> Iterable[tuple[str, Picture]]:
        return ((name, found) for name, found in self.found.items() if name.split("/")[1] in files)


def _pictures(
    images: tuple[ImageEvidence, ...], slides: Mapping[str, GatheredSlide], limits: PictureLimits
) -> _Pictures:
    """Read every picture that has something to show, the lightest first: what it leaves is for the others."""
    wanted = {
        f"{image.image_id}/{name}": image
        for image in images
        for name in _expected(image, slides.get(image.image_id))
        if limits.files is None or name in limits.files
    }
    used = {name: image.files.get(name.split("/")[1]) for name, image in wanted.items()}
    there = {name: path for name, path in used.items() if path is not None and path.is_file()}
    gaps = [
        f"Picture {name} is missing; run the case again to make it." for name in wanted if name not in there
    ]
    left, weights = limits.bytes, {name: _weight(name) for name in there}
    found: dict[str, Picture] = {}
    for name in sorted(there, key=lambda name: (there[name].stat().st_size, name)):
        share = left * weights[name] // sum(weights.values())
        try:
            picture = read_picture(
                there[name],
                most_side_px=limits.side_px,
                most_bytes=share,
                jpeg_quality=limits.jpeg_quality,
            )
            _refuse_other_slide(there[name], wanted[name])
            found[name] = picture
            left -= min(share, picture.size_bytes)
        except ArtefactError as error:
            gaps.append(f"Picture {name} cannot be shown: {error.detail}; run the case again to make it.")
        del weights[name]
    order = [name for name in wanted if name in found]
    kept = {name: found[name] for name in order}
    return _Pictures(kept, {name: there[name] for name in order}, tuple(gaps))


def _refuse_other_slide(path: Path, image: ImageEvidence) -> None:
    of = slide_of(path.read_bytes())
    if of is not None and of != slide_digest(image):
        raise ArtefactError(path.name, "is of another image")


def _weight(name: str) -> int:
    """Outlines of fields bear compression better than the numbers of a gallery: half a share each."""
    return 1 if name.split("/")[1] in FIELD_PICTURES else 2


def _expected(image: ImageEvidence, slide: GatheredSlide | None) -> Iterable[str]:
    """Name the pictures that an image should have; placeholders of images without a result are not shown."""
    is_ihc = image.facts.assay is Assay.IHC
    if image.has_result:
        yield _PICTURES[image.facts.assay]
        yield from (BLOCK_MAP,) if is_ihc else FIELD_PICTURES
        shows_spots = slide is not None and slide.slide is not None and slide.slide.view.spots
        if is_ihc and not shows_spots:
            yield HOT_SPOTS
        if image.score is not None and image.score.result is not None and image.score.result.control:
            yield CONTROLS
    if is_ihc and image.quality.result is not None:
        yield _QUALITY
