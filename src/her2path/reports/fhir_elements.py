"""Elements that the FHIR resources of a case share: identity, concepts, quantities, notes.

Ids follow from the pseudonym of the case and the role of a resource, so that a result that was made again
replaces the one before.  No resource names a patient: `subject` is a logical reference, which holds the
pseudonym and nothing to look up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid5

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.coding import Coding
from fhir.resources.R4B.identifier import Identifier
from fhir.resources.R4B.observation import ObservationComponent, ObservationReferenceRange
from fhir.resources.R4B.quantity import Quantity
from fhir.resources.R4B.reference import Reference

from her2path.io.call_entries import TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.codes import ABSENT, PSEUDONYMISED, UCUM, Code, unit_of
from her2path.reports.number_names import in_listing_order
from her2path.reports.numbers import number_text
from her2path.reports.own_codes import own
from her2path.reports.wording import conclusion_words

_NAMESPACE = UUID("99691279-2474-52bc-8876-42e8cb81d1c2")
IDENTIFIERS = f"urn:oid:2.25.{_NAMESPACE.int}"
"""System of identifiers where the operator names none: pseudonyms of one laboratory's case sheets."""
# FHIR strings hold no control characters but tab and line ends; XHTML neither.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def clean(text: str) -> str:
    r"""Replace what a FHIR string must not hold; everything else stays as it was written.

    Examples
    --------
    >>> clean("a\x00b <c>") == "a\N{REPLACEMENT CHARACTER}b <c>"
    True
    """
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


@dataclass(frozen=True, slots=True)
class Frame:
    """Whose resources are made, and in which name space."""

    case_id: str
    """Pseudonym of the case."""
    system: str
    """URI of the laboratory's pseudonyms."""
    device: str
    """`fullUrl` of the software."""
    snomed: bool = False
    """Whether SNOMED CT codes stand beside those that are free."""

    def url(self, role: str) -> str:
        """Give the `fullUrl` of the resource with a role in this case."""
        return f"urn:uuid:{uuid5(_NAMESPACE, f'{self.system}|{self.case_id}|{role}')}"

    def reference(self, role: str, kind: str) -> Reference:
        """Refer to a resource of the same bundle."""
        return Reference(reference=self.url(role), type=kind)

    def identifier(self, role: str) -> Identifier:
        """Give the business identifier of the resource with a role in this case."""
        return Identifier(system=self.system, value=f"{self.case_id}/{role}")

    @property
    def subject(self) -> Reference:
        """The patient behind the pseudonym of the case, who is not in the bundle."""
        kind = CodeableConcept(coding=[coding(PSEUDONYMISED)])
        pseudonym = Identifier(type=kind, system=self.system, value=self.case_id)
        return Reference(type="Patient", identifier=pseudonym)

    def person(self, pseudonym: str) -> Reference:
        """Refer to a person who took part, likewise by pseudonym alone."""
        return Reference(
            type="Practitioner", identifier=Identifier(system=self.system, value=clean(pseudonym))
        )


def device_url(key: str) -> str:
    """Give the `fullUrl` of the software by its version and models: every case shares it."""
    return f"urn:uuid:{uuid5(_NAMESPACE, f'device|{key}')}"


def coding(code: Code) -> Coding:
    """Write a code; its display only where it is known to be the system's own."""
    return Coding(system=code.system, code=code.code, display=code.display or None)


def concept(*codes: Code, text: str = "") -> CodeableConcept:
    """Write codes that mean the same, with a text for people (the first code's name by default)."""
    return CodeableConcept(
        coding=[coding(code) for code in codes] or None,
        text=clean(text) or next((code.display for code in codes if code.display), None),
    )


def absent(reason: str, text: str, *also: Code) -> CodeableConcept:
    """Say why there is no value: a code of `data-absent-reason`, her2path's own, and words."""
    return concept(Code(ABSENT, reason), *also, text=text)


def quantity(name: str, value: float) -> Quantity:
    """Write a number of a call with all its digits and its UCUM unit."""
    unit = unit_of(name)
    # repr gives the shortest digits that read back as the same number.
    return Quantity(value=Decimal(repr(value)), unit=unit.written, system=UCUM, code=unit.code)


def number_component(name: str, value: float, cuts: Iterable[float] = ()) -> ObservationComponent:
    """Write a number that has no code but her2path's own: its name in `call.json`."""
    return ObservationComponent(
        code=concept(own(name)),
        valueQuantity=quantity(name, value),
        referenceRange=cut_ranges(cuts),
    )


def bound_component(name: str, value: float, comparator: Literal["<", ">"]) -> ObservationComponent:
    """Write a number of which only a bound is known."""
    bound = quantity(name, value).model_copy(update={"comparator": comparator})
    return ObservationComponent(code=concept(own(name)), valueQuantity=bound)


def word_component(name: str, value: str) -> ObservationComponent:
    """Write a word of a call likewise."""
    return ObservationComponent(code=concept(own(name)), valueString=clean(value))


def components(
    numbers: dict[str, int | float | str | None], *, cuts: dict[str, tuple[float, ...]], skip: Iterable[str]
) -> list[ObservationComponent]:
    """Write all numbers and words of one part of a call that stand in no observation of their own."""
    left_out = set(skip)
    found = []
    for name in in_listing_order(numbers):
        value = numbers[name]
        if value is None or value == "" or name in left_out:
            continue
        if isinstance(value, str):
            found.append(word_component(name, value))
        else:
            found.append(number_component(name, value, cuts.get(name, ())))
    return found


def cut_ranges(cuts: Iterable[float]) -> list[ObservationReferenceRange] | None:
    """State the guideline's cut-points beside a number, as text: they are no range of the healthy."""
    values = sorted(set(cuts))
    if not values:
        return None
    listed = ", ".join(number_text(cut, digits=1) for cut in values)
    return [ObservationReferenceRange(text=f"Cut-points of the guideline: {listed}")]


def cuts_of(call: CallDoc) -> dict[str, tuple[float, ...]]:
    """Collect the cut-points that the call was held against, by number."""
    found: dict[str, tuple[float, ...]] = {}
    for distance in call.distance_to_cut:
        found[distance.quantity] = (*found.get(distance.quantity, ()), distance.cut)
    return found


def day(text: str | None) -> Any:
    """Read a day YYYY-MM-DD; FHIR's dateTime may be a day, which the library's types do not say."""
    return None if text is None else date.fromisoformat(text)


def rule_notes(
    call: CallDoc, steps: Iterable[TrailEntry], *, comments: Iterable[str] = ()
) -> Iterator[Annotation]:
    """Say which rules led to a result, in the order of the trail."""
    codes = tuple(comments)
    for step in steps:
        held = f" ({step.condition})" if step.condition else ""
        said = conclusion_words(step.conclusion, codes)
        yield note(f"{call.guideline}, rule {step.rule_id}: {said}{held}. Source: {step.source}")


def note(text: str, *, by: str | None = None, on: str | None = None) -> Annotation:
    """Write a remark, with who made it and on which day where that is known."""
    return Annotation(text=clean(text), authorString=None if by is None else clean(by), time=day(on))
