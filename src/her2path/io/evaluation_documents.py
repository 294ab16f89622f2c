"""`evaluation.json`: how well a model does, picture by picture and in figures, beside the model in use.

The counts of every picture are kept, so that each figure and each verdict can be worked out anew.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict

from her2path.io.documents import Document
from her2path.io.model_card import DatasetEntry, Digest, GuardEntry, Id, WeightsEntry
from her2path.io.qa_documents import EstimateEntry

Count = Annotated[int, Ge(0)]
_Row = Annotated[tuple[Count, ...], Len(5, 5)]
_Table = Annotated[tuple[_Row, ...], Len(4, 4)]
_Bins = Annotated[tuple[Count, ...], Len(10, 10)]
_Sums = Annotated[tuple[Annotated[float, Ge(0)], ...], Len(10, 10)]
Output = Literal["tumour", "expressed"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class ChancesEntry(_Part):
    """Chances that a model stated, in ten bins of equal width."""

    n: _Bins
    chances: _Sums
    """Sum of the chances of each bin."""
    came_true: _Bins


class CountsEntry(_Part):
    """What one model makes of one picture."""

    nuclei: Annotated[tuple[Count, ...], Len(3, 3)]
    """True, found, matched."""
    tumour_nuclei: Annotated[tuple[Count, ...], Len(3, 3)]
    cells: _Table
    """Labelled class of the tumour cells (0 to 3+) by the called one; last column: not found as tumour."""
    stained: Annotated[tuple[Count, ...], Len(2, 2)]
    """Scored cells, and those called stained."""
    tiles: _Table
    """Stated score of the picture by the found one; last column: none."""
    areas: Annotated[tuple[Count, ...], Len(4, 4)]
    """Found nuclei in tumour areas, those called tumour; in other areas, those called tumour."""
    tumour_chances: ChancesEntry
    expressed_chances: ChancesEntry


class PairedEntry(_Part):
    """Tumour cells with a class, by which of two models called it right."""

    both: Count
    only_new: Count
    only_old: Count
    neither: Count


class EvaluatedItem(_Part):
    """One picture."""

    item_id: str
    unit: str
    """What the bootstrap draws: the picture itself, or its patient."""
    source: str
    style: str
    """Of the stain, as measured on the picture."""
    is_blank: bool
    """Whether nothing on it is known to stain."""
    new: CountsEntry
    old: tuple[CountsEntry, ...]
    """By the models compared with, in their order."""
    paired: tuple[PairedEntry, ...]

    @property
    def by_model(self) -> tuple[CountsEntry, ...]:
        """Counts by each model, the new one first."""
        return (self.new, *self.old)


class FigureEntry(_Part):
    """One row of a table."""

    name: str
    title: str
    more_is_better: bool
    new: EstimateEntry
    old: tuple[EstimateEntry, ...]
    difference: tuple[EstimateEntry, ...]
    """New minus old on the same pictures, 95 %."""


class Point(_Part):
    """One bin of a reliability diagram."""

    chance: Annotated[float, Ge(0), Le(1)]
    """Mean of what was stated."""
    share: Annotated[float, Ge(0), Le(1)]
    """Share that came true."""
    n: Annotated[int, Ge(1)]


class ReliabilityEntry(_Part):
    """The reliability diagram of one output of one model."""

    output: Output
    model: Id
    error: EstimateEntry
    """Expected calibration error."""
    points: tuple[Point, ...]


class SubgroupEntry(_Part):
    """Part of the pictures of a set."""

    axis: Literal["source", "style", "class"]
    group: str
    pictures: Count
    figures: tuple[FigureEntry, ...]


class McNemarEntry(PairedEntry):
    """McNemar's exact test on the class of each cell; takes cells for independent, which they are not."""

    compared_with: Id
    p_value: Annotated[float, Ge(0), Le(1)]


class BlankEntry(_Part):
    """Pictures of blank tissue."""

    model: Id
    pictures: Count
    """Those with enough tumour cells to tell a share."""
    limit_pct: EstimateEntry
    """Share of cells called stained that 95 % of the pictures do not exceed."""
    worst_pct: float | None


class MarginVerdict(_Part):
    """One figure of a guard set against the margin."""

    figure: str
    margin: float
    why: str
    difference: EstimateEntry
    """Signed so that more is better; `low` is the one-sided 95 % bound."""
    passed: bool


class Verdict(_Part):
    """A guard set against one model."""

    compared_with: WeightsEntry
    margins: tuple[MarginVerdict, ...]

    @property
    def passed(self) -> bool:
        """Whether no figure may be worse than its margin."""
        return all(margin.passed for margin in self.margins)


class EvaluatedSet(_Part):
    """Pictures that belong together, with the figures on them."""

    kind: Literal["guard", "dataset"]
    name: str
    """Id of the guard set, or name of the dataset."""
    sha256: Digest
    """Of the definition or manifest."""
    what: str
    units: Literal["pictures", "patients"]
    """What the bootstrap draws."""
    items: tuple[EvaluatedItem, ...]
    blanks: tuple[EvaluatedItem, ...] = ()
    """Pictures of blank tissue: unstained phantoms, which are in no other figure; of a dataset, those that a
    person scored 0."""
    figures: tuple[FigureEntry, ...]
    cells: tuple[_Table, ...]
    """Confusion of the classes by the new model and each old one, summed over the pictures."""
    reliability: tuple[ReliabilityEntry, ...]
    subgroups: tuple[SubgroupEntry, ...]
    mcnemar: tuple[McNemarEntry, ...]
    blank: tuple[BlankEntry, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """Of a guard set."""

    @property
    def passed(self) -> bool:
        """Whether a guard set was passed against every model."""
        return bool(self.verdicts) and all(verdict.passed for verdict in self.verdicts)


class EvaluationDoc(Document):
    """`evaluation.json` (train_evaluate)."""

    kind: ClassVar[str] = "evaluation"

    model: WeightsEntry
    parent: WeightsEntry | None
    dataset: DatasetEntry | None
    """What the model was retrained from; None = no labels."""
    compared_with: Annotated[tuple[WeightsEntry, ...], Len(1)]
    """First the model that was in use, then the reference of a guard set where it is another."""
    sets: Annotated[tuple[EvaluatedSet, ...], Len(1)]
    limit_of_blank_pct: Annotated[float, Ge(0), Le(100)]
    """As on the card."""
    card: dict[str, Digest]
    """Digest of each entry of the card that the evaluation wrote, but for the entry `evaluation`, which holds
    the digest of this file."""

    @property
    def guards(self) -> tuple[GuardEntry, ...]:
        """Each guard set against each model, in short."""
        return tuple(
            GuardEntry(
                id=evaluated.name,
                sha256=evaluated.sha256,
                compared_with=verdict.compared_with,
                passed=verdict.passed,
            )
            for evaluated in self.sets
            for verdict in evaluated.verdicts
        )
