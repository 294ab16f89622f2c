"""Breast, ASCO/CAP focused update 2018: IHC score, ISH groups and the combined call.

The comments are her2path's own words; the guideline's sentences are copyrighted.  Where the
guideline is silent a rule names the policy of her2path that decides (docs/decisions).
"""

from __future__ import annotations

from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.breast_2018_call import COMBINED
from her2path.domain.guideline.breast_2018_comments import COMMENTS
from her2path.domain.guideline.definition import Cut, Guideline, Quantity
from her2path.domain.guideline.findings import IshFinding, Scoring
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import STAINED, IhcReading, IhcScore, StainingClass
from her2path.domain.ish import IshReading, SignalSummary

SOURCE = "Wolff et al., ASCO/CAP HER2 testing in breast cancer, focused update 2018"
_IHC = "Wolff 2018, IHC algorithm"
_DUAL = "Wolff 2018, dual-probe ISH algorithm"
_SINGLE = "Wolff 2018, single-probe ISH algorithm"
_REJECT = "Wolff 2018, criteria to reject an ISH test"
_UNDEFINED = (Flag.UNDEFINED_PATTERN, Flag.POLICY)

_STRONG = StainingClass.COMPLETE_INTENSE
_COMPLETE = (StainingClass.COMPLETE_INTENSE, StainingClass.COMPLETE_WEAK_MODERATE)
# Strong complete cells within the limit of blank count as the next weaker class (policies P1, P3).
_LATERAL = (StainingClass.COMPLETE_INTENSE, StainingClass.INCOMPLETE_MODERATE_INTENSE)
_UNUSUAL = (*_COMPLETE, StainingClass.INCOMPLETE_MODERATE_INTENSE)
_FAINT = StainingClass.INCOMPLETE_FAINT


def _is_3(r: IhcReading) -> bool:
    return r.over_pct(10, _STRONG)


def _is_2(r: IhcReading) -> bool:
    return r.over_pct(10, *_COMPLETE) or r.over_blank(_STRONG) or r.over_pct(10, *_LATERAL)


def _below_2(r: IhcReading) -> bool:
    return not _is_3(r) and not _is_2(r)


IHC: tuple[Rule[IhcReading, Scoring], ...] = (
    Rule("IHC-3", f"{_IHC}: complete, intense, >10 %", _is_3, Scoring(IhcScore.THREE_PLUS)),
    Rule(
        "IHC-2-COMPLETE",
        f"{_IHC}: complete, weak to moderate, >10 %",
        lambda r: not _is_3(r) and r.over_pct(10, *_COMPLETE),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-2-FOCAL",
        f"{_IHC}, footnote: complete, intense, <=10 % (more than the limit of blank, her2path policy P3)",
        lambda r: not r.over_pct(10, *_COMPLETE) and r.over_blank(_STRONG),
        Scoring(IhcScore.TWO_PLUS, (Flag.FOCAL_INTENSE,)),
    ),
    Rule(
        "IHC-2-LATERAL",
        f"{_IHC}, footnote: incomplete (basolateral or lateral), moderate to intense, >10 %",
        lambda r: not r.over_pct(10, *_COMPLETE) and not r.over_blank(_STRONG) and r.over_pct(10, *_LATERAL),
        Scoring(IhcScore.TWO_PLUS),
    ),
    Rule(
        "IHC-1",
        f"{_IHC}: incomplete, faint, >10 %",
        lambda r: _below_2(r) and r.over_pct(10, _FAINT),
        Scoring(IhcScore.ONE_PLUS),
    ),
    Rule(
        "IHC-1-CUMULATED",
        f"{POLICY} P1, P2: classes that are each <=10 % cumulate downwards, together >10 %",
        lambda r: _below_2(r) and not r.over_pct(10, _FAINT) and r.over_pct(10, *STAINED),
        Scoring(IhcScore.ONE_PLUS, _UNDEFINED),
    ),
    Rule(
        "IHC-0-ABSENT",
        f"{_IHC}: no staining",
        lambda r: r.cells_of(*STAINED) == 0,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-BLANK",
        f"{POLICY} P4: not more stained cells than the limit of blank explains",
        lambda r: r.cells_of(*STAINED) > 0 and not r.over_pct(10, *STAINED) and not r.is_stained,
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-FAINT",
        f"{_IHC}: incomplete, faint, <=10 %",
        lambda r: (
            _below_2(r) and not r.over_pct(10, *STAINED) and r.is_stained and not r.over_blank(*_UNUSUAL)
        ),
        Scoring(IhcScore.ZERO),
    ),
    Rule(
        "IHC-0-CUMULATED",
        f"{POLICY} P1: complete weak to moderate, or incomplete moderate to intense, all staining <=10 %",
        lambda r: _below_2(r) and not r.over_pct(10, *STAINED) and r.over_blank(*_UNUSUAL),
        Scoring(IhcScore.ZERO, _UNDEFINED),
    ),
)

IHC_REJECTIONS: tuple[Rule[IhcReading, str], ...] = (
    Rule(
        "IHC-REJECT-CONTROLS",
        "Wolff 2018, criteria to reject an IHC test",
        lambda r: r.controls is Controls.FAIL,
        "the IHC controls did not pass; repeat the stain",
    ),
)

_NUCLEI: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NUCLEI",
    f"{POLICY} P8: fewer than the 20 nuclei that Wolff 2018 asks for",
    lambda r: r.summary.nuclei < 20,
    "fewer than 20 nuclei were counted; count more or repeat the test",
)
_NO_HER2: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NO-HER2",
    f"{POLICY} P8: no HER2 signal in any nucleus",
    lambda r: r.summary.nuclei >= 20 and r.summary.her2 == 0,
    "no HER2 signal in any nucleus, so the hybridisation failed until shown otherwise; repeat the test",
)
_NO_CEP17: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NO-CEP17",
    f"{POLICY} P8: no CEP17 signal in any nucleus",
    lambda r: r.summary.nuclei >= 20 and r.summary.cep17 == 0,
    "no CEP17 signal in any nucleus, so there is no ratio; repeat the test",
)
_CONTROLS: Rule[IshReading, str] = Rule(
    "ISH-REJECT-CONTROLS",
    _REJECT,
    lambda r: r.controls is Controls.FAIL,
    "the ISH controls did not pass; repeat the test",
)
_WEAK: Rule[IshReading, str] = Rule(
    "ISH-REJECT-WEAK",
    f"{_REJECT}: >25 % of the signals too weak",
    lambda r: r.weak_signals is not None and 4 * r.weak_signals > r.counted_signals + r.weak_signals,
    "more than 25 % of the signals are too weak to be counted; repeat the test",
)
_CYTOPLASM: Rule[IshReading, str] = Rule(
    "ISH-REJECT-CYTOPLASM",
    f"{_REJECT}: >10 % of the signals over cytoplasm",
    lambda r: (
        r.cytoplasmic_signals is not None
        and 10 * r.cytoplasmic_signals > r.counted_signals + r.cytoplasmic_signals
    ),
    "more than 10 % of the signals lie outside nuclei; repeat the test",
)
_AREAS: Rule[IshReading, str] = Rule(
    "ISH-REJECT-AREAS",
    f"{_REJECT}: fewer than two areas of invasive tumour",
    lambda r: r.areas is not None and r.areas < 2,
    "fewer than two areas of invasive tumour were counted; count another area",
)
RECOUNT_REJECTIONS = (_CONTROLS, _NUCLEI, _NO_HER2, _NO_CEP17, _WEAK, _CYTOPLASM)
ISH_REJECTIONS = (*RECOUNT_REJECTIONS, _AREAS)

ISH_DUAL: tuple[Rule[SignalSummary, IshFinding], ...] = (
    Rule(
        "ISH-G1",
        f"{_DUAL}, group 1: ratio >=2.0, HER2 >=4.0",
        lambda s: s.ratio_at_least(2) and s.copies_at_least(4),
        IshFinding.GROUP_1,
    ),
    Rule(
        "ISH-G2",
        f"{_DUAL}, group 2: ratio >=2.0, HER2 <4.0",
        lambda s: s.ratio_at_least(2) and not s.copies_at_least(4),
        IshFinding.GROUP_2,
    ),
    Rule(
        "ISH-G3",
        f"{_DUAL}, group 3: ratio <2.0, HER2 >=6.0",
        lambda s: not s.ratio_at_least(2) and s.copies_at_least(6),
        IshFinding.GROUP_3,
    ),
    Rule(
        "ISH-G4",
        f"{_DUAL}, group 4: ratio <2.0, HER2 >=4.0 and <6.0",
        lambda s: not s.ratio_at_least(2) and s.copies_at_least(4) and not s.copies_at_least(6),
        IshFinding.GROUP_4,
    ),
    Rule(
        "ISH-G5",
        f"{_DUAL}, group 5: ratio <2.0, HER2 <4.0",
        lambda s: not s.ratio_at_least(2) and not s.copies_at_least(4),
        IshFinding.GROUP_5,
    ),
)

ISH_SINGLE: tuple[Rule[SignalSummary, IshFinding], ...] = (
    Rule("ISH-SP-HIGH", f"{_SINGLE}: HER2 >=6.0", lambda s: s.copies_at_least(6), IshFinding.AMPLIFIED),
    Rule(
        "ISH-SP-MID",
        f"{_SINGLE}: HER2 >=4.0 and <6.0",
        lambda s: s.copies_at_least(4) and not s.copies_at_least(6),
        IshFinding.EQUIVOCAL,
    ),
    Rule("ISH-SP-LOW", f"{_SINGLE}: HER2 <4.0", lambda s: not s.copies_at_least(4), IshFinding.NOT_AMPLIFIED),
)

CUTS = (
    Cut(Quantity.PCT_COMPLETE_INTENSE, 10),
    Cut(Quantity.PCT_COMPLETE, 10),
    Cut(Quantity.PCT_INCOMPLETE_MODERATE_INTENSE, 10),
    Cut(Quantity.PCT_STAINED, 10),
    Cut(Quantity.HER2_CEP17_RATIO, 2),
    Cut(Quantity.HER2_MEAN, 4),
    Cut(Quantity.HER2_MEAN, 6),
)

BREAST_2018 = Guideline(
    id="breast_2018",
    title="Breast cancer, ASCO/CAP 2018",
    source=SOURCE,
    ihc_rejections=IHC_REJECTIONS,
    ihc=IHC,
    ish_rejections=ISH_REJECTIONS,
    recount_rejections=RECOUNT_REJECTIONS,
    ish_dual=ISH_DUAL,
    ish_single=ISH_SINGLE,
    combined=COMBINED,
    comments=COMMENTS,
    cuts=CUTS,
    has_low_expression_overlay=True,
)
