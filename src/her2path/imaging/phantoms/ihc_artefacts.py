"""Artefacts of an IHC phantom: what they add to the light's path, and a mask of where they lie.

An artefact changes densities (fold, chromogen), adds other absorbers (ink, dust, pigment), blurs
(out of focus, bubble), or several of these.  The mask covers every place that it visibly changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from her2path.imaging.artefacts import ArtefactKind, artefact_code
from her2path.imaging.phantoms.ihc_detail import ArtefactSpec
from her2path.imaging.phantoms.ihc_spec import IhcPhantomSpec
from her2path.imaging.phantoms.ihc_tissue import Mask
from her2path.imaging.phantoms.texture import Field, band_noise, blurred, pixel_grid, smooth_noise, stream

INKS: tuple[tuple[float, float, float], ...] = (
    (1.20, 1.15, 1.10),
    (0.95, 0.55, 0.12),
    (0.95, 0.25, 0.60),
    (0.08, 0.85, 0.75),
    (0.25, 0.60, 0.95),
)
"""Decadic OD of R G B of a full stroke: black, blue, green, red, brown."""
_SOOT = (0.80, 0.82, 0.85)
_HEMOSIDERIN = (0.35, 0.62, 1.00)
_THREADS = ((0.30, 0.30, 0.30), (0.45, 0.25, 0.10), (0.10, 0.30, 0.35), (0.6, 0.6, 0.6))


@dataclass(frozen=True)
class Lens:
    """A region that is out of focus."""

    weight: Field
    """Shape (M, N): 0 = sharp, 1 = blurred."""
    sigma_um: float


@dataclass
class Overlay:
    """What artefacts do to a scene; filled in place by `lay_artefacts` only."""

    hematoxylin: Field
    dab: Field
    ink: npt.NDArray[np.float32]
    """Shape (M, N, 3): decadic OD of everything that is neither stain nor grey."""
    mask: npt.NDArray[np.uint8]
    lenses: list[Lens]

    def mark(self, where: Mask, kind: ArtefactKind) -> None:
        """Record a kind; the later artefact lies on top."""
        self.mask[where] = artefact_code(kind)


def lay_artefacts(spec: IhcPhantomSpec, hematoxylin: Field, dab: Field) -> Overlay:
    """Lay the artefacts of a spec over its stains.

    Parameters
    ----------
    spec : IhcPhantomSpec
    hematoxylin, dab : ndarray of float32, shape (M, N)
        Decadic OD; not modified.

    Returns
    -------
    Overlay
        With the densities as the artefacts leave them.
    """
    overlay = Overlay(
        hematoxylin, dab, np.zeros((*spec.shape, 3), np.float32), np.zeros(spec.shape, np.uint8), []
    )
    for place, artefact in enumerate(spec.artefacts):
        rng = stream(spec.seed, f"artefact {place}")
        _DRAW[artefact.kind](overlay, spec, artefact, rng)
    return overlay


def _from_middle(spec: IhcPhantomSpec, artefact: ArtefactSpec) -> tuple[Field, Field]:
    """Distances in µm along and across the artefact's direction."""
    rows, cols = pixel_grid(spec.shape)
    dx = (cols - np.float32(artefact.x_frac * spec.width_px)) * np.float32(spec.mpp)
    dy = (rows - np.float32(artefact.y_frac * spec.height_px)) * np.float32(spec.mpp)
    c, s = np.float32(np.cos(artefact.angle_rad)), np.float32(np.sin(artefact.angle_rad))
    return dx * c + dy * s, dy * c - dx * s


def _blob(spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator, edge_um: float) -> Field:
    """Uneven round region: 1 inside, 0 outside, with a soft edge."""
    along, across = _from_middle(spec, artefact)
    uneven = smooth_noise(rng, spec.shape, 0.35 * artefact.size_um / spec.mpp)
    away = np.hypot(along, np.float32(1.4) * across) + np.float32(0.16 * artefact.size_um) * uneven
    edge = (np.float32(artefact.size_um) - away) / np.float32(edge_um)
    return np.asarray(np.clip(edge + np.float32(0.5), 0, 1), dtype=np.float32)


def _out_of_focus(
    overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator
) -> None:
    weight = _blob(spec, artefact, rng, 0.3 * artefact.size_um)
    overlay.lenses.append(Lens(weight, 2.6 * artefact.strength))
    overlay.mark(weight > 0.3, ArtefactKind.OUT_OF_FOCUS)


def _pen(overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator) -> None:
    along, across = _from_middle(spec, artefact)
    wander = np.float32(artefact.size_um * 0.5) * np.sin(
        along / np.float32(6 * artefact.size_um) + np.float32(rng.uniform(0, 6.28))
    )
    ragged = np.float32(5) * smooth_noise(rng, spec.shape, 12 / spec.mpp)
    depth = np.float32(artefact.size_um / 2) - np.abs(across + wander) + ragged
    # Ink lies on the coverslip, above the plane of focus: its edge is soft, and denser than its middle.
    cover = np.clip(depth / np.float32(9) + np.float32(0.5), 0, 1)
    pooled = 1 + np.float32(0.35) * np.exp(-((depth / np.float32(22)) ** 2))
    streaks = np.float32(0.18) * smooth_noise(rng, spec.shape, 14 / spec.mpp)
    streaks = streaks + np.float32(0.12) * np.sin(across / np.float32(4 + 10 * rng.random()))
    ink = np.float32(artefact.strength) * cover * pooled * np.clip(1 + streaks, 0.3, 1.8)
    overlay.ink += ink[..., None] * np.array(INKS[artefact.variant % len(INKS)], np.float32)
    overlay.mark(cover > 0.02, ArtefactKind.PEN)


def _fold(overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator) -> None:
    _, across = _from_middle(spec, artefact)
    half = np.float32(artefact.size_um / 2)
    bend = half * np.float32(0.8) * smooth_noise(rng, spec.shape, 90 / spec.mpp)
    depth = half - np.abs(across + bend)
    inside = np.clip(depth / np.float32(2) + np.float32(0.5), 0, 1)
    # The tissue beyond the crease lies over this one, mirrored.
    rows, cols = pixel_grid(spec.shape)
    s, c = np.float32(np.sin(artefact.angle_rad)), np.float32(np.cos(artefact.angle_rad))
    turned = 2 * (half - (across + bend)) / np.float32(spec.mpp)
    at = cols - s * turned, rows + c * turned
    crease = np.exp(-((depth / np.float32(3)) ** 2)) * np.float32(0.5)
    gain = np.float32(artefact.strength) * inside * (1 + crease)
    over = [
        cv2.remap(plane, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for plane in (overlay.hematoxylin, overlay.dab)
    ]
    overlay.hematoxylin = overlay.hematoxylin + gain * over[0]
    overlay.dab = overlay.dab + gain * over[1]
    thick = (over[0] + over[1]) > 0.005
    overlay.ink += (np.float32(0.06) * inside * (0.5 + crease) * thick)[..., None]
    overlay.lenses.append(Lens(inside, 0.8))
    overlay.mark((inside > 0.02) & ((overlay.hematoxylin + overlay.dab) > 0.005), ArtefactKind.FOLD)


def _bubble(overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator) -> None:
    along, across = _from_middle(spec, artefact)
    oval = np.float32(rng.uniform(0.8, 1.0))
    away = np.hypot(along, across / oval) - np.float32(artefact.size_um)
    wide = np.float32(rng.uniform(3, 8))
    dark = np.float32(0.9 * artefact.strength) * np.exp(-((away / wide) ** 2))
    bright = np.float32(-0.06) * np.exp(-(((away + 3 * wide) / (1.3 * wide)) ** 2))
    second = np.float32(0.12) * np.exp(-(((away + 5 * wide) / wide) ** 2))
    inside = np.clip(-away / np.float32(4), 0, 1)
    overlay.ink += (dark + bright + second + np.float32(rng.uniform(-0.02, 0.05)) * inside)[..., None]
    overlay.lenses.append(Lens(inside, float(rng.uniform(1.2, 4.0))))
    overlay.mark(away < 3 * wide, ArtefactKind.BUBBLE)


def _coverslip_edge(
    overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator
) -> None:
    _, across = _from_middle(spec, artefact)
    wide = np.float32(rng.uniform(3, 9))
    line = np.float32(0.7 * artefact.strength) * np.exp(-((across / wide) ** 2))
    halo = np.float32(-0.05) * np.exp(-(((across + 3 * wide) / wide) ** 2))
    beyond = np.clip(across / np.float32(3), 0, 1)
    cast = rng.uniform(0.0, 0.05) + rng.normal(0, 0.008, 3)
    overlay.ink += (line + halo)[..., None] + beyond[..., None] * cast.astype(np.float32)
    # Without mounting medium the tissue scatters and lies in another plane of focus.
    overlay.lenses.append(Lens(beyond, float(rng.uniform(1.5, 4.0))))
    overlay.mark(across > -3 * wide, ArtefactKind.COVERSLIP_EDGE)


def _saturated(
    overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator
) -> None:
    weight = _blob(spec, artefact, rng, 14.0)
    clumps = np.clip(1 + np.float32(0.3) * smooth_noise(rng, spec.shape, 3 / spec.mpp), 0.4, 2)
    overlay.dab = overlay.dab + np.float32(2.2 * artefact.strength) * weight * clumps
    overlay.mark(weight > 0.02, ArtefactKind.SATURATED)


def _near(grains: Field, least: float, reach_um: float, mpp: float) -> Mask:
    """Where a sparse plane is above a level, and a rim around it."""
    reach = max(round(reach_um / mpp), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate((grains > least).astype(np.uint8), disc) > 0)


def _grains(
    spec: IhcPhantomSpec, where: Field, rng: np.random.Generator, size_um: float, rarity: float
) -> Field:
    """Grains that crowd in the middle of a region; OD 0 to about 1."""
    noise = band_noise(rng, spec.shape, size_um / spec.mpp, 4 * size_um / spec.mpp)
    clumps = smooth_noise(rng, spec.shape, 5 * size_um / spec.mpp)
    high = noise + np.float32(0.7) * clumps - np.float32(rarity + 4) + np.float32(4) * where
    return np.clip(np.float32(0.7) * high, 0, 1.3)


def _debris(overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator) -> None:
    variant = artefact.variant % 4
    if variant == 1:
        _thread(overlay, spec, artefact, rng)
        return
    where = _blob(spec, artefact, rng, 0.8 * artefact.size_um)
    strength = np.float32(artefact.strength)
    if variant == 0:
        grains = _grains(spec, where, rng, 1.0, 1.9)
        overlay.ink += (strength * grains)[..., None] * np.array(_SOOT, np.float32)
    elif variant == 2:
        grains = np.float32(0.7) * blurred(_grains(spec, where, rng, 0.45, 1.5), 0.25 / spec.mpp)
        overlay.dab = overlay.dab + strength * grains
    else:
        smudge = _grains(spec, where, rng, 1.6, 1.2)
        grains = np.float32(0.6) * blurred(smudge, 1.1 / spec.mpp)
        overlay.hematoxylin = overlay.hematoxylin + strength * grains
    overlay.mark(_near(grains, 0.03, 1.5, spec.mpp), ArtefactKind.DEBRIS)


def _thread(overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator) -> None:
    """One fibre of cloth or paper: long, even, with dark edges, above the plane of focus."""
    along, across = _from_middle(spec, artefact)
    u = rng.random(4)
    period = np.float32(artefact.size_um * (0.5 + u[0]))
    bent = across + np.float32(0.25 * artefact.size_um * u[1]) * np.sin(
        along / period + np.float32(6.28 * u[2])
    )
    half = np.float32(3 + 6 * u[3])
    inside = np.clip((half - np.abs(bent)) / np.float32(1.2) + np.float32(0.5), 0, 1)
    edge = np.exp(-(((np.abs(bent) - half) / np.float32(1.2)) ** 2))
    ends = np.abs(along) < np.float32(2 * artefact.size_um)
    colour = np.array(_THREADS[int(rng.integers(len(_THREADS)))], np.float32)
    overlay.ink += (np.float32(artefact.strength) * (inside * 0.5 + edge) * ends)[..., None] * colour
    overlay.mark((np.abs(bent) < half + np.float32(4)) & ends, ArtefactKind.DEBRIS)


def _pigment(
    overlay: Overlay, spec: IhcPhantomSpec, artefact: ArtefactSpec, rng: np.random.Generator
) -> None:
    where = _blob(spec, artefact, rng, 0.8 * artefact.size_um)
    grains = _grains(spec, where, rng, 0.55, 1.7)
    colour = np.array((_SOOT, _HEMOSIDERIN)[artefact.variant % 2], np.float32)
    overlay.ink += (np.float32(artefact.strength) * grains)[..., None] * colour
    overlay.mark(_near(grains, 0.03, 1.5, spec.mpp), ArtefactKind.PIGMENT)


_DRAW = {
    ArtefactKind.OUT_OF_FOCUS: _out_of_focus,
    ArtefactKind.PEN: _pen,
    ArtefactKind.FOLD: _fold,
    ArtefactKind.BUBBLE: _bubble,
    ArtefactKind.COVERSLIP_EDGE: _coverslip_edge,
    ArtefactKind.SATURATED: _saturated,
    ArtefactKind.DEBRIS: _debris,
    ArtefactKind.PIGMENT: _pigment,
}
