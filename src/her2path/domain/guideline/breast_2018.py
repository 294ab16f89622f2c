"""Breast, ASCO/CAP focused update 2018: IHC score, ISH groups and the combined call.

The comments are her2path's own words; the guideline's sentences are copyrighted.  Where the
guideline is silent a rule names the policy of her2path that decides (docs/decisions).
"""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.breast_2018_call import COMBINED
from her2path.domain.guideline.breast_2018_comments import COMMENTS
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.handling import cold_ischaemia, fixation
from her2path.domain.guideline.policies import UNREADABLE
from her2path.domain.guideline.quantities import (
    COPIES,
    INTENSE_OVER_BLANK,
    IS_STAINED,
    PCT_COMPLETE,
    PCT_COMPLETE_INTENSE,
    PCT_FAINT,
    PCT_LATERAL_OR_INTENSE,
    PCT_STAINED,
    PCT_UNUSUAL,
    RATIO,
    STAINED_OVER_BLANK,
    UNUSUAL_OVER_BLANK,
)
from her2path.domain.guideline.rejections import (
    IHC_REJECTIONS,
    ISH_REJECTIONS,
    NEAR_RATIO_CUT,
    RECOUNT_FLAGS,
    RECOUNT_REJECTIONS,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading, IhcScore
from her2path.domain.ish import IshReading

SOURCE = "Wolff et al., ASCO/CAP HER2 testing in breast cancer, focused update 2018"
_IHC = "Wolff 2018, IHC algorithm"
_DUAL = "Wolff 2018, dual-probe ISH algorithm"
_SINGLE = "Wolff 2018, single-probe ISH algorithm"
_HANDLING = "Wolff 2018, tissue handling"
_UNDEFINED = (Flag.UNDEFINED_PATTERN, Flag.POLICY)

_IS_3 = PCT_COMPLETE_INTENSE > 10
_IS_2_COMPLETE = ~_IS_3 & (PCT_COMPLETE > 10)
_IS_2_FOCAL = (PCT_COMPLETE <= 10) & INTENSE_OVER_BLANK
_IS_2_LATERAL = (PCT_COMPLETE <= 10) & ~INTENSE_OVER_BLANK & (PCT_LATERAL_OR_INTENSE > 10)
_BELOW_2 = (PCT_COMPLETE <= 10) & ~INTENSE_OVER_BLANK & (PCT_LATERAL_OR_INTENSE <= 10)

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule("IHC-3", f"{_IHC}: complete, intense, >10 %", _IS_3, Scoring(IhcScore.THREE_PLUS)),
    Rule(
        "IHC-2-COMPLETE",
        f"{_IHC}: complete, weak to moderate, >10 %",
        _IS_2_COMPLETE,
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-FOCAL",
        f"{_IHC}, footnote: complete, intense, <=10 % (more than the limit of blank, her2path policy P3)",
        _IS_2_FOCAL,
        Scoring(IhcScore.TWO_PLUS, (Flag.FOCAL_INTENSE,)),
    ),
    Rule(
        "IHC-2-LATERAL",
        f"{_IHC}, footnote: incomplete (basolateral or lateral), moderate to intense (in >10 %: her2path "
        "policy P1)",
        _IS_2_LATERAL,
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-1",
        f"{_IHC}: incomplete, faint, >10 %",
        _BELOW_2 & (PCT_FAINT > 10) & (PCT_UNUSUAL <= 10),
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-1-UNUSUAL",
        f"{POLICY} P1, P2: faint in >10 %, and stronger classes that are each <=10 % but together >10 %",
        _BELOW_2 & (PCT_FAINT > 10) & (PCT_UNUSUAL > 10),
        Scoring(IhcScore.ONE_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-1-CUMULATED",
        f"{POLICY} P1, P2: classes that are each <=10 % cumulate downwards, together >10 %",
        _BELOW_2 & (PCT_FAINT <= 10) & (PCT_STAINED > 10),
        Scoring(IhcScore.ONE_PLUS, _UNDEFINED),
    ),
    Rule("IHC-0-ABSENT", f"{_IHC}: no staining", ~IS_STAINED, Scoring(IhcScore.ZERO)),
    Rule(
        "IHC-0-BLANK",
        f"{POLICY} P4: not more stained cells than the limit of blank explains",
        IS_STAINED & (PCT_STAINED <= 10) & ~STAINED_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-FAINT",
        f"{_IHC}: incomplete, faint, <=10 %",
        _BELOW_2 & (PCT_STAINED <= 10) & STAINED_OVER_BLANK & ~UNUSUAL_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-CUMULATED",
        f"{POLICY} P1: complete weak to moderate, or incomplete moderate to intense, all staining <=10 %",
        _BELOW_2 & (PCT_STAINED <= 10) & UNUSUAL_OVER_BLANK,
        Scoring(IhcScore.ZERO, _UNDEFINED),
    ),
)

ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule(
        "ISH-G1",
        f"{_DUAL}, group 1: ratio >=2.0, HER2 >=4.0",
        (RATIO >= 2) & (COPIES >= 4),
        IshFinding.GROUP_1,
    ),
    Rule(
        "ISH-G2",
        f"{_DUAL}, group 2: ratio >=2.0, HER2 <4.0",
        (RATIO >= 2) & (COPIES < 4),
        IshFinding.GROUP_2,
    ),
    Rule(
        "ISH-G3",
        f"{_DUAL}, group 3: ratio <2.0, HER2 >=6.0",
        (RATIO < 2) & (COPIES >= 6),
        IshFinding.GROUP_3,
    ),
    Rule(
        "ISH-G4",
        f"{_DUAL}, group 4: ratio <2.0, HER2 >=4.0 and <6.0",
        (RATIO < 2) & (COPIES >= 4) & (COPIES < 6),
        IshFinding.GROUP_4,
    ),
    Rule(
        "ISH-G5",
        f"{_DUAL}, group 5: ratio <2.0, HER2 <4.0",
        (RATIO < 2) & (COPIES < 4),
        IshFinding.GROUP_5,
    ),
)

ISH_SINGLE: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-SP-HIGH", f"{_SINGLE}: HER2 >=6.0", COPIES >= 6, IshFinding.AMPLIFIED),
    Rule(
        "ISH-SP-MID",
        f"{_SINGLE}: HER2 >=4.0 and <6.0",
        (COPIES >= 4) & (COPIES < 6),
        IshFinding.EQUIVOCAL,
    ),
    Rule("ISH-SP-LOW", f"{_SINGLE}: HER2 <4.0", COPIES < 4, IshFinding.NOT_AMPLIFIED),
)

BREAST_2018 = Guideline(
    id="breast_2018",
    title="Breast cancer, ASCO/CAP 2018",
    source=SOURCE,
    family="breast",
    sites=frozenset({TumourSite.BREAST}),
    unreadable=UNREADABLE,
    ihc_rejections=IHC_REJECTIONS,
    ihc=IHC,
    ish_rejections=ISH_REJECTIONS,
    recount_rejections=RECOUNT_REJECTIONS,
    ish_dual=ISH_DUAL,
    ish_single=ISH_SINGLE,
    ish_flags=(NEAR_RATIO_CUT,),
    recount_flags=RECOUNT_FLAGS,
    combined=COMBINED,
    comments=COMMENTS,
    specimen=(
        fixation(6, 72, f"{_HANDLING}: 6 to 72 hours in formalin"),
        cold_ischaemia(f"{_HANDLING}: at most 1 hour to fixation"),
    ),
    speaks_of_populations=True,
    has_low_expression_overlay=True,
)
