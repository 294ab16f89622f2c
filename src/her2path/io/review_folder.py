"""The files of a discordance review in a folder of quality assurance.

What a reader may be given lies in ``rereads/``; keys, answers and decisions lie in ``qa/``, apart from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from her2path.io.documents import read_document, required
from her2path.io.files import write_bytes, write_text
from her2path.io.qa_review_entries import (
    AdjudicationsDoc,
    AdjudicationsResult,
    RereadDoc,
    RereadKeyDoc,
    RereadKeyResult,
    RereadResult,
)


@dataclass(frozen=True, slots=True)
class ReviewFolder:
    """The folder that `her2path qa --out` names."""

    path: Path

    @property
    def reads(self) -> Path:
        """First reads and calls; never written by the review."""
        return self.path / "qa" / "reads.parquet"

    @property
    def review(self) -> Path:
        """Discordant cases, as the page shows them."""
        return self.path / "qa" / "review.json"

    @property
    def rereads(self) -> Path:
        """Keys and answers; not for readers."""
        return self.path / "qa" / "rereads"

    @property
    def adjudications(self) -> Path:
        """Decisions on discordant cases."""
        return self.path / "qa" / "adjudications.json"

    def sheet(self, list_id: str) -> Path:
        """Empty list, for the reader."""
        return self.path / "rereads" / f"{list_id}.tsv"

    def key(self, list_id: str) -> Path:
        """Which number is which case."""
        return self.rereads / f"key.{list_id}.json"

    def slides(self, list_id: str) -> Path:
        """Numbers and cases in the order of reading, for the person who hands out the slides."""
        return self.rereads / f"slides.{list_id}.tsv"

    def answers(self, list_id: str, reader: str) -> Path:
        """Name the file of what one reader answered."""
        return self.rereads / f"read.{list_id}.{reader}.json"

    def replace_answers(self, list_id: str, reader: str, text: str) -> Path | None:
        """Write answers; earlier ones are kept under the next free number, whose place is returned."""
        path = self.answers(list_id, reader)
        kept = None
        if path.is_file():
            kept = next(p for n in count(1) if not (p := path.with_suffix(f".{n}.old")).exists())
            # A copy, not a move: without a moment in which there are no answers at all.
            write_bytes(kept, path.read_bytes())
        write_text(path, text)
        return kept


def keys_in(rereads: Path) -> Mapping[str, RereadKeyResult]:
    """Read the key of every list that was handed out, by its id.

    Raises
    ------
    ArtefactError
        A key is damaged.
    """
    paths = sorted(rereads.glob("key.*.json"))
    found = (required(read_document(path, RereadKeyDoc).result, path) for path in paths)
    return {key.list_id: key for key in found}


def answers_in(rereads: Path) -> tuple[RereadResult, ...]:
    """Read all answers that were taken back, by list and reader.

    Raises
    ------
    ArtefactError
        A document is damaged.
    """
    paths = sorted(rereads.glob("read.*.json"))
    return tuple(required(read_document(path, RereadDoc).result, path) for path in paths)


def adjudications_in(path: Path) -> AdjudicationsResult:
    """Read all decisions; none where nothing was decided yet.

    Raises
    ------
    ArtefactError
        The document is damaged.
    """
    if not path.is_file():
        return AdjudicationsResult(entries=())
    return required(read_document(path, AdjudicationsDoc).result, path)
