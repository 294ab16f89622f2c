"""The words of the reports: states, actions, flags and reasons, in plain English.

A code that is not known here is printed as it is: a report never drops what it cannot word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.flags import FLAG_TEXT, Flag
from her2path.domain.ihc import StainingClass
from her2path.domain.verdict import State
from her2path.io.documents import CallDoc

NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True, slots=True)
class StateWords:
    """How a state is shown: its words, its shape and who acts on it."""

    headline: str
    """Begins the large line of the page."""
    short: str
    """For a table."""
    look: str
    """Style class: `positive`, `negative`, `unsettled`, `pending`, `failed`."""
    symbol: str
    """Shape beside the words, so that colour is never the only sign."""
    who: str
    action: str


_SIGN = (
    "Pathologist",
    "Review the evidence below beside the slides, and sign or correct the result.",
)

STATE_WORDS: Mapping[str, StateWords] = MappingProxyType(
    {
        State.POSITIVE: StateWords("HER2 positive", "positive", "positive", "plus", *_SIGN),
        State.NEGATIVE: StateWords("HER2 negative", "negative", "negative", "minus", *_SIGN),
        State.EQUIVOCAL: StateWords(
            "HER2 equivocal",
            "equivocal",
            "unsettled",
            "tilde",
            "Pathologist and laboratory",
            "Neither positive nor negative by this guideline: order the further test that it names, on this "
            "or on a new specimen.",
        ),
        State.INDETERMINATE: StateWords(
            "HER2 indeterminate",
            "indeterminate",
            "unsettled",
            "question",
            "Pathologist and laboratory",
            "A test could not be read for technical reasons (see the rule trail): repeat it, or ask for "
            "another specimen, and state the reason in the report.",
        ),
        State.NEEDS_ISH: StateWords(
            "Pending: ISH is needed",
            "ISH needed",
            "pending",
            "pause",
            "Laboratory",
            "Add the ISH images to the case sheet (assay fish) and run the case again. Until then there is "
            "no HER2 result.",
        ),
        State.NEEDS_IHC: StateWords(
            "Pending: IHC is needed",
            "IHC needed",
            "pending",
            "pause",
            "Laboratory",
            "Add the IHC image to the case sheet (assay ihc) and run the case again. Until then there is no "
            "HER2 result.",
        ),
        State.NEEDS_RECOUNT: StateWords(
            "Pending: a recount is needed",
            "recount needed",
            "pending",
            "pause",
            "Second observer, blinded to the first count",
            "Add the images of the recount to the case sheet (observer 2) and run the case again. Until then "
            "there is no HER2 result.",
        ),
        State.NEEDS_ADJUDICATION: StateWords(
            "Pending: adjudication is needed",
            "adjudication needed",
            "pending",
            "pause",
            "Responsible pathologist",
            "Decide by the laboratory's own written procedure: the guideline gives no fixed rule for counts "
            "that disagree, so there is no HER2 result.",
        ),
        NOT_EVALUABLE: StateWords(
            "Not evaluable",
            "not evaluable",
            "failed",
            "cross",
            "Laboratory",
            "Mend the cause stated here, then run the case again. There is no HER2 result.",
        ),
    }
)

ISH_GROUP_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "amplified": "ISH amplified",
        "equivocal": "ISH equivocal",
        "not_amplified": "ISH not amplified",
    }
)

CATEGORY_WORDS: Mapping[str, str] = MappingProxyType(
    {"positive": "HER2-positive", "low": "HER2-low", "ultralow": "HER2-ultralow", "null": "HER2-null"}
)

IMAGE_FLAG_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "heterogeneous": "Staining or signals differ between parts of the tumour. Look for a second "
        "population.",
        "few_nuclei": "Few nuclei could be counted; the means are uncertain.",
        "clusters": "Some nuclei hold signal clusters whose copies are estimates.",
        "automatic_tumour_selection": "No tumour region was given; tumour cells were selected automatically.",
        "default_stain_vectors": "The slide's stain colours could not be estimated; default ones were used.",
    }
)
"""Sentences for flags of a measurement; those of a call are worded in `her2path.domain.flags`."""

STAINING_WORDS: Mapping[str, str] = MappingProxyType(
    {
        StainingClass.COMPLETE_INTENSE: "Complete, intense",
        StainingClass.COMPLETE_WEAK_MODERATE: "Complete, weak to moderate",
        StainingClass.INCOMPLETE_MODERATE_INTENSE: "Incomplete, moderate to intense",
        StainingClass.INCOMPLETE_FAINT: "Incomplete or faint",
        StainingClass.NONE: "No staining",
    }
)

ORIGIN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "case_sheet": "given in the case sheet",
        "vendor": "from the scanner's properties",
        "tiff_resolution": "from the TIFF resolution",
        "ome_metadata": "from the OME metadata",
    }
)

SELECTION_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "regions": "Tumour cells are those within the tumour regions of the case sheet.",
        "automatic": "No tumour regions were given: tumour cells were selected automatically. Check on the "
        "overlay that stroma, lymphocytes, normal and in-situ epithelium are not scored.",
    }
)


OVER_BLANK = "_over_blank"
"""Ends the name of a number that is compared with the limit of blank instead of a cut-point."""

NUMBER_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "scored_cells": "Scored tumour cells",
        "h_score": "H-score",
        "pct_stained": "All stained cells (%)",
        "pct_complete": "Complete, any intensity (%)",
        "limit_of_blank_pct": "Limit of blank (%)",
        "nuclei": "Counted nuclei",
        "her2_signals": "HER2 signals",
        "cep17_signals": "CEP17 signals",
        "her2_mean": "Mean HER2 per nucleus",
        "cep17_mean": "Mean CEP17 per nucleus",
        "her2_cep17_ratio": "HER2/CEP17 ratio",
        "ihc": "IHC",
        "ish": "ISH",
        "areas": "Counted areas",
        **{f"pct_{name}": f"{words} (%)" for name, words in STAINING_WORDS.items()},
    }
)
"""Names of numbers in a call, in words."""


def label_of(name: str) -> str:
    """Words for the name of a number; an unknown one is spelt out.

    Examples
    --------
    >>> label_of("pct_stained_over_blank")
    'All stained cells (%), limit of blank'
    """
    if name.endswith(OVER_BLANK):
        return f"{label_of(name.removesuffix(OVER_BLANK))}, limit of blank"
    return NUMBER_LABELS.get(name, code_words(name))


def code_words(code: str) -> str:
    """Spell a machine-readable code as words: underscores become spaces."""
    return code.replace("_", " ")


def flag_sentence(flag: str) -> str | None:
    """Explain a flag; None where this version has no sentence for it."""
    return FLAG_TEXT[Flag(flag)] if flag in tuple(Flag) else IMAGE_FLAG_SENTENCES.get(flag)


def ish_group_text(group: str) -> str:
    """Name an ISH result as in ``ISH group 2`` or ``ISH amplified``."""
    return ISH_GROUP_WORDS.get(group, f"ISH group {group}")


def evidence_text(call: CallDoc) -> str:
    """Join the results that a call rests on, as in ``IHC 2+, ISH group 1``; empty if none."""
    parts = [f"IHC {call.ihc_score}"] if call.ihc_score is not None else []
    parts += [ish_group_text(call.ish_group)] if call.ish_group is not None else []
    return ", ".join(parts)


def reason_sentences(call: CallDoc) -> tuple[str, ...]:
    """Say why a case has no result, once each, the case's own reason first."""
    own = [call.not_evaluable.reason] if call.not_evaluable else []
    return tuple(dict.fromkeys(own + [call.reasons[image].reason for image in sorted(call.reasons)]))


def headline(call: CallDoc) -> str:
    """Word the call in one line, as in ``Pending: ISH is needed (IHC 2+)``."""
    words = STATE_WORDS[call.state]
    if call.state == NOT_EVALUABLE:
        codes = [call.not_evaluable] if call.not_evaluable else list(call.reasons.values())
        return ": ".join([words.headline, ", ".join(dict.fromkeys(code_words(r.code) for r in codes))])
    evidence = evidence_text(call)
    return f"{words.headline} ({evidence})" if evidence else words.headline
