"""Where a call comes from: versions, parameters and digests, for the end of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from her2path.io.documents import Document, Producer
from her2path.reports.case_material import CaseMaterial
from her2path.reports.evidence import ImageEvidence
from her2path.reports.model_words import model_words
from her2path.reports.numbers import count_text, number_text
from her2path.reports.wording import ORIGIN_WORDS


@dataclass(frozen=True, slots=True)
class ImageOrigin:
    """What an image is, without its name on disk (it may identify a person)."""

    image_id: str
    assay: str
    geometry: str
    pixel_size: str
    channels: str
    files: tuple[str, ...]
    """Format, size and SHA-256 of each file."""
    area: str
    observer: str
    controls: str
    regions: str
    model: str = ""
    """Model that found the cells, and who vouches for it; empty where no image of cells was measured."""


@dataclass(frozen=True, slots=True)
class StepOrigin:
    """A step with the parameters it ran with."""

    where: str
    step: str
    version: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DigestRow:
    """An input of a document and its SHA-256."""

    document: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Provenance of a case."""

    version: str
    """Version of her2path that wrote the page."""
    images: tuple[ImageOrigin, ...]
    steps: tuple[StepOrigin, ...]
    digests: tuple[DigestRow, ...]


def origin_of(material: CaseMaterial) -> Origin:
    """Collect the provenance of a case and of the report that is made of it."""
    call, report = material.call, material.report_name
    made = [(f"{image.image_id}/{name}", doc) for image in material.images for name, doc in image.documents]
    producers = [
        (f"{image.image_id}/{name}", by) for image in material.images for name, by in image.producers
    ]
    steps = [_step(name, by) for name, by in producers]
    digests = [row for name, document in made for row in _digests(name, document)]
    used = material.report_inputs
    return Origin(
        version=material.report.version,
        images=tuple(_image(image) for image in material.images),
        steps=(*steps, _step("call.json", call.produced_by), _step(report, material.report)),
        digests=(
            *digests,
            *_digests("call.json", call),
            *(DigestRow(report, name, used[name]) for name in sorted(used)),
        ),
    )


def _digests(name: str, document: Document) -> Iterable[DigestRow]:
    return (DigestRow(name, key, document.inputs[key]) for key in sorted(document.inputs))


def _step(where: str, producer: Producer) -> StepOrigin:
    params = tuple((key, _param_text(producer.params[key])) for key in sorted(producer.params))
    return StepOrigin(where, producer.step, producer.version, params)


def _param_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _image(image: ImageEvidence) -> ImageOrigin:
    facts, result = image.facts, image.slide.result
    regions = [
        name
        for name, given in (("tumour", facts.has_tumour_roi), ("exclusion", facts.has_exclude_roi))
        if given
    ]
    geometry = pixel_size = channels = ""
    files: tuple[str, ...] = ()
    if result is not None:
        geometry = f"{count_text(result.width_px0)} × {count_text(result.height_px0)} px, {result.vendor}"
        if result.z_planes > 1:
            geometry += f", {result.z_planes} focal planes"
        pixel_size = f"{number_text(result.mpp, digits=4)} µm ({ORIGIN_WORDS[result.mpp_origin]})"
        channels = ", ".join(f"{c.role}: {c.name} (by {c.origin.replace('_', ' ')})" for c in result.channels)
        files = tuple(
            f"{f.format}, {count_text(f.size_bytes)} bytes, SHA-256 {f.sha256}" for f in result.files
        )
    return ImageOrigin(
        image_id=image.image_id,
        assay=facts.assay.upper(),
        geometry=geometry,
        pixel_size=pixel_size,
        channels=channels,
        files=files,
        area=facts.area,
        observer=str(facts.observer),
        controls=str(facts.controls),
        regions=", ".join(regions),
        model=_model(image),
    )


def _model(image: ImageEvidence) -> str:
    score = None if image.score is None else image.score.result
    return "" if score is None else model_words(score.model)
