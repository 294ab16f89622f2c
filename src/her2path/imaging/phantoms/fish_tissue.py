"""What becomes of laid-out nuclei in the section: cut, mixed, crushed, folded, lifted, crowded.

Each concern has its own stream of random numbers and changes nothing where the spec states none of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from her2path.imaging.phantoms.fish_layout import (
    Damage,
    Layout,
    NucleusShape,
    Slab,
    draw_nucleus,
    draw_smear,
    has_room,
    nest_field,
)
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec, stream
from her2path.imaging.phantoms.fish_truth import NucleusKind

_CUT, _MIX, _DAMAGE, _LIFT, _CROWD = 20, 21, 22, 23, 24
"""Streams of random numbers."""
_FLATNESS = (0.5, 0.8)
"""Half height of a nucleus over the radius of its outline: paraffin flattens."""
_SMALLEST_CAP = 0.65
"""Radius of the smallest cap over that of the whole outline: less is not seen as a nucleus."""
_LIFTED_UM = (3.0, 7.0)
_CROWD_SIZE = (15, 41)
_CROWD_GAP_UM = 0.15
_CROWD_TRIES = 25


def prepare_tissue(layout: Layout, spec: FishPhantomSpec) -> Layout:
    """Give the nuclei of a layout their part in what the spec states of the tissue.

    Parameters
    ----------
    layout : Layout
        Plain nuclei.
    spec : FishPhantomSpec
        `spec.tissue` says what happens to them.

    Returns
    -------
    layout : Layout
        The same canvas; nuclei in the same order, crowds of lymphocytes behind them.
    """
    tissue = spec.tissue
    shapes = list(layout.shapes)
    if tissue.lymphocyte_crowds:
        shapes += _crowds(layout, spec, stream(spec, _CROWD))
    if tissue.crushed_share or tissue.folded_share:
        shapes = _damaged(shapes, spec, stream(spec, _DAMAGE))
    if tissue.section_cut:
        rng = stream(spec, _CUT)
        shapes = [_cut(shape, spec, rng) for shape in shapes]
    if tissue.second is not None:
        shapes = _mixed(shapes, layout, spec, stream(spec, _MIX))
    if tissue.defocused_share:
        shapes = _lifted(shapes, spec, stream(spec, _LIFT))
    return replace(layout, shapes=tuple(shapes))


def _cut(shape: NucleusShape, spec: FishPhantomSpec, rng: np.random.Generator) -> NucleusShape:
    """Give an ellipsoid the slice that the section holds of it, and the outline of that slice."""
    half_height = shape.radius_px * spec.mpp * float(rng.uniform(*_FLATNESS))
    half_section = spec.section_um / 2 / half_height
    # The section lies anywhere along the nucleus where the outline stays large enough to be seen.
    reach = half_section + np.sqrt(1 - _SMALLEST_CAP**2)
    middle = float(rng.uniform(-reach, reach))
    low, high = max(-1.0, middle - half_section), min(1.0, middle + half_section)
    nearest = max(0.0, low, -high)
    scale = float(np.sqrt(1 - nearest**2))
    slab = Slab(low, high, middle, half_height, volume=_volume(low, high))
    # The outline shrinks about the centre: distances from it are `1 - depth`.
    depth = np.clip(1 - (1 - shape.depth) / scale, 0, None)
    depth[shape.depth <= 0] = 0
    return replace(
        shape,
        depth=depth.astype(np.float32),
        radius_px=shape.radius_px * scale,
        slab=slab,
        whole_depth=shape.depth,
    )


def _volume(low: float, high: float) -> float:
    """Share of a unit ball's volume between two heights."""

    def below(height: float) -> float:
        return 0.5 + 0.75 * (height - height**3 / 3)

    return below(high) - below(low)


def _mixed(
    shapes: list[NucleusShape], layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator
) -> list[NucleusShape]:
    """Say which tumour nuclei are of the second population."""
    second = spec.tissue.second
    if second is None:
        return shapes
    tumour = [i for i, shape in enumerate(shapes) if shape.kind is NucleusKind.TUMOUR]
    if second.place == "patch":
        rank = nest_field(layout.height, layout.width, spec, rng, grain_um=60.0)
        height = {i: float(rank[int(shapes[i].row), int(shapes[i].col)]) for i in tumour}
    else:
        height = dict(zip(tumour, rng.random(len(tumour)).tolist(), strict=True))
    own = set(sorted(tumour, key=lambda i: -height[i])[: round(second.share * len(tumour))])
    return [replace(shape, population=2) if i in own else shape for i, shape in enumerate(shapes)]


def _damaged(
    shapes: list[NucleusShape], spec: FishPhantomSpec, rng: np.random.Generator
) -> list[NucleusShape]:
    """Crush and fold some of the tumour nuclei; smears run the same way all over a field."""
    crushed, folded = spec.tissue.crushed_share, spec.tissue.folded_share
    way = float(rng.uniform(0, np.pi))
    found = []
    for shape in shapes:
        chance = float(rng.random())
        if shape.kind is not NucleusKind.TUMOUR:
            found.append(shape)
        elif chance < crushed:
            tilt = way + float(rng.normal(0, 0.15))
            found.append(draw_smear(shape, tilt, spec.mpp, rng))
        elif chance < crushed + folded:
            found.append(replace(shape, damage=Damage.FOLDED))
        else:
            found.append(shape)
    return found


def _lifted(
    shapes: list[NucleusShape], spec: FishPhantomSpec, rng: np.random.Generator
) -> list[NucleusShape]:
    """Lift some nuclei out of the section's plane, up or down."""
    found = []
    for shape in shapes:
        height = float(rng.uniform(*_LIFTED_UM)) * (1 if rng.random() < 0.5 else -1)
        lifted = rng.random() < spec.tissue.defocused_share
        found.append(replace(shape, lift_um=height) if lifted else shape)
    return found


def _crowds(layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator) -> list[NucleusShape]:
    """Lay crowds of lymphocytes between the nuclei that are there, close together but not upon them."""
    occupied = np.zeros((layout.height, layout.width), dtype=np.uint8)
    for shape in layout.shapes:
        occupied[shape.box] |= shape.mask.astype(np.uint8)
    area_mm2 = layout.height * layout.width * (spec.mpp / 1000) ** 2
    inset = layout.margin - round(5.0 / spec.mpp)
    found: list[NucleusShape] = []
    for _ in range(int(rng.poisson(area_mm2 * spec.tissue.lymphocyte_crowds))):
        row, col = (float(rng.uniform(inset, size - inset)) for size in (layout.height, layout.width))
        size = int(rng.integers(*_CROWD_SIZE))
        # A lymphocyte needs about 40 µm²; the crowd is as dense as that allows.
        spread = float(np.sqrt(40.0 * size / np.pi)) / 1.8 / spec.mpp
        for _ in range(size):
            for _ in range(_CROWD_TRIES):
                place = row + float(rng.normal(0, spread)), col + float(rng.normal(0, spread))
                inside = all(
                    inset <= at < size_px - inset for at, size_px in zip(place, occupied.shape, strict=True)
                )
                if not inside:
                    continue
                number = len(layout.shapes) + len(found) + 1
                shape = draw_nucleus(number, NucleusKind.LYMPHOCYTE, place, spec, rng)
                if has_room(shape, occupied, over=False, gap_px=_CROWD_GAP_UM / spec.mpp):
                    found.append(shape)
                    occupied[shape.box] |= shape.mask.astype(np.uint8)
                    break
    return found
