"""What the handling of a specimen makes a person look at: flags, never a change of the call."""

from __future__ import annotations

from her2path.domain.case import SpecimenFacts
from her2path.domain.flags import Flag
from her2path.domain.guideline.conditions import Fact
from her2path.domain.guideline.rules import POLICY, Rule


def fixation(shortest: int, longest: int, source: str) -> Rule[SpecimenFacts, Flag]:
    """Build the rule for the hours in formalin; both ends are allowed."""
    return Rule(
        "SPECIMEN-FIXATION",
        source,
        Fact(
            f"fixed for less than {shortest} or more than {longest} hours",
            lambda s: s.fixation_hours is not None and not shortest <= s.fixation_hours <= longest,
        ),
        Flag.FIXATION_OUT_OF_RANGE,
    )


def cold_ischaemia(source: str) -> Rule[SpecimenFacts, Flag]:
    """Build the rule for the time to fixation: at most one hour."""
    return Rule(
        "SPECIMEN-COLD-ISCHAEMIA",
        source,
        Fact(
            "more than 60 minutes to fixation",
            lambda s: s.cold_ischaemia_minutes is not None and s.cold_ischaemia_minutes > 60,
        ),
        Flag.COLD_ISCHAEMIA_LONG,
    )


_ADOPTED = f"{POLICY} P15: taken over from Wolff 2018, tissue handling"
ADOPTED = (fixation(6, 72, f"{_ADOPTED}: 6 to 72 hours"), cold_ischaemia(f"{_ADOPTED}: at most 1 hour"))
"""For guidelines whose own text on handling was not at hand."""
