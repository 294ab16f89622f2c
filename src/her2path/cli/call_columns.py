"""The names of `her2path call`: an option ``--her2-signals`` is the column ``her2_signals``.

One list serves the command line, the tables and the page `docs/calculator.md`.  Nothing heavy is
imported here, because the help of the command reads it.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from her2path.errors import SheetFault

CASE, IHC, ISH, RECOUNT = "The case", "IHC", "ISH", "Recount by a second observer"
RARE_IHC, RARE_ISH = "IHC, seldom needed", "ISH, seldom needed"
SECOND = "Second tumour population (heterogeneity)"
PANELS = (CASE, IHC, ISH, RECOUNT, RARE_IHC, RARE_ISH, SECOND)
"""Groups of options, in the order of the page."""

_PCT = "Per cent of the invasive tumour cells:"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table and the option of the same name."""

    name: str
    panel: str
    help: str
    """What it holds, and the words or numbers it takes."""


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        column.name: column
        for column in (
            Column("case_id", CASE, "Pseudonym of the case; it is only repeated in the output."),
            Column("guideline", CASE, "Guideline to call by; default breast_2023 for the breast."),
            Column("specimen", CASE, "resection, biopsy or cytology; na = not stated."),
            Column("tumour_site", CASE, "Where the tumour grew; warns beside a strange guideline."),
            Column("fixation_hours", CASE, "Hours in formalin; only flags."),
            Column("cold_ischaemia_minutes", CASE, "Minutes to the fixative; only flags."),
            Column("note", CASE, "Free text; tags in it (name=value in square brackets) are read."),
            Column("ihc", IHC, "Score as read by a person: 0, 1+, 2+ or 3+."),
            Column("pct_complete_intense", IHC, f"{_PCT} complete, intense."),
            Column("pct_complete_weak_moderate", IHC, f"{_PCT} complete, weak to moderate."),
            Column("pct_incomplete_moderate_intense", IHC, f"{_PCT} incomplete, moderate to intense."),
            Column("pct_incomplete_faint", IHC, f"{_PCT} incomplete, faint."),
            Column("pct_none", IHC, "Per cent without staining; all five sum to exactly 100."),
            Column("incomplete_intensity", IHC, "moderate or strong, of the incomplete moderate to intense."),
            Column("cluster_cells", IHC, "Biopsy: cells of the largest cluster with the strongest staining."),
            Column("ihc_controls", IHC, "pass, fail or unknown."),
            Column("probe", ISH, "dual (default), single (HER2 alone) or none (no ISH)."),
            Column("nuclei", ISH, "Nuclei counted."),
            Column("her2_signals", ISH, "HER2 signals, summed over the nuclei."),
            Column("cep17_signals", ISH, "CEP17 signals, summed over the nuclei."),
            Column("mean_her2", ISH, "HER2 signals per nucleus; give totals where you have them."),
            Column("mean_cep17", ISH, "CEP17 signals per nucleus; give totals where you have them."),
            Column("ratio", ISH, "HER2/CEP17 ratio; must be that of the counts."),
            Column("areas", ISH, "Tumour areas counted."),
            Column("pct_cells_ratio_ge2", ISH, "Per cent of the nuclei whose own ratio is 2.0 or more."),
            Column("ish_controls", ISH, "pass, fail or unknown."),
            Column("recount_available", RECOUNT, "yes or no; only checked against the recount."),
            Column("recount_nuclei", RECOUNT, "Nuclei of the recount."),
            Column("recount_her2", RECOUNT, "HER2 signals of the recount, summed."),
            Column("recount_cep17", RECOUNT, "CEP17 signals of the recount, summed."),
            Column("recount_mean_her2", RECOUNT, "HER2 signals per nucleus of the recount."),
            Column("recount_mean_cep17", RECOUNT, "CEP17 signals per nucleus of the recount."),
            Column("recount_blinded", RECOUNT, "yes or no: its observer did not know the first result."),
            Column("recount_other_observer", RECOUNT, "yes or no: another person than the first counted."),
            Column("recount_other_nuclei", RECOUNT, "yes or no: other nuclei than the first count's."),
            Column("recount_pct_cells_ratio_ge2", RECOUNT, "As pct_cells_ratio_ge2, of the recount."),
            Column("cluster_cells_strong", RARE_IHC, "Largest cluster of strongly stained cells."),
            Column("cluster_cells_weak_moderate", RARE_IHC, "The same, weak to moderate or stronger."),
            Column("cluster_cells_faint", RARE_IHC, "The same, of cells stained at all."),
            Column(
                "limit_of_blank_pct", RARE_IHC, "Per cent that the measurement reports on unstained tissue."
            ),
            Column("ihc_artefact", RARE_IHC, "yes or no: an artefact covers most of the sample."),
            Column("normal_ducts_stained", RARE_IHC, "yes or no: membranes of normal ducts stain strongly."),
            Column("weak_signals", RARE_ISH, "Signals too weak to be counted; not in the totals."),
            Column("cytoplasmic_signals", RARE_ISH, "Signals outside nuclei; not in the totals."),
            Column("poor_nuclei", RARE_ISH, "yes or no: nuclei cannot be resolved."),
            Column("autofluorescence", RARE_ISH, "yes or no: strong autofluorescence hides signals."),
            Column("second_population_pct", SECOND, "Per cent of the tumour cells in a second population."),
            Column("second_nuclei", SECOND, "Nuclei counted within it."),
            Column("second_her2", SECOND, "HER2 signals of these nuclei, summed."),
            Column("second_cep17", SECOND, "CEP17 signals of these nuclei, summed."),
        )
    }
)
"""Everything that can be said of a case, in the order of the page; none is demanded."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {"id": "case_id", "n_nuclei": "nuclei", "recount_n": "recount_nuclei"}
)
"""Other spellings that a table may use."""

RESULTS = (
    "ihc_score",
    "ish_group",
    "call",
    "her2_category",
    "comment_required",
    "rule_trail",
    "flags",
    "reason",
)
"""Columns that the output table adds."""

COMPARED = ("call", "ihc_score", "ish_group", "reason")
"""What ``--compare`` adds for each guideline, followed by its id."""

FREE = ("note_", "expected_")
"""Columns that begin like this are free text and never looked at."""

# Words by which an unknown column could be taken for a measurement that was not read.
_TELLING = frozenset(
    re.split(
        " ",
        "ihc ish fish cish sish dish her2 erbb2 cep17 cen17 chr17 ratio nuclei nucleus guideline pct percent "
        "recount probe signal signals copies cluster",
    )
)
_TELLING_PARTS = ("ihc", "her2", "cep17")
_TELLING_NAMES = frozenset({"score", "status", "result", "group", "controls"})
# Two names this much alike are one name with a slip of the pen: cep17_signal, nuclei_, tumor_site.
_NEAR_MISS = 0.85
_TAG_NAMES = ("incomplete_intensity", "cluster_cells", "recount_n", "pct_cells_ratio_ge2")
_TAG = re.compile(r"\[\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*([^\]]*?)\s*\]")


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that `name` was probably meant to be; None if it is like none of them.

    Examples
    --------
    >>> near_miss("her2_signal", ["her2_signals", "nuclei"])
    'her2_signals'
    """
    close = difflib.get_close_matches(_plain(name), list(known), 1, _NEAR_MISS)
    return close[0] if close else None


def _plain(name: str) -> str:
    """Spell a name as columns are spelt: small, its words joined by an underscore."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.replace("%", " pct "))
    return "_".join(re.findall(r"[^\W_]+", apart.casefold()))


def _resemblance(name: str, own: Iterable[str]) -> str | None:
    """Say how an unknown column could be taken for a measurement; None if nobody would."""
    if close := near_miss(name, (*COLUMNS, *ALIASES)):
        return f"much like {close!r}"
    plain = _plain(name)
    if close := near_miss(name, tuple(own)):
        return f"much like {close!r}, which the output adds"
    words = plain.split("_")
    telling = [word for word in words if word in _TELLING]
    telling += [part for part in _TELLING_PARTS if part in plain.replace("_", "")]
    if plain in _TELLING_NAMES:
        telling.append(plain)
    return f"{telling[0]!r} in it names a measurement" if telling else None


def header_faults(header: Sequence[str], *, added: Iterable[str]) -> list[SheetFault]:
    """List what is wrong with the names of the columns; an unknown one is not, unless it is a slip.

    Parameters
    ----------
    header : sequence of str
        Names as they stand in the table, stripped.
    added : iterable of str
        Names of the columns that the output adds.
    """
    faults = [SheetFault(1, name, "column appears twice") for name, n in Counter(header).items() if n > 1]
    own = frozenset(added)
    meant: dict[str, str] = {}
    for name in dict.fromkeys(header):
        canonical = ALIASES.get(name, name)
        if not name:
            faults.append(SheetFault(1, "(no name)", "column has no name; name it or take it out"))
        elif name in own:
            message = "is a column that the output adds; give the table's own one another name"
            faults.append(SheetFault(1, name, message))
        elif canonical in COLUMNS:
            if canonical in meant:
                faults.append(
                    SheetFault(1, name, f"means the same as {meant[canonical]!r}; keep one of them")
                )
            meant.setdefault(canonical, name)
        elif not name.startswith(FREE) and (why := _resemblance(name, own)):
            remedy = f"rename it to the column that is meant, or begin its name with {FREE[0]} to keep it"
            faults.append(SheetFault(1, name, f"unknown, but {why}; {remedy} as free text"))
    return faults


def ignored(header: Sequence[str]) -> tuple[str, ...]:
    """List the columns that are kept and otherwise not looked at."""
    return tuple(name for name in header if name not in COLUMNS and name not in ALIASES)


def tags_of(note: str) -> tuple[dict[str, str], list[str]]:
    """Read the tags of a note, as in ``[cluster_cells=5]``, and what is wrong with them.

    Other words in brackets are the writer's own and mean nothing here.

    Examples
    --------
    >>> tags_of("biopsy [cluster_cells=5] [seen=2x]")
    ({'cluster_cells': '5'}, [])
    """
    found: dict[str, str] = {}
    faults: list[str] = []
    for name, value in _TAG.findall(note):
        canonical = ALIASES.get(name, name)
        if name in _TAG_NAMES or canonical in (ALIASES.get(tag, tag) for tag in _TAG_NAMES):
            if found.setdefault(canonical, value) != value:
                faults.append(f"gives [{name}=...] twice with different values")
        elif canonical in COLUMNS:
            faults.append(f"holds the tag [{name}=...], which is not read; give it in the column {canonical}")
        elif close := near_miss(name, _TAG_NAMES):
            faults.append(f"holds the tag [{name}=...], which is much like [{close}=...]; correct it")
    return found, faults
