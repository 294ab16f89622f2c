"""Write a QuPath project with the slides of a run and what was measured on them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from her2path.cli.qupath_layers import (
    CONTROL,
    COUNTED,
    HER2_CLUSTER,
    NOT_COUNTED,
    SIGNALS,
    TUMOUR,
    write_fish_layers,
    write_ihc_layers,
)
from her2path.cli.sheet_of_run import sheet_of_run
from her2path.domain.case import Assay
from her2path.domain.guideline.registry import find_guideline
from her2path.domain.label_classes import LabelClass
from her2path.domain.verdict import NotEvaluable
from her2path.errors import ConfigError, Her2PathError, ImageNotFoundError, UnsuitableImageError
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import (
    CallDoc,
    FishCountsDoc,
    IhcScoreDoc,
    IhcScoreResult,
    SlideDoc,
    SlideResult,
    read_document,
)
from her2path.io.edits_folder import scored_otherwise
from her2path.io.files import replacing_folder, write_text
from her2path.io.qupath_cells import EXCLUDED, CellClass, scheme_of
from her2path.io.qupath_project import (
    FACTS,
    LAYERS,
    PROJECT,
    ProjectImage,
    Reader,
    reader_of,
    write_project,
)
from her2path.io.slides.opening import files_of

_NOT_EVALUABLE = "not evaluable"
_IMAGE_TYPES = {Assay.IHC: "BRIGHTFIELD_H_DAB", Assay.FISH: "FLUORESCENCE"}


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one image."""

    image_id: str
    is_in: bool
    words: str


def write(out: Path, folder: Path, *, sheet: Path | None = None, cases: Sequence[str] = ()) -> list[Line]:
    """Write the project; it appears whole or not at all.

    Parameters
    ----------
    out : Path
        Results of a run.
    folder : Path
        Where the project is to be: a new or an empty folder.
    sheet : Path, optional
        Case sheet, where it was moved since the run.
    cases : sequence of str
        None = all.

    Raises
    ------
    ConfigError
        There are no results or no such case, or the folder holds something.
    ArtefactError
        The score of a slide was made with other edits than it has now.
    """
    stated = sheet_of_run(out, named=sheet)
    if unknown := [name for name in cases if name not in stated.case_ids]:
        raise ConfigError(tuple(f"case {name!r} is not in the case sheet" for name in unknown))
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if folder.exists():
        raise ConfigError(
            (f"{folder.name!r} holds something already; QuPath wants a new or empty folder for a project",)
        )
    rows = [row for row in stated.rows if not cases or row.case_id in cases]
    for edits in scored_otherwise(out, (row.image_id for row in rows if row.assay is Assay.IHC)):
        edits.check_scored()
    with replacing_folder(folder, mark=PROJECT) as made:
        images, lines = [], []
        for row in rows:
            found = _image_or_reason(out, made, row)
            if isinstance(found, NotEvaluable):
                lines.append(Line(row.image_id, False, f"{row.image_id}: left out: {found.reason}"))
            else:
                images.append(found)
                lines.append(Line(row.image_id, True, f"{row.image_id}: {found.description}"))
        write_project(made, images, _classes(rows), lies_in=folder)
        write_text(made / "README.txt", _README)
    return lines


def _image_or_reason(out: Path, made: Path, row: ImageRow) -> ProjectImage | NotEvaluable:
    """Write an image, or say why it is left out: one bad slide never stops the others."""
    try:
        return _image(out, made, row)
    except Her2PathError as error:
        shutil.rmtree(made / LAYERS / row.image_id, ignore_errors=True)
        return NotEvaluable("not_in_project", str(error))


def _image(out: Path, made: Path, row: ImageRow) -> ProjectImage | NotEvaluable:
    """Write the layers of one image and say how QuPath opens it."""
    results, into = out / "images" / row.image_id, made / LAYERS / row.image_id
    document = read_document(results / "slide.json", SlideDoc)
    slide = document.result
    if slide is None:
        assert document.not_evaluable is not None  # noqa: S101  (a document holds a result or a reason)
        return NotEvaluable(document.not_evaluable.code, document.not_evaluable.reason)
    paths = _files(row, slide)
    into.mkdir(parents=True)
    score: IhcScoreResult | None = None
    if row.assay is Assay.IHC:
        score = read_document(results / "ihc_score.json", IhcScoreDoc).result
        write_ihc_layers(results, into, row, document, score)
        found = f"IHC score {score.score}" if score else _NOT_EVALUABLE
    else:
        counts = read_document(results / "fish_counts.json", FishCountsDoc).result
        write_fish_layers(results, into, document, is_counted=counts is not None)
        found = "counted" if counts else _NOT_EVALUABLE
    facts = {
        "image_id": row.image_id,
        "image_type": _IMAGE_TYPES[row.assay],
        "width_px0": slide.width_px0,
        "height_px0": slide.height_px0,
        "mpp": slide.mpp,
        "mpp_origin": slide.mpp_origin,
        "sha256": [file.sha256 for file in slide.files],
    }
    write_text(into / FACTS, json.dumps(facts, indent=1) + "\n")
    reader = Reader.BIOFORMATS if row.assay is Assay.FISH else reader_of(slide.vendor)
    metadata = _metadata(out, row, score)
    return ProjectImage(row.image_id, paths, reader, f"{row.assay.value.upper()}, {found}", metadata)


def _files(row: ImageRow, slide: SlideResult) -> tuple[Path, ...]:
    """Find the files that QuPath is to open; they must be those that were measured."""
    if not all(path.exists() for path in row.path):
        raise ImageNotFoundError(row.image_id)
    paths = row.path if row.assay is Assay.FISH else files_of(row.path[0])
    if [path.stat().st_size for path in paths] != [file.size_bytes for file in slide.files]:
        raise UnsuitableImageError(row.image_id, "its file has changed since the run; run the case again")
    return tuple(paths) if row.assay is Assay.FISH else (paths[0],)


def _metadata(out: Path, row: ImageRow, score: IhcScoreResult | None) -> dict[str, str]:
    """State what QuPath shows beside an image and sorts by; nothing but the sheet's pseudonyms names it."""
    stated = {"her2path image": row.image_id, "Case": row.case_id, "Assay": row.assay.value.upper()}
    if row.assay is Assay.IHC:
        stated["IHC score"] = str(score.score) if score else _NOT_EVALUABLE
        if score is not None and score.edits is not None:
            stated["Edited by"] = "; ".join(f"{by}, {on}" for by, on in score.edits.signatures)
    path = out / "cases" / row.case_id / "call.json"
    if path.is_file():
        stated["HER2 call"] = str(read_document(path, CallDoc).state).replace("_", " ")
    return stated | {"Guideline": row.guideline}


def _classes(rows: Sequence[ImageRow]) -> list[CellClass]:
    """List the classes of these slides in the order of QuPath's list, those to draw with first."""
    kinds = [TUMOUR, EXCLUDED, CONTROL, CellClass(LabelClass.NECROSIS, LabelClass.NECROSIS.rgb)]
    if ihc := [row for row in rows if row.assay is Assay.IHC]:
        for scheme in dict.fromkeys(scheme_of(find_guideline(row.guideline)) for row in ihc):
            kinds += [*scheme.scored, *scheme.control]
    if any(row.assay is Assay.FISH for row in rows):
        kinds += [COUNTED, NOT_COUNTED, *SIGNALS.values(), HER2_CLUSTER]
    return list(dict.fromkeys(kinds))


_README = """\
A QuPath project of her2path results (research and validation; a pathologist signs).

1. Open project.qpproj in QuPath (0.5 or 0.6): File > Project... > Open project.
2. Open an image, then Automate > Project scripts... > her2path_import, and choose Run > Run for project:
   each image gets its cells, regions, quality findings, hot spots, blocks, nuclei and signals.
3. To change a result: draw regions, give cells another class, run the script her2path_export, and give
   its files to `her2path qupath import`.

The slides are named where they lie and are not copied: the project holds their file names, so it stays
in the laboratory.  The folder her2path holds what was measured, as GeoJSON (cells as ZIP).
"""
