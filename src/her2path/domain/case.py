"""What the case sheet says of an image: the words, not the file."""

from __future__ import annotations

from enum import StrEnum


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
