"""Pictures of one FISH image: its nuclei one by one, its fields, and where amplified nuclei lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.domain.ish import Probe
from her2path.imaging.fish.counting import NucleusCount
from her2path.imaging.fish.field_picture import (
    COPIES,
    RATIO,
    Fate,
    FieldView,
    Scale,
    Scan,
    render_heterogeneity,
    render_overview,
    view_of,
)
from her2path.imaging.fish.gallery import (
    COLUMNS,
    SIDE_UM,
    Crop,
    Display,
    Ring,
    display_of,
    evenly,
    of_every_reason,
    render_field,
    render_gallery,
    render_single,
)
from her2path.io.fields.crops import NucleusCrop, crop_nucleus, side_in_px
from her2path.io.fields.source import FieldSource
from her2path.io.label_image import LabelImage
from her2path.io.slides.source import WorkingBox

_SEPARATE_COLUMNS = 9
"""Three nuclei side by side where each is shown three times."""
_PROBES = ("her2", "cep17")


@dataclass(frozen=True, slots=True)
class ShownNucleus:
    """A DAPI object as the pictures show it."""

    count: NucleusCount
    x_px0: float
    y_px0: float
    rank: int | None
    """1 = the nucleus a reader would take first; None = excluded."""
    copies: tuple[int, int]
    """Bounds of its HER2 copies; alike without clusters."""


@dataclass(frozen=True, slots=True)
class ShownSignal:
    """A counted signal."""

    nucleus_id: int
    role: str
    x_px0: float
    y_px0: float
    is_cluster: bool
    copies: int


@dataclass(frozen=True, slots=True)
class GalleryParams:
    """How many nuclei a gallery shows, and how."""

    counted: int
    excluded: int
    separate_channels: bool


@dataclass(frozen=True, slots=True)
class FishPictures:
    """Draws the pictures of one image as PNG."""

    source: FieldSource
    labels: LabelImage
    fields: Mapping[str, WorkingBox]
    """Where nuclei were looked for, by name."""
    mpp: float
    probe: Probe
    nuclei: Sequence[ShownNucleus]
    signals: Sequence[ShownSignal]
    members: frozenset[int]
    """Nuclei that look like a second population."""

    def gallery(self, params: GalleryParams) -> bytes:
        """Show counted nuclei in the order of their rank, then excluded ones of every reason."""
        scored = sorted(
            (i for i, n in enumerate(self.nuclei) if n.count.exclusion is None),
            key=lambda i: (self.nuclei[i].rank or 0, i),
        )
        chosen = evenly(scored, params.counted)
        left_out = of_every_reason([n.count.exclusion for n in self.nuclei], params.excluded)
        excluded = len(self.nuclei) - len(scored)
        headings = (
            f"Counted nuclei: {len(scored)}"
            + (f" ({len(chosen)} shown)" if len(chosen) < len(scored) else ""),
            f"Not counted: {excluded}" + (f" ({len(left_out)} shown)" if len(left_out) < excluded else ""),
        )
        by_nucleus: dict[int, list[ShownSignal]] = {}
        for signal in sorted(self.signals, key=lambda s: (s.y_px0, s.x_px0)):
            by_nucleus.setdefault(signal.nucleus_id, []).append(signal)
        pieces = {index: self._piece(index) for index in chosen + left_out}
        display = display_of([piece.planes for piece in pieces.values()])
        parts: list[list[Crop]] = []
        for indices in (chosen, left_out):
            crops: list[Crop] = []
            for index in indices:
                found = by_nucleus.get(self.nuclei[index].count.nucleus_id, [])
                crops += self._crops(index, pieces[index], display, found, params.separate_channels)
            parts.append(crops)
        columns = _SEPARATE_COLUMNS if params.separate_channels else COLUMNS
        return _png(render_gallery(*parts, headings=headings, mpp=self.mpp, columns=columns))

    def overview(self) -> bytes:
        """Show every field with what became of its objects."""
        fates = {n.count.nucleus_id: self._fate(n) for n in self.nuclei}
        return _png(render_overview(self._views(), fates, self._scan()))

    def heterogeneity(self) -> bytes:
        """Show every field with its counted nuclei filled by their own ratio and copies."""
        counted = [n.count for n in self.nuclei if n.count.exclusion is None]
        copies = (COPIES, {n.nucleus_id: float(n.her2) for n in counted})
        ratio: tuple[Scale, Mapping[int, float]] = (
            RATIO,
            {n.nucleus_id: n.her2 / n.cep17 for n in counted if n.cep17},
        )
        quantities = [copies] if self.probe is Probe.SINGLE else [ratio, copies]
        return _png(render_heterogeneity(self._views(), quantities, self.members))

    def _fate(self, nucleus: ShownNucleus) -> Fate:
        if nucleus.count.exclusion is not None:
            return Fate.EXCLUDED
        return Fate.SECOND if nucleus.count.nucleus_id in self.members else Fate.COUNTED

    def _scan(self) -> Scan | None:
        """Where the fields of a scan lie; None where one field is the whole image."""
        if list(self.fields.values()) == [self.source.whole]:
            return None
        width, height = self.source.size_px0
        fields = {
            name: (self.mpp * box.col, self.mpp * box.row, self.mpp * box.width, self.mpp * box.height)
            for name, box in self.fields.items()
        }
        return Scan(self.mpp * width, self.mpp * height, fields)

    def _views(self) -> list[FieldView]:
        dapi = next(channel.index for channel in self.source.channels if channel.role == "dapi")
        return [
            view_of(
                name,
                self.source.plane(dapi, box=box).astype(np.float32),
                self.labels.read(box),
                mpp=self.mpp,
            )
            for name, box in self.fields.items()
        ]

    def _piece(self, index: int) -> NucleusCrop:
        nucleus = self.nuclei[index]
        return crop_nucleus(
            self.source,
            self.labels,
            nucleus.count.nucleus_id,
            x_px0=nucleus.x_px0,
            y_px0=nucleus.y_px0,
            side_px=side_in_px(SIDE_UM, self.mpp),
            probe=self.probe,
        )

    def _crops(
        self,
        index: int,
        piece: NucleusCrop,
        display: Display,
        found: Sequence[ShownSignal],
        separate: bool,
    ) -> list[Crop]:
        planes, mask = piece.planes, piece.mask
        rings = {role: _rings(found, role, piece.corner) for role in _PROBES}
        all_rings = tuple(ring for role in _PROBES for ring in rings[role])
        crops = [
            Crop(render_field(planes, display), mask, all_rings, _caption(self.nuclei[index], self.members))
        ]
        if not separate:
            return crops
        for role in _PROBES:
            # A single-probe assay keeps the place of CEP17 empty, so that columns stay in line.
            known = role in planes
            grey = (
                render_single(planes[role], role, display) if known else np.zeros((*mask.shape, 3), np.uint8)
            )
            words = (f"{role.upper()} alone", "") if known else ("", "")
            crops.append(Crop(grey, mask, rings[role], words))
        return crops


def _rings(found: Sequence[ShownSignal], role: str, corner: tuple[int, int]) -> tuple[Ring, ...]:
    own = [signal for signal in found if signal.role == role and signal.copies > 0]
    return tuple(
        Ring(s.y_px0 - corner[0], s.x_px0 - corner[1], role, number, s.copies, s.is_cluster)
        for number, s in enumerate(own, start=1)
    )


def _caption(nucleus: ShownNucleus, members: frozenset[int]) -> tuple[str, str]:
    count, (low, high) = nucleus.count, nucleus.copies
    numbers = f"#{count.nucleus_id}  HER2 {count.her2}"
    if low < high:
        numbers += f" ({low}-{high})"
    if count.cep17 is not None:
        numbers += f"  CEP17 {count.cep17}"
    if count.exclusion is not None:
        reason = count.exclusion.replace("_", " ")
        return numbers, reason.replace("her2", "HER2").replace("cep17", "CEP17")
    words = [] if nucleus.rank is None else [f"rank {nucleus.rank}"]
    words += ["second population?"] if count.nucleus_id in members else []
    return numbers, ", ".join(words)


def _png(page: npt.NDArray[np.uint8]) -> bytes:
    done, png = cv2.imencode(".png", page[..., ::-1])
    if not done:
        raise OSError("a picture could not be encoded")
    return bytes(png.tobytes())
