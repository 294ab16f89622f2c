"""Where the nuclei of an IHC phantom lie and how they are made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_detail import TissueDetail
from her2path.imaging.phantoms.ihc_nuclei import CellKind, NucleiCanvas, Nucleus, is_free, paint
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_structures import Structures, extra_nuclei, immune_boost
from her2path.imaging.phantoms.ihc_tissue import CellMap, TissueMap
from her2path.imaging.phantoms.texture import band_noise, smooth_noise, stream

_PLAIN_STROMA_PER_MM2 = 700.0
_DRAWS = 12
"""Random numbers per nucleus; plain phantoms depend on it."""


@dataclass(frozen=True, slots=True)
class Population:
    """Epithelial cells whose nuclei are painted alike."""

    spec: IhcPhantomSpec
    """Spec of the population itself: its seed, cell size and detail."""
    cells: CellMap
    kind: CellKind


def paint_nuclei(
    spec: IhcPhantomSpec,
    tissue: TissueMap,
    epithelium: tuple[Population, ...],
    structures: Structures | None = None,
) -> NucleiCanvas:
    """Paint all nuclei; those of stroma avoid the ones that are there already."""
    canvas = NucleiCanvas.empty(spec.shape)
    grain = band_noise(stream(spec.seed, "chromatin"), spec.shape, 0.38 / spec.mpp, 1.1 / spec.mpp)
    grain += np.float32(0.6) * smooth_noise(stream(spec.seed, "clumps"), spec.shape, 0.9 / spec.mpp)
    for population in epithelium:
        for nucleus in _epithelial_nuclei(population):
            paint(canvas, nucleus, grain, spec.mpp)
    if structures is not None:
        for nucleus in extra_nuclei(spec, structures):
            paint(canvas, nucleus, grain, spec.mpp)
    for nucleus in _other_nuclei(spec, tissue, structures):
        if is_free(canvas, nucleus, spec.mpp):
            paint(canvas, nucleus, grain, spec.mpp)
    return canvas


def _epithelial_nuclei(population: Population) -> list[Nucleus]:
    spec, cells = population.spec, population.cells
    rng = stream(spec.seed, "tumour nuclei")
    vary = stream(spec.seed, "pleomorphism")
    columnar = spec.architecture == "glandular" and not (spec.detail and spec.detail.stratified)
    least_um = 1.9 if spec.detail is None else 1.5
    nuclei = []
    for cell in range(1, cells.count + 1):
        u = rng.random(_DRAWS)
        # The plane of section misses some nuclei; in small profiles there is no room.
        if u[0] < 0.06 or cells.inradius_um[cell] < least_um:
            continue
        wide = float(cells.inradius_um[cell])
        area = float(cells.area_px[cell]) * spec.mpp**2
        short = min(0.80 * wide, (2.9 + 1.7 * u[1]))
        long = min(short * (1.05 + 0.45 * u[2]), 0.40 * area / (np.pi * short) + 0.5 * short)
        angle = np.pi * u[3]
        x, y = cells.core_px[cell] + (u[4:6] - 0.5) * 0.35 * max(wide - short, 0.3) / spec.mpp
        ax, ay = cells.apical[cell]
        if columnar:
            long = max(min(short * (1.5 + 0.6 * u[2]), 8.0), short)
            angle = np.arctan2(ay, ax) + 0.25 * (u[3] - 0.5)
            shift = (3.0 * u[6] - 1.0) / spec.mpp
            x, y = x - ax * shift, y - ay * shift
        defocused = u[7] < 0.16
        nucleus = Nucleus(
            kind=population.kind,
            cell=cell if population.kind is CellKind.TUMOUR else 0,
            x_px=float(x),
            y_px=float(y),
            long_um=float(max(long, short)),
            short_um=float(short),
            angle=float(angle),
            od=float((0.36 + 0.26 * u[8]) * (0.75 if defocused else 1.0)),
            vesicular=float(u[9] ** 0.7),
            blur_um=float(0.7 + 1.1 * u[10]) if defocused else 0.0,
            bumps=tuple(2 * np.pi * rng.random(3)),
        )
        if spec.detail is not None:
            nucleus = _individual(spec, spec.detail, nucleus, wide, vary)
        nuclei.append(nucleus)
    return nuclei


def _individual(
    spec: IhcPhantomSpec, detail: TissueDetail, nucleus: Nucleus, wide_um: float, rng: np.random.Generator
) -> Nucleus:
    """Give a nucleus the size, shape and chromatin of its own, or let it divide or die."""
    draw = rng.standard_normal(4)
    u = rng.random(8)
    size = detail.nuclear_scale * float(np.exp(0.38 * detail.pleomorphism * draw[0]))
    # A crowded nucleus presses against its neighbours and may lie over them.
    room = (0.80 + 0.32 * detail.crowding) * wide_um
    short = min(max(nucleus.short_um * size, 0.95 * detail.crowding * wide_um), max(room, 1.6))
    stretch = nucleus.long_um / nucleus.short_um
    push = detail.crowding * (0.9 + 0.25 * wide_um) / spec.mpp
    if spec.architecture == "discohesive" and u[0] < 0.4:
        # A signet ring: the nucleus lies flat against one side of the cell.
        short, stretch = max(0.40 * wide_um, 1.2), 2.0
        push = 0.8 * wide_um / spec.mpp
    x, y = nucleus.x_px + push * (u[1] - 0.5) * 2, nucleus.y_px + push * (u[2] - 0.5) * 2
    angle = nucleus.angle
    if push > 0.7 * wide_um / spec.mpp:
        angle = float(np.arctan2(u[2] - 0.5, u[1] - 0.5) + np.pi / 2)
    changed = replace(
        nucleus,
        x_px=float(x),
        y_px=float(y),
        short_um=float(short),
        long_um=float(short * stretch),
        angle=angle,
        od=float(nucleus.od * np.exp(0.30 * detail.pleomorphism * draw[1])),
        vesicular=float(np.clip(detail.vesicular + 0.22 * draw[2], 0, 1)),
        lobes=float(0.6 + 2.2 * detail.pleomorphism * u[3]),
        see_through=0.5,
        soft_um=float(0.3 + 0.9 * u[6] ** 2),
        rim=float(0.15 + 0.85 * u[7]),
        nucleoli=detail.nucleoli * float(0.4 + 1.2 * u[5]),
        clumps=float(np.exp(0.4 * draw[3] - 0.2)),
    )
    if u[4] < detail.mitoses:
        return replace(
            changed, od=0.85, vesicular=0.0, short_um=1.4, long_um=3.6, lobes=4.0, angle=float(6.28 * u[5])
        )
    if u[4] < 2 * detail.mitoses:
        return replace(changed, od=0.95, vesicular=0.0, short_um=1.5, long_um=1.7, lobes=2.0)
    return changed


def _other_nuclei(spec: IhcPhantomSpec, tissue: TissueMap, structures: Structures | None) -> list[Nucleus]:
    """Lymphocytes in loose clusters, fibroblasts along the fibres, few lymphocytes within nests."""
    height, width = spec.size_um
    rng = stream(spec.seed, "stroma nuclei")
    fixed = _PLAIN_STROMA_PER_MM2 if spec.detail is None else spec.detail.stroma_cells_per_mm2
    n = round(height * width * 1e-6 * (spec.lymphocytes_per_mm2 + fixed) * 2)
    crowd = smooth_noise(rng, spec.shape, 35 / spec.mpp)
    share = spec.lymphocytes_per_mm2 / max(spec.lymphocytes_per_mm2 + fixed, 1e-9)
    nuclei = []
    for u in rng.random((n, _DRAWS)):
        row, col = int(u[0] * spec.height_px), int(u[1] * spec.width_px)
        if not tissue.tissue[row, col] or tissue.lumen[row, col]:
            continue
        if structures is not None and structures.taken[row, col]:
            continue
        in_nest = bool(tissue.nests[row, col])
        lymphocyte = u[2] < share * (0.25 + 1.5 * max(float(crowd[row, col]), 0.0))
        if in_nest and (not lymphocyte or u[3] > 0.12):
            continue
        nucleus = _lymphocyte(row, col, u) if lymphocyte else _fibroblast(row, col, u, tissue)
        if nucleus is None:
            continue
        nuclei.append(nucleus if spec.detail is None else _varied(nucleus, u))
    if structures is not None:
        nuclei += [
            _varied(_lymphocyte(row, col, u), u) for row, col, u in immune_boost(spec, structures, tissue)
        ]
    return nuclei


def _blur(u: npt.NDArray[np.float64]) -> float:
    return float(0.6 + 0.9 * u[4]) if u[5] < 0.15 else 0.0


def _lymphocyte(row: int, col: int, u: npt.NDArray[np.float64]) -> Nucleus:
    size = 2.6 + 0.8 * u[9]
    return Nucleus(
        kind=CellKind.LYMPHOCYTE,
        cell=0,
        x_px=col,
        y_px=row,
        long_um=size * (1 + 0.15 * u[10]),
        short_um=size,
        angle=3.14 * u[11],
        od=0.68 + 0.2 * u[10],
        vesicular=0.25,
        blur_um=_blur(u),
        bumps=(6.28 * u[6], 6.28 * u[7], 6.28 * u[8]),
    )


def _fibroblast(row: int, col: int, u: npt.NDArray[np.float64], tissue: TissueMap) -> Nucleus | None:
    if u[3] >= 0.55:
        return None
    size = 1.1 + 0.8 * u[9]
    return Nucleus(
        kind=CellKind.STROMA,
        cell=0,
        x_px=col,
        y_px=row,
        long_um=size * (3.0 + 2.5 * u[10]),
        short_um=size,
        angle=float(tissue.fibre_angle[row, col]) + 0.4 * (u[11] - 0.5),
        od=0.42 + 0.25 * u[4],
        vesicular=0.35,
        blur_um=_blur(u),
        bumps=(6.28 * u[6], 6.28 * u[7], 6.28 * u[8]),
    )


def _varied(nucleus: Nucleus, u: npt.NDArray[np.float64]) -> Nucleus:
    """Turn some nuclei of the stroma into those of plasma cells, granulocytes and macrophages."""
    # Digits of a number already used: no more draws, and still a uniform variable.
    pick, more, soft = (u[9] * 97) % 1, (u[10] * 89) % 1, (u[11] * 83) % 1
    nucleus = replace(nucleus, soft_um=0.3 + 0.9 * soft**2, rim=0.2 + 0.7 * pick, see_through=0.3)
    od = nucleus.od * (0.55 + 0.7 * more)
    if nucleus.kind is CellKind.LYMPHOCYTE:
        if pick < 0.15:
            return replace(
                nucleus, od=od, short_um=1.7, long_um=2.5, lobes=4.0, vesicular=0.1, see_through=0.3
            )
        return replace(nucleus, od=od, lobes=1.0 + 1.5 * more, vesicular=0.7 * more)
    if pick < 0.30:
        wide = 2.2 + 1.6 * more
        return replace(
            nucleus,
            od=0.7 * od,
            short_um=wide,
            long_um=1.35 * wide,
            lobes=2.0,
            vesicular=0.8,
        )
    stretch = 0.55 + 0.6 * more
    return replace(
        nucleus, od=od, long_um=nucleus.long_um * stretch, lobes=2.5, vesicular=0.6 * more, see_through=0.3
    )
