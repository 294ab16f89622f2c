"""Breast, ASCO/CAP 2013: three ISH results, of which either of two makes the case positive.

The staining classes were worded with an overlap, which the letter of 2015 removed; read with the
policies P1 and P2 they give the scores of 2018, and the rules are the same.  ISH results carry the
numbers of the groups of 2018, which are combined here into positive, equivocal and negative.
"""

from __future__ import annotations

from dataclasses import replace

from her2path.domain.guideline.breast_2018 import BREAST_2018
from her2path.domain.guideline.breast_until_2015_call import (
    COMMENTS,
    EQUIVOCAL_ISH,
    NEGATIVE_ISH,
    POSITIVE_ISH,
    combined_rules,
)
from her2path.domain.guideline.definition import resourced
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.handling import cold_ischaemia, fixation
from her2path.domain.guideline.rejections import COUNT_REJECTIONS, IHC_REJECTIONS, ISH_REJECTIONS, adopted
from her2path.domain.guideline.rules import Rule
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading

_AUTHOR = "Wolff 2013"
_IHC = f"{_AUTHOR}, IHC algorithm"
_DUAL = f"{_AUTHOR}, dual-probe ISH algorithm"
_SINGLE = f"{_AUTHOR}, single-probe ISH algorithm"
_HANDLING = f"{_AUTHOR}, tissue handling"

IHC: tuple[Rule[IhcReading, Scoring], ...] = resourced(
    BREAST_2018.ihc,
    {
        "IHC-3": f"{_IHC}: circumferential, complete, intense, >10 %",
        "IHC-2-COMPLETE": f"{_IHC}: circumferential, weak to moderate, >10 %",
        "IHC-2-FOCAL": f"{_IHC}: circumferential, complete, intense, <=10 % (more than the limit of blank, "
        "her2path policy P3)",
        "IHC-2-LATERAL": f"{_IHC}: circumferential but incomplete, moderate to intense, >10 %",
        "IHC-1": f"{_IHC}: incomplete, faint, >10 %",
        "IHC-0-ABSENT": f"{_IHC}: no staining",
        "IHC-0-FAINT": f"{_IHC}: incomplete, faint, <=10 %",
    },
)

_POSITIVE, _EQUIVOCAL = f"{_DUAL}: positive", f"{_DUAL}: equivocal"
ISH_DUAL: tuple[Rule[IshReading, IshFinding], ...] = resourced(
    BREAST_2018.ish_dual,
    {
        "ISH-G1": f"{_POSITIVE}, ratio >=2.0 (group 1 of 2018)",
        "ISH-G2": f"{_POSITIVE}, ratio >=2.0 whatever the copies (group 2 of 2018)",
        "ISH-G3": f"{_POSITIVE}, HER2 >=6.0 whatever the ratio (group 3 of 2018)",
        "ISH-G4": f"{_EQUIVOCAL}, ratio <2.0, HER2 >=4.0 and <6.0 (group 4 of 2018)",
        "ISH-G5": f"{_DUAL}: negative, ratio <2.0, HER2 <4.0 (group 5 of 2018)",
    },
)
ISH_SINGLE: tuple[Rule[IshReading, IshFinding], ...] = resourced(
    BREAST_2018.ish_single,
    {
        "ISH-SP-HIGH": f"{_SINGLE}: HER2 >=6.0",
        "ISH-SP-MID": f"{_SINGLE}: HER2 >=4.0 and <6.0",
        "ISH-SP-LOW": f"{_SINGLE}: HER2 <4.0",
    },
)

BREAST_2013 = replace(
    BREAST_2018,
    id="breast_2013",
    title="Breast cancer, ASCO/CAP 2013",
    source="Wolff et al., ASCO/CAP HER2 testing in breast cancer, guideline update 2013",
    ihc_rejections=adopted(IHC_REJECTIONS),
    ihc=IHC,
    ish_rejections=adopted(ISH_REJECTIONS),
    recount_rejections=adopted(COUNT_REJECTIONS),
    ish_dual=ISH_DUAL,
    ish_single=ISH_SINGLE,
    combined=combined_rules(_AUTHOR),
    comments=COMMENTS,
    recount_flags=(),
    specimen=(
        fixation(6, 72, f"{_HANDLING}: 6 to 72 hours in formalin"),
        cold_ischaemia(f"{_HANDLING}: at most 1 hour to fixation"),
    ),
    one_result=(frozenset(POSITIVE_ISH), frozenset(EQUIVOCAL_ISH), frozenset(NEGATIVE_ISH)),
    has_low_expression_overlay=False,
)
