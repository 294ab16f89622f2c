"""Structures of an IHC phantom that are not tumour: ducts, vessels, necrosis, lymphoid aggregates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_nuclei import CellKind, Nucleus
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_tissue import Mask, TissueMap
from her2path.imaging.phantoms.texture import Field, smooth_noise, stream

DUCT_GAP_UM = 9.0
"""Stroma between a benign duct and the tumour."""
VESSEL_GAP_UM = 4.0


@dataclass(frozen=True, slots=True)
class Ring:
    """Round outline with a wobble; lengths in µm, place in pixels."""

    x_px: float
    y_px: float
    radius_um: float
    wall_um: float
    """Height of the epithelium or thickness of the wall."""
    wobble: tuple[float, float, float]
    """Amplitude and two phases of the outline."""


@dataclass(frozen=True)
class Structures:
    """What is laid out beside the tumour; masks have shape (M, N)."""

    ducts: tuple[Ring, ...]
    vessels: tuple[Ring, ...]
    aggregates: tuple[Ring, ...]
    duct_wall: Mask
    """Epithelium of benign ducts."""
    hollow: Mask
    """Lumens of ducts and vessels."""
    necrosis: Mask
    fat: Mask
    """Adipose tissue."""
    taken: Mask
    """Where neither tumour nor ordinary stroma lies."""
    keep_off: Mask
    """`taken` and a rim of stroma around it."""


def place_structures(spec: IhcPhantomSpec) -> Structures:
    """Draw where ducts, vessels, aggregates and necrosis lie."""
    detail = spec.detail
    shape = spec.shape
    duct_wall, hollow, taken, keep_off = (np.zeros(shape, dtype=bool) for _ in range(4))
    if detail is None:
        return Structures((), (), (), duct_wall, hollow, taken.copy(), taken.copy(), taken, keep_off)
    rng = stream(spec.seed, "structures")
    ducts = _rings(spec, rng, detail.ducts_per_mm2, (22.0, 60.0), (12.0, 17.0), 0.12)
    vessels = _rings(spec, rng, detail.vessels_per_mm2, (5.0, 28.0), (1.5, 5.0), 0.22)
    aggregates = _rings(spec, rng, detail.aggregates_per_mm2, (35.0, 110.0), (0.0, 0.0), 0.2)
    for ring, gap in [*((r, DUCT_GAP_UM) for r in ducts), *((r, VESSEL_GAP_UM) for r in vessels)]:
        window, away = _distance(spec, ring, gap)
        if not away.size:
            continue
        inside, lumen = away < ring.radius_um, away < ring.radius_um - ring.wall_um
        keep_off[window] |= away < ring.radius_um + gap
        taken[window] |= inside
        # A later ring replaces what it covers.
        duct_wall[window] &= ~inside
        hollow[window] = (hollow[window] & ~inside) | lumen
        if gap == DUCT_GAP_UM:
            duct_wall[window] |= inside & ~lumen
    necrosis = _patch(spec, rng, 38.0, detail.necrosis_fraction) & ~keep_off
    fat = _patch(spec, stream(spec.seed, "fat"), 90.0, detail.fat_fraction) & ~keep_off & ~necrosis
    elsewhere = necrosis | fat
    return Structures(
        ducts=ducts,
        vessels=vessels,
        aggregates=aggregates,
        duct_wall=duct_wall,
        hollow=hollow,
        necrosis=necrosis,
        fat=fat,
        taken=taken | elsewhere,
        keep_off=keep_off | elsewhere,
    )


def _patch(spec: IhcPhantomSpec, rng: np.random.Generator, scale_um: float, fraction: float) -> Mask:
    """Blotches that cover a fraction of the image."""
    if fraction == 0:
        return np.zeros(spec.shape, dtype=bool)
    field = smooth_noise(rng, spec.shape, scale_um / spec.mpp)
    field += np.float32(0.2) * smooth_noise(rng, spec.shape, 5 / spec.mpp)
    return np.asarray(field > np.quantile(field[::4, ::4], 1 - fraction))


def _rings(
    spec: IhcPhantomSpec,
    rng: np.random.Generator,
    per_mm2: float,
    radius_um: tuple[float, float],
    wall_um: tuple[float, float],
    wobble: float,
) -> tuple[Ring, ...]:
    height, width = spec.size_um
    n = rng.poisson(per_mm2 * height * width * 1e-6)
    rings = []
    for u in rng.random((n, 7)):
        low, high = radius_um
        radius = low + (high - low) * u[2] ** 2
        wall = wall_um[0] + (wall_um[1] - wall_um[0]) * u[3]
        rings.append(
            Ring(
                x_px=float(u[0] * spec.width_px),
                y_px=float(u[1] * spec.height_px),
                radius_um=float(radius),
                wall_um=float(min(wall, 0.75 * radius)),
                wobble=(float(wobble * u[4]), float(6.28 * u[5]), float(6.28 * u[6])),
            )
        )
    return tuple(rings)


def _distance(spec: IhcPhantomSpec, ring: Ring, margin_um: float) -> tuple[tuple[slice, slice], Field]:
    """Window around a ring and there the distance in µm from its middle, bent by the wobble."""
    reach = int((1.5 * ring.radius_um + margin_um) / spec.mpp) + 2
    top, left = max(int(ring.y_px) - reach, 0), max(int(ring.x_px) - reach, 0)
    bottom = min(int(ring.y_px) + reach, spec.height_px)
    right = min(int(ring.x_px) + reach, spec.width_px)
    rows, cols = np.ogrid[top:bottom, left:right]
    dx, dy = (cols - ring.x_px) * spec.mpp, (rows - ring.y_px) * spec.mpp
    theta = np.arctan2(dy, dx)
    size, two, three = ring.wobble
    bent = 1 + 2 * size * np.cos(2 * theta + two) + size * np.cos(3 * theta + three)
    away = np.hypot(dx, dy) / np.clip(bent, 0.5, 1.5)
    return np.s_[top:bottom, left:right], away.astype(np.float32)


def _on_outline(ring: Ring, theta: float, inset_um: float, mpp: float) -> tuple[float, float]:
    size, two, three = ring.wobble
    bent = np.clip(1 + 2 * size * np.cos(2 * theta + two) + size * np.cos(3 * theta + three), 0.5, 1.5)
    radius = (ring.radius_um - inset_um) * bent / mpp
    return float(ring.x_px + radius * np.cos(theta)), float(ring.y_px + radius * np.sin(theta))


def extra_nuclei(spec: IhcPhantomSpec, structures: Structures) -> Iterator[Nucleus]:
    """Nuclei of myoepithelium, endothelium and necrosis."""
    rng = stream(spec.seed, "structure nuclei")
    for ring in structures.ducts:
        yield from _lining(spec, rng, ring, CellKind.BENIGN, step_um=17.0, inset_um=1.2)
    for ring in structures.vessels:
        yield from _lining(spec, rng, ring, CellKind.STROMA, step_um=14.0, inset_um=ring.wall_um)
    yield from _remains(spec, rng, structures.necrosis)


def _lining(
    spec: IhcPhantomSpec,
    rng: np.random.Generator,
    ring: Ring,
    kind: CellKind,
    *,
    step_um: float,
    inset_um: float,
) -> Iterator[Nucleus]:
    """Flat nuclei along an outline."""
    n = max(int(6.28 * ring.radius_um / step_um), 2)
    for place in range(n):
        u = rng.random(10)
        if u[0] < 0.3:
            continue
        theta = 6.28 * (place + 0.6 * u[1]) / n
        x, y = _on_outline(ring, theta, inset_um, spec.mpp)
        if not (0 <= x < spec.width_px and 0 <= y < spec.height_px):
            continue
        short = 1.0 + 0.6 * u[2]
        yield Nucleus(
            kind=kind,
            cell=0,
            x_px=x,
            y_px=y,
            long_um=float(short * (2.2 + 2.0 * u[3])),
            short_um=float(short),
            angle=float(theta + np.pi / 2),
            od=float(0.35 + 0.35 * u[4]),
            vesicular=0.4,
            blur_um=float(0.8 * u[5]) if u[6] < 0.15 else 0.0,
            bumps=(6.28 * u[7], 6.28 * u[8], 6.28 * u[9]),
            lobes=2.0,
            see_through=0.3,
        )


def _remains(spec: IhcPhantomSpec, rng: np.random.Generator, necrosis: Mask) -> Iterator[Nucleus]:
    """Ghosts of nuclei, and fragments that are small and dark."""
    height, width = spec.size_um
    n = round(height * width * 1e-6 * 8000) if necrosis.any() else 0
    for u in rng.random((n, 10)):
        row, col = int(u[0] * spec.height_px), int(u[1] * spec.width_px)
        if not necrosis[row, col]:
            continue
        ghost = u[2] < 0.35
        size = 2.2 + 1.5 * u[3] if ghost else 0.5 + 1.3 * u[3] ** 2
        yield Nucleus(
            kind=CellKind.NECROTIC,
            cell=0,
            x_px=col,
            y_px=row,
            long_um=float(size * (1 + 0.5 * u[4])),
            short_um=float(size),
            angle=float(3.14 * u[5]),
            od=float(0.08 + 0.12 * u[6] if ghost else 0.4 + 0.5 * u[6]),
            vesicular=0.3 if ghost else 0.0,
            blur_um=0.5 if ghost else 0.0,
            bumps=(6.28 * u[7], 6.28 * u[8], 6.28 * u[9]),
            lobes=1.5,
            see_through=0.6,
        )


def immune_boost(
    spec: IhcPhantomSpec, structures: Structures, tissue: TissueMap
) -> Iterator[tuple[int, int, npt.NDArray[np.float64]]]:
    """Places of the lymphocytes of aggregates, with the numbers that shape each; rows and columns."""
    rng = stream(spec.seed, "aggregates")
    for ring in structures.aggregates:
        n = round(3.14 * (ring.radius_um * 1e-3) ** 2 * 16_000)
        for u in rng.random((n, 14)):
            away = ring.radius_um * np.sqrt(u[12]) / spec.mpp
            row = int(ring.y_px + away * np.sin(6.28 * u[13]))
            col = int(ring.x_px + away * np.cos(6.28 * u[13]))
            if not (0 <= row < spec.height_px and 0 <= col < spec.width_px):
                continue
            free = tissue.tissue[row, col] and not tissue.lumen[row, col] and not structures.taken[row, col]
            if free and not tissue.nests[row, col]:
                yield row, col, u
