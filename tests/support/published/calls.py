"""Combined results as the guidelines print them, written from the literature and not from the code.

A cell reads "state CODES +flags".  Columns: no IHC, IHC that cannot be read, low score, equivocal
score, high score.  A dash is a case without any test, which does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from her2path.domain.guideline.findings import Findings, IhcFinding, IshFinding, RecountFinding

Row = tuple[str, str, str, str, str]

_COLUMN = {
    IhcFinding.NOT_DONE: 0,
    IhcFinding.INDETERMINATE: 1,
    IhcFinding.ZERO: 2,
    IhcFinding.ONE_PLUS: 2,
    IhcFinding.NEGATIVE: 2,
    IhcFinding.TWO_PLUS: 3,
    IhcFinding.EQUIVOCAL: 3,
    IhcFinding.THREE_PLUS: 4,
    IhcFinding.POSITIVE: 4,
}


@dataclass(frozen=True)
class CallTable:
    """The printed table of one guideline, with what a recount changes."""

    rows: Mapping[str, Row]
    """By ISH finding, without a recount or with one that cannot be read."""
    same: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Cells (ISH, column) that read otherwise once a recount gave the same result."""
    other: str = "needs_adjudication ACT-ADJUDICATE +policy"
    """What a recount with another result leads to, where it says anything."""
    settled: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By column: the ISH findings whose cell stands although a recount gave another result."""

    def read(self, found: Findings) -> str:
        """Look a combination up."""
        column = _COLUMN[found.ihc]
        if found.recount is RecountFinding.OTHER and found.ish not in self.settled.get(column, ()):
            return self.other
        cell = self.rows[found.ish][column]
        return self.same.get((str(found.ish), column), cell) if found.recount is RecountFinding.SAME else cell


EVERY_ISH = tuple(str(finding) for finding in IshFinding)
_REPEAT = "indeterminate ACT-REPEAT"
_BOTH = "positive NOTE-DISCORDANT +discordant"

_BREAST_2018 = CallTable(
    {
        "not_done": ("-", _REPEAT, "negative", "needs_ish ACT-ISH", "positive"),
        "indeterminate": (_REPEAT, _REPEAT, "negative", _REPEAT, "positive"),
        "1": ("positive", "positive", _BOTH, "positive", "positive"),
        "2": (
            "needs_ihc ACT-IHC",
            "needs_ihc ACT-IHC",
            "negative G2",
            "needs_recount ACT-RECOUNT",
            "positive",
        ),
        "3": (
            "needs_ihc ACT-IHC",
            "needs_ihc ACT-IHC",
            "negative G3",
            "needs_recount ACT-RECOUNT",
            "positive",
        ),
        "4": (
            "needs_ihc ACT-IHC",
            "needs_ihc ACT-IHC",
            "negative G4",
            "needs_recount ACT-RECOUNT",
            "positive",
        ),
        "5": ("negative", "negative", "negative", "negative", _BOTH),
        "amplified": (
            "positive NOTE-SP-REVIEW",
            "positive NOTE-SP-REVIEW",
            "positive SP6 +policy +discordant",
            "positive NOTE-SP-REVIEW",
            "positive",
        ),
        "equivocal": (
            "needs_ihc ACT-IHC-OR-DUAL",
            "needs_ihc ACT-IHC-OR-DUAL",
            "negative",
            "needs_ish ACT-DUAL",
            "positive",
        ),
        "not_amplified": ("negative", "negative", "negative", "negative", _BOTH),
    },
    same={("2", 3): "negative G2", ("3", 3): "positive", ("4", 3): "negative G4"},
    # Without a score these need IHC first, whatever was counted; 3+ needs no ISH.
    settled={0: ("2", "3", "4", "equivocal"), 1: ("2", "3", "4", "equivocal"), 4: EVERY_ISH},
)

_POSITIVE: Row = ("positive", "positive", _BOTH, "positive", "positive")
_OPEN = "equivocal ACT-ISH-EQUIVOCAL"
_EQUIVOCAL: Row = (_OPEN, _OPEN, f"{_OPEN} +policy", _OPEN, "positive")
_NEGATIVE: Row = ("negative", "negative", "negative", "negative", _BOTH)
_BREAST_UNTIL_2015 = CallTable(
    {
        "not_done": ("-", _REPEAT, "negative", "needs_ish ACT-ISH", "positive"),
        "indeterminate": (_REPEAT, _REPEAT, "negative", _REPEAT, "positive"),
        **dict.fromkeys(("amplified", "1", "2", "3"), _POSITIVE),
        **dict.fromkeys(("equivocal", "4"), _EQUIVOCAL),
        **dict.fromkeys(("not_amplified", "5"), _NEGATIVE),
    },
    settled={4: EVERY_ISH},
)

_STAIN = "needs_ihc ACT-IHC-FIRST"
_LOW_AMPLIFIED = "negative NOTE-DISCORDANT +policy +discordant"


def _ihc_first(ask: str) -> CallTable:
    return CallTable(
        {
            "not_done": ("-", _REPEAT, "negative", f"needs_ish {ask}", "positive"),
            "indeterminate": (_STAIN, _REPEAT, "negative", _REPEAT, "positive"),
            "amplified": (_STAIN, _REPEAT, _LOW_AMPLIFIED, "positive", "positive"),
            "equivocal": (_STAIN, _REPEAT, "negative", "needs_recount ACT-COUNT-MORE", "positive"),
            "not_amplified": (_STAIN, _REPEAT, "negative", "negative", _BOTH),
        },
        same={("equivocal", 3): "equivocal ACT-OTHER-PROBE +policy"},
        # ISH counts beside an equivocal score alone.
        settled={0: EVERY_ISH, 1: EVERY_ISH, 2: EVERY_ISH, 4: EVERY_ISH},
    )


_NO, _YES = "negative NOTE-LABEL", "positive NOTE-LABEL"
_LABEL = CallTable(
    {
        "not_done": ("-", _REPEAT, _NO, _NO, _YES),
        **dict.fromkeys(
            ("indeterminate", "amplified", "equivocal", "not_amplified"),
            ("needs_ihc ACT-IHC-LABEL", _REPEAT, _NO, _NO, _YES),
        ),
    },
    settled=dict.fromkeys(range(5), EVERY_ISH),
)

TABLES: Mapping[str, CallTable] = {
    "breast_2007": _BREAST_UNTIL_2015,
    "breast_2013": _BREAST_UNTIL_2015,
    "breast_2015": _BREAST_UNTIL_2015,
    "breast_2018": _BREAST_2018,
    "breast_2023": _BREAST_2018,
    "gastroesophageal_2016": _ihc_first("ACT-ISH"),
    "colorectal_heracles_2015": _ihc_first("ACT-RETEST"),
    "colorectal_harmonised_2019": _ihc_first("ACT-ISH"),
    "endometrial_serous_2022": _ihc_first("ACT-ISH"),
    "pantumour_tdxd_2024": _LABEL,
    "biliary_zanidatamab_2024": _LABEL,
}
"""The table of each guideline."""
