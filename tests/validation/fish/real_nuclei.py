"""Real nuclei of `dapi_nuclei`: found against labelled, and with known signals placed into them.

The fields state no pixel size; they are read at the size that gives their median labelled nucleus
65 µm².  Parameters were chosen on the `development` half only; the halves stand apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.nuclei import NucleusParams, measure_levels, segment_nuclei
from tests.support.dapi_fields import DEVELOPMENT
from tests.validation.fish.agreement import Hits, overlaps
from tests.validation.measures import Measure, drawn_interval
from tests.validation.store import ROOT

MEDIAN_AREA_UM2 = 65.0
IOU = 0.5
HELD_OUT = "held-out"
ASKED = 0.90


@dataclass(frozen=True, slots=True)
class RealField:
    """One field and its labels."""

    name: str
    half: str
    dapi: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    labels: npt.NDArray[np.int32]

    @property
    def mpp(self) -> float:
        """Pixel size (µm) at which the median nucleus has 65 µm²."""
        areas = np.bincount(self.labels.ravel())[1:]
        return float((MEDIAN_AREA_UM2 / np.median(areas[areas > 0])) ** 0.5)


@dataclass(frozen=True, slots=True)
class RealAgreement:
    """Nuclei of one field."""

    name: str
    half: str
    hits: Hits

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def fields() -> Iterator[RealField]:
    """Every field that is here, in order of name; none where the data are missing."""
    root = Path(os.environ.get("HER2PATH_REAL_DATA", ROOT.parent / "shared" / "data")) / "dapi_nuclei"
    for path in sorted((root / "images").glob("*")):
        dapi = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        labels = cv2.imread(str(root / "labels" / path.name), cv2.IMREAD_UNCHANGED).astype(np.int32)
        half = "development" if path.stem in DEVELOPMENT else HELD_OUT
        yield RealField(path.stem, half, dapi, labels)


def read_field(field: RealField) -> RealAgreement:
    """Segment one field as the step does and compare."""
    dapi, params = field.dapi.astype(np.float32), NucleusParams()
    levels = measure_levels(dapi, mpp=field.mpp, params=params)
    labels = segment_nuclei(dapi, mpp=field.mpp, levels=levels, params=params).labels
    hits = int((overlaps(labels, field.labels) > IOU).sum())
    true = int((np.bincount(field.labels.ravel())[1:] > 0).sum())
    return RealAgreement(field.name, field.half, Hits(int(labels.max()), true, hits))


def rows(found: Sequence[RealAgreement]) -> list[Measure]:
    """Pooled, mean and median F1, for each half."""
    made = []
    for half in dict.fromkeys(f.half for f in found):
        own = [f for f in found if f.half == half]
        on = f"dapi_nuclei, {half} fields, {len(own)}"
        for word, statistic in (
            ("pooled", _pooled),
            ("mean over fields", lambda chosen: float(np.mean([f.hits.f1 for f in chosen]))),
            ("median over fields", lambda chosen: float(np.median([f.hits.f1 for f in chosen]))),
        ):
            low, high = drawn_interval(own, statistic)
            worst = min(own, key=lambda f: f.hits.f1)
            detail = f"worst field {worst.name[:12]} {worst.hits.f1:.2f}"
            name = f"nuclei F1 at half the union, real nuclei, {half}, {word}"
            made.append(Measure(name, on, statistic(own), "", low, high, ASKED, detail=detail))
    return made


def _pooled(chosen: Sequence[RealAgreement]) -> float:
    return sum((f.hits for f in chosen), start=Hits()).f1
