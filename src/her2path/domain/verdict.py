"""Values that stand for "no final answer": they travel to the report, they are never exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class NotEvaluable:
    """Nothing could be measured, and why."""

    code: str
    """Machine-readable reason, for example ``no_tissue``."""
    reason: str
    """The reason in a sentence, with the remedy where there is one."""

    def __post_init__(self) -> None:
        if not self.code or not self.reason:
            raise ValueError("a NotEvaluable needs a code and a reason")


@dataclass(frozen=True, slots=True)
class Indeterminate:
    """A test was made, but technical reasons forbid to read a result from it."""

    codes: tuple[str, ...]
    """Ids of the rules that reject it."""
    reason: str

    def __post_init__(self) -> None:
        if not self.codes or not self.reason:
            raise ValueError("an Indeterminate needs a code and a reason")


class State(StrEnum):
    """What a guideline says of a case, final or pending."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    EQUIVOCAL = "equivocal"
    INDETERMINATE = "indeterminate"
    NEEDS_ISH = "needs_ish"
    NEEDS_IHC = "needs_ihc"
    NEEDS_RECOUNT = "needs_recount"
    NEEDS_ADJUDICATION = "needs_adjudication"

    @property
    def is_pending(self) -> bool:
        """Whether somebody must do something before a call can be made."""
        return self.value.startswith("needs_")
