"""What a method reads from a slide, and her2path's two ways of reading one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from her2path.cli import chain
from her2path.config import Config, parse_config
from her2path.domain.case import Assay, Controls
from her2path.domain.guideline.registry import DEFAULT_GUIDELINE, find_guideline
from her2path.domain.ihc import IhcReading, IhcTally, Intensity, Pattern, StainingClass, staining_class
from her2path.domain.reading import IhcRead, read_ihc
from her2path.imaging.phantoms.ihc import IhcPhantom
from her2path.io.artefacts import IHC_FILES
from her2path.io.case_sheet import ImageRow
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.placeholders import not_evaluable_of
from her2path.io.tables import IHC_CELLS, read_table

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """Cells that a method scores, and the score it comes to; arrays of shape (n,)."""

    x_px0: Numbers
    y_px0: Numbers
    completeness: Numbers
    """NaN throughout for a method that measures none."""
    classes: tuple[StainingClass, ...]
    score: str
    """`refused: reason` where the method gives none."""
    seconds: float
    left_out: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """Places (k, 2) of cells that were found but not scored, by the reason."""


class Method(Protocol):
    """A way from a slide to a reading."""

    @property
    def name(self) -> str:
        """Heading of its column."""

    def read(self, slide: Path, phantom: IhcPhantom, folder: Path, **sheet: object) -> Reading:
        """Read a slide; the phantom is there for methods that need regions drawn by a person, `sheet`
        holds what the case sheet says beside the path."""


@dataclass(frozen=True, slots=True)
class Her2Path:
    """her2path as an operator runs it; with `model` the learned finder."""

    model: str | None = None

    @property
    def name(self) -> str:
        """Heading of its column."""
        return "classical" if self.model is None else Path(self.model).name

    @property
    def config(self) -> Config:
        """The configuration of the run: all defaults but the model."""
        return configured(self.model)

    def read(self, slide: Path, phantom: IhcPhantom, folder: Path, **sheet: object) -> Reading:
        """Run all steps of an image."""
        del phantom
        started = time.perf_counter()
        stated = {"case_id": "c", "image_id": "i", "assay": Assay.IHC, "path": (slide,), **sheet}
        row = ImageRow.model_validate(stated)
        why = chain.run_image(row, folder, self.config, workers=1)
        seconds = time.perf_counter() - started
        return read_results(folder / "images" / "i", seconds, None if why is None else why.code)


def configured(model: str | None) -> Config:
    """Defaults, with a model (its id or folder) or, with None, the classical path."""
    return parse_config({"ihc_cells": {"model": model}})


def read_results(folder: Path, seconds: float, refused: str | None) -> Reading:
    """Read what the steps have written for one image."""
    cells = folder / IHC_FILES["cells"]
    if not_evaluable_of(cells) is not None:
        empty = np.empty(0)
        return Reading(empty, empty, empty, (), f"refused: {refused}", seconds)
    table = read_table(cells, IHC_CELLS)
    words = np.array([word or "" for word in table["exclusion"].to_pylist()])
    scored = words == ""
    xy = np.column_stack([table["x_px0"].to_numpy(), table["y_px0"].to_numpy()])
    stainings = zip(table["intensity"].to_pylist(), table["pattern"].to_pylist(), strict=True)
    classes = np.array([staining_class(Intensity(i), Pattern(p)).value for i, p in stainings], str)
    score = f"refused: {refused}"
    if refused is None:
        result = read_document(folder / IHC_FILES["score"], IhcScoreDoc).result
        score = "none" if result is None else result.score.value
    return Reading(
        x_px0=xy[scored, 0],
        y_px0=xy[scored, 1],
        completeness=table["membrane_completeness"].to_numpy().astype(np.float64)[scored],
        classes=tuple(StainingClass(str(name)) for name in classes[scored]),
        score=score,
        seconds=seconds,
        left_out={str(word): xy[words == word] for word in np.unique(words) if word},
    )


def score_of(stainings: list[tuple[Intensity, Pattern]]) -> str:
    """Score single cells by the default guideline, for methods that know no guideline."""
    counts: dict[tuple[Intensity, Pattern], int] = {}
    for staining in stainings:
        counts[staining] = counts.get(staining, 0) + 1
    read: Any = read_ihc(
        IhcReading(IhcTally(counts), controls=Controls.PASS), find_guideline(DEFAULT_GUIDELINE)
    )
    if not isinstance(read, IhcRead) or read.score is None:
        return f"refused: {getattr(read, 'code', 'indeterminate')}"
    return read.score.value
