"""FISH images of a case as a recount needs them: what can be counted, and how it looks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from her2path.domain.recount_choice import Candidate
from her2path.errors import ImageNotFoundError, UnsuitableImageError
from her2path.imaging.fish.shown_nuclei import NucleusPicture, Plane, levels_of, picture_of
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import FishCountsDoc, SlideDoc, SlideResult, read_document
from her2path.io.fields.crops import NucleusCrop, crop_nucleus, side_in_px
from her2path.io.fields.opening import open_field
from her2path.io.fields.source import FieldSource
from her2path.io.files import sha256_of
from her2path.io.label_image import LabelImage
from her2path.io.provenance import digests
from her2path.io.recount_documents import ShownNucleus
from her2path.io.tables import FISH_NUCLEI, read_table

SIDE_UM = 20.0
"""Side of a picture (µm): the largest nuclei that are counted fit, with a rim of their neighbours."""
_TWO_PLUS = re.compile(r"ihc[._-]?2", re.IGNORECASE)
"""How a label of column `area` begins that names the area with IHC 2+."""


@dataclass(frozen=True, slots=True)
class ShownImage:
    """One FISH image with what was found in it."""

    row: ImageRow
    slide: SlideResult
    source: FieldSource
    labels: LabelImage
    nuclei: dict[int, dict[str, Any]]
    """Rows of `fish_nuclei` that can be counted, by nucleus."""
    digests: dict[str, str]
    """SHA-256 of the artefacts that were read, by name."""

    @property
    def files(self) -> tuple[str, ...]:
        """SHA-256 of the image's files."""
        return tuple(file.sha256 for file in self.slide.files)

    @property
    def is_two_plus(self) -> bool:
        """Whether the case sheet names its area as the one with IHC 2+."""
        return _TWO_PLUS.match(self.row.area) is not None

    def candidates(self) -> Iterator[Candidate]:
        """List the nuclei that can be counted."""
        for nucleus_id, nucleus in self.nuclei.items():
            used = self.row.observer == 1 and bool(nucleus["evaluable"])
            yield Candidate(self.row.image_id, nucleus_id, nucleus["rank"], used, self.is_two_plus)

    def shown(self, number: int, nucleus_id: int, *, in_first_count: bool) -> ShownNucleus:
        """Write down a nucleus under the number that a reader sees."""
        nucleus = self.nuclei[nucleus_id]
        return ShownNucleus(
            number=number,
            image_id=self.row.image_id,
            nucleus_id=nucleus_id,
            x_px0=nucleus["x_px0"],
            y_px0=nucleus["y_px0"],
            in_first_count=in_first_count,
            program_her2=nucleus["her2_signals"],
            program_cep17=nucleus["cep17_signals"],
        )

    def crop(self, nucleus_id: int) -> NucleusCrop:
        """Cut out a nucleus."""
        nucleus = self.nuclei[nucleus_id]
        return crop_nucleus(
            self.source,
            self.labels,
            nucleus_id,
            x_px0=nucleus["x_px0"],
            y_px0=nucleus["y_px0"],
            side_px=side_in_px(SIDE_UM, self.slide.mpp),
            probe=self.row.probe,
        )


@contextmanager
def open_image(out: Path, row: ImageRow) -> Iterator[ShownImage]:
    """Open an image beside what a run found in it.

    Raises
    ------
    SlideError
        The image has no counts, cannot be opened, or is another file than the one that was counted.
    """
    folder = out / "images" / row.image_id
    slide = read_document(folder / "slide.json", SlideDoc)
    counts = read_document(folder / "fish_counts.json", FishCountsDoc)
    if slide.result is None or counts.result is None:
        reason = slide.not_evaluable or counts.not_evaluable
        assert reason is not None  # noqa: S101  (a document holds a result or a reason)
        raise UnsuitableImageError(row.image_id, f"has no counts: {reason.reason}", code=reason.code)
    if any(not path.is_file() for path in row.path):
        raise ImageNotFoundError(row.image_id)
    if [sha256_of(path) for path in row.path] != [file.sha256 for file in slide.result.files]:
        raise UnsuitableImageError(row.image_id, "its file has changed since the run; run the case again")
    nuclei = {
        nucleus["nucleus_id"]: nucleus
        for nucleus in read_table(folder / "fish_nuclei.parquet", FISH_NUCLEI).to_pylist()
        if nucleus["exclusion"] is None
    }
    roles = tuple(channel.role for channel in slide.result.channels)
    made = digests(
        **{
            f"{row.image_id}/slide": folder / "slide.json",
            f"{row.image_id}/fish_nuclei": folder / "fish_nuclei.parquet",
            f"{row.image_id}/fish_labels": folder / "fish_labels.tif",
        }
    )
    with (
        open_field(row.path, name=row.image_id, channels=roles) as source,
        LabelImage(folder / "fish_labels.tif") as labels,
    ):
        yield ShownImage(row, slide.result, source, labels, nuclei, made)


def pictures_of(nuclei: Sequence[tuple[ShownImage, int]]) -> list[NucleusPicture]:
    """Draw nuclei in their order; those of one image share their black and white."""
    crops = [image.crop(nucleus_id) for image, nucleus_id in nuclei]
    by_image: dict[str, list[dict[str, Plane]]] = {}
    for (image, _), crop in zip(nuclei, crops, strict=True):
        by_image.setdefault(image.row.image_id, []).append(crop.planes)
    levels = {name: levels_of(pieces) for name, pieces in by_image.items()}
    return [
        picture_of(crop.planes, crop.mask, levels[image.row.image_id])
        for (image, _), crop in zip(nuclei, crops, strict=True)
    ]
