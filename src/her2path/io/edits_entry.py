"""What documents say of a slide that a person edited: who, when, what changed, and the score before."""

from __future__ import annotations

from typing import Annotated, Self

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.domain.ihc import IhcScore
from her2path.io.call_entries import Reason, SharePct

Count = Annotated[int, Ge(0)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EarlierEdits(_Entry):
    """A file that a later one was added to."""

    by: str
    on: str
    tool: str
    sha256: str
    comment: str = ""


class EditsEntry(_Entry):
    """A person's edits of one slide as the score used them."""

    by: str
    """Pseudonym of the person."""
    on: str
    """Day, YYYY-MM-DD."""
    tool: str
    """Program in which the edits were made, as the person names it."""
    sha256: str
    """Of the file that came back."""
    comment: str = ""
    regions_changed: dict[str, Count] = {}
    """Regions that the person drew, by class (``Tumor``, ``Ignore*``, ``Control``)."""
    cells_changed: dict[str, dict[str, Count]] = {}
    """Cells to which the person gave another class: by the class as measured, by the class as given
    (QuPath's names)."""
    cells_let_in: Count = 0
    """Cells that are scored because of the regions and were not before."""
    cells_left_out: Count = 0
    """Cells that are not scored any more because of the regions."""
    cells_overruled: dict[str, Count] = {}
    """Cells to which an earlier person gave a class that a later one took back or changed, by the earlier
    person."""
    unmeasured_pct: SharePct = 0.0
    """Per cent of the tissue in the drawn tumour that was not measured: it has no share in the score."""
    score_before: IhcScore | None = None
    """Score of the same slide without the edits; None = it had none, see `no_score_before`."""
    no_score_before: Reason | None = None
    h_score_before: float | None = None
    scored_cells_before: Count | None = None
    earlier: tuple[EarlierEdits, ...] = ()
    """Files that this one was added to, the oldest first."""

    @property
    def persons(self) -> tuple[str, ...]:
        """All who edited the slide, each once, the first first."""
        return tuple(dict.fromkeys((*(one.by for one in self.earlier), self.by)))

    @property
    def signatures(self) -> tuple[tuple[str, str], ...]:
        """Who edited the slide on which day, each once, the first first."""
        return tuple(dict.fromkeys((*((one.by, one.on) for one in self.earlier), (self.by, self.on))))

    @model_validator(mode="after")
    def _score_or_reason(self) -> Self:
        if (self.score_before is None) != (self.no_score_before is not None):
            raise ValueError("a slide had a score before the edits or the reason why it had none")
        return self
