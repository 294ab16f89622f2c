"""Codes of other systems for what her2path states, and its own codes where those have none.

Every LOINC code below was checked against the value sets of mCODE 4.0.0 and the HL7 breast cancer data
guide (2018), and against the HER2 profiles of the German Medical Informatics Initiative.  Codes that look
right and are not stay out: 72383-3, 72382-5, 32996-1, 42914-2 and 51981-9 are immunoassays or serum, 85328-3
(per cent with intense staining) is known as a bare code only, and LL4678-0 is no list of ISH results.
The gene is HGNC:3430; HGNC:2064 is another gene (2064 is the number of ERBB2 at NCBI).

LOINC is copyright Regenstrief Institute and the LOINC Committee, free of charge under
https://loinc.org/license.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.case import TumourSite
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore
from her2path.domain.verdict import State
from her2path.io.documents import CallDoc

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
OBSERVATION_VALUE = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
UCUM = "http://unitsofmeasure.org"
HGNC = "http://www.genenames.org/geneId"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
REPORT_SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
SPECIMEN_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0487"
LOCAL = "urn:oid:2.25.279921566844897166277701302836748366104"
"""Codes of her2path's own: the names of `call.json`.  An OID from a UUID (ISO/IEC 9834-8), since her2path
owns no web address that could promise to stay."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code of one system with its name there."""

    system: str
    code: str
    display: str = ""
    """As the system prints it; empty where its wording is licensed."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A UCUM unit: its code and how people write it."""

    code: str
    written: str


def local(code: str, display: str) -> Code:
    """Name something by her2path's own word."""
    return Code(LOCAL, code, display)


IHC_BREAST = Code(LOINC, "85319-2", "HER2 [Presence] in Breast cancer specimen by Immune stain")
IHC_TISSUE = Code(LOINC, "18474-7", "HER2 Ag [Presence] in Tissue by Immune stain")
HER2_STATUS = Code(LOINC, "48676-1", "HER2 [Interpretation] in Tissue")
ISH_BREAST = Code(LOINC, "85318-4", "ERBB2 gene duplication [Presence] in Breast cancer specimen by FISH")
ISH_TISSUE = Code(LOINC, "31150-6", "ERBB2 gene duplication [Presence] in Tissue by FISH")
ISH_PANEL = Code(
    LOINC, "74885-5", "ERBB2 gene (HER2) duplication associated observations panel - Tissue by FISH"
)
RATIO = Code(LOINC, "49683-6", "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH")
HER2_COPIES = Code(LOINC, "74860-8", "ERBB2 gene copy number/nucleus in Tissue by FISH")
CEP17_COPIES = Code(LOINC, "74861-6", "Chromosome 17 copy number/nucleus in Tissue by FISH")
CELLS_COUNTED = Code(LOINC, "62361-1", "Cells counted [#]")
GENE_STUDIED = Code(LOINC, "48018-6", "Gene studied [ID]")
PSEUDONYMISED = Code(OBSERVATION_VALUE, "PSEUDED", "pseudonymized")
ERBB2 = Code(HGNC, "HGNC:3430", "ERBB2")

INDETERMINATE = Code(LOINC, "LA11884-6", "Indeterminate")
IHC_ANSWERS: Mapping[IhcScore, Code] = MappingProxyType(
    {
        IhcScore.ZERO: Code(LOINC, "LA6111-4", "0"),
        IhcScore.ONE_PLUS: Code(LOINC, "LA11841-6", "1+"),
        IhcScore.TWO_PLUS: Code(LOINC, "LA11842-4", "2+"),
        IhcScore.THREE_PLUS: Code(LOINC, "LA11843-2", "3+"),
    }
)
"""Answer list LL4396-9 of the IHC score; its fifth answer is `INDETERMINATE`.  It knows no ultralow."""
STATUS_ANSWERS: Mapping[State, Code] = MappingProxyType(
    {
        State.POSITIVE: Code(LOINC, "LA6576-8", "Positive"),
        State.NEGATIVE: Code(LOINC, "LA6577-6", "Negative"),
        State.INDETERMINATE: INDETERMINATE,
        # No checked LOINC answer says so; `interpretation` carries the HL7 code.
        State.EQUIVOCAL: local("equivocal", "Equivocal"),
    }
)
INTERPRETATIONS: Mapping[State, Code] = MappingProxyType(
    {
        State.POSITIVE: Code(INTERPRETATION, "POS", "Positive"),
        State.NEGATIVE: Code(INTERPRETATION, "NEG", "Negative"),
        State.INDETERMINATE: Code(INTERPRETATION, "IND", "Indeterminate"),
        State.EQUIVOCAL: Code(INTERPRETATION, "E", "Equivocal"),
    }
)
SNOMED_STATUS: Mapping[State, Code] = MappingProxyType(
    {
        State.POSITIVE: Code(SNOMED, "10828004"),
        State.NEGATIVE: Code(SNOMED, "260385009"),
        State.INDETERMINATE: Code(SNOMED, "82334004"),
    }
)
"""Beside the LOINC answers on demand only: SNOMED CT needs a licence outside its member countries."""
SNOMED_FISH = Code(SNOMED, "1303773004")

PER_CENT = Unit("%", "%")
NUMBER_OF = Unit("{#}", "#")
UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "her2_cep17_ratio": Unit("{ratio}", "ratio"),
        "her2_mean": Unit("{copies}/{nucleus}", "copies per nucleus"),
        "cep17_mean": Unit("{copies}/{nucleus}", "copies per nucleus"),
        "h_score": Unit("{score}", "H-score (0 to 300)"),
        "h_score_low": Unit("{score}", "H-score (0 to 300)"),
        "h_score_high": Unit("{score}", "H-score (0 to 300)"),
        "h_score_before": Unit("{score}", "H-score (0 to 300)"),
        "another_result": Unit("1", "probability (0 to 1)"),
    }
)
"""Units of the numbers of a call that are neither per cent nor counts."""


def unit_of(name: str) -> Unit:
    """Give the unit of a number of `call.json` by its name.

    Examples
    --------
    >>> unit_of("pct_stained").code, unit_of("limit_of_blank_pct").code, unit_of("nuclei").code
    ('%', '%', '{#}')
    """
    if name in UNITS:
        return UNITS[name]
    return PER_CENT if name.startswith("pct_") or name.endswith("_pct") else NUMBER_OF


def is_of_breast(call: CallDoc) -> bool:
    """Tell whether the codes of a breast cancer specimen fit: by the stated site, else by the guideline."""
    if call.specimen.site is not None:
        return call.specimen.site is TumourSite.BREAST
    known = GUIDELINES.get(call.guideline)
    return known is not None and known.sites == {TumourSite.BREAST}


def ihc_code(call: CallDoc) -> Code:
    """Choose the code of the IHC score; a cancer of another organ has only the one of any tissue."""
    return IHC_BREAST if is_of_breast(call) else IHC_TISSUE


def ish_code(call: CallDoc) -> Code:
    """Choose the code of the ISH result likewise."""
    return ISH_BREAST if is_of_breast(call) else ISH_TISSUE
