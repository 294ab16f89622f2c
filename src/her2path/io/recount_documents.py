"""Documents of a recount: which nuclei were shown to a second person, and what that person counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self, get_args

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.ish import (
    IshReading,
    NucleusSignals,
    Probe,
    SignalSummary,
    ratio_is_at_least_2,
    share_with_ratio,
)
from her2path.io.documents import Count, Document

MOST_SIGNALS = 100
"""Most signals of one colour in one nucleus that a read may state; clusters of more are no whole number."""
Signals = Annotated[int, Ge(1), Le(MOST_SIGNALS)]
Number = Annotated[int, Ge(1)]
NotCountable = Literal["overlapping", "cut_off", "out_of_focus", "no_signal", "not_tumour", "other"]
NOT_COUNTABLE: tuple[str, ...] = get_args(NotCountable)
"""Reasons for which a reader leaves a nucleus out."""
_PSEUDONYM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
PSEUDONYM_HELP = "use initials or a pseudonym: letters, digits, `.`, `_` and `-`, 32 at most, no blanks"


def pseudonym_fault(text: str) -> str | None:
    """Say why a text cannot stand for a person; None if it can.

    Examples
    --------
    >>> pseudonym_fault("A.B.") is None
    True
    >>> pseudonym_fault("Ada Byron")
    "'Ada Byron' is no pseudonym; use initials or a pseudonym: letters, digits, `.`, `_` and `-`, \
32 at most, no blanks"
    """
    return None if _PSEUDONYM.fullmatch(text) else f"{text!r} is no pseudonym; {PSEUDONYM_HELP}"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ShownNucleus(_Part):
    """A nucleus as it was shown, and what the program had counted in it."""

    number: Number
    """Number on the reader's page."""
    image_id: str
    nucleus_id: Number
    x_px0: float
    y_px0: float
    in_first_count: bool
    """Whether the first count holds it as well."""
    program_her2: Count
    program_cep17: Count | None = None
    """None with a single-probe assay."""


class Shown(_Part):
    """What a page shows, of which case."""

    sheet_id: str
    case_id: str
    probe: Probe
    image_files: dict[str, tuple[str, ...]]
    """SHA-256 of the files of every image that is shown, by image id."""
    two_plus_images: tuple[str, ...] = ()
    """Images whose `area` the case sheet names as the one with IHC 2+."""
    first_observer: str | None = None
    """Pseudonym of the person who signed the first count; None = not stated."""

    @field_validator("first_observer")
    @classmethod
    def _pseudonym(cls, value: str | None) -> str | None:
        if value is not None and (fault := pseudonym_fault(value)):
            raise ValueError(fault)
        return value

    def is_of(self, files: Mapping[str, frozenset[str]]) -> bool:
        """Whether its images are still those of the case, by the SHA-256 of their files."""
        return all(files.get(name) == frozenset(shown) for name, shown in self.image_files.items())


class RecountKeyResult(Shown):
    """Which nucleus each number of a page is."""

    seed: Count
    nuclei: tuple[ShownNucleus, ...]

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if [nucleus.number for nucleus in self.nuclei] != list(range(1, len(self.nuclei) + 1)):
            raise ValueError("nuclei are numbered from 1 without a gap")
        return self


class RecountKeyDoc(Document):
    """`recount/key.json`: not for the reader."""

    kind: ClassVar[str] = "recount_key"
    result: RecountKeyResult | None = None


class ReadNucleus(ShownNucleus):
    """What a reader says of one nucleus."""

    her2_signals: Signals | None = None
    cep17_signals: Signals | None = None
    not_countable: NotCountable | None = None
    """Why it was not counted; None = counted."""
    comment: str = ""

    @model_validator(mode="after")
    def _counted_or_reason(self) -> Self:
        if (self.her2_signals is None) != (self.not_countable is not None):
            raise ValueError("a nucleus has its counts or the reason why it has none")
        return self


class RecountResult(Shown):
    """The read of a second person."""

    reader: str
    read_on: str
    """Day of the read, YYYY-MM-DD."""
    did_not_know_first_result: bool
    nuclei: tuple[ReadNucleus, ...]

    @field_validator("reader")
    @classmethod
    def _reader(cls, value: str) -> str:
        if fault := pseudonym_fault(value):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _one_probe(self) -> Self:
        dual = self.probe is Probe.DUAL
        if any((nucleus.cep17_signals is not None) != dual for nucleus in self.counted):
            raise ValueError("CEP17 is counted in every nucleus with a dual probe, and in none otherwise")
        return self

    @property
    def counted(self) -> tuple[ReadNucleus, ...]:
        """The nuclei that were counted, by number."""
        return tuple(nucleus for nucleus in self.nuclei if nucleus.her2_signals is not None)

    @property
    def signals(self) -> tuple[NucleusSignals, ...]:
        """Signals of the counted nuclei, by number."""
        return tuple(NucleusSignals(n.her2_signals or 0, n.cep17_signals) for n in self.counted)

    @property
    def summary(self) -> SignalSummary:
        """Totals over the counted nuclei."""
        return SignalSummary.of(self.signals, probe=self.probe)

    @property
    def reused(self) -> int:
        """Counted nuclei that the first count holds as well."""
        return sum(nucleus.in_first_count for nucleus in self.counted)

    @property
    def equals_program(self) -> bool:
        """Whether every counted nucleus has exactly the counts of the program."""
        return all(
            (n.her2_signals, n.cep17_signals) == (n.program_her2, n.program_cep17) for n in self.counted
        )

    def flags(self) -> tuple[Flag, ...]:
        """Tell what a person should know of this read."""
        found = {
            Flag.RECOUNT_NUCLEI_REUSED: self.reused > 0,
            Flag.RECOUNT_EQUALS_PROGRAM: self.equals_program,
        }
        return tuple(flag for flag, holds in found.items() if holds)

    def as_reading(self, controls: Controls) -> IshReading:
        """Build the count that the guideline reads."""
        share = None if self.probe is Probe.SINGLE else share_with_ratio(self.signals, ratio_is_at_least_2)
        return IshReading(
            self.summary,
            controls=controls,
            share_ratio_at_least_2=share,
            other_observer=True,
            blinded=self.did_not_know_first_result,
        )


class RecountDoc(Document):
    """`recount/recount.json`: the read sheet of a second person as it was taken back."""

    kind: ClassVar[str] = "recount"
    result: RecountResult | None = None
