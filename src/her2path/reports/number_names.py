"""Names of the measured numbers and staining classes, in words, in the order in which pages list them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from her2path.domain.ihc import Reactivity, StainingClass, levels_from

STAINING_WORDS: Mapping[str, str] = MappingProxyType(
    {
        StainingClass.COMPLETE_INTENSE: "Complete, intense",
        StainingClass.COMPLETE_WEAK_MODERATE: "Complete, weak to moderate",
        StainingClass.INCOMPLETE_MODERATE_INTENSE: "Incomplete, moderate to intense",
        StainingClass.INCOMPLETE_FAINT: "Incomplete or faint",
        StainingClass.NONE: "No staining",
    }
)

LEVEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Reactivity.STRONG: "Strong",
        Reactivity.WEAK_MODERATE: "Weak to moderate",
        Reactivity.FAINT: "Faint",
        Reactivity.NONE: "No staining",
    }
)
"""The levels of guidelines that do not ask whether the membrane is closed."""

SUM_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "complete": "Complete, any intensity",
        "lateral_or_intense": "Incomplete moderate to intense, with complete intense",
        "complete_or_lateral": "Complete, or incomplete moderate to intense",
        "at_least_weak_moderate": "Weak to moderate or strong",
        "stained": "All stained cells",
    }
)
"""Sums of classes that guidelines compare with a cut-point."""

OVER_BLANK = "_over_blank"
"""Ends the name of a number that is compared with the limit of blank instead of a cut-point."""

NUMBER_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "ihc": "IHC",
        "ish": "ISH",
        "recount": "recount",
        "scored_cells": "Scored tumour cells",
        **{f"pct_{name}": words for name, words in STAINING_WORDS.items()},
        **{f"pct_{name}": f"{LEVEL_WORDS[name]} staining" for name in levels_from(Reactivity.FAINT)},
        **{f"pct_{name}": words for name, words in SUM_WORDS.items()},
        "cluster_strong": "Largest cluster of strong cells",
        "cluster_weak_moderate": "Largest cluster of weak to moderate or strong cells",
        "cluster_faint": "Largest cluster of stained cells",
        "limit_of_blank_pct": "Limit of blank",
        "h_score": "H-score",
        "h_score_low": "H-score, lower end of its 95 % interval",
        "h_score_high": "H-score, upper end of its 95 % interval",
        "score_probability_pct": "Samples of the same tissue with this score",
        "selected_nuclei_pct": "Nuclei taken as tumour cells",
        "nuclei": "Counted nuclei",
        "areas": "Counted areas",
        "her2_signals": "HER2 signals",
        "cep17_signals": "CEP17 signals",
        "her2_mean": "Mean HER2 per nucleus",
        "cep17_mean": "Mean CEP17 per nucleus",
        "her2_cep17_ratio": "HER2/CEP17 ratio",
        "pct_nuclei_ratio_at_least_2": "Nuclei with a ratio of 2.0 or more",
        "second_population_pct": "Second population",
        "probe": "Probe",
        "images": "Images",
        "excluded_cells": "Cells not scored",
        "excluded_nuclei": "Nuclei not counted",
        "nuclei_with_clusters": "Nuclei with clusters",
        "tumour_selection": "Tumour selection",
        "calibration": "Calibration",
        "weak_signals": "Weak signals",
        "weak_among": "Signals among which weak ones were looked for",
        "cytoplasmic_signals": "Signals outside nuclei",
        "cytoplasmic_among": "Signals in and around nuclei",
        "reader": "Reader",
        "read_on": "Read on",
        "sheet_id": "Read sheet",
        "nuclei_not_countable": "Shown nuclei that were not counted",
        "nuclei_of_first_count": "Nuclei that the first count holds too",
    }
)
"""Names of numbers in a call, in words, in the order in which a page lists them."""


def label_of(name: str) -> str:
    """Words for the name of a number; an unknown one is spelt out.

    Examples
    --------
    >>> label_of("pct_stained_over_blank")
    'All stained cells, over the limit of blank'
    """
    if name.endswith(OVER_BLANK):
        return f"{label_of(name.removesuffix(OVER_BLANK))}, over the limit of blank"
    return NUMBER_LABELS.get(name, code_words(name))


def in_listing_order(names: Iterable[str]) -> list[str]:
    """Sort names of numbers as a page lists them; unknown ones come last, by name."""
    known = list(NUMBER_LABELS)
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def code_words(code: str) -> str:
    """Spell a machine-readable code as words: underscores become spaces."""
    return code.replace("_", " ")
