"""Nuclei by a learned network: peaks of its depth map, with the outline that it gives for each.

The network sees amounts of stain, not colours, so scanners and laboratories are largely evened
out before it.  With the nuclei it gives outlines of their cells, and maps of what each cell expresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from her2path.errors import ModelError
from her2path.imaging.ihc.calibration import Calibration
from her2path.imaging.ihc.cells import REACH_UM
from her2path.imaging.ihc.expression import ExpressionMaps
from her2path.imaging.ihc.finder import Found, Nuclei, without_overlaps
from her2path.imaging.ihc.rays import (
    ANGLES,
    COS,
    SIN,
    Coordinates,
    Floats,
    ring_area,
    ring_elongation,
    sample_rays,
    within,
)
from her2path.imaging.nets.inference import Device, Maps, Predictor, rounded
from her2path.imaging.nets.registry import architecture
from her2path.imaging.stain import StainAmounts, steadied

MARGIN_UM = 72.0
"""31 µm that the network sees around a pixel, 4 µm of its grid, 19 µm to the nuclei that bound a cell,
and what these and their rivals measure."""
CALIBRATION = Calibration(
    id="learned-2",
    stained_rise_od=0.012,
    least_chance=0.45,
    weak_od_um=0.16,
    moderate_od_um=0.255,
    strong_od_um=0.56,
    complete=0.88,
    dense_cytoplasm_od=0.13,
    sure=0.64,
    unsure=0.575,
)
"""Cuts on what the network says, set on the development slides of `tests/validation` (seeds 571 000 on);
`sure` lies below what the real 2+ cores show (0.65 and 0.68).  The limit of blank is measured with each
model and stands on its card."""
_SHORTEST_UM, _LONGEST_UM = 1.0, 14.0
_SMOOTH = 0.7
"""Smoothing of the depth map in its pixels (1 µm): less than the smallest nucleus' radius."""
_STEP_UM = 1.0
_RIM_UM = 2.0


@dataclass(frozen=True, slots=True)
class LearnedCuts:
    """What a peak must show to count as a nucleus."""

    depth: float = 0.35
    """Of the smoothed depth map: 0 on an outline, up to 1 in the middle of a nucleus."""
    area_um2: float = 9.0
    """Smallest nucleus; a lymphocyte cut off-centre has about 15."""


@dataclass(frozen=True, slots=True)
class LearnedFinder:
    """Nuclei by a network."""

    predictor: Predictor
    cuts: LearnedCuts = field(default_factory=LearnedCuts)

    @property
    def margin_um(self) -> float:
        """See `MARGIN_UM`."""
        return MARGIN_UM

    @property
    def tells_tumour(self) -> bool:
        """Yes: the network was taught the kinds of cells."""
        return True

    def __call__(self, stains: StainAmounts, *, mpp: float, origin: tuple[int, int]) -> Found:
        """Find nuclei, see `nuclei_of_maps`."""
        maps = self.predictor(stains, origin=origin)
        nuclei = nuclei_of_maps(maps, stains, mpp=mpp, cuts=self.cuts)
        return Found(nuclei, ExpressionMaps(maps.expressed, maps.top, maps.left, mpp))


@dataclass(frozen=True, slots=True)
class NamedWeights:
    """Weights of a model, with the names that errors need."""

    model_id: str
    architecture: str
    values: Mapping[str, Floats]


def learned_method(
    network: NamedWeights, *, calibration: tuple[str, Mapping[str, float]], device: Device, threads: int
) -> tuple[LearnedFinder, Calibration]:
    """Make the finder of a model and the calibration of its results.

    Parameters
    ----------
    network : NamedWeights
    calibration : tuple
        Its id, and the values that its card states.
    device : str
        See `Predictor`.
    threads : int
        See `Predictor`.

    Raises
    ------
    ModelError
        The architecture is unknown, the weights are not its own, or the card states cuts that this
        version does not know.
    """
    found = architecture(network.architecture, model_id=network.model_id)
    name, values = calibration
    try:
        own = Calibration(id=name, **values)
    except (TypeError, ValueError) as error:
        raise ModelError(
            network.model_id, f"the calibration of its card is not understood ({error}); update her2path"
        ) from error
    predictor = Predictor(found, network.values, model_id=network.model_id, device=device, threads=threads)
    return LearnedFinder(predictor), own


def nuclei_of_maps(maps: Maps, stains: StainAmounts, *, mpp: float, cuts: LearnedCuts) -> Nuclei:
    """Turn the answers of a network into nuclei.

    Parameters
    ----------
    maps : Maps
        Of the tile of `stains`.
    stains : StainAmounts
    mpp : float
        Pixel size of the tile in µm, that of the network.
    cuts : LearnedCuts

    Returns
    -------
    Nuclei
        In reading order of their peaks.  `coverage` is the depth at the peak.

    References
    ----------
    .. [1] Schmidt et al., MICCAI 2018, p. 265 (star-convex outlines and their suppression).
    """
    rows, columns, depth = _peaks(maps.nucleus, cuts.depth)
    rows, columns = rows // 2, columns // 2
    radii_um = np.clip(rounded(maps.radii_um[:, rows, columns].T), _SHORTEST_UM, _LONGEST_UM)
    cell_um = np.maximum(rounded(maps.cell_radii_um[:, rows, columns].T), radii_um)
    # A radius is that of the middle of four by four pixels, whose centres have whole coordinates.
    x = np.asarray(columns * 4 + (maps.left + 1.5), np.float64)
    y = np.asarray(rows * 4 + (maps.top + 1.5), np.float64)
    area_um2 = ring_area(radii_um)
    inside, outside = _levels(stains.hematoxylin, x, y, radii_um, mpp)
    found = Nuclei(
        x=x,
        y=y,
        radii_px=np.asarray(radii_um / mpp, np.float32),
        area_um2=area_um2,
        elongation=ring_elongation(radii_um),
        contrast=inside - outside,
        coverage=depth,
        hematoxylin=inside,
        tumour=_within_nucleus(maps.tumour, rows, columns, radii_um, 4 * mpp),
        cell_um=np.asarray(np.minimum(cell_um, REACH_UM), np.float32),
    )
    found = found.where(area_um2 > cuts.area_um2)
    return found.where(without_overlaps(found, found.coverage))


def _peaks(depth: Floats, least: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """Places that no neighbour exceeds, in reading order, and their height."""
    smooth = steadied(cv2.GaussianBlur(depth, (5, 5), _SMOOTH))
    highest = cv2.dilate(smooth, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((smooth >= highest) & (smooth >= least))
    return rows, columns, smooth[rows, columns]


def _levels(
    hematoxylin: Floats, x: Coordinates, y: Coordinates, radii_um: Floats, mpp: float
) -> tuple[Floats, Floats]:
    """Mean hematoxylin within outlines, and in a rim around them; both (n,)."""
    steps_um = np.arange(_STEP_UM, _LONGEST_UM + _RIM_UM + _STEP_UM, _STEP_UM, dtype=np.float32)
    samples = sample_rays(hematoxylin, x, y, np.asarray(steps_um / mpp, np.float32))
    outline = radii_um[..., None]
    core = np.asarray((steps_um <= outline) * steps_um, np.float32)
    rim = ((steps_um > outline) & (steps_um <= outline + _RIM_UM)).astype(np.float32)
    inside, outside = (
        np.asarray(within(samples, part) / np.maximum(part.sum(axis=(1, 2)), 1e-3), np.float32)
        for part in (core, rim)
    )
    return inside, outside


def _within_nucleus(
    chances: Floats,
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    radii_um: Floats,
    mpp: float,
) -> Floats:
    """Mean of a map at the centre of each nucleus and a third of the way to its outline; shape (n,)."""
    every = slice(None, None, ANGLES // 8)
    third = radii_um[:, every] / np.float32(3 * mpp)
    down = np.rint(rows[:, None] + third * SIN[every]).astype(np.intp)
    across = np.rint(columns[:, None] + third * COS[every]).astype(np.intp)
    height, width = chances.shape
    around = chances[np.clip(down, 0, height - 1), np.clip(across, 0, width - 1)]
    return np.asarray((around.sum(axis=1) + chances[rows, columns]) / (around.shape[1] + 1), np.float32)
