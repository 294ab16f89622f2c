"""What edits of a slide are held against: its size, its cells as they were measured, and their names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from her2path.domain.guideline.registry import find_guideline
from her2path.io.control_entries import NamedControl, controls_of
from her2path.io.documents import SheetFacts, SlideDoc, SlideResult, read_document, required
from her2path.io.edited_cells import cell_batches, edit_cells, places_digest
from her2path.io.edits_documents import EditsResult
from her2path.io.qupath_cells import CellClass, cell_classes, cell_identifier, scheme_of
from her2path.io.tables import facts_of

_BATCH = 65_536
_COLUMNS = ("x_px0", "y_px0", "cell_score", "intensity", "pattern", "exclusion", "control")


@dataclass(frozen=True)
class EditableSlide:
    """A slide with measured cells; cells are numbered from 1 in the order of the arrays."""

    sheet: SheetFacts
    slide: SlideResult
    x_px0: npt.NDArray[np.float64]
    y_px0: npt.NDArray[np.float64]
    control: npt.NDArray[np.int16]
    """Number of the control tissue that a cell belongs to; 0 = none."""
    classes: list[CellClass]
    """As measured, in QuPath's words."""
    controls: tuple[NamedControl, ...]
    shown: list[CellClass] | None = None
    """As the results show them since an earlier edit; None = as measured."""
    given: Mapping[int, str] = field(default_factory=dict)
    """Classes that earlier edits gave to cells, by number."""

    def __len__(self) -> int:
        return len(self.x_px0)

    @property
    def size_px0(self) -> tuple[int, int]:
        """Width and height."""
        return self.slide.width_px0, self.slide.height_px0

    @property
    def files(self) -> tuple[str, ...]:
        """SHA-256 of the slide's files."""
        return tuple(file.sha256 for file in self.slide.files)

    @property
    def places_sha256(self) -> str:
        """Digest of the places of all cells."""
        return places_digest(self.x_px0, self.y_px0)

    def is_seen_by(self, edits: EditsResult) -> bool:
        """Whether edits were made on this file and these cells, so that their numbers mean the same."""
        same_cells = edits.cells == len(self) and edits.places_sha256 == self.places_sha256
        return edits.is_of(self.files) and same_cells

    def cell_of(self, identifier: uuid.UUID) -> int | None:
        """Find the number of the cell that QuPath knows by an identifier; None if it is of another slide."""
        names, ids = self._names
        wanted = np.uint64(identifier.int >> 64)
        at = int(names.searchsorted(wanted))
        if at == len(names) or names[at] != wanted:
            return None
        cell_id = int(ids[at])
        # What is kept of each identifier is half of it; whether the rest is right is worked out anew.
        known = cell_identifier(self.files[0], cell_id).decode()
        return cell_id if str(identifier) == known else None

    @cached_property
    def _names(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """First halves of all identifiers in ascending order, with their cells: 16 bytes a cell."""
        sha256 = self.files[0]
        texts = (cell_identifier(sha256, cell_id) for cell_id in range(1, len(self) + 1))
        halves = (int(text[:8] + text[9:13] + text[14:18], 16) for text in texts)
        names = np.fromiter(halves, np.uint64, len(self))
        order = np.argsort(names, kind="stable")
        return names[order], order + 1


def read_editable(folder: Path, *, earlier: EditsResult | None = None) -> EditableSlide:
    """Read the slide of a folder of results, with what `earlier` edits left of its classes.

    Raises
    ------
    ArtefactError
        The slide could not be measured, or an artefact is missing or damaged.
    """
    document = read_document(folder / "slide.json", SlideDoc)
    slide = required(document.result, folder / "slide.json")
    cells = folder / "ihc_cells.parquet"
    scheme = scheme_of(find_guideline(document.sheet.guideline))
    places: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int16]]] = []
    classes: list[CellClass] = []
    for batch in cell_batches(cells, _COLUMNS, size=_BATCH):
        classes += cell_classes(batch, scheme)
        x, y = batch["x_px0"].to_numpy(), batch["y_px0"].to_numpy()
        places.append((x, y, batch["control"].fill_null(0).to_numpy()))
    x, y, control = (
        (np.concatenate(parts) for parts in zip(*places, strict=True)) if places else (np.empty(0),) * 3
    )
    controls = controls_of(facts_of(cells), name=cells.name)
    found = EditableSlide(document.sheet, slide, x, y, control.astype(np.int16), classes, controls)
    edited = None if earlier is None else edit_cells(cells, earlier, controls=len(controls))
    if earlier is None or edited is None or not earlier.is_of(found.files):
        return found
    batches = cell_batches(cells, _COLUMNS, size=_BATCH, edited=edited)
    shown = [kind for batch in batches for kind in cell_classes(batch, scheme)]
    return replace(found, shown=shown, given={one.cell_id: one.given for one in earlier.corrections})
