"""``images/<image_id>/edits/``: what a person changed on a slide, and the first result beside it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from her2path.errors import ArtefactError
from her2path.io.documents import read_document
from her2path.io.edits_documents import EditsDoc, EditsResult
from her2path.io.files import artefact_name, sha256_of, write_bytes, write_text
from her2path.io.qupath_cells import cell_identifier

EDITS = "edits.json"
SCORE = "ihc_score.json"
_COLUMNS = ("cell_id", "qupath_id", "x_px0", "y_px0", "measured", "given", "by", "on")


@dataclass(frozen=True, slots=True)
class EditsFolder:
    """The folder of one slide; it need not exist."""

    path: Path

    @classmethod
    def of(cls, out: Path, image_id: str) -> EditsFolder:
        """Name the folder of an image."""
        return cls(out / "images" / image_id / "edits")

    @property
    def edits(self) -> Path:
        """The edits that count."""
        return self.path / EDITS

    @property
    def sha256(self) -> str | None:
        """Digest of the edits that count; None where there are none."""
        return sha256_of(self.edits) if self.edits.is_file() else None

    @property
    def score(self) -> Path:
        """The score of the slide, which states the digest of the edits that it was made with."""
        return self.path.parent / SCORE

    @property
    def first_score(self) -> Path:
        """``ihc_score.json`` as it was before the first edit."""
        return self.path / "first_ihc_score.json"

    @property
    def cells(self) -> Path:
        """The cells to which a person gave a class, for spreadsheets."""
        return self.path / "cells.csv"

    def read(self) -> EditsResult | None:
        """Read the edits that count; None where nobody edited, or the edits were discarded."""
        return read_document(self.edits, EditsDoc).result if self.edits.is_file() else None

    def is_scored(self) -> bool:
        """Whether the score was made with the edits that count, and without any where there are none.

        Raises
        ------
        ArtefactError
            The score is missing or damaged.
        """
        return stated_edits(self.score) == self.sha256

    def check_scored(self) -> None:
        """Refuse a score of other edits than those that count: ArtefactError."""
        if self.is_scored():
            return
        detail = (
            "does not know a person's edits of the slide"
            if self.edits.is_file()
            else "states a person's edits that the slide does not have any more"
        )
        raise ArtefactError(artefact_name(self.score), detail, "`her2path run` scores the slide again")

    def keep_first(self) -> None:
        """Keep the result without edits, unless the edits that count have it already.

        Raises
        ------
        ArtefactError
            The score states edits, so it is not the first one.
        """
        if self.edits.is_file() and self.first_score.is_file():
            return
        if stated_edits(self.score) is not None:
            detail = "states a person's edits, so it cannot be kept as the first result of the slide"
            remedy = "`her2path qupath discard` scores the slide as it was measured"
            raise ArtefactError(artefact_name(self.score), detail, remedy)
        write_bytes(self.first_score, self.score.read_bytes())

    def replace(self, text: str, edits: EditsResult) -> Path | None:
        """Write edits; earlier ones are kept under the next free number.

        Returns
        -------
        Path or None
            Where the earlier ones lie now.
        """
        kept = None
        if self.edits.is_file():
            kept = self._free_name()
            # A copy, not a move: without a moment in which the slide has no edits at all.
            write_bytes(kept, self.edits.read_bytes())
        write_text(self.cells, _table(edits))
        write_text(self.edits, text)
        return kept

    def is_untouched(self) -> bool:
        """Whether the slide has no edits and nothing is left that shows any."""
        left = self.edits.is_file() or self.first_score.is_file()
        return not left and (not self.score.is_file() or stated_edits(self.score) is None)

    def put_aside(self) -> Path | None:
        """Let the edits count no more; None where they were put aside before."""
        if not self.edits.is_file():
            return None
        kept = self._free_name()
        self.edits.replace(kept)
        self.cells.unlink(missing_ok=True)
        return kept

    def forget_first(self) -> None:
        """Drop the first result, which was made again; until then it marks that edits are to be undone."""
        self.cells.unlink(missing_ok=True)
        self.first_score.unlink(missing_ok=True)

    def _free_name(self) -> Path:
        return next(path for n in count(1) if not (path := self.path / f"edits.{n}.json").exists())


def stated_edits(score: Path) -> str | None:
    """Read from ``ihc_score.json`` the digest of the edits that it was made with; None = without any.

    Raises
    ------
    ArtefactError
        The score is missing or damaged.
    """
    try:
        stated = json.loads(score.read_text(encoding="utf-8"))["inputs"].get("edits")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        detail = f"not a readable JSON document ({type(error).__name__})"
        raise ArtefactError(artefact_name(score), detail) from error
    return None if stated is None else str(stated)


def scored_otherwise(out: Path, image_ids: Iterable[str]) -> list[EditsFolder]:
    """Find the slides whose score was made with other edits than those that count.

    So it is after edits were put aside or deleted and nothing was scored since.  Scores that are missing
    or damaged are none of them: whoever reads them says so.
    """
    folders = (EditsFolder.of(out, image_id) for image_id in image_ids)
    return [folder for folder in folders if not _is_scored_or_unknown(folder)]


def _is_scored_or_unknown(folder: EditsFolder) -> bool:
    try:
        return folder.is_scored()
    except ArtefactError:
        return True


def _table(edits: EditsResult) -> str:
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in edits.signed().corrections:
        name = cell_identifier(edits.image_files[0], one.cell_id).decode()
        place = (repr(one.x_px0), repr(one.y_px0))
        writer.writerow((one.cell_id, name, *place, one.measured, one.given, one.by, one.on))
    return target.getvalue()
