"""Shapes and places of the nuclei of a FISH phantom.

The layout lives on a canvas that is larger than the image by a margin, so that nuclei at the
border are whole until the image is cut out of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind

MARGIN_UM = 17.0
"""Margin around the image (µm): the reach of the outermost centres and of the longest nucleus."""
_REACH_UM = 5.0
"""Centres lie up to this far outside of the image (µm): beyond it hardly a nucleus would be seen."""
_LONGEST_UM = 10.8
"""No nucleus reaches further than this from its centre (µm)."""
_GAP_UM = 0.5
"""Free space kept between nuclei that are not meant to overlap (µm)."""
_TRIES = 60

_SEMI_AXES_UM = {
    # Median long and short half axis: invasive breast carcinoma nuclei measure 8 to 15 µm, lymphocytes
    # 6 to 8 µm, fibroblasts are spindles.
    NucleusKind.TUMOUR: (6.0, 5.0),
    NucleusKind.STROMA: (6.6, 2.1),
    NucleusKind.LYMPHOCYTE: (3.3, 3.0),
}
_SPREAD = {NucleusKind.TUMOUR: 0.14, NucleusKind.STROMA: 0.18, NucleusKind.LYMPHOCYTE: 0.07}
_IRREGULARITY = {NucleusKind.TUMOUR: 0.06, NucleusKind.STROMA: 0.07, NucleusKind.LYMPHOCYTE: 0.025}


class Damage(StrEnum):
    """What happened to a nucleus when the tissue was handled."""

    CRUSHED = "crushed"
    FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class Slab:
    """The slice of an ellipsoidal nucleus that lies in the section."""

    low: float
    """Heights of its faces over the centre, in half heights of the nucleus: -1 to 1."""
    high: float
    middle: float
    """Height of the section's middle over the centre, in the same unit; it may lie beyond the nucleus."""
    half_height_um: float
    volume: float
    """Share of the nucleus's volume, 0 to 1."""


@dataclass(frozen=True, slots=True)
class NucleusShape:
    """One nucleus on the canvas."""

    nucleus_id: int
    kind: NucleusKind
    row: float
    """Centre on the canvas (px, edges at integers)."""
    col: float
    top: int
    """First canvas row of `depth`."""
    left: int
    depth: npt.NDArray[np.float32]
    """How far inside each pixel lies: 1 at the centre, 0 on the outline and outside."""
    radius_px: float
    """Radius of the circle of the same area."""
    population: int = 1
    """Sort of tumour cells, 1 or 2."""
    damage: Damage | None = None
    lift_um: float = 0.0
    """How far it lies out of the section's plane."""
    slab: Slab | None = None
    """None = whole in the section."""
    whole_depth: npt.NDArray[np.float32] | None = None
    """With a slab: `depth` of the nucleus's largest outline."""

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Pixels of the nucleus within its box."""
        return self.depth > 0

    @property
    def box(self) -> tuple[slice, slice]:
        """Place of `depth` on the canvas."""
        height, width = self.depth.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def slice_faces(shape: NucleusShape, slab: Slab) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Lower and upper face of a cut nucleus at each pixel of its box, in half heights; equal outside it."""
    away = 1 - (shape.depth if shape.whole_depth is None else shape.whole_depth)
    half = np.sqrt(np.clip(1 - away**2, 0, None))
    low, high = np.maximum(-half, slab.low), np.minimum(half, slab.high)
    return low.astype(np.float32), np.maximum(low, high).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Layout:
    """All nuclei of a phantom."""

    shapes: tuple[NucleusShape, ...]
    height: int
    """Size of the canvas (px)."""
    width: int
    margin: int
    """Canvas pixel (margin, margin) is the image's pixel (0, 0)."""


def layout_nuclei(spec: FishPhantomSpec, rng: np.random.Generator) -> Layout:
    """Place tumour, stroma and lymphocyte nuclei, some overlapping, some cut off by the border.

    Parameters
    ----------
    spec : FishPhantomSpec
        Size of the image, density, shares.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    layout : Layout
        Nuclei numbered from 1; the number of nuclei falls short of the density where no room is left.
    """
    margin = int(np.ceil(MARGIN_UM / spec.mpp))
    height, width = spec.height_px + 2 * margin, spec.width_px + 2 * margin
    reach = margin - round(_REACH_UM / spec.mpp)
    area_mm2 = (height - 2 * reach) * (width - 2 * reach) * (spec.mpp / 1000) ** 2
    count = round(area_mm2 * spec.nuclei_per_mm2)
    kinds = _kinds(count, spec, rng)
    nest = nest_field(height, width, spec, rng)
    occupied = np.zeros((height, width), dtype=np.uint8)
    shapes: list[NucleusShape] = []
    overlaps = round(count * spec.overlap_share / 2)
    for index, kind in enumerate(kinds):
        over = index >= count - overlaps and bool(shapes)
        for _ in range(_TRIES):
            if over:
                row, col = _beside(shapes, spec, rng)
            else:
                row, col = (float(rng.uniform(reach, size - reach)) for size in (height, width))
            inside = reach <= row < height - reach and reach <= col < width - reach
            if not inside or not _fits_nest(kind, nest[int(row), int(col)], rng):
                continue
            shape = draw_nucleus(len(shapes) + 1, kind, (row, col), spec, rng)
            if has_room(shape, occupied, over=over, gap_px=_GAP_UM / spec.mpp):
                shapes.append(shape)
                occupied[shape.box] |= shape.mask.astype(np.uint8)
                break
    return Layout(tuple(shapes), height, width, margin)


def _kinds(count: int, spec: FishPhantomSpec, rng: np.random.Generator) -> list[NucleusKind]:
    tumour = round(count * spec.tumour_share)
    stroma = (count - tumour + 1) // 2
    kinds = [NucleusKind.TUMOUR] * tumour + [NucleusKind.STROMA] * stroma
    kinds += [NucleusKind.LYMPHOCYTE] * (count - tumour - stroma)
    return [kinds[i] for i in rng.permutation(count)]


def nest_field(
    height: int, width: int, spec: FishPhantomSpec, rng: np.random.Generator, *, grain_um: float = 20.0
) -> npt.NDArray[np.float32]:
    """Rank (0 to 1) of a smooth random field: tumour grows where it is high."""
    step = max(1, round(2.0 / spec.mpp))
    coarse = rng.standard_normal((height // step + 2, width // step + 2)).astype(np.float32)
    smooth = cv2.GaussianBlur(coarse, (0, 0), grain_um / 2.0)
    ranks = np.empty(smooth.size, dtype=np.float32)
    ranks[np.argsort(smooth, axis=None, kind="stable")] = np.linspace(0, 1, smooth.size, dtype=np.float32)
    wide = cv2.resize(ranks.reshape(smooth.shape), (width, height), interpolation=cv2.INTER_LINEAR)
    return wide.astype(np.float32, copy=False)


def _fits_nest(kind: NucleusKind, rank: float, rng: np.random.Generator) -> bool:
    tumour_chance = float(np.clip((rank - 0.22) / 0.15, 0.04, 1.0))
    chance = tumour_chance if kind is NucleusKind.TUMOUR else 1.1 - tumour_chance
    return bool(rng.random() < chance)


def _beside(
    shapes: list[NucleusShape], spec: FishPhantomSpec, rng: np.random.Generator
) -> tuple[float, float]:
    """Centre of a nucleus that will lie partly on an earlier one."""
    partner = shapes[int(rng.integers(len(shapes)))]
    angle = rng.uniform(0, 2 * np.pi)
    distance = partner.radius_px + rng.uniform(1.5, 4.5) / spec.mpp
    return partner.row + distance * np.sin(angle), partner.col + distance * np.cos(angle)


def draw_nucleus(
    nucleus_id: int,
    kind: NucleusKind,
    centre: tuple[float, float],
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> NucleusShape:
    """Draw size, shape and direction of a nucleus around a centre (row, column) of the canvas."""
    row, col = centre
    mpp, tissue = spec.mpp, spec.tissue
    size = float(np.exp(rng.normal(0, _SPREAD[kind] * tissue.pleomorphism)))
    size *= tissue.nucleus_size if kind is NucleusKind.TUMOUR else 1.0
    stretch = float(np.exp(rng.normal(0, 0.10)))
    long, short = (axis * size / mpp for axis in _SEMI_AXES_UM[kind])
    long, short = long * stretch, short / stretch
    longest = _LONGEST_UM / mpp
    long = min(long, longest / 1.25)
    reach = 1.35 * long
    if (tissue.pleomorphism, tissue.nucleus_size) != (1.0, 1.0):
        # A nucleus drawn wider than long must fit its box; plain ones keep the box that they always had.
        short = min(short, longest / 1.25)
        reach = 1.35 * max(long, short)
    half = int(np.ceil(min(reach, longest))) + 2
    top, left = int(row) - half, int(col) - half
    rows, cols = np.mgrid[top : top + 2 * half + 1, left : left + 2 * half + 1].astype(np.float32) + 0.5
    angle = np.arctan2(rows - row, cols - col)
    tilt = rng.uniform(0, np.pi)
    outline = long * short / np.hypot(short * np.cos(angle - tilt), long * np.sin(angle - tilt))
    outline *= 1 + _wobble(angle, _IRREGULARITY[kind], rng)
    depth = np.clip(1 - np.hypot(rows - row, cols - col) / outline, 0, None).astype(np.float32)
    radius = float(np.sqrt(np.count_nonzero(depth) / np.pi))
    return NucleusShape(nucleus_id, kind, row, col, top, left, depth, radius)


def _wobble(
    angle: npt.NDArray[np.float32], irregularity: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    total = np.zeros_like(angle)
    for order in range(2, 7):
        amplitude = rng.normal(0, irregularity * 2 / order)
        total += np.float32(amplitude) * np.cos(order * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return np.clip(total, -0.3, 0.25)


def draw_smear(shape: NucleusShape, tilt: float, mpp: float, rng: np.random.Generator) -> NucleusShape:
    """Draw a nucleus out along a direction, as crushing does; its outline frays."""
    long = min(shape.radius_px * float(rng.uniform(1.5, 2.0)), 0.8 * _LONGEST_UM / mpp)
    short = shape.radius_px * float(rng.uniform(0.35, 0.55))
    half = int(np.ceil(1.3 * long)) + 2
    top, left = int(shape.row) - half, int(shape.col) - half
    rows, cols = np.mgrid[top : top + 2 * half + 1, left : left + 2 * half + 1].astype(np.float32) + 0.5
    angle = np.arctan2(rows - shape.row, cols - shape.col)
    outline = long * short / np.hypot(short * np.cos(angle - tilt), long * np.sin(angle - tilt))
    outline *= 1 + _wobble(angle, 2 * _IRREGULARITY[NucleusKind.TUMOUR], rng)
    distance = np.hypot(rows - shape.row, cols - shape.col)
    depth = np.clip(1 - distance / outline, 0, None).astype(np.float32)
    radius = float(np.sqrt(np.count_nonzero(depth) / np.pi))
    return replace(shape, top=top, left=left, depth=depth, radius_px=radius, damage=Damage.CRUSHED)


def has_room(shape: NucleusShape, occupied: npt.NDArray[np.uint8], *, over: bool, gap_px: float) -> bool:
    """Whether a nucleus fits: on free canvas with a gap around it or, with `over`, partly on another."""
    there = occupied[shape.box]
    mask = shape.mask.astype(np.uint8)
    if over:
        share = np.count_nonzero(there & mask) / np.count_nonzero(mask)
        return bool(0.04 <= share <= 0.35)
    reach = 2 * max(1, round(gap_px)) + 1
    grown = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    return not np.any(there.astype(bool) & grown.astype(bool))
