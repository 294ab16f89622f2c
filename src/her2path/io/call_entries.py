"""What a call document is made of: rules, distances, comments, and how safe the call is."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, model_validator

from her2path.domain.case import Specimen, TumourSite
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import NotEvaluable, State

Share = Annotated[float, Ge(0), Le(1)]
SharePct = Annotated[float, Ge(0), Le(100)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Reason(_Entry):
    """Why there is no result; the written form of `NotEvaluable`."""

    code: str
    reason: str

    def value(self) -> NotEvaluable:
        """Turn the written form into the value of the domain."""
        return NotEvaluable(self.code, self.reason)


class TrailEntry(_Entry):
    """One rule that led to the call."""

    rule_id: str
    source: str
    conclusion: str
    condition: str = ""
    """What had to hold, in words; empty where a person stated the result."""
    numbers: dict[str, int | float | str] = {}


class Distance(_Entry):
    """How far a number lies from a cut-point of the guideline."""

    quantity: str
    value: float
    cut: float
    distance: float
    """`value - cut`."""
    unit: str


class Comment(_Entry):
    """A comment that belongs to the call."""

    code: str
    text: str


class VersionEntry(_Entry):
    """What another guideline of the same family says of the same evidence."""

    guideline: str
    title: str
    state: State | Literal["not_evaluable"]
    ihc_score: IhcScore | None = None
    ish_group: str | None = None
    comments: tuple[str, ...] = ()
    """Codes."""
    differs: bool
    """Whether its state is another one than that of the call."""
    reason_code: str | None = None
    """Why it says nothing; only where the state is `not_evaluable`."""
    reason: str | None = None
    """The same in a sentence."""


class MarginEntry(_Entry):
    """The smallest change of one number that moves the count into another ISH group."""

    counted: Literal["her2_signals", "cep17_signals", "nuclei_ratio_at_least_2"]
    """What would have to be counted otherwise; everything else stays."""
    change: int
    """Signals (or nuclei) more (> 0) or fewer (< 0)."""
    finding: str
    """The ISH group that it leads to."""


class StabilityEntry(_Entry):
    """How likely another count of the same kind would land in another ISH group."""

    basis: Literal["nuclei", "poisson"]
    """`nuclei`: the exact bootstrap over the counted nuclei; `poisson`: a model of the totals alone."""
    finding: str
    """The ISH group of the count itself."""
    nuclei: Annotated[int, Ge(1)]
    """Nuclei of the count, and of the imagined other one."""
    probabilities: dict[str, Share]
    """By ISH group, `indeterminate` for a count that could not be read; they sum to 1."""
    another_finding: Share
    """Probability of any other group."""
    another_result: Share
    """The same where groups that are one result by the guideline count as one."""
    margin: tuple[MarginEntry, ...] = ()
    nuclei_alike: bool = False
    """Whether the nuclei do not differ in what was drawn again: then the probabilities tell nothing."""


class PopulationEntry(_Entry):
    """The result of one of two tumour cell populations."""

    population: Literal["main", "second"]
    share_pct: SharePct
    """Per cent of the tumour cells."""
    state: State
    ish_group: str | None = None
    """None: not counted, or not readable."""
    rule_trail: tuple[TrailEntry, ...] = ()
    comments: tuple[Comment, ...] = ()
    ish: dict[str, int | float | str | None] = {}
    """The numbers of its count; empty without one."""
    distance_to_cut: tuple[Distance, ...] = ()
    """Of its count; those of IHC, which was read once for both, stand in the call."""
    stability: StabilityEntry | None = None
    """How likely another count of it would land elsewhere; None = no count, or `no_stability` says why."""
    no_stability: Reason | None = None
    """Why a count that was made has no stability."""

    @model_validator(mode="after")
    def _stability_or_reason(self) -> Self:
        if self.stability is not None and self.no_stability is not None:
            raise ValueError("a count has a stability or the reason why there is none, never both")
        return self


class CheckEntry(_Entry):
    """A count by the program beside the first count; it is no recount and decides nothing."""

    counted: Literal["images_of_observer_2", "part_of_first_count"]
    name: str
    """Of the part; empty for all images of observer 2 together."""
    nuclei: Annotated[int, Ge(0)]
    her2_signals: Annotated[int, Ge(0)]
    cep17_signals: Annotated[int, Ge(0)] | None = None
    """None with a single probe."""
    ish_group: str | None = None
    """None: the guideline reads no such count, see `why`."""
    why: str = ""
    agrees: bool | None = None
    """Whether it is one result with the first count; None where either has no group."""


class HeterogeneityEntry(_Entry):
    """The cell-level definition of 2009: an extra that changes no call."""

    share_pct: SharePct
    """Per cent of the nuclei with a ratio above 2.2, of those that have a ratio."""
    heterogeneous: bool
    """More than 5 % and less than 50 %."""


class SpecimenEntry(_Entry):
    """What was stated of the specimen; None = not stated."""

    site: TumourSite | None = None
    kind: Specimen | None = None
    fixation_hours: Annotated[float, Ge(0)] | None = None
    cold_ischaemia_minutes: Annotated[float, Ge(0)] | None = None
