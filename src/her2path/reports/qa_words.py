"""The words of quality assurance: who is compared with whom, on what, and which cases are missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from her2path.domain.reads import SOFTWARE, Endpoint
from her2path.io.qa_documents import MAJORITY, MethodEntry, PairEntry
from her2path.reports.html.scales import isolated
from her2path.reports.numbers import count_text

ENDPOINT_WORDS: Mapping[Endpoint, str] = MappingProxyType(
    {
        Endpoint.SCORE: "IHC score",
        Endpoint.CATEGORY: "Clinical category",
        Endpoint.CALL: "Call",
    }
)
QUANTITY_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "her2_cep17_ratio": "HER2/CEP17 ratio",
        "her2_mean": "mean HER2 copies per nucleus",
        "cep17_mean": "mean CEP17 copies per nucleus",
    }
)
STRATUM_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "site": "site",
        "scanner": "scanner",
        "clone": "antibody clone",
        "batch": "staining batch",
        "specimen": "kind of specimen",
    }
)
WITH_ONE_READER = frozenset({"software_reader", "software_reference"})
"""Kinds of pairs of the software with one reader; the one with the reference is a pair with a reader, too."""
OF_TWO_READERS = frozenset({"readers", "reader_reference"})


def who(name: str, *, other: str = "", reference: bool = False) -> str:
    """Name one side of a comparison in a sentence.

    Examples
    --------
    >>> who("her2path"), who("majority", other="her2path"), who("majority", other="r1")
    ('the software', 'the majority of the readers', 'the majority of the other readers')
    """
    if name == SOFTWARE:
        return "the software"
    if name == MAJORITY:
        return f"the majority of the {'' if other == SOFTWARE else 'other '}readers"
    return f"the reference {isolated(name)}" if reference else isolated(name)


def pair_words(pair: PairEntry | MethodEntry) -> str:
    """Name the two that are compared."""
    if pair.kind == "intra_reader":
        return f"{who(pair.first)}, session {pair.first_session} with session {pair.second_session}"
    reference = pair.kind in {"software_reference", "reader_reference"}
    return f"{who(pair.first)} with {who(pair.second, other=pair.first, reference=reference)}"


_LEFT_OUT = {
    "not_read": "not read by",
    "not_evaluable": "not evaluable to",
    "no_value": "without a value of",
}
_LEFT_OUT_COUNTS = {
    "not_counted": "counted by one of both alone",
    "no_signal": "without a signal, so that there is no ratio",
}


def left_out_words(pair: PairEntry | MethodEntry) -> str:
    """Say which cases of one of the two are missing from a comparison; empty where none is."""
    sides = {
        "first": who(pair.first),
        "second": who(pair.second, other=pair.first),
        "both": "both",
    }
    if pair.kind == "intra_reader":
        sides = {"first": "the earlier session", "second": "the later session", "both": "both sessions"}
    parts: list[str] = []
    for reason, cases in pair.left_out.items():
        name, _, side = reason.rpartition("_")
        known = (
            f"{_LEFT_OUT[name]} {sides[side]}" if name in _LEFT_OUT else _LEFT_OUT_COUNTS.get(reason, reason)
        )
        if cases:
            parts.append(f"{count_text(cases)} {known}")
    return f"Left out: {'; '.join(parts)}." if parts else ""


def level_words(level: str | None) -> str:
    """Name a level, or that there is none."""
    return "none yet" if level is None else level.replace("_", " ")


def endpoint_words(endpoint: Endpoint) -> str:
    """Name an endpoint within a sentence.

    Examples
    --------
    >>> endpoint_words(Endpoint.SCORE), endpoint_words(Endpoint.CALL)
    ('IHC score', 'call')
    """
    words = ENDPOINT_WORDS[endpoint]
    return words if words.startswith("IHC") else words.lower()


def sentence(words: str) -> str:
    """Begin with a capital letter, unless a name stands there.

    Examples
    --------
    >>> sentence("the software"), sentence("r1 with r2")
    ('The software', 'r1 with r2')
    """
    return f"T{words[1:]}" if words.startswith("the ") else words


def capitalised(words: str) -> str:
    """Begin with a capital letter, keeping those that follow.

    Examples
    --------
    >>> capitalised("mean HER2 copies")
    'Mean HER2 copies'
    """
    return words[:1].upper() + words[1:]
