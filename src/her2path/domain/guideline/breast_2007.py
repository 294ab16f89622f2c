"""Breast, ASCO/CAP 2007: 30 % for 3+, a ratio of 1.8 to 2.2 equivocal.

The percentages of 2007 include their cut where later versions exclude it: 10 % of complete
staining is 2+, 30 % of intense staining is not yet 3+.
"""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.breast_until_2015_call import COMMENTS, EITHER, combined_rules
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
    RATIO,
    STAINED_OVER_BLANK,
    UNUSUAL_OVER_BLANK,
)
from her2path.domain.guideline.rejections import (
    COUNT_REJECTIONS,
    IHC_REJECTIONS,
    ISH_REJECTIONS,
    NEAR_RATIO_CUT,
    adopted,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading, IhcScore
from her2path.domain.ish import IshReading

_AUTHOR = "Wolff 2007"
_IHC = f"{_AUTHOR}, IHC algorithm"
_DUAL = f"{_AUTHOR}, FISH algorithm"
_SINGLE = f"{_AUTHOR}, systems without CEP17"

_IS_3 = PCT_COMPLETE_INTENSE > 30
_BELOW_2 = (PCT_COMPLETE < 10) & ~INTENSE_OVER_BLANK

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule("IHC-3", f"{_IHC}: uniform, intense, complete, >30 %", _IS_3, Scoring(IhcScore.THREE_PLUS)),
    Rule(
        "IHC-2-COMPLETE",
        f"{_IHC}: complete, non-uniform or weak, >=10 %",
        ~_IS_3 & (PCT_COMPLETE >= 10),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-FOCAL",
        f"{_IHC}: intense, complete, <=30 % (more than the limit of blank, her2path policy P3)",
        (PCT_COMPLETE < 10) & INTENSE_OVER_BLANK,
        Scoring(IhcScore.TWO_PLUS, (Flag.FOCAL_INTENSE,)),
    ),
    Rule(
        "IHC-1",
        f"{_IHC}: weak, incomplete, in any proportion",
        _BELOW_2 & STAINED_OVER_BLANK & ~UNUSUAL_OVER_BLANK,
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-1-UNUSUAL",
        f"{POLICY} P12: weak complete in <10 %, or incomplete moderate to intense",
        _BELOW_2 & UNUSUAL_OVER_BLANK,
        Scoring(IhcScore.ONE_PLUS, (Flag.UNDEFINED_PATTERN, Flag.POLICY)),
    ),
    Rule("IHC-0-ABSENT", f"{_IHC}: no staining", ~IS_STAINED, Scoring(IhcScore.ZERO)),
    Rule(
        "IHC-0-BLANK",
        f"{POLICY} P4: not more stained cells than the limit of blank explains",
        _BELOW_2 & IS_STAINED & ~STAINED_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
)

ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-HIGH", f"{_DUAL}: ratio >2.2", RATIO > "2.2", IshFinding.AMPLIFIED),
    Rule(
        "ISH-MID",
        f"{_DUAL}: ratio 1.8 to 2.2, both included",
        (RATIO >= "1.8") & (RATIO <= "2.2"),
        IshFinding.EQUIVOCAL,
    ),
    Rule("ISH-LOW", f"{_DUAL}: ratio <1.8", RATIO < "1.8", IshFinding.NOT_AMPLIFIED),
)
ISH_SINGLE: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-SP-HIGH", f"{_SINGLE}: HER2 >6.0", COPIES > 6, IshFinding.AMPLIFIED),
    Rule(
        "ISH-SP-MID",
        f"{_SINGLE}: HER2 4.0 to 6.0, both included",
        (COPIES >= 4) & (COPIES <= 6),
        IshFinding.EQUIVOCAL,
    ),
    Rule("ISH-SP-LOW", f"{_SINGLE}: HER2 <4.0", COPIES < 4, IshFinding.NOT_AMPLIFIED),
)

BREAST_2007 = Guideline(
    id="breast_2007",
    title="Breast cancer, ASCO/CAP 2007",
    source="Wolff et al., ASCO/CAP guideline recommendations for HER2 testing in breast cancer, 2007",
    family="breast",
    sites=frozenset({TumourSite.BREAST}),
    unreadable=UNREADABLE,
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=adopted(ISH_REJECTIONS),
    recount_rejections=adopted(COUNT_REJECTIONS),
    ish_dual=ISH_DUAL,
    ish_single=ISH_SINGLE,
    ish_flags=(NEAR_RATIO_CUT,),
    combined=combined_rules(_AUTHOR, either=f"{POLICY} P15: taken over from Wolff 2013, {EITHER}"),
    comments=COMMENTS,
    specimen=(
        fixation(6, 48, f"{_AUTHOR}, tissue handling: 6 to 48 hours in formalin"),
        cold_ischaemia(f"{POLICY} P15: taken over from Wolff 2018, tissue handling: at most 1 hour"),
    ),
)
