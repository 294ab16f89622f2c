"""Find a measured IHC slide in a results folder, and say where its table for research comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from her2path.domain.case import Assay
from her2path.errors import ArtefactError, ConfigError, UnsuitableImageError
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import id_fault
from her2path.io.documents import (
    IhcScoreDoc,
    IhcScoreResult,
    SheetFacts,
    SlideDoc,
    SlideResult,
    read_document,
    required,
)
from her2path.io.edited_cells import SlideEdits, read_slide_edits
from her2path.io.edits_folder import EditsFolder
from her2path.io.files import artefact_name, sha256_of
from her2path.io.research_cells import MEASURES
from her2path.io.tables import facts_of, produced_by_of

SCHEMA = "research_table/1"
"""Layout of the tables; another one gets another number."""
_AGAIN = "run her2path again to make it anew"


@dataclass(frozen=True, slots=True)
class MeasuredSlide:
    """An IHC slide that was measured and scored."""

    folder: Path
    """``images/<image_id>`` of the results."""
    sheet: SheetFacts
    slide: SlideResult
    score: IhcScoreResult
    inputs: Mapping[str, str]
    """Digests of the files that `slide.json` was made from."""
    edits: SlideEdits
    """What a person changed, as the score has it."""

    def path(self, name: str) -> Path:
        """File of an artefact by the name of the steps' argument (`IHC_FILES`)."""
        return self.folder / IHC_FILES[name]


def find_slide(results: Path, image_id: str) -> MeasuredSlide:
    """Read what a results folder knows of one IHC slide.

    Raises
    ------
    ConfigError
        There is no such image in the folder, or it is no IHC image.
    UnsuitableImageError
        The image could not be measured; the reason is that of its step.
    ArtefactError
        A file is missing, damaged, of another version, or of another run than the rest.
    """
    folder = results / "images" / image_id
    if id_fault(image_id) or not (folder / "slide.json").is_file():
        raise ConfigError((f"--image: there is no image {image_id!r} in these results; {_known(results)}",))
    document = read_document(folder / "slide.json", SlideDoc)
    if document.sheet.assay is not Assay.IHC:
        raise ConfigError((f"--image: {image_id!r} is a FISH image; cells of IHC images are exported",))
    scored = read_document(folder / IHC_FILES["score"], IhcScoreDoc)
    for why in (document.not_evaluable, scored.not_evaluable):
        if why is not None:
            detail = f"it was not measured, so it has no table of cells ({why.reason})"
            raise UnsuitableImageError(image_id, detail, code=why.code)
    edits = _edits(results, image_id)
    names = ("cells", "contours")
    EditsFolder.of(results, image_id).check_scored()
    for name in names:
        path = folder / IHC_FILES[name]
        if path.is_file() and scored.inputs.get(name) != sha256_of(path):
            detail = f"is another file than {IHC_FILES['score']} was made from"
            raise ArtefactError(artefact_name(path), detail, _AGAIN)
    slide = required(document.result, folder / "slide.json")
    return MeasuredSlide(
        folder,
        document.sheet,
        slide,
        required(scored.result, folder / IHC_FILES["score"]),
        document.inputs,
        read_slide_edits(edits, folder / IHC_FILES["cells"], slide),
    )


def _edits(results: Path, image_id: str) -> Path | None:
    path = EditsFolder.of(results, image_id).edits
    return path if path.is_file() else None


def _known(results: Path) -> str:
    found = sorted(path.parent.name for path in (results / "images").glob(f"*/{IHC_FILES['score']}"))
    if not found:
        return "it holds no IHC image at all; give the folder that `her2path run --out` wrote"
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return f"its IHC images are {', '.join(found[:10])}{more}"


def provenance(found: MeasuredSlide) -> dict[str, Any]:
    """State units, origin and score of a slide's table: plain words and numbers by name.

    What is not known is left out, so that no reader takes a stand-in for a value.
    """
    slide, score, cells = found.slide, found.score, found.path("cells")
    made_by, facts = produced_by_of(cells), facts_of(cells)
    stated: dict[str, Any] = {
        "schema_version": SCHEMA,
        "her2path_version": version("her2path"),
        "purpose": "research; decision support that a pathologist signs, no diagnosis",
        "case_id": found.sheet.case_id,
        "image_id": found.sheet.image_id,
        "guideline": found.sheet.guideline,
        "slide": {
            "sha256": [file.sha256 for file in slide.files],
            "width_px0": slide.width_px0,
            "height_px0": slide.height_px0,
            "mpp": slide.mpp,
            "mpp_origin": slide.mpp_origin,
        },
        "coordinates": {
            "spatial": "level-0 pixels, x then y, from the top left corner of the slide (as QuPath)",
            "spatial_um": "the same in µm: spatial x mpp",
        },
        "units": dict(MEASURES),
        "cells_made_by": {"step": made_by.step, "version": made_by.version},
        "calibration": score.calibration,
        "tumour_selection": score.tumour_selection,
        "digests": {
            IHC_FILES[name]: sha256_of(found.path(name)) for name in ("slide", "tiles", "cells", "score")
        },
        "score": {
            "score": str(score.score),
            "h_score": score.h_score,
            "scored_cells": score.scored_cells,
            "flags": list(score.flags),
        },
    }
    if model := facts.get("model"):
        stated["model"] = model
    if score.edits is not None:
        stated["edits"] = score.edits.model_dump_json()
    return stated
