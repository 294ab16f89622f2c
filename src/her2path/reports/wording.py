"""The words of the reports: states, actions, flags and reasons, in plain English.

A code that is not known here is printed as it is: a report never drops what it cannot word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from her2path.domain.flags import FLAG_TEXT, Flag
from her2path.domain.guideline.definition import COUNT_SECOND, CommentKind
from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.populations import APART_ABOVE
from her2path.domain.verdict import State
from her2path.io.call_entries import Comment
from her2path.io.documents import CallDoc
from her2path.reports.number_names import code_words
from her2path.reports.numbers import number_text
from her2path.reports.reason_titles import REASON_TITLES

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


@dataclass(frozen=True, slots=True)
class Note:
    """A flag or comment: its code, and what it says."""

    code: str
    text: str
    """Empty for a flag that this version cannot word."""
    kind: str = ""
    """Of a comment: mandatory, action or note."""
    images: tuple[str, ...] = ()
    """Images that raised a flag, where there are several."""


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
            "Let that person fill in a blinded read sheet (her2path recount), and run the case again. Until "
            "then there is no HER2 result.",
        ),
        State.NEEDS_ADJUDICATION: StateWords(
            "Pending: adjudication is needed",
            "adjudication needed",
            "pending",
            "pause",
            "Responsible pathologist",
            "Record the decision in the laboratory's own report: the guideline gives no fixed rule for "
            "counts that disagree, so her2path states no HER2 result.",
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

_RECOUNTS: Mapping[str, StateWords] = MappingProxyType(
    {
        "ACT-COUNT-MORE": StateWords(
            "Pending: more nuclei must be counted",
            "more nuclei needed",
            "pending",
            "pause",
            "Laboratory",
            "Add the images of the further nuclei to the case sheet (observer 2) and run the case again; "
            "they are added to the first count. Until then there is no HER2 result.",
        ),
        COUNT_SECOND.code: StateWords(
            "Pending: the second population must be counted",
            "second count needed",
            "pending",
            "pause",
            "Laboratory",
            "Count it, and call the case again with the counts of both populations. Until then there is no "
            "HER2 result.",
        ),
    }
)
"""Counts that are asked for by these comments, and are no recount by a second observer."""
_RECOUNT = "ACT-RECOUNT"

ISH_GROUP_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "amplified": "ISH amplified",
        "equivocal": "ISH equivocal",
        "not_amplified": "ISH not amplified",
    }
)

ISH_NONE = "no ISH result"
"""Of a population that was not counted, or whose count cannot be read."""

CATEGORY_WORDS: Mapping[str, str] = MappingProxyType(
    {"positive": "HER2-positive", "low": "HER2-low", "ultralow": "HER2-ultralow", "null": "HER2-null"}
)

IMAGE_FLAG_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "tumour_automatic": "No tumour region was given: tumour cells were chosen automatically. Check on "
        "the overlay that stroma, lymphocytes, normal and in-situ epithelium are not scored.",
        "tumour_not_contiguous": "Hardly any cell lies in contiguous epithelium, so only plain lymphocytes "
        "and fibroblasts were left out. Draw the tumour and run the case again.",
        "cytoplasmic_staining": "Membranes stand out less than the cytoplasm stains, so some may be granules "
        "or edges of nuclei. Check the overlay; repeat the stain if membranes cannot be told.",
        "clusters_not_estimated": "Too few single signals were found to tell how much light one gives, so "
        "copies within clusters were not estimated and are counted as one.",
        "quality_findings": "The image has findings of quality (focus, saturation, missing signals) that may "
        "change its count; they are listed under Quality.",
        "probes_may_be_exchanged": "CEP17 signals are far more than HER2 signals, or 6 and more per nucleus: "
        "were the two probes exchanged? Name the channels in the case sheet if so.",
        "faint_signals": "Signals hardly stand out from the noise of the nuclei, so that some are missed or "
        "are texture. Expose longer, repeat the hybridisation, or count another slide.",
    }
)
"""Sentences for flags of a measurement; those of a call are worded in `her2path.domain.flags`."""

EXCLUSION_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "outside_tumour_region": "outside the tumour region",
        "excluded_region": "in a region to leave out",
        "control_tissue": "control tissue, scored on its own",
        "image_border": "cut by the border of the image",
        "out_of_focus": "out of focus",
        "lymphocyte": "looks like a lymphocyte",
        "indistinct": "too faint to be a nucleus",
        "debris": "red cell, pigment or dust",
        "spindle": "slender nucleus (fibroblast, muscle, vessel)",
        "stroma": "lies in stroma",
        "isolated": "stands alone",
        "cut_off": "cut by the border of the image",
        "too_small": "too small (fragment or lymphocyte)",
        "too_large": "too large (clump)",
        "dapi_saturated": "DAPI at full scale",
        "crushed": "crushed (drawn out)",
        "folded": "folded",
        "overlapping": "overlapping nuclei",
        "elongated": "elongated (stroma)",
        "obscured": "hidden by glow",
        "colourless": "no signal of either colour",
        "no_her2_signal": "no HER2 signal",
        "no_cep17_signal": "no CEP17 signal",
    }
)
"""Why a cell or nucleus was not counted."""

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
        "automatic": "No tumour regions were given: tumour cells were selected automatically. Check on "
        "the overlay that stroma, lymphocytes, normal and in-situ epithelium are not scored.",
    }
)


_SHARE_CUTS = (0.0, float(100 * APART_ABOVE), float(100 * (1 - APART_ABOVE)), 100.0)
"""Per cent that a share of cells must be told from: the cut of the second population, and of the main one."""


def reason_title(code: str) -> str:
    """Name a reason in a few words; an unknown code is spelt out."""
    return REASON_TITLES.get(code, code_words(code))


def exclusion_words(code: str) -> str:
    """Say why a cell or nucleus was not counted; an unknown code is spelt out."""
    return EXCLUSION_WORDS.get(code, code_words(code))


def flag_sentence(flag: str) -> str | None:
    """Explain a flag; None where this version has no sentence for it."""
    return FLAG_TEXT[Flag(flag)] if flag in tuple(Flag) else IMAGE_FLAG_SENTENCES.get(flag)


def state_words(state: str, comments: Iterable[str] = ()) -> StateWords:
    """Word a state; which count is still needed follows from the codes of its comments.

    Examples
    --------
    >>> state_words("needs_recount", ["ACT-COUNT-MORE"]).who
    'Laboratory'
    >>> state_words("needs_recount", ["ACT-RECOUNT", "ACT-COUNT-SECOND"]).headline
    'Pending: a recount is needed'
    """
    asked = [code for code in comments if code in _RECOUNTS or code == _RECOUNT]
    if state == State.NEEDS_RECOUNT and len(asked) == 1:
        return _RECOUNTS.get(asked[0], STATE_WORDS[state])
    return STATE_WORDS[state]


def words_of(call: CallDoc) -> StateWords:
    """Word the state of a call."""
    return state_words(call.state, [comment.code for comment in call.comments])


def ish_group_text(group: str) -> str:
    """Name an ISH result as in ``ISH group 2`` or ``ISH amplified``."""
    return ISH_GROUP_WORDS.get(group, f"ISH group {group}")


def conclusion_words(conclusion: str, comments: Iterable[str] = ()) -> str:
    """Word what a rule concluded: a state by its short name (see `state_words`), else as it stands.

    Examples
    --------
    >>> conclusion_words("needs_ish"), conclusion_words("ISH not_amplified: see `a_b`")
    ('ISH needed', 'ISH not amplified: see `a_b`')
    """
    if conclusion in STATE_WORDS:
        return state_words(conclusion, comments).short
    # What stands in backticks is the name of a column or a value, and stays as it is written.
    parts = conclusion.split("`")
    return "`".join(part if n % 2 else code_words(part) for n, part in enumerate(parts))


def share_text(share_pct: float) -> str:
    r"""Print the share of a population, never as the cut, as none or as all unless it is.

    Examples
    --------
    >>> share_text(12.5) == "12.5\N{NO-BREAK SPACE}%"
    True
    """
    text = number_text(share_pct, digits=1, cuts=_SHARE_CUTS)
    return f"{text.rstrip('0').rstrip('.')}\N{NO-BREAK SPACE}%"


def evidence_text(call: CallDoc) -> str:
    """Join the results that a call rests on, as in ``IHC 2+, ISH group 1``; empty if none."""
    parts = [_ihc_text(call)] if call.ihc_score is not None else []
    if call.populations:
        parts.append(f"{population_text(call)} of the cells")
    elif call.ish_group is not None:
        parts.append(ish_group_text(call.ish_group))
    return ", ".join(parts)


def _ihc_text(call: CallDoc) -> str:
    """Name the IHC score, with what its extent makes of it where a guideline asks for both."""
    score = f"IHC {call.ihc_score}"
    told = next((e.conclusion for e in call.rule_trail if e.conclusion.startswith(f"{score}, ")), score)
    return told.replace(",", "")


def population_text(call: CallDoc) -> str:
    """Name the ISH results of two populations, as in ``ISH group 5 in 70 % and ISH group 1 in 30 %``."""
    found = ((ISH_NONE if p.ish_group is None else ish_group_text(p.ish_group), p) for p in call.populations)
    return " and ".join(f"{words} in {share_text(population.share_pct)}" for words, population in found)


def notes_of(call: CallDoc) -> tuple[Note, ...]:
    """Comments of a call with their kind."""
    return worded_comments(call.comments, call.guideline)


def worded_comments(comments: Iterable[Comment], guideline: str) -> tuple[Note, ...]:
    """Give comments their kind; one that the guideline does not know is taken for mandatory."""
    known = GUIDELINES[guideline].comments if guideline in GUIDELINES else {}
    kinds = {code: str(comment.kind) for code, comment in known.items()}
    return tuple(Note(c.code, c.text, kinds.get(c.code, str(CommentKind.MANDATORY))) for c in comments)


def reason_sentences(call: CallDoc) -> tuple[str, ...]:
    """Say why a case has no result, once each."""
    return tuple(dict.fromkeys(call.reasons[image].reason for image in sorted(call.reasons)))


def headline(call: CallDoc) -> str:
    """Word the call in one line, as in ``Pending: ISH is needed (IHC 2+)``."""
    words = words_of(call)
    if call.state == NOT_EVALUABLE:
        titles = dict.fromkeys(reason_title(reason.code) for reason in call.reasons.values())
        return ": ".join([words.headline, ", ".join(titles)])
    evidence = evidence_text(call)
    return f"{words.headline} ({evidence})" if evidence else words.headline
