"""What a FISH phantom shows besides its signals: chromatin, autofluorescence, red blood cells, debris."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_layout import Damage, Layout, NucleusShape, slice_faces
from her2path.imaging.phantoms.fish_optics import add_gaussian, focus_um
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec
from her2path.imaging.phantoms.fish_truth import NucleusKind, SignalChannel, TrueSpeck

Plane = npt.NDArray[np.float32]

_FOLD_STREAM = 13
DAPI, HER2, CEP17 = 0, 1, 2
"""Order of the channels everywhere in a phantom."""

_DAPI_PEAK_E = {NucleusKind.TUMOUR: 2800.0, NucleusKind.STROMA: 3600.0, NucleusKind.LYMPHOCYTE: 4500.0}
_CLUMPS = {NucleusKind.TUMOUR: 0.20, NucleusKind.STROMA: 0.10, NucleusKind.LYMPHOCYTE: 0.24}
"""Contrast of coarse chromatin: vesicular in tumour, smooth in spindles, clumped in lymphocytes."""


@dataclass(frozen=True, slots=True)
class NucleusLook:
    """How one nucleus shines, before focus."""

    shape: NucleusShape
    z_um: float
    """Height of its middle in the section: how far it is out of focus."""
    chromatin: Plane
    """Light of the DNA stain over the box of the shape (photoelectrons)."""
    glow: Plane
    """Autofluorescence and unspecific probe within the nucleus, in the green channel."""


def textures(layout: Layout, spec: FishPhantomSpec, rng: np.random.Generator) -> tuple[Plane, Plane, Plane]:
    """Fine, middle and coarse random texture (mean 0, standard deviation 1) over the canvas."""
    planes = []
    for scale_um in (0.18, 0.5, 1.4):
        noise = rng.standard_normal((layout.height, layout.width), dtype=np.float32)
        smooth = cv2.GaussianBlur(noise, (0, 0), scale_um / spec.mpp)
        planes.append((smooth / float(smooth.std())).astype(np.float32))
    return planes[0], planes[1], planes[2]


def look_of(
    shape: NucleusShape,
    noise: tuple[Plane, Plane, Plane],
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> NucleusLook:
    """Give a nucleus its chromatin, nucleoli, brightness and glow."""
    fine, middle, coarse = (_window(plane, shape, rng) for plane in noise)
    # A section through an ellipsoid is thinner towards the outline, and a thick one levels off.
    thickness = np.minimum(1, 1.35 * np.sqrt(1 - (1 - shape.depth) ** 2)).astype(np.float32)
    clumps = _CLUMPS[shape.kind] * float(rng.uniform(0.7, 1.5))
    texture = 1 + clumps * (0.6 * fine + 0.75 * middle + 0.55 * coarse)
    texture *= 1 - _nucleoli(shape, spec, rng)
    level = _DAPI_PEAK_E[shape.kind] * float(np.exp(rng.normal(-0.1, 0.42)))
    if shape.slab is not None:
        low, high = slice_faces(shape, shape.slab)
        thickness = np.minimum(1, (high - low) * shape.slab.half_height_um / spec.section_um)
        thickness = np.where(shape.mask, thickness, 0).astype(np.float32)
    chromatin = level * thickness * np.clip(texture, 0.25, 2.2)
    chromatin = spec.optics.dapi_level * _altered(chromatin, shape, level, spec)
    glow = thickness * np.clip(1 + 0.16 * fine + 0.25 * middle + 0.2 * coarse, 0.3, None)
    strength = float(np.exp(rng.normal(np.log(300), 0.75))) * spec.background
    z = float(rng.uniform(-0.5, 0.5)) * spec.section_um + shape.lift_um
    return NucleusLook(
        shape, z, chromatin.astype(np.float32), (min(strength, 900.0) * glow).astype(np.float32)
    )


def _altered(chromatin: Plane, shape: NucleusShape, level: float, spec: FishPhantomSpec) -> Plane:
    """Chromatin with its rim, and of crushed and folded nuclei; plain chromatin as it is."""
    if spec.tissue.rims:
        rim_um = shape.depth * shape.radius_px * spec.mpp
        rim = np.exp(-0.5 * ((rim_um - 0.35) / 0.3) ** 2) * shape.mask
        if shape.slab is not None:
            # A cap shows the envelope from above, where it is no rim.
            rim *= min(1.0, shape.slab.volume / 0.5) ** 2
        chromatin = chromatin + spec.tissue.rims * 0.6 * level * rim.astype(np.float32)
    if shape.damage is Damage.FOLDED:
        chromatin = chromatin * fold_light(shape, spec)
    elif shape.damage is Damage.CRUSHED:
        # Crushed chromatin runs together: bright, without texture.
        even = cv2.GaussianBlur(chromatin, (0, 0), 0.9 / spec.mpp)
        chromatin = 1.4 * even * shape.mask
    return np.asarray(chromatin, np.float32)


def fold_light(shape: NucleusShape, spec: FishPhantomSpec) -> Plane:
    """Factor on the DNA stain of a folded nucleus: twice as bright where it lies double."""
    rng = np.random.default_rng([spec.seed, _FOLD_STREAM, shape.nucleus_id])
    rows, cols = np.mgrid[: shape.depth.shape[0], : shape.depth.shape[1]].astype(np.float32) + 0.5
    tilt = float(rng.uniform(0, np.pi))
    away = (rows + shape.top - shape.row) * np.cos(tilt) + (cols + shape.left - shape.col) * np.sin(tilt)
    middle = float(rng.normal(0, 0.25)) * shape.radius_px
    width = float(rng.uniform(0.5, 0.9)) * shape.radius_px
    double = (np.abs(away - middle) < width / 2).astype(np.float32)
    return np.asarray(1 + cv2.GaussianBlur(double, (0, 0), 0.15 / spec.mpp), np.float32)


def _window(plane: Plane, shape: NucleusShape, rng: np.random.Generator) -> Plane:
    height, width = shape.depth.shape
    top = int(rng.integers(plane.shape[0] - height))
    left = int(rng.integers(plane.shape[1] - width))
    return plane[top : top + height, left : left + width]


def _nucleoli(shape: NucleusShape, spec: FishPhantomSpec, rng: np.random.Generator) -> Plane:
    """Share of the DNA stain missing at each pixel: nucleoli hold little DNA."""
    dark = np.zeros_like(shape.depth)
    if shape.kind is not NucleusKind.TUMOUR:
        return dark
    inside = np.argwhere(shape.depth > 0.3)
    for _ in range(int(rng.integers(0, 4))):
        row, col = (float(v) + 0.5 for v in inside[rng.integers(len(inside))])
        sigma = float(rng.uniform(0.45, 0.9)) / spec.mpp
        add_gaussian(dark, (row, col), sigma, float(rng.uniform(0.2, 0.5)))
    return np.clip(dark, 0, 0.7)


def add_nucleus(light: Plane, look: NucleusLook, spec: FishPhantomSpec, *, plane_um: float) -> None:
    """Add one nucleus to `light` (3, M, N) as seen in one focal plane."""
    # A capture with extended focus reaches through the section, not to what is lifted off the slide.
    focus = 0.35 if spec.z_planes == 1 and not look.shape.lift_um else 1.0
    centre = look.shape.row, look.shape.col
    away_um = look.z_um - plane_um - focus_um(centre, light.shape[1:], spec)
    sigma_um = float(np.hypot(0.27, 0.22 * focus * away_um)) * spec.blur
    sigma = sigma_um / spec.mpp
    if look.shape.lift_um:
        _add_blurred(light, look, sigma)
        return
    rows, cols = look.shape.box
    light[DAPI, rows, cols] += cv2.GaussianBlur(look.chromatin, (0, 0), sigma)
    glow = cv2.GaussianBlur(look.glow, (0, 0), sigma)
    light[CEP17, rows, cols] += glow
    light[HER2, rows, cols] += 0.42 * glow


def _add_blurred(light: Plane, look: NucleusLook, sigma: float) -> None:
    """Add a nucleus whose light spreads beyond its box."""
    shape, pad = look.shape, int(np.ceil(3 * sigma))
    top, left = shape.top - pad, shape.left - pad
    height, width = (side + 2 * pad for side in shape.depth.shape)
    rows = slice(max(0, top), min(light.shape[1], top + height))
    cols = slice(max(0, left), min(light.shape[2], left + width))
    own = slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left)
    chromatin, glow = (
        cv2.GaussianBlur(np.pad(plane, pad), (0, 0), sigma)[own] for plane in (look.chromatin, look.glow)
    )
    light[DAPI, rows, cols] += chromatin
    light[CEP17, rows, cols] += glow
    light[HER2, rows, cols] += 0.42 * glow


def add_surroundings(
    light: Plane,
    layout: Layout,
    noise: tuple[Plane, Plane, Plane],
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> None:
    """Add the empty field's light and that of cytoplasm to `light` (3, M, N), in place."""
    light += np.array([60.0, 70.0, 90.0], dtype=np.float32)[:, None, None] * spec.background
    cytoplasm = _cytoplasm(layout, noise, spec, rng)
    light[CEP17] += cytoplasm
    light[HER2] += 0.6 * cytoplasm


def _cytoplasm(
    layout: Layout, noise: tuple[Plane, Plane, Plane], spec: FishPhantomSpec, rng: np.random.Generator
) -> Plane:
    """Green light of cytoplasm: wispy patches beside some of the tumour nuclei."""
    reach = np.zeros((layout.height, layout.width), dtype=np.float32)
    for shape in layout.shapes:
        if shape.kind is NucleusKind.TUMOUR and rng.random() < 0.45:
            row = shape.row + float(rng.normal(0, 0.5)) * shape.radius_px
            col = shape.col + float(rng.normal(0, 0.5)) * shape.radius_px
            height = float(np.exp(rng.normal(-0.2, 0.6)))
            add_gaussian(reach, (row, col), 1.15 * shape.radius_px, height)
    fine, middle, coarse = noise
    wisps = 0.12 * fine + 0.18 * middle + 0.26 * np.roll(coarse, (37, 71), axis=(0, 1))
    share: Plane = np.clip(np.minimum(reach, 1.4) * (0.8 + wisps) - 0.1, 0, None)
    return np.float32(300.0 * spec.background) * share


def add_specks(
    light: Plane,
    layout: Layout,
    covered: npt.NDArray[np.bool_],
    spec: FishPhantomSpec,
    rng: np.random.Generator,
) -> tuple[TrueSpeck, ...]:
    """Add debris and unspecific probe outside the nuclei and say where (in image pixels).

    `covered` marks the canvas pixels of nuclei; half of the specks are as small as a signal.
    """
    area_mm2 = layout.height * layout.width * (spec.mpp / 1000) ** 2
    specks = []
    for _ in range(int(rng.poisson(1400 * area_mm2 * spec.artefacts))):
        row, col = float(rng.uniform(0, layout.height)), float(rng.uniform(0, layout.width))
        fwhm = float(rng.choice([0.38, rng.uniform(0.45, 1.1)]))
        kind = rng.choice([0, 1, 2], p=[0.4, 0.3, 0.3])
        level = float(np.exp(rng.normal(np.log(900), 0.6)))
        lean, tilt = float(rng.uniform(0, 0.6)) * fwhm / spec.mpp, float(rng.uniform(0, np.pi))
        if covered[int(row), int(col)]:
            continue
        channel = (None, SignalChannel.HER2, SignalChannel.CEP17)[int(kind)]
        for plane, probe in ((HER2, SignalChannel.HER2), (CEP17, SignalChannel.CEP17)):
            if channel in (None, probe):
                for side in (-0.5, 0.5):
                    centre = row + side * lean * np.sin(tilt), col + side * lean * np.cos(tilt)
                    add_gaussian(light[plane], centre, fwhm / 2.3548 / spec.mpp, 0.6 * level)
        x, y = col - layout.margin, row - layout.margin
        if 0 <= x < spec.width_px and 0 <= y < spec.height_px:
            specks.append(TrueSpeck(channel, x, y, fwhm))
    return tuple(specks)
