"""What a report says of the specimen: kind, site and handling, and whether the guideline fits the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.case import TumourSite
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import GUIDELINES
from her2path.io.call_entries import SpecimenEntry
from her2path.io.documents import CallDoc

SITE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        TumourSite.BREAST: "breast",
        TumourSite.GASTROESOPHAGEAL: "stomach or oesophagus",
        TumourSite.COLORECTAL: "colon or rectum",
        TumourSite.ENDOMETRIAL: "endometrium",
        TumourSite.BILIARY: "bile ducts or gallbladder",
        TumourSite.SOLID_OTHER: "another solid tumour",
    }
)
_NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class SpecimenFact:
    """Something that was stated of the specimen, or that it was not."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class SiteWarning:
    """The chosen guideline was made for another kind of tumour than the one that was stated."""

    code: str
    made_for: str
    stated: str
    """Empty where the call does not say which site was stated."""


def specimen_facts(specimen: SpecimenEntry) -> tuple[SpecimenFact, ...]:
    """List what is known of the specimen; what is not known says so."""
    kind = _NOT_STATED if specimen.kind is None else str(specimen.kind)
    site = _NOT_STATED if specimen.site is None else SITE_WORDS[specimen.site]
    return (
        SpecimenFact("Kind of specimen", kind),
        SpecimenFact("Site of the tumour", site),
        SpecimenFact("Time in formalin", _measured(specimen.fixation_hours, "hours")),
        SpecimenFact(
            "Cold ischaemia (time to the fixative)", _measured(specimen.cold_ischaemia_minutes, "minutes")
        ),
    )


def _measured(value: float | None, unit: str) -> str:
    return _NOT_STATED if value is None else f"{value:g} {unit}"


def site_warning(call: CallDoc) -> SiteWarning | None:
    """Say that the guideline was made for another kind of tumour; None where it fits or nothing is known."""
    if Flag.GUIDELINE_SITE not in call.flags:
        return None
    known = GUIDELINES.get(call.guideline)
    return SiteWarning(
        code=str(Flag.GUIDELINE_SITE),
        made_for=_joined(
            SITE_WORDS[site] for site in TumourSite if known is not None and site in known.sites
        ),
        stated="" if call.specimen.site is None else SITE_WORDS[call.specimen.site],
    )


def _joined(words: Iterable[str]) -> str:
    return "; ".join(words)
