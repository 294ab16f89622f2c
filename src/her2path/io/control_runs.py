"""Series of control tissue: collected from the slides of a run, and put in order for their charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from statistics import fmean

import numpy as np
import numpy.typing as npt

from her2path.io.control_entries import ControlEntry
from her2path.io.documents import IhcScoreDoc, SlideDoc, read_document
from her2path.io.runs import MEASURES, ControlValue, Measure, Run

ON_SLIDE = "on the slides"
"""What the name of a control that lies on the slides ends with; those of the table of runs are others."""


@dataclass(frozen=True, slots=True)
class ControlSlide:
    """A slide with control tissue on it."""

    case_id: str
    entries: tuple[ControlEntry, ...]
    files: Mapping[str, Path]
    """Documents that say so, by image and kind."""


def read_control_slides(images: Path) -> tuple[ControlSlide, ...]:
    """Find the slides with control tissue in the folder ``images`` of a run, in the order of their ids.

    Raises
    ------
    ArtefactError
        A document is damaged or of another version.
    """
    found = []
    for score in sorted(images.glob("*/ihc_score.json")):
        result = read_document(score, IhcScoreDoc).result
        if result is None or not result.control:
            continue
        slide = score.with_name("slide.json")
        case_id = read_document(slide, SlideDoc).sheet.case_id
        name = score.parent.name
        files = {f"{name}/ihc_score": score, f"{name}/slide": slide}
        found.append(ControlSlide(case_id, result.control, files))
    return tuple(found)


def collect_runs(slides: Iterable[ControlSlide], where: Mapping[str, Run]) -> tuple[ControlValue, ...]:
    """Collect the controls that lie on slides, one value a run and control.

    Parameters
    ----------
    slides : iterable of ControlSlide
        Those of other cases than `where` names are left out: the folder may hold an older batch.
    where : mapping of str to Run
        When and where each case was stained and scanned, by case.

    Returns
    -------
    tuple of ControlValue
        Slides of one day, scanner, clone and batch are one run: its value is the mean over them.
        Controls of the same expected score are one control.  Ordered by run and control.
    """
    found: dict[tuple[Run, str], list[tuple[str, ControlEntry]]] = {}
    for slide in slides:
        if (stated := where.get(slide.case_id)) is None:
            continue
        run = replace(stated, run_id=_run_id(stated))
        for entry in slide.entries:
            found.setdefault((run, _control_name(entry)), []).append((slide.case_id, entry))
    values = [_collected(run, control, entries) for (run, control), entries in found.items()]
    return tuple(sorted(values, key=lambda value: (value.run.run_id, value.control)))


def _run_id(run: Run) -> str:
    day = "undated" if run.run_on is None else run.run_on.isoformat()
    return " ".join(filter(None, (day, run.batch, run.clone, run.scanner)))


def _control_name(entry: ControlEntry) -> str:
    name = f"piece {entry.piece}" if entry.expected is None else str(entry.expected)
    return f"{name} {ON_SLIDE}"


def _collected(run: Run, control: str, entries: Sequence[tuple[str, ControlEntry]]) -> ControlValue:
    densities = [entry.membrane_od for _, entry in entries if entry.membrane_od is not None]
    stained = [entry.percentages["stained"] for _, entry in entries if "stained" in entry.percentages]
    scores = {str(entry.score) for _, entry in entries if entry.score is not None}
    return ControlValue(
        run=run,
        control=control,
        dab_od=fmean(densities) if densities else None,
        pct_stained=fmean(stained) if stained else None,
        score=scores.pop() if len(scores) == 1 else None,
        case_ids=tuple(sorted({case_id for case_id, _ in entries})),
        slides=len(entries),
    )


@dataclass(frozen=True, slots=True)
class Series:
    """The controls of one scanner and clone on one measure, in order of time."""

    stratum: Mapping[str, str]
    """``scanner`` and ``clone`` where they are stated."""
    measure: Measure
    controls: tuple[str, ...]
    runs: tuple[Run, ...]
    values: npt.NDArray[np.float64]
    """Shape (R, C); 0 where nothing was measured."""
    measured: npt.NDArray[np.bool_]
    """Shape (R, C)."""
    cases: tuple[tuple[str, ...], ...]
    """Of each run."""
    undated: tuple[str, ...]
    """Runs that were left out because others have a date and they have none."""
    is_part: bool = False
    """Whether other controls of this scanner and clone are charted apart."""

    @property
    def is_dated(self) -> bool:
        """Whether the order is that of dates; otherwise that of the file."""
        return all(run.run_on is not None for run in self.runs)

    def part(self, columns: Sequence[int], *, is_first: bool) -> Series:
        """Take some of the controls; what holds for the whole series is told with the first part."""
        return replace(
            self,
            controls=tuple(self.controls[column] for column in columns),
            values=self.values[:, columns],
            measured=self.measured[:, columns],
            undated=self.undated if is_first else (),
            is_part=True,
        )

    def between(self, first: date | None, last: date | None) -> npt.NDArray[np.bool_]:
        """Tell which runs lie in a period; a run without a date lies in none."""
        return np.array(
            [
                run.run_on is not None
                and (first is None or run.run_on >= first)
                and (last is None or run.run_on <= last)
                for run in self.runs
            ],
            np.bool_,
        )


def series_of(values: Iterable[ControlValue]) -> tuple[Series, ...]:
    """Part the values by scanner, clone and measure, and put the runs of each part in order."""
    parts: dict[tuple[tuple[str, str], ...], list[ControlValue]] = {}
    for value in values:
        stated = {"scanner": value.run.scanner, "clone": value.run.clone}
        key = tuple((name, text) for name, text in stated.items() if text is not None)
        parts.setdefault(key, []).append(value)
    found = []
    for key, members in sorted(parts.items()):
        for measure in MEASURES:
            there = [value for value in members if value.value(measure) is not None]
            if there:
                found.append(_series(dict(key), measure, there))
    return tuple(found)


def _series(stratum: Mapping[str, str], measure: Measure, values: Sequence[ControlValue]) -> Series:
    runs = list(dict.fromkeys(value.run for value in values))
    dated = [run for run in runs if run.run_on is not None]
    # Where nothing is dated the table's order is all there is; where something is, the rest has no place.
    undated = [run for run in runs if run.run_on is None] if dated else []
    ordered = sorted(dated, key=lambda run: run.run_on or date.min) if dated else runs
    rows = {run: place for place, run in enumerate(ordered)}
    controls = sorted({value.control for value in values if value.run in rows})
    table = np.zeros((len(ordered), len(controls)))
    measured = np.zeros(table.shape, np.bool_)
    cases: list[dict[str, None]] = [{} for _ in ordered]
    for value in values:
        number = value.value(measure)
        if value.run in rows and number is not None:
            place = rows[value.run], controls.index(value.control)
            table[place], measured[place] = number, True
            cases[place[0]].update(dict.fromkeys(value.case_ids))
    return Series(
        stratum=stratum,
        measure=measure,
        controls=tuple(controls),
        runs=tuple(ordered),
        values=table,
        measured=measured,
        cases=tuple(tuple(some) for some in cases),
        undated=tuple(run.run_id for run in undated),
    )
