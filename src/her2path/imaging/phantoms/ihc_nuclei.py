"""Nuclei of an IHC phantom: what one looks like, and painting it.

Where nuclei lie is decided in `ihc_layout`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from her2path.imaging.phantoms.texture import Field, blurred


class CellKind(StrEnum):
    """Kind of cell that a nucleus belongs to; the order is part of the scenes and only grows."""

    TUMOUR = "tumour"
    LYMPHOCYTE = "lymphocyte"
    """Plasma cells too."""
    STROMA = "stroma"
    """Fibroblasts, macrophages, endothelium."""
    BENIGN = "benign"
    """Epithelium and myoepithelium of benign ducts."""
    NECROTIC = "necrotic"
    """Ghosts and fragments of nuclei in necrosis."""


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
    lobes: float = 1.0
    """Amplitude of the outline's harmonics; 1 = a few per cent."""
    see_through: float = 0.0
    """Share of what lies beneath that still shows; 0 hides it."""
    soft_um: float = 0.3
    """Width of the edge; a nucleus whose edge is cut obliquely has a soft one."""
    rim: float = 1.0
    """How dark the envelope is, relative."""
    clumps: float = 1.0
    """Contrast of the chromatin's grain, relative."""
    nucleoli: float = 1.0
    """Darkness of nucleoli, relative."""


@dataclass
class NucleiCanvas:
    """Planes that nuclei are painted on; filled in place by `paint` only."""

    hematoxylin: Field
    cover: Field
    """Opacity of nuclei, 0 to 1."""
    labels: npt.NDArray[np.int32]
    """Place + 1 in `painted` of the uppermost nucleus at each pixel, 0 = none."""
    painted: list[tuple[Nucleus, int]] = field(default_factory=list)
    """Nuclei in the order of painting and their areas in pixels."""

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> NucleiCanvas:
        """Make a canvas without nuclei."""
        return cls(
            hematoxylin=np.zeros(shape, np.float32),
            cover=np.zeros(shape, np.float32),
            labels=np.zeros(shape, np.int32),
        )


def is_free(canvas: NucleiCanvas, nucleus: Nucleus, mpp: float) -> bool:
    """Tell whether a nucleus would lie on no other one."""
    reach = int(np.ceil(nucleus.short_um / mpp)) + 1
    row, col = round(nucleus.y_px), round(nucleus.x_px)
    around = canvas.cover[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1]
    return float(around.max(initial=0.0)) < 0.25


def paint(canvas: NucleiCanvas, nucleus: Nucleus, grain: Field, mpp: float) -> None:
    """Paint one nucleus over what is there and write it down."""
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
    cover = np.clip(0.5 + (1 - radius) * nucleus.short_um / max(mpp, nucleus.soft_um), 0, 1)
    area = int(np.count_nonzero(cover >= 0.5))
    od = nucleus.od * _chromatin(nucleus, radius, u, v, grain[window])
    if nucleus.blur_um:
        sigma = nucleus.blur_um / mpp
        od = blurred(od * cover, sigma).astype(np.float64)
        cover = blurred(cover, sigma).astype(np.float64)
        od = od / np.maximum(cover, 0.05)
    canvas.hematoxylin[window] = under * (1 - (1 - nucleus.see_through) * cover) + od * cover
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
    lobes = nucleus.lobes
    edge = (
        1
        + 0.05 * lobes * np.cos(2 * theta + two)
        + 0.05 * lobes * np.cos(3 * theta + three)
        + 0.025 * lobes * np.cos(4 * theta + four)
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
    density = (
        1 - 0.50 * pale + 0.55 * nucleus.rim * pale * rim + nucleus.clumps * (0.10 + 0.14 * pale) * grain
    )
    if nucleus.kind is CellKind.TUMOUR and not nucleus.blur_um:
        first, second, third = nucleus.bumps
        size = (0.55 + 0.45 * (np.sin(7 * first) + 1) / 2) / nucleus.short_um
        stretch = nucleus.long_um / nucleus.short_um
        for phase, weight in ((second, 1.0), (third, 0.8 * (np.sin(5 * second) > 0))):
            du, dv = (u - 0.42 * np.cos(phase)) * stretch, v - 0.42 * np.sin(phase)
            density += (
                nucleus.nucleoli
                * weight
                * (0.35 + 0.5 * pale)
                * np.exp(-(((du**2 + dv**2) / (size**2)) ** 1.5))
            )
    return np.clip(density, 0.12, 1.7)
