"""The result of a case as a FHIR R4 bundle.

FHIR 4.0.1 is what mCODE 4, US Core and the profiles of the German Medical Informatics Initiative are made
for; `fhir.resources` models 4.3 (R4B), which is the same for every resource and element used here.

A report is never `final`, for nobody has signed it.  It is `partial` ("data may be incomplete or unverified")
and not `preliminary`, which for a report means that its results are verified; its observations are
`preliminary`, which for an observation means no such thing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID, uuid5

from fhir.resources.R4B.attachment import Attachment
from fhir.resources.R4B.bundle import Bundle, BundleEntry, BundleEntryRequest
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.device import Device, DeviceDeviceName, DeviceVersion
from fhir.resources.R4B.diagnosticreport import DiagnosticReport
from fhir.resources.R4B.identifier import Identifier
from fhir.resources.R4B.meta import Meta
from fhir.resources.R4B.narrative import Narrative
from fhir.resources.R4B.specimen import Specimen, SpecimenCollection, SpecimenContainer, SpecimenProcessing

from her2path.domain.case import Specimen as SpecimenKind
from her2path.io.documents import CallDoc
from her2path.reports.codes import HER2_STATUS, LOCAL, PSEUDONYMISED, REPORT_SECTION, SPECIMEN_TYPE, Code
from her2path.reports.evidence import ImageEvidence
from her2path.reports.fhir_elements import IDENTIFIERS, Frame, clean, coding, concept, device_url, note
from her2path.reports.fhir_ihc import IHC, ihc_finding
from her2path.reports.fhir_ish import ISH, SECOND, ish_findings
from her2path.reports.fhir_observations import Finding, observation, roles_of
from her2path.reports.fhir_status import category_finding, status_finding
from her2path.reports.fhir_withdrawn import withdrawn_findings
from her2path.reports.limits_of_use import LIMITS_OF_USE
from her2path.reports.specimen_section import SITE_WORDS
from her2path.reports.wording import flag_sentence, headline, words_of

REPORT = "report"
_SPECIMEN = "specimen"
_REPORT_PROFILE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-diagnosticreport-lab"
_BUNDLES = UUID("d296eec9-cb5d-5201-9f3b-a0aadc503118")
# us-core-8 and us-core-9 ask for both times, and US Core's way of not knowing one is this extension.
_UNKNOWN = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    ]
}
_NO_TIMES: dict[str, Any] = {"_effectiveDateTime": _UNKNOWN, "_issued": _UNKNOWN}
BundleKind = Literal["collection", "transaction"]


@dataclass(frozen=True, slots=True)
class ExchangeSettings:
    """How a laboratory wants its bundles."""

    system: str = IDENTIFIERS
    """URI of its pseudonyms."""
    kind: BundleKind = "collection"
    snomed: bool = False
    """Whether SNOMED CT codes stand beside those that are free."""


def case_bundle(
    call: CallDoc,
    images: tuple[ImageEvidence, ...],
    *,
    call_sha256: str,
    synoptic: str,
    settings: ExchangeSettings,
) -> str:
    """Write a case as the text of `report.fhir.json`.

    Parameters
    ----------
    call : CallDoc
        The result of the case.
    images : tuple of ImageEvidence
        Its images; empty for a call of typed numbers.
    call_sha256 : str
        Digest of `call.json`, from which the bundle gets its identifier.
    synoptic : str
        Synoptic report as text, attached to the report; empty for none.
    settings : ExchangeSettings
        How the laboratory wants its bundles.

    Returns
    -------
    str
        Indented JSON, the same bytes for the same input.
    """
    software = _Software.of(call, images)
    frame = Frame(call.case_id, settings.system, device_url(software.key), settings.snomed)
    findings = tuple(_findings(call, images, frame))
    sent = {finding.role for finding in findings}
    gone = tuple(withdrawn_findings(call, sent)) if settings.kind == "transaction" else ()
    entries = [
        (REPORT, _report(call, findings, frame, synoptic)),
        *((finding.role, observation(finding, frame)) for finding in (*findings, *gone)),
        (_SPECIMEN, _specimen(call, images, frame)),
    ]
    written = [_entry(frame.url(role), resource, settings.kind) for role, resource in entries]
    written.append(_entry(frame.device, _device(software, call), settings.kind))
    bundle = Bundle(
        meta=Meta(security=[coding(PSEUDONYMISED)]),
        identifier=Identifier(
            system="urn:ietf:rfc:3986", value=f"urn:uuid:{uuid5(_BUNDLES, call_sha256 + call.case_id)}"
        ),
        type=settings.kind,
        entry=written,
    )
    return f"{bundle.model_dump_json(indent=1)}\n"


def _findings(call: CallDoc, images: tuple[ImageEvidence, ...], frame: Frame) -> Iterator[Finding]:
    """List the observations of a case, the overall status first."""
    ihc, ish, category = ihc_finding(call, images), ish_findings(call, frame), category_finding(call)
    others = [finding for finding in (ihc, category, *ish) if finding is not None]
    roles = roles_of(others)
    yield status_finding(call, frame, tuple(role for role in (IHC, ISH, SECOND) if role in roles))
    yield from others


def _entry(url: str, resource: Any, kind: BundleKind) -> BundleEntry:
    if kind == "collection":
        return BundleEntry(fullUrl=url, resource=resource)
    # A conditional update: a case that is sent again replaces its earlier result, whatever id it got.
    which = resource.identifier[0]
    query = f"identifier={quote(f'{which.system}|{which.value}', safe='')}"
    return BundleEntry(
        fullUrl=url,
        resource=resource.model_copy(update={"id": None}),
        request=BundleEntryRequest(method="PUT", url=f"{resource.get_resource_type()}?{query}"),
    )


def _report(call: CallDoc, findings: tuple[Finding, ...], frame: Frame, synoptic: str) -> DiagnosticReport:
    within = {role for finding in findings for role in finding.members}
    has_content = any(finding.status != "registered" for finding in findings)
    return DiagnosticReport(
        id=frame.url(REPORT).removeprefix("urn:uuid:"),
        meta=Meta(profile=[_REPORT_PROFILE]),
        language="en",
        text=_narrative(call),
        identifier=[frame.identifier(REPORT)],
        status="partial" if has_content else "registered",
        category=[concept(Code(REPORT_SECTION, "LAB", "Laboratory"))],
        code=concept(HER2_STATUS, text="HER2 report (image analysis, not signed)"),
        subject=frame.subject,
        specimen=[frame.reference(_SPECIMEN, "Specimen")],
        result=[frame.reference(one.role, "Observation") for one in findings if one.role not in within],
        conclusion=clean(headline(call)),
        presentedForm=[_attached(synoptic)] if synoptic else None,
        **_NO_TIMES,
    )


def _attached(text: str) -> Attachment:
    return Attachment(
        contentType="text/plain; charset=utf-8",
        language="en",
        data=base64.b64encode(text.encode()),
        title="synoptic.txt",
    )


def _narrative(call: CallDoc) -> Narrative:
    """Say the result in XHTML for a reader that shows nothing else."""
    words = words_of(call)
    flags = [sentence for flag in call.flags if (sentence := flag_sentence(flag))]
    parts = [
        f"<p><b>{_shown(headline(call))}</b></p>",
        f"<p>Case {_shown(call.case_id)}, guideline {_shown(call.guideline)}. "
        f"Next: {_shown(words.who)}. {_shown(words.action)}</p>",
        *_listed("Comments", [comment.text for comment in call.comments]),
        *_listed("To know", flags),
        *_listed("Limits of use", list(LIMITS_OF_USE)),
    ]
    return Narrative(
        status="generated", div=f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(parts)}</div>'
    )


def _listed(title: str, sentences: list[str]) -> Iterator[str]:
    if sentences:
        items = "".join(f"<li>{_shown(sentence)}</li>" for sentence in sentences)
        yield f"<p>{title}:</p><ul>{items}</ul>"


def _shown(text: str) -> str:
    return escape(clean(text))


def _specimen(call: CallDoc, images: tuple[ImageEvidence, ...], frame: Frame) -> Specimen:
    stated = call.specimen
    processing = {
        "Fixation in formalin, hours": stated.fixation_hours,
        "Cold ischaemia, minutes": stated.cold_ischaemia_minutes,
    }
    return Specimen(
        id=frame.url(_SPECIMEN).removeprefix("urn:uuid:"),
        identifier=[frame.identifier(_SPECIMEN)],
        type=_specimen_type(stated.kind),
        subject=frame.subject,
        collection=None
        if stated.site is None
        else SpecimenCollection(bodySite=concept(text=SITE_WORDS[stated.site])),
        processing=[
            SpecimenProcessing(description=f"{name}: {value:g}")
            for name, value in processing.items()
            if value is not None
        ]
        or None,
        container=[_slide(image, frame) for image in images] or None,
    )


def _specimen_type(kind: SpecimenKind | None) -> CodeableConcept:
    if kind is SpecimenKind.CYTOLOGY:
        return concept(text="Cytology")
    words = "" if kind is None else f", {kind}"
    return concept(Code(SPECIMEN_TYPE, "TISS", "Tissue"), text=f"Tissue of a tumour{words}")


def _slide(image: ImageEvidence, frame: Frame) -> SpecimenContainer:
    """Name the slide behind an image by the pseudonym of the image."""
    facts = image.facts
    area = f", area {facts.area}" if facts.area else ""
    observer = f", observer {facts.observer}" if facts.observer > 1 else ""
    return SpecimenContainer(
        identifier=[Identifier(system=frame.system, value=image.image_id)],
        description=clean(f"{facts.assay.upper()} slide{area}{observer}; controls: {facts.controls}"),
    )


@dataclass(frozen=True, slots=True)
class _Software:
    """What measured and called a case; cases of the same versions and models share one device."""

    version: str
    others: tuple[str, ...]
    """Other versions of her2path that measured some of the images."""
    key: str
    """Names versions and models."""

    @classmethod
    def of(cls, call: CallDoc, images: tuple[ImageEvidence, ...]) -> _Software:
        version = call.produced_by.version
        others = sorted({by.version for image in images for _, by in image.producers} - {version})
        models = [f"{model.id}@{model.sha256[:16]}" for model in call.models]
        return cls(version, tuple(others), "+".join([f"her2path/{version}", *others, *models]))


def _device(software: _Software, call: CallDoc) -> Device:
    """Describe the software with its version, and the models that measured."""
    return Device(
        id=device_url(software.key).removeprefix("urn:uuid:"),
        identifier=[Identifier(system=LOCAL, value=software.key)],
        deviceName=[DeviceDeviceName(name="her2path", type="user-friendly-name")],
        type=CodeableConcept(text="Software that analyses images of HER2 IHC and ISH"),
        version=[
            DeviceVersion(type=concept(text="her2path"), value=software.version),
            *(
                DeviceVersion(type=concept(text="her2path, of some of the images"), value=other)
                for other in software.others
            ),
            *(
                DeviceVersion(
                    type=concept(text=f"Model that finds cells ({model.origin})"),
                    component=Identifier(value=f"sha256:{model.sha256}"),
                    value=clean(model.id),
                )
                for model in call.models
            ),
        ],
        note=[note(limit) for limit in LIMITS_OF_USE],
    )
