"""Reasons to reject a test: criteria of ASCO/CAP, and policies where no text was at hand.

The criteria are those of the breast guideline of 2018.  Other guidelines take them over under
policy P15 (`adopted`), because their own lists could not be read side by side.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from her2path.domain.case import Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.conditions import Quantity
from her2path.domain.guideline.quantities import CONTROLS_FAILED_IHC, RATIO, ihc_fact, ish_fact
from her2path.domain.guideline.rules import POLICY, Rule
from her2path.domain.ihc import IhcReading
from her2path.domain.ish import IshReading, Probe

E = TypeVar("E")
C = TypeVar("C")
_IHC = "Wolff 2018, criteria to reject an IHC test"
_ISH = "Wolff 2018, criteria to reject an ISH test"
_RECOUNT = "Wolff 2018, dual-probe ISH algorithm, recount"

IHC_REJECTIONS: tuple[Rule[IhcReading, str], ...] = (
    Rule("IHC-REJECT-CONTROLS", _IHC, CONTROLS_FAILED_IHC, "the IHC controls did not pass; repeat the stain"),
    Rule(
        "IHC-REJECT-ARTEFACT",
        f"{_IHC}: artefact over most of the sample",
        ihc_fact("an artefact covers most of the sample", lambda r: r.artefact_over_most is True),
        "an artefact covers most of the sample; repeat the stain or test by ISH",
    ),
    Rule(
        "IHC-REJECT-DUCTS",
        f"{_IHC}: normal ducts stain strongly",
        ihc_fact("membranes of normal ducts stain strongly", lambda r: r.normal_ducts_stained is True),
        "membranes of normal ducts stain strongly; repeat the stain or test by ISH",
    ),
)

_NUCLEI: Quantity[IshReading] = Quantity(
    "nuclei", "counted nuclei", "nuclei", lambda r: r.summary.nuclei, lambda _: 1
)
_HER2: Quantity[IshReading] = Quantity(
    "her2_signals", "HER2 signals", "signals", lambda r: r.summary.her2, lambda _: 1
)
MIN_NUCLEI = 20
"""Fewest nuclei of a count, and of a recount (Wolff 2018)."""
MIN_AREAS = 2
"""Fewest areas of invasive tumour (Wolff 2018)."""
MOST_WEAK = Fraction(1, 4)
"""Share of the signals that may be too weak to be counted (Wolff 2018)."""
MOST_CYTOPLASMIC = Fraction(1, 10)
"""Share of the signals that may lie over cytoplasm (Wolff 2018)."""
_ENOUGH = _NUCLEI >= MIN_NUCLEI
_IS_DUAL = ish_fact("dual probe", lambda r: r.summary.probe is Probe.DUAL, "single probe")

_CONTROLS: Rule[IshReading, str] = Rule(
    "ISH-REJECT-CONTROLS",
    _ISH,
    ish_fact("the ISH controls did not pass", lambda r: r.controls is Controls.FAIL),
    "the ISH controls did not pass; repeat the test",
)
_TOO_FEW: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NUCLEI",
    f"{POLICY} P8: fewer than the 20 nuclei that Wolff 2018 asks for",
    _NUCLEI < MIN_NUCLEI,
    "fewer than 20 nuclei were counted; count more or repeat the test",
)
_NO_HER2: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NO-HER2",
    f"{POLICY} P8: no HER2 signal in any nucleus",
    _ENOUGH & (_HER2 <= 0),
    "no HER2 signal in any nucleus, so the hybridisation failed until shown otherwise; repeat the test",
)
_NO_CEP17: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NO-CEP17",
    f"{POLICY} P8: no CEP17 signal in any nucleus",
    _ENOUGH & ish_fact("no CEP17 signal", lambda r: r.summary.cep17 == 0),
    "no CEP17 signal in any nucleus, so there is no ratio; repeat the test",
)
_WEAK: Rule[IshReading, str] = Rule(
    "ISH-REJECT-WEAK",
    f"{_ISH}: >25 % of the signals too weak",
    ish_fact(
        "more than 25 % of the signals are too weak to be counted",
        lambda r: r.weak_share is not None and r.weak_share > MOST_WEAK,
    ),
    "more than 25 % of the signals are too weak to be counted; repeat the test",
)
_CYTOPLASM: Rule[IshReading, str] = Rule(
    "ISH-REJECT-CYTOPLASM",
    f"{_ISH}: >10 % of the signals over cytoplasm",
    ish_fact(
        "more than 10 % of the signals lie outside nuclei",
        lambda r: r.cytoplasmic_share is not None and r.cytoplasmic_share > MOST_CYTOPLASMIC,
    ),
    "more than 10 % of the signals lie outside nuclei; repeat the test",
)
_POOR_NUCLEI: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NUCLEAR-RESOLUTION",
    f"{_ISH}: poor nuclear resolution",
    ish_fact("nuclei cannot be resolved", lambda r: r.poor_nuclei is True),
    "nuclei cannot be resolved; repeat the test",
)
_AUTOFLUORESCENCE: Rule[IshReading, str] = Rule(
    "ISH-REJECT-AUTOFLUORESCENCE",
    f"{_ISH}: strong autofluorescence",
    ish_fact("strong autofluorescence", lambda r: r.autofluorescence is True),
    "strong autofluorescence hides signals; repeat the test",
)
_AREAS: Rule[IshReading, str] = Rule(
    "ISH-REJECT-AREAS",
    f"{_ISH}: fewer than two areas of invasive tumour",
    ish_fact("fewer than two areas were counted", lambda r: r.areas is not None and r.areas < MIN_AREAS),
    "fewer than two areas of invasive tumour were counted; count another area",
)
_SAME_OBSERVER: Rule[IshReading, str] = Rule(
    "RECOUNT-REJECT-OBSERVER",
    f"{_RECOUNT}: by an additional observer",
    ish_fact("the first observer recounted", lambda r: r.other_observer is False),
    "the recount was made by the first observer; another person must count",
)
_NOT_BLINDED: Rule[IshReading, str] = Rule(
    "RECOUNT-REJECT-NOT-BLINDED",
    f"{_RECOUNT}: blinded to the first result",
    ish_fact("the observer of the recount knew the first result", lambda r: r.blinded is False),
    "the observer of the recount knew the first result; somebody who does not must count",
)
COUNT_REJECTIONS = (
    _CONTROLS,
    _TOO_FEW,
    _NO_HER2,
    _NO_CEP17,
    _WEAK,
    _CYTOPLASM,
    _POOR_NUCLEI,
    _AUTOFLUORESCENCE,
)
"""Reasons to read no count, whoever made it and for whatever."""
ISH_REJECTIONS = (*COUNT_REJECTIONS, _AREAS)
RECOUNT_REJECTIONS = (*COUNT_REJECTIONS, _SAME_OBSERVER, _NOT_BLINDED)
"""A recount looks at one area again, so it is not asked for several."""

RECOUNT_FLAGS: tuple[Rule[IshReading, Flag], ...] = (
    Rule(
        "RECOUNT-FLAG-BLINDING",
        f"{_RECOUNT}: by an additional observer, blinded to the first result",
        ish_fact(
            "it is not stated that another observer, blinded to the first result, recounted",
            lambda r: r.blinded is None or r.other_observer is None,
        ),
        Flag.RECOUNT_BLINDING_NOT_STATED,
    ),
)
NEAR_RATIO_CUT: Rule[IshReading, Flag] = Rule(
    "ISH-FLAG-NEAR-RATIO-CUT",
    "instructions of dual-probe kits: count more nuclei where the ratio is 1.8 to 2.2",
    _IS_DUAL & (RATIO >= "1.8") & (RATIO <= "2.2"),
    Flag.NEAR_RATIO_CUT,
)

SINGLE_PROBE_NOT_COVERED: Rule[IshReading, str] = Rule(
    "ISH-REJECT-SINGLE-PROBE",
    f"{POLICY} P16: a guideline without rules for a single probe",
    ~_IS_DUAL,
    "this guideline defines no result for a single probe; test with a dual probe",
)
SHARE_NOT_STATED: Rule[IshReading, str] = Rule(
    "ISH-REJECT-NO-SHARE",
    f"{POLICY} P16: a guideline that asks for the share of amplified nuclei",
    ish_fact(
        "the share of nuclei with a ratio of 2.0 or more is not stated",
        lambda r: r.share_ratio_at_least_2 is None,
    ),
    "this guideline asks how many nuclei have a ratio of 2.0 or more (`pct_cells_ratio_ge2`), and nobody "
    "stated it; count nucleus by nucleus",
)


def adopted(rules: tuple[Rule[E, C], ...]) -> tuple[Rule[E, C], ...]:
    """Give criteria of Wolff 2018 to another guideline, as a policy."""
    return tuple(
        rule if rule.is_policy else replace(rule, source=f"{POLICY} P15: taken over from {rule.source}")
        for rule in rules
    )
