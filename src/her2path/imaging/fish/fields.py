"""Where on a large fluorescence scan to count: fields rich in tumour-sized nuclei and in focus.

A reader scans the slide at low power, looks for tumour, and counts in several places.  Here a
coarse map of DAPI takes the place of the low power: nuclei are told by their size, focus by the
fine structure of DAPI over its brightness.  Fields are squares; they never overlap, and lie in at
least two areas more than 1 mm apart wherever the tissue allows.  Tumour is not told from other
tissue with large nuclei: regions that a person draws limit where fields may lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.fish.quality import estimate_background, estimate_noise
from her2path.imaging.fish.spots import spot_response, spot_width_px
from her2path.imaging.fish.windows import Window

Image = npt.NDArray[np.float32]
Places = npt.NDArray[np.float64]

MAP_UM = 1.0
"""Pixel size that the map comes closest to; the map's pixels are whole numbers of the image's."""
_READ_PX = 3072
_FINE_UM = 0.35
_TUMOUR_SIGMA_UM = 3.0
"""Scale at which nuclei are looked for: the best one for a disc of 4.2 µm radius."""
_SMALL_SIGMA_UM = 1.8
"""Nuclei that answer more to this scale are smaller than 7 µm: lymphocytes, fragments."""
_FAINT_SHARE = 0.25
"""Nuclei fainter than this share of the bright ones (square root) are left to the background."""
_NOISE_LEVEL = 1.5
"""Least response in standard deviations of the map's noise, of which the Laplacian leaves a sixth."""
AREA_GAP_UM = 1000.0
"""Fields whose edges are further apart lie in two areas."""
_LEAST_SCORE = 0.2
"""Least score of a field as a share of the best one's: less is an edge of the tissue."""
_TRIALS_PER_FIELD = 4
_STEPS_PER_SIDE = 4


@dataclass(frozen=True, slots=True)
class FieldParams:
    """How many fields are chosen, and how large they are."""

    count: int = 4
    side_um: float = 350.0
    min_nuclei: int = 30
    """Fewest tumour-sized nuclei of a field: twenty must be left after exclusions."""


@dataclass(frozen=True, slots=True)
class DapiMap:
    """A coarse map of the DAPI channel of a scan."""

    level: Image
    """Mean level of every map pixel."""
    fine: Image
    """Mean square of the structure finer than a micrometre."""
    step: int
    """Image pixels a map pixel."""
    mpp: float
    """Pixel size of the image in µm."""

    @property
    def um(self) -> float:
        """Pixel size of the map in µm."""
        return self.step * self.mpp


@dataclass(frozen=True, slots=True)
class Field:
    """A square of a scan, in image pixels."""

    top: int
    left: int
    side: int
    nuclei: int
    """Tumour-sized nuclei on the map."""
    sharpness: float
    """Fine structure over brightness, as a share of the sharpest fields' (0 to 1)."""
    area: int = 0
    """Number of the area that it lies in, from 1; 0 = not chosen."""

    @property
    def score(self) -> float:
        """What fields are ranked by: nuclei, fewer where they are not in focus."""
        return self.nuclei * self.sharpness**2

    def gap(self, other: Field) -> float:
        """Distance between the edges of two fields in image pixels; negative where they overlap."""
        down = max(self.top, other.top) - min(self.top, other.top) - self.side
        right = max(self.left, other.left) - min(self.left, other.left) - self.side
        return float(np.hypot(max(down, 0), max(right, 0))) if max(down, right) >= 0 else -1.0


def map_windows(height: int, width: int, *, mpp: float) -> Iterator[Window]:
    """Cut a scan into windows of whole map pixels, in reading order."""
    step = _step(mpp)
    side = _READ_PX // step * step
    for top in range(0, height - step + 1, side):
        for left in range(0, width - step + 1, side):
            bottom, right = min(top + side, height), min(left + side, width)
            yield Window(top, left, bottom, right, top, left, bottom, right)


def map_dapi(
    read: Callable[[Window], npt.NDArray[np.generic]], *, height: int, width: int, mpp: float
) -> DapiMap:
    """Map the DAPI channel of a scan, window by window.

    Parameters
    ----------
    read : callable
        Gives the pixels of a window.
    height, width : int
        Size of the scan in pixels.
    mpp : float
        Its pixel size in µm.
    """
    step = _step(mpp)
    level = np.zeros((height // step, width // step), np.float32)
    fine = np.zeros_like(level)
    halves = max(step // 3, 1)  # structure of 0.7 µm is seen on pixels of 0.33 µm
    for window in map_windows(height, width, mpp=mpp):
        plane = read(window).astype(np.float32)
        rows, cols = plane.shape[0] // step, plane.shape[1] // step
        plane = plane[: rows * step, : cols * step]
        top, left = window.top // step, window.left // step
        here = slice(top, top + rows), slice(left, left + cols)
        level[here] = cv2.resize(plane, (cols, rows), interpolation=cv2.INTER_AREA)
        small = cv2.resize(
            plane, (plane.shape[1] // halves, plane.shape[0] // halves), interpolation=cv2.INTER_AREA
        )
        band = spot_response(np.asarray(small, np.float32), sigma_px=spot_width_px(_FINE_UM, halves * mpp))
        fine[here] = cv2.resize(band * band, (cols, rows), interpolation=cv2.INTER_AREA)
    return DapiMap(level, fine, step, mpp)


def find_tumour_sized(dapi: DapiMap) -> tuple[Places, Places]:
    """Places (row, col in map pixels) of tumour-sized nuclei, and the sharpness of each.

    Returns
    -------
    places : ndarray of float64, shape (N, 2)
    sharpness : ndarray of float64, shape (N,)
        Fine structure over brightness, unitless, >= 0.
    """
    background = estimate_background(dapi.level)
    root = np.sqrt(np.clip(dapi.level - np.float32(background), 0, None))
    large = spot_response(root, sigma_px=_TUMOUR_SIGMA_UM / dapi.um)
    small = spot_response(root, sigma_px=_SMALL_SIGMA_UM / dapi.um)
    reach = max(round(_TUMOUR_SIGMA_UM / dapi.um), 1)
    peak = cv2.dilate(large, np.ones((2 * reach + 1,) * 2, np.uint8))
    # From neighbouring pixels, not from the spread: where tissue fills the scan, the spread is nuclei.
    noise = estimate_noise(root, step=0.0)
    is_top = (large == peak) & (large > max(_NOISE_LEVEL * noise, 1e-6))
    if not is_top.any():
        return np.zeros((0, 2)), np.zeros(0)
    is_top &= (large > _FAINT_SHARE * np.percentile(large[is_top], 90)) & (large > small)
    places = np.argwhere(is_top)
    size = (2 * reach + 1,) * 2
    quiet = float(np.median(dapi.fine[dapi.level <= background])) if dapi.fine.size else 0.0
    detail = cv2.blur(dapi.fine, size)[places[:, 0], places[:, 1]] - quiet
    bright = cv2.blur(dapi.level, size)[places[:, 0], places[:, 1]] - background
    sharpness = np.sqrt(np.clip(detail, 0, None)) / np.maximum(bright, 1e-6)
    return places.astype(np.float64), sharpness.astype(np.float64)


def rank_fields(
    dapi: DapiMap, places: Places, sharpness: npt.NDArray[np.float64], *, params: FieldParams
) -> list[Field]:
    """List all squares with enough nuclei, the best first; they overlap.

    Parameters
    ----------
    dapi : DapiMap
    places, sharpness : ndarray
        Nuclei that may be counted (of `find_tumour_sized`, those outside drawn regions left out).
    params : FieldParams
    """
    height, width = dapi.level.shape
    # A biopsy scanned as a strip may be narrower than a field.
    side = max(min(round(params.side_um / dapi.um), height, width), 1)
    stride = max(side // _STEPS_PER_SIDE, 1)
    found: list[tuple[int, int, int, float]] = []
    for top in _starts(height, side, stride):
        in_rows = (places[:, 0] >= top) & (places[:, 0] < top + side)
        cols, sharp = places[in_rows, 1], sharpness[in_rows]
        for left in _starts(width, side, stride):
            inside = (cols >= left) & (cols < left + side)
            count = int(inside.sum())
            if count >= params.min_nuclei:
                found.append((top, left, count, float(np.median(sharp[inside]))))
    if not found:
        return []
    best = max(float(np.percentile([f[3] for f in found], 90)), 1e-9)
    fields = [
        Field(top * dapi.step, left * dapi.step, side * dapi.step, count, min(sharp / best, 1.0))
        for top, left, count, sharp in found
    ]
    return sorted(fields, key=lambda field: (-field.score, field.top, field.left))


def choose_fields(
    ranked: Sequence[Field], accept: Callable[[Field], bool], *, mpp: float, params: FieldParams
) -> list[Field]:
    """Choose fields that do not overlap: the best, one in another area, then the best of the rest.

    Parameters
    ----------
    ranked : sequence of Field
        Candidates, the best first.
    accept : callable
        Looks at a candidate in full resolution.
    mpp : float
        Pixel size of the image in µm.
    params : FieldParams

    Returns
    -------
    fields : list of Field
        With the number of their area; fewer than asked for, or none, where there are no more.
    """
    gap_px = AREA_GAP_UM / mpp
    chosen: list[Field] = []
    refused: list[Field] = []
    trials = _TRIALS_PER_FIELD * params.count

    def next_of(candidates: Iterator[Field]) -> bool:
        nonlocal trials
        for field in candidates:
            if trials == 0:
                return False
            if any(field.gap(other) < 0 for other in (*chosen, *refused)):
                continue
            trials -= 1
            if accept(field):
                chosen.append(field)
                return True
            refused.append(field)
        return False

    if next_of(iter(ranked)) and params.count > 1:
        first = chosen[0]
        rich = [field for field in ranked if field.score >= _LEAST_SCORE * first.score]
        next_of(field for field in rich if field.gap(first) > gap_px)
        while len(chosen) < params.count and next_of(iter(rich)):
            pass
    return _with_areas(chosen, gap_px)


def _with_areas(chosen: Sequence[Field], gap_px: float) -> list[Field]:
    """Give fields the number of their area: those within the gap of each other (single linkage)."""
    area = list(range(len(chosen)))
    for i, one in enumerate(chosen):
        for j in range(i):
            if one.gap(chosen[j]) <= gap_px and area[i] != area[j]:
                old, new = max(area[i], area[j]), min(area[i], area[j])
                area = [new if a == old else a for a in area]
    order = {number: place for place, number in enumerate(dict.fromkeys(area), start=1)}
    return [replace(field, area=order[number]) for field, number in zip(chosen, area, strict=True)]


def _starts(length: int, side: int, stride: int) -> list[int]:
    """Where squares begin along an axis; the last one ends with the image."""
    if length < side:
        return []
    return sorted({*range(0, length - side + 1, stride), length - side})


def _step(mpp: float) -> int:
    return max(round(MAP_UM / mpp), 1)
