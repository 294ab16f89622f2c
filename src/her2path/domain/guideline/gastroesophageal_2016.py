"""Stomach and oesophagus, CAP/ASCP/ASCO 2016: a resection by percentage, a biopsy by clusters.

Complete, basolateral and lateral staining count alike, and 10 % is included.  The rules for a
ratio below 2.0 with three or more CEP17 copies were not read side by side with the guideline; their
sources say "provisional".
"""

from __future__ import annotations

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline, RecountUse
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.handling import ADOPTED
from her2path.domain.guideline.ihc_first import IhcFirst
from her2path.domain.guideline.policies import CLUSTER_CELLS, CLUSTER_KNOWN, SPECIMEN_KNOWN, UNREADABLE
from her2path.domain.guideline.quantities import (
    CEP17_COPIES,
    CLUSTER_MODERATE_UP,
    CLUSTER_STAINED,
    CLUSTER_STRONG,
    COPIES,
    IS_BIOPSY,
    PCT_FAINT_LEVEL,
    PCT_MODERATE_UP,
    PCT_STAINED,
    PCT_STRONG,
    PCT_WEAK_MODERATE,
    RATIO,
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

AUTHOR = "Bartley 2016"
_RESECTION = f"{AUTHOR}, IHC score of a resection"
_BIOPSY = f"{AUTHOR}, IHC score of a biopsy"
_ISH = f"{AUTHOR}, ISH algorithm"
_PROVISIONAL = "(provisional: the guideline's text was not at hand)"
_UNDEFINED = (Flag.UNDEFINED_PATTERN, Flag.POLICY)

_RES = ~IS_BIOPSY
_NO_3 = IS_BIOPSY & (CLUSTER_STRONG < CLUSTER_CELLS)
_NO_2 = _NO_3 & (CLUSTER_MODERATE_UP < CLUSTER_CELLS)
_NO_1 = _NO_2 & (CLUSTER_STAINED < CLUSTER_CELLS)

IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule(
        "IHC-3-RESECTION",
        f"{_RESECTION}: strong, complete, basolateral or lateral, >=10 %",
        _RES & (PCT_STRONG >= 10),
        Scoring(IhcScore.THREE_PLUS),
    ),
    Rule(
        "IHC-2-RESECTION",
        f"{_RESECTION}: weak to moderate, complete, basolateral or lateral, >=10 %",
        _RES & (PCT_STRONG < 10) & (PCT_WEAK_MODERATE >= 10),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-CUMULATED",
        f"{POLICY} P19: strong with weak to moderate, each <10 %, together >=10 %",
        _RES & (PCT_STRONG < 10) & (PCT_WEAK_MODERATE < 10) & (PCT_MODERATE_UP >= 10),
        Scoring(IhcScore.TWO_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-1-RESECTION",
        f"{_RESECTION}: faint, >=10 %",
        _RES & (PCT_MODERATE_UP < 10) & (PCT_FAINT_LEVEL >= 10),
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-1-CUMULATED",
        f"{POLICY} P19: levels that are each <10 %, together >=10 %",
        _RES & (PCT_MODERATE_UP < 10) & (PCT_FAINT_LEVEL < 10) & (PCT_STAINED >= 10),
        Scoring(IhcScore.ONE_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-0-RESECTION",
        f"{_RESECTION}: none, or <10 %",
        _RES & (PCT_STAINED < 10) & ~STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-FOCAL",
        f"{_RESECTION}: <10 %, some of it strong; another block may read otherwise",
        _RES & (PCT_STAINED < 10) & STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO, (Flag.FOCAL_INTENSE,)),
    ),
    Rule(
        "IHC-3-BIOPSY",
        f"{_BIOPSY}: cluster of >=5 strong cells, whatever the percentage",
        IS_BIOPSY & (CLUSTER_STRONG >= CLUSTER_CELLS),
        Scoring(IhcScore.THREE_PLUS),
    ),
    Rule(
        "IHC-2-BIOPSY",
        f"{_BIOPSY}: cluster of >=5 weak to moderate cells, whatever the percentage",
        _NO_3 & (CLUSTER_MODERATE_UP >= CLUSTER_CELLS),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-1-BIOPSY",
        f"{_BIOPSY}: cluster of >=5 faint cells, whatever the percentage",
        _NO_2 & (CLUSTER_STAINED >= CLUSTER_CELLS),
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-0-BIOPSY",
        f"{_BIOPSY}: none, or no cluster of 5 cells",
        _NO_1 & ~STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-BIOPSY-FOCAL",
        f"{_BIOPSY}: no cluster of 5 cells, but some strong cells; more tissue may read otherwise",
        _NO_1 & STRONG_OVER_BLANK,
        Scoring(IhcScore.ZERO, (Flag.FOCAL_INTENSE,)),
    ),
)

_POLYSOMY = (RATIO < 2) & (CEP17_COPIES >= 3)
ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = (
    Rule("ISH-RATIO", f"{_ISH}: ratio >=2.0, whatever the copies", RATIO >= 2, IshFinding.AMPLIFIED),
    Rule(
        "ISH-COPIES-HIGH",
        f"{_ISH}: ratio <2.0, CEP17 >=3.0, HER2 >6.0 {_PROVISIONAL}",
        _POLYSOMY & (COPIES > 6),
        IshFinding.AMPLIFIED,
    ),
    Rule(
        "ISH-COPIES-SIX",
        f"{POLICY} P9: ratio <2.0, CEP17 >=3.0, HER2 exactly 6.0",
        _POLYSOMY & (COPIES >= 6) & (COPIES <= 6),
        IshFinding.EQUIVOCAL,
    ),
    Rule(
        "ISH-COPIES-MID",
        f"{_ISH}: ratio <2.0, CEP17 >=3.0, HER2 >=4.0 and <6.0 {_PROVISIONAL}",
        _POLYSOMY & (COPIES >= 4) & (COPIES < 6),
        IshFinding.EQUIVOCAL,
    ),
    Rule(
        "ISH-COPIES-LOW",
        f"{_ISH}: ratio <2.0, CEP17 >=3.0, HER2 <4.0 {_PROVISIONAL}",
        _POLYSOMY & (COPIES < 4),
        IshFinding.NOT_AMPLIFIED,
    ),
    Rule(
        "ISH-RATIO-LOW",
        f"{_ISH}: ratio <2.0, CEP17 <3.0 {_PROVISIONAL}",
        (RATIO < 2) & (CEP17_COPIES < 3),
        IshFinding.NOT_AMPLIFIED,
    ),
)

CALL = IhcFirst(AUTHOR, discordant_policy="P10", has_equivocal_ish=True)

GASTROESOPHAGEAL_2016 = Guideline(
    id="gastroesophageal_2016",
    title="Adenocarcinoma of stomach and oesophagus, CAP/ASCP/ASCO 2016",
    source="Bartley et al., HER2 testing in gastroesophageal adenocarcinoma, CAP/ASCP/ASCO 2016",
    family="gastroesophageal",
    sites=frozenset({TumourSite.GASTROESOPHAGEAL}),
    unreadable=(*UNREADABLE, *SPECIMEN_KNOWN, CLUSTER_KNOWN),
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=(*adopted(ISH_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    recount_rejections=(*adopted(COUNT_REJECTIONS), SINGLE_PROBE_NOT_COVERED),
    ish_dual=ISH_DUAL,
    ish_single=(),
    ish_flags=(NEAR_RATIO_CUT,),
    combined=CALL.combined_rules(),
    comments=CALL.comments(),
    specimen=ADOPTED,
    recount_use=RecountUse.ADD,
)
