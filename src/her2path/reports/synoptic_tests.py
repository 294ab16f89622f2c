"""What the synoptic summary says of each test: IHC, ISH, a recount, and two populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from her2path.domain.case import Assay, Controls
from her2path.domain.flags import Flag
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.ihc import IhcScore, Reactivity, StainingClass
from her2path.domain.verdict import State
from her2path.io.call_entries import PopulationEntry
from her2path.io.documents import CallDoc
from her2path.reports.control_section import control_sections
from her2path.reports.evidence import ImageEvidence
from her2path.reports.number_names import LEVEL_WORDS, STAINING_WORDS, label_of
from her2path.reports.numbers import number_text, percentage_text, value_text
from her2path.reports.synoptic_field import (
    Standing,
    SynopticField,
    SynopticPart,
    number,
    without,
    words,
)
from her2path.reports.trail_section import Cuts, cell_cuts, cuts_by_quantity
from her2path.reports.unread_tests import not_called
from her2path.reports.wording import ISH_NONE, NOT_EVALUABLE, ish_group_text, share_text, state_words

Numbers = Mapping[str, int | float | str | None]

_MEANING: Mapping[IhcScore, str] = MappingProxyType(
    {
        IhcScore.ZERO: "negative",
        IhcScore.ONE_PLUS: "negative",
        IhcScore.TWO_PLUS: "equivocal",
        IhcScore.THREE_PLUS: "positive",
    }
)
_BY_SCORE_ALONE = frozenset({"breast", "gastroesophageal"})
"""Families of guidelines by which the score alone has this meaning; elsewhere extent or ISH comes in."""
_STAINING_OF_ZERO: Mapping[str, str] = MappingProxyType(
    {
        "null": "no membrane staining",
        "ultralow": "membrane staining is present, but too little for 1+",
    }
)
_CONTROL_WORDS: Mapping[Controls, str | None] = MappingProxyType(
    {Controls.PASS: "accepted", Controls.FAIL: "failed", Controls.UNKNOWN: None}
)
_LEVELS = (Reactivity.STRONG, Reactivity.WEAK_MODERATE, Reactivity.FAINT, Reactivity.NONE)
_ISH_FIELDS = (
    ("nuclei", "ish_nuclei", "Nuclei counted", "{#}"),
    ("her2_mean", "her2_per_nucleus", "HER2 signals per nucleus, mean", "{copies}/{nucleus}"),
    ("cep17_mean", "cep17_per_nucleus", "CEP17 signals per nucleus, mean", "{copies}/{nucleus}"),
    ("her2_cep17_ratio", "her2_cep17_ratio", "Ratio of HER2 to CEP17", "{ratio}"),
)
_OF_DUAL_PROBES = frozenset({"cep17_mean", "her2_cep17_ratio"})


def ihc_part(call: CallDoc, images: Sequence[ImageEvidence]) -> SynopticPart:
    """Summarise IHC: score, percentages as the guideline reads them, and how they were measured."""
    shown = [image for image in images if image.facts.assay is Assay.IHC]
    is_done = bool(shown) or call.ihc_score is not None or bool(call.ihc)
    missing = _missing(
        call, is_done=is_done, needs=State.NEEDS_IHC, unread=Flag.IHC_INDETERMINATE, images=shown
    )
    fields = [_score(call, missing)]
    fields += _staining(call, shown, missing)
    fields.append(_value(call, call.ihc, "scored_cells", "ihc_cells", "Tumour cells scored", "{#}", missing))
    fields.append(_value(call, call.ihc, "h_score", "h_score", "H-score, 0 to 300 (an extra)", "", missing))
    if is_done:
        fields += _made(shown, "ihc", "Antibody and kit")
        tissue = control_sections([image for image in shown if image.has_result], {})
        fields += [words("ihc_control_tissue", "Control tissue on the slide", found.run) for found in tissue]
        how = ", ".join(model.id for model in call.models) or "classical method"
        fields.append(words("ihc_image_analysis", "Image analysis", f"her2path {_version(call)}, {how}"))
    return SynopticPart("ihc", "HER2 protein, immunohistochemistry", tuple(fields))


def _score(call: CallDoc, missing: Standing) -> SynopticField:
    name, label = "ihc_score", "IHC score"
    if call.ihc_score is None:
        why = _why_not(call, Flag.IHC_INDETERMINATE, "IHC-", measured=bool(call.ihc))
        return without(name, label, missing, why)
    family = _family(call)
    said = str(call.ihc_score)
    if family in _BY_SCORE_ALONE:
        said += f" ({_MEANING[call.ihc_score]})"
    if family == "breast" and call.ihc_score is IhcScore.ZERO:
        told = _staining_of_zero(call)
        said += f", {told}" if told else ""
    return SynopticField(name, label, value=str(call.ihc_score), text=said)


def _staining_of_zero(call: CallDoc) -> str | None:
    """Say whether membranes stain; stained cells within the limit of blank are told, not taken for none."""
    if Flag.STAINED_WITHIN_BLANK not in call.flags:
        return _STAINING_OF_ZERO.get(call.her2_category or "")
    numbers = _numbers_of_rule(call)
    cells, pct = numbers.get("scored_cells"), numbers.get("pct_stained")
    said = "no staining beyond the limit of blank"
    if not isinstance(cells, int) or not isinstance(pct, int | float):
        return said
    share = number_text(float(pct), cuts=(0.0,))
    return f"{said}; {round(cells * pct / 100)} of {cells} cells ({share} %) read as stained"


def _staining(call: CallDoc, images: Sequence[ImageEvidence], missing: Standing) -> list[SynopticField]:
    """List the percentages that the guideline reads: classes for the breast, levels elsewhere."""
    known: Numbers = {**_measured_levels(images), **call.ihc, **_numbers_of_rule(call)}
    if _family(call) == "breast":
        return [
            _value(call, known, f"pct_{c}", f"pct_{c}", STAINING_WORDS[c], "%", missing)
            for c in StainingClass
        ]
    fields = [
        _value(
            call,
            known,
            f"pct_{level}",
            f"pct_{level}",
            LEVEL_WORDS[level] if level is Reactivity.NONE else f"{LEVEL_WORDS[level]} staining",
            "%",
            missing,
        )
        for level in _LEVELS
    ]
    clusters = [f"cluster_{level}" for level in _LEVELS if f"cluster_{level}" in known]
    rule = "by clusters of 5 cells (biopsy)" if clusters else "by percentages (resection)"
    scored = call.ihc_score is not None
    if _family(call) == "gastroesophageal":
        fields.insert(
            0,
            words("ihc_scored_by", "Scored", rule) if scored else without("ihc_scored_by", "Scored", missing),
        )
    fields += [_value(call, known, name, name, label_of(name), "{#}", missing) for name in clusters]
    return fields


def ish_part(call: CallDoc, images: Sequence[ImageEvidence]) -> SynopticPart:
    """Summarise ISH: result, counts, and how they were made."""
    shown = [i for i in images if i.facts.assay is Assay.FISH and i.facts.observer == 1]
    is_done = bool(shown) or bool(call.ish)
    missing = _missing(
        call, is_done=is_done, needs=State.NEEDS_ISH, unread=Flag.ISH_INDETERMINATE, images=shown
    )
    fields = [_ish_result(call, missing)]
    if is_done:
        fields += _counted_by(call, missing)
    fields += _counts(call.ish, missing, cuts_by_quantity(call))
    fields += _scatter(shown)
    if is_done:
        fields += _made(shown, "ish", "Probe set and kit")
        by = f"her2path {_version(call)}" if shown else None
        fields.append(words("ish_image_analysis", "Image analysis", by))
    return SynopticPart("ish", "HER2 gene, in situ hybridisation", tuple(fields))


def _ish_result(call: CallDoc, missing: Standing) -> SynopticField:
    name, label = "ish_result", "ISH result"
    if call.ish_group is None:
        why = _why_not(call, Flag.ISH_INDETERMINATE, "ISH-", measured=bool(call.ish))
        return without(name, label, missing, why)
    found = ish_group_text(call.ish_group)
    # With two populations the call holds result and counts of the main one here.
    return SynopticField(name, label, found, text=f"{found} (main population)" if call.populations else found)


def _counted_by(call: CallDoc, missing: Standing) -> list[SynopticField]:
    """Tell with which probe and by whom signals were counted; an image that failed was counted by nobody."""
    if not call.ish:
        return [without("ish_probe", "Probe", missing), without("ish_observers", "Observers", missing)]
    probe = call.ish.get("probe")
    who = f"{2 if call.recount else 1}: the program{', and a person' if call.recount else ''}"
    return [
        words("ish_probe", "Probe", None if probe is None else f"{probe} probe"),
        SynopticField("ish_observers", "Observers", value=2 if call.recount else 1, text=who),
    ]


def recount_part(call: CallDoc) -> tuple[SynopticPart, ...]:
    """Summarise the count of a second observer; no part without one."""
    if not call.recount:
        return ()
    reader = call.recount.get("reader")
    fields = [words("recount_by", "Counted by", None if reader is None else str(reader))]
    fields += _counts(call.recount, Standing.NOT_MEASURED, cuts_by_quantity(call), prefix="recount_")
    return (SynopticPart("recount", "Count of a second observer", tuple(fields)),)


def population_parts(call: CallDoc) -> tuple[SynopticPart, ...]:
    """Summarise two populations that are reported apart; no part otherwise."""
    return tuple(_population(call, population) for population in call.populations)


def _population(call: CallDoc, found: PopulationEntry) -> SynopticPart:
    group = ISH_NONE if found.ish_group is None else ish_group_text(found.ish_group)
    fields = [
        SynopticField(
            f"{found.population}_share",
            "Share of the tumour cells",
            value=found.share_pct,
            unit="%",
            text=share_text(found.share_pct),
        ),
        words(
            f"{found.population}_status",
            "HER2 status of this population alone",
            state_words(found.state, [comment.code for comment in found.comments]).short,
        ),
        words(f"{found.population}_ish_result", "ISH result", group),
    ]
    fields += _counts(found.ish, Standing.NOT_GIVEN, cuts_by_quantity(call), prefix=f"{found.population}_")
    title = "Main population" if found.population == "main" else "Second population"
    return SynopticPart(f"population_{found.population}", title, tuple(fields))


def _counts(numbers: Numbers, missing: Standing, cuts: Cuts, *, prefix: str = "") -> list[SynopticField]:
    is_single = numbers.get("probe") == "single"
    fields = []
    for key, name, label, unit in _ISH_FIELDS:
        value = numbers.get(key)
        absent = Standing.NOT_MEASURED if is_single and key in _OF_DUAL_PROBES else missing
        counted = value if isinstance(value, int | float) else None
        text = "" if counted is None else value_text(key, counted, cuts=cuts.get(key, ()))
        fields.append(number(f"{prefix}{name}", label, counted, text, unit, missing=absent))
    return fields


def _scatter(images: Sequence[ImageEvidence]) -> list[SynopticField]:
    """Tell the range of signals and the nuclei with clusters, over the counted images."""
    results = [image.counts.result for image in images if image.counts is not None and image.counts.result]
    nuclei = [her2 for result in results for her2, _ in result.nuclei]
    if not nuclei:
        return []
    clusters = sum(result.nuclei_with_clusters for result in results)
    span = f"{min(nuclei)} to {max(nuclei)}"
    return [
        words("her2_range", "HER2 signals, least to most", span),
        SynopticField(
            "nuclei_with_clusters", "Nuclei with clusters", value=clusters, unit="{#}", text=str(clusters)
        ),
    ]


def _made(images: Sequence[ImageEvidence], test: str, reagents: str) -> list[SynopticField]:
    """Tell how a test was made: its controls as stated, and what only the laboratory knows."""
    stated = {_CONTROL_WORDS[image.facts.controls] for image in images}
    controls = None if not stated or None in stated else "; ".join(sorted(filter(None, stated)))
    return [
        words(f"{test}_controls", "Controls, as stated", controls),
        words(f"{test}_reagents", reagents, None),
        words(f"{test}_regulatory_status", "Regulatory status", None),
    ]


def _value(
    call: CallDoc, numbers: Numbers, key: str, name: str, label: str, unit: str, missing: Standing
) -> SynopticField:
    found = numbers.get(key)
    value = found if isinstance(found, int | float) else None
    if value is None:
        return without(name, label, missing)
    if unit == "%":
        cuts = cell_cuts(call).get(key, ())
        return SynopticField(name, label, float(value), unit, f"{percentage_text(float(value), cuts=cuts)} %")
    return SynopticField(name, label, value, unit, value_text(key, value))


def _missing(
    call: CallDoc, *, is_done: bool, needs: State, unread: Flag, images: Sequence[ImageEvidence]
) -> Standing:
    """Tell why a number of a test may be missing."""
    if not is_done:
        return Standing.PENDING if call.state == needs else Standing.NOT_GIVEN
    # A failed image leaves the whole case without a score, whatever was measured on the others.
    if call.state == NOT_EVALUABLE or unread in call.flags or any(not image.has_result for image in images):
        return Standing.NOT_EVALUABLE
    return Standing.NOT_MEASURED


def _why_not(call: CallDoc, flag: Flag, prefix: str, *, measured: bool) -> str:
    """Give the reasons for which a test could not be read, or for which nothing was called from it."""
    if flag not in call.flags:
        return not_called(call) if measured else ""
    said = [e.conclusion for e in call.rule_trail if e.rule_id.startswith(prefix)]
    return "; ".join(conclusion.removeprefix("indeterminate: ") for conclusion in said)


def _numbers_of_rule(call: CallDoc) -> Numbers:
    """Give the numbers of the rule that scored IHC: they hold what the guideline reads."""
    return next((entry.numbers for entry in call.rule_trail if "scored_cells" in entry.numbers), {})


def _measured_levels(images: Sequence[ImageEvidence]) -> Numbers:
    """Give the percentages by level of a single slide; those of several slides stand in the call alone."""
    results = [image.score.result for image in images if image.score is not None and image.score.result]
    if len(results) != 1:
        return {}
    return {f"pct_{name}": share.pct for name, share in results[0].compared.items()}


def _family(call: CallDoc) -> str:
    known = GUIDELINES.get(call.guideline)
    return "" if known is None else known.family


def _version(call: CallDoc) -> str:
    return call.produced_by.version
