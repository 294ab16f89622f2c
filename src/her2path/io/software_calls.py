"""The calls of a run as one reader among others, from `calls.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from her2path.domain.guideline.registry import find_guideline
from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.low_expression import Her2Category
from her2path.domain.reads import NOT_EVALUABLE, ClinicalCategory, clinical_category
from her2path.domain.verdict import State
from her2path.errors import MOST_FAULTS, ArtefactError, ConfigError
from her2path.io.files import artefact_name

TABLE = "calls.csv"
_NEEDED = ("case_id", "state", "ihc_score", "her2_category", "ish_group", "guideline")
_PERCENTAGES = {name: f"pct_{name}" for name in StainingClass}
_COUNTS = ("her2_signals", "cep17_signals", "nuclei")
_REMEDY = "run `her2path run` again, which writes it"


@dataclass(frozen=True, slots=True)
class SoftwareCall:
    """What the software says of one case; None = not measured, or none yet."""

    case_id: str
    guideline: str
    call: str
    """A `State`, or `NOT_EVALUABLE`."""
    score: IhcScore | None
    category: ClinicalCategory | None
    ish_group: str | None
    percentages: Mapping[StainingClass, float]
    her2: int | None
    cep17: int | None
    nuclei: int | None


def calls_file(place: Path) -> Path:
    """Find `calls.csv`, given itself or the results folder of a run; ConfigError where there is none."""
    path = place / TABLE if place.is_dir() else place
    if not path.is_file():
        raise ConfigError(
            (f"--calls: there is no {TABLE} at {artefact_name(path)}; give the results folder of a run",)
        )
    return path


def read_calls(path: Path) -> tuple[SoftwareCall, ...]:
    """Read the calls of a run in its order.

    Raises
    ------
    ArtefactError
        The file is damaged, cut off or another table; every faulty row is named.
    """
    name = artefact_name(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtefactError(name, f"cannot be read ({type(error).__name__})", _REMEDY) from error
    header = rows[0] if rows else []
    if missing := [column for column in _NEEDED if column not in header]:
        detail = f"is no table of calls of a run (no column {', '.join(missing)})"
        raise ArtefactError(name, detail, _REMEDY)
    numbered = [(number, cells) for number, cells in enumerate(rows[1:], start=2) if cells]
    place = header.index("case_id")
    calls: list[SoftwareCall] = []
    faults: list[str] = []
    for number, cells in numbered:
        try:
            calls.append(_call(_row(header, cells)))
        except (ValueError, KeyError) as error:
            stated = cells[place] if place < len(cells) else ""
            case = f" (case {stated!r})" if stated else ""
            faults.append(f"row {number}{case} is no call ({error})")
    faults += _repeated(numbered, place)
    if not text.endswith(("\n", "\r")):
        # The writer ends every line; half a number is a number too, so the last row cannot be believed.
        faults.append("its last line does not end, so the file was cut off")
    if faults:
        more = len(faults) - MOST_FAULTS
        listed = [*faults[:MOST_FAULTS], *([f"{more} faults more"] if more > 0 else [])]
        raise ArtefactError(name, "; ".join(listed), _REMEDY)
    return tuple(calls)


def _row(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise ValueError(f"it has {len(cells)} cells, the header {len(header)}")
    return dict(zip(header, cells, strict=True))


def _repeated(rows: Sequence[tuple[int, Sequence[str]]], column: int) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, cells in rows:
        case_id = cells[column] if column < len(cells) else ""
        first = seen.setdefault(case_id, number)
        if case_id and first != number:
            yield f"case {case_id!r} stands in row {first} and in row {number}"


def _call(row: Mapping[str, str]) -> SoftwareCall:
    state, score, category = row["state"], row["ihc_score"], row["her2_category"]
    if not row["case_id"] or not row["guideline"]:
        raise ValueError("case or guideline is empty")
    try:
        find_guideline(row["guideline"])
    except ConfigError as error:
        raise ValueError(f"guideline {row['guideline']!r} is unknown") from error
    counts = {name: int(row[name]) if row.get(name) else None for name in _COUNTS}
    shares = {kind: float(row[name]) for kind, name in _PERCENTAGES.items() if row.get(name)}
    return SoftwareCall(
        case_id=row["case_id"],
        guideline=row["guideline"],
        call=NOT_EVALUABLE if state == NOT_EVALUABLE else str(State(state)),
        score=IhcScore(score) if score else None,
        category=clinical_category(Her2Category(category) if category else None),
        ish_group=row["ish_group"] or None,
        percentages=shares,
        her2=counts["her2_signals"],
        cep17=counts["cep17_signals"],
        nuclei=counts["nuclei"],
    )
