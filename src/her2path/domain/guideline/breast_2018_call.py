"""Breast, ASCO/CAP focused update 2018: how IHC, ISH and a recount combine into a call.

Each row states for which findings it holds; the rows of all tables together cover every
combination of findings once.
"""

from __future__ import annotations

from her2path.domain.flags import Flag
from her2path.domain.guideline.findings import (
    Findings,
    IhcFinding,
    IshFinding,
    Match,
    Outcome,
    RecountFinding,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.verdict import State

_IHC = "Wolff 2018, IHC algorithm"
_DUAL = "Wolff 2018, dual-probe ISH algorithm"
_SINGLE = "Wolff 2018, single-probe ISH algorithm"
_EITHER = "Wolff 2018 with Wolff 2013, either test positive makes the case positive"
_SILENT = (IhcFinding.NOT_DONE, IhcFinding.INDETERMINATE)
_LOW = (IhcFinding.ZERO, IhcFinding.ONE_PLUS)
_TWO = (IhcFinding.TWO_PLUS,)
_THREE = (IhcFinding.THREE_PLUS,)
_NO_ISH = (IshFinding.NOT_DONE,)
_ISH_FAILED = (IshFinding.INDETERMINATE,)
_G2_TO_4 = (IshFinding.GROUP_2, IshFinding.GROUP_3, IshFinding.GROUP_4)
_NEGATIVE_ISH = (IshFinding.GROUP_5, IshFinding.NOT_AMPLIFIED)
_READABLE = tuple(finding for finding in IshFinding if finding.is_result)
_ANY = tuple(RecountFinding)
_NO_RECOUNT = (RecountFinding.NONE,)  # none can be compared where the first count says nothing
_OPEN = (RecountFinding.NONE, RecountFinding.INVALID)
_SAME = (RecountFinding.SAME,)
_OTHER = (RecountFinding.OTHER,)


_match = Match.of


def _group_rules(
    group: IshFinding, *, confirmed: State, comments: tuple[str, ...]
) -> tuple[Rule[Findings, Outcome], ...]:
    """Rows of one of the groups 2 to 4; IHC 0 and 1+ are negative with the group's comment."""
    source, name = f"{_DUAL}, group {group}", f"CALL-G{group}"
    negative = Outcome(State.NEGATIVE, (f"G{group}",))
    recount = Outcome(State.NEEDS_RECOUNT, ("ACT-RECOUNT",))
    return (
        Rule(f"{name}-IHC-LOW", f"{source}: IHC 0 or 1+", _match(_LOW, (group,)), negative),
        Rule(f"{name}-IHC-2", f"{source}: IHC 2+, recount due", _match(_TWO, (group,), _OPEN), recount),
        Rule(
            f"{name}-CONFIRMED",
            f"{source}: IHC 2+, recount in the same group",
            _match(_TWO, (group,), _SAME),
            Outcome(confirmed, comments),
        ),
    )


_IHC_RULES: tuple[Rule[Findings, Outcome], ...] = (
    Rule(
        "CALL-IHC-3",
        f"{_IHC}: 3+; {_EITHER}",
        _match(_THREE, set(IshFinding) - set(_NEGATIVE_ISH), _ANY),
        Outcome(State.POSITIVE),
    ),
    Rule(
        "CALL-IHC-3-ISH-NEGATIVE",
        f"{_IHC}: 3+; {_EITHER}",
        _match(_THREE, _NEGATIVE_ISH, _ANY),
        Outcome(State.POSITIVE, ("NOTE-DISCORDANT",), (Flag.DISCORDANT,)),
    ),
    Rule("CALL-IHC-LOW", f"{_IHC}: 0 or 1+", _match(_LOW, _NO_ISH, _NO_RECOUNT), Outcome(State.NEGATIVE)),
    Rule(
        "CALL-IHC-LOW-ISH-FAILED",
        f"{POLICY} P8: IHC 0 or 1+ stands by itself when ISH cannot be read",
        _match(_LOW, _ISH_FAILED, _NO_RECOUNT),
        Outcome(State.NEGATIVE),
    ),
    Rule(
        "CALL-IHC-2",
        f"{_IHC}: 2+",
        _match(_TWO, _NO_ISH, _NO_RECOUNT),
        Outcome(State.NEEDS_ISH, ("ACT-ISH",)),
    ),
    Rule(
        "CALL-IHC-2-ISH-FAILED",
        f"{POLICY} P8: IHC 2+ with an ISH that cannot be read",
        _match(_TWO, _ISH_FAILED, _NO_RECOUNT),
        Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
    ),
    Rule(
        "CALL-ISH-FAILED",
        "Wolff 2018, indeterminate result: ISH cannot be read and there is no readable IHC",
        _match(_SILENT, _ISH_FAILED, _NO_RECOUNT),
        Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
    ),
    Rule(
        "CALL-IHC-FAILED",
        "Wolff 2018, indeterminate result: IHC cannot be read and there is no ISH",
        _match((IhcFinding.INDETERMINATE,), _NO_ISH, _NO_RECOUNT),
        Outcome(State.INDETERMINATE, ("ACT-REPEAT",)),
    ),
)

_DUAL_RULES: tuple[Rule[Findings, Outcome], ...] = (
    Rule(
        "CALL-G1",
        f"{_DUAL}, group 1",
        _match((*_SILENT, *_TWO), (IshFinding.GROUP_1,)),
        Outcome(State.POSITIVE),
    ),
    Rule(
        "CALL-G1-IHC-LOW",
        f"{_DUAL}, group 1; {_EITHER}",
        _match(_LOW, (IshFinding.GROUP_1,)),
        Outcome(State.POSITIVE, ("NOTE-DISCORDANT",), (Flag.DISCORDANT,)),
    ),
    Rule(
        "CALL-G5",
        f"{_DUAL}, group 5",
        _match((*_SILENT, *_LOW, *_TWO), (IshFinding.GROUP_5,)),
        Outcome(State.NEGATIVE),
    ),
    Rule(
        "CALL-G2-TO-4-NO-IHC",
        f"{_DUAL}, groups 2 to 4: IHC on the same tissue comes first",
        _match(_SILENT, _G2_TO_4, _ANY),
        Outcome(State.NEEDS_IHC, ("ACT-IHC",)),
    ),
    *_group_rules(IshFinding.GROUP_2, confirmed=State.NEGATIVE, comments=("G2",)),
    *_group_rules(IshFinding.GROUP_3, confirmed=State.POSITIVE, comments=()),
    *_group_rules(IshFinding.GROUP_4, confirmed=State.NEGATIVE, comments=("G4",)),
)

_SINGLE_RULES: tuple[Rule[Findings, Outcome], ...] = (
    Rule(
        "CALL-SP-HIGH",
        f"{_SINGLE}: HER2 >=6.0",
        _match((*_SILENT, *_TWO), (IshFinding.AMPLIFIED,)),
        Outcome(State.POSITIVE, ("NOTE-SP-REVIEW",)),
    ),
    Rule(
        "CALL-SP-HIGH-IHC-LOW",
        f"{POLICY} P6: single probe >=6.0 with IHC 0 or 1+ is positive with a comment",
        _match(_LOW, (IshFinding.AMPLIFIED,)),
        Outcome(State.POSITIVE, ("SP6",), (Flag.POLICY, Flag.DISCORDANT)),
    ),
    Rule(
        "CALL-SP-MID-NO-IHC",
        f"{_SINGLE}: HER2 >=4.0 and <6.0, IHC or dual probe comes first",
        _match(_SILENT, (IshFinding.EQUIVOCAL,), _ANY),
        Outcome(State.NEEDS_IHC, ("ACT-IHC-OR-DUAL",)),
    ),
    Rule(
        "CALL-SP-MID-IHC-LOW",
        f"{_SINGLE}: HER2 >=4.0 and <6.0, IHC 0 or 1+",
        _match(_LOW, (IshFinding.EQUIVOCAL,)),
        Outcome(State.NEGATIVE),
    ),
    Rule(
        "CALL-SP-MID-IHC-2",
        f"{_SINGLE}: HER2 >=4.0 and <6.0, IHC 2+, the dual probe decides",
        _match(_TWO, (IshFinding.EQUIVOCAL,)),
        Outcome(State.NEEDS_ISH, ("ACT-DUAL",)),
    ),
    Rule(
        "CALL-SP-LOW",
        f"{_SINGLE}: HER2 <4.0",
        _match((*_SILENT, *_LOW, *_TWO), (IshFinding.NOT_AMPLIFIED,)),
        Outcome(State.NEGATIVE),
    ),
)

_ADJUDICATE = Outcome(State.NEEDS_ADJUDICATION, ("ACT-ADJUDICATE",), (Flag.POLICY,))
_RECOUNT_RULES: tuple[Rule[Findings, Outcome], ...] = (
    Rule(
        "CALL-RECOUNT-DIFFERS",
        f"{POLICY} P5: the recount falls into another ISH group",
        _match((*_LOW, *_TWO), _READABLE, _OTHER),
        _ADJUDICATE,
    ),
    Rule(
        "CALL-RECOUNT-DIFFERS-NO-IHC",
        f"{POLICY} P5: the recount contradicts a first count that would decide without IHC",
        _match(_SILENT, set(_READABLE) - {*_G2_TO_4, IshFinding.EQUIVOCAL}, _OTHER),
        _ADJUDICATE,
    ),
)

COMBINED = (*_IHC_RULES, *_DUAL_RULES, *_SINGLE_RULES, *_RECOUNT_RULES)
