"""FHIR observations of a case: overall status, IHC, expression category, and ISH counts.

What is pending or could not be measured has no value but the reason why (`dataAbsentReason`), and then claims
no more than the US Core laboratory profile: mCODE's tumour marker test demands a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.meta import Meta
from fhir.resources.R4B.observation import Observation, ObservationComponent, ObservationReferenceRange
from fhir.resources.R4B.quantity import Quantity
from fhir.resources.R4B.reference import Reference

from her2path.reports.codes import (
    CEP17_COPIES,
    HER2_COPIES,
    HER2_STATUS,
    IHC_BREAST,
    IHC_TISSUE,
    ISH_BREAST,
    ISH_TISSUE,
    OBSERVATION_CATEGORY,
    RATIO,
    Code,
)
from her2path.reports.fhir_elements import Frame, concept, day

TUMOUR_MARKER_TEST = "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-tumor-marker-test"
LABORATORY = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"
_TUMOUR_MARKERS = frozenset(
    {HER2_STATUS, IHC_BREAST, IHC_TISSUE, ISH_BREAST, ISH_TISSUE, RATIO, HER2_COPIES, CEP17_COPIES}
)
"""What is a tumour marker test; a number of cells or a category of her2path's own is not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation before it has a subject, a specimen and an identity."""

    role: str
    """What it is in its case, for example ``ihc``; ids follow from it."""
    code: Code
    text: str = ""
    """Name for people where that of the code does not say enough."""
    value: CodeableConcept | Quantity | None = None
    absent: CodeableConcept | None = None
    """Why there is no value; None where there is one, or where members hold the values."""
    interpretation: Code | None = None
    method: CodeableConcept | None = None
    components: tuple[ObservationComponent, ...] = ()
    members: tuple[str, ...] = ()
    """Roles of the observations that belong to it."""
    derived_from: tuple[str, ...] = ()
    """Roles of the observations that it was read from."""
    notes: tuple[Annotation, ...] = ()
    ranges: tuple[ObservationReferenceRange, ...] = ()
    by: tuple[str, ...] = ()
    """Pseudonyms of persons who counted or edited."""
    on: str | None = None
    """Day on which a person counted, YYYY-MM-DD; images state no day that could be told."""

    by_software: bool = True
    """Whether the software measured it; otherwise a person counted alone."""

    is_withdrawn: bool = False
    """Whether it stands only to take back what an earlier bundle of the case may have said."""

    @property
    def status(self) -> str:
        """Status by FHIR: never final, since nobody has signed."""
        if self.is_withdrawn:
            return "cancelled"
        has_content = self.value is not None or self.components or self.members
        return "preliminary" if has_content else "registered"

    @property
    def profile(self) -> str:
        """Profile that it can be held to."""
        is_marker = self.value is not None and self.code in _TUMOUR_MARKERS
        return TUMOUR_MARKER_TEST if is_marker else LABORATORY


def observation(finding: Finding, frame: Frame) -> Observation:
    """Write a finding as a resource of its case."""
    value = finding.value
    return Observation(
        meta=Meta(profile=[finding.profile]),
        id=frame.url(finding.role).removeprefix("urn:uuid:"),
        identifier=[frame.identifier(finding.role)],
        status=finding.status,
        category=[concept(Code(OBSERVATION_CATEGORY, "laboratory", "Laboratory"))],
        code=concept(finding.code, text=finding.text),
        subject=frame.subject,
        effectiveDateTime=day(finding.on),
        performer=[frame.person(name) for name in finding.by] or None,
        valueCodeableConcept=value if isinstance(value, CodeableConcept) else None,
        valueQuantity=value if isinstance(value, Quantity) else None,
        dataAbsentReason=finding.absent,
        interpretation=None if finding.interpretation is None else [concept(finding.interpretation)],
        note=list(finding.notes) or None,
        method=finding.method,
        specimen=frame.reference("specimen", "Specimen"),
        device=Reference(reference=frame.device, type="Device") if finding.by_software else None,
        referenceRange=list(finding.ranges) or None,
        hasMember=_references(finding.members, frame),
        derivedFrom=_references(finding.derived_from, frame),
        component=list(finding.components) or None,
    )


def _references(roles: Iterable[str], frame: Frame) -> list[Reference] | None:
    return [frame.reference(role, "Observation") for role in roles] or None


def roles_of(findings: Iterable[Finding]) -> Mapping[str, Finding]:
    """Index findings by role; two of one role would overwrite each other at a receiver."""
    found: dict[str, Finding] = {}
    for finding in findings:
        if finding.role in found:
            raise ValueError(f"two observations of the role {finding.role!r}")
        found[finding.role] = finding
    return found
