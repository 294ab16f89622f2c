"""One nucleus with its surroundings, cut out of a field for a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.domain.ish import Probe
from her2path.io.fields.source import FieldSource
from her2path.io.label_image import LabelImage
from her2path.io.slides.source import WorkingBox


@dataclass(frozen=True, slots=True)
class NucleusCrop:
    """A square of S pixels a side with a nucleus in its middle."""

    planes: dict[str, npt.NDArray[np.float32]]
    """Pixel values by role, shape (S, S) each."""
    mask: npt.NDArray[np.bool_]
    """Shape (S, S); the nucleus."""
    corner: tuple[int, int]
    """Row and column of its upper left pixel, level 0; outside the image for a nucleus at its border."""


def side_in_px(side_um: float, mpp: float) -> int:
    """Side of a crop in pixels of `mpp` µm; eight at least, however coarse they are."""
    return max(round(side_um / mpp), 8)


def crop_nucleus(
    source: FieldSource,
    labels: LabelImage,
    nucleus_id: int,
    *,
    x_px0: float,
    y_px0: float,
    side_px: int,
    probe: Probe,
) -> NucleusCrop:
    """Cut out DAPI and the channels of the probes round a nucleus.

    Parameters
    ----------
    source : FieldSource
        Its image.
    labels : LabelImage
        Nuclei of the image by number.
    nucleus_id : int
        Which of them.
    x_px0, y_px0 : float
        Middle of the crop, level 0.
    side_px : int
        Width and height of the crop, > 0.
    probe : Probe
        CEP17 is only shown with a dual probe.
    """
    top, left = round(y_px0 - side_px / 2), round(x_px0 - side_px / 2)
    width, height = source.size_px0
    row, col = max(top, 0), max(left, 0)
    bottom, right = min(top + side_px, height), min(left + side_px, width)
    box = WorkingBox(row, col, bottom - row, right - col)
    pad = ((row - top, top + side_px - bottom), (col - left, left + side_px - right))
    wanted = ("dapi", "her2") if probe is Probe.SINGLE else ("dapi", "her2", "cep17")
    planes = {}
    for channel in source.channels:
        if channel.role in wanted:
            plane = source.plane(channel.index, box=box).astype(np.float32)
            # Outside the image lies its darkest level, so that the picture's black is not 0.
            planes[str(channel.role)] = np.pad(plane, pad, constant_values=plane.min())
    return NucleusCrop(planes, np.pad(labels.read(box) == nucleus_id, pad), (top, left))
