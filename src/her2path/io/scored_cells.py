"""The scored cells of a slide, read from the table of cells into arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from her2path.domain.ihc import Intensity, Pattern
from her2path.errors import ArtefactError
from her2path.io.edited_cells import EditedCells, cell_batches
from her2path.io.model_entries import ModelEntry, model_of
from her2path.io.tables import facts_of

_BATCH = 65_536
_INTENSITIES = pa.array([str(word) for word in Intensity])
_PATTERNS = pa.array([str(word) for word in Pattern])
_KINDS = {
    "cell_id": np.int64,
    "x_px0": np.float64,
    "y_px0": np.float64,
    "cell_score": np.int8,
    "intensity": np.int8,
    "pattern": np.int8,
    "membrane_completeness": np.float32,
    "membrane_contrast_od": np.float32,
    "membrane_certainty": np.float32,
    "cytoplasm_od": np.float32,
}


@dataclass(frozen=True, slots=True)
class ScoredCells:
    """Cells that are scored, in the order of the table; arrays of shape (n,)."""

    excluded: Counter[str]
    """Cells that are not scored, by reason."""
    cell_id: npt.NDArray[np.int64]
    x_px0: npt.NDArray[np.float64]
    y_px0: npt.NDArray[np.float64]
    cell_score: npt.NDArray[np.int8]
    intensity: npt.NDArray[np.int8]
    """Place in `Intensity`."""
    pattern: npt.NDArray[np.int8]
    """Place in `Pattern`."""
    membrane_completeness: npt.NDArray[np.float32]
    membrane_contrast_od: npt.NDArray[np.float32]
    """NaN where nothing is stained."""
    membrane_certainty: npt.NDArray[np.float32]
    """NaN there, too, and without a learned model."""
    cytoplasm_od: npt.NDArray[np.float32]
    """NaN where a nucleus fills its cell."""
    by_person: npt.NDArray[np.bool_]
    """Whether a person gave the cell its class."""

    def __len__(self) -> int:
        return len(self.cell_id)


def read_scored_cells(cells: Path, *, edited: EditedCells | None = None) -> ScoredCells:
    """Read ``ihc_cells.parquet`` batch by batch, as edited; 50 bytes of a scored cell are kept."""
    excluded: Counter[str] = Counter()
    kept: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [np.empty(0, kind)] for name, kind in _KINDS.items()
    }
    for batch in cell_batches(cells, [*_KINDS, "exclusion"], size=_BATCH, edited=edited):
        words = batch["exclusion"].cast(pa.string())
        for found in pc.value_counts(words.drop_null()).to_pylist():
            excluded[found["values"]] += found["counts"]
        scored = batch.filter(pc.is_null(words))
        for name, kind in _KINDS.items():
            kept[name].append(_column(scored[name], name).astype(kind))
    columns = {name: np.concatenate(parts) for name, parts in kept.items()}
    by_person = np.zeros(len(columns["cell_id"]), np.bool_)
    if edited is not None:
        by_person = edited.corrected[columns["cell_id"] - 1]
    return ScoredCells(excluded, **columns, by_person=by_person)


def read_model(cells: Path) -> ModelEntry | None:
    """Read which model measured a table of cells; None for the classical method.

    Raises
    ------
    ArtefactError
        It is not stated in a way that can be understood.
    """
    try:
        return model_of(facts_of(cells))
    except ValueError as error:
        raise ArtefactError(cells.name, str(error)) from error


def _column(values: pa.Array, name: str) -> npt.NDArray[np.generic]:
    if name in ("intensity", "pattern"):
        known = _INTENSITIES if name == "intensity" else _PATTERNS
        values = pc.index_in(values.cast(pa.string()), value_set=known)
    column: npt.NDArray[np.generic] = values.to_numpy(zero_copy_only=False)
    return column
