"""``images/<image_id>/edits/``: what a person changed on a slide, and the first result beside it."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from her2path.io.documents import read_document
from her2path.io.edits_documents import EditsDoc, EditsResult
from her2path.io.files import write_bytes, write_text
from her2path.io.qupath_cells import cell_identifier

EDITS = "edits.json"
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

    def keep_first(self, score: Path) -> None:
        """Keep the first result, unless an earlier edit has done so."""
        if not self.first_score.is_file():
            write_bytes(self.first_score, score.read_bytes())

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

    def discard(self) -> Path:
        """Put the edits aside; the first result is of no use any more, for it is made again."""
        kept = self._free_name()
        self.edits.replace(kept)
        self.cells.unlink(missing_ok=True)
        self.first_score.unlink(missing_ok=True)
        return kept

    def _free_name(self) -> Path:
        return next(path for n in count(1) if not (path := self.path / f"edits.{n}.json").exists())


def _table(edits: EditsResult) -> str:
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in edits.signed().corrections:
        name = cell_identifier(edits.image_files[0], one.cell_id).decode()
        place = (repr(one.x_px0), repr(one.y_px0))
        writer.writerow((one.cell_id, name, *place, one.measured, one.given, one.by, one.on))
    return target.getvalue()
