"""Colon and rectum, criteria harmonised in 2019: >10 % in a resection, any cells in a biopsy."""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.handling import ADOPTED
from her2path.domain.guideline.ihc_first import IhcFirst
from her2path.domain.guideline.policies import SPECIMEN_KNOWN, UNREADABLE
from her2path.domain.guideline.quantities import (
    IS_BIOPSY,
    MODERATE_UP_OVER_BLANK,
    PCT_FAINT_LEVEL,
    PCT_MODERATE_UP,
    PCT_STAINED,
    PCT_STRONG,
    PCT_WEAK_MODERATE,
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

_AUTHOR = "Harmonised colorectal criteria 2019 (GI-SCREEN, SWOG, Korea)"
_RESECTION = f"{_AUTHOR}, IHC of a resection"
_BIOPSY = f"{_AUTHOR}, IHC of a biopsy, no percentage"
_ISH = f"{_AUTHOR}, ISH"
_UNDEFINED = (Flag.UNDEFINED_PATTERN, Flag.POLICY)
_RES = ~IS_BIOPSY

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule(
        "IHC-3-RESECTION",
        f"{_RESECTION}: strong, >10 %",
        _RES & (PCT_STRONG > 10),
        Scoring(IhcScore.THREE_PLUS),
    ),
    Rule(
        "IHC-2-RESECTION",
        f"{_RESECTION}: weak to moderate, >10 %",
        _RES & (PCT_STRONG <= 10) & (PCT_WEAK_MODERATE > 10),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-CUMULATED",
        f"{POLICY} P19: strong with weak to moderate, each <=10 %, together >10 %",
        _RES & (PCT_STRONG <= 10) & (PCT_WEAK_MODERATE <= 10) & (PCT_MODERATE_UP > 10),
        Scoring(IhcScore.TWO_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-1-RESECTION",
        f"{_RESECTION}: faint, >10 %",
        _RES & (PCT_MODERATE_UP <= 10) & (PCT_FAINT_LEVEL > 10),
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-1-CUMULATED",
        f"{POLICY} P19: levels that are each <=10 %, together >10 %",
        _RES & (PCT_MODERATE_UP <= 10) & (PCT_FAINT_LEVEL <= 10) & (PCT_STAINED > 10),
        Scoring(IhcScore.ONE_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-0-RESECTION",
        f"{_RESECTION}: none, or <=10 %",
        _RES & (PCT_STAINED <= 10) & ~STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-FOCAL",
        f"{POLICY} P19: strong in <=10 % of a resection, all staining <=10 %",
        _RES & (PCT_STAINED <= 10) & STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO, (Flag.FOCAL_INTENSE, *_UNDEFINED)),
    ),
    Rule(
        "IHC-3-BIOPSY",
        f"{_BIOPSY}: strong",
        IS_BIOPSY & STRONG_OVER_BLANK & (PCT_STRONG > 10),
        Scoring(IhcScore.THREE_PLUS),
    ),
    Rule(
        "IHC-3-BIOPSY-FOCAL",
        f"{_BIOPSY}: strong, here in <=10 % (more than the limit of blank, her2path policy P3)",
        IS_BIOPSY & STRONG_OVER_BLANK & (PCT_STRONG <= 10),
        Scoring(IhcScore.THREE_PLUS, (Flag.FOCAL_INTENSE,)),
    ),
    Rule(
        "IHC-2-BIOPSY",
        f"{_BIOPSY}: weak to moderate",
        IS_BIOPSY & ~STRONG_OVER_BLANK & MODERATE_UP_OVER_BLANK,
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-1-BIOPSY",
        f"{_BIOPSY}: faint",
        IS_BIOPSY & ~MODERATE_UP_OVER_BLANK & STAINED_OVER_BLANK,
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-0-BIOPSY",
        f"{_BIOPSY}: none (not more than the limit of blank, her2path policy P4)",
        IS_BIOPSY & ~STAINED_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
)

ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-RATIO", f"{_ISH}: ratio >=2.0", RATIO >= 2, IshFinding.AMPLIFIED),
    Rule("ISH-RATIO-LOW", f"{_ISH}: ratio <2.0", RATIO < 2, IshFinding.NOT_AMPLIFIED),
)

_CALL = IhcFirst(_AUTHOR)

COLORECTAL_HARMONISED_2019 = Guideline(
    id="colorectal_harmonised_2019",
    title="Colorectal cancer, criteria harmonised in 2019",
    source="Harmonised HER2 criteria for colorectal cancer of GI-SCREEN, SWOG and Korea, 2019",
    family="colorectal",
    sites=frozenset({TumourSite.COLORECTAL}),
    unreadable=(*UNREADABLE, *SPECIMEN_KNOWN),
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=(*adopted(ISH_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    recount_rejections=(*adopted(COUNT_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    ish_dual=ISH_DUAL,
    ish_single=(),
    ish_flags=(NEAR_RATIO_CUT,),
    combined=_CALL.combined_rules(),
    comments=_CALL.comments(),
    specimen=ADOPTED,
)
