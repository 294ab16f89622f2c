"""The real cores through ``her2path run``, against the labels of their cases."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from her2path.domain.ihc import IhcScore
from her2path.io.documents import IhcScoreDoc, read_document
from her2path.io.placeholders import not_evaluable_of
from tests.support.mosaic import CORES
from tests.validation.ihc.reading import Her2Path
from tests.validation.measures import Measure
from tests.validation.store import ROOT

SHEET = ROOT / "docs" / "validation" / "ihc_cores.tsv"
SEEN_BY_MODEL = frozenset({"core_9b0f", "core_154a", "core_da59", "core_a1f1"})
"""Cores that a model may have adapted to, without labels; the others are held out."""
ORDER = tuple(IhcScore)


@dataclass(frozen=True, slots=True)
class CoreReading:
    """One core: what its case is labelled, and what was read."""

    core: str
    label: str
    her2_status: str
    score: str
    cells: int
    h_score: float
    stained_pct: float
    complete_intense_pct: float

    @property
    def in_place(self) -> bool:
        """Whether the score is one that the label allows; `core_726f` is explained instead."""
        if self.score not in set(ORDER):
            return False
        place = ORDER.index(IhcScore(self.score))
        if self.label in ("0", "1+"):
            return place <= ORDER.index(IhcScore.ONE_PLUS)
        if self.label == "3+" or self.her2_status == "positive":
            return place >= ORDER.index(IhcScore.TWO_PLUS)
        return True


def read_cores(method: Her2Path, out: Path) -> list[CoreReading]:
    """Run the batch anew and read what it wrote; empty where the cores are missing."""
    labels_file = CORES / "labels.csv"
    if not labels_file.exists():
        return []
    out.mkdir(parents=True, exist_ok=True)
    config = out / "config.yaml"
    params = method.config.ihc_cells.model_dump(mode="json")
    config.write_text(yaml.safe_dump({"ihc_cells": params}), encoding="utf-8")
    command = [sys.executable, "-m", "her2path.cli.main", "run", str(SHEET), "--out", str(out)]
    done = subprocess.run([*command, "--config", str(config)], check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the run of the cores failed: {done.stderr[-2000:]}")
    with labels_file.open(encoding="utf-8", newline="") as file:
        return [_read(out / "images" / row["slide_id"], row) for row in csv.DictReader(file)]


def _read(folder: Path, row: dict[str, str]) -> CoreReading:
    file = folder / "ihc_score.json"
    core, label, status = row["slide_id"], row["ihc_score"], row["her2_status"]
    if why := not_evaluable_of(file):
        return CoreReading(core, label, status, f"refused: {why.code}", 0, 0.0, 0.0, 0.0)
    result = read_document(file, IhcScoreDoc).result
    if result is None:
        raise ValueError(f"{core} has neither a score nor a reason")
    percentages = result.percentages
    return CoreReading(
        core=core,
        label=label,
        her2_status=status,
        score=result.score.value,
        cells=result.scored_cells,
        h_score=result.h_score,
        stained_pct=percentages["stained"].pct,
        complete_intense_pct=percentages["complete_intense"].pct,
    )


def rows(found: Sequence[CoreReading]) -> list[Measure]:
    """Number of cores whose score the label does not allow."""
    out_of_place = [f"{c.core} ({c.label}) read {c.score}" for c in found if not c.in_place]
    equal = sum(c.label == c.score for c in found)
    detail = f"label met by {equal} of {len(found)}" + "".join(f"; {text}" for text in out_of_place)
    return [
        Measure(
            "real cores out of place",
            f"{len(found)} real cores",
            len(out_of_place),
            threshold=0.0,
            direction="at most",
            detail=detail,
        )
    ]
