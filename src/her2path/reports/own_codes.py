"""What her2path's own codes mean in FHIR: one word list, so that no code gets two meanings.

Most are the names of `call.json`.  The whole list stands in `docs/fhir_codesystem.json`, for receivers that
check codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.guideline.registry import GUIDELINES
from her2path.domain.verdict import State
from her2path.reports.codes import LOCAL, STATUS_ANSWERS, Code
from her2path.reports.number_names import NUMBER_LABELS, label_of
from her2path.reports.reason_titles import REASON_TITLES
from her2path.reports.wording import CATEGORY_WORDS, ISH_GROUP_WORDS, ish_group_text

_NUMBERED = ("1", "2", "3", "4", "5")
_PARTS = frozenset({"ihc", "ish", "recount"})
"""Parts of a call that `NUMBER_LABELS` names for the rule trail; they hold no number of their own."""
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "needs_ish": "ISH is needed",
        "needs_ihc": "IHC is needed",
        "needs_recount": "A further count is needed",
        "needs_adjudication": "Adjudication is needed",
        "equivocal": STATUS_ANSWERS[State.EQUIVOCAL].display,
        "ihc_measured": "Immunohistochemistry, membrane staining of tumour cells measured on the whole slide",
        "ihc_stated": "Immunohistochemistry, score stated by a person",
        "ish_measured": "Fluorescence in situ hybridisation, signals counted on images by software",
        "ish_read_by_person": "Fluorescence in situ hybridisation, signals counted by a person",
        **{f"ish_group_{group}": ish_group_text(group) for group in _NUMBERED},
        **{f"ish_{group}": words for group, words in ISH_GROUP_WORDS.items()},
        "her2_category": "HER2 expression category of trials and labels",
        **{f"her2_{category}": words for category, words in CATEGORY_WORDS.items()},
        "count": "Which count",
        "first_count": "First count",
        "second_population": "Count of the second population",
        "recount": "Count by a second person",
        "further_nuclei": "Count of further nuclei",
        "another_result": "Probability that another count of as many nuclei gives another ISH result",
        "population": "Population of tumour cells",
        "population_share_pct": "Share of the tumour cells",
        "population_state": "Result of this population as if it were alone",
        "score_before": "IHC score before a person edited it",
    }
)
_GUIDELINES: Mapping[str, str] = MappingProxyType({name: found.title for name, found in GUIDELINES.items()})


def own(code: str) -> Code:
    """Name something by her2path's own word; a number that is not listed is spelt out.

    Examples
    --------
    >>> own("her2_low").display, own("breast_2018").display, own("no_tissue").display
    ('HER2-low', 'Breast cancer, ASCO/CAP 2018', 'no tissue was found')
    """
    for words in (_WORDS, _GUIDELINES, REASON_TITLES):
        if code in words:
            return Code(LOCAL, code, words[code])
    return Code(LOCAL, code, label_of(code))


def own_codes() -> dict[str, str]:
    """List every code with its words, by code."""
    numbers = NUMBER_LABELS.keys() - _PARTS
    return {code: own(code).display for code in sorted({*_WORDS, *_GUIDELINES, *REASON_TITLES, *numbers})}
