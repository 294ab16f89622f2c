"""Pictures of a scored IHC slide: the overlay of its cells, the map of its blocks, and its hot spots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from her2path.imaging.ihc.block_picture import draw_block_map, frame_blocks
from her2path.imaging.ihc.heterogeneity import BlockMap
from her2path.imaging.ihc.overlay import Overlay
from her2path.imaging.ihc.spot_picture import SpotCrop
from her2path.io.documents import SlideResult
from her2path.io.qupath_cells import QuPathCell
from her2path.io.score_entries import HotSpotEntry
from her2path.io.slides.source import SlideSource, WorkingBox

_DRAWN_AT_ONCE = 256
"""Cells that are drawn at once."""


@dataclass(frozen=True, slots=True)
class ScorePictures:
    """What the pictures of one slide share."""

    slide: SlideResult
    overlay_px: int
    """Longest edge of the overlay."""
    overlay_min_mpp: float
    """Finest pixel (µm) of the overlay."""
    block_panel_px: int
    """Longest edge of a panel of the map of blocks."""
    spot_min_mpp: float
    """Finest pixel (µm) of the hot spots."""

    @property
    def crop_mpp(self) -> float:
        """Pixel size of the hot spots: that of the slide, or coarser where it is very fine."""
        return max(self.slide.mpp, self.spot_min_mpp)

    def overlay(self, source: SlideSource) -> Overlay:
        """Read the slide in small, to draw cells on."""
        longest = max(self.slide.width_px0, self.slide.height_px0)
        downsample = max(1.0, self.overlay_min_mpp / self.slide.mpp, longest / self.overlay_px)
        edges = (self.slide.height_px0, self.slide.width_px0)
        rows, columns = (math.ceil(edge / downsample) for edge in edges)
        rgb = source.read(WorkingBox(0, 0, rows, columns), downsample=downsample)
        return Overlay(rgb, px0_per_px=downsample)

    def block_map(self, source: SlideSource, blocks: BlockMap) -> npt.NDArray[np.uint8]:
        """Draw the map of blocks, shape (M, N, 3)."""
        frame = frame_blocks(blocks, finest_mpp=self.slide.mpp, longest_px=self.block_panel_px)
        box = WorkingBox(frame.row, frame.col, frame.height, frame.width)
        return draw_block_map(source.read(box, downsample=frame.mpp / self.slide.mpp), blocks, frame)

    def crops(self, source: SlideSource, spots: Sequence[HotSpotEntry]) -> list[SpotCrop]:
        """Read the hot spots, to draw cells on."""
        downsample = self.crop_mpp / self.slide.mpp
        found = []
        for number, spot in enumerate(spots, start=1):
            side = round(spot.size_um / self.crop_mpp)
            row, col = round(spot.y_px0 / downsample), round(spot.x_px0 / downsample)
            found.append(
                SpotCrop(
                    source.read(WorkingBox(row, col, side, side), downsample=downsample),
                    corner_px0=(col * downsample, row * downsample),
                    px0_per_px=downsample,
                    words=f"{number}: {spot.pct:.1f} % of {spot.cells} cells",
                )
            )
        return found


def drawn_cells(
    cells: Iterable[QuPathCell], picture: Overlay, crops: Sequence[SpotCrop]
) -> Iterator[QuPathCell]:
    """Draw cells while they pass by: the table of their outlines is read once for all."""
    left = iter(cells)
    while some := tuple(islice(left, _DRAWN_AT_ONCE)):
        rings, ranks = [cell.cell_xy for cell in some], [cell.rank for cell in some]
        picture.draw(rings, ranks)
        x, y = (np.array(places) for places in zip(*((c.x_px0, c.y_px0) for c in some), strict=True))
        for crop in crops:
            near = crop.near(x, y).tolist()
            crop.draw([rings[place] for place in near], [ranks[place] for place in near])
        yield from some
