"""The images of a case, each joined with what was measured on it, and the read of a second person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from fractions import Fraction
from itertools import combinations
from pathlib import Path

from her2path.domain.case import Assay, SpecimenFacts
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ArtefactError
from her2path.io.count_entries import FishCountsResult
from her2path.io.documents import (
    FishCountsDoc,
    IhcScoreDoc,
    IhcScoreResult,
    SheetFacts,
    SlideDoc,
    read_document,
)
from her2path.io.recount_documents import RecountDoc, RecountResult


@dataclass(frozen=True, slots=True)
class CaseImage:
    """One image of a case: what the sheet says of it, and its result or the reason why it has none."""

    image_id: str
    sheet: SheetFacts
    score: IhcScoreResult | None = None
    counts: FishCountsResult | None = None
    reason: NotEvaluable | None = None
    files: frozenset[str] = frozenset()
    """SHA-256 of the files it was read from."""

    def shares_file(self, other: CaseImage) -> bool:
        """Whether both were read from one file."""
        return not self.files.isdisjoint(other.files)


def read_images(slide: Sequence[Path], score: Sequence[Path], counts: Sequence[Path]) -> list[CaseImage]:
    """Join the documents of each image by the name of their folder, in the order of the ids."""
    slides, scores, counted = _by_image(slide), _by_image(score), _by_image(counts)
    if not slides:
        raise ArtefactError("slide.json", "no image was given")
    if strays := (scores.keys() | counted.keys()) - slides.keys():
        raise ArtefactError("slide.json", f"is missing for {', '.join(sorted(strays))}")
    images = [_read_image(name, path, scores, counted) for name, path in sorted(slides.items())]
    sheets = [image.sheet for image in images]
    if len({(s.case_id, s.guideline, s.specimen, *astuple(specimen_facts_of(s))) for s in sheets}) > 1:
        raise ArtefactError("slide.json", "the images belong to several cases, guidelines or specimens")
    if len({image.sheet.probe for image in images if image.sheet.assay is Assay.FISH}) > 1:
        raise ArtefactError("slide.json", "the FISH images were made with different probes")
    return images


def _by_image(paths: Sequence[Path]) -> dict[str, Path]:
    found = {path.parent.name: path for path in paths}
    if len(found) != len(paths):
        raise ArtefactError(paths[0].name, "an image was given twice")
    return found


def _read_image(name: str, slide: Path, scores: dict[str, Path], counted: dict[str, Path]) -> CaseImage:
    document = read_document(slide, SlideDoc)
    sheet = document.sheet
    if sheet.image_id != name:
        raise ArtefactError("slide.json", f"in folder {name!r} belongs to image {sheet.image_id!r}")
    paths, kind = (scores, "ihc_score.json") if sheet.assay is Assay.IHC else (counted, "fish_counts.json")
    if name not in paths:
        raise ArtefactError(kind, f"is missing for image {name!r}")
    measured = (
        read_document(paths[name], IhcScoreDoc)
        if sheet.assay is Assay.IHC
        else read_document(paths[name], FishCountsDoc)
    )
    for found in (document, measured):
        if found.not_evaluable is not None:
            return CaseImage(name, sheet, reason=found.not_evaluable.value())
    files = frozenset(file.sha256 for file in document.result.files) if document.result else frozenset()
    if isinstance(measured, IhcScoreDoc):
        return CaseImage(name, sheet, score=measured.result, files=files)
    return CaseImage(name, sheet, counts=measured.result, files=files)


def duplicates(images: Sequence[CaseImage]) -> dict[str, NotEvaluable]:
    """Find images that show what another image of the case shows already.

    Their cells or nuclei would be counted twice, and a recount of the same image by the same
    program confirms nothing.  Two regions of one file are no doubles.
    """
    found: dict[str, NotEvaluable] = {}
    for one, other in combinations(images, 2):
        regions = one.sheet.has_tumour_roi and other.sheet.has_tumour_roi
        if one.shares_file(other) and not regions:
            reason = (
                f"shows the same file as image {one.image_id!r}; nothing may be counted twice, and a recount "
                "needs an image of its own: remove one of the rows, or give each its `tumour_roi`"
            )
            found.setdefault(other.image_id, NotEvaluable("duplicate_image", reason))
    return found


@dataclass(frozen=True, slots=True)
class CaseRead:
    """A read sheet that was taken back."""

    result: RecountResult
    fits: bool
    """Whether it was made on the images that the case has now."""


def read_recount(path: Path | None, images: Sequence[CaseImage]) -> CaseRead | None:
    """Read the count of a second person; None where none was taken back.

    Raises
    ------
    ArtefactError
        The file is damaged or belongs to another case.
    """
    if path is None:
        return None
    result = read_document(path, RecountDoc).result
    case_id = images[0].sheet.case_id
    if result is None or result.case_id != case_id:
        raise ArtefactError("recount.json", f"holds no read of case {case_id!r}")
    fish = {image.image_id: image for image in images if image.sheet.assay is Assay.FISH}
    files = {name: image.files for name, image in fish.items()}
    probes = {image.sheet.probe for image in fish.values()}
    return CaseRead(result, result.is_of(files) and probes == {result.probe})


def specimen_facts_of(sheet: SheetFacts) -> SpecimenFacts:
    """Take what the sheet states of the specimen."""
    return SpecimenFacts(
        sheet.tumour_site, _as_written(sheet.fixation_hours), _as_written(sheet.cold_ischaemia_minutes)
    )


def _as_written(number: float | None) -> Fraction | None:
    """Read a number as its decimal digits say, so that 72.0 hours lie on the cut, not beside it."""
    return None if number is None else Fraction(str(number))
