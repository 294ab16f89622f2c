"""One slide that a person edits: whether it can be, what is made again, and what it comes to."""

from __future__ import annotations

from pathlib import Path

from her2path.cli import chain
from her2path.config import Config
from her2path.domain.case import Assay
from her2path.errors import ConfigError
from her2path.io.case_sheet import CaseSheet, ImageRow
from her2path.io.documents import IhcScoreDoc, SlideDoc, not_evaluable_of, read_document, required
from her2path.io.files import sha256_of
from her2path.io.slides.opening import files_of


def row_of(sheet: CaseSheet, image_id: str) -> ImageRow:
    """Find an IHC image in the case sheet; ConfigError where there is none of this name."""
    try:
        row = sheet.image(image_id)
    except KeyError as error:
        raise ConfigError((f"image {image_id!r} is not in the case sheet",)) from error
    if row.assay is not Assay.IHC:
        raise ConfigError((f"image {image_id!r} is a FISH image; counts come back with `her2path recount`",))
    return row


def check_measured(home: Path, row: ImageRow) -> None:
    """Refuse a slide without measured cells, and a file that is not the one that was measured."""
    for name in ("slide.json", "quality.json"):
        if not (home / name).is_file():
            raise ConfigError((f"image {row.image_id!r} has no results yet; run `her2path run` first",))
        if (why := not_evaluable_of(home / name)) is not None:
            raise ConfigError((f"image {row.image_id!r} has no cells to edit: {why.reason}",))
    check_files(home, row)


def check_files(home: Path, row: ImageRow) -> None:
    """Refuse a slide whose file is gone, or is not the one that was measured: its pictures are drawn anew."""
    if any(not path.exists() for path in row.path):
        raise ConfigError((f"the file of image {row.image_id!r} was not found; pictures are drawn from it",))
    slide = required(read_document(home / "slide.json", SlideDoc).result, home / "slide.json")
    if [sha256_of(path) for path in files_of(row.path[0])] != [file.sha256 for file in slide.files]:
        raise ConfigError((f"the file of image {row.image_id!r} has changed since the run; run it again",))


def score_again(out: Path, sheet: CaseSheet, row: ImageRow, *, case_sheet: Path | None) -> None:
    """Make again what follows from the cells of an image: its score, its case, and the cohort."""
    settings = Config.model_validate_json((out / "logs" / "config.json").read_text(encoding="utf-8"))
    if case_sheet is not None:
        settings = settings.model_copy(update={"cases": case_sheet})
    chain.run_image(row, out, settings, workers=1, steps=chain.rescoring_steps(row))
    chain.finish_case(sheet.images_of(row.case_id), out, settings)
    if all((out / "cases" / case_id / "call.json").is_file() for case_id in sheet.case_ids):
        chain.finish_cohort(out, settings)


def outcome_of(home: Path) -> list[str]:
    """Say what the slide comes to now, and what it came to before."""
    document = read_document(home / "ihc_score.json", IhcScoreDoc)
    if document.result is None:
        reason = document.not_evaluable
        return [f"  not evaluable: {reason.reason if reason is not None else ''}"]
    found, edits = document.result, document.result.edits
    words = f"  score {found.score}, H-score {found.h_score:.1f}, {found.scored_cells} cells"
    if edits is None:
        return [words]
    if edits.score_before is None or edits.h_score_before is None:
        return [f"{words}; without the edits it has no score"]
    before = f"{edits.score_before}, H-score {edits.h_score_before:.1f}, {edits.scored_cells_before} cells"
    return [f"{words}; before {before}"]
