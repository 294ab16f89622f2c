"""From the cells of one case to its evidence, for options and for tables alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from her2path.cli.call_columns import tags_of
from her2path.cli.typed_cells import TypedCells, words_of
from her2path.cli.typed_counts import FIRST, RECOUNT
from her2path.cli.typed_ihc import PCT_COLUMNS, typed_ihc
from her2path.cli.typed_ish import typed_ish
from her2path.domain.case import NOTHING_KNOWN, SpecimenFacts, TumourSite
from her2path.domain.decision import CaseEvidence
from her2path.domain.flags import Flag
from her2path.domain.guideline.definition import Guideline
from her2path.domain.guideline.registry import DEFAULT_GUIDELINE, find_guideline, guideline_ids
from her2path.errors import ConfigError

_EVIDENCE = ("ihc", *PCT_COLUMNS, *FIRST.all, *RECOUNT.all)
_SPECIMEN = ("tumour_site", "fixation_hours", "cold_ischaemia_minutes")
_SITES = words_of(TumourSite)
Fault = tuple[str, str]
"""Column and message; the column is '' where it is the row as a whole."""


@dataclass(frozen=True, slots=True)
class TypedCase:
    """A case whose numbers can be used."""

    case_id: str
    guideline: Guideline
    evidence: CaseEvidence
    flags: tuple[Flag, ...] = ()
    """What a person should know of how the numbers were taken."""


def read_case(
    texts: Mapping[str, str], *, guideline: str, compare_score: bool = True
) -> tuple[TypedCase | None, list[Fault]]:
    """Check the cells of one case.

    Parameters
    ----------
    texts : mapping of str to str
        Stripped text by column (`call_columns.COLUMNS`); empty cells are left out.
    guideline : str
        Used where the cells name none; empty = nobody chose one.
    compare_score : bool
        Whether a score beside percentages must be theirs by this guideline.  Not where the case
        is read by another guideline than its own.

    Returns
    -------
    case : TypedCase or None
        None if there is a fault.
    faults : list of (column, message)
        All of them.
    """
    cells = TypedCells(texts)
    if "note" in texts:
        cells = _with_tags(cells)
    chosen = _guideline(cells, texts.get("guideline") or guideline)
    ihc = typed_ihc(cells, chosen, compare_score=compare_score)
    ish = typed_ish(cells, chosen)
    specimen = _specimen(cells) if cells.has(*_SPECIMEN) else NOTHING_KNOWN
    if not cells.has(*_EVIDENCE) and ihc.reading is None and ish.ish is None:
        cells.fault("", "gives neither an IHC score, nor percentages, nor ISH counts")
    if cells.faults or chosen is None:
        return None, cells.faults
    evidence = CaseEvidence(ihc.reading, ish.ish, ish.recount, ish.second, specimen)
    by_default = () if texts.get("guideline") or guideline else (Flag.GUIDELINE_BY_DEFAULT,)
    flags = (*ihc.flags, *ish.flags, *by_default)
    return TypedCase(texts.get("case_id", ""), chosen, evidence, flags), []


def _with_tags(cells: TypedCells) -> TypedCells:
    """Add what the tags of a note say; a tag and a cell that contradict each other are a fault."""
    tags, faults = tags_of(cells.texts["note"])
    for message in faults:
        cells.fault("note", message)
    for name, text in tags.items():
        if cells.texts.get(name, text) != text:
            cells.fault("note", f"says {name}={text}, but the column {name} says {cells.texts[name]}")
    return TypedCells({**tags, **cells.texts}, cells.faults)


def _guideline(cells: TypedCells, name: str) -> Guideline | None:
    # A word that is none is not stated here; what is wrong with it is said with the specimen.
    site = _SITES.get(cells.texts.get("tumour_site", "").lower())
    if not name and site not in (None, TumourSite.BREAST):
        known = ", ".join(guideline_ids())
        cells.fault("guideline", f"is not named, and the tumour is {site}; choose one of {known}")
        return None
    try:
        return find_guideline(name or DEFAULT_GUIDELINE)
    except ConfigError as error:
        for message in error.faults:
            cells.fault("guideline", message)
        return None


def _specimen(cells: TypedCells) -> SpecimenFacts:
    site = cells.word("tumour_site", _SITES)
    hours, minutes = (cells.number(name) for name in _SPECIMEN[1:])
    return SpecimenFacts(
        site,
        None if hours is None else Fraction(hours),
        None if minutes is None else Fraction(minutes),
    )


def read_options(texts: Mapping[str, str], *, guideline: str) -> TypedCase:
    """Check the options of one case; ConfigError with every fault, named after its option."""
    case, faults = read_case(texts, guideline=guideline)
    if case is None:
        raise ConfigError(tuple(f"{option_of(name)}{message}" for name, message in faults))
    return case


def option_of(name: str) -> str:
    """Begin a message about an option."""
    return f"--{name.replace('_', '-')}: " if name else "the command line "
