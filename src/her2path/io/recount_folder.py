"""The files of a recount in the folder of a case, and the keys of a whole results folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from her2path.io.documents import read_document
from her2path.io.files import write_bytes, write_text
from her2path.io.recount_documents import RecountDoc, RecountKeyDoc, RecountKeyResult


@dataclass(frozen=True, slots=True)
class RecountFolder:
    """``cases/<case_id>/recount/``."""

    path: Path

    @classmethod
    def of(cls, out: Path, case_id: str) -> RecountFolder:
        """Name the folder of a case; it need not exist."""
        return cls(out / "cases" / case_id / "recount")

    @property
    def page(self) -> Path:
        """Nuclei to count, for the reader."""
        return self.path / "nuclei.html"

    @property
    def sheet(self) -> Path:
        """Empty read sheet, for the reader."""
        return self.path / "reads.tsv"

    @property
    def key(self) -> Path:
        """Which nucleus each number is; not for the reader."""
        return self.path / "key.json"

    @property
    def read(self) -> Path:
        """What a second person counted, taken back."""
        return self.path / "recount.json"

    def read_key(self) -> RecountKeyResult | None:
        """Read the key of the sheet that was prepared last; None where there is none."""
        return read_document(self.key, RecountKeyDoc).result if self.key.is_file() else None

    def read_read(self) -> RecountDoc | None:
        """Read what was taken back; None where there is nothing yet."""
        return read_document(self.read, RecountDoc) if self.read.is_file() else None

    def set_aside_other(self, sheet_id: str) -> None:
        """Keep the key of another sheet, which may be with a reader, before this one is written."""
        old = self.read_key()
        if old is not None and old.sheet_id != sheet_id:
            self.key.replace(self.path / f"key.{old.sheet_id}.json")

    def replace_read(self, text: str) -> Path | None:
        """Write a read; an earlier one is kept under the next free number.

        Returns
        -------
        Path or None
            Where the earlier one lies now.
        """
        kept = None
        if self.read.is_file():
            kept = next(p for n in count(1) if not (p := self.path / f"recount.{n}.json").exists())
            # A copy, not a move: without a moment in which the case has no read at all.
            write_bytes(kept, self.read.read_bytes())
        write_text(self.read, text)
        return kept


def keys_of(out: Path) -> Mapping[str, tuple[RecountFolder, RecountKeyResult]]:
    """Find every sheet that was prepared in a results folder, by its id.

    Raises
    ------
    ArtefactError
        A key is damaged.
    """
    found: dict[str, tuple[RecountFolder, RecountKeyResult]] = {}
    for path in sorted(out.glob("cases/*/recount/key*.json")):
        result = read_document(path, RecountKeyDoc).result
        if result is not None:
            found[result.sheet_id] = (RecountFolder(path.parent), result)
    return found
