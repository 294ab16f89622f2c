"""The cells of a slide as a person's edits leave them; the table of measured cells stays as it is.

Whoever reads ``ihc_cells.parquet`` to score, draw or export reads it through `cell_batches`, or takes
the columns that differ from `EditedCells`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from her2path.domain.edits import (
    CORRECTED,
    UNKNOWN,
    CellVerdict,
    DrawnPlaces,
    MeasuredCells,
    ReasonCodes,
    exclusion_after,
    staining_given,
)
from her2path.domain.flags import Flag
from her2path.domain.ihc import CELL_SCORE, IhcScore, Intensity, Pattern, staining_class
from her2path.domain.label_classes import LabelClass
from her2path.domain.region_use import RegionUse
from her2path.errors import ArtefactError
from her2path.io.call_entries import Reason
from her2path.io.control_entries import NamedControl, controls_of
from her2path.io.documents import SlideResult, read_document, required
from her2path.io.edits_documents import CONTROL, DrawnRegion, EditsDoc, EditsResult
from her2path.io.edits_entry import EditsEntry
from her2path.io.tables import IHC_CELLS, facts_of, open_table

OUTSIDE, LEFT_OUT, OF_CONTROL = "outside_tumour_region", "excluded_region", "control_tissue"
_IF_DRAWN = "exclusion_if_drawn"
_BY_NEIGHBOURS = ("stroma", "isolated")
"""Reasons that do not hold where a person draws tumour: its neighbourhood is then no criterion."""
_COUNTED_IN = frozenset({None, "image_border"})
"""Reasons with which a cell lies in the tumour all the same."""
_COLUMNS = ("x_px0", "y_px0", "exclusion", "control", "intensity", "pattern", "cell_score")
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EditedCells:
    """What edits change of the n cells of a slide."""

    columns: Mapping[str, pa.Array]
    """Columns of `ihc_cells` that differ, each of n in the order of the table."""
    corrected: Flags
    """Cells to which a person gave a class, shape (n,)."""
    let_in: int
    """Cells that are scored because of the regions and were not before."""
    left_out: int
    """Cells that are not scored any more because of the regions."""
    controls: tuple[NamedControl, ...]
    """New control tissue; its numbers follow those that the slide has."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a slide came to without the edits."""

    score: IhcScore | None = None
    h_score: float | None = None
    cells: int | None = None
    """Scored cells."""
    reason: Reason | None = None
    """Why it had no score."""


def edits_entry(edits: EditsResult, edited: EditedCells, before: Before) -> EditsEntry:
    """Write down for `ihc_score.json` what a person changed."""
    return EditsEntry(
        **edits.model_dump(include={"by", "on", "tool", "sha256", "comment", "unmeasured_pct"}),
        regions_changed=edits.regions_changed(),
        cells_changed=edits.cells_changed(),
        cells_let_in=edited.let_in,
        cells_left_out=edited.left_out,
        cells_overruled=edits.cells_overruled(),
        score_before=before.score,
        no_score_before=before.reason,
        h_score_before=before.h_score,
        scored_cells_before=before.cells,
        earlier=edits.earlier,
    )


@dataclass(frozen=True, slots=True)
class SlideEdits:
    """The edits of a slide, where a person made any."""

    result: EditsResult | None = None
    cells: EditedCells | None = None
    """None where there are no edits, or none that fit."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Tell what a reader of the score should know."""
        if self.result is None:
            return ()
        return (str(Flag.EDITS_DO_NOT_FIT if self.cells is None else Flag.EDITED_BY_PERSON),)

    @property
    def selects_tumour(self) -> bool:
        """Whether the person drew all of the tumour."""
        drawn = self.cells is not None and self.result is not None and self.result.of_kind(LabelClass.TUMOUR)
        return bool(drawn) and self.result is not None and self.result.tumour_use is RegionUse.REPLACE


def read_slide_edits(path: Path | None, cells: Path, slide: SlideResult) -> SlideEdits:
    """Read what a person changed, and hold it against the slide's file and its cells.

    Raises
    ------
    ArtefactError
        The file is damaged, or its regions ask what a table of an older version does not tell.
    """
    if path is None:
        return SlideEdits()
    result = required(read_document(path, EditsDoc).result, path)
    if not result.is_of([file.sha256 for file in slide.files]):
        return SlideEdits(result)
    known = len(controls_of(facts_of(cells), name=cells.name))
    return SlideEdits(result, edit_cells(cells, result, controls=known))


def places_digest(x_px0: npt.NDArray[np.float64], y_px0: npt.NDArray[np.float64]) -> str:
    """SHA-256 of the places of all cells in their order."""
    digest = hashlib.sha256(np.ascontiguousarray(x_px0, "<f8").tobytes())
    digest.update(np.ascontiguousarray(y_px0, "<f8").tobytes())
    return digest.hexdigest()


def edit_cells(cells: Path, edits: EditsResult, *, controls: int) -> EditedCells | None:
    """Work out what edits change.

    Parameters
    ----------
    cells : Path
        ``ihc_cells.parquet``.
    edits : EditsResult
    controls : int
        Pieces of control tissue that the slide has.

    Returns
    -------
    EditedCells or None
        None where the cells are others than those that the person saw.

    Raises
    ------
    ArtefactError
        Drawn regions hold cells of which an older version did not tell whether they would be scored.
    """
    with open_table(cells, IHC_CELLS) as file:
        table = file.read(columns=[*_COLUMNS, *(c for c in (_IF_DRAWN,) if c in file.schema_arrow.names)])
    x, y = (table[name].to_numpy() for name in ("x_px0", "y_px0"))
    if len(x) != edits.cells or places_digest(x, y) != edits.places_sha256:
        return None
    words, exclusion, if_drawn = _reasons(table)
    number = table["control"].fill_null(0).to_numpy()
    drawn, new = _drawn(edits, x, y)
    codes = ReasonCodes(*(words.index(word) for word in (OUTSIDE, LEFT_OUT, OF_CONTROL)))
    after = exclusion_after(MeasuredCells(exclusion, if_drawn, number > 0), drawn, codes)
    if (unknown := int((after == UNKNOWN).sum())) > 0:
        raise ArtefactError(
            "/".join(cells.parts[-2:]),
            f"an older version did not tell whether {unknown} cells of the drawn regions are scored there",
        )
    number = np.where((number == 0) & (new > 0), controls + new, number).astype(np.int16)
    staining = _Staining.of(table)
    rows = np.array([one.cell_id - 1 for one in edits.corrections], np.int64)
    corrected = np.zeros(len(x), np.bool_)
    corrected[rows] = True
    # A cell with a class of its own is scored by that, whatever the regions say, and told with its class.
    let_in, left_out = (
        int(((exclusion != 0) & (after == 0) & ~corrected).sum()),
        int(((exclusion == 0) & (after != 0) & ~corrected).sum()),
    )
    for row, one in zip(rows.tolist(), edits.corrections, strict=True):
        after[row] = 0 if one.verdict.is_tumour else words.index(CORRECTED)
        staining.give(row, one.verdict)
    counted = np.array([word in _COUNTED_IN for word in words], np.bool_)
    columns = {
        "exclusion": pa.DictionaryArray.from_arrays(
            pa.array(np.maximum(after - 1, 0), pa.int8(), mask=after == 0), pa.array(words[1:], pa.string())
        ),
        "control": pa.array(number, pa.int16(), mask=number == 0),
        "in_tumour": pa.array(counted[after] & (number == 0)),
        **staining.columns(),
    }
    return EditedCells(columns, corrected, let_in, left_out, _named(edits))


def cell_batches(
    cells: Path, columns: Sequence[str], *, size: int, edited: EditedCells | None = None
) -> Iterator[pa.RecordBatch]:
    """Read columns of ``ihc_cells.parquet`` batch by batch, with what a person edited in place."""
    start = 0
    with open_table(cells, IHC_CELLS) as table:
        for batch in table.iter_batches(size, columns=list(columns)):
            if edited is None:
                yield batch
                continue
            arrays = [
                edited.columns[name].slice(start, batch.num_rows) if name in edited.columns else batch[name]
                for name in columns
            ]
            start += batch.num_rows
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _reasons(table: pa.Table) -> tuple[list[str | None], npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Give numbers to the reasons for which cells are not scored; 0 = scored."""
    texts = [table[name].cast(pa.string()) for name in ("exclusion", _IF_DRAWN) if name in table.column_names]
    known = {word for text in texts for word in pc.unique(text).to_pylist()} - {None}
    words: list[str | None] = [None, *sorted(known | {OUTSIDE, LEFT_OUT, OF_CONTROL, CORRECTED})]
    values = pa.array(words[1:], pa.string())
    coded = [
        (pc.fill_null(pc.index_in(text, value_set=values), -1).to_numpy() + 1).astype(np.int8)
        for text in texts
    ]
    if len(coded) == 1:
        coded.append(_guessed(coded[0], words))
    return words, coded[0], coded[1]


def _guessed(exclusion: npt.NDArray[np.int8], words: Sequence[str | None]) -> npt.NDArray[np.int8]:
    """Say of cells of an older version whether drawn tumour would let them in, where that can be told."""
    by_word = np.arange(len(words), dtype=np.int8)
    for code, word in enumerate(words):
        if word in _BY_NEIGHBOURS:
            by_word[code] = 0
        elif word in {OUTSIDE, LEFT_OUT, OF_CONTROL}:
            by_word[code] = UNKNOWN
    return by_word[exclusion]


def _drawn(
    edits: EditsResult, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> tuple[DrawnPlaces, npt.NDArray[np.int16]]:
    """Find which cells lie in the drawn regions, and in which new control (from 1; 0 = none)."""

    def within(regions: Sequence[DrawnRegion]) -> Flags | None:
        if not regions:
            return None
        area = shapely.union_all([region.area() for region in regions])
        shapely.prepare(area)
        return np.asarray(shapely.contains_xy(area, x, y), np.bool_)

    control = np.zeros(len(x), np.int16)
    for number, region in enumerate(edits.of_kind(CONTROL), start=1):
        control[within([region])] = number
    places = DrawnPlaces(
        tumour=within(edits.of_kind(LabelClass.TUMOUR)),
        tumour_use=edits.tumour_use,
        left_out=within(edits.left_out),
        left_out_use=edits.left_out_use,
        control=control > 0 if edits.of_kind(CONTROL) else None,
    )
    return places, control


def _named(edits: EditsResult) -> tuple[NamedControl, ...]:
    return tuple(
        NamedControl(piece=f"drawn {number}", expected=region.expected)
        for number, region in enumerate(edits.of_kind(CONTROL), start=1)
    )


_INTENSITIES, _PATTERNS = tuple(Intensity), tuple(Pattern)


@dataclass(frozen=True, slots=True)
class _Staining:
    """Places of the words of each cell, changed as a person gives scores."""

    intensity: npt.NDArray[np.int8]
    pattern: npt.NDArray[np.int8]
    score: npt.NDArray[np.int8]

    @classmethod
    def of(cls, table: pa.Table) -> _Staining:
        intensity, pattern = (
            pc.index_in(table[name].cast(pa.string()), value_set=pa.array(map(str, words)))
            .to_numpy()
            .astype(np.int8)
            for name, words in (("intensity", _INTENSITIES), ("pattern", _PATTERNS))
        )
        return cls(intensity, pattern, table["cell_score"].to_numpy().copy())

    def give(self, row: int, verdict: CellVerdict) -> None:
        if verdict.staining is None:
            return
        measured = _INTENSITIES[self.intensity[row]], _PATTERNS[self.pattern[row]]
        intensity, pattern = staining_given(verdict.staining, measured)
        self.intensity[row], self.pattern[row] = _INTENSITIES.index(intensity), _PATTERNS.index(pattern)
        self.score[row] = CELL_SCORE[staining_class(intensity, pattern)]

    def columns(self) -> dict[str, pa.Array]:
        words = {"intensity": (self.intensity, _INTENSITIES), "pattern": (self.pattern, _PATTERNS)}
        return {
            **{
                name: pa.DictionaryArray.from_arrays(pa.array(places, pa.int8()), pa.array(map(str, known)))
                for name, (places, known) in words.items()
            },
            "cell_score": pa.array(self.score, pa.int8()),
        }
