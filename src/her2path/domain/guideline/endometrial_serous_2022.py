"""Serous carcinoma of the endometrium, trial criteria as in the CAP template of 2022.

Strong staining counts in any pattern; 30 % separates 3+ from 2+.  A ratio below 2.0 is negative
whatever the copies, as in the trial; a published proposal to count 6.0 copies as positive is not
followed and leaves a flag.
"""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.handling import ADOPTED
from her2path.domain.guideline.ihc_first import IhcFirst
from her2path.domain.guideline.policies import UNREADABLE
from her2path.domain.guideline.quantities import (
    COPIES,
    IS_STAINED,
    MODERATE_UP_OVER_BLANK,
    PCT_MODERATE_UP,
    PCT_STRONG,
    RATIO,
    STAINED_OVER_BLANK,
    STRONG_OVER_BLANK,
)
from her2path.domain.guideline.rejections import (
    COUNT_REJECTIONS,
    IHC_REJECTIONS,
    ISH_REJECTIONS,
    NEAR_RATIO_CUT,
    SINGLE_PROBE_NOT_COVERED,
    adopted,
)
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading, IhcScore
from her2path.domain.ish import IshReading

_AUTHOR = "Fader 2018 (CAP template 2022)"
_IHC = f"{_AUTHOR}, IHC score"
_ISH = f"{_AUTHOR}, FISH"
_BELOW_2 = ~STRONG_OVER_BLANK & (PCT_MODERATE_UP < 10)

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule(
        "IHC-3",
        f"{_IHC}: strong, complete, basolateral or lateral, >30 %",
        PCT_STRONG > 30,
        Scoring(IhcScore.THREE_PLUS),
    ),
    Rule(
        "IHC-2-STRONG",
        f"{_IHC}: strong, complete, basolateral or lateral, <=30 % (more than the limit of blank, her2path "
        "policy P3)",
        (PCT_STRONG <= 30) & STRONG_OVER_BLANK,
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-MODERATE",
        f"{_IHC}: weak to moderate, >=10 %",
        ~STRONG_OVER_BLANK & (PCT_MODERATE_UP >= 10),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-1-WEAK",
        f"{POLICY} P19: weak to moderate in <10 %; weak complete is 1+, moderate is not defined",
        _BELOW_2 & MODERATE_UP_OVER_BLANK,
        Scoring(IhcScore.ONE_PLUS, (Flag.UNDEFINED_PATTERN, Flag.POLICY)),
    ),
    Rule(
        "IHC-1-FAINT",
        f"{_IHC}: faint, incomplete, any percentage",
        _BELOW_2 & ~MODERATE_UP_OVER_BLANK & STAINED_OVER_BLANK,
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

_MANY_COPIES = (RATIO < 2) & (COPIES >= 6)
ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-RATIO", f"{_ISH}: ratio >=2.0", RATIO >= 2, IshFinding.AMPLIFIED),
    Rule("ISH-RATIO-LOW", f"{_ISH}: ratio <2.0", (RATIO < 2) & (COPIES < 6), IshFinding.NOT_AMPLIFIED),
    Rule(
        "ISH-RATIO-LOW-COPIES",
        f"{POLICY} P11: ratio <2.0 with 6.0 or more HER2 copies stays negative",
        _MANY_COPIES,
        IshFinding.NOT_AMPLIFIED,
    ),
)
ISH_FLAGS: tuple[Rule[IshReading, Flag], ...] = (
    Rule(
        "ISH-FLAG-COPIES",
        f"{POLICY} P11: ratio <2.0 with 6.0 or more HER2 copies is discordant",
        _MANY_COPIES,
        Flag.DISCORDANT,
    ),
)

_CALL = IhcFirst(_AUTHOR)

ENDOMETRIAL_SEROUS_2022 = Guideline(
    id="endometrial_serous_2022",
    title="Serous carcinoma of the endometrium, trial criteria (CAP template 2022)",
    source="Fader et al., trastuzumab in uterine serous carcinoma (NCT01367002), 2018; CAP gynaecological "
    "biomarker template, 2022",
    family="endometrial",
    sites=frozenset({TumourSite.ENDOMETRIAL}),
    unreadable=UNREADABLE,
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=(*adopted(ISH_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    recount_rejections=(*adopted(COUNT_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    ish_dual=ISH_DUAL,
    ish_single=(),
    ish_flags=(NEAR_RATIO_CUT, *ISH_FLAGS),
    combined=_CALL.combined_rules(),
    comments=_CALL.comments(),
    specimen=ADOPTED,
)
