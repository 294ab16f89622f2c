"""What the case sheet says of an image: the words, not the file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Assay(StrEnum):
    """Which test an image shows."""

    IHC = "ihc"
    FISH = "fish"


class Specimen(StrEnum):
    """Kind of specimen; some guidelines read a biopsy otherwise than a resection."""

    RESECTION = "resection"
    BIOPSY = "biopsy"
    CYTOLOGY = "cytology"


class Controls(StrEnum):
    """Whether the run's controls were accepted by the laboratory."""

    PASS = "pass"  # noqa: S105  (the word of the sheet, not a secret)
    FAIL = "fail"
    UNKNOWN = "unknown"


class TumourSite(StrEnum):
    """Where the tumour grew; it never chooses the guideline, it only warns beside a strange one."""

    BREAST = "breast"
    GASTROESOPHAGEAL = "gastroesophageal"
    COLORECTAL = "colorectal"
    ENDOMETRIAL = "endometrial"
    BILIARY = "biliary"
    SOLID_OTHER = "solid_other"


@dataclass(frozen=True, slots=True)
class SpecimenFacts:
    """What happened to a specimen before it was stained; None = not stated."""

    site: TumourSite | None = None
    fixation_hours: Fraction | None = None
    """Time in formalin."""
    cold_ischaemia_minutes: Fraction | None = None
    """Time from the cut-off of blood to the fixative."""

    def __post_init__(self) -> None:
        for name in ("fixation_hours", "cold_ischaemia_minutes"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise ValueError(f"{name} must be >= 0, got {value}")


NOTHING_KNOWN = SpecimenFacts()
"""Nothing was stated."""
