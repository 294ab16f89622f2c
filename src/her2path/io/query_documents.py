"""`queries.json`: cells and tiles that a person should label next, the most useful first."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field

from her2path.domain.ihc import IhcScore
from her2path.io.documents import Document

Share = Annotated[float, Ge(0), Le(1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CellQuery(_Part):
    """One cell."""

    rank: Annotated[int, Ge(1)]
    image_id: str
    cell_id: int
    x_px0: float
    y_px0: float
    likely: tuple[IhcScore, IhcScore]
    """The likeliest class by the model and its cuts, and the next."""
    uncertainty: Share
    """1 less how much likelier the first is than the second."""


class TileQuery(_Part):
    """One tile, all cells of which are to be labelled."""

    rank: Annotated[int, Ge(1)]
    image_id: str
    x_px0: float
    y_px0: float
    size_px0: Annotated[float, Gt(0)]
    cells: Annotated[int, Ge(1)]
    """Scored tumour cells in it."""
    uncertainty: Share
    """Mean over them."""


class QueriesDoc(Document):
    """What to label next (train_next)."""

    kind: ClassVar[str] = "queries"

    images: tuple[str, ...]
    """Ids of the images that were looked at."""
    candidates: Annotated[int, Ge(0)]
    """Scored tumour cells that have no label yet."""
    labelled: Annotated[int, Ge(0)]
    """Those that a dataset has labels of already."""
    left_out: dict[str, str]
    """Images that hold no cells to ask about, with the reason."""
    cells: tuple[CellQuery, ...]
    tiles: tuple[TileQuery, ...]
    files: dict[str, str] = Field(default={})
    """SHA-256 of each written file by its name, which tells later what a person has added."""
