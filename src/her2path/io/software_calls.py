"""The calls of a run as one reader among others, from `calls.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from her2path.domain.ihc import IhcScore, StainingClass
from her2path.domain.low_expression import Her2Category
from her2path.domain.reads import NOT_EVALUABLE, ClinicalCategory, clinical_category
from her2path.domain.verdict import State
from her2path.errors import ArtefactError, ConfigError
from her2path.io.files import artefact_name

TABLE = "calls.csv"
_NEEDED = ("case_id", "state", "ihc_score", "her2_category", "ish_group", "guideline")
_PERCENTAGES = {name: f"pct_{name}" for name in StainingClass}
_COUNTS = ("her2_signals", "cep17_signals", "nuclei")


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
        The file is damaged or another table.
    """
    name = artefact_name(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in _NEEDED if column not in (reader.fieldnames or ())]
            if missing:
                raise ArtefactError(name, f"is no table of calls of a run (no column {', '.join(missing)})")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtefactError(name, f"cannot be read ({type(error).__name__})") from error
    calls = []
    for number, row in enumerate(rows, start=2):
        try:
            calls.append(_call(row))
        except (ValueError, TypeError, KeyError) as error:
            raise ArtefactError(name, f"row {number} is no call ({error})") from error
    if len({call.case_id for call in calls}) < len(calls):
        raise ArtefactError(name, "holds a case twice")
    return tuple(calls)


def _call(row: Mapping[str, str]) -> SoftwareCall:
    state, score, category = row["state"], row["ihc_score"], row["her2_category"]
    if not row["case_id"] or not row["guideline"]:
        raise ValueError("case or guideline is empty")
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
