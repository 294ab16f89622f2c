"""Colon and rectum, HERACLES 2015: intensity with its extent, and the share of amplified nuclei.

The strongest staining names the score, but the extent decides: at least half of the cells intense
is positive, more than 10 % intense or at least half moderate is tested again, the rest is negative.
"""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IhcFinding, IshFinding, Scoring
from her2path.domain.guideline.handling import ADOPTED
from her2path.domain.guideline.ihc_first import IhcFirst
from her2path.domain.guideline.policies import UNREADABLE
from her2path.domain.guideline.quantities import (
    IS_STAINED,
    MODERATE_UP_OVER_BLANK,
    PCT_MODERATE_UP,
    PCT_STRONG,
    SHARE_RATIO_2,
    STAINED_OVER_BLANK,
    STRONG_OVER_BLANK,
)
from her2path.domain.guideline.rejections import (
    COUNT_REJECTIONS,
    IHC_REJECTIONS,
    ISH_REJECTIONS,
    SHARE_NOT_STATED,
    SINGLE_PROBE_NOT_COVERED,
    adopted,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading, IhcScore
from her2path.domain.ish import IshReading

_AUTHOR = "Valtorta 2015 (HERACLES)"
_IHC = f"{_AUTHOR}, IHC score"
_ISH = f"{_AUTHOR}, ISH"
_FOCAL = (PCT_STRONG <= 10) & STRONG_OVER_BLANK

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule(
        "IHC-3-HALF",
        f"{_IHC}: intense, >=50 %: positive",
        PCT_STRONG >= 50,
        Scoring(IhcScore.THREE_PLUS, reads_as=IhcFinding.POSITIVE),
    ),
    Rule(
        "IHC-3-PART",
        f"{_IHC}: intense, >10 % and <50 %: test again",
        (PCT_STRONG > 10) & (PCT_STRONG < 50),
        Scoring(IhcScore.THREE_PLUS, reads_as=IhcFinding.EQUIVOCAL),
    ),
    Rule(
        "IHC-3-FOCAL-MODERATE",
        f"{POLICY} P19: intense in <=10 %, which with the moderate cells is >=50 %",
        _FOCAL & (PCT_MODERATE_UP >= 50),
        Scoring(IhcScore.THREE_PLUS, (Flag.FOCAL_INTENSE, Flag.POLICY), IhcFinding.EQUIVOCAL),
    ),
    Rule(
        "IHC-3-FOCAL",
        f"{_IHC}: intense, <=10 %: negative (more than the limit of blank, her2path policy P3)",
        _FOCAL & (PCT_MODERATE_UP < 50),
        Scoring(IhcScore.THREE_PLUS, (Flag.FOCAL_INTENSE,), IhcFinding.NEGATIVE),
    ),
    Rule(
        "IHC-2-HALF",
        f"{_IHC}: moderate, >=50 %: test again",
        ~STRONG_OVER_BLANK & (PCT_MODERATE_UP >= 50),
        Scoring(IhcScore.TWO_PLUS, reads_as=IhcFinding.EQUIVOCAL),
    ),
    Rule(
        "IHC-2-PART",
        f"{_IHC}: moderate, <50 %: negative",
        ~STRONG_OVER_BLANK & (PCT_MODERATE_UP < 50) & MODERATE_UP_OVER_BLANK,
        Scoring(IhcScore.TWO_PLUS, reads_as=IhcFinding.NEGATIVE),
    ),
    Rule(
        "IHC-1",
        f"{_IHC}: faint, any percentage",
        ~MODERATE_UP_OVER_BLANK & STAINED_OVER_BLANK,
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule("IHC-0-ABSENT", f"{_IHC}: no staining", ~IS_STAINED, Scoring(IhcScore.ZERO)),
    Rule(
        "IHC-0-BLANK",
        f"{POLICY} P4: not more stained cells than the limit of blank explains",
        IS_STAINED & ~STAINED_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
)

ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule(
        "ISH-SHARE",
        f"{_ISH}: ratio >=2.0 in >=50 % of the nuclei (the table of confirmation prints >50 %)",
        SHARE_RATIO_2 >= 50,
        IshFinding.AMPLIFIED,
    ),
    Rule(
        "ISH-SHARE-LOW",
        f"{_ISH}: ratio >=2.0 in <50 % of the nuclei",
        SHARE_RATIO_2 < 50,
        IshFinding.NOT_AMPLIFIED,
    ),
)

_CALL = IhcFirst(
    _AUTHOR,
    low=(IhcFinding.ZERO, IhcFinding.ONE_PLUS, IhcFinding.NEGATIVE),
    equivocal=(IhcFinding.EQUIVOCAL,),
    high=(IhcFinding.POSITIVE,),
    ask_for_ish="ACT-RETEST",
)

COLORECTAL_HERACLES_2015 = Guideline(
    id="colorectal_heracles_2015",
    title="Colorectal cancer, HERACLES criteria 2015",
    source="Valtorta et al., assessment of a HER2 scoring system for colorectal cancer (HERACLES), 2015",
    family="colorectal",
    sites=frozenset({TumourSite.COLORECTAL}),
    unreadable=UNREADABLE,
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=(*adopted(ISH_REJECTIONS), SINGLE_PROBE_NOT_COVERED, SHARE_NOT_STATED),
    recount_rejections=(*adopted(COUNT_REJECTIONS), SINGLE_PROBE_NOT_COVERED, SHARE_NOT_STATED),
    ish_dual=ISH_DUAL,
    ish_single=(),
    combined=_CALL.combined_rules(),
    comments=_CALL.comments(),
    specimen=ADOPTED,
)
