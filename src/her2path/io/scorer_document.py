"""`fit.json` of a scorer: cuts of a calibration that were fitted to scored cells, tiles and slides."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.io.documents import Document
from her2path.io.model_card import DatasetEntry, WeightsEntry

Share = Annotated[float, Ge(0), Le(1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FittedCut(_Part):
    """One cut before and after."""

    name: str
    """As in a model's card."""
    before: float
    after: float
    low: float | None = None
    """95 % interval, bootstrap over patients; None with fewer than three of them."""
    high: float | None = None


class LabelCount(_Part):
    """What a split held."""

    patients: Annotated[int, Ge(0)]
    cells: Annotated[int, Ge(0)]
    """Scored cells that the model found."""
    missed: Annotated[int, Ge(0)]
    """Scored cells that it did not find; they teach no cut."""
    areas: Annotated[int, Ge(0)]
    """Scored tiles and slides."""
    bare: Annotated[int, Ge(0)]
    """Those without a tumour cell; they are left out."""


class ScorerMeasure(_Part):
    """How the cuts agree with what people said, before and after."""

    of: Literal["cells", "areas"]
    on: Literal["train", "val"]
    """Agreement on the labels that the cuts were fitted to flatters them."""
    n: Annotated[int, Gt(0)]
    exact_before: Share
    exact_after: Share
    kappa_before: float | None
    """Cohen's kappa with quadratic weights; None where all are of one score."""
    kappa_after: float | None


class ScorerDoc(Document):
    """Cuts fitted to labels (train_scorer)."""

    kind: ClassVar[str] = "scorer"

    model: WeightsEntry
    """The model whose cells were measured, and whose other cuts stay."""
    dataset: DatasetEntry
    calibration: str
    """Id of the calibration that this makes."""
    cuts: tuple[FittedCut, ...]
    softness: dict[str, float]
    """Widths of the soft cuts: of the logarithm of OD x µm, of completeness, of the 10 % rule."""
    labels: dict[Literal["train", "val"], LabelCount]
    measures: tuple[ScorerMeasure, ...]
    why_no_validation: str = ""
    seed: Annotated[int, Ge(0)]
    draws: Annotated[int, Ge(0)]
    """Of the bootstrap."""

    @model_validator(mode="after")
    def _measured_or_why(self) -> Self:
        if any(measure.on == "val" for measure in self.measures) == bool(self.why_no_validation):
            raise ValueError("a scorer is measured on its validation split, or says why not")
        return self
