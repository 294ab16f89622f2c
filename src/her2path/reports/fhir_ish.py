"""The ISH counts of a case as FHIR observations: a panel for each count, and the group read from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fhir.resources.R4B.annotation import Annotation
from fhir.resources.R4B.codeableconcept import CodeableConcept
from fhir.resources.R4B.observation import ObservationComponent

from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import RecountUse
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.populations import Population
from her2path.domain.verdict import State
from her2path.io.call_entries import PopulationEntry, StabilityEntry, TrailEntry
from her2path.io.documents import CallDoc
from her2path.reports.codes import (
    CELLS_COUNTED,
    CEP17_COPIES,
    ERBB2,
    GENE_STUDIED,
    HER2_COPIES,
    INDETERMINATE,
    INTERPRETATIONS,
    ISH_PANEL,
    RATIO,
    SNOMED_FISH,
    Code,
    ish_code,
)
from her2path.reports.fhir_elements import (
    Frame,
    absent,
    bound_component,
    components,
    concept,
    cut_ranges,
    cuts_of,
    note,
    number_component,
    quantity,
    rule_notes,
    word_component,
)
from her2path.reports.fhir_observations import Finding
from her2path.reports.number_names import label_of
from her2path.reports.odds import RARE
from her2path.reports.own_codes import own
from her2path.reports.unread_tests import (
    EVIDENCE,
    not_called,
    unread_first_count,
    unread_population,
    unread_recount,
)
from her2path.reports.wording import NOT_EVALUABLE, flag_sentence

ISH = "ish"
"""Role of the first count's group; its panel and numbers begin with it."""
SECOND = "ish-second-population"
RECOUNT = "ish-recount"

_CODED: Mapping[str, tuple[str, Code]] = {
    "her2_cep17_ratio": ("ratio", RATIO),
    "her2_mean": ("her2-copies", HER2_COPIES),
    "cep17_mean": ("cep17-copies", CEP17_COPIES),
    "nuclei": ("nuclei", CELLS_COUNTED),
}
"""Numbers with a LOINC code: an observation each, with its role after that of its count."""
_READ_AS: Mapping[str, State] = {
    "1": State.POSITIVE,
    "5": State.NEGATIVE,
    "amplified": State.POSITIVE,
    "equivocal": State.EQUIVOCAL,
    "not_amplified": State.NEGATIVE,
}
"""Groups that mean the same under every version; groups 2 to 4 are read otherwise by version and with IHC."""


@dataclass(frozen=True, slots=True)
class _Count:
    """One count and who made it."""

    role: str
    words: str
    numbers: dict[str, int | float | str | None]
    kind: tuple[ObservationComponent, ...] = ()
    """What tells it from other counts of the case."""
    by: tuple[str, ...] = ()
    on: str | None = None
    steps: tuple[TrailEntry, ...] = ()
    """Rules that read this count and lead to no group of its own here."""
    unread: str = ""
    """Why its numbers are no result; empty where they are one."""

    @property
    def interpretation(self) -> Code | None:
        """That nothing can be told from numbers that are no result."""
        return INTERPRETATIONS[State.INDETERMINATE] if self.unread else None

    @property
    def notes(self) -> tuple[Annotation, ...]:
        """Why the numbers are no result; none where they are one."""
        return (note(f"{self.words}: {self.unread}. {EVIDENCE}"),) if self.unread else ()

    @property
    def panel(self) -> str:
        """Role of its panel."""
        return f"{self.role}-count"


def ish_findings(call: CallDoc, frame: Frame) -> tuple[Finding, ...]:
    """State every count of a case and what the guideline reads from it; empty where no ISH was made."""
    main = next((p for p in call.populations if p.population == Population.MAIN.value), None)
    other = next((p for p in call.populations if p.population == Population.SECOND.value), None)
    first = _Count(
        ISH,
        "HER2 ISH, first count",
        call.ish,
        kind=(_kind("first_count"), *_share(main)),
        unread=unread_first_count(call, _steps(call)),
    )
    second = _Count(
        SECOND,
        "HER2 ISH, second population",
        {} if other is None else other.ish,
        kind=(_kind("second_population"), *_share(other)),
        unread=unread_population(other),
    )
    again = _recount(call)
    found: list[Finding] = []
    for count in (first, second, again):
        if count.numbers:
            found += _panel(count, call, frame)
    if call.ish:
        read_from = (first.panel, *((again.panel,) if _adds(call) and again.numbers else ()))
        stable = call.stability if main is None else main.stability
        found.append(_group(call, first, read_from, frame, stable))
    if other is not None:
        found.append(_second_group(call, second, other, frame))
    return tuple(found)


def ish_roles(call: CallDoc) -> dict[str, Code]:
    """List every role that observations of ISH can have, with its code."""
    found: dict[str, Code] = {}
    for count in (ISH, SECOND, RECOUNT):
        found |= {f"{count}-{role}": code for role, code in _CODED.values()}
        found[_Count(count, "", {}).panel] = ISH_PANEL
    return {**found, ISH: ish_code(call), SECOND: ish_code(call)}


def _kind(name: str) -> ObservationComponent:
    return ObservationComponent(code=concept(own("count")), valueCodeableConcept=concept(own(name)))


def _share(population: PopulationEntry | None) -> tuple[ObservationComponent, ...]:
    if population is None:
        return ()
    return (
        word_component("population", population.population),
        number_component("population_share_pct", population.share_pct),
        word_component("population_state", population.state.value),
    )


def _adds(call: CallDoc) -> bool:
    known = GUIDELINES.get(call.guideline)
    return known is not None and known.recount_use is RecountUse.ADD


def _recount(call: CallDoc) -> _Count:
    reader, on = call.recount.get("reader"), call.recount.get("read_on")
    words = "further nuclei" if _adds(call) else "count by a second person"
    steps = tuple(step for step in call.rule_trail if step.conclusion.startswith("recount: "))
    return _Count(
        RECOUNT,
        f"HER2 ISH, {words}",
        call.recount,
        kind=(_kind("further_nuclei" if _adds(call) else "recount"),),
        by=() if reader is None else (str(reader),),
        on=None if on is None else str(on),
        steps=steps,
        unread=unread_recount(call, steps),
    )


def _method(frame: Frame, *, by_person: bool) -> CodeableConcept:
    also = [SNOMED_FISH] if frame.snomed else []
    return concept(own("ish_read_by_person" if by_person else "ish_measured"), *also)


def _panel(count: _Count, call: CallDoc, frame: Frame) -> Iterator[Finding]:
    """Give the panel of a count and the observations in it."""
    cuts = cuts_of(call)
    method = _method(frame, by_person=bool(count.by))
    members = [name for name in _CODED if isinstance(count.numbers.get(name), int | float)]
    for name in members:
        role, code = _CODED[name]
        value = count.numbers[name]
        assert isinstance(value, int | float)  # noqa: S101  (chosen above)
        yield Finding(
            role=f"{count.role}-{role}",
            code=code,
            text=label_of(name),
            value=quantity(name, value),
            interpretation=count.interpretation,
            method=method,
            components=count.kind,
            notes=count.notes,
            ranges=tuple(cut_ranges(cuts.get(name, ())) or ()),
            by=count.by,
            on=count.on,
            by_software=not count.by,
        )
    yield Finding(
        role=count.panel,
        code=ISH_PANEL,
        text=count.words,
        interpretation=count.interpretation,
        method=method,
        components=(*count.kind, *components(count.numbers, cuts=cuts, skip=members)),
        members=tuple(f"{count.role}-{_CODED[name][0]}" for name in members),
        notes=(*count.notes, *rule_notes(call, count.steps)),
        by=count.by,
        on=count.on,
        by_software=not count.by,
    )


def _group(
    call: CallDoc, count: _Count, read_from: tuple[str, ...], frame: Frame, stable: StabilityEntry | None
) -> Finding:
    """Give what the guideline reads from the first count (of the main population)."""
    why = None
    if call.ish_group is None and call.state == NOT_EVALUABLE:
        why = absent("error", not_called(call))
    return Finding(
        role=count.role,
        code=ish_code(call),
        text="HER2 ISH result",
        value=None if why is not None else _result(call.ish_group),
        absent=why,
        interpretation=None if why is not None else _interpretation(call.ish_group),
        method=_method(frame, by_person=False),
        components=(_gene(), *count.kind, *_another(stable)),
        derived_from=read_from,
        notes=(
            *rule_notes(call, _steps(call)),
            *(note(text) for flag in _OF_ISH if flag in call.flags and (text := flag_sentence(flag))),
        ),
    )


_OF_OTHERS = ("recount: ", "second population: ")
"""How conclusions begin that were not read from the first count."""


def _steps(call: CallDoc) -> Iterator[TrailEntry]:
    """Give the rules that read the first count, alone or with the nuclei added to it."""
    return (
        step
        for step in call.rule_trail
        if step.rule_id.startswith("ISH-") and not step.conclusion.startswith(_OF_OTHERS)
    )


_OF_ISH = (Flag.ISH_INDETERMINATE, Flag.NEAR_RATIO_CUT, Flag.CLUSTERS, Flag.SECOND_POPULATION_SUGGESTED)


def _second_group(call: CallDoc, count: _Count, population: PopulationEntry, frame: Frame) -> Finding:
    """Give what the guideline reads from the count of the second population."""
    counted = bool(population.ish)
    return Finding(
        role=count.role,
        code=ish_code(call),
        text="HER2 ISH result of the second population",
        value=_result(population.ish_group) if counted else None,
        absent=None if counted else absent("not-performed", "The second population was not counted."),
        interpretation=_interpretation(population.ish_group) if counted else None,
        method=_method(frame, by_person=False),
        components=(_gene(), *count.kind, *_another(population.stability)),
        derived_from=(count.panel,) if counted else (),
        notes=(
            *rule_notes(call, population.rule_trail, comments=[c.code for c in population.comments]),
            *(note(f"{comment.code}: {comment.text}") for comment in population.comments),
        ),
    )


def _result(group: str | None) -> CodeableConcept:
    """Write a group; a count that was made and has none cannot be read."""
    if group is None:
        return concept(INDETERMINATE)
    return concept(own(f"ish_group_{group}" if group.isdigit() else f"ish_{group}"))


def _interpretation(group: str | None) -> Code | None:
    if group is None:
        return INTERPRETATIONS[State.INDETERMINATE]
    return INTERPRETATIONS[_READ_AS[group]] if group in _READ_AS else None


def _gene() -> ObservationComponent:
    return ObservationComponent(code=concept(GENE_STUDIED), valueCodeableConcept=concept(ERBB2))


def _another(stable: StabilityEntry | None) -> tuple[ObservationComponent, ...]:
    """Say how likely another count would give another result; all nuclei alike tell nothing."""
    if stable is None or stable.nuclei_alike:
        return ()
    chance = stable.another_result
    if chance < RARE:
        return (bound_component("another_result", RARE, "<"),)
    if chance > 1 - RARE:
        return (bound_component("another_result", 1 - RARE, ">"),)
    return (number_component("another_result", chance),)
