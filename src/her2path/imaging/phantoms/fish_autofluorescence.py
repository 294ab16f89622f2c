"""Light of tissue and slide beyond blood cells: fibres, lipofuscin, dust, apoptotic bodies.

Granules and dust can hide signals, so they are drawn with the artefacts, before the truth is written
down; through the even light of fibres a reader counts on.  Each concern has its own stream of random
numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.fish_layout import Layout
from her2path.imaging.phantoms.fish_optics import add_gaussian
from her2path.imaging.phantoms.fish_scene import CEP17, DAPI, HER2
from her2path.imaging.phantoms.fish_spec import FishPhantomSpec, stream
from her2path.imaging.phantoms.fish_truth import SignalChannel, TrueSpeck
from her2path.imaging.phantoms.texture import fibre_noise, smooth_noise

Plane = npt.NDArray[np.float32]

_FIBRES, _GRANULES, _DUST, _FRAGMENTS = 30, 31, 32, 33
"""Streams of random numbers."""
_FIBRE_E = 170.0
"""Light of a bright fibre in the green channel (photoelectrons)."""


def add_hiding_light(light: Plane, layout: Layout, spec: FishPhantomSpec) -> None:
    """Add lipofuscin granules and dust to `light` (canvas, shape (3, M, N)), in place."""
    if spec.tissue.granules:
        _add_granules(light, layout, spec)
    if spec.tissue.dust:
        _add_dust(light, spec)


def _area_mm2(light: Plane, spec: FishPhantomSpec) -> float:
    return float(light.shape[1] * light.shape[2] * (spec.mpp / 1000) ** 2)


def add_fibres(light: Plane, spec: FishPhantomSpec) -> None:
    """Add collagen and elastin: wavy bundles, green with some orange and little blue."""
    if not spec.tissue.fibres:
        return
    rng = stream(spec, _FIBRES)
    shape = light.shape[1], light.shape[2]
    angle = rng.uniform(0, np.pi) + 0.5 * smooth_noise(rng, shape, 18.0 / spec.mpp)
    fibres = fibre_noise(rng, angle.astype(np.float32), max(1.0, 0.5 / spec.mpp), 5)
    where = np.clip(0.5 + smooth_noise(rng, shape, 14.0 / spec.mpp), 0, 1.5)
    glow = spec.tissue.fibres * _FIBRE_E * np.clip(fibres + 0.3, 0, 3) * where
    for channel, share in ((DAPI, 0.15), (HER2, 0.4), (CEP17, 1.0)):
        light[channel] += np.float32(share) * glow


def _add_granules(light: Plane, layout: Layout, spec: FishPhantomSpec) -> None:
    """Lipofuscin: granules of a signal's size around nuclei, yellow, in heaps."""
    rng = stream(spec, _GRANULES)
    if not layout.shapes:
        return
    left = int(rng.poisson(_area_mm2(light, spec) * spec.tissue.granules))
    while left > 0:
        shape = layout.shapes[int(rng.integers(len(layout.shapes)))]
        heap = min(left, int(rng.integers(3, 15)))
        left -= heap
        way, away = rng.uniform(0, 2 * np.pi), shape.radius_px * rng.uniform(0.95, 1.3)
        row, col = shape.row + away * np.sin(way), shape.col + away * np.cos(way)
        for _ in range(heap):
            place = row + float(rng.normal(0, 1.2)) / spec.mpp, col + float(rng.normal(0, 1.2)) / spec.mpp
            sigma = float(rng.uniform(0.16, 0.35)) / spec.mpp
            level = float(np.exp(rng.normal(np.log(500), 0.5)))
            for channel, share in ((DAPI, 0.15), (HER2, 0.8), (CEP17, 1.0)):
                add_gaussian(light[channel], place, sigma, share * level)


def _add_dust(light: Plane, spec: FishPhantomSpec) -> None:
    """Dust on the cover slip: wide bright patches out of focus, in every channel."""
    rng = stream(spec, _DUST)
    for _ in range(int(rng.poisson(_area_mm2(light, spec) * spec.tissue.dust))):
        place = tuple(float(rng.uniform(0, size)) for size in light.shape[1:])
        sigma, level = float(rng.uniform(2.5, 7.0)) / spec.mpp, float(rng.uniform(300, 2500))
        colour = rng.uniform(0.4, 1.0, 3)
        for channel in (DAPI, HER2, CEP17):
            add_gaussian(light[channel], (place[0], place[1]), sigma, float(colour[channel]) * level)


def add_debris(
    light: Plane, layout: Layout, covered: npt.NDArray[np.bool_], spec: FishPhantomSpec
) -> tuple[TrueSpeck, ...]:
    """Add apoptotic bodies and torn chromatin outside the nuclei; say where (in image pixels).

    They are bright in DAPI, smaller than a nucleus, and some hold probe as chromatin does.
    """
    if not spec.tissue.fragments:
        return ()
    rng = stream(spec, _FRAGMENTS)
    specks = []
    for _ in range(int(rng.poisson(_area_mm2(light, spec) * spec.tissue.fragments))):
        row, col = (float(rng.uniform(0, size)) for size in light.shape[1:])
        pieces = int(rng.integers(1, 7))
        if covered[int(row), int(col)]:
            continue
        for _ in range(pieces):
            spread = 0.9 * np.sqrt(pieces) / spec.mpp
            place = row + float(rng.normal(0, spread)), col + float(rng.normal(0, spread))
            sigma = float(rng.uniform(0.25, 0.8)) / spec.mpp
            level = float(np.exp(rng.normal(np.log(3000), 0.5))) * spec.optics.dapi_level
            add_gaussian(light[DAPI], place, sigma, level)
            for channel, probe in ((HER2, SignalChannel.HER2), (CEP17, SignalChannel.CEP17)):
                if rng.random() < 0.15:
                    add_gaussian(light[channel], place, 0.19 / spec.mpp, 900.0 * spec.signal_level)
                    specks.append(TrueSpeck(probe, place[1] - layout.margin, place[0] - layout.margin, 0.45))
    return tuple(
        speck for speck in specks if 0 <= speck.x_px0 < spec.width_px and 0 <= speck.y_px0 < spec.height_px
    )
