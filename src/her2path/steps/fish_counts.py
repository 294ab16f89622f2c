"""Step `fish_counts`: count the signals of every nucleus that may be counted, and show them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict

from her2path.domain.ish import Probe
from her2path.errors import ArtefactError, UnsuitableImageError
from her2path.imaging.fish.counting import GLOW, NO_NUCLEUS, NucleusCount, count_nuclei
from her2path.imaging.fish.gallery import (
    SIDE_UM,
    Crop,
    Display,
    Ring,
    display_of,
    evenly,
    of_every_reason,
    render_field,
    render_gallery,
)
from her2path.imaging.fish.patches import MIN_LONE_SIGNALS
from her2path.io.documents import FishCountsDoc, FishCountsResult, SlideDoc, read_document, write_document
from her2path.io.fields.opening import open_field
from her2path.io.fields.source import FieldSource
from her2path.io.files import write_bytes
from her2path.io.label_image import LabelImage
from her2path.io.provenance import digests, producer
from her2path.io.slides.source import WorkingBox
from her2path.io.tables import FISH_NUCLEI, FISH_OBJECTS, FISH_SIGNALS, read_table, write_table

log = logging.getLogger(__name__)

_CLUSTERS_NOT_ESTIMATED = "clusters_not_estimated"
"""Flag: too few lone HER2 signals to know the light of one, so the copies of clusters may be missed."""


class FishCountsParams(BaseModel):
    """What an operator may set for this step; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    gallery_nuclei: Annotated[int, Ge(1), Le(200)] = 40
    """Counted nuclei shown in the gallery (number), evenly chosen where there are more."""
    gallery_excluded: Annotated[int, Ge(0), Le(64)] = 16
    """Excluded nuclei shown in the gallery (number), some of every reason."""


@dataclass(frozen=True, slots=True)
class _Signal:
    """One row of `fish_signals`."""

    nucleus_id: int
    role: str
    x_px0: float
    y_px0: float
    is_cluster: bool
    copies: int


def run(
    *,
    image: list[Path],
    slide: Path,
    objects: Path,
    labels: Path,
    signals: Path,
    nuclei: Path,
    counts: Path,
    gallery: Path,
    params: FishCountsParams,
) -> None:
    """Write counts per nucleus, their totals, and the gallery."""
    document = read_document(slide, SlideDoc)
    sheet = document.sheet
    found = _read_signals(signals)
    table = read_table(objects, FISH_OBJECTS).to_pydict()
    try:
        counted = count_nuclei(
            table["nucleus_id"],
            table["exclusion"],
            [(s.nucleus_id, s.role, s.copies, s.is_cluster) for s in found],
            dual=sheet.probe is Probe.DUAL,
        )
    except ValueError as error:
        # Signals found on the nuclei of another run: dropped signals would be a count too low.
        raise ArtefactError(signals.name, f"does not fit {objects.name}: {error}") from error
    _write_nuclei(nuclei, table, counted, params)
    result = _result(counted, found, dual=sheet.probe is Probe.DUAL)
    write_document(
        counts,
        FishCountsDoc(
            produced_by=producer("fish_counts", params),
            inputs=digests(slide=slide, objects=objects, labels=labels, signals=signals),
            sheet=sheet,
            result=result,
        ),
    )
    with (
        open_field(image, name=sheet.image_id, channels=_roles(document)) as source,
        LabelImage(labels) as label_image,
    ):
        page = _Page(source, label_image, document, table, counted, found, params)
        write_bytes(gallery, page.render())
    log.info("%d of %d nuclei counted", len(result.nuclei), len(counted))


def _roles(document: SlideDoc) -> tuple[str, ...]:
    if document.result is None:
        raise UnsuitableImageError(
            document.sheet.image_id, "its slide.json holds no result", code="no_result"
        )
    return tuple(channel.role for channel in document.result.channels)


def _read_signals(path: Path) -> list[_Signal]:
    table = read_table(path, FISH_SIGNALS).to_pydict()
    names = ("nucleus_id", "channel", "x_px0", "y_px0", "is_cluster", "copies")
    return [_Signal(*row) for row in zip(*(table[name] for name in names), strict=True)]


def _write_nuclei(
    path: Path, table: dict[str, list[object]], counted: Sequence[NucleusCount], params: FishCountsParams
) -> None:
    with write_table(path, FISH_NUCLEI, produced_by=producer("fish_counts", params)) as writer:
        writer.append(
            {
                **{name: table[name] for name in ("nucleus_id", "x_px0", "y_px0", "area_um2", "field")},
                "her2_signals": [n.her2 for n in counted],
                "cep17_signals": [n.cep17 for n in counted],
                "her2_clusters": [n.her2_clusters for n in counted],
                "evaluable": [n.exclusion is None for n in counted],
                "exclusion": [n.exclusion for n in counted],
            }
        )


def _result(counted: Sequence[NucleusCount], found: Sequence[_Signal], *, dual: bool) -> FishCountsResult:
    scored = [n for n in counted if n.exclusion is None]
    scored_ids = {n.nucleus_id for n in scored}
    reasons = Counter(n.exclusion for n in counted if n.exclusion is not None)
    return FishCountsResult(
        nuclei=tuple((n.her2, n.cep17) for n in scored),
        her2_signals=sum(n.her2 for n in scored),
        cep17_signals=sum(n.cep17 or 0 for n in scored) if dual else None,
        excluded_nuclei={reason: reasons[reason] for reason in sorted(reasons)},
        nuclei_with_clusters=sum(n.her2_clusters > 0 for n in scored),
        cytoplasmic_signals=sum(s.nucleus_id == NO_NUCLEUS and s.copies > 0 for s in found),
        flags=(_CLUSTERS_NOT_ESTIMATED,) if _few_single_signals(found) else (),
        weak_signals=sum(s.nucleus_id in scored_ids and s.copies == 0 and s.role != GLOW for s in found),
    )


def _few_single_signals(found: Sequence[_Signal]) -> bool:
    lone = sum(
        s.role == "her2" and s.nucleus_id != NO_NUCLEUS and s.copies > 0 and not s.is_cluster for s in found
    )
    return lone < MIN_LONE_SIGNALS


@dataclass(frozen=True, slots=True)
class _Page:
    """The gallery of one image."""

    source: FieldSource
    labels: LabelImage
    document: SlideDoc
    table: dict[str, list[float]]
    counted: Sequence[NucleusCount]
    found: Sequence[_Signal]
    params: FishCountsParams

    def render(self) -> bytes:
        """Draw the page as PNG."""
        result = self.document.result
        assert result is not None  # noqa: S101  (`_roles` has refused a document without one)
        scored = [i for i, n in enumerate(self.counted) if n.exclusion is None]
        chosen = evenly(scored, self.params.gallery_nuclei)
        left_out = of_every_reason([n.exclusion for n in self.counted], self.params.gallery_excluded)
        excluded = len(self.counted) - len(scored)
        headings = (
            f"Counted nuclei: {len(scored)}"
            + (f" ({len(chosen)} shown)" if len(chosen) < len(scored) else ""),
            f"Not counted: {excluded}" + (f" ({len(left_out)} shown)" if len(left_out) < excluded else ""),
        )
        crops = self._crops(chosen + left_out, result.mpp)
        page = render_gallery(crops[: len(chosen)], crops[len(chosen) :], headings=headings, mpp=result.mpp)
        done, png = cv2.imencode(".png", page[..., ::-1])
        if not done:
            raise OSError("the gallery could not be encoded")
        return bytes(png.tobytes())

    def _crops(self, indices: Sequence[int], mpp: float) -> list[Crop]:
        pieces = [self._planes(index, mpp) for index in indices]
        display = display_of([planes for planes, _ in pieces])
        return [
            self._crop(index, planes, corner, display)
            for index, (planes, corner) in zip(indices, pieces, strict=True)
        ]

    def _planes(self, index: int, mpp: float) -> tuple[dict[str, npt.NDArray[np.float32]], tuple[int, int]]:
        side = max(round(SIDE_UM / mpp), 8)
        width, height = self.source.size_px0
        top = round(self.table["y_px0"][index] - side / 2)
        left = round(self.table["x_px0"][index] - side / 2)
        box, pad = _inside(top, left, side, height, width)
        wanted = ("dapi", "her2") if self.document.sheet.probe is Probe.SINGLE else ("dapi", "her2", "cep17")
        planes = {}
        for channel in self.source.channels:
            if channel.role in wanted:
                plane = self.source.plane(channel.index, box=box).astype(np.float32)
                # Outside the image lies its darkest level, so that the display's black is not 0.
                planes[str(channel.role)] = np.pad(plane, pad, constant_values=plane.min())
        return planes, (top, left)

    def _crop(
        self,
        index: int,
        planes: dict[str, npt.NDArray[np.float32]],
        corner: tuple[int, int],
        display: Display,
    ) -> Crop:
        count = self.counted[index]
        side = planes["dapi"].shape[0]
        width, height = self.source.size_px0
        box, pad = _inside(corner[0], corner[1], side, height, width)
        mask = np.pad(self.labels.read(box) == count.nucleus_id, pad)
        rings = tuple(
            Ring(s.y_px0 - corner[0], s.x_px0 - corner[1], s.role, s.copies, s.is_cluster)
            for s in self.found
            if s.nucleus_id == count.nucleus_id and s.copies > 0
        )
        return Crop(render_field(planes, display), mask, rings, _caption(count))


def _inside(
    top: int, left: int, side: int, height: int, width: int
) -> tuple[WorkingBox, tuple[tuple[int, int], tuple[int, int]]]:
    """Part of a square that lies in the image, and what to add around it."""
    bottom, right = min(top + side, height), min(left + side, width)
    row, col = max(top, 0), max(left, 0)
    box = WorkingBox(row, col, bottom - row, right - col)
    return box, ((row - top, top + side - bottom), (col - left, left + side - right))


def _caption(count: NucleusCount) -> tuple[str, str]:
    numbers = f"#{count.nucleus_id}  HER2 {count.her2}"
    if count.cep17 is not None:
        numbers += f"  CEP17 {count.cep17}"
    reason = (count.exclusion or "").replace("_", " ")
    return numbers, reason.replace("her2", "HER2").replace("cep17", "CEP17")
