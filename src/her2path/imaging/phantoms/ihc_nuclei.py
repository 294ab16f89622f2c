"""Nuclei of an IHC phantom: tumour, lymphocytes, fibroblasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_tissue import CellMap, TissueMap
from her2path.imaging.phantoms.texture import Field, band_noise, blurred, smooth_noise, stream


class CellKind(StrEnum):
    """Kind of cell that a nucleus belongs to."""

    TUMOUR = "tumour"
    LYMPHOCYTE = "lymphocyte"
    STROMA = "stroma"


@dataclass(frozen=True, slots=True)
class Nucleus:
    """One nucleus to be painted; lengths in µm, place in pixels."""

    kind: CellKind
    cell: int
    """Label of the tumour cell; 0 for other kinds."""
    x_px: float
    y_px: float
    long_um: float
    """Half axis along `angle`."""
    short_um: float
    angle: float
    """Direction of the long half axis in radians."""
    od: float
    """Hematoxylin density of the chromatin."""
    vesicular: float
    """0 = evenly dark, 1 = pale with a dark rim and nucleoli."""
    blur_um: float
    """Out-of-focus blur; 0 = in the plane of focus."""
    bumps: tuple[float, float, float]
    """Phases of the outline's second to fourth harmonic, and of the nucleoli."""


@dataclass
class NucleiCanvas:
    """Planes that nuclei are painted on; filled in place by `paint_nuclei` only."""

    hematoxylin: Field
    cover: Field
    """Opacity of nuclei, 0 to 1."""
    labels: npt.NDArray[np.int32]
    """Place + 1 in `painted` of the uppermost nucleus at each pixel, 0 = none."""
    painted: list[tuple[Nucleus, int]] = field(default_factory=list)
    """Nuclei in the order of painting and their areas in pixels."""


def paint_nuclei(spec: IhcPhantomSpec, tissue: TissueMap, cells: CellMap) -> NucleiCanvas:
    """Paint all nuclei; those of stroma avoid the ones that are there already."""
    canvas = NucleiCanvas(
        hematoxylin=np.zeros(spec.shape, np.float32),
        cover=np.zeros(spec.shape, np.float32),
        labels=np.zeros(spec.shape, np.int32),
    )
    grain = band_noise(stream(spec.seed, "chromatin"), spec.shape, 0.38 / spec.mpp, 1.1 / spec.mpp)
    grain += np.float32(0.6) * smooth_noise(stream(spec.seed, "clumps"), spec.shape, 0.9 / spec.mpp)
    for nucleus in _tumour_nuclei(spec, cells):
        _paint(canvas, nucleus, grain, spec.mpp)
    for nucleus in _other_nuclei(spec, tissue):
        if _is_free(canvas, nucleus, spec.mpp):
            _paint(canvas, nucleus, grain, spec.mpp)
    return canvas


def _tumour_nuclei(spec: IhcPhantomSpec, cells: CellMap) -> list[Nucleus]:
    rng = stream(spec.seed, "tumour nuclei")
    columnar = spec.architecture == "glandular"
    nuclei = []
    for cell in range(1, cells.count + 1):
        u = rng.random(12)
        # The plane of section misses some nuclei; in small profiles there is no room.
        if u[0] < 0.06 or cells.inradius_um[cell] < 1.9:
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
        nuclei.append(
            Nucleus(
                CellKind.TUMOUR,
                cell,
                float(x),
                float(y),
                float(max(long, short)),
                float(short),
                float(angle),
                float((0.36 + 0.26 * u[8]) * (0.75 if defocused else 1.0)),
                float(u[9] ** 0.7),
                float(0.7 + 1.1 * u[10]) if defocused else 0.0,
                tuple(2 * np.pi * rng.random(3)),
            )
        )
    return nuclei


def _other_nuclei(spec: IhcPhantomSpec, tissue: TissueMap) -> list[Nucleus]:
    """Lymphocytes in loose clusters, fibroblasts along the fibres, few lymphocytes within nests."""
    height, width = spec.size_um
    rng = stream(spec.seed, "stroma nuclei")
    n = round(height * width * 1e-6 * (spec.lymphocytes_per_mm2 + 700) * 2)
    crowd = smooth_noise(rng, spec.shape, 35 / spec.mpp)
    share = spec.lymphocytes_per_mm2 / (spec.lymphocytes_per_mm2 + 700)
    nuclei = []
    for u in rng.random((n, 12)):
        row, col = int(u[0] * spec.height_px), int(u[1] * spec.width_px)
        if not tissue.tissue[row, col] or tissue.lumen[row, col]:
            continue
        in_nest = bool(tissue.nests[row, col])
        lymphocyte = u[2] < share * (0.25 + 1.5 * max(float(crowd[row, col]), 0.0))
        if in_nest and (not lymphocyte or u[3] > 0.12):
            continue
        blur = 0.6 + 0.9 * u[4] if u[5] < 0.15 else 0.0
        bumps = (6.28 * u[6], 6.28 * u[7], 6.28 * u[8])
        if lymphocyte:
            size = 2.6 + 0.8 * u[9]
            nuclei.append(
                Nucleus(
                    CellKind.LYMPHOCYTE, 0, col, row, size * (1 + 0.15 * u[10]), size, 3.14 * u[11],
                    0.68 + 0.2 * u[10], 0.25, blur, bumps,
                )
            )  # fmt: skip
        elif u[3] < 0.55:
            size = 1.1 + 0.8 * u[9]
            angle = float(tissue.fibre_angle[row, col]) + 0.4 * (u[11] - 0.5)
            nuclei.append(
                Nucleus(
                    CellKind.STROMA, 0, col, row, size * (3.0 + 2.5 * u[10]), size, angle,
                    0.42 + 0.25 * u[4], 0.35, blur, bumps,
                )
            )  # fmt: skip
    return nuclei


def _is_free(canvas: NucleiCanvas, nucleus: Nucleus, mpp: float) -> bool:
    reach = int(np.ceil(nucleus.short_um / mpp)) + 1
    row, col = round(nucleus.y_px), round(nucleus.x_px)
    around = canvas.cover[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    return float(around.max(initial=0.0)) < 0.25


def _paint(canvas: NucleiCanvas, nucleus: Nucleus, grain: Field, mpp: float) -> None:
    reach = int(np.ceil((1.25 * nucleus.long_um + 3 * nucleus.blur_um) / mpp)) + 2
    row, col = round(nucleus.y_px), round(nucleus.x_px)
    top, left = max(row - reach, 0), max(col - reach, 0)
    window = np.s_[top : row + reach + 1, left : col + reach + 1]
    under = canvas.hematoxylin[window]
    if not under.size:
        return
    rows, cols = np.ogrid[top : top + under.shape[0], left : left + under.shape[1]]
    dx, dy = (cols - nucleus.x_px) * mpp, (rows - nucleus.y_px) * mpp
    radius, u, v = _outline(nucleus, dx, dy)
    # `radius - 1` in pixels of the short axis: a soft edge one pixel wide.
    cover = np.clip(0.5 + (1 - radius) * nucleus.short_um / max(mpp, 0.3), 0, 1)
    area = int(np.count_nonzero(cover >= 0.5))
    od = nucleus.od * _chromatin(nucleus, radius, u, v, grain[window])
    if nucleus.blur_um:
        sigma = nucleus.blur_um / mpp
        od = blurred(od * cover, sigma).astype(np.float64)
        cover = blurred(cover, sigma).astype(np.float64)
        od = od / np.maximum(cover, 0.05)
    canvas.hematoxylin[window] = under * (1 - cover) + od * cover
    canvas.cover[window] = np.maximum(canvas.cover[window], cover)
    canvas.painted.append((nucleus, area))
    canvas.labels[window][cover >= 0.5] = len(canvas.painted)


def _outline(
    nucleus: Nucleus, dx: npt.NDArray[np.float64], dy: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distance from the centre relative to the outline, and the two scaled coordinates."""
    c, s = np.cos(nucleus.angle), np.sin(nucleus.angle)
    u = (dx * c + dy * s) / nucleus.long_um
    v = (dy * c - dx * s) / nucleus.short_um
    theta = np.arctan2(v, u)
    two, three, four = nucleus.bumps
    edge = (
        1
        + 0.05 * np.cos(2 * theta + two)
        + 0.05 * np.cos(3 * theta + three)
        + 0.025 * np.cos(4 * theta + four)
    )
    return np.hypot(u, v) / edge, u, v


def _chromatin(
    nucleus: Nucleus,
    radius: npt.NDArray[np.float64],
    u: npt.NDArray[np.float64],
    v: npt.NDArray[np.float64],
    grain: Field,
) -> npt.NDArray[np.float64]:
    """Relative density within a nucleus: clumps, a rim where it is vesicular, one or two nucleoli."""
    pale = nucleus.vesicular
    rim_width = 0.55 / nucleus.short_um
    rim = np.exp(-(((radius - 1 + rim_width) / rim_width) ** 2))
    density = 1 - 0.50 * pale + 0.55 * pale * rim + (0.10 + 0.14 * pale) * grain
    if nucleus.kind is CellKind.TUMOUR and not nucleus.blur_um:
        first, second, third = nucleus.bumps
        size = (0.55 + 0.45 * (np.sin(7 * first) + 1) / 2) / nucleus.short_um
        stretch = nucleus.long_um / nucleus.short_um
        for phase, weight in ((second, 1.0), (third, 0.8 * (np.sin(5 * second) > 0))):
            du, dv = (u - 0.42 * np.cos(phase)) * stretch, v - 0.42 * np.sin(phase)
            density += weight * (0.35 + 0.5 * pale) * np.exp(-(((du**2 + dv**2) / (size**2)) ** 1.5))
    return np.clip(density, 0.12, 1.7)
