"""A field of the synoptic summary, and how parts of it are made from a call and its images."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Why a field holds what it holds; a field without a value says which of these it is."""

    STATED = "stated"
    NOT_STATED = "not_stated"
    """Nobody told her2path; the laboratory fills it in."""
    NOT_GIVEN = "not_given"
    """The case sheet lists no such test; whether the laboratory made it, her2path does not know."""
    PENDING = "pending"
    """The guideline asks for it; it is still to come."""
    NOT_EVALUABLE = "not_evaluable"
    NOT_MEASURED = "not_measured"
    """The test was made, but its kind gives no such number."""


STANDING_WORDS = {
    Standing.NOT_STATED: "not stated",
    Standing.NOT_GIVEN: "not given to her2path",
    Standing.PENDING: "pending",
    Standing.NOT_EVALUABLE: "not evaluable",
    Standing.NOT_MEASURED: "not measured",
}


@dataclass(frozen=True, slots=True)
class SynopticField:
    """One field: its name for programs and for people, and its value or why it has none."""

    name: str
    """The same in every version of her2path."""
    label: str
    value: str | int | float | None = None
    """As the call holds it, for tables; None where `standing` says why."""
    unit: str = ""
    """UCUM; empty for words and pure numbers."""
    text: str = ""
    """As people read it."""
    standing: Standing = Standing.STATED

    def __post_init__(self) -> None:
        if (self.value is None) == (self.standing is Standing.STATED):
            raise ValueError(f"field {self.name}: a value is stated, or the standing says why there is none")


@dataclass(frozen=True, slots=True)
class SynopticPart:
    """Fields that belong together."""

    name: str
    title: str
    fields: tuple[SynopticField, ...]


@dataclass(frozen=True, slots=True)
class Synoptic:
    """The summary of one case."""

    case_id: str
    title: str
    parts: tuple[SynopticPart, ...]


def words(name: str, label: str, text: str | None) -> SynopticField:
    """Make a field of words; None = nobody stated it."""
    if text is None or not text.strip():
        return without(name, label, Standing.NOT_STATED)
    return SynopticField(name, label, value=text, text=text)


def without(name: str, label: str, standing: Standing, why: str = "") -> SynopticField:
    """Make a field without a value; `why` adds to the word that says so."""
    said = STANDING_WORDS[standing]
    return SynopticField(name, label, text=f"{said}: {why}" if why else said, standing=standing)


def number(
    name: str, label: str, value: float | None, text: str, unit: str, *, missing: Standing
) -> SynopticField:
    """Make a field of a number; None stands as `missing`, never as zero."""
    if value is None:
        return without(name, label, missing)
    return SynopticField(name, label, value=value, unit=unit, text=text)
